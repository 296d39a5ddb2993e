#!/usr/bin/env bash
# Everything about speed that needs a machine with a GPU, in one command: benches/gpu.sh [adapter]
#
# Lists the adapters, tunes workgroups to the one that is named (or a hardware one) and stores them for `ekernel`, measures the
# networks of `ekernel bench` on CPU and GPU, counts the machine instructions of its shaders on AMD cards, and times networks and single
# stages with their share of the issue ceiling. Logs and JSON are left in target/gpu/. A quarter of an hour after the build.
#
# QUICK=1 does a little of each, to see whether all of it runs: benches/gpu.sh llvmpipe takes minutes so.
set -euo pipefail
cd "$(dirname "$0")/.."
out=target/gpu
mkdir -p "$out"
# Without it the graphics library complains of a window system that nobody needs.
export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/tmp}
# Empty arrays are unset variables to the bash 3.2 of macOS, so they are read as ${NAME[@]+…}.
choice=() tune=(--tune) bench=() criterion=(--noplot)
if [ $# -gt 0 ]; then
    export EKERNEL_ADAPTER=$1
    choice=(--adapter "$1")
fi
if [ "${QUICK:-}" = 1 ]; then
    export EKERNEL_IMAGES=1 EKERNEL_TUNING=$out/tuning.json
    tune=(--tune=64x1,128x4 --seconds 0.1)
    bench=(--networks cnn-valid --seconds 0.1)
    criterion=(--noplot --quick relu)
fi
cargo build --release -p ekernel-cli
ekernel=target/release/ekernel
"$ekernel" devices | tee "$out/devices.txt"
"$ekernel" bench "${tune[@]}" ${choice[@]+"${choice[@]}"} | tee "$out/tune.txt"
EKERNEL_WORKGROUPS=$(sed -n 's/^chosen: \([0-9]*\) invocations, \([0-9]*\) in turn.*/\1x\2/p' "$out/tune.txt")
export EKERNEL_WORKGROUPS
"$ekernel" bench ${bench[@]+"${bench[@]}"} ${choice[@]+"${choice[@]}"} --json "$out/bench.json" | tee "$out/bench.txt"
# The whole workspace is named so that nothing is compiled a second time with other features.
cargo build --release --workspace --example machine_code
target/release/examples/machine_code >"$out/machine_code.txt" || echo 'machine code was not counted'
cargo bench --workspace --bench wgpu -- "${criterion[@]}" | tee "$out/criterion.txt"
