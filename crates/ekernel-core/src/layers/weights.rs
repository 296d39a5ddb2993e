//! The weights of dense, conv, lift and group_conv.

use crate::{
    ArchError,
    error::Place,
    keys::{Keys, Section},
};

/// How weights enter a layer, which decides the NTK (the NNGP is the same).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Parameterization {
    /// Weights N(0, 1) scaled by w_std/√fan-in: Θ = K_out + w²·avg(Θ).
    #[default]
    Ntk,
    /// Weights N(0, w_std²·s₀/fan-in) as they are: Θ = (N_in·|S|/s₀)·avg(K_in) + w²·avg(Θ) + 1\[bias\].
    Standard,
}

/// Standard deviations and parameterisation of a layer's weights and biases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    /// Standard deviation w of the weights.
    pub w_std: f64,
    /// Standard deviation b of the biases; `None` means no bias.
    pub b_std: Option<f64>,
    /// NTK or standard.
    pub parameterization: Parameterization,
    /// Number of output features; only a following layer in the standard parameterisation reads it.
    pub width: Option<usize>,
    /// s₀ of the standard parameterisation.
    pub width_scale: f64,
}

impl Default for Weights {
    fn default() -> Weights {
        Weights {
            w_std: 1.0,
            b_std: None,
            parameterization: Parameterization::Ntk,
            width: None,
            width_scale: 1.0,
        }
    }
}

impl Weights {
    /// The largest `width`: 2²⁷.
    pub const MOST_FEATURES: usize = 1 << 27;

    pub(crate) fn read(keys: &mut Keys<'_>) -> Result<Weights, ArchError> {
        let choices = [("ntk", Parameterization::Ntk), ("standard", Parameterization::Standard)];
        Ok(Weights {
            w_std: keys.not_negative("w_std")?.unwrap_or(1.0),
            b_std: keys.not_negative("b_std")?,
            parameterization: keys.choice("parameterization", &choices)?.unwrap_or_default(),
            width: keys.count("width")?,
            width_scale: keys.positive("width_scale")?.unwrap_or(1.0),
        })
    }

    pub(crate) fn write(&self, section: &mut Section) {
        let default = Weights::default();
        if self.w_std != default.w_std {
            section.number("w_std", self.w_std);
        }
        if let Some(b_std) = self.b_std {
            section.number("b_std", b_std);
        }
        if self.parameterization == Parameterization::Standard {
            section.word("parameterization", "standard");
        }
        if let Some(width) = self.width {
            section.count("width", width);
        }
        if self.width_scale != default.width_scale {
            section.number("width_scale", self.width_scale);
        }
    }

    /// Refuses standard deviations that no file could hold (a builder can).
    pub(crate) fn check(&self, place: &Place) -> Result<(), ArchError> {
        let bad = |key: &str, found: f64, needs: &str| ArchError::Value {
            place: place.clone(),
            key: key.into(),
            found: found.to_string(),
            needs: needs.into(),
        };
        const STD: &str = "a finite number of at least 0";
        if !(self.w_std.is_finite() && self.w_std >= 0.0) {
            return Err(bad("w_std", self.w_std, STD));
        }
        if let Some(b_std) = self.b_std.filter(|b| !(b.is_finite() && *b >= 0.0)) {
            return Err(bad("b_std", b_std, STD));
        }
        if !(self.width_scale.is_finite() && self.width_scale > 0.0) {
            return Err(bad("width_scale", self.width_scale, "a finite number above 0"));
        }
        match self.width {
            Some(width) if !(1..=Self::MOST_FEATURES).contains(&width) => Err(ArchError::Value {
                place: place.clone(),
                key: "width".into(),
                found: width.to_string(),
                needs: format!("a whole number from 1 to {}", Self::MOST_FEATURES),
            }),
            _ => Ok(()),
        }
    }
}

/// Builder methods shared by the weighted layers.
macro_rules! weight_setters {
    ($layer:ident) => {
        impl $layer {
            /// Sets the standard deviation of the weights (default 1).
            pub fn w_std(mut self, w_std: f64) -> Self {
                self.weights.w_std = w_std;
                self
            }

            /// Adds a bias of this standard deviation (default: none).
            pub fn b_std(mut self, b_std: f64) -> Self {
                self.weights.b_std = Some(b_std);
                self
            }

            /// Sets the number of output features, read by a following layer in the standard parameterisation.
            pub fn width(mut self, width: usize) -> Self {
                self.weights.width = Some(width);
                self
            }

            /// Uses the standard parameterisation.
            pub fn standard(mut self) -> Self {
                self.weights.parameterization = $crate::layers::Parameterization::Standard;
                self
            }
        }
    };
}
pub(super) use weight_setters;
