//! so3_conv with a filter on the whole of SO(3): K(R, R') = w²·(1/8π²) ∫ K(RS, R'S) dS + b². A kernel k(R R'⁻¹) is left as
//! it is by the mean, so without a bandlimit this is w²k + b². With one, k keeps its degrees below it, and each sample's
//! variance becomes that of the truncated kernel, k(e).

use super::{
    Parameterization, Weights,
    kind::{Incoming, Kind},
    weights::weight_setters,
};
use crate::{
    ArchError, Domain, PerAtom,
    keys::{Keys, Section},
};

/// A convolution on SO(3).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct So3Conv {
    /// The degrees that are kept, l < L; `None` keeps all, also those that a nonlinearity has made.
    pub bandlimit: Option<usize>,
    /// Its weights.
    pub weights: Weights,
}

weight_setters!(So3Conv);

impl So3Conv {
    /// No truncation, w_std = 1, no bias.
    pub fn new() -> So3Conv {
        So3Conv::default()
    }

    /// Keeps the degrees below `bandlimit` only.
    pub fn bandlimit(mut self, bandlimit: usize) -> So3Conv {
        self.bandlimit = Some(bandlimit);
        self
    }

    pub(super) fn read(keys: &mut Keys<'_>) -> Result<So3Conv, ArchError> {
        Ok(So3Conv { bandlimit: keys.count("bandlimit")?, weights: Weights::read(keys)? })
    }
}

impl Kind for So3Conv {
    fn name(&self) -> &'static str {
        "so3_conv"
    }

    fn output(&self, input: &Incoming<'_>) -> Result<Domain, ArchError> {
        ntk_only(self.weights.parameterization == Parameterization::Standard, input)?;
        match input.domain {
            Domain::Rotations { bandlimit } => {
                Ok(Domain::Rotations { bandlimit: lowered(self.bandlimit, bandlimit, input)? })
            }
            Domain::Atoms(PerAtom::Rotations { bandlimit }) => Ok(Domain::Atoms(PerAtom::Rotations {
                bandlimit: lowered(self.bandlimit, bandlimit, input)?,
            })),
            _ => Err(input.wrong_domain("rotations (s2_conv lifts a sphere to them)")),
        }
    }

    fn write(&self, section: &mut Section) {
        if let Some(bandlimit) = self.bandlimit {
            section.count("bandlimit", bandlimit);
        }
        self.weights.write(section);
    }

    fn weights(&self) -> Option<&Weights> {
        Some(&self.weights)
    }
}

/// The bandlimit after a convolution that asks for one or takes what comes.
pub(super) fn lowered(asked: Option<usize>, found: usize, input: &Incoming<'_>) -> Result<usize, ArchError> {
    match asked {
        None => Ok(found),
        Some(0) => Err(ArchError::Value {
            place: input.place.clone(),
            key: "bandlimit".into(),
            found: "0".into(),
            needs: "a whole number of at least 1: a bandlimit L keeps the degrees l < L".into(),
        }),
        Some(bandlimit) if bandlimit > found => Err(ArchError::BandlimitTooLarge {
            place: input.place.clone(),
            bandlimit,
            source_place: input.source.clone(),
            found,
        }),
        Some(bandlimit) => Ok(bandlimit),
    }
}

/// Refuses the standard parameterisation, which counts weights.
pub(super) fn ntk_only(standard: bool, input: &Incoming<'_>) -> Result<(), ArchError> {
    if !standard {
        return Ok(());
    }
    Err(ArchError::Value {
        place: input.place.clone(),
        key: "parameterization".into(),
        found: "\"standard\"".into(),
        needs: "\"ntk\": the standard one counts a filter's weights, and this filter is a function on a continuum"
            .into(),
    })
}
