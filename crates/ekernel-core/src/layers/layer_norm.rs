//! layer_norm: K and Θ divided by √((v+ε)(v'+ε)), ε = 1e-12; over all axes v and v' are their spatial means.

use super::kind::{Incoming, Kind};
use crate::{
    ArchError, Domain,
    keys::{Keys, Section},
};

/// What is normalised together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NormAxes {
    /// The features at each position.
    #[default]
    Channels,
    /// All features at all positions.
    All,
}

impl NormAxes {
    /// 1/√(v + ε) at each position; over all axes v is its mean.
    pub fn factors(self, v: &[f64]) -> Vec<f64> {
        let factor = |v: f64| (v + LayerNorm::EPSILON).sqrt().recip();
        match self {
            NormAxes::Channels => v.iter().map(|v| factor(*v)).collect(),
            NormAxes::All => vec![factor(v.iter().sum::<f64>() / v.len() as f64); v.len()],
        }
    }
}

/// Layer normalisation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LayerNorm {
    /// What is normalised together.
    pub over: NormAxes,
}

impl LayerNorm {
    /// ε in the denominator.
    pub const EPSILON: f64 = 1e-12;

    /// Normalises the features at each position.
    pub fn over_channels() -> LayerNorm {
        LayerNorm { over: NormAxes::Channels }
    }

    /// Normalises all features at all positions together.
    pub fn over_all() -> LayerNorm {
        LayerNorm { over: NormAxes::All }
    }

    pub(super) fn read(keys: &mut Keys<'_>) -> Result<LayerNorm, ArchError> {
        let choices = [("channels", NormAxes::Channels), ("all", NormAxes::All)];
        Ok(LayerNorm { over: keys.choice("over", &choices)?.unwrap_or_default() })
    }
}

impl Kind for LayerNorm {
    fn name(&self) -> &'static str {
        "layer_norm"
    }

    fn output(&self, input: &Incoming<'_>) -> Result<Domain, ArchError> {
        Ok(input.domain)
    }

    fn write(&self, section: &mut Section) {
        if self.over == NormAxes::All {
            section.word("over", "all");
        }
    }

    fn needs_gaussian(&self) -> bool {
        true
    }
}
