//! The program as its users meet it.

mod augment;
mod bad_input;
mod converge;
mod gpu;
mod layers;
mod molecules;
mod results;
mod resume;
mod sampled;
mod selection;
mod shards;
mod signals;
mod silent;
mod solve;
mod spheres;
mod support;
mod tables;
mod terminal;
mod train;
mod uncertainty;
