//! Where a measurement was made.

use ekernel_wgpu::{Device, Tuning};
use serde::Serialize;

/// The processor and the system.
#[derive(Serialize)]
pub(super) struct Machine {
    /// Its name, where the system gives it.
    processor: Option<String>,
    cores: usize,
    os: &'static str,
    arch: &'static str,
}

impl Machine {
    pub(super) fn here() -> Machine {
        let processor = sysinfo::System::new().ok().and_then(|mut system| {
            system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
            Some(system.cpus().first()?.brand().trim().to_owned())
        });
        Machine {
            processor,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
        }
    }
}

/// The adapter and its driver.
#[derive(Serialize)]
pub(super) struct Adapter {
    name: String,
    kind: String,
    interface: String,
    driver: String,
    driver_info: String,
    workgroup_bytes: u32,
    workgroup_invocations: u32,
    /// Sizes of workgroups that are aimed at: invocations, and runs of planes in turn.
    tuning: [u32; 2],
}

impl Adapter {
    pub(super) fn of(device: &Device, tuning: Tuning) -> Adapter {
        let (info, limits) = (device.wgpu().adapter_info(), device.limits());
        Adapter {
            name: info.name,
            kind: format!("{:?}", info.device_type),
            interface: info.backend.to_str().to_owned(),
            driver: info.driver,
            driver_info: info.driver_info,
            workgroup_bytes: limits.max_compute_workgroup_storage_size,
            workgroup_invocations: limits.max_compute_invocations_per_workgroup,
            tuning: [tuning.invocations, tuning.in_turn],
        }
    }
}
