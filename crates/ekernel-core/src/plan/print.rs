//! The plan in words: what `ekernel plan` shows and the snapshot tests compare.

use std::fmt;

use super::{
    Affine, AtomReadout, Form, Graph, HeadOp, KernelSet, Node, Op, Plan, PlaneNode, PlaneOp, Planes,
    Pointwise, Readout, Sink, SphereOp, Stage,
};
use crate::{AtomPairing, Bytes, Window};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = match self.kinds {
            KernelSet::Nngp => "NNGP",
            KernelSet::Both => "NNGP and NTK",
        };
        let cost = self.cost();
        writeln!(f, "input    {}", self.input)?;
        writeln!(f, "kernels  {kinds}")?;
        if let Some(group) = self.group {
            writeln!(f, "group    {group} ({} elements), as an orbit of the second input", group.order())?;
        }
        for (i, stage) in self.stages.iter().enumerate() {
            let (stage_cost, orbit) = (&cost.stages[i], cost.orbit[i]);
            let planes = format!("{} × {}", offsets(&stage.offsets[0]), offsets(&stage.offsets[1]));
            write!(f, "\nstage {i}  {} planes, offsets {planes}", stage_cost.planes)?;
            writeln!(
                f,
                "{}",
                if orbit > 1 { format!(", for each of {orbit} orbit elements") } else { String::new() }
            )?;
            stage.fmt(f)?;
            writeln!(
                f,
                "  {} elements, {}flop, {}",
                stage_cost.elements,
                si(stage_cost.flops),
                Bytes(stage_cost.bytes)
            )?;
        }
        for (i, (stage, stage_cost)) in self.rotations.iter().zip(&cost.rotations).enumerate() {
            let (nodes, circle) = (stage.nodes, 2 * stage.nodes);
            writeln!(
                f,
                "\nstage {i}  on SO(3), as an orbit of the second input: {nodes} × {circle} × {circle} rotations (beta, alpha, gamma)"
            )?;
            for (i, op) in stage.ops.iter().enumerate() {
                writeln!(f, "  {i:>3} {op}")?;
            }
            writeln!(f, "   => mean over SO(3)")?;
            if stage.truncates() {
                writeln!(f, "  needs each sample's kernel with itself")?;
            }
            let (flops, held) = (si(stage_cost.flops), Bytes(stage_cost.bytes));
            writeln!(f, "  {} rotations, {flops}flop, {held}", stage_cost.points)?;
        }
        if let Some(atoms) = &self.atoms {
            writeln!(f, "\natoms    on scalars per pair of atoms, float64")?;
            let readout = |index: usize| match atoms.readouts[index] {
                AtomReadout::Rotations { stage } => format!("stage {stage}"),
                AtomReadout::Sphere => "mean of products of signals".to_owned(),
            };
            head(&atoms.head, readout, f)?;
            for output in &atoms.outputs {
                let over = match atoms.pairing {
                    AtomPairing::Indexed => "atoms of equal index",
                    AtomPairing::Shared => "all pairs of atoms",
                    AtomPairing::Elements => "all pairs of atoms of one element",
                };
                writeln!(f, "   => sum of %{output} over {over}")?;
            }
            if atoms.needs_self {
                writeln!(f, "  needs each atom's value with itself")?;
            }
        }
        writeln!(f, "\nhead     on scalars, float64")?;
        head(&self.head, |index| self.readout(index), f)?;
        if self.needs_self {
            writeln!(f, "  needs each sample's value with itself")?;
        }
        let (pair, held) = match (&self.atoms, self.rotations.is_empty()) {
            (Some(_), _) => ("per pair of atoms", "working memory"),
            (None, false) => ("per pair", "working memory"),
            (None, true) => ("per pair", "planes"),
        };
        writeln!(f, "\n{pair} {}flop, {} of {held} in float32", si(cost.flops), Bytes(cost.bytes))?;
        writeln!(f, "         (full kernel tensors would take {})", Bytes(cost.tensor_bytes))
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, op) in self.ops.iter().enumerate() {
            writeln!(f, "  {i:>3} {op}")?;
        }
        match self.sink {
            Sink::Mean { scale: 1.0 } => writeln!(f, "   => mean over all pairs of positions"),
            Sink::Mean { .. } => writeln!(f, "   => sum over all pairs of positions"),
            Sink::Diagonal => writeln!(f, "   => mean over equal positions"),
            Sink::LocalPool { window, scale } => {
                let kind = if scale == 1.0 { "mean" } else { "sum" };
                writeln!(
                    f,
                    "   => local {kind} {} -> {}×{}",
                    windowed(&window),
                    self.output[0],
                    self.output[1]
                )
            }
            Sink::Rewrap => writeln!(f, "   => offsets modulo {}×{}", self.output[0], self.output[1]),
        }
    }
}

