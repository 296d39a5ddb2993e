//! Kernels that are not positive definite: the pivot, its value, and the ridge that would do.

mod gram;

use ekernel_predict::{KernelMachine, Par, PredictError, Ridge, Spectrum, TrainingTime};
use gram::{cubic, features};
use ndarray::{Array2, array, s};

/// What is left of entry (k, k) once samples 0..k are accounted for: K_kk - K_k,<k K_<k⁻¹ K_<k,k.
fn schur(kernel: &Array2<f64>, k: usize) -> f64 {
    let before = kernel.slice(s![..k, ..k]);
    let machine = KernelMachine::new(before, Ridge::NONE, TrainingTime::INFINITE, Par::Seq).unwrap();
    let column = kernel.slice(s![..k, k..=k]);
    let weights = machine.fit(column).unwrap().weights().to_owned();
    kernel[(k, k)] - column.column(0).dot(&weights.column(0))
}

#[test]
fn indefinite_kernel_names_its_pivot_and_a_ridge_that_does() {
    // 300 samples, so that the pivot lies beyond the first blocks of the factorisation.
    let x = features(300, 40, 1);
    for pivot in [1, 63, 64, 200, 299] {
        let mut kernel = cubic(&x, &x);
        kernel[(pivot, pivot)] = 0.2;
        let error =
            KernelMachine::new(kernel.view(), Ridge::NONE, TrainingTime::INFINITE, Par::Seq).unwrap_err();
        let PredictError::NotPositiveDefinite {
            pivot: at,
            value,
            n: 300,
            ridge: Ridge::NONE,
            smallest,
            enough,
        } = error
        else {
            panic!("{error:?}");
        };
        let expected = schur(&kernel, pivot);
        assert_eq!(at, pivot);
        // Measured: 1.3e-15 at worst.
        assert!((value - expected).abs() < 1e-13, "{value} {expected}");
        let spectrum = Spectrum::new(kernel.view(), Par::Seq).unwrap();
        assert!((smallest - spectrum.eigenvalues()[0]).abs() < 1e-12, "{smallest}");
        assert!(value < 0.0 && smallest < 0.0);

        let Ridge::Relative(enough) = enough else { panic!("{enough}") };
        for time in [TrainingTime::INFINITE, TrainingTime::new(100.0).unwrap()] {
            assert!(
                KernelMachine::new(kernel.view(), Ridge::Relative(enough), time, Par::Seq).is_ok(),
                "{enough}"
            );
            let half =
                KernelMachine::new(kernel.view(), Ridge::Relative(0.5 * enough), time, Par::Seq).unwrap_err();
            match half {
                PredictError::NotPositiveDefinite { enough: again, .. }
                | PredictError::Indefinite { enough: again, .. } => {
                    assert_eq!(again, Ridge::Relative(enough))
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn repeated_samples_need_a_ridge_at_infinite_time_only() {
    let x =
        ndarray::concatenate![ndarray::Axis(0), features(30, 20, 2), features(30, 20, 2).slice(s![4..5, ..])];
    let kernel = cubic(&x, &x);
    let error = KernelMachine::new(kernel.view(), Ridge::NONE, TrainingTime::INFINITE, Par::Seq).unwrap_err();
    let PredictError::NotPositiveDefinite { pivot: 30, value, enough, .. } = error else {
        panic!("{error:?}")
    };
    assert!(value.abs() < 1e-14, "{value}");
    assert!(enough.value() < 1e-11, "{enough}");
    assert!(KernelMachine::new(kernel.view(), enough, TrainingTime::INFINITE, Par::Seq).is_ok());

    let spectrum = Spectrum::new(kernel.view(), Par::Seq).unwrap();
    let error = spectrum.machine(Ridge::NONE, TrainingTime::INFINITE).unwrap_err();
    assert!(matches!(error, PredictError::Indefinite { .. }), "{error:?}");
    assert!(spectrum.machine(enough, TrainingTime::INFINITE).is_ok());

    // Gradient flow is defined: two samples in one place with targets +1 and -1 pull nowhere.
    let mut targets = Array2::zeros((31, 1));
    (targets[(4, 0)], targets[(30, 0)]) = (1.0, -1.0);
    for eta_t in [1.0, 1e6] {
        let machine = spectrum.machine(Ridge::NONE, TrainingTime::new(eta_t).unwrap()).unwrap();
        let mean = machine.fit(targets.view()).unwrap().mean(kernel.view()).unwrap();
        // Rounding of the basis times the weight that this direction has gathered; measured: 2e-17·ηt.
        assert!(mean.iter().all(|v| v.abs() < 1e-15 * eta_t), "{mean}");
    }
    // Until rounding would decide what is predicted.
    let error = spectrum.machine(Ridge::NONE, TrainingTime::new(1e12).unwrap()).unwrap_err();
    assert!(matches!(error, PredictError::Indefinite { eta_t: 1e12, .. }), "{error:?}");
    // With nothing at all there is nothing to decide, but no inverse either.
    let nothing = Spectrum::new(Array2::zeros((3, 3)).view(), Par::Seq).unwrap();
    assert!(nothing.machine(Ridge::NONE, TrainingTime::new(1e12).unwrap()).is_ok());
    assert!(matches!(
        nothing.machine(Ridge::NONE, TrainingTime::INFINITE),
        Err(PredictError::Indefinite { .. })
    ));
}

#[test]
fn pivot_within_rounding_of_zero_is_none() {
    let kernel = array![[1.0, 1.0], [1.0, 1.0 + f64::EPSILON]];
    let error = KernelMachine::new(kernel.view(), Ridge::NONE, TrainingTime::INFINITE, Par::Seq).unwrap_err();
    let PredictError::NotPositiveDefinite { pivot: 1, value, .. } = error else { panic!("{error:?}") };
    // A root and its square lie between the pivot and what is reported.
    assert!((value / f64::EPSILON - 1.0).abs() < 1e-15, "{value:e}");
    let kernel = array![[1.0, 1.0], [1.0, 1.0 + 1e-12]];
    assert!(KernelMachine::new(kernel.view(), Ridge::NONE, TrainingTime::INFINITE, Par::Seq).is_ok());
}

#[test]
fn message_says_what_would_do() {
    let kernel = array![[1.0, 2.0], [2.0, 1.0]];
    let error = KernelMachine::new(kernel.view(), Ridge::Relative(0.5), TrainingTime::INFINITE, Par::Seq)
        .unwrap_err();
    // 1 + 0.5 - 2²/1.5; eigenvalues -1 and 3.
    let (value, enough) = (1.5 - 4.0 / 1.5, Ridge::Relative(2.0));
    let PredictError::NotPositiveDefinite { pivot: 1, value: found, smallest, enough: offered, .. } = error
    else {
        panic!("{error:?}");
    };
    assert!((found - value).abs() < 1e-15 && (smallest + 1.0).abs() < 1e-15, "{found} {smallest}");
    assert_eq!(offered, enough);
    let text = PredictError::NotPositiveDefinite {
        pivot: 1,
        value: -1.0,
        n: 2,
        ridge: Ridge::Relative(0.5),
        smallest: -1.0,
        enough,
    };
    assert_eq!(
        text.to_string(),
        "the training kernel is not positive definite with a ridge of 0.5 of the mean diagonal: pivot 1 of 2 is -1e0 \
         (two equal or nearly equal inputs do that, and so does a kernel in f32); its smallest eigenvalue without a \
         ridge is -1e0, and a ridge of 2 of the mean diagonal would do"
    );
    // The unit of the answer is that of the question, unless the kernel has no scale to be relative to.
    let error = KernelMachine::new(kernel.view(), Ridge::Absolute(0.5), TrainingTime::INFINITE, Par::Seq)
        .unwrap_err();
    assert!(
        matches!(error, PredictError::NotPositiveDefinite { enough: Ridge::Absolute(_), .. }),
        "{error:?}"
    );
    let error =
        KernelMachine::new(Array2::zeros((2, 2)).view(), Ridge::NONE, TrainingTime::INFINITE, Par::Seq)
            .unwrap_err();
    let PredictError::NotPositiveDefinite { enough, .. } = error else { panic!("{error:?}") };
    assert!(matches!(enough, Ridge::Absolute(_)), "{enough}");
    assert!(
        KernelMachine::new(Array2::zeros((2, 2)).view(), enough, TrainingTime::INFINITE, Par::Seq).is_ok()
    );
}
