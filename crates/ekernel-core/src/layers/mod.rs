//! The layers: one file each, with the layer's keys and its rule from input to output domain.

mod atom_sum;
mod conv;
mod dense;
mod dropout;
mod flatten;
mod global_pool;
mod group_conv;
mod group_pool;
mod layer_norm;
mod lift;
mod pool;
mod s2_conv;
mod so3_conv;
mod so3_pool;
mod weights;

pub use conv::Conv;
pub use dense::Dense;
pub use dropout::Dropout;
pub use global_pool::GlobalPool;
pub use group_conv::GroupConv;
pub use layer_norm::{LayerNorm, NormAxes};
pub use lift::Lift;
pub use pool::{Pool, PoolKind};
pub use s2_conv::S2Conv;
pub use so3_conv::So3Conv;
pub use weights::{Parameterization, Weights};

use crate::{
    Activation, Domain,
    arch::{ArchError, Keys, Section},
    error::{Place, nearest},
};

/// One layer of a network.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// A fully connected layer on vectors.
    Dense(Dense),
    /// A convolution on a grid.
    Conv(Conv),
    /// A convolution from a grid to a group grid.
    Lift(Lift),
    /// A convolution on a group grid.
    GroupConv(GroupConv),
    /// The mean over a whole group grid.
    GroupPool,
    /// The mean or sum over windows.
    Pool(Pool),
    /// The mean or sum over a whole grid.
    GlobalPool(GlobalPool),
    /// All positions' features side by side as one vector.
    Flatten,
    /// A convolution from the sphere to SO(3).
    S2Conv(S2Conv),
    /// A convolution on SO(3).
    So3Conv(So3Conv),
    /// The mean over SO(3).
    So3Pool,
    /// The sum over the atoms of a molecule.
    AtomSum,
    /// Layer normalisation.
    LayerNorm(LayerNorm),
    /// Dropout with scaling by the inverse keep rate.
    Dropout(Dropout),
    /// The sum of several branches.
    Sum,
    /// Nothing.
    Identity,
    /// A pointwise nonlinearity.
    Activation(Activation),
}

/// One input of a layer whose output domain is asked for.
pub(crate) struct Incoming<'a> {
    pub(crate) place: &'a Place,
    pub(crate) source: &'a Place,
    pub(crate) domain: Domain,
}

impl Incoming<'_> {
    fn wrong_domain(&self, needs: &str) -> ArchError {
        ArchError::Domain {
            place: self.place.clone(),
            source_place: self.source.clone(),
            found: self.domain,
            needs: needs.to_owned(),
        }
    }
}

/// Names of the layers that are not activations.
const NAMES: [&str; 18] = [
    "dense",
    "conv",
    "lift",
    "group_conv",
    "group_pool",
    "avg_pool",
    "sum_pool",
    "global_avg_pool",
    "global_sum_pool",
    "flatten",
    "s2_conv",
    "so3_conv",
    "so3_pool",
    "atom_sum",
    "layer_norm",
    "dropout",
    "sum",
    "identity",
];

