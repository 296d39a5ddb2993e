//! The closed list of layers.

use super::{
    Conv, Dense, Dropout, GlobalPool, GroupConv, LayerNorm, Lift, MaxPool, Pool, S2Conv, So3Conv, Weights,
    atom_sum::AtomSum,
    flatten::Flatten,
    group_pool::GroupPool,
    identity::Identity,
    kind::{Arity, Incoming, Kind},
    so3_pool::So3Pool,
    sum::Sum,
};
use crate::{Activation, ArchError, Domain, Window, keys::Section};

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
    /// The largest value over windows.
    MaxPool(MaxPool),
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

impl Layer {
    /// The layer as what it says of itself.
    fn kind(&self) -> &dyn Kind {
        match self {
            Layer::Dense(layer) => layer,
            Layer::Conv(layer) => layer,
            Layer::Lift(layer) => layer,
            Layer::GroupConv(layer) => layer,
            Layer::GroupPool => &GroupPool,
            Layer::Pool(layer) => layer,
            Layer::MaxPool(layer) => layer,
            Layer::GlobalPool(layer) => layer,
            Layer::Flatten => &Flatten,
            Layer::S2Conv(layer) => layer,
            Layer::So3Conv(layer) => layer,
            Layer::So3Pool => &So3Pool,
            Layer::AtomSum => &AtomSum,
            Layer::LayerNorm(layer) => layer,
            Layer::Dropout(layer) => layer,
            Layer::Sum => &Sum,
            Layer::Identity => &Identity,
            Layer::Activation(layer) => layer,
        }
    }

    /// The op in architecture files.
    pub fn name(&self) -> &'static str {
        self.kind().name()
    }

    /// The weights, if the layer has any.
    pub fn weights(&self) -> Option<&Weights> {
        self.kind().weights()
    }

    /// The same layer with this number of output features, if it has weights.
    pub fn with_width(mut self, width: usize) -> Layer {
        let weights = match &mut self {
            Layer::Dense(layer) => &mut layer.weights,
            Layer::Conv(layer) => &mut layer.weights,
            Layer::Lift(layer) => &mut layer.weights,
            Layer::GroupConv(layer) => &mut layer.weights,
            Layer::S2Conv(layer) => &mut layer.weights,
            Layer::So3Conv(layer) => &mut layer.weights,
            _ => return self,
        };
        weights.width = Some(width);
        self
    }

    /// The window, if the layer slides one.
    pub fn window(&self) -> Option<&Window> {
        self.kind().window()
    }

    /// How many inputs the layer reads.
    pub(crate) fn arity(&self) -> Arity {
        self.kind().arity()
    }

    /// Whether the layer needs a Gaussian process as input.
    pub(crate) fn needs_gaussian(&self) -> bool {
        self.kind().needs_gaussian()
    }

    /// Why the output is not a Gaussian process even where the input is one.
    pub(crate) fn destroys_gaussian(&self) -> Option<&'static str> {
        self.kind().destroys_gaussian()
    }

    /// Output domain on one input; the network checks that the others are like it.
    pub(crate) fn output(&self, input: &Incoming<'_>) -> Result<Domain, ArchError> {
        self.kind().output(input)
    }

    /// Writes the keys that differ from their defaults.
    pub(crate) fn write(&self, section: &mut Section) {
        self.kind().write(section);
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
into_layer!(Dense, Conv, Lift, GroupConv, S2Conv, So3Conv, Pool, MaxPool, GlobalPool, LayerNorm, Dropout);
