//! A name for what a plan computes: equal for equal mathematics, however its file is named, ordered or labelled.
//!
//! The digest is SHA-256 of an encoding that is written out here field by field: a word for every variant, numbers as 8
//! little-endian bytes, floats by their bits, lists after their length. Labels are left out. Structs are taken apart without
//! `..`, so that a new field does not compile until it is part of the digest or named as one that is not.

use std::{fmt, str::FromStr};

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::{
    Affine, AtomPlan, AtomReadout, Form, Graph, HeadOp, KernelSet, Node, Op, Plan, PlaneOp, Planes,
    Pointwise, Readout, RotationStage, Sink, SphereOp, Stage,
};
use crate::{Activation, AtomDescriptor, GroupElement, Input, NormAxes, Window};

/// The digest of a plan: 32 bytes, shown as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

/// A text that is not a digest.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("a digest is 64 hexadecimal digits, found \"{found}\"")]
pub struct DigestError {
    /// The text.
    pub found: String,
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Digest, DigestError> {
        let bad = || DigestError { found: text.to_owned() };
        let digits: Vec<u8> = text
            .chars()
            .map(|c| c.to_digit(16).map(|digit| digit as u8))
            .collect::<Option<_>>()
            .ok_or_else(bad)?;
        let bytes: Vec<u8> =
            digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
        if digits.len() != 64 {
            return Err(bad());
        }
        bytes.try_into().map(Digest).map_err(|_| bad())
    }
}

impl Plan {
    /// The digest of what the plan computes.
    ///
    /// Plans of equal mathematics have equal digests on every machine; names of files, the order of keys, names of layers
    /// and layers that do nothing leave it as it is. Whatever changes a kernel changes it.
    pub fn digest(&self) -> Digest {
        let Plan { input, kinds, group, stages, rotations, atoms, readouts, head, needs_self: _, facts: _ } =
            self;
        let mut to = Encoder(Sha256::new());
        to.word("ekernel plan 1");
        to.input(input);
        to.word(match kinds {
            KernelSet::Nngp => "nngp",
            KernelSet::Both => "both",
        });
        to.word(group.map_or("", |group| group.name()));
        to.list(stages, Encoder::stage);
        to.list(rotations, Encoder::rotation_stage);
        to.list(atoms.as_slice(), Encoder::atoms);
        to.list(readouts, Encoder::readout);
        to.graph(head, Encoder::head_op);
        Digest(to.0.finalize().into())
    }
}

struct Encoder(Sha256);

impl Encoder {
    fn word(&mut self, word: &str) {
        self.count(word.len());
        self.0.update(word);
    }

    fn count(&mut self, count: usize) {
        self.0.update((count as u64).to_le_bytes());
    }

    fn counts(&mut self, counts: &[usize]) {
        self.list(counts, |to, count| to.count(*count));
    }

    fn float(&mut self, x: f64) {
        self.0.update(x.to_bits().to_le_bytes());
    }

    fn floats(&mut self, floats: &[f64]) {
        self.list(floats, |to, x| to.float(*x));
    }

    fn list<T>(&mut self, list: &[T], each: impl Fn(&mut Encoder, &T)) {
        self.count(list.len());
        list.iter().for_each(|item| each(self, item));
    }

    fn input(&mut self, input: &Input) {
        match input {
            Input::Vector { features } => {
                self.word("vector");
                self.count(*features);
            }
            Input::Image { height, width, channels } => {
                self.word("image");
                self.counts(&[*height, *width, *channels]);
            }
            Input::Sphere { bandlimit, channels } => {
                self.word("sphere");
                self.counts(&[*bandlimit, *channels]);
            }
            Input::Molecule { bandlimit, potential, atoms } => {
                self.word("molecule");
                self.count(*bandlimit);
                self.descriptor(potential);
                self.word(atoms.name());
            }
        }
    }

    fn descriptor(&mut self, descriptor: &AtomDescriptor) {
        let AtomDescriptor {
            elements,
            centers,
            powers,
            shells,
            shell_width,
            shell_power,
            charge_power,
            cutoff_angle,
        } = descriptor;
        for numbers in [elements, centers] {
            self.list(numbers, |to, number| to.count((*number).into()));
        }
        self.floats(powers);
        self.floats(shells);
        self.floats(&[*shell_width, *charge_power, *cutoff_angle]);
        // Plans without it keep their names.
        if *shell_power != 0.0 {
            self.floats(&[*shell_power]);
        }
    }

