//! Exact infinite-width kernels of neural networks.
pub use ekernel_core as core;
pub use ekernel_cpu as cpu;
