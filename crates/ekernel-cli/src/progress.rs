//! What long work tells on standard error, and how Ctrl-C stops it.

use std::{
    io::{self, IsTerminal, Write},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use ekernel_core::{Control, Progress};
use ekernel_gram::{Pace, Speed};
use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::INTERRUPTED;

/// Without a terminal, a line is printed at most this often.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Cancels and reports long work; one for the whole run.
pub(crate) struct Task {
    control: Arc<Control>,
    meter: Arc<Mutex<Meter>>,
}

struct Meter {
    shown: Shown,
    label: String,
    pace: Pace,
    last_line: Instant,
    /// Pairs done at the first report of this work, and at the last.
    pairs: Option<[u64; 2]>,
    /// Whether the work is counted by whoever began it, and not by a backend.
    counted: bool,
}

enum Shown {
    Nothing,
    Bar(ProgressBar),
    Lines,
}

impl Task {
    /// Starts to listen to Ctrl-C: the first asks the work to stop, the second ends the program.
    pub(crate) fn new(quiet: bool) -> anyhow::Result<Task> {
        let shown = if quiet {
            Shown::Nothing
        } else if io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{msg} {wide_bar} {percent:>3}% {prefix}")
                .context("the progress bar's template")?;
            Shown::Bar(ProgressBar::no_length().with_style(style))
        } else {
            Shown::Lines
        };
        let meter = Meter {
            shown,
            label: String::new(),
            pace: Pace::new(),
            last_line: Instant::now(),
            pairs: None,
            counted: false,
        };
        let meter = Arc::new(Mutex::new(meter));
        let reader = Arc::clone(&meter);
        let control = Arc::new(Control::with_progress(move |progress| {
            reader.lock().unwrap_or_else(PoisonError::into_inner).show(progress);
        }));
        let (stopped, stopping) = (Arc::clone(&control), AtomicBool::new(false));
        ctrlc::set_handler(move || {
            if stopping.swap(true, Ordering::Relaxed) {
                std::process::exit(INTERRUPTED.into());
            }
            crate::output::note(quiet, "\nekernel: stopping; press Ctrl-C again to end at once");
            stopped.cancel();
        })
        .context("cannot listen to Ctrl-C")?;
        Ok(Task { control, meter })
    }

    pub(crate) fn control(&self) -> &Control {
        &self.control
    }

    /// Names the work that begins.
    pub(crate) fn begin(&self, label: &str) {
        let mut meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
        meter.label = label.to_owned();
        meter.pace = Pace::new();
        meter.last_line = Instant::now();
        meter.pairs = None;
        meter.counted = false;
        if let Shown::Bar(bar) = &meter.shown {
            bar.reset();
            bar.set_message(meter.label.clone());
        }
    }

    /// Shows that so many steps of the work are done and that `label` is under way. What backends report is no longer shown.
    pub(crate) fn count(&self, label: &str, done: usize, of: usize) {
        let mut meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
        meter.label = label.to_owned();
        meter.counted = true;
        if let Shown::Bar(bar) = &meter.shown {
            bar.set_message(meter.label.clone());
        }
        meter.tell([done as u64, of as u64], "measurements", "");
    }

    /// Takes the bar away, and gives the number of pairs that were computed since the work began: those found finished
    /// are not among them.
    pub(crate) fn end(&self) -> u64 {
        let meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
        if let Shown::Bar(bar) = &meter.shown {
            bar.finish_and_clear();
        }
        meter.pairs.map_or(0, |[first, last]| last - first)
    }
}

impl Meter {
    fn show(&mut self, progress: Progress) {
        if self.counted {
            return;
        }
        let (done, of, unit) = match progress {
            Progress::Prepared { done, of } => (done as u64, of as u64, "samples prepared"),
            Progress::Pairs { done, of } => (done, of, "pairs"),
        };
        if let Progress::Pairs { done, .. } = progress {
            let [first, last] = self.pairs.unwrap_or([done, done]);
            self.pairs = Some([first, last.max(done)]);
        }
        let speed = self.pace.observe(progress, Instant::now());
        self.tell([done, of], unit, &speed.map(|speed| rate(speed, unit)).unwrap_or_default());
    }

    fn tell(&mut self, [done, of]: [u64; 2], unit: &str, rate: &str) {
        let now = Instant::now();
        match &self.shown {
            Shown::Nothing => {}
            Shown::Bar(bar) => {
                bar.set_length(of);
                bar.set_position(done);
                bar.set_prefix(rate.to_owned());
            }
            Shown::Lines if now.duration_since(self.last_line) >= LINE_EVERY => {
                self.last_line = now;
                // Progress that nobody can read is no reason to stop.
                let _gone = writeln!(io::stderr(), "{}: {done} of {of} {unit}{rate}", self.label);
            }
            Shown::Lines => {}
        }
    }
}

/// `, 1234 pairs/s, 39 s left`.
fn rate(speed: Speed, unit: &str) -> String {
    let left = crate::report::duration(speed.left.as_secs_f64());
    format!(", {} {unit}/s, {left} left", crate::report::number(speed.per_second))
}
