//! Runs a stage: its ops in order on the planes of one offset, and its sink over all offsets.

use ekernel_core::plan::{Form, KernelSet, Plan, PlaneOp, Pointwise, Sink};

use super::{
    Plane, Scalar,
    affine::Affine,
    beat::Beat,
    box_mean::BoxMean,
    correlate::Correlate,
    dropout::Dropout,
    dual::Dual,
    feed::Feed,
    geometry::{self, Run, offset, runs},
    normalize::Normalize,
    pack::{OpMaps, Pack},
    scalar::nonnegative,
    sum::Sum,
};
use crate::{
    chain::{self, First, Scattered, Source, Workspace, scatter_plane},
    fused::{FusedStage, Segment},
    simd::Isa,
};

/// The pairs in the lanes: image l of the first pack with image l of the second.
pub(crate) struct Lanes<'a, T> {
    pub(crate) plan: &'a Plan,
    pub(crate) isa: Isa,
    pub(crate) lanes: usize,
    pub(crate) first: &'a Pack<T>,
    pub(crate) second: &'a Pack<T>,
    /// Per stage the segments that the fused kernel computes; empty where all is op by op.
    pub(crate) fused: &'a [FusedStage],
    /// The images of each segment, `[stage][segment]`.
    pub(crate) images: Vec<Vec<SegmentImages<'a, T>>>,
    /// 1 where both images of a lane are bit for bit equal, so that at equal positions K = v exactly.
    pub(crate) identical: Vec<T>,
    /// 1 where both are the same sample (for dropout).
    pub(crate) same: Vec<T>,
    /// Asked after each plane; when it says no, what is found is incomplete.
    pub(crate) beat: &'a Beat<'a>,
}

impl<T: Scalar> Lanes<'_, T> {
    pub(super) fn has_ntk(&self) -> bool {
        self.plan.kinds == KernelSet::Both
    }

    fn maps(&self, stage: usize, op: usize) -> [&OpMaps<T>; 2] {
        [&self.first.stages[stage][op], &self.second.stages[stage][op]]
    }
}

/// First images and second ones, as the chain of a segment reads them.
pub(crate) type SegmentImages<'a, T> = (First<'a, T>, &'a chain::Pack<T>);

/// One stage at work: its buffers and the stages that feed it.
pub(crate) struct Runner<T> {
    stage: usize,
    /// The offsets it will be asked for, per axis.
    pub(super) offsets: [Vec<isize>; 2],
    planes: Vec<Option<Plane<T>>>,
    free: Vec<Plane<T>>,
    feeds: Vec<Option<Feed<T>>>,
    /// The memory of each segment, once it has computed a plane.
    workspaces: Vec<Option<Workspace<T>>>,
    /// Segments that have computed no plane of these pairs yet.
    fresh: Vec<bool>,
    /// Inputs of the op being computed, brought from u to K.
    converted: Vec<(usize, Plane<T>)>,
}

impl<T: Scalar> Runner<T> {
    pub(crate) fn new(lanes: &Lanes<'_, T>, stage: usize, offsets: [Vec<isize>; 2]) -> Runner<T> {
        let ops = &lanes.plan.stages[stage].ops;
        let feeds = ops
            .iter()
            .map(|op| match op.op {
                PlaneOp::Pooled(source) => {
                    let read = [0, 1].map(|axis: usize| {
                        offsets[axis].iter().map(|d| d * op.at.step[axis] as isize).collect()
                    });
                    Some(Feed::new(lanes, source, read))
                }
                _ => None,
            })
            .collect();
        let segments = lanes.images.get(stage).map_or(0, Vec::len);
        Runner {
            stage,
            offsets,
            planes: ops.iter().map(|_| None).collect(),
            free: Vec::new(),
            feeds,
            workspaces: (0..segments).map(|_| None).collect(),
            fresh: vec![true; segments],
            converted: Vec::new(),
        }
    }

    /// Makes it ready for other pairs of the same plan; memory is kept.
    pub(crate) fn restart(&mut self) {
        self.fresh.fill(true);
        self.free.extend(self.planes.iter_mut().filter_map(Option::take));
        self.feeds.iter_mut().flatten().for_each(Feed::restart);
    }

    /// Runs a readout stage over all its offsets: (K, Θ) per lane.
    pub(crate) fn readout(&mut self, lanes: &Lanes<'_, T>) -> Vec<[f64; 2]> {
        let stage = &lanes.plan.stages[self.stage];
        let Some(op) = stage.ops.last() else { return vec![[0.0; 2]; lanes.lanes] };
        let positions = (op.at.extent[0] * op.at.extent[1]) as f64;
        let scale = match stage.sink {
            Sink::Mean { scale } => scale / (positions * positions),
            _ => positions.recip(),
        };
        let mut sums = vec![[0.0; 2]; lanes.lanes];
        for row in self.offsets[0].clone() {
            for col in self.offsets[1].clone() {
                self.evaluate(lanes, [row, col]);
                let plane = self.output();
                for run in runs(op, offset(op, [row, col])) {
                    add_up(&mut sums, run, lanes.lanes, plane);
                }
                if !lanes.beat.plane() {
                    return sums;
                }
            }
        }
        sums.iter_mut().flatten().for_each(|x| *x *= scale);
        sums
    }

