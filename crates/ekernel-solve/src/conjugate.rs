//! Conjugate gradients, all outputs at once.

use ndarray::{Array1, Array2, ArrayView2, Axis, Zip};

use crate::{Preconditioner, SolveError, State, SymmetricKernel};

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Added to the diagonal, in units of the kernel; positive.
    pub ridge: f64,
    /// The relative residual |Y - (K + λ) W| / |Y| at which an output is done.
    pub tolerance: f64,
    /// Steps at most.
    pub steps: usize,
}

/// What was reached.
#[derive(Clone, Debug)]
pub struct Solution {
    /// W, (n, m): predictions are K(x, X) W.
    pub weights: Array2<f64>,
    /// The largest relative residual of an output before the first step and after each.
    pub history: Vec<f64>,
    /// The same of the weights, by the system itself.
    pub reached: f64,
    /// Whether `reached` is within ten times the tolerance: rounding may let the recurrence pass below
    /// what the system has.
    pub converged: bool,
}

/// Steps after which the residual is computed anew, as that of the recurrence drifts.
const RENEWED: usize = 50;

/// Solves (K + λ) W = Y for Y of shape (n, m), from nothing or from a state.
///
/// `hear` gets every state after its step and may stop the work. Costs a product of K for each step, and
/// memory of seven times Y beside the kernel and the preconditioner.
///
/// # Errors
/// Targets of another shape or that are not finite; a ridge that is not positive; a kernel that is not
/// positive definite with it; those of reading, and of `hear`.
pub fn solve(
    kernel: &dyn SymmetricKernel,
    targets: ArrayView2<'_, f64>,
    preconditioner: &Preconditioner,
    settings: &Settings,
    from: Option<State>,
    hear: &mut dyn FnMut(&State) -> Result<(), SolveError>,
) -> Result<Solution, SolveError> {
    let Settings { ridge, tolerance, steps } = *settings;
    if !(ridge.is_finite() && ridge > 0.0) {
        return Err(SolveError::Ridge(ridge));
    }
    ensure_shape("the array of targets", targets, kernel.samples())?;
    if !targets.iter().all(|value| value.is_finite()) {
        return Err(SolveError::NotFinite { what: "the array of targets" });
    }
    let sizes = targets.columns().into_iter().map(|column| column.dot(&column).sqrt());
    let sizes: Array1<f64> = sizes.map(|size| if size == 0.0 { 1.0 } else { size }).collect();
    let system = |x: ArrayView2<'_, f64>| -> Result<Array2<f64>, SolveError> {
        let mut image = kernel.times(x)?;
        image.scaled_add(ridge, &x);
        Ok(image)
    };
    let mut state = match from {
        Some(state) => {
            ensure_state(&state, targets)?;
            state
        }
        None => begin(targets, preconditioner, &sizes),
    };
    for step in state.steps() + 1..=steps {
        if state.history.last().is_some_and(|&reached| reached <= tolerance) {
            break;
        }
        let image = system(state.direction.view())?;
        let curvature = columns(&state.direction, &image);
        let mut length = Array1::zeros(curvature.len());
        for (length, (&curvature, &product)) in length.iter_mut().zip(curvature.iter().zip(&state.product)) {
            if product > 0.0 {
                if curvature.is_nan() {
                    return Err(SolveError::NotFinite { what: "the kernel" });
                }
                if curvature <= 0.0 {
                    return Err(SolveError::Indefinite { ridge, curvature });
                }
                *length = product / curvature;
            }
        }
        add(&mut state.weights, &state.direction, &length);
        if step.is_multiple_of(RENEWED) {
            state.residual = &targets - &system(state.weights.view())?;
        } else {
            add(&mut state.residual, &image, &-length);
        }
        let reached = State::relative(state.residual.view(), &sizes);
        if state.history.iter().all(|&earlier| reached <= earlier) {
            state.best.assign(&state.weights);
        }
        state.history.push(reached);
        let preconditioned = preconditioner.apply(state.residual.view());
        let following = columns(&state.residual, &preconditioned);
        let ratio = Zip::from(&following)
            .and(&state.product)
            .map_collect(|&following, &product| if product > 0.0 { following / product } else { 0.0 });
        state.direction = preconditioned + &(state.direction * &ratio);
        state.product = following;
        hear(&state)?;
    }
    let residual = &targets - &system(state.best.view())?;
    let reached = State::relative(residual.view(), &sizes);
    Ok(Solution {
        weights: state.best,
        history: state.history,
        reached,
        converged: reached <= 10.0 * tolerance,
    })
}

