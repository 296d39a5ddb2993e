//! Facts that hold for any kernel: limits in time, agreement of the two factorisations, theorem 5, ridge selection.

mod gram;

use ekernel_predict::{
    FINE_RIDGES, Folds, KernelMachine, Nngp, Par, RIDGES, Ridge, RidgeSearch, Spectrum, TargetMean, Targets,
    TrainingTime, accuracy, argmax, one_hot_centered,
};
use gram::{cubic, features};
use ndarray::{Array1, Array2, Axis, concatenate, s};

/// Largest difference between two arrays over the largest entry of the second.
fn apart(found: &Array2<f64>, expected: &Array2<f64>) -> f64 {
    assert_eq!(found.dim(), expected.dim());
    let largest = |values: &Array2<f64>| values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    largest(&(found - expected)) / largest(expected)
}

fn targets(x: &Array2<f64>) -> Array2<f64> {
    let column = |i: usize, j: usize| (&x.column(i) * &x.column(j)).insert_axis(Axis(1));
    concatenate![Axis(1), column(0, 1), column(2, 0)]
}

#[test]
fn factorisations_and_thread_counts_agree() {
    let (x, test) = (features(257, 30, 3), features(11, 30, 4));
    let (kernel, cross) = (cubic(&x, &x), cubic(&test, &x));
    let y = targets(&x);
    let ridge = Ridge::Relative(1e-4);
    let solve = |machine: KernelMachine| machine.fit(y.view()).unwrap().mean(cross.view()).unwrap();
    let direct = solve(KernelMachine::new(kernel.view(), ridge, TrainingTime::INFINITE, Par::Seq).unwrap());
    // Strides of the caller's arrays make no difference.
    let transposed = kernel.t().to_owned();
    let mut spaced = Array2::zeros((257, 514));
    spaced.slice_mut(s![.., ..;-2]).assign(&kernel);
    let spectrum = Spectrum::new(kernel.view(), Par::rayon(2)).unwrap();
    for other in [
        solve(KernelMachine::new(transposed.t(), ridge, TrainingTime::INFINITE, Par::rayon(2)).unwrap()),
        solve(spectrum.machine(ridge, TrainingTime::INFINITE).unwrap()),
        solve(spectrum.machine(ridge, TrainingTime::new(1e12).unwrap()).unwrap()),
        solve(KernelMachine::new(kernel.view(), ridge, TrainingTime::new(1e12).unwrap(), Par::Seq).unwrap()),
        solve(
            KernelMachine::new(spaced.slice(s![.., ..;-2]), ridge, TrainingTime::INFINITE, Par::Seq).unwrap(),
        ),
    ] {
        // Measured: 1e-13.
        assert!(apart(&other, &direct) < 1e-12, "{:e}", apart(&other, &direct));
    }
    // The definition itself.
    let machine = KernelMachine::new(kernel.view(), ridge, TrainingTime::INFINITE, Par::Seq).unwrap();
    let solved = &kernel + &(Array2::<f64>::eye(257) * machine.ridge());
    // Measured: 3e-14.
    let back = solved.dot(&machine.fit(y.view()).unwrap().weights());
    assert!(apart(&back, &y) < 1e-12, "{:e}", apart(&back, &y));
    assert!((machine.ridge() - 1e-4 * kernel.diag().mean().unwrap()).abs() < 1e-15);
    let absolute = Ridge::Absolute(machine.ridge());
    let other = solve(KernelMachine::new(kernel.view(), absolute, TrainingTime::INFINITE, Par::Seq).unwrap());
    assert!(apart(&other, &direct) < 1e-14);
}

