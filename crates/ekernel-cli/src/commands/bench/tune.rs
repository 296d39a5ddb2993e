//! `ekernel bench --tune`: the sizes of workgroups that are fastest on an adapter.

use std::path::PathBuf;

use ekernel_wgpu::{Device, StrategyChoice, Tuning, WgpuOptions};
use serde::Serialize;
use serde_json::json;

use super::{
    machine::{Adapter, Machine},
    options::Bench,
    publish::{FORMAT, publish},
    row::{On, Run, Setup},
    runs::Runs,
    sizes::Sizes,
};
use crate::{
    failure::mistake,
    output,
    progress::Task,
    table::Table,
    tuning::{self, Entry},
    words::number,
};

/// The stage that workgroups are tuned on: the five convolutions of the paper's Table 1.
const NETWORK: &str = "cnn-valid";

/// Sizes that are tried, as far as the adapter has them.
const INVOCATIONS: [u32; 5] = [64, 128, 256, 512, 1024];
const IN_TURN: [u32; 5] = [1, 2, 4, 8, 16];

/// Passes over all sizes.
const PASSES: usize = 3;

/// The built-in sizes are kept unless others are faster by more than noise.
const GAIN: f64 = 1.02;

/// How fast workgroups of one size are.
#[derive(Serialize)]
struct Found {
    invocations: u32,
    in_turn: u32,
    pairs_per_second: f64,
}

pub(super) fn run(arguments: &Bench, named: Option<&Sizes>, device: Device) -> anyhow::Result<()> {
    let Some(path) = tuning::file(arguments.gpu.tuning.as_deref()) else {
        return Err(mistake(format!(
            "--tune: there is no file to store the choice in; name one with --tuning FILE or {}",
            tuning::VARIABLE
        )));
    };
    if arguments.gpu.strategy() == StrategyChoice::Layered {
        return Err(mistake("--tune: the layered strategy has nothing to tune; leave --strategy out"));
    }
    tuning::ensure_storable(&path)?;
    let granted = device.limits().max_compute_invocations_per_workgroup;
    let mut all = vec![Tuning::default()];
    match named {
        Some(Sizes(sizes)) => all.extend(sizes),
        None => {
            let fitting = INVOCATIONS.into_iter().filter(|&invocations| invocations <= granted);
            all.extend(
                fitting.flat_map(|invocations| IN_TURN.map(|in_turn| Tuning { invocations, in_turn })),
            );
        }
    }
    let options = |tuning| WgpuOptions { strategy: StrategyChoice::Fused, tuning, ..WgpuOptions::default() };
    let mut setups = Vec::new();
    for (at, &tuning) in all.iter().enumerate() {
        if !all[..at].contains(&tuning) {
            let on = On::Gpu { device: device.clone(), options: options(tuning) };
            setups.push(Setup::new(NETWORK, on)?);
        }
    }

    let task = Task::new(arguments.quiet)?;
    let steps = setups.len() * (1 + PASSES);
    let step = |what: &str, done: usize, setup: &Setup| {
        task.count(&format!("{what} of {}", shown(setup)), done, steps);
    };
    let mut runs = Runs::start(&setups, task.control(), |at, setup| step("first result", at, setup))?;
    for pass in 1..=PASSES {
        runs.pass(arguments.seconds, PASSES, task.control(), |at, setup| {
            step(&format!("pass {pass}"), setups.len() * pass + at, setup);
        })?;
    }
    task.end();

    let Runs { going, mut without } = runs;
    for without in &without {
        output::note(arguments.quiet, &format!("{} is left out: {}", shown(without.setup), without.reason()));
    }
    let found: Vec<Found> = going.iter().filter_map(Found::of).collect();
    let Some(chosen) = choice(&found) else {
        // What has no rate has an error.
        return Err(without.swap_remove(0).error.into());
    };
    let entry = Entry {
        adapter: device.describe(),
        invocations: chosen.invocations,
        in_turn: chosen.in_turn,
        network: NETWORK.to_owned(),
        pairs_per_second: chosen.pairs_per_second,
        default_pairs_per_second: built_in(&found).map(|found| found.pairs_per_second),
        program: output::PROGRAM.to_owned(),
    };
    // What was measured is printed even if it cannot be stored.
    let stored = tuning::store(&path, entry, arguments.quiet);
    print(arguments, &device, stored.is_ok().then_some(&path), &found, chosen)?;
    stored
}

