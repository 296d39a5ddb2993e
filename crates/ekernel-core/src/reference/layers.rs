//! Layers that are not activations.

use super::{
    entry::{Default, Key},
    inputs::{CONV, IMAGE, MOLECULE, SPHERE, VECTOR},
};

/// One op of `[[layers]]`.
pub(super) struct Op {
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    /// Its own keys, then those that several layers have.
    pub(super) keys: &'static [&'static [Key]],
    /// The input and the layers of an example, each as its lines.
    pub(super) input: &'static str,
    pub(super) layers: &'static [&'static str],
}

pub(super) const LAYERS: &[Op] = &[
    Op {
        name: "dense",
        summary: "A fully connected layer: w²K + b².",
        keys: &[WEIGHTS],
        input: VECTOR,
        layers: &["op = \"dense\"\nw_std = 1.5\nb_std = 0.1", "op = \"relu\"", "op = \"dense\""],
    },
    Op {
        name: "conv",
        summary: "A convolution.",
        keys: &[FILTER, WEIGHTS],
        input: IMAGE,
        layers: &[
            "op = \"conv\"\nfilter = [3, 3]\npadding = \"same\"\nstrides = [2, 2]",
            "op = \"relu\"",
            "op = \"flatten\"",
            "op = \"dense\"",
        ],
    },
    Op {
        name: "lift",
        summary: "A convolution whose filter is applied in every orientation of a group; it stands once, on the image.",
        keys: &[
            &[Key {
                name: "group",
                default: Default::Required,
                about: "\"C1\", \"C2\", \"C4\" (quarter turns), \"D1\" (left-right flip), \"D2\" or \"D4\" (all eight symmetries)",
            }],
            FILTER,
            WEIGHTS,
        ],
        input: IMAGE,
        layers: &[LIFT, "op = \"relu\"", "op = \"group_pool\"", "op = \"dense\""],
    },
    Op {
        name: "group_conv",
        summary: "A convolution over positions and orientations.",
        keys: &[FILTER, WEIGHTS],
        input: IMAGE,
        layers: &[
            LIFT,
            "op = \"relu\"",
            "op = \"group_conv\"\nfilter = [3, 3]",
            "op = \"relu\"",
            "op = \"group_pool\"",
            "op = \"dense\"",
        ],
    },
    Op {
        name: "group_pool",
        summary: "The mean over all positions and orientations; the network is invariant under the group from here on.",
        keys: &[],
        input: IMAGE,
        layers: &[LIFT, "op = \"relu\"", "op = \"group_pool\"", "op = \"dense\""],
    },
    Op {
        name: "avg_pool",
        summary: "The mean over windows; with \"same\" padding divided by the full window.",
        keys: &[WINDOW],
        input: IMAGE,
        layers: &[
            CONV,
            "op = \"relu\"",
            "op = \"avg_pool\"\nwindow = [2, 2]",
            "op = \"flatten\"",
            "op = \"dense\"",
        ],
    },
    Op {
        name: "sum_pool",
        summary: "The sum over windows.",
        keys: &[WINDOW],
        input: IMAGE,
        layers: &[
            CONV,
            "op = \"relu\"",
            "op = \"sum_pool\"\nwindow = [2, 2]",
            "op = \"flatten\"",
            "op = \"dense\"",
        ],
    },
    Op {
        name: "max_pool",
        summary: "The largest value over windows; networks of finite width have it, kernels have not.",
        keys: &[WINDOW],
        input: IMAGE,
        layers: &[
            CONV,
            "op = \"relu\"",
            "op = \"max_pool\"\nwindow = [2, 2]",
            "op = \"flatten\"",
            "op = \"dense\"",
        ],
    },
    Op {
        name: "global_avg_pool",
        summary: "The mean over all positions.",
        keys: &[],
        input: IMAGE,
        layers: &[CONV, "op = \"relu\"", "op = \"global_avg_pool\"", "op = \"dense\""],
    },
    Op {
        name: "global_sum_pool",
        summary: "The sum over all positions.",
        keys: &[],
        input: IMAGE,
        layers: &[CONV, "op = \"relu\"", "op = \"global_sum_pool\"", "op = \"dense\""],
    },
    Op {
        name: "flatten",
        summary: "The features of all positions side by side.",
        keys: &[],
        input: IMAGE,
        layers: &[CONV, "op = \"relu\"", "op = \"flatten\"", "op = \"dense\""],
    },
    Op {
        name: "s2_conv",
        summary: "A convolution from the sphere to rotations; it stands once, on the input.",
        keys: &[DEGREES, WEIGHTS],
        input: SPHERE,
        layers: &["op = \"s2_conv\"", "op = \"relu\"", "op = \"so3_pool\"", "op = \"dense\""],
    },
    Op {
        name: "so3_conv",
        summary: "A convolution on rotations.",
        keys: &[DEGREES, WEIGHTS],
        input: SPHERE,
        layers: &[
            "op = \"s2_conv\"",
            "op = \"relu\"",
            "op = \"so3_conv\"\nbandlimit = 2",
            "op = \"relu\"",
            "op = \"so3_pool\"",
            "op = \"dense\"",
        ],
    },
    Op {
        name: "so3_pool",
        summary: "The mean over all rotations; the network is invariant under rotations from here on.",
        keys: &[],
        input: SPHERE,
        layers: &["op = \"s2_conv\"", "op = \"relu\"", "op = \"so3_pool\"", "op = \"dense\""],
    },
    Op {
        name: "atom_sum",
        summary: "The sum over the atoms of a molecule.",
        keys: &[],
        input: MOLECULE,
        layers: &[
            "op = \"s2_conv\"",
            "op = \"relu\"",
            "op = \"so3_pool\"",
            "op = \"atom_sum\"",
            "op = \"dense\"",
        ],
    },
    Op {
        name: "layer_norm",
        summary: "Divides by the standard deviation of the features of a sample.",
        keys: &[&[Key {
            name: "over",
            default: Default::Is("\"channels\""),
            about: "\"channels\": at each position alone; \"all\": over all positions",
        }]],
        input: VECTOR,
        layers: &["op = \"dense\"", "op = \"layer_norm\"", "op = \"relu\"", "op = \"dense\""],
    },
    Op {
        name: "dropout",
        summary: "Keeps each feature with a probability, divided by it; not on the input.",
        keys: &[&[
            Key {
                name: "keep_rate",
                default: Default::Required,
                about: "the probability of keeping a feature, above 0 and up to 1",
            },
            Key { name: "rate", default: Default::Otherwise("not used"), about: "the old name of keep_rate" },
        ]],
        input: VECTOR,
        layers: &["op = \"dense\"", "op = \"relu\"", "op = \"dropout\"\nkeep_rate = 0.9", "op = \"dense\""],
    },
    Op {
        name: "sum",
        summary: "The sum of several branches, which must be independent: each with a weighted layer of its own.",
        keys: &[],
        input: VECTOR,
        layers: &[
            "op = \"dense\"\nname = \"start\"",
            "op = \"relu\"",
            "op = \"dense\"\nname = \"branch\"",
            "op = \"sum\"\ninputs = [\"start\", \"branch\"]",
            "op = \"relu\"",
            "op = \"dense\"",
        ],
    },
    Op {
        name: "identity",
        summary: "Does nothing; gives a branch a name.",
        keys: &[],
        input: VECTOR,
        layers: &["op = \"dense\"", "op = \"identity\"\nname = \"skip\"", "op = \"relu\"", "op = \"dense\""],
    },
];

