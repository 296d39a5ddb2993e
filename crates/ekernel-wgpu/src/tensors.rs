//! Working buffers, used again.

use std::sync::{Arc, Mutex};

use crate::{Device, GpuError, device::lock};

/// The buffers of one recorder at a time. Its dispatches run in the order in which they were recorded, so a buffer is free as
/// soon as its last reader is recorded; another recorder's dispatches may run before or between them.
#[derive(Clone, Default)]
pub(crate) struct Tensors(Arc<Mutex<Vec<wgpu::Buffer>>>);

/// A working buffer; dropped, it is free again.
pub(crate) struct Tensor {
    buffer: Option<wgpu::Buffer>,
    home: Tensors,
}

impl Tensors {
    /// A buffer of at least so many bytes, holding anything.
    pub(crate) fn take(&self, device: &Device, bytes: u64) -> Result<Tensor, GpuError> {
        let size = bytes.max(1 << 16).checked_next_power_of_two().unwrap_or(bytes);
        let size = size.min(device.largest_binding()).max(bytes);
        let mut free = lock(&self.0);
        let found = free.iter().position(|buffer| buffer.size() == size.next_multiple_of(4));
        let buffer = match found {
            Some(at) => free.swap_remove(at),
            None => match device.storage("ekernel.tensor", size) {
                // Others' buffers may be all that stands in the way.
                Err(GpuError::OutOfMemory { .. }) => {
                    free.clear();
                    device.storage("ekernel.tensor", size)?
                }
                made => made?,
            },
        };
        drop(free);
        Ok(Tensor { buffer: Some(buffer), home: self.clone() })
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
        lock(&self.home.0).extend(self.buffer.take());
    }
}
