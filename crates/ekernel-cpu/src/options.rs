use crate::simd::Isa;

/// Working precision of the planes. Variances, sums over planes and the head are float64 either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Precision {
    /// float32: error at most 1e-6 of the largest kernel entry (5e-5 for near-duplicates behind a local pool or a
    /// smooth dual).
    #[default]
    F32,
    /// float64: 1e-12.
    F64,
}

impl Precision {
    /// "f32" or "f64".
    pub fn name(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::F64 => "f64",
        }
    }
}

/// How the CPU backend computes.
#[derive(Clone, Copy, Debug)]
pub struct CpuOptions {
    /// Working precision.
    pub precision: Precision,
    /// Threads; 0 means one per core.
    pub threads: usize,
    /// The instruction set; the widest one by default.
    pub isa: Isa,
    /// Computes all |H|² blocks (g·f, g'·f') of a group network instead of one orbit: the same mean, |H| times the work. For
    /// comparing.
    pub all_blocks: bool,
    /// Whether runs of convolutions and activations take the fused kernel. Off, every op runs by itself. For comparing.
    pub fused: bool,
}

impl Default for CpuOptions {
    fn default() -> CpuOptions {
        CpuOptions { precision: Precision::F32, threads: 0, isa: Isa::best(), all_blocks: false, fused: true }
    }
}
