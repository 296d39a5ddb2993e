//! Many SO(3) transforms at once, one signal in each lane of a register.

mod buffer;
mod circle;
mod correlate;
mod isa;
mod lines;
mod madd;
mod spectrum;
mod transform;

pub use buffer::LaneBuffer;
pub use isa::Isa;
pub use transform::{LaneTransform, LaneWorkspace};
