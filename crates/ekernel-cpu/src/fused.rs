//! Recognises the runs of convolutions and activations in a stage that the fused kernel computes in one pass.

use std::fmt;

use ekernel_core::{
    Activation, Input, Padding, Window,
    plan::{Affine, Form, Plan, PlaneNode, PlaneOp, Pointwise, Sink, Stage},
};

use crate::{
    CpuOptions, Precision,
    chain::{self, Chain, ChainError, ConvLayer, Entry},
};

/// Channels, and positions under a window, up to which float32 keeps a chain's sums exact enough: their grid is the coarser the
/// longer they are. Measured on noise and on opposite constant images: 7e-7 at 128, 3e-6 at 256, 6e-6 at 512, 4e-5 at 4096, 6e-4 at
/// 70000.
const MOST_TERMS: usize = 128;

/// The same for smooth activations, whose sums are rounded step by step; op by op longer ones are compensated.
const MOST_PLAIN_TERMS: usize = 32;

/// A run of ops of a stage as a chain.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    /// Of any images, and of those without negative pixels.
    pub(crate) chains: [Chain; 2],
    /// The op whose plane it reads; of the correlation only the pixels.
    pub(crate) source: usize,
    /// Its first and its last op.
    pub(crate) first: usize,
    pub(crate) last: usize,
}

impl Segment {
    /// The chain of any images.
    pub(crate) fn chain(&self) -> &Chain {
        &self.chains[0]
    }

    /// Whether it begins at the pixels.
    pub(crate) fn reads_pixels(&self) -> bool {
        self.chain().entry == Entry::Pixels
    }
}

/// How a stage is computed.
#[derive(Clone, Debug)]
pub(crate) struct FusedStage {
    /// The runs that the fused kernel computes, in order. All other ops run by themselves.
    pub(crate) segments: Vec<Segment>,
    /// Ops whose planes nothing needs: what is inside of segments.
    pub(crate) skipped: Vec<bool>,
    /// Ops that run by themselves, or that such ops read.
    pub(crate) by_itself: Vec<bool>,
    /// Convolutions that run by themselves, and why.
    unfused: Vec<(usize, Unfused)>,
}

/// A stage that is one segment, from the pixels to a readout.
#[derive(Clone, Debug)]
pub(crate) struct Whole<'a> {
    pub(crate) chains: &'a [Chain; 2],
    /// The offsets that a readout sums over.
    pub(crate) offsets: Vec<[isize; 2]>,
    /// From the sum over planes to the readout.
    pub(crate) scale: f64,
}

/// Why a convolution runs by itself.
#[derive(Clone, Debug, PartialEq)]
enum Unfused {
    Asked,
    Affine,
    Parameterization,
    Wraps,
    Extent,
    Long(usize),
    Defect,
    Activation,
    Chain(ChainError),
}

impl fmt::Display for Unfused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unfused::Asked => write!(f, "the options ask for it"),
            Unfused::Affine => write!(f, "no weights stand behind it"),
            Unfused::Parameterization => write!(f, "it is in the standard parameterisation"),
            Unfused::Wraps => {
                write!(f, "its stride or its padding does not go with offsets that wrap around")
            }
            Unfused::Extent => write!(f, "its window gives another number of positions"),
            Unfused::Long(terms) => write!(f, "float32 sums of {terms} terms are compensated"),
            Unfused::Defect => write!(f, "a smooth activation hands over a defect"),
            Unfused::Activation => write!(f, "neither a kinked nor a smooth activation reads it alone"),
            Unfused::Chain(error) => write!(f, "{error}"),
        }
    }
}

/// Whether the fused kernel computes some ops of a plan.
pub fn fuses(plan: &Plan, options: &CpuOptions) -> bool {
    plan.stages.iter().any(|stage| !FusedStage::new(plan, stage, options).segments.is_empty())
}

/// How each stage of planes is computed, one line for each run of ops that the fused kernel computes and one for each convolution that
/// runs by itself.
pub fn strategies(plan: &Plan, options: &CpuOptions) -> Vec<String> {
    let mut lines = Vec::new();
    for (at, stage) in plan.stages.iter().enumerate() {
        let fused = FusedStage::new(plan, stage, options);
        for Segment { first, last, chains: [chain, _], .. } in &fused.segments {
            let layers = match chain.len() {
                1 => "a convolution".to_owned(),
                count => format!("{count} convolutions"),
            };
            lines.push(format!("stage {at}: %{first} to %{last} fused, {layers} in one pass"));
        }
        for (op, reason) in &fused.unfused {
            lines.push(format!("stage {at}: %{op} op by op, {reason}"));
        }
    }
    lines
}