    /// The planes of the last op after [`Runner::evaluate`].
    pub(super) fn output(&self) -> &Plane<T> {
        match self.planes.last() {
            Some(Some(plane)) => plane,
            _ => unreachable!("a stage has at least one op, and its last one is kept"),
        }
    }

    /// Evaluates all ops at the sink offset D.
    pub(super) fn evaluate(&mut self, lanes: &Lanes<'_, T>, sink: [isize; 2]) {
        let plan = lanes.plan;
        let ops = &plan.stages[self.stage].ops;
        let fused = lanes.fused.get(self.stage);
        for (i, op) in ops.iter().enumerate() {
            if let Some(fused) = fused {
                if fused.skipped[i] {
                    continue;
                }
                if let Some(at) = fused.segments.iter().position(|segment| segment.last == i) {
                    self.take_through(&fused.segments[at], at, lanes, sink);
                    continue;
                }
            }
            let d = offset(op, sink);
            let runs = runs(op, d);
            let mut out = self.take(i, lanes);
            self.unify(i, sink, &runs, &mut out, lanes);
            self.step(i, sink, &runs, &mut out, lanes);
            if d == [0, 0] {
                close(op.at.form, &runs, lanes, self.stage, i, &mut out);
            }
            self.planes[i] = Some(out);
            for &input in &op.inputs {
                if self.is_last(i, input, lanes) {
                    self.free.extend(self.planes[input].take());
                }
            }
        }
    }

    /// Whether op i is the last to read `input`.
    fn is_last(&self, i: usize, input: usize, lanes: &Lanes<'_, T>) -> bool {
        lanes.plan.facts().of(self.stage)[input].last_reader == Some(i)
    }

    /// Evaluates the last op of the segment `at` of the stage by the fused kernel.
    fn take_through(&mut self, segment: &Segment, at: usize, lanes: &Lanes<'_, T>, sink: [isize; 2]) {
        let (ops, last) = (&lanes.plan.stages[self.stage].ops, segment.last);
        let op = &ops[last];
        let d = offset(op, sink);
        let mut out = self.another(last, lanes);
        let chain = segment.chain();
        let workspace = &mut self.workspaces[at];
        let workspace = workspace.get_or_insert_with(|| Workspace::new(lanes.isa, chain));
        let source = match &self.planes[segment.source] {
            Some(plane) if !segment.reads_pixels() => {
                Some(Source { cov: plane.cov.as_slice(), ntk: plane.ntk.as_slice() })
            }
            _ => None,
        };
        let into = Scattered {
            cov: out.cov.as_mut_slice(),
            ntk: out.ntk.as_mut_slice(),
            defect: op.at.form == Form::Defect,
        };
        let images = lanes.images[self.stage][at];
        let fresh = std::mem::take(&mut self.fresh[at]);
        scatter_plane(lanes.isa, chain, images, d, (source, into), (workspace, fresh));
        if d == [0, 0] {
            close(op.at.form, &runs(op, d), lanes, self.stage, last, &mut out);
        }
        self.planes[last] = Some(out);
        if self.is_last(segment.first, segment.source, lanes) {
            self.free.extend(self.planes[segment.source].take());
        }
    }

    /// A buffer for op i: its input's where the op works in place and nothing else reads it.
    fn take(&mut self, i: usize, lanes: &Lanes<'_, T>) -> Plane<T> {
        let op = &lanes.plan.stages[self.stage].ops[i];
        if works_in_place(&op.op) {
            let input = op.inputs[0];
            if self.is_last(i, input, lanes)
                && let Some(plane) = self.planes[input].take()
            {
                return plane;
            }
            if let Some(plane) = &self.planes[input] {
                return plane.clone();
            }
        }
        self.another(i, lanes)
    }

    /// A buffer for op i that is no op's plane.
    fn another(&mut self, i: usize, lanes: &Lanes<'_, T>) -> Plane<T> {
        let op = &lanes.plan.stages[self.stage].ops[i];
        let len = op.at.extent[0] * op.at.extent[1] * lanes.lanes;
        self.free.extend(self.planes[i].take());
        match self.free.iter().position(|plane| plane.cov.as_slice().len() == len) {
            Some(found) => self.free.swap_remove(found),
            None => Plane::zeros(len, lanes.has_ntk()),
        }
    }