const LIFT: &str = "op = \"lift\"\ngroup = \"C4\"\nfilter = [3, 3]";

const WEIGHTS: &[Key] = &[
    Key { name: "w_std", default: Default::Is("1.0"), about: "standard deviation w of the weights" },
    Key {
        name: "b_std",
        default: Default::Otherwise("no bias"),
        about: "standard deviation b of the biases",
    },
    Key {
        name: "parameterization",
        default: Default::Is("\"ntk\""),
        about: "\"ntk\" or \"standard\"; it changes the NTK alone, and a filter on the sphere or on rotations has \"ntk\" alone",
    },
    Key {
        name: "width",
        default: Default::Otherwise("none"),
        about: "number of output features; a next layer in the standard parameterization needs it",
    },
    Key { name: "width_scale", default: Default::Is("1.0"), about: "s₀ of the standard parameterization" },
];

const FILTER: &[Key] = &[
    Key { name: "filter", default: Default::Required, about: "[rows, columns]" },
    Key { name: "strides", default: Default::Is("[1, 1]"), about: "[rows, columns]" },
    PADDING,
];

const WINDOW: &[Key] = &[
    Key { name: "window", default: Default::Required, about: "[rows, columns]" },
    Key { name: "strides", default: Default::Otherwise("the window"), about: "[rows, columns]" },
    PADDING,
];

const PADDING: Key = Key {
    name: "padding",
    default: Default::Is("\"valid\""),
    about: "\"valid\" (none), \"same\" (zeros outside) or \"circular\" (the image wraps)",
};

const DEGREES: &[Key] = &[Key {
    name: "bandlimit",
    default: Default::Otherwise("all degrees"),
    about: "L: the output keeps the degrees l < L",
}];
