//! The rows that are asked for, measured in passes.

use ekernel_cpu::simd::Isa;
use ekernel_wgpu::{Device, WgpuOptions};
use serde_json::json;

use super::{
    machine::{Adapter, Machine},
    networks,
    options::{Bench, Subject},
    publish::{FORMAT, publish},
    row::{Measured, On, PASSES, Run, Setup},
    runs::{Runs, Without},
    tune,
};
use crate::{
    args::Precision,
    backends,
    failure::{self, mistake},
    output,
    progress::Task,
    table::Table,
    words::{duration, number},
};

pub(crate) fn run(arguments: &Bench) -> anyhow::Result<()> {
    if let Some(Some(path)) = &arguments.json {
        output::ensure_writable("--json", path, &[])?;
    }
    if let Some(sizes) = &arguments.tune {
        if arguments.backend == Subject::Cpu {
            return Err(mistake("--tune: only GPUs are tuned; leave --backend cpu out"));
        }
        let device = backends::open(arguments.gpu.adapter.as_ref())?;
        return tune::run(arguments, sizes.as_ref(), device).map_err(failure::nothing_kept);
    }
    let gpu = gpu(arguments)?;
    let setups = setups(arguments, gpu.as_ref())?;
    let task = Task::new(arguments.quiet)?;
    let Runs { going, mut without } = measure(arguments, &setups, &task).map_err(failure::nothing_kept)?;
    if going.is_empty() && !without.is_empty() {
        let Without { setup, error } = without.swap_remove(0);
        return Err(backends::not_served(error, arguments.gpu.strategy()).context(setup.name));
    }
    let rows: Vec<Measured> = going.into_iter().map(Run::finish).collect();
    let text = table(&rows, &without, gpu.as_ref());
    let of_yardstick = |row: &Measured| {
        let mut measured = json!(row);
        measured["of_relu"] = json!(of_yardstick(row, &rows));
        measured
    };
    let measured: Vec<_> = rows.iter().map(of_yardstick).collect();
    let document = json!({
        "format": FORMAT,
        "program": output::PROGRAM,
        "machine": Machine::here(),
        "adapter": gpu.as_ref().map(|(device, options)| Adapter::of(device, options.tuning)),
        "passes": PASSES,
        "measured": measured,
        "without": without
            .iter()
            .map(|without| json!({ "network": without.setup.name, "reason": without.reason() }))
            .collect::<Vec<_>>(),
    });
    publish(arguments.json.as_ref(), &text, &document)
}

/// The GPU to measure: the one that is named, else a hardware one, if there is one or one is asked for.
fn gpu(arguments: &Bench) -> anyhow::Result<Option<(Device, WgpuOptions)>> {
    let device = match arguments.backend {
        Subject::Cpu => match arguments.gpu.given() {
            Some(option) => {
                return Err(mistake(format!("{option}: the CPU alone is measured; leave --backend cpu out")));
            }
            None => None,
        },
        Subject::Wgpu => {
            let cpu = [
                ("--threads", !arguments.threads.is_empty()),
                ("--isa", !arguments.isa.is_empty()),
                ("--precision f64", arguments.precision.contains(&Precision::F64)),
            ];
            if let Some((option, _)) = cpu.into_iter().find(|(_, given)| *given) {
                return Err(mistake(format!("{option}: that is of the CPU; leave --backend wgpu out")));
            }
            Some(backends::open(arguments.gpu.adapter.as_ref())?)
        }
        Subject::Auto if arguments.gpu.adapter.is_some() => {
            Some(backends::open(arguments.gpu.adapter.as_ref())?)
        }
        Subject::Auto => backends::hardware(),
    };
    Ok(device.map(|device| {
        let options = backends::gpu_options(&arguments.gpu, &device, arguments.quiet);
        (device, options)
    }))
}

fn setups(arguments: &Bench, gpu: Option<&(Device, WgpuOptions)>) -> anyhow::Result<Vec<Setup>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut threads = if arguments.threads.is_empty() { vec![1, cores] } else { arguments.threads.clone() };
    threads.sort_unstable();
    threads.dedup();
    let named = arguments.networks.iter().flat_map(|named| named.0.iter().copied());
    let names = if arguments.networks.is_empty() { networks::default() } else { once(named) };
    let precisions = once(arguments.precision.iter().copied());
    let isas = if arguments.backend == Subject::Wgpu { vec![] } else { isas(&arguments.isa)? };
    let mut setups = Vec::new();
    for name in names {
        for &isa in &isas {
            for &precision in &precisions {
                for &threads in &threads {
                    setups.push(Setup::new(name, On::Cpu { isa, threads, precision })?);
                }
            }
        }
        if let Some((_, options)) = gpu {
            // Of its own, so that no row finds shaders that another has compiled.
            let device = backends::open(arguments.gpu.adapter.as_ref())?;
            setups.push(Setup::new(name, On::Gpu { device, options: *options })?);
        }
    }
    Ok(setups)
}