    fn stage(&mut self, stage: &Stage) {
        let Stage { ops, sink, output, output_cyclic, offsets } = stage;
        self.graph(ops, Encoder::plane_op);
        match sink {
            Sink::Mean { scale } => {
                self.word("mean");
                self.float(*scale);
            }
            Sink::Diagonal => self.word("diagonal"),
            Sink::LocalPool { window, scale } => {
                self.word("local_pool");
                self.window(window);
                self.float(*scale);
            }
            Sink::Rewrap => self.word("rewrap"),
        }
        self.counts(output);
        self.count((*output_cyclic).into());
        for axis in offsets {
            self.list(axis, |to, offset| to.0.update((*offset as i64).to_le_bytes()));
        }
    }

    /// The nodes of a graph without their labels.
    fn graph<O, At>(&mut self, graph: &Graph<O, At>, each: impl Fn(&mut Encoder, &O, &[usize], &At)) {
        self.list(graph, |to, Node { op, inputs, at, label: _ }| each(to, op, inputs, at));
    }

    fn plane_op(&mut self, op: &PlaneOp, inputs: &[usize], at: &Planes) {
        let Planes { extent, step, cyclic, form } = at;
        self.word(op.name());
        match op {
            PlaneOp::Correlate => {}
            PlaneOp::Pooled(stage) => self.count(*stage),
            PlaneOp::BoxMean(window) => self.window(window),
            PlaneOp::Pointwise(op) => self.pointwise(op),
        }
        self.counts(inputs);
        self.counts(extent);
        self.counts(step);
        self.count((*cyclic).into());
        self.word(match form {
            Form::Cov => "cov",
            Form::Defect => "defect",
        });
    }

    fn rotation_stage(&mut self, stage: &RotationStage) {
        let RotationStage { bandlimit, nodes, ops } = stage;
        self.counts(&[*bandlimit, *nodes]);
        self.graph(ops, |to, op, inputs, ()| {
            to.word(op.name());
            match op {
                SphereOp::Correlate { bandlimit } | SphereOp::Truncate { bandlimit } => to.count(*bandlimit),
                SphereOp::Pointwise(op) => to.pointwise(op),
            }
            to.counts(inputs);
        });
    }

    fn atoms(&mut self, atoms: &AtomPlan) {
        let AtomPlan { pairing, readouts, head, outputs, needs_self: _ } = atoms;
        self.word(pairing.name());
        self.list(readouts, |to, readout| match readout {
            AtomReadout::Rotations { stage } => {
                to.word("rotations");
                to.count(*stage);
            }
            AtomReadout::Sphere => to.word("sphere"),
        });
        self.graph(head, Encoder::head_op);
        self.counts(outputs);
    }

    fn readout(&mut self, readout: &Readout) {
        match readout {
            Readout::Vector => self.word("vector"),
            Readout::Planes { stage, orbit } => {
                self.word("planes");
                self.count(*stage);
                self.list(orbit, |to, element: &GroupElement| to.word(&element.to_string()));
            }
            Readout::Rotations { stage } => {
                self.word("rotations");
                self.count(*stage);
            }
            Readout::Sphere => self.word("sphere"),
            Readout::Atoms { output } => {
                self.word("atoms");
                self.count(*output);
            }
        }
    }

    fn head_op(&mut self, op: &HeadOp, inputs: &[usize], (): &()) {
        self.word(op.name());
        match op {
            HeadOp::Readout(index) => self.count(*index),
            HeadOp::Pointwise(op) => self.pointwise(op),
        }
        self.counts(inputs);
    }

    /// What follows the op's name.
    fn pointwise(&mut self, op: &Pointwise) {
        match op {
            Pointwise::Affine(Affine { w2, b2, ntk_scale, ntk_shift }) => {
                self.floats(&[*w2, *b2, *ntk_scale, *ntk_shift]);
            }
            Pointwise::Dual(activation) => self.activation(*activation),
            Pointwise::Normalize(over) => self.word(match over {
                NormAxes::Channels => "channels",
                NormAxes::All => "all",
            }),
            Pointwise::Dropout(keep_rate) => self.float(*keep_rate),
            Pointwise::Sum => {}
        }
    }

    fn window(&mut self, window: &Window) {
        let Window { size, strides, padding } = window;
        self.counts(size);
        self.counts(strides);
        self.word(padding.name());
    }

    fn activation(&mut self, activation: Activation) {
        self.word(activation.name());
        match activation {
            Activation::Relu | Activation::Abs | Activation::Gelu | Activation::Sign => {}
            Activation::LeakyRelu { alpha } => self.float(alpha),
            Activation::Erf { a, b, c } | Activation::Sin { a, b, c } | Activation::Cos { a, b, c } => {
                self.floats(&[a, b, c]);
            }
            Activation::Rbf { gamma } => self.float(gamma),
            Activation::Exp { a, b } | Activation::Gaussian { a, b } => self.floats(&[a, b]),
        }
    }
}
