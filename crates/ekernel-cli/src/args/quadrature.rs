//! The rotations of networks on the sphere.

use ekernel_core::plan::Quadrature;

use super::count::count;

/// The rotations of a network on the sphere.
pub(crate) fn quadrature(text: &str) -> Result<Quadrature, String> {
    match text {
        "accurate" => Ok(Quadrature::Accurate),
        "fast" => Ok(Quadrature::Fast),
        _ => {
            let nodes =
                count(text).map_err(|_| "give accurate, fast or a number of nodes of at least 1".to_owned());
            Ok(Quadrature::Nodes(nodes?))
        }
    }
}

/// The same in words.
pub(crate) fn quadrature_name(quadrature: Quadrature) -> String {
    match quadrature {
        Quadrature::Accurate => "accurate".to_owned(),
        Quadrature::Fast => "fast".to_owned(),
        Quadrature::Nodes(nodes) => format!("{nodes} nodes"),
    }
}
