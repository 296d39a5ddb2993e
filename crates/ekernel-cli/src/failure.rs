//! From an error to one line on standard error and an exit code.

use std::{fmt, io};

use ekernel_core::{ArchError, BackendError, SamplesError};
use ekernel_data::DataError;
use ekernel_experiment::ExperimentError;
use ekernel_finite::FiniteError;
use ekernel_gram::GramError;
use ekernel_predict::PredictError;
use ekernel_solve::SolveError;

/// Exit code of a user's mistake.
const MISTAKE: u8 = 2;

/// Exit code after Ctrl-C: 128 + SIGINT.
pub(crate) const INTERRUPTED: u8 = 130;

/// A user's mistake that no library sees: what, where and what would do.
#[derive(Debug)]
pub(crate) struct Mistake(String);

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Mistake {}

/// An error that says what the user can mend.
pub(crate) fn mistake(text: impl Into<String>) -> anyhow::Error {
    Mistake(text.into()).into()
}

/// Work that the user stopped, and what is kept of it.
#[derive(Debug)]
struct Stopped(String);

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cancelled{}", self.0)
    }
}

impl std::error::Error for Stopped {}

/// The error of a command that cannot resume: a stop without the advice to keep finished tiles.
pub(crate) fn nothing_kept(error: anyhow::Error) -> anyhow::Error {
    stopped(error, "; nothing is kept")
}

/// The error itself, or where the user stopped the work `cancelled` with what is kept of it.
pub(crate) fn stopped(error: anyhow::Error, kept: &str) -> anyhow::Error {
    if is_cancelled(&error) { Stopped(kept.to_owned()).into() } else { error }
}

/// Prints the error as one line and gives its exit code.
pub(crate) fn report(error: &anyhow::Error) -> u8 {
    let code = exit_code(error);
    if code != 0 {
        let options = options_for(error).map(|options| format!(" ({options})")).unwrap_or_default();
        complain(&format!("{}{options}", one_line(error)));
    }
    code
}

/// The options by which the advice of a library's error is followed.
fn options_for(error: &anyhow::Error) -> Option<&'static str> {
    error.chain().find_map(|cause| match (cause.downcast_ref(), cause.downcast_ref()) {
        (Some(DataError::ImageSizes { .. }), _) => Some("--resize HEIGHTxWIDTH"),
        (_, Some(GramError::Memory { .. })) => Some(
            "rows of an array are FILE:X[0:2000]; --kind nngp; --threads 1; gram --resume DIR never holds the matrix whole",
        ),
        _ => None,
    })
}

/// Prints help where it was asked for, else clap's complaint as one line.
pub(crate) fn report_usage(error: &clap::Error) -> u8 {
    use clap::error::ErrorKind;
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match error.print() {
            Ok(()) => 0,
            Err(problem) => report(&stdout_failed(problem)),
        },
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            complain("no command was given; `ekernel --help` lists them");
            MISTAKE
        }
        _ => {
            let text = error.render().to_string();
            let text = text.strip_prefix("error: ").unwrap_or(&text);
            let text = text.split("\n\nUsage:").next().unwrap_or(text);
            let text = text.split("\n\nFor more information").next().unwrap_or(text);
            let words: Vec<&str> = text.split_whitespace().collect();
            complain(&format!("{}; see --help", words.join(" ").replace(" tip: ", "; ")));
            MISTAKE
        }
    }
}

/// Standard output that cannot be written is the user's to mend, unless its reader has merely left.
pub(crate) fn stdout_failed(problem: io::Error) -> anyhow::Error {
    if problem.kind() == io::ErrorKind::BrokenPipe {
        return problem.into();
    }
    mistake(format!("cannot write to standard output: {problem}; send it elsewhere or free some space"))
}

/// Whether the work was stopped by the user.
fn is_cancelled(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        matches!(cause.downcast_ref(), Some(BackendError::Cancelled))
            || matches!(cause.downcast_ref(), Some(GramError::Cancelled { .. }))
            || matches!(cause.downcast_ref(), Some(ExperimentError::Stopped(BackendError::Cancelled)))
            || matches!(cause.downcast_ref(), Some(FiniteError::Backend(BackendError::Cancelled)))
            || matches!(cause.downcast_ref(), Some(SolveError::Cancelled))
            || cause.is::<Stopped>()
    })
}

fn exit_code(error: &anyhow::Error) -> u8 {
    if is_cancelled(error) {
        return INTERRUPTED;
    }
    for cause in error.chain() {
        if let Some(problem) = cause.downcast_ref::<io::Error>()
            && problem.kind() == io::ErrorKind::BrokenPipe
        {
            // The reader of standard output has seen enough.
            return 0;
        }
        // Neither a failing device nor a broken backend is the user's to mend.
        if let Some(BackendError::Device { .. }) = cause.downcast_ref() {
            return 1;
        }
        if let Some(GramError::Contract { .. } | GramError::Backend(BackendError::Device { .. })) =
            cause.downcast_ref()
        {
            return 1;
        }
        if cause.is::<Mistake>()
            || cause.is::<DataError>()
            || cause.is::<ArchError>()
            || cause.is::<SamplesError>()
            || cause.is::<BackendError>()
            || cause.is::<GramError>()
            || cause.is::<PredictError>()
            || cause.is::<ExperimentError>()
            || cause.is::<FiniteError>()
            || cause.is::<SolveError>()
        {
            return MISTAKE;
        }
    }
    1
}

/// The error and its causes, each once: many errors already hold their cause's words.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain() {
        let text = flat(&cause.to_string());
        if line.contains(&text) {
            continue;
        }
        if !line.is_empty() {
            line.push_str(": ");
        }
        line.push_str(&text);
    }
    line
}

/// One line of a text that may quote a piece of a file under line numbers, as TOML errors do.
fn flat(text: &str) -> String {
    let quoted = |line: &str| {
        let rest = line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
        line.contains('|') && rest.starts_with('|')
    };
    let lines: Vec<&str> =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !quoted(line)).collect();
    lines.join("; ")
}

fn complain(line: &str) {
    use io::Write;
    // Nothing is left to be done if even standard error is gone.
    let _gone = writeln!(io::stderr(), "ekernel: {line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_pieces_of_files_are_left_out() {
        let text = "TOML parse error at line 2, column 4\n  |\n2 | op =\n  |    ^\nstring expected\n";
        assert_eq!(flat(text), "TOML parse error at line 2, column 4; string expected");
        assert_eq!(flat("one | two"), "one | two");
    }

    #[test]
    fn causes_are_said_once() {
        let inner = io::Error::other("disk on fire");
        let error = anyhow::Error::new(inner).context("cannot write K.npz: disk on fire");
        assert_eq!(one_line(&error), "cannot write K.npz: disk on fire");
        assert_eq!(exit_code(&error), 1);
        assert_eq!(exit_code(&mistake("x").context("y")), 2);
        assert_eq!(one_line(&mistake("x").context("y")), "y: x");
        assert_eq!(exit_code(&BackendError::Cancelled.into()), 130);
        let cancelled = GramError::Cancelled { done: 0, of: 1, store: None };
        let stopped = nothing_kept(anyhow::Error::new(cancelled).context("reference"));
        assert_eq!((exit_code(&stopped), one_line(&stopped).as_str()), (130, "cancelled; nothing is kept"));
        assert_eq!(one_line(&nothing_kept(mistake("x"))), "x");
    }
}
