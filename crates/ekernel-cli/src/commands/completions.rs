//! `ekernel completions SHELL`.

use clap_complete::Shell;

use crate::output;

/// Prints the completions of `program` for a shell.
pub(crate) fn run(shell: Shell, program: &mut clap::Command) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, program, "ekernel", &mut script);
    output::print(&String::from_utf8(script)?)
}
