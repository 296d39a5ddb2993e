//! A stage on the pairs of two packs of signals.

use std::{f64::consts::PI, sync::Arc};

use ekernel_core::{
    BackendError, Control, geometric_mean,
    plan::{RotationStage, SphereOp},
};
use ekernel_harmonic::{HarmonicError, LaneBuffer, LaneTransform, LaneWorkspace, RotationGrid};

use super::{
    circle::Circle,
    contract::Contract,
    fields::{Fields, Origin},
    fit::{Fit, derivative},
    moments::{self, RingMoments, STEP},
    pack::{Number, Pack, Signal},
    pointwise::Function,
    rooms::Rooms,
    variable::Variable,
};
use crate::simd::{Aligned, Isa};

/// A stage, ready for pairs.
pub(super) struct Stage<T> {
    pub(super) plan: Arc<RotationStage>,
    pub(super) fields: Fields,
    pub(super) channels: usize,
    pub(super) isa: Isa,
    pub(super) ntk: bool,
    /// Of each field that has coefficients.
    pub(super) transforms: Vec<Option<LaneTransform<T>>>,
    /// What each point of a ring counts in a mean over the group.
    pub(super) weights: Vec<f64>,
    moments: Option<Moments<T>>,
}

/// The way by moments: the last op is a function of a lifted kernel.
struct Moments<T> {
    function: Function,
    field: usize,
    circle: Circle<T>,
    /// F(1, 1, ·) of a homogeneous function, and its variable.
    shared: Option<(Variable, Fit)>,
}

/// Working memory of one thread.
pub(super) struct Workspace<T, const W: usize> {
    pub(super) coefficients: LaneBuffer<T, W>,
    /// Of each field that has coefficients.
    pub(super) lanes: Vec<Option<LaneWorkspace<T, W>>>,
    /// Room for whole rings, made when it is first asked for.
    pub(super) rooms: Option<Rooms<T, W>>,
    sums: Aligned<T>,
    products: Vec<f64>,
}

impl<T: Number> Stage<T> {
    pub(super) fn new(
        plan: &RotationStage,
        channels: usize,
        isa: Isa,
        ntk: bool,
    ) -> Result<Stage<T>, HarmonicError> {
        let plan = Arc::new(plan.clone());
        let fields = Fields::new(&plan);
        let grid = RotationGrid::gauss_legendre(plan.nodes)?;
        let transform = |bandlimit: usize| {
            (bandlimit > 0).then(|| LaneTransform::with_isa(bandlimit, &grid, isa.harmonic())).transpose()
        };
        let transforms =
            fields.fields.iter().map(|field| transform(field.bandlimit)).collect::<Result<_, _>>()?;
        let output = plan.ops.len() - 1;
        let field = fields.of[output];
        let function = Function::new(&plan, &fields, output);
        // Kinked layers with biases have no short series.
        let by_moments = matches!(fields.fields[field].origin, Origin::Lift(_))
            && (function.is_homogeneous() || !function.is_layered());
        let moments = by_moments.then(|| Moments {
            function,
            field,
            circle: Circle::new(fields.fields[field].bandlimit, 2 * plan.nodes),
            shared: None,
        });
        let weights = (0..plan.nodes).map(|j| grid.volume(j) / (8.0 * PI * PI)).collect();
        let mut stage = Stage { plan, fields, channels, isa, ntk, transforms, weights, moments };
        stage.share();
        Ok(stage)
    }

    /// How far a series may be from its function, of the function's largest value. A mean over the group is often a small
    /// part of that, of odd functions above all.
    pub(super) fn tolerance(&self) -> f64 {
        tolerance::<T>()
    }

    /// The variances behind every op that follow from those of the lifts alone; not a number behind a truncation.
    pub(super) fn variances(&self, lifted: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut variances = vec![f64::NAN; self.plan.ops.len()];
        let lifts = self.fields.fields.iter().filter(|field| matches!(field.origin, Origin::Lift(_)));
        lifts.zip(lifted).for_each(|(field, q)| variances[field.op] = q);
        self.propagate(&mut variances);
        variances
    }

    /// Fills in the variances of pointwise ops whose inputs are known.
    pub(super) fn propagate(&self, variances: &mut [f64]) {
        for (at, op) in self.plan.ops.iter().enumerate() {
            let inputs: Vec<f64> = op.inputs.iter().map(|&input| variances[input]).collect();
            let known = !inputs.is_empty() && inputs.iter().all(|v| !v.is_nan());
            if known && let Some(v) = op.op.variance(&inputs) {
                variances[at] = v;
            }
        }
    }