/// Euler steps of df/dt = -Θ(·,X)(f(X) - Y)/(n·m), the flow that every formula here solves.
#[test]
fn finite_time_is_what_small_steps_of_gradient_descent_do() {
    let (x, test) = (features(12, 6, 5), features(4, 6, 6));
    let (kernel, cross, y) = (cubic(&x, &x), cubic(&test, &x), targets(&x));
    let (initial, initial_test) = (targets(&(&x + 0.3)), targets(&(&test + 0.3)));
    let (eta_t, steps) = (7.0, 20_000);
    let (mut f, mut f_test) = (initial.clone(), initial_test.clone());
    for _ in 0..steps {
        let push = (&y - &f) * (eta_t / steps as f64 / y.len() as f64);
        f_test += &cross.dot(&push);
        f += &kernel.dot(&push);
    }
    let machine =
        KernelMachine::new(kernel.view(), Ridge::NONE, TrainingTime::new(eta_t).unwrap(), Par::Seq).unwrap();
    let fit = machine.fit_from(y.view(), initial.view()).unwrap();
    // The error of Euler's method falls like 1/steps; measured: 6.7e-6 and 5.5e-6.
    let (train, test) =
        (fit.mean(kernel.view(), initial.view()), fit.mean(cross.view(), initial_test.view()));
    assert!(apart(&train.unwrap(), &f) < 3e-5);
    assert!(apart(&test.unwrap(), &f_test) < 3e-5);
}

#[test]
fn nothing_is_learned_at_time_zero_and_everything_at_infinity() {
    let (x, test) = (features(20, 8, 7), features(5, 8, 8));
    let (ntk, cross, y) = (cubic(&x, &x), cubic(&test, &x), targets(&x));
    let (k_dd, k_td, k_tt) = (x.dot(&x.t()) + 1.0, test.dot(&x.t()) + 1.0, test.dot(&test.t()) + 1.0);
    let nngp = Nngp { train: k_dd.view(), cross: k_td.view(), test: k_tt.view() };

    let untrained =
        KernelMachine::new(ntk.view(), Ridge::NONE, TrainingTime::new(0.0).unwrap(), Par::Seq).unwrap();
    let fit = untrained.fit(y.view()).unwrap();
    assert_eq!(fit.mean(cross.view()).unwrap(), Array2::zeros((5, 2)));
    assert_eq!(fit.ensemble_covariance(cross.view(), &nngp).unwrap(), k_tt);
    assert_eq!(fit.posterior_covariance(cross.view(), k_tt.view()).unwrap(), k_tt);

    // At the training inputs themselves every network of the ensemble ends at the targets.
    let trained = KernelMachine::new(ntk.view(), Ridge::NONE, TrainingTime::INFINITE, Par::Seq).unwrap();
    let fit = trained.fit(y.view()).unwrap();
    assert!(apart(&fit.mean(ntk.view()).unwrap(), &y) < 1e-12);
    let certain = Nngp { train: k_dd.view(), cross: k_dd.view(), test: k_dd.diag() };
    // Measured: 3e-15 and 9e-16.
    assert!(fit.ensemble_variance(ntk.view(), &certain).unwrap().iter().all(|v| (0.0..1e-13).contains(v)));
    assert!(fit.posterior_variance(ntk.view(), ntk.diag()).unwrap().iter().all(|v| (0.0..1e-13).contains(v)));
}

