//! Recognises stages that are one run of stride-1 convolutions and activations, which the fused kernel computes.

use std::fmt;

use ekernel_core::{
    Input, Window,
    plan::{Affine, Form, Plan, PlaneNode, PlaneOp, Pointwise, Sink, Stage},
};

use crate::{
    CpuOptions, Precision,
    chain::{Chain, ChainError, ConvLayer, Padding},
};

/// Channels, and positions under a window, up to which float32 keeps a chain's sums exact enough: their grid is the coarser the
/// longer they are. Measured on noise and on opposite constant images: 7e-7 at 128, 3e-6 at 256, 6e-6 at 512, 4e-5 at 4096, 6e-4 at
/// 70000.
const MOST_TERMS: usize = 128;

/// The same for smooth activations, whose sums are rounded step by step; op by op longer ones are compensated.
const MOST_PLAIN_TERMS: usize = 32;

/// A stage as a chain.
#[derive(Clone, Debug)]
pub(crate) struct FusedStage {
    pub(crate) chain: Chain,
    /// The offsets that a readout sums over.
    pub(crate) offsets: Vec<[isize; 2]>,
    /// From the sum over planes to the readout; nothing for a stage whose planes are pooled.
    pub(crate) scale: f64,
}

/// Why a stage is computed op by op.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Unfused {
    Asked,
    Source,
    Op(usize),
    Stride(usize),
    Parameterization(usize),
    Paddings,
    Rewrap,
    Long(usize),
    Defect,
    Chain(ChainError),
}

impl fmt::Display for Unfused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unfused::Asked => write!(f, "that was asked for"),
            Unfused::Source => write!(f, "it reads pooled values"),
            Unfused::Op(op) => write!(f, "%{op} breaks the row of convolutions, each with an activation"),
            Unfused::Stride(op) => write!(f, "%{op} has a stride"),
            Unfused::Parameterization(op) => write!(f, "%{op} is in the standard parameterisation"),
            Unfused::Paddings => write!(f, "its convolutions differ in padding"),
            Unfused::Rewrap => write!(f, "wrapping starts behind it"),
            Unfused::Long(terms) => write!(f, "float32 sums of {terms} terms are compensated"),
            Unfused::Defect => write!(f, "a smooth activation hands over a defect"),
            Unfused::Chain(error) => write!(f, "{error}"),
        }
    }
}

/// How each stage of planes is computed, one line each.
pub fn strategies(plan: &Plan, options: &CpuOptions) -> Vec<String> {
    let line = |(at, stage): (usize, &Stage)| match FusedStage::new(plan, stage, true, options) {
        Ok(fused) => format!("stage {at} fused: {} layers in one pass", fused.chain.len()),
        Err(reason) => format!("stage {at} op by op: {reason}"),
    };
    plan.stages.iter().enumerate().map(line).collect()
}

impl FusedStage {
    /// The stage as a chain, if it is one: correlate, then (box_mean, affine, dual) in a row, all of one padding, in the
    /// NTK parameterisation. `nonnegative` promises that no pixel is negative.
    ///
    /// Not in float32 if a sum is longer than [`MOST_TERMS`], or [`MOST_PLAIN_TERMS`].
    pub(crate) fn new(
        plan: &Plan,
        stage: &Stage,
        nonnegative: bool,
        options: &CpuOptions,
    ) -> Result<FusedStage, Unfused> {
        if !options.fused {
            return Err(Unfused::Asked);
        }
        let Some((first, rest)) = stage.ops.split_first().filter(|(first, _)| first.op == PlaneOp::Correlate)
        else {
            return Err(Unfused::Source);
        };
        let Some(last) = rest.last() else { return Err(Unfused::Op(0)) };
        if let Some(at) = stage.ops.iter().position(|op| op.at.step != [1, 1]) {
            return Err(Unfused::Stride(at));
        }
        if let Some(at) = (0..rest.len()).find(|&i| rest[i].inputs != [i]) {
            return Err(Unfused::Op(at + 1));
        }
        let layer = |(at, ops): (usize, &[PlaneNode])| conv_layer(3 * at + 1, ops);
        let layers: Vec<(Window, ConvLayer)> =
            rest.chunks(3).enumerate().map(layer).collect::<Result<_, _>>()?;
        let padding = layers[0].0.padding;
        if layers.iter().any(|(window, _)| window.padding != padding) {
            return Err(Unfused::Paddings);
        }
        let Input::Image { height, width, channels } = plan.input else { return Err(Unfused::Source) };
        let longest = layers.iter().map(|(window, _)| window.area()).fold(channels, usize::max);
        let plain = layers.iter().any(|(_, conv)| conv.activation.kink().is_none());
        let most = if plain { MOST_PLAIN_TERMS } else { MOST_TERMS };
        if options.precision == Precision::F32 && longest > most {
            return Err(Unfused::Long(longest));
        }
        if plain && last.at.form == Form::Defect {
            return Err(Unfused::Defect);
        }
        let padding = match padding {
            ekernel_core::Padding::Valid => Padding::Valid,
            ekernel_core::Padding::Same => Padding::Same,
            ekernel_core::Padding::Circular => Padding::Circular,
        };
        let convs: Vec<ConvLayer> = layers.into_iter().map(|(_, conv)| conv).collect();
        let chain = Chain::new([height, width, channels], padding, &convs)
            .map_err(Unfused::Chain)?
            .nonnegative(nonnegative);
        debug_assert_eq!(first.at.extent, [height, width]);
        let positions = last.at.positions() as f64;
        let scale = match stage.sink {
            Sink::Mean { scale } => scale / (positions * positions),
            Sink::Diagonal => positions.recip(),
            Sink::LocalPool { .. } => 0.0,
            Sink::Rewrap => return Err(Unfused::Rewrap),
        };
        let offsets = stage.offsets[0]
            .iter()
            .flat_map(|&row| stage.offsets[1].iter().map(move |&col| [row, col]))
            .collect();
        Ok(FusedStage { chain, offsets, scale })
    }
}

/// box_mean, affine and dual from op `at` on as one layer.
fn conv_layer(at: usize, ops: &[PlaneNode]) -> Result<(Window, ConvLayer), Unfused> {
    let [PlaneOp::BoxMean(window), rest @ ..] = &ops.iter().map(|op| op.op).collect::<Vec<_>>()[..] else {
        return Err(Unfused::Op(at));
    };
    let [PlaneOp::Pointwise(Pointwise::Affine(affine)), PlaneOp::Pointwise(Pointwise::Dual(activation))] =
        *rest
    else {
        return Err(Unfused::Op(at + 1));
    };
    let Affine { w2, b2, ntk_scale, ntk_shift } = affine;
    if window.strides != [1, 1] {
        return Err(Unfused::Stride(at));
    }
    if (ntk_scale, ntk_shift) != (w2, b2) {
        return Err(Unfused::Parameterization(at + 1));
    }
    Ok((*window, ConvLayer { window: window.size, w_std: w2.sqrt(), b_std: b2.sqrt(), activation }))
}
