//! The WGSL of ekernel: stages of exact infinite-width kernels.
//!
//! Plain `.wgsl` files joined by concatenation, which works because declarations in WGSL may stand in any order. Every
//! stage's entry point is `main`, and its label is the name of its file: [`Stage::BoxMean`] is `layered/box_mean.wgsl` and
//! runs as `ekernel.box_mean`.

mod rotations;

pub use rotations::{PointSink, PointStep, Rotation, RotationPoint};

/// One dispatch of the layered strategy: an op of a plan on the planes of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// K⁰ of two images.
    Correlate,
    /// Mean over a window of both slots.
    BoxMean,
    /// Weights and biases.
    Affine,
    /// The dual of an activation.
    Dual(Dual),
    /// Division by standard deviations.
    Normalize,
    /// Dropout.
    Dropout,
    /// One branch of a sum.
    Sum,
    /// The readout of the planes of an earlier stage.
    Pooled,
    /// Local pooling, or the regrouping of offsets.
    LocalPool,
    /// The sum over each plane.
    PlaneSum,
}

/// One dispatch of the fused strategy: a chain of stride-1 convolutions, each followed by an activation of one family, on planes
/// in workgroup memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fused {
    /// The family of all its activations; not [`Dual::Sign`], whose value has no derivative to chain.
    pub dual: Dual,
    /// Whether every window is 3×3, which is faster; else up to [`Fused::REACH`] rows and columns.
    pub windows_3x3: bool,
}

/// A family of activations with one closed form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dual {
    /// Slopes (a, b): relu, leaky_relu, abs. p = (a, b).
    Kinked,
    /// sign(x).
    Sign,
    /// a·erf(bx) + c. p = (a, b, c).
    Erf,
    /// x·Φ(x).
    Gelu,
    /// a·sin(bx + c), and cos with c moved by π/2. p = (a, b, sin c, cos c).
    Sin,
    /// The Gaussian kernel. p = (γ).
    Rbf,
    /// a·exp(bx). p = (a, b).
    Exp,
    /// a·exp(bx²). p = (a, b).
    Gaussian,
}

impl Dual {
    /// Every family.
    pub const ALL: [Dual; 8] =
        [Dual::Kinked, Dual::Sign, Dual::Erf, Dual::Gelu, Dual::Sin, Dual::Rbf, Dual::Exp, Dual::Gaussian];

    /// The name of its file.
    pub fn name(self) -> &'static str {
        match self {
            Dual::Kinked => "kinked",
            Dual::Sign => "sign",
            Dual::Erf => "erf",
            Dual::Gelu => "gelu",
            Dual::Sin => "sin",
            Dual::Rbf => "rbf",
            Dual::Exp => "exp",
            Dual::Gaussian => "gaussian",
        }
    }

    /// The function `dual` and all that it calls.
    pub fn source(self) -> String {
        [Dual::shared(), self.own().to_owned()].concat()
    }

    /// The functions that those of all families call.
    fn shared() -> String {
        [include_str!("dual.wgsl"), include_str!("arc_cosine.wgsl"), include_str!("math.wgsl")].concat()
    }

    fn own(self) -> &'static str {
        match self {
            Dual::Kinked => include_str!("dual/kinked.wgsl"),
            Dual::Sign => include_str!("dual/sign.wgsl"),
            Dual::Erf => include_str!("dual/erf.wgsl"),
            Dual::Gelu => include_str!("dual/gelu.wgsl"),
            Dual::Sin => include_str!("dual/sin.wgsl"),
            Dual::Rbf => include_str!("dual/rbf.wgsl"),
            Dual::Exp => include_str!("dual/exp.wgsl"),
            Dual::Gaussian => include_str!("dual/gaussian.wgsl"),
        }
    }
}

impl Stage {
    /// Every stage of the layered strategy.
    pub fn all() -> Vec<Stage> {
        let mut all = vec![
            Stage::Correlate,
            Stage::BoxMean,
            Stage::Affine,
            Stage::Normalize,
            Stage::Dropout,
            Stage::Sum,
            Stage::Pooled,
            Stage::LocalPool,
            Stage::PlaneSum,
        ];
        all.extend(Dual::ALL.map(Stage::Dual));
        all
    }

