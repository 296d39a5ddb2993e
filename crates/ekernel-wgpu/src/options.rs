/// How a stage of planes is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum StrategyChoice {
    /// Fused where the plan and the adapter's limits allow it, else layered.
    #[default]
    Auto,
    /// A whole stage in one dispatch, planes in workgroup memory; an error where that cannot be.
    Fused,
    /// One dispatch per op over materialised kernel tensors; always possible.
    Layered,
}

/// Sizes of the fused strategy's workgroups. Which are fastest depends on the adapter; `ekernel bench --tune` measures it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// Invocations of a workgroup that are aimed at; never more than the device grants.
    pub invocations: u32,
    /// Runs of planes that a workgroup does one after the other at most.
    pub in_turn: u32,
}

impl Default for Tuning {
    fn default() -> Tuning {
        Tuning { invocations: 256, in_turn: 16 }
    }
}

/// How the GPU backend computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WgpuOptions {
    /// Fused or layered; stages on SO(3) are computed in one way.
    pub strategy: StrategyChoice,
    /// Sizes of the fused strategy's workgroups.
    pub tuning: Tuning,
    /// Computes all |H|² blocks (g·f, g'·f') of a group network instead of one orbit: the same mean, |H| times the work. For
    /// comparing.
    pub all_blocks: bool,
    /// Bytes that one working buffer takes at most; the device's largest binding if that is less, and 4 MiB on software
    /// adapters. It is taken to be 64 KiB at least.
    pub chunk_bytes: u64,
}

impl Default for WgpuOptions {
    fn default() -> WgpuOptions {
        WgpuOptions {
            strategy: StrategyChoice::Auto,
            tuning: Tuning::default(),
            all_blocks: false,
            chunk_bytes: 128 << 20,
        }
    }
}
