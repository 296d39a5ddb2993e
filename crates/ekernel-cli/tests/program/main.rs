//! The program as its users meet it.

mod bad_input;
mod gpu;
mod molecules;
mod results;
mod resume;
mod spheres;
mod support;
