//! What is fuzzed: functions that take any bytes and must neither panic nor give a wrong answer.

mod architecture;
mod data;
mod resume;

pub use architecture::architecture;
pub use data::data;
pub use resume::resume;
