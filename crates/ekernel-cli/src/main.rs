//! The `ekernel` program; [`ekernel_cli`] is what it runs.

use std::process::ExitCode;

fn main() -> ExitCode {
    keep_window_systems_quiet();
    ExitCode::from(ekernel_cli::run(std::env::args_os()))
}

/// Graphics drivers look for a window system, and without this variable its library complains on standard error.
fn keep_window_systems_quiet() {
    const FOLDER: &str = "XDG_RUNTIME_DIR";
    if cfg!(target_os = "linux") && std::env::var_os(FOLDER).is_none() {
        // SAFETY: the first thing that the program does, while there is one thread.
        unsafe { std::env::set_var(FOLDER, std::env::temp_dir()) };
    }
}
