//! Which adapters there are, and the choice of one.

use std::{fmt, str::FromStr};

use crate::{GpuError, self_test};

/// Storage buffers a stage binds at most; WebGPU promises 8, of which Metal spends one.
const STORAGE_BUFFERS: u32 = 7;

/// Which adapter to use.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum AdapterChoice {
    /// A hardware adapter, discrete ones before integrated ones. Software is never chosen.
    #[default]
    Hardware,
    /// The adapter with this number in [`Adapter::list`]; where there is none, the one with it as a word of its name ("4090").
    Index(usize),
    /// The best adapter whose name or driver contains these words, in any case, or whose interface ("vulkan") or kind
    /// ("software") they are.
    Name(String),
}

impl FromStr for AdapterChoice {
    type Err = std::convert::Infallible;

    /// A whole number is an index, anything else a name.
    fn from_str(text: &str) -> Result<AdapterChoice, Self::Err> {
        Ok(text.parse().map_or_else(|_| AdapterChoice::Name(text.to_owned()), AdapterChoice::Index))
    }
}

/// One adapter of this machine.
#[derive(Clone, Debug)]
pub struct Adapter {
    inner: wgpu::Adapter,
    /// Its number in the list.
    pub index: usize,
    /// Name, driver, interface and kind.
    pub info: wgpu::AdapterInfo,
    /// What it grants.
    pub limits: wgpu::Limits,
}

impl Adapter {
    /// All adapters of this machine, hardware and software, of the interfaces that `WGPU_BACKEND` names (all if unset).
    pub async fn list() -> Vec<Adapter> {
        let descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
        let backends = descriptor.backends;
        let instance = wgpu::Instance::new(descriptor);
        let found = instance.enumerate_adapters(backends).await;
        let adapter = |(index, inner): (usize, wgpu::Adapter)| Adapter {
            index,
            info: inner.get_info(),
            limits: inner.limits(),
            inner,
        };
        found.into_iter().enumerate().map(adapter).collect()
    }

    /// [`Adapter::list`], blocking.
    pub fn list_blocking() -> Vec<Adapter> {
        pollster::block_on(Adapter::list())
    }

    /// The adapter of a choice.
    ///
    /// Errors: [`GpuError::NoAdapter`], [`GpuError::OnlySoftware`], [`GpuError::UnknownAdapter`], [`GpuError::Unusable`].
    pub async fn choose(choice: &AdapterChoice) -> Result<Adapter, GpuError> {
        pick(&Adapter::list().await, choice)
    }

    /// Whether the processor pretends to be a GPU.
    pub fn is_software(&self) -> bool {
        self.info.device_type == wgpu::DeviceType::Cpu
    }

    /// "discrete GPU", "integrated GPU", "software", …
    pub fn kind(&self) -> &'static str {
        match self.info.device_type {
            wgpu::DeviceType::DiscreteGpu => "discrete GPU",
            wgpu::DeviceType::IntegratedGpu => "integrated GPU",
            wgpu::DeviceType::VirtualGpu => "virtual GPU",
            wgpu::DeviceType::Cpu => "software",
            wgpu::DeviceType::Other => "unknown kind",
        }
    }

    /// Why ekernel cannot use it, if it cannot: it lacks something, executes nothing, or computes wrongly.
    ///
    /// The first call in a process computes 64 elements on the adapter; later ones know the answer.
    pub fn refusal(&self) -> Option<String> {
        let flags = self.inner.get_downlevel_capabilities().flags;
        if !flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS) {
            return Some("it has no compute shaders".to_owned());
        }
        refusal(&self.limits).or_else(|| self_test::refusal(&self.inner))
    }

    pub(crate) fn inner(&self) -> &wgpu::Adapter {
        &self.inner
    }

    fn is_called(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        let words =
            [&self.info.name, &self.info.driver, &self.info.driver_info].map(|word| word.to_lowercase());
        words.iter().any(|word| word.contains(&name))
            || [self.info.backend.to_str(), self.kind()].contains(&&*name)
    }

    /// Better adapters first.
    fn rank(&self) -> (bool, usize, usize) {
        let kind = match self.info.device_type {
            wgpu::DeviceType::DiscreteGpu => 0,
            wgpu::DeviceType::IntegratedGpu => 1,
            wgpu::DeviceType::VirtualGpu => 2,
            wgpu::DeviceType::Other => 3,
            wgpu::DeviceType::Cpu => 4,
        };
        (self.refusal().is_some(), kind, self.index)
    }
}

