//! The layers by name, and how each is read from its keys.

use super::{
    Conv, Dense, Dropout, GlobalPool, GroupConv, Layer, LayerNorm, Lift, MaxPool, Pool, PoolKind, S2Conv,
    So3Conv, absent::absent,
};
use crate::{Activation, ArchError, error::nearest, keys::Keys};

/// Reads a layer from its keys.
type Read = fn(&mut Keys<'_>) -> Result<Layer, ArchError>;

/// The layers that are not activations.
const TABLE: [(&str, Read); 19] = [
    ("dense", |keys| Ok(Dense::read(keys)?.into())),
    ("conv", |keys| Ok(Conv::read(keys)?.into())),
    ("lift", |keys| Ok(Lift::read(keys)?.into())),
    ("group_conv", |keys| Ok(GroupConv::read(keys)?.into())),
    ("group_pool", |_| Ok(Layer::GroupPool)),
    ("avg_pool", |keys| Ok(Pool::read(PoolKind::Mean, keys)?.into())),
    ("sum_pool", |keys| Ok(Pool::read(PoolKind::Sum, keys)?.into())),
    ("max_pool", |keys| Ok(MaxPool::read(keys)?.into())),
    ("global_avg_pool", |_| Ok(GlobalPool::mean().into())),
    ("global_sum_pool", |_| Ok(GlobalPool::sum().into())),
    ("flatten", |_| Ok(Layer::Flatten)),
    ("s2_conv", |keys| Ok(S2Conv::read(keys)?.into())),
    ("so3_conv", |keys| Ok(So3Conv::read(keys)?.into())),
    ("so3_pool", |_| Ok(Layer::So3Pool)),
    ("atom_sum", |_| Ok(Layer::AtomSum)),
    ("layer_norm", |keys| Ok(LayerNorm::read(keys)?.into())),
    ("dropout", |keys| Ok(Dropout::read(keys)?.into())),
    ("sum", |_| Ok(Layer::Sum)),
    ("identity", |_| Ok(Layer::Identity)),
];

impl Layer {
    /// Every op of architecture files.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TABLE.into_iter().map(|(name, _)| name).chain(Activation::NAMES)
    }

    /// Why a layer that other libraries have is none here, and what stands in for it.
    pub fn absent(op: &str) -> Option<&'static str> {
        absent(op)
    }

    /// The layer of the op of these keys.
    pub(crate) fn read(keys: &mut Keys<'_>) -> Result<Layer, ArchError> {
        let op = keys.op();
        if let Some(activation) = Activation::read(&op, keys)? {
            return Ok(Layer::Activation(activation));
        }
        if let Some((_, read)) = TABLE.into_iter().find(|(name, _)| *name == op) {
            return read(keys);
        }
        match absent(&op) {
            Some(reason) => Err(ArchError::AbsentLayer { place: keys.place().clone(), reason }),
            None => Err(ArchError::UnknownLayer {
                place: keys.place().clone(),
                nearest: nearest(&op, Layer::names()),
                known: Layer::names().collect::<Vec<_>>().join(", "),
            }),
        }
    }
}