/// Each value where it stands first.
fn once<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut found = Vec::new();
    for value in values {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

fn measure<'a>(arguments: &Bench, setups: &'a [Setup], task: &Task) -> anyhow::Result<Runs<'a>> {
    let steps = setups.len() * (1 + PASSES);
    let tell = |what: &str, done: usize, setup: &Setup| {
        task.count(&format!("{what} of {}", setup.label()), done, steps);
    };
    let mut runs = Runs::start(setups, task.control(), |at, setup| tell("first result", at, setup))?;
    for pass in 1..=PASSES {
        runs.pass(arguments.seconds, PASSES, task.control(), |at, setup| {
            tell(&format!("pass {pass}"), setups.len() * pass + at, setup);
        })?;
    }
    task.end();
    Ok(runs)
}

/// The row's positions per second over those of the yardstick in float32 on the same instruction set (or GPU) and number of threads.
fn of_yardstick(row: &Measured, rows: &[Measured]) -> Option<f64> {
    let same = |other: &&Measured| {
        other.network == networks::YARDSTICK
            && other.precision.is_none_or(|precision| precision == Precision::F32.name())
            && (&other.instructions, other.threads) == (&row.instructions, row.threads)
    };
    let yardstick = rows.iter().find(same).filter(|_| row.positions > 0)?;
    // Both of one clock.
    let processors = row.pairs_per_processor_second.zip(yardstick.pairs_per_processor_second);
    let (pairs, others) = processors.unwrap_or((row.pairs_per_second, yardstick.pairs_per_second));
    Some(pairs * row.positions as f64 / (others * yardstick.positions as f64))
}

fn table(rows: &[Measured], without: &[Without<'_>], gpu: Option<&(Device, WgpuOptions)>) -> String {
    let mut table = Table::new([
        "network",
        "on",
        "threads",
        "pairs/s",
        "median",
        "of ReLU",
        "GFLOP/s",
        "of peak",
        "bytes/pair",
        "first result",
    ]);
    let adapter = gpu.map(|(device, _)| device.describe());
    for row in rows {
        // The adapter is named once, above.
        let on = adapter.as_ref().map_or(row.backend.clone(), |adapter| row.backend.replace(adapter, ""));
        table.row([
            row.network.to_owned(),
            on.trim().to_owned(),
            row.threads.map_or_else(String::new, |threads| threads.to_string()),
            format!("{}{}", number(row.pairs_per_second), if row.passes < PASSES { "†" } else { "" }),
            number(row.median_pairs_per_second),
            of_yardstick(row, rows).map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            format!("{}{}", number(row.gflops), if row.nominal { "*" } else { "" }),
            format!("{:.0} %", 100.0 * row.peak_fraction),
            row.bytes_per_pair.to_string(),
            duration(row.first_result_seconds),
        ]);
    }
    let mut notes = String::new();
    if rows.iter().any(|row| of_yardstick(row, rows).is_some()) {
        notes += &format!(
            "of ReLU: positions of planes behind convolutions in a second of a processor's time (of the clock, where the system \
             does not tell the time of a thread), over those of {} in float32 on the same instruction set and threads\n",
            networks::YARDSTICK
        );
    }
    if rows.iter().any(|row| row.nominal) {
        notes += "* nominal operations, those of the plan: executed ones are not counted on GPUs and where a network runs op by \
                  op\n";
    }
    if rows.iter().any(|row| row.passes < PASSES) {
        notes += "† fewer passes: pairs take long beside --seconds\n";
    }
    for without in without {
        notes += &format!("{} is not measured on the GPU: {}\n", without.setup.name, without.reason());
    }
    if gpu.is_some_and(|(device, _)| device.is_software()) {
        notes += "the adapter is software: its speed says nothing of GPUs\n";
    }
    let gpu = adapter.map_or_else(String::new, |adapter| format!("\nwgpu is {adapter}"));
    format!(
        "NNGP and NTK together (cnn-nngp: NNGP alone); the best and the median of {PASSES} passes; the peak is that of fused multiply-adds in the \
         same passes{gpu}\n\n{table}{notes}"
    )
}

/// The instruction sets of these names.
fn isas(names: &[String]) -> anyhow::Result<Vec<Isa>> {
    let available = Isa::available();
    if names.is_empty() {
        return Ok(vec![Isa::best()]);
    }
    if names.iter().any(|name| name == "all") {
        return Ok(available);
    }
    let of = |name: &String| {
        available.iter().find(|isa| isa.to_string() == *name).copied().ok_or_else(|| {
            let known: Vec<String> = available.iter().map(Isa::to_string).collect();
            mistake(format!("--isa {name}: this processor has {}", known.join(", ")))
        })
    };
    names.iter().map(of).collect()
}
