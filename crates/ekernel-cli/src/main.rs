//! The `ekernel` program: kernels of infinitely wide networks, and predictions with them, from the command line.
//!
//! Results go to standard output (for people, or with `--json` for programs), progress and notes to standard error.
//! The exit code is 0, or 2 for a user's mistake, 130 after Ctrl-C, 1 for anything else.

mod architecture;
mod args;
mod backends;
mod cli;
mod commands;
mod failure;
mod figures;
mod inputs;
mod kernels;
mod matrices;
mod output;
mod plot;
mod progress;
mod report;
mod samples;
mod signals;
mod space;
mod table;
mod tuning;
mod words;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;

fn main() -> ExitCode {
    keep_window_systems_quiet();
    match Cli::try_parse() {
        Ok(cli) => match cli::run(cli.command) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failure::report(&error),
        },
        Err(error) => failure::report_usage(&error),
    }
}

/// Graphics drivers look for a window system, and without this variable its library complains on standard error.
fn keep_window_systems_quiet() {
    const FOLDER: &str = "XDG_RUNTIME_DIR";
    if cfg!(target_os = "linux") && std::env::var_os(FOLDER).is_none() {
        // SAFETY: the first thing that the program does, while there is one thread.
        unsafe { std::env::set_var(FOLDER, std::env::temp_dir()) };
    }
}
