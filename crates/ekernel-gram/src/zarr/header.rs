//! What a Zarr store says of itself: the `zarr.json` of its group and of its arrays.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::layout::Layout;
use crate::{
    Identity,
    store::{Manifest, Unreadable},
};

/// One of the arrays of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kernel {
    /// `nngp`.
    Nngp,
    /// `ntk`.
    Ntk,
}

/// The numbers of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Element {
    /// float32.
    #[serde(rename = "float32")]
    F32,
    /// float64.
    #[serde(rename = "float64")]
    F64,
}

/// What a store holds.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub(super) layout: Layout,
    pub(super) element: Element,
    pub(super) identity: Identity,
    /// What the user keeps with it: the architecture, names of samples.
    pub(super) notes: Value,
}

/// Our attribute of the group.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attribute {
    computation: Value,
    shape: [usize; 2],
    symmetric: bool,
    element: Element,
    notes: Value,
}

/// Its name.
const OURS: &str = "ekernel";

impl Kernel {
    /// Both, in their order.
    pub const ALL: [Kernel; 2] = [Kernel::Nngp, Kernel::Ntk];

    /// The name of its array.
    pub fn name(self) -> &'static str {
        match self {
            Kernel::Nngp => "nngp",
            Kernel::Ntk => "ntk",
        }
    }
}

impl Element {
    /// Bytes of a number.
    pub fn bytes(self) -> usize {
        match self {
            Element::F32 => 4,
            Element::F64 => 8,
        }
    }

    /// Its name in Zarr and numpy.
    pub fn name(self) -> &'static str {
        match self {
            Element::F32 => "float32",
            Element::F64 => "float64",
        }
    }
}

impl Content {
    /// Reads the `zarr.json` of a group.
    pub(super) fn parse(bytes: &[u8]) -> Result<Content, Unreadable> {
        let damaged = |problem: serde_json::Error| Unreadable::Damaged(problem.to_string());
        let mut group: Value = serde_json::from_slice(bytes).map_err(damaged)?;
        let other = || Unreadable::Damaged("it is not a Zarr group of ekernel".to_owned());
        let attribute = group
            .get_mut("attributes")
            .and_then(|all| all.get_mut(OURS))
            .map(Value::take)
            .ok_or_else(other)?;
        let format = attribute.get("computation").map(Value::to_string).ok_or_else(other)?;
        // First of all whether another version wrote it, which may have other fields.
        let manifest = Manifest::parse(format.as_bytes())?;
        let Attribute { shape, symmetric, element, notes, .. } =
            serde_json::from_value(attribute).map_err(damaged)?;
        if shape.contains(&0) || (symmetric && shape[0] != shape[1]) {
            return Err(Unreadable::Damaged(format!("it holds no kernels of shape {shape:?}")));
        }
        let layout = Layout::new(shape, symmetric, manifest.tile[0].max(manifest.tile[1]));
        if layout.chunk() != manifest.tile {
            return Err(Unreadable::Damaged(format!("it has no chunks of {:?}", manifest.tile)));
        }
        Ok(Content { layout, element, identity: manifest.identity, notes })
    }

    /// The `zarr.json` of the group.
    pub(super) fn group(&self) -> Vec<u8> {
        let Content { layout, element, identity, notes } = self;
        let manifest = Manifest::new(identity.clone(), layout.chunk()).to_bytes();
        let attribute = Attribute {
            computation: serde_json::from_slice(&manifest).expect("a manifest is JSON"),
            shape: layout.shape(),
            symmetric: layout.is_symmetric(),
            element: *element,
            notes: notes.clone(),
        };
        printed(&json!({ "zarr_format": 3, "node_type": "group", "attributes": { OURS: attribute } }))
    }

    /// The `zarr.json` of each array.
    pub(super) fn array(&self) -> Vec<u8> {
        let Content { layout, element, .. } = self;
        let crc32c = json!({ "name": "crc32c" });
        let bytes = json!({ "name": "bytes", "configuration": { "endian": "little" } });
        let codecs = if layout.block() == layout.chunk() {
            json!([bytes, crc32c])
        } else {
            json!([{ "name": "sharding_indexed", "configuration": {
                "chunk_shape": layout.chunk(),
                "codecs": [bytes, crc32c],
                "index_codecs": [bytes, crc32c],
                "index_location": "end",
            } }])
        };
        printed(&json!({
            "zarr_format": 3,
            "node_type": "array",
            "shape": layout.shape(),
            "data_type": element.name(),
            "chunk_grid": { "name": "regular", "configuration": { "chunk_shape": layout.block() } },
            "chunk_key_encoding": { "name": "default", "configuration": { "separator": "/" } },
            "fill_value": "NaN",
            "codecs": codecs,
            "attributes": {},
            "dimension_names": ["sample1", "sample2"],
        }))
    }
}

fn printed(value: &Value) -> Vec<u8> {
    serde_json::to_vec_pretty(value).expect("strings and numbers have a JSON form")
}
