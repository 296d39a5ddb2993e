"""Progress of long work: a bar of tqdm where there is one, or a function of the caller's."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TypeAlias

#: What is called with the pairs done and the pairs in all.
Report: TypeAlias = Callable[[float, int], object]


@contextlib.contextmanager
def reporter(progress: bool | Report | None, label: str) -> Iterator[Report | None]:
    """What the native work reports to, while it runs.

    None shows a bar in terminals and notebooks, True everywhere, False nowhere; a function is called itself.
    """
    if callable(progress):
        yield progress
        return
    if progress is None:
        progress = _is_interactive()
    try:
        from tqdm.auto import tqdm
    except ImportError:
        tqdm = None
    if not progress or tqdm is None:
        yield None
        return
    with tqdm(desc=label, unit="pair", unit_scale=True, leave=False, delay=0.5) as bar:

        def show(done: float, of: int) -> None:
            bar.total = of
            bar.update(done - bar.n)

        yield show


def _is_interactive() -> bool:
    if "ipykernel" in sys.modules:
        return True
    return sys.stderr is not None and sys.stderr.isatty()
