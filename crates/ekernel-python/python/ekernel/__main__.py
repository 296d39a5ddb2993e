"""The program `ekernel`: `python -m ekernel` and the installed command run the same one."""

from __future__ import annotations

import os
import signal
import sys
import tempfile

from ._native import run_program


def main() -> int:
    """Run the program with the arguments of this process and return its exit code."""
    # The program listens to Ctrl-C itself; one that the parent ignores stays ignored.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.platform == "linux":
        # Graphics drivers look for a window system, and complain on standard error without this variable.
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    return run_program(["ekernel", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
