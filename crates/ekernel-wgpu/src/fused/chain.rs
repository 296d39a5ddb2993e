//! Recognises a stage that is one run of stride-1 convolutions and kinked activations.

use ekernel_core::{
    Activation, Padding, Window,
    plan::{Affine, Op, Plan, Sink, Stage},
};
use ekernel_shaders::Fused;

use super::double::{exponent, scaled};

/// mantissa·2^exponent, the mantissa in [1, 2): products over deep chains leave the range of f64.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    pub(super) mantissa: f64,
    pub(super) exponent: i32,
}

impl Scale {
    fn new(x: f64) -> Scale {
        let e = exponent(x);
        Scale { mantissa: scaled(x, -e), exponent: e }
    }

    fn times(self, x: f64) -> Scale {
        let product = Scale::new(self.mantissa * x);
        Scale { exponent: product.exponent + self.exponent, ..product }
    }
}

/// One convolution and the activation of slopes (a, b) behind it, folded: K ← Σ_window K + bias, and the activation returns its
/// value over ½(a²+b²).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Layer {
    pub(super) window: [usize; 2],
    /// Positions of a window before the one it belongs to.
    pub(super) before: [usize; 2],
    /// Rows and columns that come out.
    pub(super) extent: [usize; 2],
    pub(super) bias: Option<Scale>,
    /// (a−b)²/(a²+b²): 1 for a ReLU.
    pub(super) jump: f64,
}

/// A readout stage as a chain.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chain {
    /// Rows, columns and channels of the input.
    pub(super) shape: [usize; 3],
    pub(super) padding: Padding,
    pub(super) layers: Vec<Layer>,
    /// From the folded sum over all planes to the readout.
    pub(super) scale: Scale,
    /// The offsets that are summed over, per axis.
    pub(super) offsets: [Vec<isize>; 2],
    pub(super) has_ntk: bool,
}

impl Chain {
    /// The stage as a chain, or why it is none: correlate, then (box_mean, affine, kinked dual) in a row, all of one padding and
    /// stride 1, in the NTK parameterisation, read out by a mean or a diagonal.
    pub(super) fn new(plan: &Plan, stage: &Stage) -> Result<Chain, String> {
        let ekernel_core::Input::Image { height, width, channels } = plan.input else {
            return Err("the input is no image".to_owned());
        };
        let mut ops = stage.ops.iter().enumerate().peekable();
        match ops.next() {
            Some((_, op)) if op.op == Op::Correlate && op.step == [1, 1] => {}
            _ => return Err("it does not begin with the input at stride 1".to_owned()),
        }
        let mut extent = [height, width];
        let mut scale = Scale::new(1.0 / channels as f64);
        let (mut padding, mut layers) = (None, Vec::new());
        while ops.peek().is_some() {
            let mut next = || {
                let (i, op) = ops.next()?;
                (op.inputs == [i - 1] && op.step == [1, 1]).then_some(op)
            };
            let other = || "it is more than a run of convolutions and kinked activations".to_owned();
            let mut op = next().ok_or_else(other)?;
            let mut window = Window { size: [1, 1], strides: [1, 1], padding: Padding::Valid };
            if let Op::BoxMean(own) = op.op {
                window = own;
                op = next().ok_or_else(other)?;
                if padding.is_some_and(|padding| padding != window.padding) {
                    return Err("its convolutions differ in padding".to_owned());
                }
                padding = Some(window.padding);
            }
            let Op::Affine(affine) = op.op else { return Err(other()) };
            let Some(Op::Dual(activation)) = next().map(|op| op.op) else { return Err(other()) };
            let Some(slopes) = kink(activation) else {
                return Err(format!("{} has no kink", activation.name()));
            };
            let (layer, after) = fold(&window, &affine, slopes, (extent, scale))?;
            extent = layer.extent;
            scale = after;
            layers.push(layer);
        }
        if layers.is_empty() {
            return Err("it has no convolution".to_owned());
        }
        let positions = (extent[0] * extent[1]) as f64;
        let readout = match stage.sink {
            Sink::Mean { scale } => scale / (positions * positions),
            Sink::Diagonal => positions.recip(),
            Sink::LocalPool { .. } | Sink::Rewrap => return Err("it ends in a local pool".to_owned()),
        };
        Ok(Chain {
            shape: [height, width, channels],
            padding: padding.unwrap_or(Padding::Valid),
            layers,
            scale: scale.times(readout),
            offsets: stage.offsets.clone(),
            has_ntk: plan.kinds == ekernel_core::Kinds::Both,
        })
    }

    /// Rows and columns of a level: 0 is the input, ℓ the output of layer ℓ − 1.
    pub(super) fn extent(&self, level: usize) -> [usize; 2] {
        level.checked_sub(1).map_or([self.shape[0], self.shape[1]], |layer| self.layers[layer].extent)
    }

    /// Rows and columns behind the last layer.
    pub(super) fn output(&self) -> [usize; 2] {
        self.extent(self.layers.len())
    }

    /// Whether every window is 3×3.
    pub(super) fn all_3x3(&self) -> bool {
        self.layers.iter().all(|layer| layer.window == [3, 3])
    }

    /// Elements that are summed over per pair.
    pub(super) fn elements(&self) -> u64 {
        let along = |axis: usize| -> u64 {
            let n = self.output()[axis];
            let overlap =
                |d: &isize| if self.padding == Padding::Circular { n } else { n - d.unsigned_abs() };
            self.offsets[axis].iter().map(|d| overlap(d) as u64).sum()
        };
        along(0) * along(1)
    }
}

/// The slopes of a kinked activation that lets something through.
fn kink(activation: Activation) -> Option<[f64; 2]> {
    activation.kink().filter(|[a, b]| a * a + b * b > 0.0)
}

/// A layer, and the scale behind it.
fn fold(
    window: &Window,
    affine: &Affine,
    [a, b]: [f64; 2],
    (extent, scale): ([usize; 2], Scale),
) -> Result<(Layer, Scale), String> {
    let Affine { w2, b2, ntk_scale, ntk_shift } = *affine;
    if (ntk_scale, ntk_shift) != (w2, b2) {
        return Err("it is not in the NTK parameterisation".to_owned());
    }
    if window.strides != [1, 1] {
        return Err("it has strides".to_owned());
    }
    let size = window.size;
    if (0..2).any(|axis| size[axis] > extent[axis] || size[axis] > Fused::REACH) {
        return Err(format!("a window of {}×{} is larger than it can slide", size[0], size[1]));
    }
    let usable = |x: f64| (1e-150..=1e150).contains(&x);
    let slope = 0.5 * (a * a + b * b);
    if !usable(w2) || !usable(slope) || (b2 != 0.0 && !usable(b2)) {
        return Err("its weights leave the range of float32".to_owned());
    }
    let scale = scale.times(w2 / window.area() as f64);
    let bias = (b2 != 0.0).then(|| {
        let ratio = Scale::new(b2 / scale.mantissa);
        Scale { exponent: ratio.exponent - scale.exponent, ..ratio }
    });
    let before = if window.padding == Padding::Valid { [0; 2] } else { size.map(|q| (q - 1) / 2) };
    let jump = 0.5 * (a - b) * (a - b) / slope;
    let layer = Layer { window: size, before, extent: window.output(extent), bias, jump };
    Ok((layer, scale.times(slope)))
}
