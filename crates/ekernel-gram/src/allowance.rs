//! The memory that a job may use.

use crate::{GramError, Memory, Options};

/// Bytes that may be used, and why not more.
#[derive(Clone, Copy)]
pub(crate) struct Allowance {
    bytes: u64,
    reason: &'static str,
}

impl Allowance {
    pub(crate) fn of(options: &Options) -> Allowance {
        match options.memory_limit {
            Some(bytes) => Allowance { bytes, reason: "that may be used" },
            None => Allowance::of_system(),
        }
    }

    #[cfg(feature = "system")]
    fn of_system() -> Allowance {
        match ekernel_system::memory::available() {
            Some(available) => Allowance { bytes: available.bytes, reason: available.limit.words() },
            None => Allowance::addressable(),
        }
    }

    #[cfg(not(feature = "system"))]
    fn of_system() -> Allowance {
        Allowance::addressable()
    }

    fn addressable() -> Allowance {
        Allowance { bytes: isize::MAX as u64, reason: "that can be addressed" }
    }

    pub(crate) fn ensure(self, memory: Memory, shape: [usize; 2]) -> Result<(), GramError> {
        if memory.total() > self.bytes { Err(self.exceeded(memory, shape)) } else { Ok(()) }
    }

    pub(crate) fn exceeded(self, memory: Memory, [rows, cols]: [usize; 2]) -> GramError {
        GramError::Memory { rows, cols, memory, available: self.bytes, reason: self.reason }
    }
}
