//! Networks and their plans.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
    path::PathBuf,
};

use ekernel_core::{ArchError, KernelSet, Source};
use pyo3::prelude::*;

use crate::{
    backend::{Nodes, quadrature},
    failure::Failure,
};

/// An architecture of an infinitely wide network, from the text of an architecture file.
///
/// `serial` makes one of layers, `Network.load` reads a file. Networks do not change; they can be compared, pickled and
/// copied.
#[pyclass(frozen, module = "ekernel")]
pub(crate) struct Network {
    pub(crate) inner: ekernel_core::Network,
}

#[pymethods]
impl Network {
    #[new]
    fn new(toml: &str) -> PyResult<Network> {
        let inner = toml.parse().map_err(Failure::from)?;
        Ok(Network { inner })
    }

    /// Read an architecture file.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     The file.
    ///
    /// Returns
    /// -------
    /// Network
    ///
    /// Raises
    /// ------
    /// OSError
    ///     If the file cannot be read.
    /// ValueError
    ///     If it describes no network; the words name the layer, what it found and what it needs.
    #[staticmethod]
    fn load(path: PathBuf) -> PyResult<Network> {
        let words = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = std::fs::read_to_string(&path).map_err(|error| Failure::system(&error, words(&error)))?;
        let inner = text.parse().map_err(|error: ArchError| Failure::Value(words(&error)))?;
        Ok(Network { inner })
    }

    /// Read the text of an architecture file, as the class itself does.
    #[staticmethod]
    fn from_toml(toml: &str) -> PyResult<Network> {
        Network::new(toml)
    }

    /// Write the network as the text of an architecture file.
    fn to_toml(&self) -> String {
        self.inner.to_toml()
    }

    /// The shape of one sample; empty for molecules.
    #[getter]
    fn input_shape(&self) -> Vec<usize> {
        self.inner.input().shape()
    }

    /// Whether the network reads molecules.
    #[getter]
    fn is_molecular(&self) -> bool {
        matches!(self.inner.input(), ekernel_core::Input::Molecule { .. })
    }

    /// Show how the network is computed, and what a pair of samples costs.
    ///
    /// Parameters
    /// ----------
    /// quadrature : {"accurate", "fast"} or int, optional
    ///     Rotations of a network on the sphere.
    ///
    /// Returns
    /// -------
    /// Plan
    ///     Its `str` is a text for people.
    #[pyo3(signature = (quadrature = None))]
    fn plan(&self, quadrature: Option<Nodes>) -> PyResult<Plan> {
        let quadrature = self::quadrature(&self.inner, quadrature)?;
        let plan = ekernel_core::Plan::with_quadrature(&self.inner, KernelSet::Both, quadrature);
        Ok(Plan { text: plan.map_err(Failure::from)?.to_string() })
    }

    fn __getnewargs__(&self) -> (String,) {
        (self.inner.to_toml(),)
    }

    fn __eq__(&self, other: &Network) -> bool {
        self.inner == other.inner
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.inner.to_toml().hash(&mut hasher);
        hasher.finish()
    }

    fn __str__(&self) -> String {
        self.inner.to_toml()
    }

    fn __repr__(&self) -> String {
        let layers: Vec<&str> = self.inner.nodes().iter().map(|node| node.layer.name()).collect();
        format!("Network({}: {})", self.inner.input(), layers.join(", "))
    }

    fn _repr_html_(&self) -> String {
        let row = |cells: [String; 4]| {
            let cells = cells.map(|cell| format!("<td style=\"text-align:left\">{}</td>", escaped(&cell)));
            format!("<tr>{}</tr>", cells.concat())
        };
        let name = |source: &Source| match source {
            Source::Input => "input".to_owned(),
            Source::Node(i) => (i + 1).to_string(),
        };
        let input = self.inner.input();
        let mut rows = row(["input".to_owned(), String::new(), String::new(), input.to_string()]);
        for (i, node) in self.inner.nodes().iter().enumerate() {
            let reads = node.inputs.iter().map(name).collect::<Vec<_>>().join(", ");
            rows += &row([(i + 1).to_string(), node.layer.name().to_owned(), reads, node.domain.to_string()]);
        }
        format!(
            "<table><thead><tr><th></th><th>layer</th><th>reads</th><th>output</th></tr></thead><tbody>{rows}</tbody></table>"
        )
    }
}

/// How a network is computed, in words.
#[pyclass(frozen, module = "ekernel")]
pub(crate) struct Plan {
    text: String,
}

#[pymethods]
impl Plan {
    fn __str__(&self) -> &str {
        &self.text
    }

    fn __repr__(&self) -> &str {
        self.text.trim_end()
    }

    fn _repr_html_(&self) -> String {
        format!("<pre>{}</pre>", escaped(&self.text))
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
