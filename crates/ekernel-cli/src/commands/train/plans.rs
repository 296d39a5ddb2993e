//! Which ensembles are trained.

use ekernel_core::{Group, Network};
use ekernel_finite::{Augmentation, is_invariant};

use super::options::Copies;
use crate::{architecture::Architecture, samples};

/// Images on which invariance is tested.
const IMAGES: usize = 3;

/// An ensemble that is to be trained.
pub(super) struct Planned<'a> {
    /// The architecture's name, and the group of the copies.
    pub(super) name: String,
    pub(super) architecture: &'a Architecture,
    pub(super) augmentation: Augmentation,
}

impl Planned<'_> {
    /// The seed of the members: that of the command with a digest (FNV-1a) of network and copies behind it, so that
    /// ensembles are independent of each other, and the same whatever stands beside them.
    pub(super) fn seed(&self, seed: u32) -> u64 {
        let text = format!("{:?}\n{}", self.augmentation, self.architecture.network.to_toml());
        let digest = text
            .bytes()
            .fold(0x811c_9dc5_u32, |digest, byte| (digest ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        u64::from(seed) << 32 | u64::from(digest)
    }
}

/// One ensemble for each architecture and kind of copies, and notes; networks that are invariant under the group get
/// no copies, and a note.
pub(super) fn plans<'a>(
    architectures: &'a [Architecture],
    copies: &[Copies],
) -> (Vec<Planned<'a>>, Vec<String>) {
    let (mut all, mut notes): (Vec<Planned<'a>>, Vec<String>) = Default::default();
    for architecture in architectures {
        for copies in copies {
            let name = &architecture.name;
            let mut needs = |group: Group| {
                let needs = !learns_nothing_from_copies(&architecture.network, group);
                if !needs {
                    notes.push(format!(
                        "{name}: its outputs are the same for all copies by {group}, so it learns none of them"
                    ));
                }
                needs
            };
            let (name, augmentation) = match *copies {
                Copies::All(group) if needs(group) => (format!("{name}+{group}"), Augmentation::Full(group)),
                Copies::Drawn(group) if needs(group) => {
                    (format!("{name}+{group}-random"), Augmentation::Random(group))
                }
                _ => (name.clone(), Augmentation::None),
            };
            if all.iter().all(|planned| planned.name != name) {
                all.push(Planned { name, architecture, augmentation });
            }
        }
    }
    (all, notes)
}

/// Whether the network's outputs, and so its gradients, are the same for all copies of an image.
fn learns_nothing_from_copies(network: &Network, group: Group) -> bool {
    samples::noise(network.input(), IMAGES, 1).is_some_and(|images| is_invariant(network, group, &images))
}
