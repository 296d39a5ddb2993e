//! What long work writes to standard error, and how Ctrl-C stops it.

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
use ekernel_gram::{Pace, Reached, Speed};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{failure::INTERRUPTED, signals::on_stop};

/// Steps of the bar for a pair or a sample, which may take long.
const STEPS: u64 = 1000;

/// Without a terminal, a line is printed this often, and at each twentieth of the work, but not more often than that.
const LINE_EVERY: Duration = Duration::from_secs(60);
const LINE_AT_MOST: Duration = Duration::from_secs(5);

/// Columns of a bar with its words, and of the bar alone.
const COLUMNS: usize = 60;
const BAR: usize = 10;

/// Cancels and reports long work; one for the whole run.
pub(crate) struct Task {
    control: Control,
    meter: Arc<Mutex<Meter>>,
}

struct Meter {
    shown: Shown,
    label: String,
    /// What is prepared.
    unit: &'static str,
    pace: Pace,
    last_line: Instant,
    /// The share that the last line told, in twentieths.
    last_share: u64,
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
            let style = ProgressStyle::with_template("{msg}").context("the progress bar's template")?;
            Shown::Bar(ProgressBar::no_length().with_style(style))
        } else {
            Shown::Lines
        };
        let meter = Meter {
            shown,
            label: String::new(),
            unit: "samples prepared",
            pace: Pace::new(),
            last_line: Instant::now(),
            last_share: 0,
            pairs: None,
            counted: false,
        };
        let meter = Arc::new(Mutex::new(meter));
        let reader = Arc::clone(&meter);
        let control = Control::with_progress(move |progress| {
            reader.lock().unwrap_or_else(PoisonError::into_inner).show(progress);
        });
        let (stopped, stopping) = (control.cancel.clone(), AtomicBool::new(false));
        on_stop(move || {
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
        self.begin_on(label, "samples prepared");
    }

    /// Names the work that begins, and what is done of it before pairs are computed.
    pub(crate) fn begin_on(&self, label: &str, unit: &'static str) {
        let mut meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
        meter.label = label.to_owned();
        meter.unit = unit;
        meter.pace = Pace::new();
        meter.last_line = Instant::now();
        meter.last_share = 0;
        meter.pairs = None;
        meter.counted = false;
        if let Shown::Bar(bar) = &meter.shown {
            bar.reset();
            bar.set_message(meter.label.clone());
        }
    }

    /// Shows that `done` of `of` steps are done and that `label` is under way. What backends report is no longer shown.
    pub(crate) fn count(&self, label: &str, done: usize, of: usize) {
        let mut meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
        meter.label = label.to_owned();
        meter.counted = true;
        if let Shown::Bar(bar) = &meter.shown {
            bar.set_message(meter.label.clone());
        }
        meter.write(done as f64, of as u64, "measurements", "");
    }

    /// Writes a line above the bar, unless the run is quiet.
    pub(crate) fn note(&self, text: &str) {
        let meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
        match &meter.shown {
            Shown::Nothing => {}
            Shown::Bar(bar) => bar.suspend(|| crate::output::note(false, text)),
            Shown::Lines => crate::output::note(false, text),
        }
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
        if let Progress::Pairs { done, .. } = progress {
            let [first, last] = self.pairs.unwrap_or([done, done]);
            self.pairs = Some([first, last.max(done)]);
        }
        let speed = self.pace.observe(progress, Instant::now());
        let Some(Reached { computing, done, of }) = self.pace.reached() else { return };
        let unit = if computing { "pairs" } else { self.unit };
        self.write(done, of, unit, &speed.map(|speed| rate(speed, unit)).unwrap_or_default());
    }

    fn write(&mut self, done: f64, of: u64, unit: &str, rate: &str) {
        let now = Instant::now();
        match &self.shown {
            Shown::Nothing => {}
            Shown::Bar(bar) => {
                bar.set_length(of.saturating_mul(STEPS));
                bar.set_position((done * STEPS as f64) as u64);
                bar.set_message(bar_line(&self.label, done / of.max(1) as f64, rate));
            }
            Shown::Lines => {
                let since = now.duration_since(self.last_line);
                let share = (20.0 * done / of.max(1) as f64) as u64;
                if since < LINE_EVERY && (since < LINE_AT_MOST || share <= self.last_share) {
                    return;
                }
                (self.last_line, self.last_share) = (now, share);
                // Progress that nobody can read is no reason to stop.
                let _gone = writeln!(io::stderr(), "{}: {} of {of} {unit}{rate}", self.label, shown(done));
            }
        }
    }
}

