//! `ekernel train`: ensembles of networks of finite width, and how far their mean outputs are apart.

mod command;
mod distances;
mod ensemble;
mod kept;
mod options;
mod plans;
mod report;

pub(crate) use command::run;
pub(crate) use options::Train;
