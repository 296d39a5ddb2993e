//! A device, and calls to it that report their errors as values.

use std::{
    collections::HashMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use ekernel_core::Control;

use crate::{Adapter, AdapterChoice, GpuError, adapters};

/// Bytes that a working buffer takes at most where the processor does the work.
const SOFTWARE_CHUNK: u64 = 4 << 20;

/// Working buffers are not made smaller than this.
pub(crate) const SMALLEST_CHUNK: u64 = 1 << 16;

/// The host sleeps so long between two looks at the device, at first and at most.
const SHORTEST_PAUSE: Duration = Duration::from_micros(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(1);

/// A device on which kernels are computed: a cheap handle, shared between threads and backends.
///
/// A lost one is opened anew, once for all who hold it: [`Device::current`].
#[derive(Clone)]
pub struct Device(Arc<Inner>);

struct Inner {
    device: wgpu::Device,
    queue: wgpu::Queue,
    limits: wgpu::Limits,
    name: String,
    /// From which it can be opened anew; absent for a device of the caller.
    adapter: Option<Adapter>,
    lost: Arc<Mutex<Option<String>>>,
    pipelines: Mutex<HashMap<String, wgpu::ComputePipeline>>,
    /// Bytes of working buffers at most, of its successors too.
    memory: Arc<AtomicU64>,
    /// Opened in its place after it was lost.
    successor: Mutex<Option<Device>>,
}

impl Device {
    /// Opens the adapter of a choice.
    ///
    /// Errors: those of [`Adapter::choose`], and [`GpuError::NoDevice`].
    pub async fn open(choice: &AdapterChoice) -> Result<Device, GpuError> {
        Device::of_adapter(Adapter::choose(choice).await?, unlimited()).await
    }

    /// [`Device::open`], blocking.
    pub fn open_blocking(choice: &AdapterChoice) -> Result<Device, GpuError> {
        pollster::block_on(Device::open(choice))
    }

    /// The device and queue of an embedding program (both are cheap handles). It is used within its limits; its error
    /// handler and its lost callback stay as they are. It cannot be opened anew when it is lost.
    ///
    /// Errors: [`GpuError::Unusable`] if its limits are too small.
    pub fn from_wgpu(device: wgpu::Device, queue: wgpu::Queue) -> Result<Device, GpuError> {
        let name = device.adapter_info().name;
        if let Some(reason) = adapters::refusal(&device.limits()) {
            return Err(GpuError::Unusable { adapter: name, reason });
        }
        Ok(Device::new((device, queue), name, None, Arc::default(), unlimited()))
    }

    async fn of_adapter(adapter: Adapter, memory: Arc<AtomicU64>) -> Result<Device, GpuError> {
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("ekernel"),
            required_features: wgpu::Features::empty(),
            required_limits: adapter.limits.clone(),
            experimental_features: wgpu::ExperimentalFeatures::disabled(),
            memory_hints: wgpu::MemoryHints::Performance,
            trace: wgpu::Trace::Off,
        };
        let name = adapter.info.name.clone();
        let (device, queue) = adapter
            .inner()
            .request_device(&descriptor)
            .await
            .map_err(|e| GpuError::NoDevice { adapter: name.clone(), problem: e.to_string() })?;
        let lost: Arc<Mutex<Option<String>>> = Arc::default();
        let report = Arc::clone(&lost);
        device.set_device_lost_callback(move |reason, message| {
            *lock(&report) = Some(if message.is_empty() { format!("{reason:?}") } else { message });
        });
        device
            .on_uncaptured_error(Arc::new(|error| tracing::error!("outside of every error scope: {error}")));
        Ok(Device::new((device, queue), name, Some(adapter), lost, memory))
    }

    fn new(
        (device, queue): (wgpu::Device, wgpu::Queue),
        name: String,
        adapter: Option<Adapter>,
        lost: Arc<Mutex<Option<String>>>,
        memory: Arc<AtomicU64>,
    ) -> Device {
        let limits = device.limits();
        Device(Arc::new(Inner {
            device,
            queue,
            limits,
            name,
            adapter,
            lost,
            pipelines: Mutex::default(),
            memory,
            successor: Mutex::default(),
        }))
    }

    /// This device, or the one that was opened in its place after it was lost.
    pub fn current(&self) -> Device {
        lock(&self.0.successor).as_ref().map_or_else(|| self.clone(), Device::current)
    }

    /// Lets the working buffers of a session take at most so many bytes, as if the device had no more: for sharing a card with
    /// other programs. Where that does not suffice for one pair there is an error. It holds for what is opened in its place too.
    pub fn limit_memory(&self, bytes: u64) {
        self.0.memory.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn memory_limit(&self) -> u64 {
        self.0.memory.load(Ordering::Relaxed)
    }

    /// Work on the current device, once more on a new one where that is lost meanwhile.
    pub(crate) fn surviving<T, E: From<GpuError>>(
        &self,
        work: impl Fn(&Device) -> Result<T, E>,
    ) -> Result<T, E> {
        let device = self.current();
        match work(&device) {
            Err(_) if device.is_lost() => work(&device.reopen()?),
            done => done,
        }
    }

    fn is_lost(&self) -> bool {
        lock(&self.0.lost).is_some()
    }

    /// What is there instead of this device, which is lost: the same adapter opened anew, by the first who asks.
    ///
    /// Errors: [`GpuError::Lost`] for a device of the caller, [`GpuError::NoDevice`].
    pub(crate) fn reopen(&self) -> Result<Device, GpuError> {
        let mut successor = lock(&self.0.successor);
        if let Some(next) = &*successor {
            return if next.is_lost() { next.reopen() } else { Ok(next.clone()) };
        }
        tracing::warn!("{} was lost; it is opened anew", self.describe());
        let next = self.opened_anew()?;
        lock(&self.0.pipelines).clear();
        *successor = Some(next.clone());
        Ok(next)
    }

    fn opened_anew(&self) -> Result<Device, GpuError> {
        let Some(adapter) = &self.0.adapter else {
            return Err(self.lost("and it belongs to the calling program, which has to open it anew"));
        };
        // An adapter gives one device; a fresh handle of the same adapter is found by its place and name.
        let again = pollster::block_on(Adapter::list())
            .into_iter()
            .find(|other| other.index == adapter.index && other.info.name == adapter.info.name);
        let Some(again) = again else { return Err(self.lost("and it is gone")) };
        pollster::block_on(Device::of_adapter(again, Arc::clone(&self.0.memory)))
    }

    /// The adapter's name, driver and interface.
    pub fn describe(&self) -> String {
        let info = self.0.device.adapter_info();
        let driver = [info.driver, info.driver_info].join(" ");
        format!("{} ({}, {})", self.0.name, info.backend, driver.trim())
    }

    /// The wgpu device.
    pub fn wgpu(&self) -> &wgpu::Device {
        &self.0.device
    }

    /// The wgpu queue.
    pub fn queue(&self) -> &wgpu::Queue {
        &self.0.queue
    }

    /// The limits it was opened with.
    pub fn limits(&self) -> &wgpu::Limits {
        &self.0.limits
    }

    /// Bytes that one storage buffer may hold.
    pub(crate) fn largest_binding(&self) -> u64 {
        largest_binding(&self.0.limits)
    }

    /// Whether the processor pretends to be a GPU.
    pub fn is_software(&self) -> bool {
        self.0.device.adapter_info().device_type == wgpu::DeviceType::Cpu
    }

    /// Bytes that a working buffer may take, of those wished for.
    pub(crate) fn chunk_bytes(&self, wished: u64) -> u64 {
        let most = if self.is_software() { SOFTWARE_CHUNK } else { u64::MAX };
        wished.min(self.largest_binding()).min(most).max(SMALLEST_CHUNK)
    }

    pub(crate) fn out_of_memory(&self, what: &str, bytes: u64) -> GpuError {
        GpuError::OutOfMemory { device: self.0.name.clone(), what: what.to_owned(), bytes }
    }

    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    /// That this device is lost, which it is from now on for all who hold it.
    pub(crate) fn lost(&self, more: &str) -> GpuError {
        let silent = || "without a word from the driver".to_owned();
        let problem = lock(&self.0.lost).get_or_insert_with(silent).clone();
        let problem = if more.is_empty() { problem } else { format!("{problem}, {more}") };
        GpuError::Lost { device: self.0.name.clone(), problem }
    }

    /// Calls wgpu inside error scopes.
    pub(crate) fn checked<T>(
        &self,
        what: &str,
        bytes: u64,
        call: impl FnOnce(&wgpu::Device) -> T,
    ) -> Result<T, GpuError> {
        use wgpu::ErrorFilter::{Internal, OutOfMemory, Validation};
        let device = &self.0.device;
        let scopes = [OutOfMemory, Internal, Validation].map(|filter| device.push_error_scope(filter));
        let value = call(device);
        let mut error = None;
        for scope in scopes.into_iter().rev() {
            error = pollster::block_on(scope.pop()).or(error);
        }
        if self.is_lost() {
            return Err(self.lost(""));
        }
        let refused = |problem: String| GpuError::Refused {
            device: self.0.name.clone(),
            what: what.to_owned(),
            problem: problem.split_whitespace().collect::<Vec<_>>().join(" "),
        };
        match error {
            None => Ok(value),
            Some(wgpu::Error::OutOfMemory { .. }) => Err(self.out_of_memory(what, bytes)),
            Some(wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. }) => {
                // What a lost device creates is invalid ("Buffer with … label is invalid") without an error of its own; shaders
                // that are refused are called invalid in other words.
                let signs = ["lost", "Device with", "label is invalid"];
                let lost = signs.iter().any(|sign| description.contains(sign));
                Err(if lost { self.lost("") } else { refused(description) })
            }
        }
    }

    /// A buffer of zeros.
    ///
    /// Errors: [`GpuError::TooLarge`], [`GpuError::OutOfMemory`].
    pub(crate) fn buffer(
        &self,
        what: &str,
        bytes: u64,
        usage: wgpu::BufferUsages,
    ) -> Result<wgpu::Buffer, GpuError> {
        let limit = self.largest_binding();
        if bytes > limit {
            let device = self.0.name.clone();
            return Err(GpuError::TooLarge { device, what: what.to_owned(), needed: bytes, limit });
        }
        // Bindings are never empty, and copies go by four bytes.
        let size = bytes.max(16).next_multiple_of(4);
        let descriptor = wgpu::BufferDescriptor { label: Some(what), size, usage, mapped_at_creation: false };
        self.checked(what, size, |device| device.create_buffer(&descriptor))
    }

    /// A storage buffer of zeros that can be written, read back and bound.
    pub(crate) fn storage(&self, what: &str, bytes: u64) -> Result<wgpu::Buffer, GpuError> {
        use wgpu::BufferUsages as Usage;
        self.buffer(what, bytes, Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST)
    }

    /// A buffer with these bytes.
    pub(crate) fn upload(
        &self,
        what: &str,
        bytes: &[u8],
        usage: wgpu::BufferUsages,
    ) -> Result<wgpu::Buffer, GpuError> {
        let buffer = self.buffer(what, bytes.len() as u64, usage | wgpu::BufferUsages::COPY_DST)?;
        self.checked(what, bytes.len() as u64, |_| self.0.queue.write_buffer(&buffer, 0, bytes))?;
        Ok(buffer)
    }

    /// A compute pipeline, compiled once for each label and set of constants.
    ///
    /// Errors: [`GpuError::Refused`] with the compiler's words.
    pub(crate) fn pipeline(
        &self,
        label: &str,
        source: impl FnOnce() -> String,
        constants: &[(&str, f64)],
        layouts: &[&wgpu::BindGroupLayout],
    ) -> Result<wgpu::ComputePipeline, GpuError> {
        let key = format!("{label} {constants:?}");
        if let Some(pipeline) = lock(&self.0.pipelines).get(&key) {
            return Ok(pipeline.clone());
        }
        let source = source();
        let pipeline = self.checked(label, 0, |device| {
            let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(label),
                source: wgpu::ShaderSource::Wgsl(source.into()),
            });
            let groups: Vec<Option<&wgpu::BindGroupLayout>> =
                layouts.iter().map(|layout| Some(*layout)).collect();
            let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(label),
                bind_group_layouts: &groups,
                immediate_size: 0,
            });
            device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(label),
                layout: Some(&layout),
                module: &module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions { constants, ..Default::default() },
                cache: None,
            })
        })?;
        lock(&self.0.pipelines).insert(key, pipeline.clone());
        Ok(pipeline)
    }

    /// Waits until all that was submitted is done, so that what was dropped meanwhile is released.
    ///
    /// Errors: [`GpuError::Lost`], [`GpuError::Cancelled`].
    pub(crate) fn idle(&self, control: &Control) -> Result<(), GpuError> {
        // Uploads that no submission has taken along hold memory too.
        self.checked("a submission", 0, |_| self.0.queue.submit([]))?;
        let done = Arc::new(AtomicBool::new(false));
        let report = Arc::clone(&done);
        self.0.queue.on_submitted_work_done(move || report.store(true, Ordering::Release));
        self.wait(control, || done.load(Ordering::Acquire))
    }

    /// Lets callbacks run until `done` says so, for as long as it takes.
    ///
    /// It looks and sleeps instead of waiting inside wgpu, whose wait for one submission panics when another thread looks
    /// at the same device at the wrong moment.
    ///
    /// Errors: [`GpuError::Lost`], [`GpuError::Cancelled`].
    pub(crate) fn wait(&self, control: &Control, mut done: impl FnMut() -> bool) -> Result<(), GpuError> {
        let mut pause = SHORTEST_PAUSE;
        loop {
            if done() {
                return Ok(());
            }
            if control.is_cancelled() {
                return Err(GpuError::Cancelled);
            }
            // A lost device makes poll panic.
            let polled = catch_unwind(AssertUnwindSafe(|| self.0.device.poll(wgpu::PollType::Poll)));
            if polled.is_err() || self.is_lost() {
                return Err(self.lost(""));
            }
            if !done() {
                std::thread::sleep(pause);
                pause = (2 * pause).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Bytes that one storage buffer may hold within these limits.
pub(crate) fn largest_binding(limits: &wgpu::Limits) -> u64 {
    let bytes = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size).min(i32::MAX as u64);
    // Buffers have whole words.
    bytes & !3
}

fn unlimited() -> Arc<AtomicU64> {
    Arc::new(AtomicU64::new(u64::MAX))
}

/// The value behind a lock, whatever a panicking thread left there: every update is a single assignment.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether both are handles of one device, opened once.
impl PartialEq for Device {
    fn eq(&self, other: &Device) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device").field("name", &self.0.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use ekernel_testnets::gpu;

    use super::*;

    fn opened() -> Option<Device> {
        let Ok(choice) = gpu::adapter()?.parse();
        Some(gpu::opened(Device::open_blocking(&choice)))
    }

    /// What is asked of a handle is asked of what has taken its place, before the loss and after it.
    #[test]
    fn a_handle_of_a_lost_device_goes_on() {
        let Some(device) = opened() else { return };
        device.wgpu().destroy();
        assert!(device.peak(&Control::new()).expect("measured on a new device") > 0.0);
        assert_ne!(device.current(), device);
        device.limit_memory(1 << 20);
        assert_eq!(device.current().memory_limit(), 1 << 20);
        device.current().limit_memory(1 << 21);
        assert_eq!(device.memory_limit(), 1 << 21);
    }

    /// A buffer of the largest size has whole words.
    #[test]
    fn the_largest_buffer_can_be_made() {
        let limits = wgpu::Limits {
            max_storage_buffer_binding_size: (1 << 31) - 1,
            max_buffer_size: u64::MAX,
            ..wgpu::Limits::default()
        };
        assert_eq!(largest_binding(&limits), (1 << 31) - 4);
    }
}
