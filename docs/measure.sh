#!/bin/sh
# Prints the measured numbers of the docs, test by test:
#   docs/measure.sh cpu     docs/numerics.md: errors of the CPU backend
#   docs/measure.sh gpu     docs/gpu.md, docs/gpu-speed.md: errors and instruction counts of the GPU backend
#   docs/measure.sh speed   docs/benchmarks.md: pairs per second, on a machine that does nothing else
# A line of a test is what the test sums its errors up as ("worst"), or else the largest number it printed.
set -eu
cd "$(dirname "$0")/.."

tests() {
    echo "== cargo test --release $*"
    cargo test --release "$@" -- --nocapture --test-threads=1 2>/dev/null | awk '
        function report() { if (name != "") print "  " name ": " (summary != "" ? summary : largest) }
        /^test .* \.\.\. / {
            report()
            name = $2; summary = ""; largest = ""
            sub(/^test [^ ]* \.\.\. /, "")
        }
        /^test result/ { report(); name = ""; if ($4 != "ok.") { print "  FAILED"; failed = 1 } next }
        /worst|below/ { summary = summary (summary == "" ? "" : "; ") $0; next }
        {
            for (i = 1; i <= NF; i++)
                if ($i ~ /^[0-9.]+e-?[0-9]+[,;]?$/ && (largest == "" || $i + 0 > largest + 0)) largest = $i + 0
        }
        END { exit failed }'
}

case "${1:-}" in
cpu)
    tests -p ekernel-cpu --test conformance
    tests -p ekernel-cpu --test chain_accuracy
    tests -p ekernel-harmonic --test wigner
    ;;
gpu)
    tests -p ekernel-wgpu --test conformance
    tests -p ekernel-wgpu --test fused
    cargo test --release -p ekernel-shaders --test instruction_count -- --nocapture
    cargo run --release -p ekernel-wgpu --example machine_code
    ;;
speed)
    cargo run --release -p ekernel-cli -- bench --networks cnn-valid,cnn-same,c4-valid,c4-same --isa avx512,avx2
    cargo run --release -p ekernel-cli -- bench --networks cnn21,myrtle5,so3-relu,so3-relu-fast
    ;;
*)
    sed -n '2,6s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
