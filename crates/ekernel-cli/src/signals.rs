//! Signals that ask the program to stop.

use std::io;

/// Calls `stop` at every signal that asks the program to stop: Ctrl-C, a hang-up, a termination.
///
/// A signal that the parent set to be ignored stays ignored: `nohup` sets hang-ups so, and a shell Ctrl-C of its jobs in
/// the background.
#[cfg(unix)]
pub(crate) fn on_stop(mut stop: impl FnMut() + Send + 'static) -> io::Result<()> {
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        iterator::Signals,
    };

    let heard = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|&signal| !is_ignored(signal));
    let mut signals = Signals::new(heard)?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for _ in signals.forever() {
            stop();
        }
    })?;
    Ok(())
}

/// The same where there are no Unix signals.
#[cfg(not(unix))]
pub(crate) fn on_stop(stop: impl FnMut() + Send + 'static) -> io::Result<()> {
    ctrlc::set_handler(stop).map_err(io::Error::other)
}

/// Whether a signal is ignored. Asked before this program listens to it, that is how the parent set it.
#[cfg(unix)]
fn is_ignored(signal: std::ffi::c_int) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: the new action is null, so that nothing is changed, and the old one is written to `action`, which is of the
    // type that the call fills (the line above).
    let asked = unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) };
    // SAFETY: a return value of 0, which is checked first, says that `action` was filled.
    asked == 0 && unsafe { action.assume_init() }.sa_sigaction == libc::SIG_IGN
}
