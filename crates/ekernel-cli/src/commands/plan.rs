//! `ekernel plan A.toml`: how a network is computed.

use clap::Args;
use ekernel_core::{
    Control, Network,
    plan::{HeadOp, Node, Op as _, Quadrature},
};
use ekernel_cpu::CpuOptions;
use ekernel_experiment::Kind;
use serde_json::json;

use crate::{
    architecture::{Architecture, located},
    args::{
        ArchitectureFile, BackendName, Blocks, Compute, Gpu, KindName, Sampled, Talk, count, kinds,
        quadrature,
    },
    backends,
    failure::mistake,
    kernels::seconds_per_pair,
    output::{self, matrix_bytes},
    samples::random,
    words::{bytes, counted, duration, grouped},
};

#[derive(Args, Debug)]
pub(crate) struct Plan {
    #[command(flatten)]
    arch: ArchitectureFile,
    /// Kernels asked for
    #[arg(long, value_enum, value_delimiter = ',', default_value = "nngp,ntk", ignore_case = true)]
    kind: Vec<KindName>,
    /// Rotations at which networks on the sphere are evaluated, as for `gram`
    #[arg(long, value_name = "accurate|fast|NODES", default_value = "accurate", value_parser = quadrature)]
    quadrature: Quadrature,
    /// Say how many pairs the kernel of N samples with itself has, about how long they take here (measured on random samples), and
    /// how large it is
    #[arg(long, value_name = "N", value_parser = count)]
    samples: Option<usize>,
    /// Show how this backend computes it: cpu says which stages the fused kernel computes, wgpu how
    /// each is computed on the adapter
    #[arg(long, value_enum, default_value = "cpu")]
    backend: BackendName,
    #[command(flatten)]
    gpu: Gpu,
    /// The plan as JSON on standard output
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Plan) -> anyhow::Result<()> {
    let Architecture { name, path, network } = Architecture::read(arguments.arch.path())?;
    let plan = ekernel_core::Plan::with_quadrature(
        &network,
        Kind::needed(&kinds(&arguments.kind)),
        arguments.quadrature,
    )
    .map_err(|error| located(&path, error))?;
    if let (Some(option), true) = (arguments.gpu.given(), arguments.backend != BackendName::Wgpu) {
        return Err(mistake(format!("{option}: say --backend wgpu too")));
    }
    let strategies = match arguments.backend {
        BackendName::Wgpu => strategies(plan.clone(), &arguments.gpu)?,
        BackendName::Auto | BackendName::Cpu => ekernel_cpu::strategies(&plan, &CpuOptions::default()),
        BackendName::Reference | BackendName::Finite => vec![],
    };
    let work = arguments.samples.map(|n| work(arguments, &network, n)).transpose()?;
    let key = if arguments.backend == BackendName::Wgpu { "gpu" } else { "cpu" };
    if !arguments.json {
        let samples = work.as_ref().map(Work::line).unwrap_or_default();
        let lines: Vec<String> = strategies.iter().map(|line| format!("{key}      {line}\n")).collect();
        return output::print(&format!("{plan}{}{samples}", lines.concat()));
    }
    let cost = plan.cost();
    let stages: Vec<_> = plan
        .stages
        .iter()
        .zip(&cost.stages)
        .zip(&cost.orbit)
        .map(|((stage, stage_cost), orbit)| {
            json!({
                "ops": stage.ops.iter().map(|op| json!({
                    "op": op.op.name(),
                    "text": op.op.to_string(),
                    "inputs": op.inputs,
                    "extent": op.at.extent,
                    "step": op.at.step,
                    "cyclic": op.at.cyclic,
                    "layer": op.label,
                })).collect::<Vec<_>>(),
                "output": stage.output,
                "offsets": stage.offsets,
                "orbit": orbit,
                "planes": stage_cost.planes,
                "elements": stage_cost.elements,
                "flops": stage_cost.flops,
                "bytes": stage_cost.bytes,
            })
        })
        .collect();
    let scalar = |op: &Node<HeadOp>| json!({ "op": op.op.name(), "text": op.op.to_string(), "inputs": op.inputs, "layer": op.label });
    let rotations: Vec<_> = plan
        .rotations
        .iter()
        .zip(&cost.rotations)
        .map(|(stage, stage_cost)| {
            json!({
                "bandlimit": stage.bandlimit,
                "nodes": stage.nodes,
                "points": stage.points(),
                "ops": stage.ops.iter().map(|op| json!({
                    "op": op.op.name(),
                    "text": op.op.to_string(),
                    "inputs": op.inputs,
                    "layer": op.label,
                })).collect::<Vec<_>>(),
                "flops": stage_cost.flops,
                "bytes": stage_cost.bytes,
            })
        })
        .collect();
    let atoms = plan.atoms.as_ref().map(|atoms| {
        json!({
            "pairs": atoms.pairing.name(),
            "head": atoms.head.iter().map(scalar).collect::<Vec<_>>(),
            "outputs": atoms.outputs,
            "needs_self": atoms.needs_self,
        })
    });
    let head: Vec<_> = plan.head.iter().map(scalar).collect();
    output::print_json(&json!({
        "program": output::PROGRAM,
        "name": name,
        "input": { "shape": plan.input.shape(), "text": plan.input.to_string() },
        "kernels": if plan.kinds == ekernel_core::KernelSet::Both { vec!["nngp", "ntk"] } else { vec!["nngp"] },
        "group": plan.group.map(|group| group.to_string()),
        "stages": stages,
        "rotations": rotations,
        "atoms": atoms,
        "head": head,
        "needs_self": plan.needs_self,
        key: strategies,
        "samples": work.as_ref().map(|work| json!({
            "n": work.n, "pairs": work.pairs, "seconds": work.seconds, "bytes": work.bytes, "backend": work.backend,
        })),
        "per_pair": { "of": if plan.atoms.is_some() { "atoms" } else { "samples" }, "flops": cost.flops, "bytes": cost.bytes, "full_tensor_bytes": cost.tensor_bytes },
    }))
}

