use ekernel_core::{Activation, plan::Form};
use thiserror::Error;

use super::{
    kink::{Kink, MAPS},
    plain::Plain,
    scale::Scale,
};
use crate::duals::Smooth;

/// What lies outside the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// Nothing: a convolution is evaluated only where its window fits, n → n - q + 1.
    Valid,
    /// Zeros: n → n, with ⌊(q-1)/2⌋ of them before the image and ⌊q/2⌋ behind it.
    Same,
    /// The image again: n → n, aligned like `Same`.
    Circular,
}

/// One convolution and the activation behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConvLayer {
    /// Rows and columns of the window.
    pub window: [usize; 2],
    /// Rows and columns from one window to the next; 1 for `Circular`.
    pub strides: [usize; 2],
    /// Standard deviation of the weights.
    pub w_std: f64,
    /// Standard deviation of the biases; 0 for none.
    pub b_std: f64,
    /// Any activation but sign; those of a chain all have a kink (relu, leaky_relu, abs), or none of them has.
    pub activation: Activation,
}

/// Why a chain cannot be computed.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ChainError {
    /// An image without pixels or channels, or a chain without layers.
    #[error(
        "a chain needs rows, columns, channels and layers; got an image of {shape:?} and {layers} layers"
    )]
    Empty {
        /// Rows, columns and channels.
        shape: [usize; 3],
        /// Number of layers.
        layers: usize,
    },
    /// A window that is empty or does not fit.
    #[error(
        "layer {layer}: a window of {window:?} does not fit into {domain:?} pixels; make it between 1x1 and that"
    )]
    Window {
        /// Index of the layer.
        layer: usize,
        /// Its window.
        window: [usize; 2],
        /// Rows and columns it is applied to.
        domain: [usize; 2],
    },
    /// A stride that is not served.
    #[error(
        "layer {layer}: strides of {strides:?} are not served; make them at least 1, and 1 where images wrap around"
    )]
    Strides {
        /// Index of the layer.
        layer: usize,
        /// Its strides.
        strides: [usize; 2],
    },
    /// A standard deviation out of range.
    #[error(
        "layer {layer}: {name} = {value} is out of range; w_std must be in [1e-75, 1e75], b_std 0 or in that range"
    )]
    Std {
        /// Index of the layer.
        layer: usize,
        /// `w_std` or `b_std`.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// An activation that no kernel serves, or not behind the others.
    #[error(
        "layer {layer}: {name} is not served here; use relu, leaky_relu and abs in one chain, or smooth activations in \
         one, of parameters that are not 0 and in [1e-75, 1e75]"
    )]
    Activation {
        /// Index of the layer.
        layer: usize,
        /// Name of the activation.
        name: &'static str,
    },
    /// A negative pixel in a chain for images without any.
    #[error("pixel {index} is {value}, but the chain was made for images without negative pixels")]
    Negative {
        /// Index of the number.
        index: usize,
        /// The number.
        value: f64,
    },
    /// An image of the wrong size.
    #[error("an image of {expected} numbers (rows x columns x channels) is needed; got {got}")]
    Image {
        /// Numbers in an image of this chain.
        expected: usize,
        /// Numbers given.
        got: usize,
    },
}

/// One layer in folded form: v ← Σ_window v + bias, with every constant factor left to [`Chain::scale`], or to [`Plain`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layer {
    pub(crate) window: [usize; 2],
    pub(crate) strides: [usize; 2],
    /// Rows and columns of padding before the image.
    pub(crate) before: [usize; 2],
    /// Rows and columns of padding behind the image.
    pub(crate) behind: [usize; 2],
    /// Rows and columns that come out.
    pub(crate) out: [usize; 2],
    /// Folded b², if any.
    pub(crate) bias: Option<Scale>,
    pub(crate) dual: Dual,
}

/// What follows the window sums.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dual {
    /// A kinked activation, of a defect. Angles may be obtuse or not.
    Kinked { kink: Kink, obtuse: bool },
    /// A smooth one, of K itself.
    Plain(Plain),
}

/// What a chain reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// The pixels of two images.
    Pixels,
    /// A plane of kernels, and the variances of each image there.
    Plane(Form),
}

