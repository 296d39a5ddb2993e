//! Working buffers, used again.

use std::sync::{Arc, Mutex};

use crate::{Device, GpuError, device::lock};

const LABEL: &str = "a working buffer";

/// The buffers of one recorder at a time. Its dispatches run in the order in which they were recorded, so a buffer is free as
/// soon as its last reader is recorded; another recorder's dispatches may run before or between them.
#[derive(Clone, Default)]
pub(crate) struct Tensors(Arc<Mutex<Shelf>>);

#[derive(Default)]
struct Shelf {
    free: Vec<wgpu::Buffer>,
    /// Bytes of all buffers, free or not.
    bytes: u64,
}

/// A working buffer; dropped, it is free again.
pub(crate) struct Tensor {
    buffer: Option<wgpu::Buffer>,
    home: Tensors,
}

impl Tensors {
    /// A buffer of at least so many bytes, holding anything.
    pub(crate) fn take(&self, device: &Device, bytes: u64) -> Result<Tensor, GpuError> {
        let size = size(device, bytes);
        let mut shelf = lock(&self.0);
        let fits = |(_, buffer): &(usize, &wgpu::Buffer)| buffer.size() >= size;
        let smallest = shelf.free.iter().enumerate().filter(fits).min_by_key(|(_, buffer)| buffer.size());
        let found = smallest.map(|(at, _)| at);
        let buffer = match found {
            Some(at) => shelf.free.swap_remove(at),
            // Those that are free are too small. Without them no more are held than were ever in use at once.
            None => {
                shelf.clear();
                shelf.make(device, size)?
            }
        };
        drop(shelf);
        Ok(Tensor { buffer: Some(buffer), home: self.clone() })
    }
}

/// Bytes of the buffer that is taken for so many: few sizes, so that buffers are used again.
pub(crate) fn size(device: &Device, bytes: u64) -> u64 {
    let size = bytes.max(1 << 16).checked_next_power_of_two().unwrap_or(bytes);
    size.min(device.largest_binding()).max(bytes).next_multiple_of(4)
}

impl Shelf {
    fn make(&mut self, device: &Device, size: u64) -> Result<wgpu::Buffer, GpuError> {
        if self.bytes.saturating_add(size) > device.memory_limit() {
            return Err(device.out_of_memory(LABEL, size));
        }
        let buffer = device.storage(LABEL, size)?;
        self.bytes += buffer.size();
        Ok(buffer)
    }

    fn clear(&mut self) {
        self.bytes -= self.free.drain(..).map(|buffer| buffer.size()).sum::<u64>();
    }
}

impl Tensor {
    pub(crate) fn buffer(&self) -> &wgpu::Buffer {
        match &self.buffer {
            Some(buffer) => buffer,
            None => unreachable!("a tensor has its buffer until it is dropped"),
        }
    }
}

impl Drop for Tensor {
    fn drop(&mut self) {
        lock(&self.home.0).free.extend(self.buffer.take());
    }
}