/// `mnist_c4, training [####      ]  40% 1234 pairs/s, 39 s left`, in at most 60 columns.
fn bar_line(label: &str, share: f64, rate: &str) -> String {
    let share = share.clamp(0.0, 1.0);
    let filled = (share * BAR as f64) as usize;
    let bar = format!(" [{}{}] {:3.0}%", "#".repeat(filled), " ".repeat(BAR - filled), 100.0 * share);
    let rate = rate.trim_start_matches(", ").replace("samples prepared", "samples");
    let room = COLUMNS.saturating_sub(bar.chars().count() + rate.chars().count() + 1);
    let label = match label.chars().count() {
        length if length <= room => label.to_owned(),
        _ => label.chars().take(room.saturating_sub(1)).chain(['…']).collect(),
    };
    format!("{label}{bar} {rate}").trim_end().to_owned()
}

/// Hundredths where the whole is small enough for them to be of interest.
fn shown(done: f64) -> String {
    if done.fract() > 0.0 && done < 100.0 { format!("{done:.2}") } else { format!("{:.0}", done.floor()) }
}

/// `, 1234 pairs/s, 39 s left`.
fn rate(speed: Speed, unit: &str) -> String {
    let left = crate::words::duration(speed.left.as_secs_f64());
    format!(", {} {unit}/s, {left} left", crate::words::number(speed.per_second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_fits_sixty_columns() {
        let rate = rate(Speed { per_second: 1234.5, left: Duration::from_secs(7300) }, "pairs");
        for label in ["net", "a_network_of_a_long_name, test with itself"] {
            for (share, rate) in [(0.0, ""), (0.42, rate.as_str()), (1.0, rate.as_str())] {
                let line = bar_line(label, share, rate);
                assert!(line.chars().count() <= COLUMNS, "{line}");
                assert!(line.contains('%') && line.contains('['), "{line}");
            }
        }
        assert_eq!(
            bar_line("net", 0.42, ", 3 pairs/s, 2 s left"),
            "net [####      ]  42% 3 pairs/s, 2 s left"
        );
    }

    /// The bar moves within a single pair.
    #[test]
    fn parts_of_pairs_are_shown() {
        let bar = ProgressBar::hidden();
        let mut meter = Meter {
            shown: Shown::Bar(bar.clone()),
            label: String::new(),
            unit: "samples prepared",
            pace: Pace::new(),
            last_line: Instant::now(),
            last_share: 0,
            pairs: None,
            counted: false,
        };
        let mut seen = Vec::new();
        for progress in [
            Progress::Prepared { done: 2, of: 2 },
            Progress::Pairs { done: 0, of: 2 },
            Progress::Tile { pairs: 0.25 },
            Progress::Tile { pairs: 0.5 },
            Progress::Pairs { done: 1, of: 2 },
            Progress::Tile { pairs: 0.5 },
            Progress::Pairs { done: 2, of: 2 },
        ] {
            meter.show(progress);
            seen.push(bar.position() as f64 / bar.length().unwrap_or(0) as f64);
        }
        assert_eq!(seen, [1.0, 0.0, 0.125, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(meter.pairs, Some([0, 2]));
        assert_eq!([0.0, 0.256, 12.5, 3.0, 1234.5].map(shown), ["0", "0.26", "12.50", "3", "1234"]);
    }
}
