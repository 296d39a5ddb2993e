//! s2_conv (S² → SO(3)) with a filter on the whole sphere: K(R, R') = w²·(1/4π) ∫ K⁰(Ry, R'y) dy + b², which is a function
//! k(U) of U = R R'⁻¹ alone: k(U) = (w²/4πC) Σ_c ⟨f_c, U f'_c⟩ + b² over the degrees below the bandlimit.

use super::{
    Parameterization, Weights,
    kind::{Incoming, Kind},
    so3_conv::{lowered, ntk_only},
    weights::weight_setters,
};
use crate::{
    ArchError, Domain, PerAtom,
    keys::{Keys, Section},
};

/// A lifting convolution on the sphere.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct S2Conv {
    /// The degrees that are read, l < L; all of the input's if `None`.
    pub bandlimit: Option<usize>,
    /// Its weights.
    pub weights: Weights,
}

weight_setters!(S2Conv);

impl S2Conv {
    /// The bandlimit of the input, w_std = 1, no bias.
    pub fn new() -> S2Conv {
        S2Conv::default()
    }

    /// Reads the degrees below `bandlimit` only.
    pub fn bandlimit(mut self, bandlimit: usize) -> S2Conv {
        self.bandlimit = Some(bandlimit);
        self
    }

    pub(super) fn read(keys: &mut Keys<'_>) -> Result<S2Conv, ArchError> {
        Ok(S2Conv { bandlimit: keys.count("bandlimit")?, weights: Weights::read(keys)? })
    }
}

impl Kind for S2Conv {
    fn name(&self) -> &'static str {
        "s2_conv"
    }

    fn output(&self, input: &Incoming<'_>) -> Result<Domain, ArchError> {
        ntk_only(self.weights.parameterization == Parameterization::Standard, input)?;
        match input.domain {
            Domain::Sphere { bandlimit } => {
                Ok(Domain::Rotations { bandlimit: lowered(self.bandlimit, bandlimit, input)? })
            }
            Domain::Atoms(PerAtom::Sphere { bandlimit }) => Ok(Domain::Atoms(PerAtom::Rotations {
                bandlimit: lowered(self.bandlimit, bandlimit, input)?,
            })),
            Domain::Rotations { .. } | Domain::Atoms(PerAtom::Rotations { .. }) => {
                Err(input.wrong_domain("a sphere: s2_conv stands once, on the input; after it use so3_conv"))
            }
            _ => Err(input.wrong_domain("a sphere (space = \"sphere\" or \"molecule\" in [input])")),
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
