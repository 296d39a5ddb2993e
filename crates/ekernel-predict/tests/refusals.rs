//! Each way to get the arrays wrong, and exactly what is said about it. No result is ever NaN.

use ekernel_predict::{
    Folds, KernelMachine, Nngp, Par, PredictError, RIDGES, RegressionScores, Ridge, RidgeSearch, Spectrum,
    Targets, TrainingTime,
};
use ndarray::{Array2, array};

fn late() -> TrainingTime {
    TrainingTime::new(10.0).unwrap()
}

/// Both factorisations must refuse alike.
fn refused(kernel: &Array2<f64>, ridge: Ridge) -> [PredictError; 2] {
    [TrainingTime::INFINITE, late()]
        .map(|time| KernelMachine::new(kernel.view(), ridge, time, Par::Seq).unwrap_err())
}

fn sound() -> KernelMachine {
    KernelMachine::new(array![[2.0, 0.5], [0.5, 1.0]].view(), Ridge::NONE, TrainingTime::INFINITE, Par::Seq)
        .unwrap()
}

#[test]
fn kernels_that_are_no_kernels() {
    let empty = PredictError::Empty { what: "training kernel" };
    assert_eq!(refused(&Array2::zeros((0, 0)), Ridge::NONE), [empty.clone(), empty]);

    let oblong = PredictError::NotSquare { what: "training kernel", rows: 1, columns: 2 };
    assert_eq!(refused(&array![[1.0, 0.0]], Ridge::NONE), [oblong.clone(), oblong]);

    let skew =
        PredictError::Asymmetric { what: "training kernel", row: 0, column: 2, value: 0.5, mirrored: 0.25 };
    let kernel = array![[1.0, 0.1, 0.5], [0.1, 1.0, 0.0], [0.25, 0.0, 1.0]];
    assert_eq!(refused(&kernel, Ridge::NONE), [skew.clone(), skew.clone()]);
    assert_eq!(
        skew.to_string(),
        "the training kernel is not symmetric: 0.5 at row 0, column 2 but 0.25 at row 2, column 0; a kernel of a set \
         with itself is"
    );

    // Far from the diagonal of a larger one.
    let mut kernel = Array2::<f64>::eye(150);
    (kernel[(140, 3)], kernel[(3, 140)]) = (-0.125, 0.25);
    let skew = PredictError::Asymmetric {
        what: "training kernel",
        row: 3,
        column: 140,
        value: 0.25,
        mirrored: -0.125,
    };
    assert_eq!(refused(&kernel, Ridge::NONE), [skew.clone(), skew]);

    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for error in refused(&array![[1.0, 0.0], [value, 1.0]], Ridge::NONE) {
            let PredictError::NonFinite { what: "training kernel", row: 1, column: 0, value: found } = error
            else {
                panic!("{error:?}");
            };
            assert_eq!(found.to_bits(), value.to_bits());
        }
    }
}

#[test]
fn asymmetry_of_f32_is_not_refused() {
    let kernel = array![[1.0, 0.5], [0.5 + 1e-7, 1.0]];
    assert!(KernelMachine::new(kernel.view(), Ridge::NONE, TrainingTime::INFINITE, Par::Seq).is_ok());
}

#[test]
fn impossible_ridges_and_times() {
    let kernel = array![[1.0, 0.0], [0.0, 1.0]];
    for ridge in [Ridge::Relative(-1e-3), Ridge::Absolute(-1.0), Ridge::Absolute(f64::INFINITY)] {
        let error = PredictError::InvalidRidge { ridge };
        assert_eq!(refused(&kernel, ridge), [error.clone(), error]);
    }
    for error in refused(&kernel, Ridge::Relative(f64::NAN)) {
        assert!(matches!(error, PredictError::InvalidRidge { .. }), "{error:?}");
    }
    assert_eq!(
        PredictError::InvalidRidge { ridge: Ridge::Relative(-1e-3) }.to_string(),
        "a ridge of -0.001 of the mean diagonal is not possible; give a finite number that is zero or positive"
    );
    let flat = PredictError::NoScale { mean_diagonal: 0.0 };
    assert_eq!(refused(&Array2::zeros((2, 2)), Ridge::Relative(0.1)), [flat.clone(), flat]);
    assert_eq!(TrainingTime::new(-0.5), Err(PredictError::InvalidTime { eta_t: -0.5 }));
}

