//! Recognises a stage that is one run of stride-1 convolutions and activations of one family.

use ekernel_core::double::{exponent, scaled};
use ekernel_core::{
    Activation, KernelSet, Padding, Window,
    plan::{Affine, Plan, PlaneOp, Pointwise, Sink, Stage},
};
use ekernel_shaders::{Dual, Fused};

use crate::layered::dual::family;

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

/// One convolution and the activation behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Layer {
    pub(super) window: [usize; 2],
    /// Positions of a window before the one it belongs to.
    pub(super) before: [usize; 2],
    /// Rows and columns that come out.
    pub(super) extent: [usize; 2],
    pub(super) action: Action,
}

/// What a layer does with window sums.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Action {
    /// Slopes (a, b) on either side of a kink, folded: K ← Σ_window K + bias, and the activation returns its value over
    /// ½(a²+b²).
    Kinked {
        bias: Option<Scale>,
        /// (a−b)²/(a²+b²): 1 for a ReLU.
        jump: f64,
    },
    /// K ← weight·ΣK + bias, Θ ← weight·ΣΘ + α·ΣK + β, and a smooth dual with these numbers.
    Smooth {
        /// weight, bias, α, β.
        weights: [f64; 4],
        dual: [f64; 4],
        /// The stage's ops in front of and behind the activation.
        ops: [usize; 2],
    },
}

/// A readout stage as a chain.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chain {
    /// Rows, columns and channels of the input.
    pub(super) shape: [usize; 3],
    pub(super) padding: Padding,
    /// The family of its activations.
    pub(super) dual: Dual,
    /// The plan's stage.
    pub(super) stage: usize,
    pub(super) layers: Vec<Layer>,
    /// From the folded sum over all planes to the readout.
    pub(super) scale: Scale,
    /// The offsets that are summed over, per axis.
    pub(super) offsets: [Vec<isize>; 2],
    pub(super) has_ntk: bool,
}

impl Chain {
    /// The stage as a chain, or why it is none: correlate, then (box_mean, affine, dual) in a row, all of one padding, one family of
    /// activations and stride 1, read out by a mean or a diagonal.
    pub(super) fn new(plan: &Plan, stage: usize) -> Result<Chain, String> {
        let ekernel_core::Input::Image { height, width, channels } = plan.input else {
            return Err("the input is no image".to_owned());
        };
        let Some(Stage { ops, sink, offsets, .. }) = plan.stages.get(stage) else {
            return Err("there is no such stage".to_owned());
        };
        let mut ops = ops.iter().enumerate().peekable();
        match ops.next() {
            Some((_, op)) if op.op == PlaneOp::Correlate && op.at.step == [1, 1] => {}
            _ => return Err("it does not begin with the input at stride 1".to_owned()),
        }
        let mut made = Chain {
            shape: [height, width, channels],
            padding: Padding::Valid,
            dual: Dual::Kinked,
            stage,
            layers: Vec::new(),
            scale: Scale::new(1.0),
            offsets: offsets.clone(),
            has_ntk: plan.kinds == KernelSet::Both,
        };
        let mut padding = None;
        while ops.peek().is_some() {
            let mut next = || {
                let (i, op) = ops.next()?;
                (op.inputs == [i - 1] && op.at.step == [1, 1]).then_some((i, op))
            };
            let other = || "it is more than a run of convolutions and activations of stride 1".to_owned();
            let (mut at, mut op) = next().ok_or_else(other)?;
            let mut window = Window { size: [1, 1], strides: [1, 1], padding: Padding::Valid };
            if let PlaneOp::BoxMean(own) = op.op {
                window = own;
                (at, op) = next().ok_or_else(other)?;
                if padding.is_some_and(|padding| padding != window.padding) {
                    return Err("its convolutions differ in padding".to_owned());
                }
                padding = Some(window.padding);
            }
            let PlaneOp::Pointwise(Pointwise::Affine(affine)) = op.op else { return Err(other()) };
            let Some((behind, PlaneOp::Pointwise(Pointwise::Dual(activation)))) =
                next().map(|(i, op)| (i, op.op))
            else {
                return Err(other());
            };
            made.push(&window, &affine, activation, [at, behind])?;
        }
        made.padding = padding.unwrap_or(Padding::Valid);
        if made.layers.is_empty() {
            return Err("it has no convolution".to_owned());
        }
        let positions = (made.output()[0] * made.output()[1]) as f64;
        let readout = match *sink {
            Sink::Mean { scale } => scale / (positions * positions),
            Sink::Diagonal => positions.recip(),
            Sink::LocalPool { .. } | Sink::Rewrap => return Err("it ends in a local pool".to_owned()),
        };
        made.scale = made.scale.times(readout);
        Ok(made)
    }

