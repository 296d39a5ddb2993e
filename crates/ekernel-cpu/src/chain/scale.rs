use ekernel_core::double::{exponent, scaled};

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

    /// The number, if it is one of f64.
    pub(crate) fn value(self) -> f64 {
        scaled(self.mantissa, self.exponent)
    }

    pub(crate) fn times(self, x: f64) -> Self {
        let product = Self::new(self.mantissa * x);
        Self { exponent: product.exponent + self.exponent, ..product }
    }
}
