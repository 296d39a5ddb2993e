//! Stages that need their kernels point by point: truncations, sums of several fields, functions without a series.
//!
//! One pass over the rings for every truncation that lies behind another: each takes the fields below it at the points of a
//! ring, evaluates the ops that are to be truncated, and adds them to the coefficients. The last pass adds up the readout.
//! Memory is that of one ring for each field.

use std::f64::consts::PI;

use ekernel_core::{BackendError, Control, geometric_mean};
use ekernel_harmonic::{rotation_index, rotation_len};

use super::{
    curve::{Curve, Evaluate},
    fields::Origin,
    fit::Fit,
    layers::{Layers, Through},
    pack::{Number, Pack, Signal},
    pointwise::{Function, Value},
    rooms::Rooms,
    stage::{Stage, Workspace, internal},
    variable::Variable,
};

/// Variances behind each op, `[lane][op]`, of the first and the second signals.
type Variances = [Vec<Vec<f64>>; 2];

/// An op in every lane.
struct Op<T, const W: usize> {
    op: usize,
    function: Function,
    way: Way<T, W>,
    /// √(vv') of each lane.
    bounds: Vec<f64>,
    /// The lanes whose function has no series.
    direct: Vec<usize>,
}

/// How an op is evaluated.
enum Way<T, const W: usize> {
    Curve(Curve<T, W>),
    Layers(Layers<T, W>),
}

impl<T: Number> Stage<T> {
    /// (1/8π²) ∫ (k, Θ) dU of each lane, by the values at the points.
    pub(super) fn mean_by_points<const W: usize>(
        &self,
        (first, second): (&Pack<'_, T, W>, &Pack<'_, T, W>),
        variable: Variable,
        workspace: &mut Workspace<T, W>,
        control: &Control,
    ) -> Result<Vec<[f64; 2]>, BackendError> {
        let of = |pack: &Pack<'_, T, W>| pack.signals.iter().map(|signal| signal.variances.clone()).collect();
        let mut run = Passes::new(self, variable, [of(first), of(second)], workspace);
        run.load(first, second);
        for level in 0..self.fields.levels() {
            run.truncate(level, false, control)?;
        }
        run.mean(control)
    }

    /// Finds the variances behind truncations: k_trunc(e) of each signal with itself.
    pub(super) fn complete<const W: usize>(
        &self,
        signals: &mut [Signal<T>],
        workspace: &mut Workspace<T, W>,
        control: &Control,
    ) -> Result<(), BackendError> {
        if !self.truncates() {
            return Ok(());
        }
        let found = {
            let pack = Pack::<T, W>::new(signals.iter().collect());
            let of: Vec<Vec<f64>> = signals.iter().map(|signal| signal.variances.clone()).collect();
            let mut run = Passes::new(self, Variable::Angle, [of.clone(), of], workspace);
            run.load(&pack, &pack);
            for level in 0..self.fields.levels() {
                run.truncate(level, true, control)?;
            }
            let Passes { variances: [found, _], workspace, rooms, .. } = run;
            workspace.rooms = Some(rooms);
            found
        };
        signals.iter_mut().zip(found).for_each(|(signal, found)| signal.variances = found);
        Ok(())
    }
}

struct Passes<'s, T, const W: usize> {
    stage: &'s Stage<T>,
    variable: Variable,
    variances: Variances,
    workspace: &'s mut Workspace<T, W>,
    rooms: Rooms<T, W>,
}

