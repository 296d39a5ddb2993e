//! What a store holds tiles of.

use serde::{Deserialize, Serialize};

use crate::identity::Identity;

/// The layout of a store; a run refuses any other.
pub(crate) const FORMAT: u64 = 2;

/// The first item of a store.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    format: u64,
    pub(crate) identity: Identity,
    /// The tile shape as the grid was cut.
    pub(crate) tile: [usize; 2],
}

/// Why a manifest cannot be read.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// It is not what a run writes.
    Damaged(String),
    /// Another version of ekernel wrote it, in the format that is given.
    OtherFormat(u64),
}

impl Manifest {
    pub(crate) fn new(identity: Identity, tile: [usize; 2]) -> Manifest {
        Manifest { format: FORMAT, identity, tile }
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Manifest, Unreadable> {
        let damaged = |problem: serde_json::Error| Unreadable::Damaged(problem.to_string());
        let value: serde_json::Value = serde_json::from_slice(bytes).map_err(damaged)?;
        match value.get("format").and_then(serde_json::Value::as_u64) {
            None => return Err(Unreadable::Damaged("it has no number `format`".to_owned())),
            Some(FORMAT) => {}
            Some(other) => return Err(Unreadable::OtherFormat(other)),
        }
        let manifest: Manifest = serde_json::from_value(value).map_err(damaged)?;
        if manifest.tile.contains(&0) {
            return Err(Unreadable::Damaged("its tile shape has a side of 0".to_owned()));
        }
        Ok(manifest)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("strings and numbers have a JSON form")
    }
}
