//! Recognises a stage that is one run of stride-1 convolutions and ReLUs, which the fused kernel computes.

use ekernel_core::{
    Activation, Input, Window,
    plan::{Affine, Plan, PlaneOp, Pointwise, Sink, Stage},
};

use crate::{
    Precision,
    relu_chain::{ConvRelu, Padding, ReluChain},
};

/// Channels, and positions under a window, up to which float32 keeps a chain's sums exact enough: their grid is the coarser the
/// longer they are. Measured on noise and on opposite constant images: 7e-7 at 128, 3e-6 at 256, 6e-6 at 512, 4e-5 at 4096, 6e-4 at
/// 70000.
const MOST_TERMS: usize = 128;

/// A readout stage as a chain, and the offsets it sums over.
#[derive(Clone, Debug)]
pub(crate) struct FusedStage {
    pub(crate) chain: ReluChain,
    pub(crate) offsets: Vec<[isize; 2]>,
    /// From the sum over planes to the readout.
    pub(crate) scale: f64,
}

impl FusedStage {
    /// The stage as a chain, if it is one: correlate, then (box_mean, affine, relu) in a row, all of one padding, in the
    /// NTK parameterisation, read out by a mean or a diagonal. `nonnegative` promises that no pixel is negative.
    ///
    /// Not in float32 if a sum is longer than [`MOST_TERMS`].
    pub(crate) fn new(
        plan: &Plan,
        stage: &Stage,
        nonnegative: bool,
        precision: Precision,
    ) -> Option<FusedStage> {
        let (first, rest) = stage.ops.split_first()?;
        if first.op != PlaneOp::Correlate || rest.is_empty() || !rest.len().is_multiple_of(3) {
            return None;
        }
        let in_a_row = rest.iter().enumerate().all(|(i, op)| op.inputs == [i] && op.at.step == [1, 1]);
        if !in_a_row || first.at.step != [1, 1] {
            return None;
        }
        let layers: Vec<(Window, ConvRelu)> = rest.chunks_exact(3).map(conv_relu).collect::<Option<_>>()?;
        let padding = layers[0].0.padding;
        if layers.iter().any(|(window, _)| window.padding != padding) {
            return None;
        }
        let Input::Image { height, width, channels } = plan.input else { return None };
        let longest = layers.iter().map(|(window, _)| window.area()).fold(channels, usize::max);
        if precision == Precision::F32 && longest > MOST_TERMS {
            return None;
        }
        let padding = match padding {
            ekernel_core::Padding::Valid => Padding::Valid,
            ekernel_core::Padding::Same => Padding::Same,
            ekernel_core::Padding::Circular => Padding::Circular,
        };
        let convs: Vec<ConvRelu> = layers.into_iter().map(|(_, conv)| conv).collect();
        // Whatever the chain refuses (a window larger than the image, say) is left to the general ops.
        let chain = ReluChain::new([height, width, channels], padding, &convs).ok()?.nonnegative(nonnegative);
        let positions = stage.last().at.positions() as f64;
        let scale = match stage.sink {
            Sink::Mean { scale } => scale / (positions * positions),
            Sink::Diagonal => positions.recip(),
            Sink::LocalPool { .. } | Sink::Rewrap => return None,
        };
        let offsets = stage.offsets[0]
            .iter()
            .flat_map(|&row| stage.offsets[1].iter().map(move |&col| [row, col]))
            .collect();
        Some(FusedStage { chain, offsets, scale })
    }
}

fn conv_relu(ops: &[ekernel_core::plan::PlaneNode]) -> Option<(Window, ConvRelu)> {
    let [
        PlaneOp::BoxMean(window),
        PlaneOp::Pointwise(Pointwise::Affine(affine)),
        PlaneOp::Pointwise(Pointwise::Dual(Activation::Relu)),
    ] = [ops[0].op, ops[1].op, ops[2].op]
    else {
        return None;
    };
    let Affine { w2, b2, ntk_scale, ntk_shift } = affine;
    if window.strides != [1, 1] || (ntk_scale, ntk_shift) != (w2, b2) {
        return None;
    }
    Some((window, ConvRelu { window: window.size, w_std: w2.sqrt(), b_std: b2.sqrt() }))
}
