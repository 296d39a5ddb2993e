#!/bin/sh
# Measures ekernel against neural-tangents on this machine and prints a markdown table.
#
#   benches/peers/run.sh [--out FILE] [--peer-only] [...]      all options: benches/peers/run.sh --help
#
# EKERNEL_PEERS_PYTHON  a Python 3.11 or 3.12 to make the private environment with (default python3)
# EKERNEL_PEERS_VENV    where the environment lives (default ~/.cache/ekernel/peers); made once, about 2 GB
# EKERNEL_BIN           an ekernel program to measure instead of a release build of this tree
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH= cd -- "$here/../.." && pwd)
venv=${EKERNEL_PEERS_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/ekernel/peers}

if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
    echo "installing neural-tangents into $venv" >&2
    "${EKERNEL_PEERS_PYTHON:-python3}" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$venv/installed.txt"
fi

case " $* " in
*" --peer-only "* | *" --help "* | *" -h "*) ;;
*)
    if [ -z "${EKERNEL_BIN:-}" ]; then
        cargo build --release --quiet --manifest-path "$root/Cargo.toml" -p ekernel-cli
        EKERNEL_BIN=${CARGO_TARGET_DIR:-$root/target}/release/ekernel
        export EKERNEL_BIN
    fi
    ;;
esac
exec "$venv/bin/python" "$here/peers.py" "$@"