/// Theorem 5: training on the orbit of every sample equals training on the averaged kernel, at every time, if the
/// absolute ridge of the former is |H| times that of the latter.
#[test]
fn training_on_all_rotations_is_averaging_the_kernel() {
    let order = 4;
    let rotated = |x: &Array2<f64>, turns: usize| {
        let (head, tail) = x.view().split_at(Axis(1), x.ncols() * turns / order);
        concatenate![Axis(1), tail, head]
    };
    let (x, test) = (features(9, 16, 9), features(5, 16, 10));
    let y = targets(&x);
    let orbit: Vec<Array2<f64>> = (0..order).map(|turns| rotated(&x, turns)).collect();
    let averaged = |a: &Array2<f64>| {
        let sum = orbit.iter().fold(Array2::zeros((a.nrows(), x.nrows())), |sum, hx| sum + cubic(a, hx));
        sum / order as f64
    };
    let all = concatenate![Axis(0), orbit[0], orbit[1], orbit[2], orbit[3]];
    let all_y = concatenate![Axis(0), y, y, y, y];
    let predict = |kernel: &Array2<f64>, cross: &Array2<f64>, y: &Array2<f64>, ridge, time| {
        let machine = KernelMachine::new(kernel.view(), ridge, time, Par::Seq).unwrap();
        machine.fit(y.view()).unwrap().mean(cross.view()).unwrap()
    };
    for eta_t in [0.5, 20.0, f64::INFINITY] {
        let time = TrainingTime::new(eta_t).unwrap();
        let ridge = 0.1;
        let (kernel, cross) = (averaged(&x), averaged(&test));
        let averaged = predict(&kernel, &cross, &y, Ridge::Absolute(ridge), time);
        let (kernel, cross) = (cubic(&all, &all), cubic(&test, &all));
        let augmented = predict(&kernel, &cross, &all_y, Ridge::Absolute(order as f64 * ridge), time);
        // Measured: 7e-15.
        assert!(apart(&augmented, &averaged) < 1e-13, "{:e}", apart(&augmented, &averaged));
        let unscaled = predict(&kernel, &cross, &all_y, Ridge::Absolute(ridge), time);
        assert!(apart(&unscaled, &averaged) > 5e-4, "{:e}", apart(&unscaled, &averaged));
    }
}

/// The search gives what a machine trained on each fold's training part gives.
#[test]
fn ridge_search_scores_are_those_of_machines_on_the_folds() {
    let x = features(41, 12, 11);
    let kernel = cubic(&x, &x);
    let values = targets(&x) + 5.0;
    let labels: Vec<usize> =
        x.column(0).iter().zip(x.column(1)).map(|(a, b)| usize::from(a * b > 0.1)).collect();
    let folds = Folds::stratified(&labels, 5).unwrap();
    assert!(RIDGES.iter().all(|ridge| FINE_RIDGES.contains(ridge)));
    for time in [TrainingTime::INFINITE, TrainingTime::new(30.0).unwrap()] {
        let by_value = Targets::Values(values.view());
        let by_class = Targets::Classes { labels: &labels, classes: 2 };
        let regression = RidgeSearch::new(kernel.view(), &by_value, &RIDGES, time, &folds, Par::Seq).unwrap();
        let classes =
            RidgeSearch::new(kernel.view(), &by_class, &RIDGES, time, &folds, Par::rayon(2)).unwrap();
        for (i, &ridge) in RIDGES.iter().enumerate() {
            let (mut squares, mut right) = (0.0, 0.0);
            for fold in 0..5 {
                let (train, held) = folds.split(fold);
                let rows = kernel.select(Axis(0), &train);
                let (block, cross) =
                    (rows.select(Axis(1), &train), rows.select(Axis(1), &held).reversed_axes());
                let machine = KernelMachine::new(block.view(), ridge, time, Par::Seq).unwrap();
                let seen = values.select(Axis(0), &train);
                let mean = TargetMean::of(seen.view()).unwrap();
                let fit = machine.fit(mean.centered(seen.view()).unwrap().view()).unwrap();
                let predicted = mean.restored(fit.mean(cross.view()).unwrap()).unwrap();
                squares += (predicted - values.select(Axis(0), &held)).mapv(|e| e * e).sum();

                let of = |part: &[usize]| part.iter().map(|&i| labels[i]).collect::<Vec<_>>();
                let fit = machine.fit(one_hot_centered(&of(&train), 2).unwrap().view()).unwrap();
                let chosen = argmax(fit.mean(cross.view()).unwrap().view()).unwrap();
                right += accuracy(&chosen, &of(&held)).unwrap() * held.len() as f64;
            }
            let score = regression.scores[i];
            assert_eq!((score.ridge, score.error_rate), (ridge, None));
            // Measured: 4.4e-15.
            let expected = squares / values.len() as f64;
            assert!((score.mean_squared_error / expected - 1.0).abs() < 1e-12, "{score:?} {expected}");
            let rate = classes.scores[i].error_rate.unwrap();
            assert!((rate - (1.0 - right / 41.0)).abs() < 1e-12, "{ridge}: {rate} {right}");
        }
        let lowest = regression.scores.iter().map(|s| s.mean_squared_error).fold(f64::INFINITY, f64::min);
        assert_eq!(regression.best().mean_squared_error, lowest);
        let lowest = classes.scores.iter().filter_map(|s| s.error_rate).fold(1.0, f64::min);
        assert_eq!(classes.best().error_rate, Some(lowest));
    }
}

