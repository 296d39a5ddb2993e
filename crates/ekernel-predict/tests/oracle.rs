//! Every array of `predict.npz` (neural-tangents 0.6.5, float64) to 1e-12 of its largest entry, where 1e-10 is promised.
//! Measured: 6.9e-15 at worst.

use std::{collections::BTreeSet, fs::File};

use anyhow::{Context, Result, ensure};
use ekernel_predict::{Fit, KernelMachine, Nngp, Par, Ridge, Spectrum, TrainingTime};
use ndarray::{Array1, Array2};
use ndarray_npy::NpzReader;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/predict.npz");
const TOLERANCE: f64 = 1e-12;

/// The fixture, and which of its arrays have been compared or used.
struct Oracle {
    reader: NpzReader<File>,
    used: BTreeSet<String>,
}

impl Oracle {
    fn open() -> Result<Oracle> {
        let reader = NpzReader::new(File::open(FIXTURE).with_context(|| FIXTURE)?)?;
        Ok(Oracle { reader, used: BTreeSet::new() })
    }

    fn array(&mut self, name: &str) -> Result<Array2<f64>> {
        self.used.insert(name.to_owned());
        self.reader.by_name(name).with_context(|| name.to_owned())
    }

    fn compare(&mut self, name: &str, found: &Array2<f64>) -> Result<()> {
        let expected = self.array(name)?;
        ensure!(found.dim() == expected.dim(), "{name}: {:?} for {:?}", found.dim(), expected.dim());
        let error = largest(&(found - &expected)) / largest(&expected);
        ensure!(error <= TOLERANCE, "{name}: off by {error:e}\n{found}\n{expected}");
        Ok(())
    }
}

fn largest(values: &Array2<f64>) -> f64 {
    values.iter().fold(0.0, |largest, value| value.abs().max(largest))
}

fn diagonal_agrees(name: &str, found: &Array1<f64>, full: &Array2<f64>) -> Result<()> {
    let error = (found - &full.diag()).iter().fold(0.0, |worst: f64, e| worst.max(e.abs())) / largest(full);
    ensure!(error <= 1e-14, "{name}: the variances are off the covariance's diagonal by {error:e}");
    Ok(())
}

/// Mean, covariance and variance of one machine under the array names of the fixture.
fn check(oracle: &mut Oracle, kind: &str, suffix: &str, fit: &Fit<'_>) -> Result<()> {
    let (k_dd, k_td, k_tt) = (oracle.array("nngp_tt")?, oracle.array("nngp_st")?, oracle.array("nngp_ss")?);
    let cross = oracle.array(&format!("{kind}_st"))?;
    oracle.compare(&format!("mean_{kind}_{suffix}"), &fit.mean(cross.view())?)?;
    let (covariance, variance) = if kind == "nngp" {
        (
            fit.posterior_covariance(cross.view(), k_tt.view())?,
            fit.posterior_variance(cross.view(), k_tt.diag())?,
        )
    } else {
        let nngp = Nngp { train: k_dd.view(), cross: k_td.view(), test: k_tt.view() };
        let diagonal = Nngp { train: k_dd.view(), cross: k_td.view(), test: k_tt.diag() };
        (fit.ensemble_covariance(cross.view(), &nngp)?, fit.ensemble_variance(cross.view(), &diagonal)?)
    };
    let name = format!("cov_{kind}_{suffix}");
    diagonal_agrees(&name, &variance, &covariance)?;
    oracle.compare(&name, &covariance)
}

#[test]
fn every_published_array_is_met() -> Result<()> {
    let mut oracle = Oracle::open()?;
    let targets = oracle.array("y")?;
    for kind in ["nngp", "ntk"] {
        let train = oracle.array(&format!("{kind}_tt"))?;
        let spectrum = Spectrum::new(train.view(), Par::Seq)?;
        for (regularisation, ridge) in [("reg0.0", Ridge::NONE), ("reg0.001", Ridge::Relative(1e-3))] {
            for (t, eta_t) in [("t0.5", 0.5), ("t10.0", 10.0), ("t1000.0", 1000.0), ("tinf", f64::INFINITY)] {
                let (time, suffix) = (TrainingTime::new(eta_t)?, format!("{t}_{regularisation}"));
                // By Cholesky at infinite time, then everything by the shared eigenbasis.
                for machine in [
                    KernelMachine::new(train.view(), ridge, time, Par::rayon(2))?,
                    spectrum.machine(ridge, time)?,
                ] {
                    check(&mut oracle, kind, &suffix, &machine.fit(targets.view())?)?;
                }
            }
        }
    }

    let (train, cross) = (oracle.array("ntk_tt")?, oracle.array("ntk_st")?);
    let (initial, initial_test) = (oracle.array("f0")?, oracle.array("f0t")?);
    for (t, eta_t) in [("t0.5", 0.5), ("t10.0", 10.0)] {
        let machine = KernelMachine::new(train.view(), Ridge::NONE, TrainingTime::new(eta_t)?, Par::Seq)?;
        let fit = machine.fit_from(targets.view(), initial.view())?;
        oracle.compare(&format!("gd_train_{t}"), &fit.mean(train.view(), initial.view())?)?;
        oracle.compare(&format!("gd_test_{t}"), &fit.mean(cross.view(), initial_test.view())?)?;
    }

    // The inputs of the small network whose kernels these are; the NTK of the test set enters no prediction.
    let inputs = BTreeSet::from(["ntk_ss".to_owned(), "x".to_owned(), "xt".to_owned()]);
    let all: BTreeSet<String> = oracle.reader.names()?.into_iter().collect();
    assert_eq!(&all - &oracle.used, inputs, "arrays of the fixture that nothing was compared with");
    Ok(())
}