    /// The variable in which the readout of a signal with itself is the shorter series, from the variances behind every op.
    pub(super) fn shorter(&self, v: &[f64]) -> Variable {
        let Some(way) = &self.moments else { return Variable::Angle };
        if let Some((variable, _)) = way.shared {
            return variable;
        }
        if way.function.is_kinked() || !way.function.is_sound(v) {
            return Variable::Angle;
        }
        let mut values = Vec::new();
        let mut cost = |variable: Variable| {
            let fit = Fit::new(variable, self.tolerance(), |c| way.function.at(c, v, v, &mut values));
            fit.map_or(usize::MAX, |fit| moments::operations::<T>(variable, fit.degree() / STEP))
        };
        if cost(Variable::Cosine) <= cost(Variable::Angle) { Variable::Cosine } else { Variable::Angle }
    }

    /// Finds F(1, 1, ·) of a homogeneous function.
    fn share(&mut self) {
        let one = self.variances(self.fields.lifts().map(|_| 1.0));
        let variable = self.shorter(&one);
        let Some(way) = self.moments.as_mut().filter(|way| way.function.is_homogeneous()) else { return };
        let (tolerance, mut values) = (tolerance::<T>(), Vec::new());
        let fit = Fit::new(variable, tolerance, |c| way.function.at(c, &one, &one, &mut values));
        way.shared = fit.map(|fit| (variable, fit));
    }

    /// (1/8π²) ∫ (k, Θ) dU of each lane; all of them are pairs of this [`Signal::variable`].
    pub(super) fn evaluate<const W: usize>(
        &self,
        (first, second): (&Pack<'_, T, W>, &Pack<'_, T, W>),
        variable: Variable,
        workspace: &mut Workspace<T, W>,
        control: &Control,
    ) -> Result<Vec<[f64; 2]>, BackendError> {
        let pairs = || first.signals.iter().zip(&second.signals);
        let mut values = vec![[f64::NAN; 2]; first.signals.len()];
        let finite = |signal: &Signal<T>| signal.variances.iter().all(|v| v.is_finite());
        let sound: Vec<bool> = pairs().map(|(a, b)| finite(a) && finite(b)).collect();
        let mut open = sound.clone();
        if let Some(way) = &self.moments {
            let fits = pairs()
                .zip(&sound)
                .map(|((a, b), &sound)| sound.then(|| self.fit(way, variable, a, b)).flatten());
            let fits: Vec<Option<(Fit, f64)>> = fits.collect();
            let blocks = fits.iter().flatten().map(|(fit, _)| fit.degree() / STEP).max();
            if let Some(blocks) = blocks {
                self.add_up((way, variable, blocks), first, second, workspace, control)?;
            }
            for (lane, fit) in fits.iter().enumerate() {
                let Some((fit, scale)) = fit else { continue };
                let moments = moments::moments(&workspace.products, W, lane);
                // The mean of cos θ is known in float64; what the moments miss of it is a shift of all values.
                let shift = match variable {
                    Variable::Cosine => self.mean_cosine(way.field, first, second, lane) - moments[1],
                    Variable::Angle => 0.0,
                };
                let sum = |series: &[f64]| {
                    let dot = |series: &[f64]| series.iter().zip(&moments).map(|(a, m)| a * m).sum::<f64>();
                    let slope = if shift == 0.0 { 0.0 } else { dot(&derivative(series)) };
                    scale * (dot(series) + shift * slope)
                };
                values[lane] = [sum(&fit.cov), if self.ntk { sum(&fit.own) } else { 0.0 }];
                open[lane] = false;
            }
        }
        if open.contains(&true) {
            let means = self.mean_by_points((first, second), variable, workspace, control)?;
            for (lane, value) in means.into_iter().enumerate().filter(|(lane, _)| open[*lane]) {
                values[lane] = value;
            }
        }
        Ok(values)
    }

    /// (1/8π²) ∫ cos θ(U) dU of a lifted kernel.
    fn mean_cosine<const W: usize>(
        &self,
        field: usize,
        first: &Pack<'_, T, W>,
        second: &Pack<'_, T, W>,
        lane: usize,
    ) -> f64 {
        let Origin::Lift(lift) = self.fields.fields[field].origin else { return f64::NAN };
        1.0 - first.signals[lane].lifts[lift].mean_defect(&second.signals[lane].lifts[lift])
    }

    /// The readout of a pair as a series, and what it is to be multiplied by.
    fn fit(
        &self,
        way: &Moments<T>,
        variable: Variable,
        first: &Signal<T>,
        second: &Signal<T>,
    ) -> Option<(Fit, f64)> {
        let (v, vp) = (&first.variances, &second.variances);
        if let Some((_, shared)) = &way.shared {
            let lift = self.fields.fields[way.field].op;
            return Some((shared.clone(), geometric_mean(v[lift], vp[lift])));
        }
        let mut values = Vec::new();
        let fit = Fit::new(variable, self.tolerance(), |c| way.function.at(c, v, vp, &mut values))?;
        Some((fit, 1.0))
    }