/// The best of these adapters that a choice means.
fn pick(adapters: &[Adapter], choice: &AdapterChoice) -> Result<Adapter, GpuError> {
    if adapters.is_empty() {
        return Err(GpuError::no_adapter());
    }
    let known = adapters.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let unknown = |wanted: &str| GpuError::UnknownAdapter { wanted: wanted.to_owned(), known: known.clone() };
    let best = |meant: &dyn Fn(&Adapter) -> bool| {
        adapters.iter().filter(|adapter| meant(adapter)).min_by_key(|adapter| adapter.rank())
    };
    let called = |name: &str| {
        // Nothing is a part of every name, and no name of any.
        let found = best(&|adapter| !name.is_empty() && adapter.is_called(name));
        found.ok_or_else(|| unknown(name))
    };
    let adapter = match choice {
        AdapterChoice::Index(index) => {
            let number = index.to_string();
            let named = |adapter: &Adapter| adapter.info.name.split_whitespace().any(|word| word == number);
            let found = adapters.get(*index).or_else(|| best(&named));
            found.ok_or_else(|| unknown(&number))?
        }
        AdapterChoice::Name(name) => called(name)?,
        AdapterChoice::Hardware => best(&|adapter| !adapter.is_software())
            .ok_or_else(|| GpuError::OnlySoftware { names: known.clone() })?,
    };
    match adapter.refusal() {
        Some(reason) => Err(GpuError::Unusable { adapter: adapter.info.name.clone(), reason }),
        None => Ok(adapter.clone()),
    }
}

/// Why these limits are too small, if they are.
pub(crate) fn refusal(limits: &wgpu::Limits) -> Option<String> {
    if limits.max_storage_buffers_per_shader_stage < STORAGE_BUFFERS {
        let found = limits.max_storage_buffers_per_shader_stage;
        return Some(format!("it binds {found} storage buffers, and {STORAGE_BUFFERS} are needed"));
    }
    if limits.max_compute_invocations_per_workgroup < 64 {
        let found = limits.max_compute_invocations_per_workgroup;
        return Some(format!("its workgroups have {found} invocations, and 64 are needed"));
    }
    None
}

impl fmt::Display for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({}, {})", self.index, self.info.name, self.info.backend, self.kind())
    }
}

#[cfg(test)]
mod tests {
    use ekernel_testnets::gpu;

    use super::*;

    /// A list of two that call themselves cards, one of which is too small, and a software adapter.
    fn adapters() -> Option<Vec<Adapter>> {
        let Ok(choice) = gpu::adapter()?.parse();
        let found = gpu::opened(pollster::block_on(Adapter::choose(&choice)));
        let called = |index: usize, name: &str, kind: wgpu::DeviceType, buffers: u32| {
            let mut adapter = Adapter { index, ..found.clone() };
            (adapter.info.name, adapter.info.device_type) = (name.to_owned(), kind);
            adapter.limits.max_storage_buffers_per_shader_stage = buffers;
            adapter
        };
        use wgpu::DeviceType::{Cpu, DiscreteGpu, IntegratedGpu};
        Some(vec![
            called(0, "software", Cpu, 8),
            called(1, "an old card", DiscreteGpu, 4),
            called(2, "GeForce RTX 4090", IntegratedGpu, 8),
        ])
    }

    #[test]
    fn numbers_are_parts_of_names_too() {
        let Some(adapters) = adapters() else { return };
        let picked = |words: &str| {
            let Ok(choice) = words.parse();
            pick(&adapters, &choice).map(|adapter| adapter.index)
        };
        assert_eq!([picked("2"), picked("4090"), picked("rtx")], [Ok(2), Ok(2), Ok(2)]);
        for unknown in ["3", ""] {
            assert!(
                matches!(picked(unknown), Err(GpuError::UnknownAdapter { wanted, .. }) if wanted == unknown)
            );
        }
    }

    /// A card that cannot be used is not taken where another can, and is not called software where there is no other.
    #[test]
    fn cards_that_are_too_small() {
        let Some(adapters) = adapters() else { return };
        let hardware =
            |adapters: &[Adapter]| pick(adapters, &AdapterChoice::Hardware).map(|adapter| adapter.index);
        assert_eq!(hardware(&adapters), Ok(2));
        let error = hardware(&adapters[..2]).expect_err("one card, too small");
        assert!(
            error.to_string().contains("an old card cannot be used: it binds 4 storage buffers"),
            "{error}"
        );
        assert!(matches!(hardware(&adapters[..1]), Err(GpuError::OnlySoftware { .. })));
    }
}
