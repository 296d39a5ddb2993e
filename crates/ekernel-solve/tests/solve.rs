//! Conjugate gradients against Cholesky factors, on kernels in memory and in stores.

use ekernel_core::{CancelToken, Control, KernelSet, Network, Pairs, Samples};
use ekernel_cpu::{CpuBackend, CpuOptions, Precision};
use ekernel_gram::{Element, Kernel, Options, Shard, ShardJob, ZarrOptions, ZarrStore, gram};
use ekernel_solve::{
    DenseKernel, Preconditioner, Settings, Solution, SolveError, State, StoredKernel, SymmetricKernel,
    predict, solve,
};
use faer::{Mat, Side, prelude::Solve};
use ndarray::{Array2, ArrayView2, s};
use rayon::{ThreadPool, ThreadPoolBuilder};

const NETWORK: &str = r#"
[input]
space = "vector"
shape = [5]
[[layers]]
op = "dense"
b_std = 0.1
[[layers]]
op = "relu"
[[layers]]
op = "dense"
"#;

/// SplitMix64: the same numbers in every run.
fn uniforms(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn array(rows: usize, cols: usize, seed: u64) -> Array2<f64> {
    let mut uniform = uniforms(seed);
    Array2::from_shape_fn((rows, cols), |_| 2.0 * uniform() - 1.0)
}

fn backend(precision: Precision) -> CpuBackend {
    let network: Network = NETWORK.parse().unwrap();
    CpuBackend::new(&network, KernelSet::Both, CpuOptions { precision, ..CpuOptions::default() }).unwrap()
}

fn kernel(x: &Array2<f64>) -> Array2<f64> {
    let pairs = Pairs::within(Samples::Vectors(x.clone()));
    let options = Options::new(KernelSet::Both);
    gram(&backend(Precision::F64), pairs, &options, &Control::new()).unwrap().ntk.unwrap()
}

fn store(pairs: Pairs, path: &std::path::Path, precision: Precision, chunk: usize) -> ZarrStore {
    let options = ZarrOptions {
        kernels: vec![Kernel::Ntk],
        element: if precision == Precision::F32 { Element::F32 } else { Element::F64 },
        chunk: Some(chunk),
        shard: Shard::WHOLE,
        notes: serde_json::Value::Null,
        threads: None,
        memory_limit: None,
    };
    let control = Control::new();
    ShardJob::prepare(&backend(precision), pairs, path, &options, &control).unwrap().run(&control).unwrap()
}

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

fn factored(kernel: &Array2<f64>, targets: &Array2<f64>, ridge: f64) -> Array2<f64> {
    let n = kernel.nrows();
    let system = Mat::from_fn(n, n, |i, j| kernel[(i, j)] + if i == j { ridge } else { 0.0 });
    let right = Mat::from_fn(n, targets.ncols(), |i, j| targets[(i, j)]);
    let solved = system.llt(Side::Lower).unwrap().solve(&right);
    Array2::from_shape_fn(targets.dim(), |(i, j)| solved[(i, j)])
}

fn solved(
    kernel: &dyn SymmetricKernel,
    targets: ArrayView2<'_, f64>,
    rank: usize,
    ridge: f64,
) -> Result<Solution, SolveError> {
    let preconditioner = Preconditioner::new(kernel, rank, ridge, &mut uniforms(3))?;
    let settings = Settings { ridge, tolerance: 1e-10, steps: 5000 };
    solve(kernel, targets, &preconditioner, &settings, None, &mut |_| Ok(()))
}

fn distance(found: &Array2<f64>, due: &Array2<f64>) -> f64 {
    let largest = |values: &Array2<f64>| values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    largest(&(found - due)) / largest(due)
}

#[test]
fn predictions_are_those_of_a_factor() {
    let (x, targets) = (array(150, 5, 1), array(150, 3, 2));
    let kernel = kernel(&x);
    let cross = kernel.slice(s![..20, ..]).to_owned();
    for relative in [1e-2, 1e-4, 1e-6] {
        let ridge = relative * kernel.diag().sum() / 150.0;
        let due = cross.dot(&factored(&kernel, &targets, ridge));
        for rank in [0, 1, 20, 100, 150, 900] {
            let found =
                solved(&DenseKernel::new(kernel.view()).unwrap(), targets.view(), rank, ridge).unwrap();
            assert!(
                found.converged && found.history.len() > 1,
                "{relative:e}, rank {rank}: {}",
                found.reached
            );
            let distance = distance(&cross.dot(&found.weights), &due);
            assert!(distance < 1e-8, "ridge {relative:e}, rank {rank}: {distance:e}");
        }
    }
}

#[test]
fn the_preconditioner_saves_steps() {
    let (x, targets) = (array(300, 5, 1), array(300, 2, 2));
    let kernel = kernel(&x);
    let dense = DenseKernel::new(kernel.view()).unwrap();
    let ridge = 1e-4 * kernel.diag().sum() / 300.0;
    let steps = [0, 60, 240].map(|rank| solved(&dense, targets.view(), rank, ridge).unwrap().history.len());
    // Measured: 226, 74 and 37.
    assert!(steps[0] > 2 * steps[1] && 2 * steps[1] > 3 * steps[2], "{steps:?}");
}

#[test]
fn a_store_is_solved_like_a_matrix_whatever_the_threads() {
    let root = tempfile::tempdir().unwrap();
    let (x, tests, targets) = (array(90, 5, 1), array(17, 5, 4), array(90, 3, 2));
    let [train_samples, test_samples] = [&x, &tests].map(|x| Samples::Vectors(x.clone()));
    for (precision, chunk) in [(Precision::F64, 16), (Precision::F32, 32), (Precision::F32, 1024)] {
        let here = |name: &str| root.path().join(format!("{name}{chunk}"));
        let train = store(Pairs::within(train_samples.clone()), &here("K"), precision, chunk);
        let pairs = Pairs::cross(test_samples.clone(), train_samples.clone());
        let cross = store(pairs, &here("T"), precision, chunk);
        cross.ensure_predicts_from(&train).unwrap();
        let matrix = train.window(Kernel::Ntk, 0..90, 0..90).unwrap();
        let ridge = 1e-4 * matrix.diag().sum() / 90.0;
        let weights = factored(&matrix, &targets, ridge);
        let due = cross.window(Kernel::Ntk, 0..17, 0..90).unwrap().dot(&weights);
        let mut first: Option<Array2<f64>> = None;
        for threads in [1, 2, 5] {
            let pool = pool(threads);
            let token = CancelToken::new();
            let stored = StoredKernel::new(&train, Kernel::Ntk, &pool, &token).unwrap();
            assert_eq!(stored.diagonal().unwrap(), matrix.diag());
            assert_eq!(stored.rows(&[3, 88, 40]).unwrap(), matrix.select(ndarray::Axis(0), &[3, 88, 40]));
            assert!(distance(&stored.times(targets.view()).unwrap(), &matrix.dot(&targets)) < 1e-13);
            let found = solved(&stored, targets.view(), 30, ridge).unwrap();
            assert!(found.converged);
            let predicted = predict(&cross, Kernel::Ntk, found.weights.view(), &pool, &token).unwrap();
            assert!(distance(&predicted, &due) < 1e-8, "{}", distance(&predicted, &due));
            assert_eq!(first.get_or_insert_with(|| predicted.clone()), &predicted);
            token.cancel();
            assert!(matches!(stored.times(targets.view()), Err(SolveError::Cancelled)));
        }
        let refused = StoredKernel::new(&cross, Kernel::Ntk, &pool(1), &CancelToken::new()).map(|_| ());
        assert!(refused.unwrap_err().to_string().contains("two sets"));
        assert!(train.ensure_predicts_from(&train).is_ok());
        let other = store(Pairs::within(test_samples.clone()), &here("other"), precision, chunk);
        let error = cross.ensure_predicts_from(&other).unwrap_err().to_string();
        assert!(error.contains("the first set there is 17 samples"), "{error}");
        let few = predict(&cross, Kernel::Ntk, targets.slice(s![..5, ..]), &pool(1), &CancelToken::new());
        assert!(few.unwrap_err().to_string().contains("90 columns"));
        std::fs::remove_file(here("K").join("ntk/c/0/0")).unwrap();
        let pool = pool(1);
        let stored = StoredKernel::new(&train, Kernel::Ntk, &pool, &CancelToken::new()).unwrap();
        let error = solved(&stored, targets.view(), 30, ridge).unwrap_err().to_string();
        assert!(error.contains("it has not been computed"), "{error}");
    }
}

#[test]
fn a_solution_goes_on_from_any_state_with_the_same_bits() {
    let (x, targets) = (array(120, 5, 1), array(120, 3, 2));
    let kernel = kernel(&x);
    let dense = DenseKernel::new(kernel.view()).unwrap();
    let ridge = 1e-6 * kernel.diag().sum() / 120.0;
    let preconditioner = Preconditioner::new(&dense, 10, ridge, &mut uniforms(3)).unwrap();
    let settings = Settings { ridge, tolerance: 1e-10, steps: 5000 };
    let mut states: Vec<State> = Vec::new();
    let mut hear = |state: &State| {
        states.push(state.clone());
        Ok(())
    };
    let whole = solve(&dense, targets.view(), &preconditioner, &settings, None, &mut hear).unwrap();
    assert!(states.len() > 60);
    for at in [0, 7, 48, 49, 55] {
        let from = Some(states[at].clone());
        let rest = solve(&dense, targets.view(), &preconditioner, &settings, from, &mut |_| Ok(())).unwrap();
        assert_eq!((&rest.weights, &rest.history), (&whole.weights, &whole.history), "from step {}", at + 1);
    }
    // From weights alone it begins a new sequence of directions, and ends as well.
    let from = State::from_weights(&dense, targets.view(), &preconditioner, ridge, states[30].best.clone());
    let rest =
        solve(&dense, targets.view(), &preconditioner, &settings, Some(from.unwrap()), &mut |_| Ok(()));
    assert!(rest.unwrap().converged);
    let other = array(120, 2, 2);
    let error =
        solve(&dense, other.view(), &preconditioner, &settings, Some(states[3].clone()), &mut |_| Ok(()));
    assert!(matches!(error, Err(SolveError::OtherSystem { .. })));
    let stop = &mut |_: &State| Err(SolveError::Cancelled);
    let stopped = solve(&dense, targets.view(), &preconditioner, &settings, None, stop);
    assert!(matches!(stopped, Err(SolveError::Cancelled)));
}

#[test]
fn it_says_what_it_reached_on_an_ill_conditioned_kernel() {
    // Hilbert's matrix: its eigenvalues fall by a factor of 30 each.
    let kernel = Array2::from_shape_fn((60, 60), |(i, j)| 1.0 / (i + j + 1) as f64);
    let targets = array(60, 2, 2);
    let dense = DenseKernel::new(kernel.view()).unwrap();
    let ridge = 1e-17;
    let preconditioner = Preconditioner::new(&dense, 5, ridge, &mut uniforms(3)).unwrap();
    let settings = Settings { ridge, tolerance: 1e-12, steps: 200 };
    match solve(&dense, targets.view(), &preconditioner, &settings, None, &mut |_| Ok(())) {
        Ok(found) => {
            let left = &targets - &(kernel.dot(&found.weights) + ridge * &found.weights);
            let norm = |values: &Array2<f64>, j: usize| values.column(j).dot(&values.column(j)).sqrt();
            let due = (0..2).map(|j| norm(&left, j) / norm(&targets, j)).fold(0.0, f64::max);
            assert!(
                !found.converged && (found.reached / due - 1.0).abs() < 1e-6,
                "{} and {due}",
                found.reached
            );
        }
        Err(error) => assert!(matches!(error, SolveError::Indefinite { .. }), "{error}"),
    }
    let negative = &kernel - &Array2::<f64>::eye(60);
    let dense = DenseKernel::new(negative.view()).unwrap();
    let error = solved(&dense, targets.view(), 0, 1e-3).unwrap_err().to_string();
    assert!(error.contains("not positive definite") && error.contains("larger ridge"), "{error}");
}

#[test]
fn awkward_systems() {
    let (x, targets) = (array(12, 5, 1), array(12, 3, 2));
    let kernel = kernel(&x);
    for scale in [1e-30, 1.0, 1e8] {
        let scaled = &kernel * scale;
        let dense = DenseKernel::new(scaled.view()).unwrap();
        let ridge = 1e-3 * scaled.diag().sum() / 12.0;
        let due = factored(&scaled, &targets, ridge);
        let found = solved(&dense, targets.view(), 4, ridge).unwrap();
        assert!(distance(&found.weights, &due) < 1e-8, "{scale:e}");
        // Targets of zero need no step; one column of them does not disturb the others.
        let zero = solved(&dense, Array2::zeros((12, 2)).view(), 4, ridge).unwrap();
        assert!(zero.converged && zero.history == [0.0] && zero.weights.iter().all(|&weight| weight == 0.0));
        let mut mixed = targets.clone();
        mixed.column_mut(1).fill(0.0);
        let found = solved(&dense, mixed.view(), 4, ridge).unwrap();
        assert!(distance(&found.weights, &factored(&scaled, &mixed, ridge)) < 1e-8);
    }
    let one = Array2::from_elem((1, 1), 2.0);
    let found =
        solved(&DenseKernel::new(one.view()).unwrap(), Array2::ones((1, 1)).view(), 500, 1.0).unwrap();
    assert!((found.weights[(0, 0)] - 1.0 / 3.0).abs() < 1e-15);
    // A kernel of rank 1 and one of zeros.
    let flat = Array2::from_elem((12, 12), 1.0);
    let dense = DenseKernel::new(flat.view()).unwrap();
    assert_eq!(Preconditioner::new(&dense, 8, 0.1, &mut uniforms(1)).unwrap().rank(), 1);
    assert!(solved(&dense, targets.view(), 8, 0.1).unwrap().converged);
    let zeros = Array2::zeros((12, 12));
    let dense = DenseKernel::new(zeros.view()).unwrap();
    assert_eq!(Preconditioner::new(&dense, 8, 0.1, &mut uniforms(1)).unwrap().rank(), 0);
    assert!(distance(&solved(&dense, targets.view(), 8, 0.1).unwrap().weights, &(&targets / 0.1)) < 1e-10);

    let dense = DenseKernel::new(kernel.view()).unwrap();
    for ridge in [0.0, -1.0, f64::NAN] {
        let found = Preconditioner::new(&dense, 0, ridge, &mut uniforms(1)).unwrap();
        let settings = Settings { ridge, tolerance: 1e-8, steps: 9 };
        let error = solve(&dense, targets.view(), &found, &settings, None, &mut |_| Ok(())).unwrap_err();
        assert!(matches!(error, SolveError::Ridge(_)), "{error}");
    }
    assert!(matches!(solved(&dense, targets.slice(s![..5, ..]), 3, 1.0), Err(SolveError::Shape { .. })));
    let nan = targets.mapv(|value| if value > 0.5 { f64::NAN } else { value });
    assert!(matches!(solved(&dense, nan.view(), 3, 1.0), Err(SolveError::NotFinite { .. })));
    let mut holed = kernel.clone();
    holed[(3, 4)] = f64::NAN;
    for rank in [0, 12] {
        let found = solved(&DenseKernel::new(holed.view()).unwrap(), targets.view(), rank, 1.0);
        assert!(matches!(found, Err(SolveError::NotFinite { .. })), "{found:?}");
    }
    assert!(DenseKernel::new(kernel.slice(s![..3, ..])).is_err());
}
