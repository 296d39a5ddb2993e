//! What networks read.

use super::entry::{Default, Key};

/// One space of `[input]`.
pub(super) struct Space {
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    pub(super) keys: &'static [Key],
    /// The lines of `[input]`, and the layers of an example, each as its lines.
    pub(super) input: &'static str,
    pub(super) layers: &'static [&'static str],
}

pub(super) const INPUTS: &[Space] = &[
    Space {
        name: "vector",
        summary: "Vectors of features: tables, or anything without neighbours.",
        keys: &[Key { name: "shape", default: Default::Required, about: "[features]" }],
        input: VECTOR,
        layers: &["op = \"dense\"", "op = \"relu\"", "op = \"dense\""],
    },
    Space {
        name: "image",
        summary: "Images.",
        keys: &[Key { name: "shape", default: Default::Required, about: "[height, width, channels]" }],
        input: IMAGE,
        layers: &[CONV, "op = \"relu\"", "op = \"global_avg_pool\"", "op = \"dense\""],
    },
    Space {
        name: "sphere",
        summary: "Signals on the sphere, on 2L rings of 2L - 1 points (the grid of Driscoll and Healy).",
        keys: &[
            BANDLIMIT,
            Key { name: "channels", default: Default::Required, about: "numbers at each point" },
        ],
        input: SPHERE,
        layers: &["op = \"s2_conv\"", "op = \"relu\"", "op = \"so3_pool\"", "op = \"dense\""],
    },
    Space {
        name: "molecule",
        summary: "Molecules: each atom sees the others as a signal on the sphere around it.",
        keys: &[
            BANDLIMIT,
            Key {
                name: "elements",
                default: Default::Required,
                about: "atomic numbers that may occur; each has a channel for each function of the distance",
            },
            Key {
                name: "centers",
                default: Default::Otherwise("all of elements"),
                about: "elements of the atoms that have a signal; the others are only seen",
            },
            Key {
                name: "powers",
                default: Default::Otherwise("[2, 6], none where there are shells"),
                about: "powers p of functions r^-p of the distance",
            },
            Key {
                name: "shells",
                default: Default::Otherwise("none"),
                about: "radii R in Å of functions r^-s exp(-(r - R)²/2w²) of the distance",
            },
            Key {
                name: "shell_width",
                default: Default::Otherwise("0.5"),
                about: "the width w of shells, in Å",
            },
            Key {
                name: "shell_power",
                default: Default::Otherwise("0"),
                about: "the power s of the distance by which shells fall off",
            },
            Key {
                name: "charge_power",
                default: Default::Is("1.0"),
                about: "a of the factor (Z Z')^a; 0 for signals without charges",
            },
            Key {
                name: "cutoff_angle",
                default: Default::Is("45.0"),
                about: "degrees from a neighbour at which its signal has fallen to 5 %",
            },
            Key {
                name: "atoms",
                default: Default::Required,
                about: "which atoms share a network: \"shared\" (all), \"elements\" (those of one element) or \
                        \"indexed\" (none)",
            },
        ],
        input: MOLECULE,
        layers: &[
            "op = \"s2_conv\"",
            "op = \"relu\"",
            "op = \"so3_pool\"",
            "op = \"atom_sum\"",
            "op = \"dense\"",
        ],
    },
];

const BANDLIMIT: Key =
    Key { name: "bandlimit", default: Default::Required, about: "L: signals keep the degrees l < L" };

pub(super) const VECTOR: &str = "space = \"vector\"\nshape = [10]";
pub(super) const IMAGE: &str = "space = \"image\"\nshape = [28, 28, 1]";
pub(super) const SPHERE: &str = "space = \"sphere\"\nbandlimit = 4\nchannels = 1";
pub(super) const MOLECULE: &str =
    "space = \"molecule\"\nbandlimit = 4\nelements = [1, 6, 7, 8, 9]\natoms = \"elements\"";
pub(super) const CONV: &str = "op = \"conv\"\nfilter = [3, 3]";