    /// A linear op that carries K may read an op that carries u, because a kinked dual reads that too: then it gets K.
    fn unify(&mut self, i: usize, sink: [isize; 2], runs: &[Run], out: &mut Plane<T>, lanes: &Lanes<'_, T>) {
        let ops = &lanes.plan.stages[self.stage].ops;
        if ops[i].at.form == Form::Defect || matches!(ops[i].op, PlaneOp::Pointwise(Pointwise::Dual(_))) {
            return;
        }
        self.converted.clear();
        for &input in &ops[i].inputs {
            if ops[input].at.form == Form::Cov {
                continue;
            }
            let maps = lanes.maps(self.stage, input);
            if works_in_place(&ops[i].op) {
                to_cov(out, maps, runs, lanes.lanes);
            } else if let Some(plane) = &self.planes[input] {
                let mut copy = plane.clone();
                to_cov(&mut copy, maps, &geometry::runs(&ops[input], offset(&ops[input], sink)), lanes.lanes);
                self.converted.push((input, copy));
            }
        }
    }

    /// The plane that the op being computed reads.
    fn input(&self, input: usize) -> Option<&Plane<T>> {
        let converted = self.converted.iter().find(|(op, _)| *op == input);
        converted.map(|(_, plane)| plane).or(self.planes[input].as_ref())
    }

    fn step(&mut self, i: usize, sink: [isize; 2], runs: &[Run], out: &mut Plane<T>, lanes: &Lanes<'_, T>) {
        let (stage, width) = (self.stage, lanes.lanes);
        let ops = &lanes.plan.stages[stage].ops;
        let op = &ops[i];
        let before = |input: usize| lanes.maps(stage, op.inputs[input]);
        let after = lanes.maps(stage, i);
        match op.op {
            PlaneOp::Correlate => lanes.isa.run(Correlate {
                form: op.at.form,
                maps: after,
                channels: lanes.plan.input.channels(),
                positions: op.at.extent[0] * op.at.extent[1],
                lanes: width,
                runs,
                out,
            }),
            PlaneOp::Pooled(source) => {
                let at = [0, 1].map(|axis: usize| sink[axis] * op.at.step[axis] as isize);
                if let Some(feed) = &mut self.feeds[i] {
                    let producer = &lanes.plan.stages[source];
                    let carried = producer.last().at.form;
                    let pooled = producer.pools_defects();
                    copy(feed.plane(lanes, at), (carried, pooled, op.at.form), after, runs, width, out);
                }
            }
            PlaneOp::BoxMean(window) => {
                if let Some(input) = self.input(op.inputs[0]) {
                    lanes.isa.run(BoxMean {
                        window,
                        form: op.at.form,
                        ops: [&ops[op.inputs[0]], op],
                        before: before(0),
                        after,
                        lanes: width,
                        runs,
                        input,
                        out,
                    });
                }
            }
            PlaneOp::Pointwise(Pointwise::Affine(affine)) => {
                lanes.isa.run(Affine {
                    affine,
                    form: op.at.form,
                    before: before(0),
                    after,
                    lanes: width,
                    runs,
                    plane: out,
                });
            }
            PlaneOp::Pointwise(Pointwise::Dual(activation)) => {
                let forms = [ops[op.inputs[0]].at.form, op.at.form];
                lanes.isa.run(Dual {
                    activation,
                    forms,
                    before: before(0),
                    after,
                    lanes: width,
                    runs,
                    plane: out,
                });
            }
            PlaneOp::Pointwise(Pointwise::Normalize(_)) => {
                lanes.isa.run(Normalize { maps: after, lanes: width, runs, plane: out })
            }
            PlaneOp::Pointwise(Pointwise::Dropout(keep)) => {
                let none = vec![T::zero(); width];
                let same = if offset(op, sink) == [0, 0] { &lanes.same } else { &none };
                lanes.isa.run(Dropout {
                    keep,
                    form: op.at.form,
                    before: before(0),
                    same,
                    lanes: width,
                    runs,
                    plane: out,
                });
            }
            PlaneOp::Pointwise(Pointwise::Sum) => {
                let branches = op
                    .inputs
                    .iter()
                    .filter_map(|&input| Some((self.input(input)?, lanes.maps(stage, input))))
                    .collect();
                lanes.isa.run(Sum { form: op.at.form, branches, after, lanes: width, runs, out });
            }
        }
    }
}

/// Ops that turn their input's plane into their own, position by position.
fn works_in_place(op: &PlaneOp) -> bool {
    matches!(op, PlaneOp::Pointwise(op) if *op != Pointwise::Sum)
}

/// K = ss' − u.
fn to_cov<T: Scalar>(plane: &mut Plane<T>, maps: [&OpMaps<T>; 2], runs: &[Run], lanes: usize) {
    for run in runs {
        let len = run.len * lanes;
        let s = &maps[0].std.as_slice()[run.first * lanes..][..len];
        let sp = &maps[1].std.as_slice()[run.second * lanes..][..len];
        let cov = &mut plane.cov.as_mut_slice()[run.first * lanes..][..len];
        for ((u, s), sp) in cov.iter_mut().zip(s).zip(sp) {
            *u = *s * *sp - *u;
        }
    }
}

