//! Which adapters there are, and the choice of one.

use std::{fmt, str::FromStr};

use crate::GpuError;

/// Storage buffers a stage binds at most; WebGPU promises 8, of which Metal spends one.
const STORAGE_BUFFERS: u32 = 7;

/// Which adapter to use.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum AdapterChoice {
    /// A hardware adapter, discrete ones before integrated ones. Software is never chosen.
    #[default]
    Hardware,
    /// The adapter with this number in [`Adapter::list`].
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
        let adapters = Adapter::list().await;
        let known = adapters.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        if adapters.is_empty() {
            return Err(GpuError::no_adapter());
        }
        let unknown =
            |wanted: &str| GpuError::UnknownAdapter { wanted: wanted.to_owned(), known: known.clone() };
        let adapter = match choice {
            AdapterChoice::Index(index) => {
                adapters.into_iter().nth(*index).ok_or_else(|| unknown(&index.to_string()))?
            }
            AdapterChoice::Name(name) => {
                let matching = adapters.into_iter().filter(|adapter| adapter.is_called(name));
                matching.min_by_key(Adapter::rank).ok_or_else(|| unknown(name))?
            }
            AdapterChoice::Hardware => {
                let hardware = adapters.into_iter().filter(|a| !a.is_software() && a.refusal().is_none());
                hardware.min_by_key(Adapter::rank).ok_or(GpuError::OnlySoftware { names: known })?
            }
        };
        match adapter.refusal() {
            Some(reason) => Err(GpuError::Unusable { adapter: adapter.info.name.clone(), reason }),
            None => Ok(adapter),
        }
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

    /// Why ekernel cannot use it, if it cannot.
    pub fn refusal(&self) -> Option<String> {
        let flags = self.inner.get_downlevel_capabilities().flags;
        if !flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS) {
            return Some("it has no compute shaders".to_owned());
        }
        refusal(&self.limits)
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
