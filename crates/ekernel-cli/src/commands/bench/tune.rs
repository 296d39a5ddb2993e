//! `ekernel bench --tune`: the sizes of workgroups that are fastest on an adapter.

use std::path::Path;

use ekernel_core::BackendError;
use ekernel_wgpu::{Device, StrategyChoice, Tuning, WgpuOptions};
use serde::Serialize;
use serde_json::json;

use super::{
    Bench,
    machine::{Adapter, Machine},
    row::{On, Run, Setup},
};
use crate::{
    failure::mistake,
    output,
    progress::Task,
    report::{number, table::Table},
    tuning::{self, Entry},
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

/// Sizes named on the command line; none for [`INVOCATIONS`] × [`IN_TURN`].
#[derive(Clone, Debug)]
pub(super) struct Sizes(Vec<Tuning>);

/// How fast workgroups of one size are.
#[derive(Serialize)]
struct Found {
    invocations: u32,
    in_turn: u32,
    pairs_per_second: f64,
}

/// `64x1,128x4`: invocations, and runs of planes in turn.
pub(super) fn sizes(text: &str) -> Result<Sizes, String> {
    let one = |word: &str| {
        let (invocations, in_turn) = word.split_once('x')?;
        let (invocations, in_turn) = (invocations.parse().ok()?, in_turn.parse().ok()?);
        ((1..=1024).contains(&invocations) && (1..=64).contains(&in_turn))
            .then_some(Tuning { invocations, in_turn })
    };
    let all: Option<Vec<Tuning>> = text.split(',').map(one).collect();
    all.map(Sizes).ok_or_else(|| {
        "give invocations (1 to 1024) and runs in turn (1 to 64), for example 64x1,128x4".to_owned()
    })
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
    let mut setups: Vec<(Tuning, Setup)> = Vec::new();
    for tuning in all {
        if !setups.iter().any(|(known, _)| *known == tuning) {
            let on = On::Gpu { device: device.clone(), options: options(tuning) };
            setups.push((tuning, Setup::new(NETWORK, on)?));
        }
    }

    let task = Task::new(arguments.quiet)?;
    let steps = setups.len() * (1 + PASSES);
    let step = |done: usize, [what, tuning]: [&str; 2]| {
        task.count(&format!("{what} of {tuning}"), done, steps);
        task.control().check()
    };
    let mut runs = Vec::new();
    for (tuning, setup) in &setups {
        step(runs.len(), ["first result", &shown(*tuning)])?;
        match Run::start(setup, task.control()) {
            Ok(run) => runs.push((*tuning, run)),
            // A size that the driver has no registers for is out, unless it is the built-in one.
            Err(error) if *tuning != Tuning::default() && is_refused(&error) => {
                output::note(arguments.quiet, &format!("{}: {error}", shown(*tuning)));
            }
            Err(error) => return Err(error),
        }
    }
    for pass in 1..=PASSES {
        let count = runs.len();
        for (at, (tuning, run)) in runs.iter_mut().enumerate() {
            step(setups.len() + (pass - 1) * count + at, [&format!("pass {pass}"), &shown(*tuning)])?;
            run.pass(arguments.seconds, PASSES, task.control())?;
        }
    }
    task.end();

    let found: Vec<Found> = runs
        .iter()
        .map(|(tuning, run)| Found {
            invocations: tuning.invocations,
            in_turn: tuning.in_turn,
            pairs_per_second: run.best(),
        })
        .collect();
    let built_in = &found[0];
    let fastest = found.iter().fold(built_in, |best, other| {
        if other.pairs_per_second > best.pairs_per_second { other } else { best }
    });
    let chosen = if fastest.pairs_per_second > GAIN * built_in.pairs_per_second { fastest } else { built_in };
    let entry = Entry {
        adapter: device.describe(),
        invocations: chosen.invocations,
        in_turn: chosen.in_turn,
        network: NETWORK.to_owned(),
        pairs_per_second: chosen.pairs_per_second,
        default_pairs_per_second: built_in.pairs_per_second,
        program: output::PROGRAM.to_owned(),
    };
    tuning::store(&path, entry, arguments.quiet)?;
    tell(arguments, &device, &path, &found, chosen)
}

fn tell(
    arguments: &Bench,
    device: &Device,
    path: &Path,
    found: &[Found],
    chosen: &Found,
) -> anyhow::Result<()> {
    let built_in = found[0].pairs_per_second;
    let mut table = Table::new(["invocations", "runs in turn", "pairs/s", "of the built-in sizes"]);
    for row in found {
        table.row([
            row.invocations.to_string(),
            row.in_turn.to_string(),
            number(row.pairs_per_second),
            format!("{:.2}", row.pairs_per_second / built_in),
        ]);
    }
    let text = format!(
        "{NETWORK} on {}, fused, NNGP and NTK together; the best of {PASSES} passes\n\n{table}\nchosen: {} invocations, {} in \
         turn; stored in {}\n",
        device.describe(),
        chosen.invocations,
        chosen.in_turn,
        path.display()
    );
    let tuning = Tuning { invocations: chosen.invocations, in_turn: chosen.in_turn };
    let document = json!({
        "format": super::FORMAT,
        "program": output::PROGRAM,
        "machine": Machine::here(),
        "adapter": Adapter::of(device, tuning),
        "network": NETWORK,
        "passes": PASSES,
        "tried": found,
        "file": path.display().to_string(),
    });
    super::publish(arguments, &text, &document)
}

fn shown(tuning: Tuning) -> String {
    format!("{}x{}", tuning.invocations, tuning.in_turn)
}

fn is_refused(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(BackendError::Device { .. }))
}
