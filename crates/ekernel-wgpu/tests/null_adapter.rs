//! An adapter that executes nothing, Mesa's for an AMD GPU that is not in the machine, is listed and refused.

use std::process::Command;

use ekernel_wgpu::{Adapter, AdapterChoice, Device, GpuError};

const FAMILY: &str = "RADV_FORCE_FAMILY";

#[test]
fn an_adapter_without_a_card_is_refused() {
    if ekernel_testnets::gpu::adapter().is_none() {
        return;
    }
    // The driver reads the variable when it is opened, so the test runs in a process that is started with it.
    if std::env::var(FAMILY).is_err() {
        let program = std::env::current_exe().expect("this program");
        let inner = Command::new(program)
            .args(["--exact", "an_adapter_without_a_card_is_refused", "--nocapture"])
            .env(FAMILY, "navi21")
            .status()
            .expect("started");
        assert!(inner.success(), "see above");
        return;
    }
    let adapters = Adapter::list_blocking();
    let empty = adapters.iter().find(|adapter| adapter.info.name.contains("RADV"));
    let empty =
        empty.expect("`apt-get install mesa-vulkan-drivers` installs the driver (or set EKERNEL_GPU=skip)");
    assert!(!empty.is_software(), "{empty}");
    let reason = empty.refusal().expect("a reason");
    assert!(reason.contains("64 elements"), "{reason}");
    for choice in [AdapterChoice::Name("RADV".to_owned()), AdapterChoice::Hardware] {
        let refused = Device::open_blocking(&choice).map(|_| ());
        assert!(matches!(refused, Err(GpuError::Unusable { .. })), "{choice:?}: {refused:?}");
    }
    let software = Device::open_blocking(&AdapterChoice::Name("software".to_owned())).map(|_| ());
    assert_eq!(software, Ok(()));
}