impl Settings {
    /// Bytes that [`solve`] takes for targets (n, m), beside the kernel and the preconditioner.
    pub fn memory(samples: usize, outputs: usize) -> u64 {
        8 * 8 * samples as u64 * outputs as u64
    }
}

impl State {
    /// The state of weights that another solution found.
    ///
    /// # Errors
    /// Weights of another shape than the targets; those of reading.
    pub fn from_weights(
        kernel: &dyn SymmetricKernel,
        targets: ArrayView2<'_, f64>,
        preconditioner: &Preconditioner,
        ridge: f64,
        weights: Array2<f64>,
    ) -> Result<State, SolveError> {
        if weights.dim() != targets.dim() {
            let needed = format!("give the weights of the same targets, {:?}", targets.shape());
            return Err(SolveError::Shape { what: "start", found: weights.shape().to_vec(), needed });
        }
        let sizes = targets.columns().into_iter().map(|column| column.dot(&column).sqrt());
        let sizes: Array1<f64> = sizes.map(|size| if size == 0.0 { 1.0 } else { size }).collect();
        let mut image = kernel.times(weights.view())?;
        image.scaled_add(ridge, &weights);
        let residual = &targets - &image;
        let mut state = begin(residual.view(), preconditioner, &sizes);
        state.best.assign(&weights);
        state.weights = weights;
        Ok(state)
    }
}

fn begin(residual: ArrayView2<'_, f64>, preconditioner: &Preconditioner, sizes: &Array1<f64>) -> State {
    let direction = preconditioner.apply(residual);
    State {
        weights: Array2::zeros(residual.raw_dim()),
        best: Array2::zeros(residual.raw_dim()),
        product: columns(&residual.to_owned(), &direction),
        history: vec![State::relative(residual, sizes)],
        residual: residual.to_owned(),
        direction,
    }
}

/// The inner products of the columns of two matrices.
fn columns(a: &Array2<f64>, b: &Array2<f64>) -> Array1<f64> {
    (a * b).sum_axis(Axis(0))
}

/// a += b · diag(factors).
fn add(a: &mut Array2<f64>, b: &Array2<f64>, factors: &Array1<f64>) {
    for (mut a, b) in a.rows_mut().into_iter().zip(b.rows()) {
        Zip::from(&mut a).and(b).and(factors).for_each(|a, b, factor| *a += b * factor);
    }
}

fn ensure_shape(what: &'static str, array: ArrayView2<'_, f64>, samples: usize) -> Result<(), SolveError> {
    if array.nrows() == samples && array.ncols() > 0 {
        return Ok(());
    }
    let needed = format!("give one row for each of the {samples} samples");
    Err(SolveError::Shape { what, found: array.shape().to_vec(), needed })
}

fn ensure_state(state: &State, targets: ArrayView2<'_, f64>) -> Result<(), SolveError> {
    let State { weights, best, residual, direction, product, history } = state;
    let same = [weights, best, residual, direction].iter().all(|array| array.dim() == targets.dim());
    if same && product.len() == targets.ncols() && !history.is_empty() {
        return Ok(());
    }
    Err(SolveError::OtherSystem {
        found: format!("targets of shape {:?}", weights.shape()),
        needed: format!("one with targets of shape {:?}", targets.shape()),
    })
}
