//! The program as its users meet it.

mod bad_input;
mod results;
mod support;
