use ekernel_core::double::{exponent, scaled};
use thiserror::Error;

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

/// One convolution and the ReLU behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConvRelu {
    /// Rows and columns of the window.
    pub window: [usize; 2],
    /// Standard deviation of the weights.
    pub w_std: f64,
    /// Standard deviation of the biases; 0 for none.
    pub b_std: f64,
}

/// Why a chain cannot be computed.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ReluChainError {
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

/// mantissa · 2^exponent: products over deep chains leave the range of f64.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    pub(crate) mantissa: f64,
    pub(crate) exponent: i32,
}

impl Scale {
    pub(crate) fn new(x: f64) -> Self {
        let e = exponent(x);
        Self { mantissa: scaled(x, -e), exponent: e }
    }

    fn times(self, x: f64) -> Self {
        let product = Self::new(self.mantissa * x);
        Self { exponent: product.exponent + self.exponent, ..product }
    }
}

/// One layer in folded form: v ← Σ_window v + bias, with every constant factor left to [`ReluChain::scale`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layer {
    pub(crate) window: [usize; 2],
    /// Rows and columns of padding before the image.
    pub(crate) before: [usize; 2],
    /// Rows and columns of padding behind the image.
    pub(crate) behind: [usize; 2],
    /// Rows and columns that come out.
    pub(crate) out: [usize; 2],
    /// Folded b², if any.
    pub(crate) bias: Option<Scale>,
}

/// A chain of convolutions (stride 1), each followed by a ReLU, on images of one shape.
///
/// With w, b, q of a layer, math in the order of the layers:
/// K ← w²/(q₁q₂) Σ_window K + b²,  Θ ← K + w²/(q₁q₂) Σ_window Θ,  then K ← E[relu relu'], Θ ← Θ E[relu' relu'']
/// (arc-cosine kernels of order 1 and 0). The input is K⁰ = (1/C) Σ_c f_c f'_c and Θ⁰ = 0.
///
/// Everything here is *folded*: the convolution is a plain sum and the ReLU returns twice its value; the factors
/// are gathered in one number per chain.
#[derive(Clone, Debug)]
pub struct ReluChain {
    pub(crate) shape: [usize; 3],
    pub(crate) padding: Padding,
    pub(crate) layers: Vec<Layer>,
    /// True kernel = scale · folded kernel behind the last ReLU.
    pub(crate) scale: Scale,
    /// No pixel is negative, so that no angle is obtuse.
    pub(crate) nonnegative: bool,
}

impl ReluChain {
    /// A chain on images of `shape` = rows, columns, channels.
    pub fn new(shape: [usize; 3], padding: Padding, layers: &[ConvRelu]) -> Result<Self, ReluChainError> {
        if layers.is_empty() || shape.contains(&0) {
            return Err(ReluChainError::Empty { shape, layers: layers.len() });
        }
        let mut domain = [shape[0], shape[1]];
        let mut scale = Scale::new(1.0 / shape[2] as f64);
        let mut folded = Vec::with_capacity(layers.len());
        for (layer, conv) in layers.iter().enumerate() {
            let window = conv.window;
            if (0..2).any(|axis| window[axis] == 0 || window[axis] > domain[axis]) {
                return Err(ReluChainError::Window { layer, window, domain });
            }
            let usable = |value: f64| (1e-75..=1e75).contains(&value);
            if !usable(conv.w_std) {
                return Err(ReluChainError::Std { layer, name: "w_std", value: conv.w_std });
            }
            if conv.b_std != 0.0 && !usable(conv.b_std) {
                return Err(ReluChainError::Std { layer, name: "b_std", value: conv.b_std });
            }
            let (before, behind) = match padding {
                Padding::Valid => ([0; 2], [0; 2]),
                Padding::Same | Padding::Circular => (window.map(|q| (q - 1) / 2), window.map(|q| q / 2)),
            };
            for axis in 0..2 {
                domain[axis] = domain[axis] + before[axis] + behind[axis] - (window[axis] - 1);
            }
            scale = scale.times(conv.w_std * conv.w_std / (window[0] * window[1]) as f64);
            let bias = (conv.b_std != 0.0).then(|| {
                let ratio = Scale::new(conv.b_std * conv.b_std / scale.mantissa);
                Scale { exponent: ratio.exponent - scale.exponent, ..ratio }
            });
            scale = scale.times(0.5);
            folded.push(Layer { window, before, behind, out: domain, bias });
        }
        Ok(Self { shape, padding, layers: folded, scale, nonnegative: false })
    }

    /// The same chain for images without negative pixels, which is some 5 % faster. Kernels agree up to rounding.
    pub fn nonnegative(self, nonnegative: bool) -> Self {
        Self { nonnegative, ..self }
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

    /// Rows, columns of the positions of a level (0 is the input, ℓ the output of layer ℓ-1).
    pub(crate) fn domain(&self, level: usize) -> [usize; 2] {
        if level == 0 { [self.shape[0], self.shape[1]] } else { self.layers[level - 1].out }
    }

    /// Columns that a stored map has: twice the image's for `Circular`, so that a wrapped row is contiguous.
    pub(crate) fn stored_columns(&self, level: usize) -> usize {
        self.domain(level)[1] * if self.padding == Padding::Circular { 2 } else { 1 }
    }

    /// Numbers stored per position of a level.
    pub(crate) fn depth(&self, level: usize) -> usize {
        if level == 0 { self.shape[2] } else { super::maps::MAPS }
    }

    /// Where a level begins in the values of [`super::ImageMaps`].
    pub(crate) fn start(&self, level: usize) -> usize {
        (0..level).map(|l| self.domain(l)[0] * self.stored_columns(l) * self.depth(l)).sum()
    }

    /// Numbers in the maps of one image: rows · columns · (C + 3 per layer), doubled for `Circular`.
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
