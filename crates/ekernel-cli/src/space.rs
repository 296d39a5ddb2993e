//! What networks read, and samples of that kind from what the command line names.

use std::path::Path;

use ekernel_core::Input;
use ekernel_data::{
    Dataset, Molecules, Place, ReadOptions, Source, from_even_rings, molecules::MoleculeLimits,
    on_the_sphere, read_dataset, read_molecules,
};

use crate::{architecture::Architecture, failure::mistake};

/// The kind of input that networks read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Space {
    /// Vectors or images, as the data say.
    Arrays,
    /// Signals on the sphere.
    Spheres,
    /// Molecules of these elements, with an atom of each of these lists.
    Molecules { elements: Vec<u8>, centers: Vec<Vec<u8>> },
}

/// A molecule of more atoms than this has more pairs of atoms with another than any kernel of molecules is meant for.
const MOST_ATOMS: usize = 1000;

impl Space {
    /// What all of these networks read; molecules may be of the elements that every network knows.
    pub(crate) fn of(architectures: &[Architecture]) -> anyhow::Result<Space> {
        let mut spaces =
            architectures.iter().map(|architecture| (architecture, Space::of_input(architecture)));
        let Some((first, mut space)) = spaces.next() else { return Ok(Space::Arrays) };
        for (other, read) in spaces {
            match (&mut space, read) {
                (
                    Space::Molecules { elements, centers },
                    Space::Molecules { elements: others, centers: more },
                ) => {
                    centers.extend(more);
                    elements.retain(|element| others.contains(element));
                    if elements.is_empty() {
                        return Err(mistake(format!(
                            "{} and {} have no element in common; compare networks of molecules of the same elements",
                            first.path.display(),
                            other.path.display()
                        )));
                    }
                }
                (space, read) if *space == read => {}
                (space, read) => {
                    return Err(mistake(format!(
                        "{} reads {}, {} reads {}: compare networks of one kind of input",
                        first.path.display(),
                        space.name(),
                        other.path.display(),
                        read.name()
                    )));
                }
            }
        }
        Ok(space)
    }

    fn of_input(architecture: &Architecture) -> Space {
        match architecture.network.input() {
            Input::Vector { .. } | Input::Image { .. } => Space::Arrays,
            Input::Sphere { .. } => Space::Spheres,
            Input::Molecule { potential, .. } => Space::Molecules {
                elements: potential.elements.clone(),
                centers: vec![potential.centers.clone()],
            },
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Space::Arrays => "vectors or images",
            Space::Spheres => "signals on the sphere",
            Space::Molecules { .. } => "molecules",
        }
    }

    /// Reads samples of this kind without targets, and with a name for each where the source has names.
    pub(crate) fn read_samples(&self, source: &Source, options: &ReadOptions) -> anyhow::Result<Dataset> {
        if let Space::Molecules { elements, centers } = self {
            let molecules = molecules(source, elements, centers)?;
            let names = Some(molecules.names.clone());
            return Ok(Dataset { names, ..Dataset::of(molecules.samples()) });
        }
        let inputs = Source { targets: None, noise: None, ..source.clone() };
        let mut set = read_dataset(&inputs, options)?;
        if *self == Space::Spheres {
            set = on_sphere(set, source)?;
        }
        Ok(set)
    }
}

/// Arrays as signals on the sphere.
pub(crate) fn on_sphere(mut set: Dataset, source: &Source) -> anyhow::Result<Dataset> {
    let place = Place { path: source.path.clone(), key: source.inputs.clone() };
    if let Some(samples) = from_even_rings(&set.samples) {
        let points = samples.sample_shape()[0];
        let note = format!("rings of {points} points are interpolated at {} points", points - 1);
        set.note =
            [set.note, note].into_iter().filter(|note| !note.is_empty()).collect::<Vec<_>>().join("; ");
        set.samples = samples;
    }
    set.samples = on_the_sphere(set.samples, &place)?;
    Ok(set)
}

/// Reads molecules, and checks that they can be molecules.
pub(crate) fn molecules(source: &Source, elements: &[u8], centers: &[Vec<u8>]) -> anyhow::Result<Molecules> {
    let molecules = read_molecules(source)?;
    let limits = MoleculeLimits {
        elements: Some(elements.to_vec()),
        max_atoms: Some(MOST_ATOMS),
        centers: centers.to_vec(),
        ..MoleculeLimits::default()
    };
    molecules.check(&limits).map_err(|error| located(error, &source.path))?;
    Ok(molecules)
}

fn located(error: ekernel_data::DataError, path: &Path) -> anyhow::Error {
    anyhow::Error::new(error).context(path.display().to_string())
}