#[test]
fn targets_and_kernels_of_the_wrong_shape() {
    let machine = sound();
    let fit = machine.fit(array![[1.0], [2.0]].view()).unwrap();
    let rows = |what, found, needed, like| PredictError::Mismatch { what, axis: "rows", found, needed, like };
    let columns =
        |what, found, needed, like| PredictError::Mismatch { what, axis: "columns", found, needed, like };

    assert_eq!(machine.fit(array![[1.0]].view()).unwrap_err(), rows("targets", 1, 2, "training samples"));
    assert_eq!(
        machine.fit(Array2::zeros((2, 0)).view()).unwrap_err(),
        PredictError::Empty { what: "targets" }
    );
    let error = machine.fit(array![[1.0], [f64::NAN]].view()).unwrap_err();
    assert!(matches!(error, PredictError::NonFinite { what: "targets", row: 1, column: 0, .. }), "{error:?}");

    let cross = "kernel of the test set (rows) with the training set (columns)";
    let error = fit.mean(array![[1.0, 2.0, 3.0]].view()).unwrap_err();
    assert_eq!(error, columns(cross, 3, 2, "training samples"));
    assert_eq!(
        error.to_string(),
        "the kernel of the test set (rows) with the training set (columns) has 3 columns but 2 are needed, as many as \
         training samples"
    );
    assert_eq!(fit.mean(Array2::zeros((0, 2)).view()).unwrap_err(), PredictError::Empty { what: cross });

    let initial = machine.fit_from(array![[1.0], [2.0]].view(), array![[0.0, 0.0], [0.0, 0.0]].view());
    let like = "targets' columns";
    assert_eq!(initial.unwrap_err(), columns("initial outputs of the training set", 2, 1, like));
    let moved = machine.fit_from(array![[1.0], [2.0]].view(), array![[0.0], [0.0]].view()).unwrap();
    let error = moved.mean(array![[1.0, 0.0]].view(), array![[0.0], [0.0]].view()).unwrap_err();
    assert_eq!(error, rows("initial outputs of the test set", 2, 1, "test samples"));

    let (one, two) = (array![[1.0, 0.0]], array![[1.0, 0.0], [0.0, 1.0]]);
    let test = "kernel of the test set with itself";
    let error = fit.posterior_covariance(one.view(), two.view()).unwrap_err();
    assert_eq!(error, rows(test, 2, 1, "test samples"));
    let error = fit.posterior_covariance(two.view(), one.view()).unwrap_err();
    assert_eq!(error, PredictError::NotSquare { what: test, rows: 1, columns: 2 });
    let error = fit.posterior_variance(two.view(), array![1.0].view()).unwrap_err();
    assert!(
        matches!(error, PredictError::Mismatch { axis: "entries", found: 1, needed: 2, .. }),
        "{error:?}"
    );

    let (k_dd, k_tt) = (array![[1.0]], array![[1.0]]);
    let nngp = Nngp { train: k_dd.view(), cross: one.view(), test: k_tt.view() };
    let error = fit.ensemble_covariance(one.view(), &nngp).unwrap_err();
    assert_eq!(error, rows("NNGP kernel of the training set with itself", 1, 2, "training samples"));
    let nngp = Nngp { train: two.view(), cross: two.view(), test: k_tt.diag() };
    let error = fit.ensemble_variance(one.view(), &nngp).unwrap_err();
    let cross = "NNGP kernel of the test set (rows) with the training set (columns)";
    assert_eq!(error, rows(cross, 2, 1, "test samples"));
}

#[test]
fn one_sample_is_enough_for_a_machine_and_too_few_for_folds() {
    let kernel = array![[2.0]];
    for (time, expected) in [(TrainingTime::INFINITE, 0.75), (late(), 0.75 * -(-20.0_f64).exp_m1())] {
        let machine = KernelMachine::new(kernel.view(), Ridge::NONE, time, Par::Seq).unwrap();
        let fit = machine.fit(array![[3.0]].view()).unwrap();
        let mean = fit.mean(array![[0.5]].view()).unwrap();
        assert!((mean[(0, 0)] - expected).abs() < 1e-15, "{mean} {expected}");
        let variance = fit.posterior_variance(array![[2.0]].view(), array![2.0].view()).unwrap();
        assert!((0.0..1e-14).contains(&variance[0]), "{variance}");
    }
    assert_eq!(Folds::strided(1, 2), Err(PredictError::InvalidFolds { folds: 2, samples: 1 }));
}