/// A pooled plane as this op carries it.
///
/// Pooled defects ū are those of K = mm' − ū, m the window mean of s. With α = (m² − v)/m² the defect behind the pool is
/// √(vv') − K = ū − mm'·(α + α' − αα')/(1 + ss'/mm'), a difference of defects instead of kernels.
fn copy<T: Scalar>(
    from: &Plane<T>,
    (carried, pooled, form): (Form, bool, Form),
    maps: [&OpMaps<T>; 2],
    runs: &[Run],
    lanes: usize,
    out: &mut Plane<T>,
) {
    for run in runs {
        let len = run.len * lanes;
        let (first, second) = (run.first * lanes, run.second * lanes);
        let s = &maps[0].std.as_slice()[first..][..len];
        let sp = &maps[1].std.as_slice()[second..][..len];
        let cov = &mut out.cov.as_mut_slice()[first..][..len];
        cov.copy_from_slice(&from.cov.as_slice()[first..][..len]);
        if pooled {
            let [m, loss] =
                [&maps[0].pool_mean, &maps[0].pool_loss].map(|map| &map.as_slice()[first..][..len]);
            let [mp, lossp] =
                [&maps[1].pool_mean, &maps[1].pool_loss].map(|map| &map.as_slice()[second..][..len]);
            for i in 0..len {
                let (a, b) = (loss[i], lossp[i]);
                // √((1−α)(1−α')), of which α ≈ 1 has lost the digits.
                let means = m[i] * mp[i];
                let root = if means == T::zero() { T::zero() } else { s[i] * sp[i] / means };
                let gap = means * (a + b - a * b) / (T::one() + root);
                cov[i] = match form {
                    Form::Defect => difference(cov[i], gap, s[i] * sp[i]),
                    Form::Cov => m[i] * mp[i] - cov[i],
                };
            }
        } else if carried != form {
            for i in 0..len {
                cov[i] = nonnegative(s[i] * sp[i] - cov[i]);
            }
        }
        if !out.ntk.as_slice().is_empty() {
            out.ntk.as_mut_slice()[first..][..len].copy_from_slice(&from.ntk.as_slice()[first..][..len]);
        }
    }
}

/// u = ū − gap of a pooled value, 0 and 2ss' where it is that but for rounding: windows that hold the same values in another order are
/// exactly parallel, or opposite, and those that are nearly so by chance are rare. The root of a rounding would be their angle.
#[inline(always)]
fn difference<T: Scalar>(pooled: T, gap: T, product: T) -> T {
    let rounding = T::new(4.0) * T::epsilon();
    let (u, opposite) = (pooled - gap, product + product);
    if u <= rounding * gap {
        T::zero()
    } else if (u - opposite).abs() < rounding * (gap + gap + opposite) {
        opposite
    } else {
        u
    }
}

/// At equal positions of equal images K = v: no rounding may say otherwise to a kinked dual.
fn close<T: Scalar>(
    form: Form,
    runs: &[Run],
    lanes: &Lanes<'_, T>,
    stage: usize,
    op: usize,
    out: &mut Plane<T>,
) {
    if form == Form::Cov || lanes.identical.iter().all(|identical| identical.is_zero()) {
        return;
    }
    // Behind a dropout a repeated sample is a different draw: there K < v.
    let behind = lanes.plan.facts().of(stage)[op].behind_dropout;
    let dropped = |i: usize| behind && lanes.same[i].is_zero();
    let keep: Vec<T> = (0..lanes.lanes)
        .map(|i| if lanes.identical[i].is_zero() || dropped(i) { T::one() } else { T::zero() })
        .collect();
    for run in runs {
        for position in run.first..run.first + run.len {
            let cov = &mut out.cov.as_mut_slice()[position * lanes.lanes..][..lanes.lanes];
            for (u, keep) in cov.iter_mut().zip(&keep) {
                *u *= *keep;
            }
        }
    }
}

fn add_up<T: Scalar>(sums: &mut [[f64; 2]], run: Run, lanes: usize, plane: &Plane<T>) {
    for position in run.first..run.first + run.len {
        let cov = &plane.cov.as_slice()[position * lanes..][..lanes];
        for (sum, k) in sums.iter_mut().zip(cov) {
            sum[0] += k.wide();
        }
        if !plane.ntk.as_slice().is_empty() {
            let ntk = &plane.ntk.as_slice()[position * lanes..][..lanes];
            for (sum, theta) in sums.iter_mut().zip(ntk) {
                sum[1] += theta.wide();
            }
        }
    }
}