impl Layer {
    /// Every op of architecture files.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.into_iter().chain(Activation::NAMES)
    }

    /// The op in architecture files.
    pub fn name(&self) -> &'static str {
        match self {
            Layer::Dense(_) => "dense",
            Layer::Conv(_) => "conv",
            Layer::Lift(_) => "lift",
            Layer::GroupConv(_) => "group_conv",
            Layer::GroupPool => "group_pool",
            Layer::Pool(Pool { kind: PoolKind::Mean, .. }) => "avg_pool",
            Layer::Pool(Pool { kind: PoolKind::Sum, .. }) => "sum_pool",
            Layer::GlobalPool(GlobalPool { kind: PoolKind::Mean }) => "global_avg_pool",
            Layer::GlobalPool(GlobalPool { kind: PoolKind::Sum }) => "global_sum_pool",
            Layer::Flatten => "flatten",
            Layer::S2Conv(_) => "s2_conv",
            Layer::So3Conv(_) => "so3_conv",
            Layer::So3Pool => "so3_pool",
            Layer::AtomSum => "atom_sum",
            Layer::LayerNorm(_) => "layer_norm",
            Layer::Dropout(_) => "dropout",
            Layer::Sum => "sum",
            Layer::Identity => "identity",
            Layer::Activation(activation) => activation.name(),
        }
    }

    /// The weights, if the layer has any.
    pub fn weights(&self) -> Option<&Weights> {
        match self {
            Layer::Dense(Dense { weights })
            | Layer::Conv(Conv { weights, .. })
            | Layer::Lift(Lift { weights, .. })
            | Layer::GroupConv(GroupConv { weights, .. })
            | Layer::S2Conv(S2Conv { weights, .. })
            | Layer::So3Conv(So3Conv { weights, .. }) => Some(weights),
            _ => None,
        }
    }

    /// Whether the layer needs a Gaussian process as input.
    pub(crate) fn needs_gaussian(&self) -> bool {
        matches!(self, Layer::Activation(_) | Layer::LayerNorm(_) | Layer::Sum)
    }

    /// Why the output is not a Gaussian process even where the input is one.
    pub(crate) fn destroys_gaussian(&self) -> Option<&'static str> {
        match self {
            Layer::Activation(_) => Some("a nonlinearity of a Gaussian is not Gaussian"),
            Layer::Flatten => Some(
                "flatten lines up features of different positions, which are not identically distributed",
            ),
            Layer::Dropout(_) => Some("dropout multiplies by random masks"),
            _ => None,
        }
    }

    /// Output domain on one input; `sum` is checked by the network.
    pub(crate) fn output(&self, input: &Incoming<'_>) -> Result<Domain, ArchError> {
        match self {
            Layer::Dense(_) => dense::output(input),
            Layer::Conv(conv) => conv.output(input),
            Layer::Lift(lift) => lift.output(input),
            Layer::GroupConv(conv) => conv.output(input),
            Layer::GroupPool => group_pool::output(input),
            Layer::Pool(pool) => pool.output(input),
            Layer::GlobalPool(_) => global_pool::output(input),
            Layer::Flatten => flatten::output(input),
            Layer::S2Conv(conv) => conv.output(input),
            Layer::So3Conv(conv) => conv.output(input),
            Layer::So3Pool => so3_pool::output(input),
            Layer::AtomSum => atom_sum::output(input),
            Layer::Dropout(dropout) => dropout.output(input),
            Layer::LayerNorm(_) | Layer::Sum | Layer::Identity => Ok(input.domain),
            Layer::Activation(activation) => match activation.bad_parameter() {
                None => Ok(input.domain),
                Some((key, value)) => Err(ArchError::Value {
                    place: input.place.clone(),
                    key: key.to_owned(),
                    found: value.to_string(),
                    needs: if key == "gamma" { "a finite number above 0" } else { "a finite number" }
                        .to_owned(),
                }),
            },
        }
    }

    pub(crate) fn read(keys: &mut Keys<'_>) -> Result<Layer, ArchError> {
        let op = keys.op();
        if let Some(activation) = Activation::read(&op, keys)? {
            return Ok(Layer::Activation(activation));
        }
        Ok(match op.as_str() {
            "dense" => Layer::Dense(Dense { weights: Weights::read(keys)? }),
            "conv" => Layer::Conv(Conv::read(keys)?),
            "lift" => Layer::Lift(Lift::read(keys)?),
            "group_conv" => Layer::GroupConv(GroupConv::read(keys)?),
            "group_pool" => Layer::GroupPool,
            "avg_pool" => Layer::Pool(Pool::read(PoolKind::Mean, keys)?),
            "sum_pool" => Layer::Pool(Pool::read(PoolKind::Sum, keys)?),
            "global_avg_pool" => Layer::GlobalPool(GlobalPool::mean()),
            "global_sum_pool" => Layer::GlobalPool(GlobalPool::sum()),
            "flatten" => Layer::Flatten,
            "s2_conv" => Layer::S2Conv(S2Conv::read(keys)?),
            "so3_conv" => Layer::So3Conv(So3Conv::read(keys)?),
            "so3_pool" => Layer::So3Pool,
            "atom_sum" => Layer::AtomSum,
            "layer_norm" => Layer::LayerNorm(LayerNorm::read(keys)?),
            "dropout" => Layer::Dropout(Dropout::read(keys)?),
            "sum" => Layer::Sum,
            "identity" => Layer::Identity,
            _ => {
                return Err(ArchError::UnknownLayer {
                    place: keys.place().clone(),
                    nearest: nearest(&op, Layer::names()),
                    known: Layer::names().collect::<Vec<_>>().join(", "),
                });
            }
        })
    }

    pub(crate) fn write(&self, section: &mut Section) {
        match self {
            Layer::Dense(Dense { weights }) => weights.write(section),
            Layer::Conv(conv) => conv.write(section),
            Layer::Lift(lift) => lift.write(section),
            Layer::GroupConv(conv) => conv.write(section),
            Layer::Pool(pool) => pool.write(section),
            Layer::S2Conv(conv) => conv.write(section),
            Layer::So3Conv(conv) => conv.write(section),
            Layer::LayerNorm(norm) => norm.write(section),
            Layer::Dropout(dropout) => dropout.write(section),
            Layer::Activation(activation) => activation.write(section),
            Layer::GroupPool
            | Layer::GlobalPool(_)
            | Layer::Flatten
            | Layer::So3Pool
            | Layer::AtomSum
            | Layer::Sum
            | Layer::Identity => {}
        }
    }
}

impl From<Activation> for Layer {
    fn from(activation: Activation) -> Layer {
        Layer::Activation(activation)
    }
}

macro_rules! into_layer {
    ($($name:ident),*) => { $(impl From<$name> for Layer {
        fn from(layer: $name) -> Layer {
            Layer::$name(layer)
        }
    })* };
}
into_layer!(Dense, Conv, Lift, GroupConv, S2Conv, So3Conv, Pool, GlobalPool, LayerNorm, Dropout);