impl<'s, T: Number, const W: usize> Passes<'s, T, W> {
    fn new(
        stage: &'s Stage<T>,
        variable: Variable,
        variances: Variances,
        workspace: &'s mut Workspace<T, W>,
    ) -> Passes<'s, T, W> {
        let rooms = workspace.rooms.take().unwrap_or_else(|| {
            let ring = stage.plan.points() / stage.plan.nodes;
            Rooms::new(&stage.fields, &stage.transforms, ring, stage.ntk)
        });
        Passes { stage, variable, variances, workspace, rooms }
    }

    fn load(&mut self, first: &Pack<'_, T, W>, second: &Pack<'_, T, W>) {
        for field in 0..self.stage.fields.fields.len() {
            self.stage.load_lift(field, first, second, self.workspace);
        }
    }

    /// The truncations behind `level` others.
    fn truncate(&mut self, level: usize, own: bool, control: &Control) -> Result<(), BackendError> {
        let stage = self.stage;
        let mut targets = Vec::new();
        for (at, field) in stage.fields.fields.iter().enumerate() {
            if let (Origin::Truncate { input }, true) = (&field.origin, field.level == level + 1) {
                targets.push((at, *input));
            }
        }
        let ops = self.ops(targets.iter().map(|&(_, input)| input));
        for &(field, _) in &targets {
            let Some(transform) = &stage.transforms[field] else { continue };
            for lanes in
                [&mut self.workspace.lanes[field], &mut self.rooms.spectra[field]].into_iter().flatten()
            {
                transform.clear(lanes).map_err(internal)?;
            }
        }
        for j in 0..stage.plan.nodes {
            control.check()?;
            let mut done = vec![false; stage.fields.fields.len()];
            for &(field, input) in &targets {
                self.values(input, j, &ops, &mut done)?;
                let Some(transform) = &stage.transforms[field] else { continue };
                let [out, out_ntk] = &self.rooms.out;
                if let Some(lanes) = &mut self.workspace.lanes[field] {
                    transform.forward_ring(j, out, lanes).map_err(internal)?;
                }
                if let Some(lanes) = &mut self.rooms.spectra[field] {
                    transform.forward_ring(j, out_ntk, lanes).map_err(internal)?;
                }
            }
        }
        for &(field, input) in &targets {
            let bounds = ops.iter().find(|op| op.op == input).map_or(&[][..], |op| &op.bounds);
            self.finish(field, bounds, own)?;
        }
        Ok(())
    }

    /// Coefficients of u to those of the truncated kernel's defect.
    fn finish(&mut self, field: usize, bounds: &[f64], own: bool) -> Result<(), BackendError> {
        let stage = self.stage;
        let op = stage.fields.fields[field].op;
        let Some(transform) = &stage.transforms[field] else { return Ok(()) };
        let coefficients = &mut self.workspace.coefficients[..transform.coefficients_len()];
        if let Some(lanes) = &self.workspace.lanes[field] {
            transform.store(lanes, coefficients).map_err(internal)?;
        }
        for (lane, &bound) in bounds.iter().enumerate() {
            if own {
                let lost: f64 = at_identity(transform.bandlimit(), |at| wide(coefficients[at][lane]));
                for variances in &mut self.variances {
                    variances[lane][op] = if bound.is_finite() { (bound - lost).max(0.0) } else { f64::NAN };
                    stage.propagate(&mut variances[lane]);
                }
            }
            let [v, vp] = [0, 1].map(|side| self.variances[side][lane][op]);
            let scale = geometric_mean(v, vp);
            let mean = wide(coefficients[0][lane]) / (8.0 * PI * PI);
            let (mean, factor) =
                if scale > 0.0 { ((scale - bound + mean) / scale, scale.recip()) } else { (1.0, 0.0) };
            for value in coefficients.iter_mut() {
                value[lane] *= T::new(factor);
            }
            coefficients[0][lane] = T::new(8.0 * PI * PI * mean);
        }
        if let Some(lanes) = &mut self.workspace.lanes[field] {
            transform.load(coefficients, lanes).map_err(internal)?;
        }
        if let Some(lanes) = &mut self.rooms.spectra[field] {
            transform.store(lanes, coefficients).map_err(internal)?;
            transform.load(coefficients, lanes).map_err(internal)?;
        }
        Ok(())
    }

    /// The last pass.
    fn mean(mut self, control: &Control) -> Result<Vec<[f64; 2]>, BackendError> {
        let stage = self.stage;
        let output = stage.plan.ops.len() - 1;
        let ops = self.ops(std::iter::once(output));
        let mut sums = [[0.0; W]; 2];
        for (j, weight) in stage.weights.iter().enumerate() {
            control.check()?;
            self.values(output, j, &ops, &mut vec![false; stage.fields.fields.len()])?;
            for (total, values) in sums.iter_mut().zip(&self.rooms.out) {
                let mut ring = [0.0; W];
                for value in values.iter() {
                    for i in 0..W {
                        ring[i] += wide(value[i]);
                    }
                }
                for i in 0..W {
                    total[i] += weight * ring[i];
                }
            }
        }
        self.workspace.rooms = Some(self.rooms);
        let bounds = ops.iter().find(|op| op.op == output).map_or(&[][..], |op| &op.bounds);
        Ok(bounds.iter().enumerate().map(|(lane, bound)| [bound - sums[0][lane], sums[1][lane]]).collect())
    }

    /// The ops that must be evaluated for these: themselves and, of sums of several fields, the summands.
    fn ops(&self, wanted: impl Iterator<Item = usize>) -> Vec<Op<T, W>> {
        let fields = &self.stage.fields;
        let mut open: Vec<usize> = wanted.collect();
        let mut found: Vec<usize> = Vec::new();
        while let Some(op) = open.pop() {
            if found.contains(&op) {
                continue;
            }
            found.push(op);
            if let Origin::Mix { inputs } = &fields.field(op).origin {
                open.extend(inputs);
            }
        }
        found.into_iter().map(|op| self.op(op)).collect()
    }

    fn op(&self, op: usize) -> Op<T, W> {
        let stage = self.stage;
        let function = Function::new(&stage.plan, &stage.fields, op);
        let [first, second] = &self.variances;
        if function.is_layered() {
            return Op {
                op,
                way: Way::Layers(Layers::new(&stage.plan, &function, &self.variances)),
                bounds: first.iter().zip(second).map(|(v, vp)| function.bound(v, vp)).collect(),
                direct: Vec::new(),
                function,
            };
        }
        let mut values = Vec::new();
        let mut fit = |v: &[f64], vp: &[f64]| {
            let at = |c: f64| function.at(c, v, vp, &mut values);
            let sound = function.is_sound(v) && function.is_sound(vp);
            let fit =
                if sound { Fit::new(self.variable, stage.tolerance(), at) } else { Some(Fit::constant()) };
            (fit, function.bound(v, vp))
        };
        let lanes: Vec<(Option<Fit>, f64)> = first.iter().zip(second).map(|(v, vp)| fit(v, vp)).collect();
        let carries = !matches!(stage.fields.field(op).origin, Origin::Lift(_));
        Op {
            op,
            way: Way::Curve(Curve::new(&lanes, carries, stage.ntk)),
            bounds: lanes.iter().map(|(_, bound)| *bound).collect(),
            direct: lanes
                .iter()
                .enumerate()
                .filter(|(_, (fit, _))| fit.is_none())
                .map(|(lane, _)| lane)
                .collect(),
            function,
        }
    }

    /// u and Θ of an op on ring j, into `rooms.out`.
    fn values(
        &mut self,
        op: usize,
        j: usize,
        ops: &[Op<T, W>],
        done: &mut [bool],
    ) -> Result<(), BackendError> {
        let at = self.stage.fields.of[op];
        if !done[at] {
            self.field(at, j, ops, done)?;
            done[at] = true;
        }
        let Some(op) = ops.iter().find(|found| found.op == op) else { return Ok(()) };
        let Rooms { fields, out: [out, out_ntk], .. } = &mut self.rooms;
        let [defects, field_ntk] = &fields[at];
        let isa = self.stage.isa;
        match &op.way {
            Way::Curve(curve) => isa.run(Evaluate {
                variable: self.variable,
                curve,
                defects,
                field_ntk,
                out: &mut *out,
                out_ntk: &mut *out_ntk,
            }),
            Way::Layers(layers) => {
                isa.run(Through { layers, defects, field_ntk, out: &mut *out, out_ntk: &mut *out_ntk });
            }
        }
        let mut room = Vec::<Value>::new();
        for &lane in &op.direct {
            let [v, vp] = [0, 1].map(|side| &self.variances[side][lane]);
            for (point, d) in defects.iter().enumerate() {
                let cosine = 1.0 - wide(d[lane]).clamp(0.0, 2.0);
                let value = op.function.at(cosine, v, vp, &mut room);
                out[point][lane] = T::new(op.bounds[lane] - value.cov);
                if let Some(ntk) = out_ntk.get_mut(point) {
                    let carried = field_ntk.get(point).map_or(0.0, |ntk| wide(ntk[lane]));
                    ntk[lane] = T::new(value.carry * carried + value.own);
                }
            }
        }
        Ok(())
    }

    /// d and Θ of a field on ring j.
    fn field(
        &mut self,
        at: usize,
        j: usize,
        ops: &[Op<T, W>],
        done: &mut [bool],
    ) -> Result<(), BackendError> {
        let stage = self.stage;
        let field = &stage.fields.fields[at];
        let Origin::Mix { inputs } = &field.origin else {
            let [defects, ntk] = &mut self.rooms.fields[at];
            let Some(transform) = &stage.transforms[at] else { return Ok(()) };
            if let Some(lanes) = &mut self.workspace.lanes[at] {
                transform.inverse_ring(j, lanes, defects).map_err(internal)?;
            }
            if let Some(lanes) = &mut self.rooms.spectra[at] {
                transform.inverse_ring(j, lanes, ntk).map_err(internal)?;
            }
            return Ok(());
        };
        // d = (√(vv') − Σ √(v_i v_i') + Σ u_i) / √(vv').
        let (mut constants, mut factors) = ([T::one(); W], [T::zero(); W]);
        let [first, second] = &self.variances;
        for (lane, (v, vp)) in first.iter().zip(second).enumerate() {
            let scale = geometric_mean(v[field.op], vp[field.op]);
            if scale > 0.0 {
                let bounds: f64 = inputs.iter().map(|&input| geometric_mean(v[input], vp[input])).sum();
                constants[lane] = T::new((scale - bounds) / scale);
                factors[lane] = T::new(scale.recip());
            }
        }
        let [defects, ntk] = &mut self.rooms.fields[at];
        defects.fill(constants);
        ntk.fill([T::zero(); W]);
        for &input in inputs {
            self.values(input, j, ops, done)?;
            let Rooms { fields, out: [out, out_ntk], .. } = &mut self.rooms;
            let [defects, ntk] = &mut fields[at];
            for (d, u) in defects.iter_mut().zip(out.iter()) {
                for i in 0..W {
                    d[i] += factors[i] * u[i];
                }
            }
            for (sum, ntk) in ntk.iter_mut().zip(out_ntk.iter()) {
                for i in 0..W {
                    sum[i] += ntk[i];
                }
            }
        }
        Ok(())
    }
}

/// Σ_l (2l+1)/8π² Σ_m A^l_mm: a function on SO(3) at the identity, from its coefficients in the real basis.
fn at_identity(bandlimit: usize, coefficient: impl Fn(usize) -> f64) -> f64 {
    debug_assert!(rotation_len(bandlimit) > 0);
    let trace = |l: usize| {
        let l_signed = l as isize;
        (-l_signed..=l_signed).map(|m| coefficient(rotation_index(l, m, m))).sum::<f64>()
    };
    (0..bandlimit).map(|l| (2 * l + 1) as f64 * trace(l)).sum::<f64>() / (8.0 * PI * PI)
}

fn wide<T: Number>(x: T) -> f64 {
    crate::simd::Real::wide(x)
}