/// A chain of convolutions, each followed by an activation σ, on images of one shape.
///
/// Activations with a kink and smooth ones do not mix.
///
/// With w, b, q of a layer, math in the order of the layers:
/// K ← w²/(q₁q₂) Σ_window K + b²,  Θ ← K + w²/(q₁q₂) Σ_window Θ,  then K ← E\[σ σ\], Θ ← Θ E\[σ' σ'\].
/// The input is K⁰ = (1/C) Σ_c f_c f'_c and Θ⁰ = 0.
///
/// Everything here is *folded*: the convolution is a plain sum and a kinked σ conserves variances; the factors are gathered in
/// one number per chain. Smooth activations read K as it is: their factors stand in front of each (`plain`).
#[derive(Clone, Debug)]
pub struct Chain {
    pub(crate) entry: Entry,
    pub(crate) shape: [usize; 3],
    pub(crate) padding: Padding,
    pub(crate) layers: Vec<Layer>,
    /// True kernel = scale · folded kernel behind the last activation.
    pub(crate) scale: Scale,
    /// Per level, offset there = step · offset behind the last layer.
    steps: Vec<[usize; 2]>,
    /// No pixel is negative, so that no angle is obtuse.
    pub(crate) nonnegative: bool,
}

impl Chain {
    /// A chain on images of `shape` = rows, columns, channels.
    pub fn new(shape: [usize; 3], padding: Padding, layers: &[ConvLayer]) -> Result<Self, ChainError> {
        Self::behind(Entry::Pixels, shape, padding, layers)
    }

    /// The same behind any planes, of one channel.
    pub(crate) fn behind(
        entry: Entry,
        shape: [usize; 3],
        padding: Padding,
        layers: &[ConvLayer],
    ) -> Result<Self, ChainError> {
        if layers.is_empty() || shape.contains(&0) {
            return Err(ChainError::Empty { shape, layers: layers.len() });
        }
        let mut domain = [shape[0], shape[1]];
        let mut scale = Scale::new(1.0 / shape[2] as f64);
        let mut folded = Vec::with_capacity(layers.len());
        for (layer, conv) in layers.iter().enumerate() {
            let window = conv.window;
            if (0..2).any(|axis| window[axis] == 0 || window[axis] > domain[axis]) {
                return Err(ChainError::Window { layer, window, domain });
            }
            let strides = conv.strides;
            if strides.contains(&0) || (padding == Padding::Circular && strides != [1, 1]) {
                return Err(ChainError::Strides { layer, strides });
            }
            let usable = |value: f64| (1e-75..=1e75).contains(&value);
            if !usable(conv.w_std) {
                return Err(ChainError::Std { layer, name: "w_std", value: conv.w_std });
            }
            if conv.b_std != 0.0 && !usable(conv.b_std) {
                return Err(ChainError::Std { layer, name: "b_std", value: conv.b_std });
            }
            let (mut before, mut behind) = ([0; 2], [0; 2]);
            for axis in 0..2 {
                let [n, q, s] = [domain[axis], window[axis], strides[axis]];
                domain[axis] = if padding == Padding::Valid { (n - q) / s + 1 } else { n.div_ceil(s) };
                // What the windows reach beyond the image, as XLA divides it.
                let beyond = ((domain[axis] - 1) * s + q).saturating_sub(n);
                [before[axis], behind[axis]] = [beyond / 2, beyond - beyond / 2];
            }
            let refused = ChainError::Activation { layer, name: conv.activation.name() };
            if let Some(smooth) = Smooth::new(conv.activation) {
                let area = (window[0] * window[1]) as f64;
                let affine = [conv.w_std * conv.w_std / area, conv.b_std * conv.b_std];
                let plain = Plain::new(smooth, affine, scale).ok_or(refused)?;
                scale = plain.scale;
                folded.push(Layer {
                    window,
                    strides,
                    before,
                    behind,
                    out: domain,
                    bias: None,
                    dual: Dual::Plain(plain),
                });
                continue;
            }
            let kink = conv.activation.kink().map(Kink::new).filter(|kink| usable(kink.gain));
            let kink = kink.ok_or(refused)?;
            scale = scale.times(conv.w_std * conv.w_std / (window[0] * window[1]) as f64);
            let bias = (conv.b_std != 0.0).then(|| {
                let ratio = Scale::new(conv.b_std * conv.b_std / scale.mantissa);
                Scale { exponent: ratio.exponent - scale.exponent, ..ratio }
            });
            scale = scale.times(kink.gain);
            let dual = Dual::Kinked { kink, obtuse: true };
            folded.push(Layer { window, strides, before, behind, out: domain, bias, dual });
        }
        let plain = |layer: &Layer| matches!(layer.dual, Dual::Plain(_));
        if let Some(layer) = folded.iter().position(|layer| plain(layer) != plain(&folded[0])) {
            return Err(ChainError::Activation { layer, name: layers[layer].activation.name() });
        }
        let mut steps = vec![[1_usize; 2]];
        for layer in folded.iter().rev() {
            let [rows, columns] = steps[steps.len() - 1];
            let [down, across] = layer.strides;
            steps.push([rows.saturating_mul(down), columns.saturating_mul(across)]);
        }
        steps.reverse();
        let chain = Self { entry, shape, padding, layers: folded, scale, steps, nonnegative: false };
        Ok(chain.nonnegative(false))
    }