#[test]
fn numbers_too_large_are_named_and_very_large_ones_work() {
    let machine =
        KernelMachine::new(array![[1e-10]].view(), Ridge::NONE, TrainingTime::INFINITE, Par::Seq).unwrap();
    let error = machine.fit(array![[1e300]].view()).unwrap_err();
    assert_eq!(error, PredictError::Overflow { what: "weights of the training samples" });
    let machine = sound();
    let fit = machine.fit(array![[1e300], [0.0]].view()).unwrap();
    assert_eq!(
        fit.mean(array![[1e300, 0.0]].view()),
        Err(PredictError::Overflow { what: "mean prediction" })
    );

    // The shape of a kernel decides, not its scale: deep networks reach such numbers.
    for scale in [1e-100, 1e100] {
        let kernel = array![[2.0, 0.5, 0.1], [0.5, 1.0, 0.2], [0.1, 0.2, 3.0]];
        let targets = array![[1.0], [2.0], [-1.0]];
        for time in [f64::INFINITY, 1e6 / scale] {
            let time = TrainingTime::new(time).unwrap();
            let machine =
                KernelMachine::new((&kernel * scale).view(), Ridge::Relative(1e-3), time, Par::Seq).unwrap();
            let mean = machine.fit(targets.view()).unwrap().mean((&kernel * scale).view()).unwrap();
            let plain =
                KernelMachine::new(kernel.view(), Ridge::Relative(1e-3), TrainingTime::INFINITE, Par::Seq)
                    .unwrap();
            let plain = plain.fit(targets.view()).unwrap().mean(kernel.view()).unwrap();
            assert!((&mean - &plain).iter().all(|gap| gap.abs() < 1e-14), "{mean} {plain}");
        }
    }
}

#[test]
fn ridge_search_refuses_what_it_cannot_judge() {
    let kernel = Array2::from_diag(&array![1.0, 2.0, 3.0, 4.0]);
    let folds = Folds::strided(4, 2).unwrap();
    let search = |kernel: &Array2<f64>, targets: &Targets<'_>, ridges: &[Ridge], folds: &Folds| {
        RidgeSearch::new(kernel.view(), targets, ridges, TrainingTime::INFINITE, folds, Par::Seq).unwrap_err()
    };
    let targets = Targets::Classes { labels: &[0, 1, 0, 1], classes: 2 };
    assert_eq!(search(&kernel, &targets, &[], &folds), PredictError::NoRidges);
    let error = search(&kernel, &targets, &RIDGES, &Folds::strided(5, 2).unwrap());
    assert!(
        matches!(error, PredictError::Mismatch { axis: "samples", found: 5, needed: 4, .. }),
        "{error:?}"
    );
    let error = search(&kernel, &Targets::Classes { labels: &[0, 1], classes: 2 }, &RIDGES, &folds);
    assert!(
        matches!(error, PredictError::Mismatch { axis: "entries", found: 2, needed: 4, .. }),
        "{error:?}"
    );
    let error = search(&kernel, &targets, &[Ridge::Relative(-1.0)], &folds);
    assert_eq!(error, PredictError::InvalidRidge { ridge: Ridge::Relative(-1.0) });
    let error = search(&Array2::ones((4, 4)), &targets, &[Ridge::NONE], &folds);
    assert!(matches!(error, PredictError::Indefinite { .. }), "{error:?}");
}

#[test]
fn scores_refuse_what_does_not_match() {
    let error = RegressionScores::new(array![[1.0]].view(), array![[1.0], [2.0]].view()).unwrap_err();
    assert!(
        matches!(error, PredictError::Mismatch { what: "prediction", found: 1, needed: 2, .. }),
        "{error:?}"
    );
    let error = RegressionScores::new(array![[f64::NAN]].view(), array![[1.0]].view()).unwrap_err();
    assert!(matches!(error, PredictError::NonFinite { what: "prediction", .. }), "{error:?}");
}

#[test]
fn spectrum_is_checked_too() {
    let error = Spectrum::new(array![[1.0, 0.5], [0.0, 1.0]].view(), Par::Seq).unwrap_err();
    assert!(matches!(error, PredictError::Asymmetric { row: 0, column: 1, .. }), "{error:?}");
}
