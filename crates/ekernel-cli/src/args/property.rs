//! What is learned of molecules.

use clap::{Args, ValueEnum};
use ekernel_data::molecules::Unit;
use ekernel_experiment::References;

use crate::failure::mistake;

/// How molecules and their property are taken.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Molecules")]
pub(crate) struct Property {
    /// Of molecules: what their numbers of atoms alone say, taken off the property before training [default: fit]
    #[arg(long, value_enum)]
    references: Option<ReferencesName>,
    /// Of molecules: the unit of the property; errors are reported in meV [default: by name, QM9's energies are in Hartree]
    #[arg(long, value_enum)]
    unit: Option<UnitName>,
}

/// Units on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum UnitName {
    Hartree,
    Ev,
    KcalPerMol,
    AsStored,
}

/// What is taken off the property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReferencesName {
    /// Least squares of the property on the numbers of atoms of each element, on each draw's training molecules alone;
    /// after the energies of isolated atoms, where the file holds those of the property
    Fit,
    /// The energies of isolated atoms that the file holds (atomref_Z, atomref_U0)
    Atoms,
    /// Nothing
    None,
}

impl Property {
    /// What is taken off before training.
    pub(crate) fn references(self) -> References {
        match self.references {
            None | Some(ReferencesName::Fit) => References::Fit,
            Some(ReferencesName::Atoms) => References::Atoms,
            Some(ReferencesName::None) => References::None,
        }
    }

    /// Refuses what only molecules have.
    pub(crate) fn ensure_unsaid(self) -> anyhow::Result<()> {
        for (option, said) in [("--references", self.references.is_some()), ("--unit", self.unit.is_some())] {
            if said {
                return Err(mistake(format!("{option}: these networks do not read molecules; leave it out")));
            }
        }
        Ok(())
    }

    /// The unit of the property, where one is given.
    pub(crate) fn unit(self) -> Option<Unit> {
        self.unit.map(|unit| match unit {
            UnitName::Hartree => Unit::Hartree,
            UnitName::Ev => Unit::ElectronVolt,
            UnitName::KcalPerMol => Unit::KcalPerMol,
            UnitName::AsStored => Unit::AsStored,
        })
    }
}
