//! Threads change no bit, and a cancelled token ends long work.

use std::{thread, time::Duration};

use ekernel_core::CancelToken;
use ekernel_predict::{
    FINE_RIDGES, Folds, KernelMachine, Nngp, PredictError, Ridge, RidgeSearch, Spectrum, Targets,
    TrainingTime, Workers,
};
use ndarray::{Array1, Array2, s};

/// exp(cos) of points that lie irregularly on a circle, with a little of the identity.
fn kernel(n: usize) -> Array2<f64> {
    let angle = |i: usize| (i as f64 * 0.618_033_988_749_894_9).fract() * 6.0;
    Array2::from_shape_fn((n, n), |(i, j)| {
        (angle(i) - angle(j)).cos().exp() + if i == j { 0.05 } else { 0.0 }
    })
}

fn targets(n: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, 3), |(i, j)| ((3 * i + 5 * j) as f64).sin())
}

/// Means, covariances and the ridge search, at finite and infinite time, of sizes that faer divides and of small ones.
#[test]
fn threads_change_no_bit() {
    for n in [40, 330, 700] {
        let all = kernel(n + 20);
        let (train, cross) = (all.slice(s![..n, ..n]), all.slice(s![n.., ..n]));
        let y = targets(n);
        let everything = |threads: usize| {
            let workers = Workers::new(threads);
            let mut found: Vec<f64> = Vec::new();
            for time in [TrainingTime::INFINITE, TrainingTime::new(50.0).unwrap()] {
                let machine = KernelMachine::new(train, Ridge::Relative(1e-3), time, &workers).unwrap();
                let fit = machine.fit(y.view()).unwrap();
                let nngp = Nngp { train, cross, test: all.slice(s![n.., n..]) };
                found.extend(fit.mean(cross).unwrap());
                found.extend(fit.posterior_covariance(cross, nngp.test).unwrap());
                found.extend(fit.ensemble_covariance(cross, &nngp).unwrap());
            }
            let folds = Folds::strided(n, 3).unwrap();
            let time = TrainingTime::INFINITE;
            let values = Targets::Values(y.view());
            let search = RidgeSearch::new(train, &values, &FINE_RIDGES, time, &folds, &workers).unwrap();
            found.extend(search.scores.iter().map(|score| score.mean_squared_error));
            found.into_iter().map(f64::to_bits).collect::<Array1<u64>>()
        };
        let one = everything(1);
        for threads in [2, 3, 8] {
            assert!(everything(threads) == one, "n = {n}, {threads} threads");
        }
    }
}

/// Either decomposition takes long after the token is cancelled; an answer would be no [`PredictError::Cancelled`].
#[test]
fn a_cancelled_token_ends_long_work() {
    let kernel = kernel(3500);
    for time in [TrainingTime::INFINITE, TrainingTime::new(1.0).unwrap()] {
        let token = CancelToken::new();
        let workers = Workers::new(1).cancelled_by(&token);
        let canceller = thread::spawn(move || {
            thread::sleep(Duration::from_millis(60));
            token.cancel();
        });
        let found = KernelMachine::new(kernel.view(), Ridge::Relative(1e-3), time, &workers);
        canceller.join().unwrap();
        assert_eq!(found.err(), Some(PredictError::Cancelled), "{time}");
    }
}

/// What was made before the token was cancelled answers no more.
#[test]
fn a_cancelled_token_ends_short_work() {
    let (kernel, token) = (kernel(30), CancelToken::new());
    let workers = Workers::new(1).cancelled_by(&token);
    let spectrum = Spectrum::new(kernel.view(), &workers).unwrap();
    let machines = [TrainingTime::INFINITE, TrainingTime::new(1.0).unwrap()]
        .map(|time| KernelMachine::new(kernel.view(), Ridge::Relative(1e-3), time, &workers).unwrap());
    let y = targets(30);
    let search = |workers: &Workers| {
        let folds = Folds::strided(30, 3).unwrap();
        let values = Targets::Values(y.view());
        RidgeSearch::new(kernel.view(), &values, &FINE_RIDGES, TrainingTime::INFINITE, &folds, workers)
    };
    let searched = search(&workers).unwrap();
    let fits = machines.each_ref().map(|machine| machine.fit(y.view()).unwrap());
    token.cancel();
    let cancelled = Some(PredictError::Cancelled);
    for (machine, fit) in machines.iter().zip(&fits) {
        assert_eq!(machine.fit(y.view()).err(), cancelled);
        assert_eq!(fit.mean(kernel.view()).err(), cancelled);
        assert_eq!(fit.posterior_covariance(kernel.view(), kernel.view()).err(), cancelled);
    }
    assert_eq!(Spectrum::new(kernel.view(), &workers).err(), cancelled);
    assert_eq!(search(&workers).err(), cancelled);
    assert_eq!(searched.machine(kernel.view(), TrainingTime::INFINITE, &workers).err(), cancelled);
    // The basis itself is there; what is made from it stops.
    let machine = spectrum.machine(Ridge::Relative(1e-3), TrainingTime::new(1.0).unwrap()).unwrap();
    assert_eq!(machine.fit(y.view()).err(), cancelled);
}
