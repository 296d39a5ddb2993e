//! One pair of copies, plane by plane in float64: the same forms as the shaders, without regard to speed.

use std::{collections::BTreeMap, rc::Rc};

use ekernel_core::{
    BackendError, Control, KernelSet, Padding, Window,
    plan::{Form, Op, Plan, PlaneOp, Sink},
};

use super::{
    maps::{Maps, OpMaps},
    planes::{self, Plane},
    positions::{offset, positions},
};

/// A pair at work.
pub(crate) struct Pair<'a> {
    pub(super) plan: &'a Plan,
    maps: [&'a Maps; 2],
    /// Whether both copies are bit for bit equal, so that at equal positions K = v.
    twins: bool,
    /// Whether both are one sample, for dropout.
    pub(super) same: bool,
    pub(super) control: &'a Control,
    /// Per stage the planes of its last op that a local pool will read again.
    kept: Vec<BTreeMap<[isize; 2], Rc<Plane>>>,
}

impl<'a> Pair<'a> {
    pub(crate) fn new(
        plan: &'a Plan,
        maps: [&'a Maps; 2],
        twins: bool,
        same: bool,
        control: &'a Control,
    ) -> Pair<'a> {
        Pair { plan, maps, twins, same, control, kept: vec![BTreeMap::new(); plan.stages.len()] }
    }

    /// (K, Θ) of a readout stage.
    ///
    /// Errors: [`BackendError::Cancelled`].
    pub(crate) fn readout(&mut self, stage: usize) -> Result<[f64; 2], BackendError> {
        let node = &self.plan.stages[stage];
        let Some(last) = node.ops.last() else { return Ok([0.0; 2]) };
        let mut sums = [0.0; 2];
        for row in &node.offsets[0] {
            for col in &node.offsets[1] {
                let plane = self.evaluate(stage, [*row, *col])?;
                for (t, _) in positions(last, offset(last, [*row, *col])) {
                    sums[0] += plane.cov[t];
                    sums[1] += plane.ntk.get(t).copied().unwrap_or(0.0);
                }
            }
        }
        Ok(sums.map(|sum| sum * scale(self.plan, stage)))
    }

    /// The planes of the last op at the sink offset D.
    fn evaluate(&mut self, stage: usize, sink: [isize; 2]) -> Result<Plane, BackendError> {
        let ops = &self.plan.stages[stage].ops;
        let mut done: Vec<Plane> = Vec::with_capacity(ops.len());
        for (i, op) in ops.iter().enumerate() {
            let d = offset(op, sink);
            let places = positions(op, d);
            let mut plane = if let Op::Pooled(source) = op.op {
                let at = [0, 1].map(|axis: usize| sink[axis] * op.step[axis] as isize);
                let pooled = self.pooled(source, at)?;
                self.read_pooled(source, (stage, i), pooled, &places)
            } else {
                planes::step(self, (stage, i), d == [0, 0], &places, &done)
            };
            let closes = self.twins && (self.same || !self.plan.facts().of(stage)[i].behind_dropout);
            if op.form == Form::Defect && d == [0, 0] && closes {
                places.iter().for_each(|(t, _)| plane.cov[*t] = 0.0);
            }
            self.control.check()?;
            done.push(plane);
        }
        Ok(done.pop().unwrap_or_default())
    }

    pub(super) fn op(&self, stage: usize, op: usize) -> &'a PlaneOp {
        &self.plan.stages[stage].ops[op]
    }

    pub(super) fn maps(&self, stage: usize, op: usize) -> [&'a OpMaps; 2] {
        [&self.maps[0].0[stage][op], &self.maps[1].0[stage][op]]
    }

    pub(super) fn has_ntk(&self) -> bool {
        self.plan.kinds == KernelSet::Both
    }

    /// The pooled plane of a stage at an offset of the reading op.
    pub(super) fn pooled(&mut self, source: usize, at: [isize; 2]) -> Result<Plane, BackendError> {
        let plan = self.plan;
        let (Sink::LocalPool { .. } | Sink::Rewrap, Some(last)) =
            (plan.stages[source].sink, plan.stages[source].ops.last())
        else {
            return Ok(Plane::default());
        };
        let gather = Gather::new(plan, source);
        let stage = &plan.stages[source];
        let coarse = [0, 1].map(|axis: usize| {
            let n = stage.output[axis] as isize;
            if stage.output_cyclic { at[axis].rem_euclid(n) } else { at[axis] }
        });
        // Rows of offsets are asked for in ascending order; what lies behind is not read again.
        if !last.cyclic {
            let low = gather.window.strides[0] as isize * coarse[0] - gather.window.size[0] as isize;
            self.kept[source]
                .retain(|d, _| d[0] >= low - stage.output[0] as isize * isize::from(stage.output_cyclic));
        }
        let mut out = Plane::zeros(stage.output[0] * stage.output[1], self.has_ntk());
        let [rows, cols] = [0, 1].map(|axis| gather.taps(axis, coarse[axis]));
        for row in &rows {
            for col in &cols {
                let plane = self.fine(source, [row.plane, col.plane])?;
                let to = row.output * stage.output[1] + col.output;
                let from = row.input * last.extent[1] + col.input;
                out.cov[to] += gather.weight * plane.cov[from];
                if self.has_ntk() {
                    out.ntk[to] += gather.weight * plane.ntk[from];
                }
            }
        }
        Ok(out)
    }

    fn fine(&mut self, source: usize, sink: [isize; 2]) -> Result<Rc<Plane>, BackendError> {
        self.control.check()?;
        if let Some(plane) = self.kept[source].get(&sink) {
            return Ok(Rc::clone(plane));
        }
        let plane = Rc::new(self.evaluate(source, sink)?);
        self.kept[source].insert(sink, Rc::clone(&plane));
        Ok(plane)
    }

    /// A pooled plane as the reading op carries it.
    fn read_pooled(
        &self,
        source: usize,
        (stage, i): (usize, usize),
        mut plane: Plane,
        places: &[(usize, usize)],
    ) -> Plane {
        let producer = &self.plan.stages[source];
        let carried = producer.ops.last().map_or(Form::Cov, |last| last.form);
        let form = self.op(stage, i).form;
        let [maps, other] = self.maps(stage, i);
        for &(t, u) in places {
            let x = &mut plane.cov[t];
            if producer.pools_defects() {
                let (m, mp, a, b) = (maps.special[t], other.special[u], maps.loss[t], other.loss[u]);
                let root = ((1.0 - a) * (1.0 - b)).sqrt();
                let gap = m * mp * (a + b - a * b) / (1.0 + root);
                *x = if form == Form::Defect { (*x - gap).max(0.0) } else { m * mp - *x };
            } else if carried != form {
                *x = (maps.std[t] * other.std[u] - *x).max(0.0);
            }
        }
        plane
    }
}