    /// The name of the stage in traces and errors.
    pub fn label(self) -> String {
        match self {
            Stage::Dual(dual) => format!("ekernel.dual.{}", dual.name()),
            Stage::Correlate => "ekernel.correlate".to_owned(),
            Stage::BoxMean => "ekernel.box_mean".to_owned(),
            Stage::Affine => "ekernel.affine".to_owned(),
            Stage::Normalize => "ekernel.normalize".to_owned(),
            Stage::Dropout => "ekernel.dropout".to_owned(),
            Stage::Sum => "ekernel.sum".to_owned(),
            Stage::Pooled => "ekernel.pooled".to_owned(),
            Stage::LocalPool => "ekernel.local_pool".to_owned(),
            Stage::PlaneSum => "ekernel.plane_sum".to_owned(),
        }
    }

    /// The whole module, with the entry point `main`.
    pub fn source(self) -> String {
        let entry = match self {
            Stage::Correlate => include_str!("layered/correlate.wgsl"),
            Stage::BoxMean => include_str!("layered/box_mean.wgsl"),
            Stage::Affine => include_str!("layered/affine.wgsl"),
            Stage::Dual(_) => include_str!("layered/dual.wgsl"),
            Stage::Normalize => include_str!("layered/normalize.wgsl"),
            Stage::Dropout => include_str!("layered/dropout.wgsl"),
            Stage::Sum => include_str!("layered/sum.wgsl"),
            Stage::Pooled => include_str!("layered/pooled.wgsl"),
            Stage::LocalPool => include_str!("layered/local_pool.wgsl"),
            Stage::PlaneSum => include_str!("layered/plane_sum.wgsl"),
        };
        let functions = match self {
            Stage::Dual(dual) => dual.source(),
            _ => String::new(),
        };
        [include_str!("layered/plane.wgsl"), &functions, entry].concat()
    }
}

impl Fused {
    /// Rows and columns of the largest window.
    pub const REACH: usize = 9;

    /// Every fused stage.
    pub fn all() -> Vec<Fused> {
        let chained = Dual::ALL.into_iter().filter(|dual| *dual != Dual::Sign);
        chained.flat_map(|dual| [true, false].map(|windows_3x3| Fused { dual, windows_3x3 })).collect()
    }

    /// The name of the stage in traces and errors.
    pub fn label(self) -> String {
        format!("ekernel.chain.{}{}", self.dual.name(), if self.windows_3x3 { "_3" } else { "" })
    }

    /// The whole module, with the entry point `main`.
    pub fn source(self) -> String {
        let (reach, slide) = if self.windows_3x3 {
            (include_str!("fused/reach_3.wgsl"), include_str!("fused/slide_3.wgsl"))
        } else {
            (include_str!("fused/reach_9.wgsl"), include_str!("fused/slide_any.wgsl"))
        };
        let cells = match self.dual {
            Dual::Kinked => [
                include_str!("arc_cosine.wgsl"),
                include_str!("fused/exact_product.wgsl"),
                include_str!("fused/kinked.wgsl"),
            ]
            .concat(),
            smooth => smooth.source() + include_str!("fused/smooth.wgsl"),
        };
        [&cells, include_str!("fused/segments.wgsl"), reach, slide, include_str!("fused/chain.wgsl")].concat()
    }
}

/// The functions that limit the accuracy of all stages, without an entry point.
///
/// Tests measure them on a device.
pub fn functions() -> String {
    [include_str!("arc_cosine.wgsl"), include_str!("math.wgsl"), include_str!("fused/exact_product.wgsl")]
        .concat()
}

/// Multiply-adds of one invocation of [`peak`].
pub const PEAK_OPERATIONS: u64 = 64 * 256;

/// The module that measures how many multiply-adds a device issues.
///
/// Its entry point is `main`; it has workgroups of 256 and one storage buffer of any size.
pub fn peak() -> &'static str {
    include_str!("peak.wgsl")
}

/// Label and source of every module, as a device compiles it.
pub fn all() -> Vec<(String, String)> {
    let layered = Stage::all().into_iter().map(|stage| (stage.label(), stage.source()));
    let fused = Fused::all().into_iter().map(|stage| (stage.label(), stage.source()));
    let rotations = Rotation::ALL.into_iter().map(|stage| (stage.label().to_owned(), stage.source()));
    let points = RotationPoint::samples().into_iter().map(|point| (point.label(), point.source()));
    let rotations = rotations.chain(points);
    layered.chain(fused).chain(rotations).chain([("ekernel.peak".to_owned(), peak().to_owned())]).collect()
}
