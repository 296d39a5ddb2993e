#!/usr/bin/env bash
# Everything about speed that needs a machine with a GPU, in one command: benches/gpu.sh [adapter name]
# Prints the adapters, what the fused chain executes per position, and the benchmark with its part of the issue ceiling; the
# logs are left in target/gpu/.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# -gt 0 ]; then export EKERNEL_ADAPTER=$1; fi
mkdir -p target/gpu
cargo run --release -p ekernel-cli -- devices | tee target/gpu/devices.txt
cargo test --release -p ekernel-shaders --test instruction_count -- --nocapture | tee target/gpu/instructions.txt
cargo bench --bench wgpu -- --noplot | tee target/gpu/bench.txt
