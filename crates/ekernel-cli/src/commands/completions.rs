//! `ekernel completions SHELL`.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::{args::Cli, output};

pub(crate) fn run(shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ekernel", &mut script);
    output::print(&String::from_utf8(script)?)
}
