//! `ekernel devices`: the adapters of this machine.

use clap::Args;
use ekernel_wgpu::Adapter;
use serde_json::json;

use crate::{output, table::Table};

#[derive(Args, Debug)]
pub(crate) struct Devices {
    /// The list as JSON on standard output
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Devices) -> anyhow::Result<()> {
    let adapters = Adapter::list_blocking();
    if arguments.json {
        let rows: Vec<_> = adapters
            .iter()
            .map(|adapter| {
                json!({
                    "index": adapter.index,
                    "name": adapter.info.name,
                    "type": adapter.kind(),
                    "backend": adapter.info.backend.to_str(),
                    "driver": adapter.info.driver,
                    "driver_info": adapter.info.driver_info,
                    "binding_bytes": adapter.limits.max_storage_buffer_binding_size,
                    "buffer_bytes": adapter.limits.max_buffer_size,
                    "workgroup_bytes": adapter.limits.max_compute_workgroup_storage_size,
                    "workgroup_invocations": adapter.limits.max_compute_invocations_per_workgroup,
                    "usable": adapter.refusal().is_none(),
                    "reason": adapter.refusal(),
                })
            })
            .collect();
        return output::print_json(&json!({ "program": output::PROGRAM, "adapters": rows }));
    }
    if adapters.is_empty() {
        return output::print(&format!("{}\n", ekernel_wgpu::GpuError::no_adapter()));
    }
    let mut table =
        Table::new(["number", "adapter", "type", "interface", "driver", "binding", "workgroup", "usable"]);
    for adapter in &adapters {
        let driver = format!("{} {}", adapter.info.driver, adapter.info.driver_info);
        let usable = match adapter.refusal() {
            Some(reason) => format!("no: {reason}"),
            None if adapter.is_software() => "yes, if named".to_owned(),
            None => "yes".to_owned(),
        };
        table.row([
            adapter.index.to_string(),
            adapter.info.name.clone(),
            adapter.kind().to_owned(),
            adapter.info.backend.to_string(),
            driver.trim().to_owned(),
            format!("{} MiB", adapter.limits.max_storage_buffer_binding_size >> 20),
            format!(
                "{} KiB, {} invocations",
                adapter.limits.max_compute_workgroup_storage_size >> 10,
                adapter.limits.max_compute_invocations_per_workgroup
            ),
            usable,
        ]);
    }
    output::print(&table.to_string())
}
