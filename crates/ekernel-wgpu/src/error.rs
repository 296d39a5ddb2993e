use ekernel_core::BackendError;
use thiserror::Error;

/// What can go wrong between ekernel and a GPU.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum GpuError {
    /// No driver offers an adapter.
    #[error(
        "no GPU adapter was found ({backends}); install a driver: the vendor's for a graphics card, or for a software \
         adapter on Debian and Ubuntu: apt-get install mesa-vulkan-drivers libvulkan1"
    )]
    NoAdapter {
        /// The graphics interfaces that were asked.
        backends: String,
    },
    /// Software adapters are there, but none was asked for.
    #[error(
        "there is no hardware GPU here, only software: {names}; ask for it by name to use it (slow, for checking), or use \
         the cpu backend"
    )]
    OnlySoftware {
        /// The names of the software adapters.
        names: String,
    },
    /// No adapter of that name or number.
    #[error("no adapter is called \"{wanted}\"; the adapters are {known}")]
    UnknownAdapter {
        /// As asked for.
        wanted: String,
        /// Number and name of every adapter.
        known: String,
    },
    /// An adapter that cannot compute kernels.
    #[error("the adapter {adapter} cannot be used: {reason}")]
    Unusable {
        /// Its name.
        adapter: String,
        /// What it lacks.
        reason: String,
    },
    /// The driver gave no device.
    #[error("the adapter {adapter} gave no device: {problem}; update its driver, or choose another adapter")]
    NoDevice {
        /// Its name.
        adapter: String,
        /// What the driver said.
        problem: String,
    },
    /// The device was lost, and lost again after it had been opened anew.
    #[error(
        "the device {device} was lost: {problem}; the driver resets a device that is busy for too long, runs hot or is \
         unplugged: close other programs that use it, or use the cpu backend"
    )]
    Lost {
        /// Its name.
        device: String,
        /// What the driver said.
        problem: String,
    },
    /// The device has no memory left.
    #[error("the device {device} has no memory for {bytes} bytes of {what}")]
    OutOfMemory {
        /// Its name.
        device: String,
        /// What the memory was for.
        what: String,
        /// Bytes asked for.
        bytes: u64,
    },
    /// More than a buffer of this device can hold.
    #[error("{what} needs a buffer of {needed} bytes, and the device {device} binds at most {limit}")]
    TooLarge {
        /// Its name.
        device: String,
        /// What the buffer was for.
        what: String,
        /// Bytes needed.
        needed: u64,
        /// Bytes that can be bound.
        limit: u64,
    },
    /// The driver refused a call.
    #[error("the device {device} refused {what}: {problem}")]
    Refused {
        /// Its name.
        device: String,
        /// Which call.
        what: String,
        /// What it said.
        problem: String,
    },
    /// The device ended a dispatch before all planes were done.
    #[error(
        "the device {device} finished {found} of {expected} elements of a plane without reporting an error"
    )]
    Unfinished {
        /// Its name.
        device: String,
        /// Elements done.
        found: u64,
        /// Elements asked for.
        expected: u64,
    },
    /// The fused strategy was asked for where it cannot be used.
    #[error("stage {stage} cannot be fused on {device}: {reason}; the layered strategy can do it")]
    NotFused {
        /// The device's name.
        device: String,
        /// The stage of the plan.
        stage: usize,
        /// Why not.
        reason: String,
    },
    /// The work was cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl GpuError {
    /// That there is no adapter, with the interfaces that were asked and what to install.
    pub fn no_adapter() -> GpuError {
        let backends = wgpu::InstanceDescriptor::new_without_display_handle_from_env().backends;
        let asked: Vec<String> = backends
            .iter_names()
            .map(|(name, _)| name.to_lowercase())
            .filter(|name| name != "noop")
            .collect();
        let asked = if asked.is_empty() { "none".to_owned() } else { asked.join(", ") };
        let whose = std::env::var("WGPU_BACKEND")
            .map_or_else(|_| String::new(), |own| format!(" as WGPU_BACKEND={own} says"));
        GpuError::NoAdapter { backends: format!("asked{whose}: {asked}") }
    }

    /// The device or adapter, in words.
    fn device(&self) -> String {
        match self {
            GpuError::NoAdapter { .. } | GpuError::OnlySoftware { .. } | GpuError::Cancelled => {
                "gpu".to_owned()
            }
            GpuError::UnknownAdapter { wanted, .. } => wanted.clone(),
            GpuError::Unusable { adapter, .. } | GpuError::NoDevice { adapter, .. } => adapter.clone(),
            GpuError::Lost { device, .. }
            | GpuError::OutOfMemory { device, .. }
            | GpuError::TooLarge { device, .. }
            | GpuError::Refused { device, .. }
            | GpuError::NotFused { device, .. }
            | GpuError::Unfinished { device, .. } => device.clone(),
        }
    }

    fn remedy(&self) -> &'static str {
        match self {
            GpuError::OutOfMemory { .. } => {
                "close other programs that use it, or compute fewer samples at once"
            }
            GpuError::TooLarge { .. } => "use smaller images or the cpu backend",
            GpuError::Unfinished { .. } => "update its driver, or use the cpu backend",
            _ => "use another adapter or the cpu backend",
        }
    }
}

impl From<GpuError> for BackendError {
    fn from(error: GpuError) -> BackendError {
        match error {
            GpuError::Cancelled => BackendError::Cancelled,
            error => BackendError::Device {
                device: error.device(),
                problem: error.to_string(),
                remedy: error.remedy().to_owned(),
            },
        }
    }
}