/// What the kernel of some samples with itself takes.
struct Work {
    n: usize,
    pairs: u64,
    seconds: f64,
    bytes: u64,
    backend: String,
}

impl Work {
    fn line(&self) -> String {
        format!(
            "\nsamples  {}: {}, about {} with {}, {} for the result\n",
            grouped(self.n as u64),
            counted(self.pairs, "pair", "pairs"),
            duration(self.seconds),
            self.backend,
            bytes(self.bytes as f64)
        )
    }
}

/// Random samples that stand for those of the user: so many at most, and of so many numbers in all.
const DRAWN: usize = 512;
const NUMBERS: usize = 1 << 23;

fn work(arguments: &Plan, network: &Network, n: usize) -> anyhow::Result<Work> {
    let kinds = kinds(&arguments.kind);
    let needed = Kind::needed(&kinds);
    let compute = Compute {
        backend: arguments.backend,
        gpu: arguments.gpu.clone(),
        precision: None,
        threads: None,
        blocks: Blocks::Orbit,
        quadrature: arguments.quadrature,
        sampled: Sampled::default(),
        talk: Talk { quiet: true, json: arguments.json },
    };
    let chosen = backends::choose(&compute, network, needed)?;
    let numbers: usize = network.input().shape().iter().product::<usize>().max(1);
    let samples = random(network.input(), n.min(DRAWN).min((NUMBERS / numbers).max(2)), 0);
    let seconds = seconds_per_pair(&*chosen.backend, &samples, needed, &Control::new())?;
    let pairs = n as u64 * (n as u64 + 1) / 2;
    Ok(Work {
        n,
        pairs,
        seconds: seconds * pairs as f64,
        bytes: matrix_bytes([n, n], kinds.len() as u64),
        backend: chosen.backend.describe(),
    })
}

/// How an adapter computes each stage that ends in a readout.
fn strategies(plan: ekernel_core::Plan, gpu: &Gpu) -> anyhow::Result<Vec<String>> {
    let device = backends::open(gpu.adapter.as_ref())?;
    let name = device.describe();
    let options = backends::gpu_options(gpu, &device, false);
    let backend = backends::gpu_backend(plan, options, device)
        .map_err(|error| backends::not_served(error, options.strategy))?;
    let mut lines = vec![name];
    for strategy in backend.strategies()? {
        lines.push(strategy.to_string());
    }
    if lines.len() == 1 {
        lines.push("no stage: the scalars of a pair are computed on the host".to_owned());
    }
    Ok(lines)
}
