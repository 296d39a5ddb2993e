//! The program as its users meet it.

mod bad_input;
mod gpu;
mod results;
mod support;