    /// The same chain for images without negative pixels, which is some 5 % faster. Kernels agree up to rounding.
    pub fn nonnegative(mut self, nonnegative: bool) -> Self {
        self.nonnegative = nonnegative;
        let mut obtuse = !nonnegative;
        for layer in &mut self.layers {
            if let Dual::Kinked { kink, obtuse: before } = &mut layer.dual {
                *before = obtuse;
                obtuse &= !kink.is_nonnegative();
            }
        }
        self
    }

    /// Number of layers.
    #[expect(clippy::len_without_is_empty, reason = "a chain has layers")]
    pub fn len(&self) -> usize {
        self.layers.len()
    }

    /// Rows and columns behind the last layer.
    pub fn out(&self) -> [usize; 2] {
        self.layers[self.layers.len() - 1].out
    }

    /// Offsets d of the planes that exist behind the last layer, row by row: d ∈ (-h, h) × (-w, w) for an output
    /// of h × w, and d ∈ [0, h) × [0, w) for `Circular`.
    pub fn offsets(&self) -> impl Iterator<Item = [isize; 2]> + Clone + use<> {
        let [h, w] = self.out().map(|n| n as isize);
        let [top, left] = if self.padding == Padding::Circular { [0, 0] } else { [1 - h, 1 - w] };
        (top..h).flat_map(move |row| (left..w).map(move |column| [row, column]))
    }

    /// Whether the planes carry K itself.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.layers[0].dual, Dual::Plain(_))
    }

    /// Rows, columns of the positions of a level (0 is the input, ℓ the output of layer ℓ-1).
    pub(crate) fn domain(&self, level: usize) -> [usize; 2] {
        if level == 0 { [self.shape[0], self.shape[1]] } else { self.layers[level - 1].out }
    }

    /// The offset at a level of the plane that has offset `d` behind the last layer.
    pub(crate) fn offset(&self, level: usize, d: [isize; 2]) -> [isize; 2] {
        std::array::from_fn(|axis| d[axis] * self.steps[level][axis] as isize)
    }

    /// Columns that a stored map has: twice the image's for `Circular`, so that a wrapped row is contiguous.
    pub(crate) fn stored_columns(&self, level: usize) -> usize {
        self.domain(level)[1] * if self.padding == Padding::Circular { 2 } else { 1 }
    }

    /// Numbers stored per position of a level.
    pub(crate) fn depth(&self, level: usize) -> usize {
        match level.checked_sub(1).map(|layer| self.layers[layer].dual) {
            None => match self.entry {
                Entry::Pixels => self.shape[2],
                Entry::Plane(_) if !self.is_plain() => MAPS,
                // s, to find K = ss' - u.
                Entry::Plane(Form::Defect) => 1,
                Entry::Plane(Form::Cov) => 0,
            },
            Some(Dual::Kinked { .. }) => MAPS,
            Some(Dual::Plain(plain)) => plain.smooth.count(),
        }
    }

    /// Where a level begins in the values of [`super::ImageMaps`].
    pub(crate) fn start(&self, level: usize) -> usize {
        (0..level).map(|l| self.domain(l)[0] * self.stored_columns(l) * self.depth(l)).sum()
    }

    /// Numbers in the maps of one image: rows · columns · (C + 3 per layer), doubled for `Circular`; 1 or 2 per layer of a
    /// smooth activation.
    pub fn map_len(&self) -> usize {
        self.start(self.layers.len() + 1)
    }

    /// Work of one pair in *element-layers*: positions of all planes behind all layers. `input` counts the
    /// positions of the input planes.
    pub fn work(&self) -> Work {
        let elements = (1..=self.layers.len()).map(|level| self.visits(level, self.offsets())).sum();
        Work { elements, input: self.visits(0, self.offsets()) }
    }

    /// Positions at one level of the planes of `offsets`.
    pub(crate) fn visits(&self, level: usize, offsets: impl Iterator<Item = [isize; 2]>) -> u64 {
        let cut = |d: isize| if self.padding == Padding::Circular { 0 } else { d.unsigned_abs() };
        let [rows, columns] = self.domain(level);
        let offsets = offsets.map(|d| self.offset(level, d));
        offsets.map(|d| ((rows - cut(d[0])) * (columns - cut(d[1]))) as u64).sum()
    }
}

/// Positions that one pair makes the kernels visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Behind all layers together.
    pub elements: u64,
    /// In the input planes.
    pub input: u64,
}
