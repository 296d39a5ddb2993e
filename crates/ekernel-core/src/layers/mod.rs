//! The layers: one file each, with all that a layer says of itself ([`kind::Kind`]): name, keys, arity, its rule from input
//! to output domain, whether it needs or ends Gaussianity, window and weights. [`layer`] lists them, [`table`] reads them.

mod absent;
mod activation;
mod atom_sum;
mod conv;
mod dense;
mod dropout;
mod flatten;
mod global_pool;
mod group_conv;
mod group_pool;
mod identity;
mod kind;
mod layer;
mod layer_norm;
mod lift;
mod max_pool;
mod pool;
mod s2_conv;
mod sliding;
mod so3_conv;
mod so3_pool;
mod sum;
mod table;
mod weights;

pub use conv::Conv;
pub use dense::Dense;
pub use dropout::Dropout;
pub use global_pool::GlobalPool;
pub use group_conv::GroupConv;
pub(crate) use kind::Incoming;
pub use layer::Layer;
pub use layer_norm::{LayerNorm, NormAxes};
pub use lift::Lift;
pub use max_pool::MaxPool;
pub use pool::{Pool, PoolKind};
pub use s2_conv::S2Conv;
pub use so3_conv::So3Conv;
pub use weights::{Parameterization, Weights};