/// The built-in sizes, unless the adapter failed at them.
fn built_in(found: &[Found]) -> Option<&Found> {
    found.iter().find(|found| found.tuning() == Tuning::default())
}

/// The fastest sizes, or the built-in ones if they are as fast but for noise; none of none.
fn choice(found: &[Found]) -> Option<&Found> {
    let fastest =
        found.iter().max_by(|one, other| one.pairs_per_second.total_cmp(&other.pairs_per_second))?;
    let kept = built_in(found).filter(|kept| fastest.pairs_per_second <= GAIN * kept.pairs_per_second);
    Some(kept.unwrap_or(fastest))
}

fn print(
    arguments: &Bench,
    device: &Device,
    stored: Option<&PathBuf>,
    found: &[Found],
    chosen: &Found,
) -> anyhow::Result<()> {
    let built_in = built_in(found).map(|found| found.pairs_per_second);
    let mut table = Table::new(["invocations", "runs in turn", "pairs/s", "of the built-in sizes"]);
    for row in found {
        table.row([
            row.invocations.to_string(),
            row.in_turn.to_string(),
            number(row.pairs_per_second),
            built_in.map_or_else(String::new, |built_in| format!("{:.2}", row.pairs_per_second / built_in)),
        ]);
    }
    let text = format!(
        "{NETWORK} on {}, fused, NNGP and NTK together; the best of {PASSES} passes\n\n{table}\nchosen: {} invocations, {} in \
         turn; {}\n",
        device.describe(),
        chosen.invocations,
        chosen.in_turn,
        stored.map_or_else(|| "not stored".to_owned(), |path| format!("stored in {}", path.display()))
    );
    let document = json!({
        "format": FORMAT,
        "program": output::PROGRAM,
        "machine": Machine::here(),
        "adapter": Adapter::of(device, chosen.tuning()),
        "network": NETWORK,
        "passes": PASSES,
        "tried": found,
        "file": stored.map(|path| path.display().to_string()),
    });
    publish(arguments.json.as_ref(), &text, &document)
}

impl Found {
    fn of(run: &Run<'_>) -> Option<Found> {
        let Tuning { invocations, in_turn } = tuning(run.setup)?;
        Some(Found { invocations, in_turn, pairs_per_second: run.best() })
    }

    fn tuning(&self) -> Tuning {
        Tuning { invocations: self.invocations, in_turn: self.in_turn }
    }
}

/// The sizes that a row measures.
fn tuning(setup: &Setup) -> Option<Tuning> {
    match &setup.on {
        On::Gpu { options, .. } => Some(options.tuning),
        On::Cpu { .. } => None,
    }
}

fn shown(setup: &Setup) -> String {
    tuning(setup).map_or_else(String::new, |tuning| format!("{}x{}", tuning.invocations, tuning.in_turn))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fastest_sizes_are_chosen() {
        let found = |invocations, pairs_per_second| Found { invocations, in_turn: 16, pairs_per_second };
        let chosen = |found: &[Found]| choice(found).map(|found| found.invocations);
        assert_eq!(Tuning::default(), found(256, 1.0).tuning());
        assert_eq!(chosen(&[found(256, 1.0), found(64, 0.9), found(128, 1.5)]), Some(128));
        // Noise is no gain.
        assert_eq!(chosen(&[found(256, 1.0), found(64, 1.01)]), Some(256));
        // The adapter failed at the built-in sizes, or at all.
        assert_eq!(chosen(&[found(64, 1.0), found(512, 1.01)]), Some(512));
        assert_eq!(chosen(&[]), None);
    }
}
