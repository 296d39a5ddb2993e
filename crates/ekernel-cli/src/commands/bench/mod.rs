//! `ekernel bench`: the CPU and GPU backends on the networks that the field compares itself on.

mod command;
mod machine;
mod networks;
mod options;
mod peak;
mod positions;
mod publish;
mod rate;
mod row;
mod runs;
mod sizes;
mod tune;

pub(crate) use command::run;
pub(crate) use options::Bench;
