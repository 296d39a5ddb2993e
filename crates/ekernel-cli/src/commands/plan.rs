//! `ekernel plan A.toml`: how a network is computed.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::{
    architecture::{Architecture, located},
    args::Kind,
    output,
};

#[derive(Args, Debug)]
pub(crate) struct Plan {
    /// The architecture file
    #[arg(value_name = "A.toml")]
    arch: PathBuf,
    /// Kernels asked for
    #[arg(long, value_enum, value_delimiter = ',', default_value = "nngp,ntk")]
    kind: Vec<Kind>,
    /// The plan as JSON on standard output
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Plan) -> anyhow::Result<()> {
    let Architecture { name, path, network } = Architecture::read(&arguments.arch)?;
    let plan = ekernel_core::Plan::new(&network, Kind::needed(&arguments.kind))
        .map_err(|error| located(&path, error))?;
    if !arguments.json {
        return output::print(&plan.to_string());
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
                    "extent": op.extent,
                    "step": op.step,
                    "cyclic": op.cyclic,
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
    let head: Vec<_> = plan
        .head
        .iter()
        .map(|op| json!({ "op": op.op.name(), "text": op.op.to_string(), "inputs": op.inputs, "layer": op.label }))
        .collect();
    output::print_json(&json!({
        "program": output::PROGRAM,
        "name": name,
        "input": { "shape": plan.input.shape(), "text": plan.input.to_string() },
        "kernels": if plan.kinds == ekernel_core::Kinds::Both { vec!["nngp", "ntk"] } else { vec!["nngp"] },
        "group": plan.group.map(|group| group.to_string()),
        "stages": stages,
        "head": head,
        "needs_self": plan.needs_self,
        "per_pair": { "flops": cost.flops, "bytes": cost.bytes, "full_tensor_bytes": cost.tensor_bytes },
    }))
}