    /// Appends a layer; `ops` are the stage's ops in front of and behind the activation.
    fn push(
        &mut self,
        window: &Window,
        affine: &Affine,
        activation: Activation,
        ops: [usize; 2],
    ) -> Result<(), String> {
        let (dual, numbers) = family(activation);
        let first = self.layers.is_empty();
        if dual == Dual::Sign {
            return Err("sign has no slope".to_owned());
        }
        if !first && dual != self.dual {
            return Err("its activations are of different families".to_owned());
        }
        self.dual = dual;
        if window.strides != [1, 1] {
            return Err("it has strides".to_owned());
        }
        let extent = self.extent(self.layers.len());
        let size = window.size;
        if (0..2).any(|axis| size[axis] > extent[axis] || size[axis] > Fused::REACH) {
            return Err(format!("a window of {}×{} is larger than it can slide", size[0], size[1]));
        }
        let area = window.area() as f64;
        let action = if let Some(slopes) = activation.kink() {
            if first {
                self.scale = self.scale.times(1.0 / self.shape[2] as f64);
            }
            self.fold(affine, slopes, area)?
        } else {
            let Affine { w2, b2, ntk_scale, ntk_shift } = *affine;
            Action::Smooth { weights: [w2 / area, b2, ntk_scale / area, ntk_shift], dual: numbers, ops }
        };
        let before = if window.padding == Padding::Valid { [0; 2] } else { size.map(|q| (q - 1) / 2) };
        self.layers.push(Layer { window: size, before, extent: window.output(extent), action });
        Ok(())
    }

    /// A kinked layer, folded into the scale.
    fn fold(&mut self, affine: &Affine, [a, b]: [f64; 2], area: f64) -> Result<Action, String> {
        let Affine { w2, b2, ntk_scale, ntk_shift } = *affine;
        if (ntk_scale, ntk_shift) != (w2, b2) {
            return Err("it is not in the NTK parameterisation".to_owned());
        }
        let usable = |x: f64| (1e-150..=1e150).contains(&x);
        let slope = 0.5 * (a * a + b * b);
        if !usable(w2) || !usable(slope) || (b2 != 0.0 && !usable(b2)) {
            return Err("its weights leave the range of float32".to_owned());
        }
        self.scale = self.scale.times(w2 / area);
        let bias = (b2 != 0.0).then(|| {
            let ratio = Scale::new(b2 / self.scale.mantissa);
            Scale { exponent: ratio.exponent - self.scale.exponent, ..ratio }
        });
        self.scale = self.scale.times(slope);
        Ok(Action::Kinked { bias, jump: 0.5 * (a - b) * (a - b) / slope })
    }

    /// Rows and columns of a level: 0 is the input, ℓ the output of layer ℓ − 1.
    pub(super) fn extent(&self, level: usize) -> [usize; 2] {
        level.checked_sub(1).map_or([self.shape[0], self.shape[1]], |layer| self.layers[layer].extent)
    }

    /// Rows and columns behind the last layer.
    pub(super) fn output(&self) -> [usize; 2] {
        self.extent(self.layers.len())
    }

    /// The window of every layer, if it is one whose code is written out.
    pub(super) fn unrolled_window(&self) -> Option<[usize; 2]> {
        let window = self.layers.first()?.window;
        let same = self.layers.iter().all(|layer| layer.window == window);
        (same && Fused::unrolls(window)).then_some(window)
    }

    pub(super) fn is_kinked(&self) -> bool {
        self.dual == Dual::Kinked
    }

    /// Words of a cell in workgroup memory.
    pub(super) fn cell_words(&self) -> usize {
        1 + usize::from(self.has_ntk) + usize::from(self.is_kinked())
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