/// What the sum over all planes of a readout stage is multiplied by.
pub(crate) fn scale(plan: &Plan, stage: usize) -> f64 {
    let node = &plan.stages[stage];
    let positions = node.ops.last().map_or(1, |op| op.extent[0] * op.extent[1]) as f64;
    match node.sink {
        Sink::Mean { scale } => scale / (positions * positions),
        _ => positions.recip(),
    }
}

/// How a stage's planes add up to coarser ones; a rewrap is a window of one position.
pub(crate) struct Gather<'a> {
    /// Window, strides, padding.
    pub(crate) window: Window,
    /// (1/|w|²)·scale.
    pub(crate) weight: f64,
    last: &'a PlaneOp,
    output: [usize; 2],
    output_cyclic: bool,
}

/// On one axis: an element of the coarse plane, the fine plane and the position in it.
struct Tap {
    output: usize,
    plane: isize,
    input: usize,
}

impl<'a> Gather<'a> {
    /// Of a stage that ends in a local pool or a rewrap.
    pub(crate) fn new(plan: &'a Plan, source: usize) -> Gather<'a> {
        let stage = &plan.stages[source];
        let one = Window { size: [1, 1], strides: [1, 1], padding: Padding::Valid };
        let (window, weight) = match stage.sink {
            Sink::LocalPool { window, scale } => {
                (window, scale / (window.area() as f64 * window.area() as f64))
            }
            Sink::Rewrap | Sink::Mean { .. } | Sink::Diagonal => (one, 1.0),
        };
        let last = &stage.ops[stage.ops.len() - 1];
        Gather { window, weight, last, output: stage.output, output_cyclic: stage.output_cyclic }
    }

    fn taps(&self, axis: usize, coarse: isize) -> Vec<Tap> {
        let [n, output] = [self.last.extent[axis], self.output[axis]].map(|n| n as isize);
        let [size, stride] = [self.window.size[axis], self.window.strides[axis]].map(|n| n as isize);
        let low = self.window.low(self.last.extent)[axis] as isize;
        let mut taps = Vec::new();
        for at in 0..output {
            let mut second = at + coarse;
            if self.output_cyclic {
                second = second.rem_euclid(output);
            } else if !(0..output).contains(&second) {
                continue;
            }
            // The part of a window that is inside: most of a large one may not be.
            let inside = |at: isize| {
                let start = stride * at - low;
                if self.window.padding == Padding::Circular {
                    start..start + size
                } else {
                    start.max(0)..(start + size).min(n)
                }
            };
            for (one, two) in inside(at).flat_map(|one| inside(second).map(move |two| (one, two))) {
                // Where offsets wrap, `second` has lost how often it did.
                let plane = if self.last.cyclic {
                    stride * coarse + two - one - stride * (second - at)
                } else {
                    two - one
                };
                taps.push(Tap { output: at as usize, plane, input: one.rem_euclid(n) as usize });
            }
        }
        taps
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use ekernel_core::{GroupElement, Network, Samples};
    use ndarray::Array4;

    use super::*;
    use crate::host::Image;

    /// A pair of large images takes many seconds.
    #[test]
    fn cancelling_ends_a_pair() {
        let conv = "[[layers]]\nop = 'conv'\nfilter = [3, 3]\npadding = 'same'\n[[layers]]\nop = 'relu'\n";
        let network: Network = format!(
            "[input]\nspace = 'image'\nshape = [64, 64, 3]\n{conv}[[layers]]\nop = 'avg_pool'\nwindow = [2, 2]\n\
             {conv}[[layers]]\nop = 'global_avg_pool'\n"
        )
        .parse()
        .expect("a network");
        let plan = Plan::new(&network, KernelSet::Both).expect("a plan");
        let samples =
            Samples::Images(Array4::from_shape_fn((1, 64, 64, 3), |(_, r, c, k)| (r * (c + k)) as f64));
        let control = Control::new();
        let image =
            Image::new(&plan, &samples, (0, GroupElement::IDENTITY), 1.0, &control).expect("an image");
        let maps = Maps::new(&plan, &image);
        std::thread::scope(|scope| {
            let work = scope.spawn(|| Pair::new(&plan, [&maps, &maps], true, true, &control).readout(1));
            std::thread::sleep(Duration::from_millis(100));
            control.cancel();
            let asked = Instant::now();
            let result = work.join().expect("no panic");
            assert!(matches!(result, Err(BackendError::Cancelled)), "{result:?}");
            assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
        });
    }
}
