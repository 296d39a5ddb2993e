//! Which domains a layer takes: each is tried.

use crate::{Domain, Group, Layer, PerAtom, error::Place, layers::Incoming};

/// The domains that an input or a layer can have, large enough for every example, and their names.
const TRIED: [(Domain, &str); 8] = [
    (Domain::Vector, "vector"),
    (Domain::Grid { height: 13, width: 13 }, "grid"),
    (Domain::GroupGrid { group: Group::C4, height: 13, width: 13 }, "group grid"),
    (Domain::Sphere { bandlimit: 4 }, "sphere"),
    (Domain::Rotations { bandlimit: 4 }, "rotations"),
    (Domain::Atoms(PerAtom::Sphere { bandlimit: 4 }), "sphere of each atom"),
    (Domain::Atoms(PerAtom::Rotations { bandlimit: 4 }), "rotations of each atom"),
    (Domain::Atoms(PerAtom::Vector), "vector of each atom"),
];

/// The name of a domain, whatever its size.
pub(super) fn name(domain: Domain) -> &'static str {
    let same = |tried: Domain| match (tried, domain) {
        (Domain::Atoms(tried), Domain::Atoms(found)) => {
            std::mem::discriminant(&tried) == std::mem::discriminant(&found)
        }
        (tried, found) => std::mem::discriminant(&tried) == std::mem::discriminant(&found),
    };
    TRIED.iter().find(|(tried, _)| same(*tried)).map_or("", |(_, name)| name)
}

/// The domains that a layer takes behind other layers or, if none, on the input, each with that of its output.
pub(super) fn of(layer: &Layer) -> Vec<[&'static str; 2]> {
    let behind = Place { index: 1, op: "dense".into(), name: None };
    let place = Place { index: 2, op: layer.name().into(), name: None };
    let taken = |(domain, from): &(Domain, &'static str)| {
        // Only the input lives on a sphere, and it is no Gaussian process.
        if layer.needs_gaussian() && from.starts_with("sphere") {
            return None;
        }
        let output = layer.output(&Incoming { place: &place, source: &behind, domain: *domain }).ok()?;
        Some([*from, name(output)])
    };
    TRIED.iter().filter_map(taken).collect()
}