impl fmt::Display for PlaneNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Planes { extent, step, cyclic, form } = self.at;
        let op = self.op.to_string();
        write!(f, "{op:<28} {:<9} {}×{}", reads(&self.inputs), extent[0], extent[1])?;
        if step != [1, 1] {
            write!(f, " step {}×{}", step[0], step[1])?;
        }
        if cyclic {
            write!(f, " cyclic")?;
        }
        write!(f, "  {}  [{}]", if form == Form::Defect { "defect" } else { "cov" }, self.label)
    }
}

impl fmt::Display for Node<SphereOp> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<28} {:<9} [{}]", self.op.to_string(), reads(&self.inputs), self.label)
    }
}

/// The ops of a head; `readout` says what one of its readouts is.
fn head(ops: &Graph<HeadOp>, readout: impl Fn(usize) -> String, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (i, node) in ops.iter().enumerate() {
        let what = match node.op {
            HeadOp::Readout(index) => readout(index),
            HeadOp::Pointwise(op) => op.to_string(),
        };
        writeln!(f, "  {i:>3} {what:<38} {:<9} [{}]", reads(&node.inputs), node.label)?;
    }
    Ok(())
}

impl Plan {
    /// What a readout is.
    fn readout(&self, index: usize) -> String {
        match &self.readouts[index] {
            Readout::Vector => "mean of products of features".to_owned(),
            Readout::Planes { stage, orbit } if orbit.len() == 1 => format!("stage {stage}"),
            Readout::Planes { stage, orbit } => {
                format!("mean of stage {stage} over {} orbit elements", orbit.len())
            }
            Readout::Rotations { stage } => format!("stage {stage}"),
            Readout::Sphere => "mean of products of signals".to_owned(),
            Readout::Atoms { output } if self.atoms.as_ref().is_some_and(|a| a.outputs.len() > 1) => {
                format!("atoms, sum {output}")
            }
            Readout::Atoms { .. } => "atoms".to_owned(),
        }
    }
}

impl fmt::Display for PlaneOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlaneOp::Correlate => f.write_str(self.name()),
            PlaneOp::Pooled(stage) => write!(f, "{} stage {stage}", self.name()),
            PlaneOp::BoxMean(window) => write!(f, "{} {}", self.name(), windowed(window)),
            PlaneOp::Pointwise(op) => op.fmt(f),
        }
    }
}

impl fmt::Display for SphereOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SphereOp::Correlate { bandlimit } | SphereOp::Truncate { bandlimit } => {
                write!(f, "{} l < {bandlimit}", self.name())
            }
            SphereOp::Pointwise(op) => op.fmt(f),
        }
    }
}

impl fmt::Display for HeadOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeadOp::Readout(readout) => write!(f, "{} {readout}", self.name()),
            HeadOp::Pointwise(op) => op.fmt(f),
        }
    }
}

impl fmt::Display for Pointwise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Pointwise::Affine(Affine { w2, b2, ntk_scale, ntk_shift }) => {
                write!(f, " {}·K + {}", plain(*w2), plain(*b2))?;
                if (ntk_scale, ntk_shift) != (w2, b2) {
                    write!(f, " (Θ: {}·K + {})", plain(*ntk_scale), plain(*ntk_shift))?;
                }
                Ok(())
            }
            Pointwise::Dual(activation) => write!(f, " {}", activation.name()),
            Pointwise::Normalize(over) => write!(f, " {over:?}"),
            Pointwise::Dropout(keep) => write!(f, " keep {keep}"),
            Pointwise::Sum => Ok(()),
        }
    }
}

fn reads(inputs: &[usize]) -> String {
    inputs.iter().map(|input| format!("%{input}")).collect::<Vec<_>>().join(" ")
}

fn windowed(window: &Window) -> String {
    let Window { size, strides, padding } = window;
    let strides =
        if *strides == [1, 1] { String::new() } else { format!(" strides {}×{}", strides[0], strides[1]) };
    format!("{}×{}{strides} {padding}", size[0], size[1])
}

fn offsets(list: &[isize]) -> String {
    match list {
        [] => "none".to_owned(),
        [only] => format!("{{{only}}}"),
        [first, .., last] if (last - first) as usize + 1 == list.len() => format!("{{{first}..{last}}}"),
        [first, second] => format!("{{{first}, {second}}}"),
        [first, second, .., last] => format!("{{{first}, {second}..{last}}}"),
    }
}

fn si(x: u64) -> String {
    match x {
        0..1_000 => format!("{x} "),
        1_000..1_000_000 => format!("{:.1} k", x as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} M", x as f64 / 1e6),
        _ => format!("{:.1} G", x as f64 / 1e9),
    }
}

/// The number without the rounding of a square: 0.04 for 0.2², which is 0.04000000000000001.
fn plain(value: f64) -> f64 {
    format!("{value:.12e}").parse().unwrap_or(value)
}
