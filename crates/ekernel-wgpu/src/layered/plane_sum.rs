//! plane_sum: ΣK and ΣΘ of each plane, and how many elements they are sums of.

use ekernel_core::plan::Plan;
use ekernel_shaders::Stage;

use super::{
    evaluate::{Block, Evaluator},
    geometry::{offset, scale},
    params::Params,
};
use crate::{GpuError, recorder::Recorder, tensors::Tensor};

/// Words per plane: ΣK, ΣΘ, elements.
pub(super) const WORDS: usize = 3;

impl Evaluator<'_> {
    /// Adds up the planes of a block, one of several that `all` rows and columns of offsets were cut into.
    pub(super) fn plane_sum(
        &self,
        stage: usize,
        block: &Block,
        planes: &Tensor,
        all: [usize; 2],
        recorder: &mut Recorder<'_>,
    ) -> Result<(), GpuError> {
        let chunk = self.chunk(block, recorder)?;
        let last = self.plan.stages[stage].ops.len() - 1;
        let params = Params {
            planes: (all[0] * all[1]) as u32,
            base: block.base.map(|at| at as u32),
            all_cols: all[1] as u32,
            ..chunk.sized(Params::of_op(self.plan, self.layout, (stage, last), None))
        };
        self.dispatch(Stage::PlaneSum, &chunk, params, &[planes.buffer(), self.lanes.results], recorder)
    }
}

/// (K, Θ) of a readout stage from the sums of its planes.
pub(super) fn value(plan: &Plan, stage: usize, words: &[u32], device: &str) -> Result<[f64; 2], GpuError> {
    let node = &plan.stages[stage];
    let Some(last) = node.ops.last() else { return Ok([0.0; 2]) };
    let (mut sums, mut planes) = ([0.0; 2], words.chunks_exact(WORDS));
    for row in &node.offsets[0] {
        for col in &node.offsets[1] {
            let d = offset(last, [*row, *col]);
            let expected = (last.at.span(0, d[0]).len() * last.at.span(1, d[1]).len()) as u64;
            let [cov, ntk, found] = match planes.next() {
                Some(&[cov, ntk, found]) => [cov, ntk, found].map(|word| f64::from(f32::from_bits(word))),
                _ => [0.0; 3],
            };
            // Counted in whole numbers and told as float32, which rounds counts above 2²⁴ up or down.
            if (found - expected as f64).abs() > expected as f64 * f64::from(f32::EPSILON) {
                return Err(GpuError::Unfinished {
                    device: device.to_owned(),
                    found: found as u64,
                    expected,
                });
            }
            sums[0] += cov;
            sums[1] += ntk;
        }
    }
    Ok(sums.map(|sum| sum * scale(plan, stage)))
}

#[cfg(test)]
mod tests {
    use ekernel_core::{KernelSet, Network};

    use super::*;

    /// A plane of 4097×4097 elements has more than float32 counts one by one.
    #[test]
    fn large_planes_are_counted() {
        let text = "[input]\nspace = 'image'\nshape = [4097, 4097, 1]\n[[layers]]\nop = 'conv'\nfilter = [1, 1]\n\
                    [[layers]]\nop = 'relu'\n[[layers]]\nop = 'flatten'\n";
        let network: Network = text.parse().expect("a network");
        let plan = Plan::new(&network, KernelSet::Both).expect("a plan");
        let sums = |count: u32| [1.0, 2.0, count as f32].map(f32::to_bits);
        assert!(value(&plan, 0, &sums(4097 * 4097), "a device").is_ok());
        assert!(value(&plan, 0, &sums(4097 * 4096), "a device").is_err());
    }
}
