//! The `ekernel` program as a function: kernels of infinitely wide networks, and predictions with them, from the command
//! line.
//!
//! Results go to standard output (for people, or with `--json` for programs), progress and notes to standard error.
//! The exit code is 0, or 2 for a user's mistake, 130 after Ctrl-C, 1 for anything else.

mod architecture;
mod args;
mod augment;
mod backends;
mod cli;
mod commands;
mod confusion;
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

use std::ffi::OsString;

use clap::Parser;

use crate::cli::Cli;

/// Runs the program with these arguments, the first of which is its name, and returns its exit code.
///
/// It listens to the signals that ask a program to stop, and prints to standard output and standard error.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    match Cli::try_parse_from(arguments) {
        Ok(cli) => match cli::run(cli.command) {
            Ok(()) => 0,
            Err(error) => failure::report(&error),
        },
        Err(error) => failure::report_usage(&error),
    }
}
