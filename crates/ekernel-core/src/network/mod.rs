//! The network: a DAG of layers whose every edge has been checked.

mod build;
mod gaussian;
mod graph;
mod order;

pub use build::NetworkBuilder;
pub(crate) use graph::Entry;
pub use graph::{Network, Node, Source};
