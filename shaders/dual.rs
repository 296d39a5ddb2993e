//! The duals of activations, one file of WGSL for each family.

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
    pub(crate) fn shared() -> String {
        [include_str!("dual.wgsl"), include_str!("arc_cosine.wgsl"), include_str!("math.wgsl")].concat()
    }

    /// The file of this family.
    pub(crate) fn own(self) -> &'static str {
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
