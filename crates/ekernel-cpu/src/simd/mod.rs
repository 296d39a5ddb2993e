//! What the kernels ask of a processor: real numbers in registers, aligned storage and the choice of an
//! instruction set at run time. The instructions themselves come from [`pulp`].
mod aligned;
mod isa;
mod lockstep;
mod real;

pub use aligned::Aligned;
pub use isa::Isa;
pub(crate) use lockstep::Lockstep;
pub use real::Real;