/// A pair of samples that only all samples together contain makes their kernel indefinite, and the best ridge too small.
#[test]
fn the_machine_of_a_search_passes_over_ridges_that_do_not_do_for_all() {
    // A smooth function on a line; strided folds part neighbours.
    let mut kernel = Array2::from_shape_fn((12, 12), |(i, j)| (-0.1 * (i as f64 - j as f64).powi(2)).exp());
    let values = Array2::from_shape_fn((12, 1), |(i, _)| (0.4 * i as f64).sin());
    (kernel[[0, 1]], kernel[[1, 0]]) = (1.01, 1.01);
    let folds = Folds::strided(12, 2).unwrap();
    let by_value = Targets::Values(values.view());
    for time in [TrainingTime::INFINITE, TrainingTime::new(1e6).unwrap()] {
        let ridges = [Ridge::Relative(1e-6), Ridge::Relative(2.0)];
        let search = RidgeSearch::new(kernel.view(), &by_value, &ridges, time, &folds, Par::Seq).unwrap();
        assert_eq!(search.best().ridge, ridges[0]);
        assert!(KernelMachine::new(kernel.view(), ridges[0], time, Par::Seq).is_err());
        let (ridge, machine) = search.machine(kernel.view(), time, Par::Seq).unwrap();
        assert_eq!(ridge, ridges[1]);
        assert!(machine.fit(values.view()).is_ok());
        let few = RidgeSearch::new(kernel.view(), &by_value, &ridges[..1], time, &folds, Par::Seq).unwrap();
        let refused = few.machine(kernel.view(), time, Par::Seq).unwrap_err().to_string();
        assert!(refused.contains("with a ridge of 1e-6 of the mean diagonal"), "{refused}");
    }
}

#[test]
fn ridge_search_prefers_the_larger_of_equals_and_passes_over_what_fails() {
    // Every pair of samples is alike, so that nothing can be solved without a ridge; the labels are unpredictable.
    let kernel = Array2::from_shape_fn((8, 8), |(i, j)| f64::from(u8::from(i / 4 == j / 4)));
    let targets = Targets::Classes { labels: &[0, 0, 0, 0, 1, 1, 1, 1], classes: 2 };
    let folds = Folds::strided(8, 2).unwrap();
    let ridges = [Ridge::NONE, Ridge::Relative(0.1), Ridge::Relative(0.2)];
    let search =
        RidgeSearch::new(kernel.view(), &targets, &ridges, TrainingTime::INFINITE, &folds, Par::Seq).unwrap();
    assert!(search.scores[0].mean_squared_error.is_infinite());
    assert_eq!(search.scores[0].error_rate, Some(1.0));
    assert_eq!(search.scores[1].error_rate, Some(0.0));
    // Equal error rates: the smaller ridge shrinks less, so its squared error decides.
    assert_eq!(search.best().ridge, Ridge::Relative(0.1));
    let kernel = Array2::from_diag(&Array1::ones(8));
    let search =
        RidgeSearch::new(kernel.view(), &targets, &ridges[1..], TrainingTime::INFINITE, &folds, Par::Seq)
            .unwrap();
    assert_eq!(search.scores[0].mean_squared_error, search.scores[1].mean_squared_error);
    assert_eq!(search.best().ridge, Ridge::Relative(0.2));
}