impl FusedStage {
    /// Finds the segments: box_mean, affine and, mostly, the dual of an activation in a row, all of one padding, in the NTK
    /// parameterisation, with kinked activations or with smooth ones.
    ///
    /// Not in float32 if a sum is longer than [`MOST_TERMS`], or [`MOST_PLAIN_TERMS`].
    pub(crate) fn new(plan: &Plan, stage: &Stage, options: &CpuOptions) -> FusedStage {
        let ops = &stage.ops;
        let none = vec![false; ops.len()];
        let (skipped, by_itself) = (none.clone(), none);
        let mut fused = FusedStage { segments: Vec::new(), skipped, by_itself, unfused: Vec::new() };
        let finder = Finder { plan, ops, readers: readers(ops), options };
        let mut at = 0;
        while at < ops.len() {
            match (&ops[at].op, finder.segment(at)) {
                (PlaneOp::BoxMean(_), Ok(segment)) => {
                    at = segment.last;
                    fused.skipped[segment.first..segment.last].fill(true);
                    fused.segments.push(segment);
                }
                (PlaneOp::BoxMean(_), Err(reason)) => fused.unfused.push((at, reason)),
                _ => {}
            }
            at += 1;
        }
        for (at, readers) in finder.readers.iter().enumerate() {
            let begins = |reader: &usize| {
                fused.segments.iter().any(|segment| segment.first == *reader && segment.reads_pixels())
            };
            if ops[at].op == PlaneOp::Correlate && !readers.is_empty() && readers.iter().all(begins) {
                fused.skipped[at] = true;
            }
        }
        for (at, op) in ops.iter().enumerate() {
            if !fused.skipped[at] && fused.segments.iter().all(|segment| segment.last != at) {
                fused.by_itself[at] = true;
                op.inputs.iter().for_each(|&input| fused.by_itself[input] = true);
            }
        }
        fused
    }

    /// Whether no convolution runs by itself.
    pub(crate) fn is_fused(&self) -> bool {
        self.unfused.is_empty()
    }

    /// The stage as one chain from the pixels to a readout, if it is that.
    pub(crate) fn whole(&self, stage: &Stage) -> Option<Whole<'_>> {
        let [segment] = &self.segments[..] else { return None };
        let covers = segment.source == 0 && segment.first == 1 && segment.last + 1 == stage.ops.len();
        if !covers || !segment.reads_pixels() {
            return None;
        }
        let positions = stage.last().at.positions() as f64;
        let scale = match stage.sink {
            Sink::Mean { scale } => scale / (positions * positions),
            Sink::Diagonal => positions.recip(),
            Sink::LocalPool { .. } | Sink::Rewrap => return None,
        };
        let [rows, columns] = &stage.offsets;
        let offsets = rows.iter().flat_map(|&row| columns.iter().map(move |&column| [row, column]));
        Some(Whole { chains: &segment.chains, offsets: offsets.collect(), scale })
    }
}

/// For every op those that read it.
fn readers(ops: &[PlaneNode]) -> Vec<Vec<usize>> {
    let mut readers = vec![Vec::new(); ops.len()];
    for (at, op) in ops.iter().enumerate() {
        op.inputs.iter().for_each(|&input| readers[input].push(at));
    }
    readers
}

/// Looks for segments in a stage.
struct Finder<'a> {
    plan: &'a Plan,
    ops: &'a [PlaneNode],
    readers: Vec<Vec<usize>>,
    options: &'a CpuOptions,
}

/// A layer of a segment: its window, what the chain makes of it, and its last op.
struct Found {
    window: Window,
    conv: ConvLayer,
    last: usize,
}