    /// Fills `workspace.products`, see [`moments::moments`].
    fn add_up<const W: usize>(
        &self,
        (way, variable, blocks): (&Moments<T>, Variable, usize),
        first: &Pack<'_, T, W>,
        second: &Pack<'_, T, W>,
        workspace: &mut Workspace<T, W>,
        control: &Control,
    ) -> Result<(), BackendError> {
        self.load_lift(way.field, first, second, workspace);
        let len = STEP * blocks * W;
        if workspace.sums.as_slice().len() < len {
            workspace.sums = Aligned::zeros(len);
        }
        workspace.products.clear();
        workspace.products.resize(len, 0.0);
        let (Some(transform), Some(lanes)) = (&self.transforms[way.field], &mut workspace.lanes[way.field])
        else {
            return Ok(());
        };
        for (j, &weight) in self.weights.iter().enumerate() {
            control.check()?;
            let lines = transform.inverse_lines(j, lanes).map_err(internal)?;
            self.isa.run(RingMoments {
                lines: lines.as_flattened(),
                circle: &way.circle,
                lanes: W,
                variable,
                blocks,
                weight,
                sums: workspace.sums.as_mut_slice(),
                products: &mut workspace.products,
            });
        }
        Ok(())
    }

    /// Gives the defects of a lifted kernel to its transform.
    pub(super) fn load_lift<const W: usize>(
        &self,
        field: usize,
        first: &Pack<'_, T, W>,
        second: &Pack<'_, T, W>,
        workspace: &mut Workspace<T, W>,
    ) {
        let Origin::Lift(lift) = self.fields.fields[field].origin else { return };
        let (Some(transform), Some(lanes)) = (&self.transforms[field], &mut workspace.lanes[field]) else {
            return;
        };
        let pairs = first.signals.iter().zip(&second.signals);
        let means: Vec<f64> = pairs.map(|(a, b)| a.lifts[lift].mean_defect(&b.lifts[lift])).collect();
        let coefficients = &mut workspace.coefficients[..transform.coefficients_len()];
        self.isa.run(Contract {
            bandlimit: transform.bandlimit(),
            channels: self.channels,
            first: &first.lifts[lift],
            second: &second.lifts[lift],
            means: &means,
            coefficients: &mut *coefficients,
        });
        // Lengths are those of the transform itself.
        let loaded = transform.load(coefficients, lanes);
        debug_assert!(loaded.is_ok());
    }

    pub(super) fn workspace<const W: usize>(&self) -> Workspace<T, W> {
        let longest = self.transforms.iter().flatten().map(LaneTransform::coefficients_len).max();
        Workspace {
            coefficients: LaneBuffer::zeros(longest.unwrap_or(0)),
            lanes: self.transforms.iter().map(|t| t.as_ref().map(LaneTransform::workspace)).collect(),
            rooms: None,
            sums: Aligned::zeros(0),
            products: Vec::new(),
        }
    }

    /// Whether the variances need each signal's own kernel on the grid.
    pub(super) fn truncates(&self) -> bool {
        self.plan.ops.iter().any(|op| matches!(op.op, SphereOp::Truncate { .. }))
    }

    /// Arithmetic operations per pair of signals, a multiply-add counted as two, where the function is the same for all
    /// pairs; nothing where it is not.
    pub(super) fn operations(&self) -> Option<u64> {
        let way = self.moments.as_ref()?;
        let (variable, shared) = way.shared.as_ref()?;
        let blocks = shared.degree() / STEP;
        let transform = self.transforms[way.field].as_ref()?;
        let [degrees, alpha, _] = transform.inverse_flops();
        let lines = way.circle.operations() * 2 * self.plan.nodes * self.plan.nodes;
        let points = self.plan.points() * moments::operations::<T>(*variable, blocks);
        let contraction = transform.coefficients_len() * 2 * self.channels;
        Some((contraction + degrees + alpha + lines + points) as u64)
    }

    /// Bytes of working memory of a thread.
    pub(super) fn workspace_bytes<const W: usize>(&self) -> u64 {
        let width = 2 * self.plan.bandlimit;
        let spectra: usize = self.transforms.iter().flatten().map(|t| 2 * t.coefficients_len()).sum();
        let rings = if self.moments.is_some() {
            0
        } else {
            Rooms::<T, W>::rings(&self.fields) * self.plan.points() / self.plan.nodes
        };
        let lines = self.fields.fields.len() * width * (width + 2 * self.plan.nodes);
        ((spectra + lines + rings) * size_of::<T>() * W) as u64
    }
}

fn tolerance<T: Number>() -> f64 {
    if T::DIGITS < 53 { 5e-9 } else { 1e-13 }
}

/// A transform that refuses what this crate gave it.
pub(super) fn internal(error: HarmonicError) -> BackendError {
    BackendError::Device {
        device: "cpu".to_owned(),
        problem: error.to_string(),
        remedy: "please report it".to_owned(),
    }
}
