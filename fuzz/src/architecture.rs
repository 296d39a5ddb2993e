use ekernel::prelude::{KernelSet, Network, Plan};

/// An architecture file, through to both plans and their costs.
///
/// # Panics
/// If what an accepted network writes of itself is not the same network.
pub fn architecture(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(network) = text.parse::<Network>() else { return };
    let written = network.to_toml();
    assert_eq!(written.parse::<Network>().as_ref(), Ok(&network), "written as\n{written}");
    for kinds in [KernelSet::Nngp, KernelSet::Both] {
        if let Ok(plan) = Plan::new(&network, kinds) {
            let _ = (plan.to_string(), plan.cost());
        }
    }
}