impl Finder<'_> {
    /// The longest segment that begins with the convolution `at`.
    fn segment(&self, at: usize) -> Result<Segment, Unfused> {
        if !self.options.fused {
            return Err(Unfused::Asked);
        }
        let head = self.layer(at)?;
        let (padding, plain) = (head.window.padding, is_plain(&head));
        let source = self.ops[at].inputs[0];
        let (entry, shape) = self.entry(source, plain)?;
        let mut layers = vec![head];
        loop {
            let last = layers[layers.len() - 1].last;
            if self.readers[last] != [last + 1] {
                break;
            }
            match self.layer(last + 1) {
                Ok(next) if next.window.padding == padding && is_plain(&next) == plain => layers.push(next),
                _ => break,
            }
        }
        let last = layers[layers.len() - 1].last;
        let convs: Vec<ConvLayer> = layers.into_iter().map(|layer| layer.conv).collect();
        let padding = match padding {
            Padding::Valid => chain::Padding::Valid,
            Padding::Same => chain::Padding::Same,
            Padding::Circular => chain::Padding::Circular,
        };
        let chain = Chain::behind(entry, shape, padding, &convs).map_err(Unfused::Chain)?;
        let chains = [false, true].map(|nonnegative| chain.clone().nonnegative(nonnegative));
        Ok(Segment { chains, source, first: at, last })
    }

    /// What a segment reads, and rows, columns and channels of it.
    fn entry(&self, source: usize, plain: bool) -> Result<(Entry, [usize; 3]), Unfused> {
        let PlaneNode { op, at, .. } = &self.ops[source];
        if let (PlaneOp::Correlate, Input::Image { height, width, channels }) = (op, &self.plan.input) {
            self.fits(*channels, plain)?;
            return Ok((Entry::Pixels, [*height, *width, *channels]));
        }
        if !plain && at.form == Form::Cov {
            return Err(Unfused::Defect);
        }
        Ok((Entry::Plane(at.form), [at.extent[0], at.extent[1], 1]))
    }

    /// Whether a sum is short enough.
    fn fits(&self, terms: usize, plain: bool) -> Result<(), Unfused> {
        let most = if plain { MOST_PLAIN_TERMS } else { MOST_TERMS };
        let long = self.options.precision == Precision::F32 && terms > most;
        if long { Err(Unfused::Long(terms)) } else { Ok(()) }
    }

    /// The convolution `at` as a layer: box_mean, affine and the dual of an activation that alone reads it. Without such a dual it is a
    /// layer of the identity, if it carries the defect.
    fn layer(&self, at: usize) -> Result<Found, Unfused> {
        let (ops, readers) = (self.ops, &self.readers);
        let Some(PlaneOp::BoxMean(window)) = ops.get(at).map(|op| op.op) else { return Err(Unfused::Affine) };
        let weights = |op: &PlaneNode| match op.op {
            PlaneOp::Pointwise(Pointwise::Affine(affine)) if readers[at] == [at + 1] => Some(affine),
            _ => None,
        };
        let Affine { w2, b2, ntk_scale, ntk_shift } =
            ops.get(at + 1).and_then(weights).ok_or(Unfused::Affine)?;
        if (ntk_scale, ntk_shift) != (w2, b2) {
            return Err(Unfused::Parameterization);
        }
        let planes = [ops[ops[at].inputs[0]].at, ops[at].at];
        if window.output(planes[0].extent) != planes[1].extent {
            return Err(Unfused::Extent);
        }
        let circular = window.padding == Padding::Circular;
        let cyclic = planes.map(|planes| planes.cyclic);
        if cyclic != [circular; 2] || (circular && window.strides != [1, 1]) {
            return Err(Unfused::Wraps);
        }
        let mut last = at + 1;
        let mut activation = Activation::LeakyRelu { alpha: 1.0 };
        if let Some(PlaneOp::Pointwise(Pointwise::Dual(dual))) = ops.get(at + 2).map(|op| op.op)
            && readers[at + 1] == [at + 2]
            && dual != Activation::Sign
        {
            (last, activation) = (at + 2, dual);
        }
        let plain = activation.is_smooth();
        match (plain, ops[at + 1].at.form, ops[last].at.form) {
            (true, _, Form::Defect) => return Err(Unfused::Defect),
            (false, Form::Cov, _) => return Err(Unfused::Activation),
            _ => {}
        }
        self.fits(window.area(), plain)?;
        let conv = ConvLayer {
            window: window.size,
            strides: window.strides,
            w_std: w2.sqrt(),
            b_std: b2.sqrt(),
            activation,
        };
        Ok(Found { window, conv, last })
    }
}

fn is_plain(layer: &Found) -> bool {
    layer.conv.activation.is_smooth()
}
