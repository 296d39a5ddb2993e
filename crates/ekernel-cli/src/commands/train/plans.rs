//! Which ensembles are trained.

use ekernel_core::{Domain, Group, Network};
use ekernel_finite::Augmentation;

use super::options::Copies;
use crate::architecture::Architecture;

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

/// One ensemble for each architecture and kind of copies; networks that are equivariant under the group get none.
pub(super) fn plans<'a>(architectures: &'a [Architecture], copies: &[Copies]) -> Vec<Planned<'a>> {
    let mut all: Vec<Planned<'a>> = Vec::new();
    for architecture in architectures {
        for copies in copies {
            let name = &architecture.name;
            let needs = |group: Group| !is_equivariant(&architecture.network, group);
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
    all
}

/// Whether the network lifts to a group with all of these symmetries.
fn is_equivariant(network: &Network, symmetries: Group) -> bool {
    let lifted = network.nodes().iter().find_map(|node| match node.domain {
        Domain::GroupGrid { group, .. } => Some(group),
        _ => None,
    });
    let elements = lifted.map(Group::elements).unwrap_or_default();
    symmetries.elements().iter().all(|element| elements.contains(element))
}
