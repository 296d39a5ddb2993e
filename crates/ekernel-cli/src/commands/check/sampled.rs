//! Sampled networks against the literal reference, in units of their standard error.

use anyhow::Context;
use ekernel_core::{KernelSet, Kernels, Network, Pairs, Samples};
use ekernel_finite::FiniteBackend;
use ndarray::Array2;
use serde::Serialize;
use serde_json::json;

use crate::{
    architecture::{Architecture, located},
    args::{Sampled, Talk},
    failure::{self, mistake},
    output,
    progress::Task,
    table::Table,
    words::number,
};

/// Standard errors that the worst entry may be away, beside the bias of the width: of a hundred entries the largest is at
/// 2.6 on average, and beyond 5 in one check of ten thousand.
const STANDARD_ERRORS: f64 = 5.0;

/// The bias of an entry, of the largest entry and times the width: 2.1 was needed at widths from 8 to 20 (the tests of
/// ekernel-finite).
const BIAS: f64 = 4.0;

/// How one sampled kernel agrees.
#[derive(Debug, Serialize)]
struct Agreement {
    kernel: &'static str,
    /// The root mean square of (K̂ − K)/standard error: about 1 by chance.
    rms: f64,
    /// The largest |K̂ − K| in standard errors.
    worst: f64,
    /// The largest |K̂ − K| relative to what is allowed there.
    share: f64,
    /// Where that is.
    pair: [String; 2],
    ok: bool,
}

/// Samples networks and prints how far their kernels are from the reference.
pub(super) fn check(
    architecture: &Architecture,
    network: &Network,
    (names, samples): (&[&'static str], &Samples),
    (sampled, talk): (&Sampled, &Talk),
    task: &Task,
    reference: impl FnOnce(&Network) -> anyhow::Result<Kernels>,
) -> anyhow::Result<()> {
    let sized = match sampled.width {
        // The standard parameterisation reads the width.
        Some(width) => network.with_width(width).map_err(|error| located(&architecture.path, error))?,
        None => network.clone(),
    };
    let width = narrowest(&sized).ok_or_else(|| {
        mistake(format!(
            "{}: its layers have no width; give --width, or write width = 256 in each",
            architecture.path.display()
        ))
    })?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let options = sampled.options(&sized, KernelSet::Both, threads);
    let backend = FiniteBackend::new(&sized, KernelSet::Both, options);
    let truth = reference(&sized)?;
    task.begin_on("sampled networks", "networks");
    let estimate = backend.estimate(&Pairs::within(samples.clone()), task.control());
    task.end();
    let estimate = estimate
        .map_err(|error| failure::nothing_kept(error.into()))
        .with_context(|| architecture.path.display().to_string())?;
    let mut all = vec![agreement("nngp", &truth.nngp, &estimate.nngp, width, names)];
    if let (Some(truth), Some(found)) = (&truth.ntk, &estimate.ntk) {
        all.push(agreement("ntk", truth, found, width, names));
    }
    if talk.json {
        output::print_json(&json!({
            "program": output::PROGRAM,
            "name": architecture.name,
            "input": network.input().shape(),
            "samples": names,
            "networks": estimate.networks,
            "width": width,
            "agreement": all,
            "ok": all.iter().all(|agreement| agreement.ok),
        }))?;
    } else {
        let mut table =
            Table::new(["kernel", "rms", "worst", "share of the allowed", "at the pair", "verdict"]);
        for entry in &all {
            table.row([
                entry.kernel.to_uppercase(),
                number(entry.rms),
                number(entry.worst),
                number(entry.share),
                entry.pair.join(" with "),
                if entry.ok { "ok" } else { "WRONG" }.to_owned(),
            ]);
        }
        let described = ekernel_core::Backend::describe(&backend);
        output::print(&format!(
            "{} on {}, {} samples ({}): {described}\ndistances in standard errors; allowed are {STANDARD_ERRORS} of them and \
             {BIAS}/width of the largest entry\n\n{table}",
            architecture.name,
            network.input(),
            names.len(),
            names.join(", "),
        ))?;
    }
    match all.iter().find(|agreement| !agreement.ok) {
        Some(wrong) => {
            Err(anyhow::anyhow!("the sampled {} differs from the reference; please report it", wrong.kernel))
        }
        None => Ok(()),
    }
}

/// The least number of features of a hidden layer.
fn narrowest(network: &Network) -> Option<usize> {
    network.nodes().iter().filter_map(|node| node.layer.weights()?.width).min()
}

fn agreement(
    kernel: &'static str,
    truth: &Array2<f64>,
    [mean, error]: &[Array2<f64>; 2],
    width: usize,
    names: &[&'static str],
) -> Agreement {
    let scale = truth.iter().fold(f64::MIN_POSITIVE, |scale, k| scale.max(k.abs()));
    let (mut squares, mut count, mut worst) = (0.0, 0.0, 0.0_f64);
    let (mut share, mut pair) = (0.0, [0, 0]);
    for ((i, j), k) in truth.indexed_iter().filter(|((i, j), _)| i <= j) {
        let apart = (mean[[i, j]] - k).abs();
        if apart > 1e-6 * scale {
            let z = apart / error[[i, j]];
            squares += z * z;
            worst = worst.max(z);
        }
        count += 1.0;
        let own = apart / (STANDARD_ERRORS * error[[i, j]] + BIAS * scale / width as f64);
        if own > share || own.is_nan() {
            (share, pair) = (own, [i, j]);
        }
    }
    Agreement {
        kernel,
        rms: f64::sqrt(squares / count),
        worst,
        share,
        pair: pair.map(|i| names[i].to_owned()),
        ok: share <= 1.0,
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn what_is_beyond_chance_and_bias_is_wrong() {
        let truth = array![[1.0, 0.5], [0.5, 2.0]];
        let error = Array2::from_elem((2, 2), 0.01);
        let found = |change: f64| {
            let mut mean = truth.clone();
            mean[[0, 1]] += change;
            agreement("nngp", &truth, &[mean, error.clone()], 400, &["a", "b"])
        };
        // Allowed are 5·0.01 and 4·2/400.
        let [near, far] = [found(0.069), found(0.071)];
        assert!(near.ok && !far.ok, "{near:?} {far:?}");
        assert_eq!(far.pair, ["a", "b"]);
        assert!((near.worst - 6.9).abs() < 1e-9 && (near.rms - 6.9 / 3.0_f64.sqrt()).abs() < 1e-9);
        assert!(!found(f64::NAN).ok);
    }
}
