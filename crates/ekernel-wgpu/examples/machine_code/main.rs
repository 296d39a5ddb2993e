//! Machine code of every fused and layered module, compiled for AMD GPUs that need not be in the machine:
//!
//! `cargo run --release -p ekernel-wgpu --example machine_code [-- --json | --slots]`
//!
//! Without words a table of RDNA1, RDNA2, RDNA3 and Vega, or of the GPU that `RADV_FORCE_FAMILY` names; `--json` prints a row for
//! each module and GPU; `--slots` prints the table that `tests/machine_code.rs` compares with.

mod count;
mod measure;
mod radv;

use std::process::{Command, ExitCode};

use measure::Row;
use serde_json::json;

/// RDNA1, RDNA2, RDNA3 and Vega, by the names that the driver knows.
const GPUS: [&str; 4] = ["navi10", "navi21", "gfx1100", "vega10"];

/// The driver reads it when it is opened, so that every GPU has a process of its own.
const FAMILY: &str = "RADV_FORCE_FAMILY";

fn main() -> ExitCode {
    let word = std::env::args().nth(1);
    let done = match (word.as_deref(), std::env::var(FAMILY)) {
        (None | Some("--json"), Ok(gpu)) => measured(&gpu, word.is_some()),
        (Some("--slots"), Ok(gpu)) => slots(&gpu),
        (Some("--slots"), Err(_)) => each(&["navi21"], word.as_deref()),
        (None | Some("--json"), Err(_)) => each(&GPUS, word.as_deref()),
        (Some(other), _) => Err(format!("unknown word {other}; there are --json and --slots")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

/// Starts this program for each GPU.
fn each(gpus: &[&str], word: Option<&str>) -> Result<(), String> {
    let program = std::env::current_exe().map_err(|e| format!("this program cannot be found: {e}"))?;
    for gpu in gpus {
        let status = Command::new(&program).args(word).env(FAMILY, gpu).status();
        let status = status.map_err(|e| format!("{} cannot be started: {e}", program.display()))?;
        if !status.success() {
            return Err(format!("{gpu} was not measured"));
        }
    }
    Ok(())
}

fn measured(gpu: &str, json: bool) -> Result<(), String> {
    let radv = radv::Radv::open()?;
    let rows = measure::all(&radv, gpu)?;
    if json {
        rows.iter().for_each(|row| println!("{}", object(row, gpu, &radv.version)));
        return Ok(());
    }
    println!("{gpu}, {}\n", radv.version);
    println!(
        "| module | network | kernels | slots per position | vector | quarter rate | scalar and branches | workgroup memory | \
         storage | beside rows | registers | subgroups per SIMD | workgroup bytes | code bytes |"
    );
    println!("|{}", " --- |".repeat(14));
    for row in &rows {
        let c = &row.count;
        println!(
            "| {} | {} | {} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {} | {} | {} | {} |",
            row.module,
            row.network,
            row.kernels,
            c.slots(),
            c.vector,
            c.quarter_rate,
            c.scalar + c.branch,
            c.workgroup_memory,
            c.storage,
            row.slots_per_layer,
            row.vector_registers,
            row.occupancy,
            row.workgroup_bytes,
            row.code_bytes,
        );
    }
    println!();
    Ok(())
}

fn object(row: &Row, gpu: &str, version: &str) -> serde_json::Value {
    let c = &row.count;
    json!({
        "module": row.module,
        "network": row.network,
        "kernels": row.kernels,
        "gpu": gpu,
        "compiler": version,
        "slots_per_position": c.slots(),
        "slots_per_layer": row.slots_per_layer,
        "rows": row.rows,
        "vector": c.vector,
        "quarter_rate": c.quarter_rate,
        "scalar": c.scalar,
        "branches": c.branch,
        "workgroup_memory": c.workgroup_memory,
        "storage": c.storage,
        "constants": c.constant,
        "barriers": c.barrier,
        "vector_registers": row.vector_registers,
        "scalar_registers": row.scalar_registers,
        "spills": row.spills,
        "occupancy": row.occupancy,
        "workgroup_bytes": row.workgroup_bytes,
        "code_bytes": row.code_bytes,
    })
}

/// The committed table: the compiler, then slots, kernels, module and network of each chain.
fn slots(gpu: &str) -> Result<(), String> {
    let radv = radv::Radv::open()?;
    println!(
        "# {}, {gpu}: slots per position and layer. `cargo run --release -p ekernel-wgpu --example machine_code -- --slots`",
        radv.version
    );
    for row in measure::all(&radv, gpu)?.iter().filter(|row| !row.network.is_empty()) {
        println!("{:.1}|{}|{}", row.count.slots(), row.kernels, row.network);
    }
    Ok(())
}
