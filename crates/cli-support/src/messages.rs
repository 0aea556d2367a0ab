//! What a person reads while a tool runs: notes, warnings and progress, all on standard error.
use std::fmt::Write;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::human;

/// The flag that every tool has.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Verbosity {
    /// Say nothing but warnings and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// Where a library says what it does.
#[derive(Debug)]
pub struct Messages {
    loudness: Loudness,
    bar: ProgressBar,
    n_rows: Arc<AtomicU64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Loudness {
    Nothing,
    Warnings,
    Everything,
}

impl Messages {
    /// Messages on standard error; progress only if that is a terminal.
    pub fn new(verbosity: Verbosity) -> Self {
        let loudness = if verbosity.quiet { Loudness::Warnings } else { Loudness::Everything };
        Self { loudness, bar: ProgressBar::hidden(), n_rows: Arc::default() }
    }

    /// No messages at all.
    pub fn silent() -> Self {
        Self { loudness: Loudness::Nothing, bar: ProgressBar::hidden(), n_rows: Arc::default() }
    }

    /// Says something that a person may like to know.
    pub fn note(&self, text: impl AsRef<str>) {
        if self.loudness >= Loudness::Everything {
            self.bar.suspend(|| say(text.as_ref()));
        }
    }

    /// Says something that a person should know although the run goes on.
    pub fn warn(&self, text: impl AsRef<str>) {
        if self.loudness >= Loudness::Warnings {
            self.bar.suspend(|| say(&format!("warning: {}", text.as_ref())));
        }
    }

    /// The same messages with a progress bar towards `n_total` of `unit` (0: nobody knows how many); the bar goes when the
    /// result is dropped.
    #[must_use]
    pub fn with_progress(&self, stage: &str, n_total: u64, unit: ProgressUnit) -> Self {
        let bar = if self.loudness >= Loudness::Everything {
            ProgressBar::with_draw_target(Some(n_total), ProgressDrawTarget::stderr())
        } else {
            ProgressBar::hidden()
        };
        let n_rows = Arc::new(AtomicU64::new(0));
        let template = if n_total == 0 { unit.open_ended_template() } else { unit.template() };
        if let Ok(style) = ProgressStyle::with_template(template) {
            let rate = |state: &ProgressState, out: &mut dyn Write| {
                // The bar is only drawn; there is nobody to tell of an error.
                let _ = write!(out, "{}/s", human::count(state.per_sec() as u64));
            };
            let counted = Arc::clone(&n_rows);
            let row_rate = move |state: &ProgressState, out: &mut dyn Write| {
                let per_second = counted.load(Ordering::Relaxed) as f64 / state.elapsed().as_secs_f64().max(1e-3);
                let _ = write!(out, "{} rows/s", human::count(per_second as u64));
            };
            bar.set_style(style.with_key("rate", rate).with_key("row_rate", row_rate).progress_chars("=> "));
        }
        bar.set_prefix(stage.to_owned());
        // Ticks come from a thread, without which indicatif would panic.
        if !bar.is_hidden() && executor::can_spawn() {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self { loudness: self.loudness, bar, n_rows }
    }

    /// Moves the progress bar on.
    pub fn advance(&self, n: u64) {
        self.bar.inc(n);
    }

    /// Counts rows, whose rate is shown beside that of the bytes.
    pub fn advance_rows(&self, n: u64) {
        self.n_rows.fetch_add(n, Ordering::Relaxed);
    }
}

impl Drop for Messages {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// One line on standard error. If nobody reads it any more, that is no reason to stop: what counts is the work.
fn say(line: &str) {
    let _ = io::Write::write_all(&mut io::stderr(), format!("{line}\n").as_bytes());
}

/// What a progress bar counts.
#[derive(Clone, Copy, Debug)]
pub enum ProgressUnit {
    /// Tickets.
    Tickets,
    /// Bytes.
    Bytes,
    /// Bytes, and rows in them.
    BytesOfRows,
}

impl ProgressUnit {
    const fn template(self) -> &'static str {
        match self {
            Self::Tickets => "{prefix} [{bar:30}] {human_pos} of {human_len} tickets, {rate}, {eta} left",
            Self::Bytes => {
                "{prefix} [{bar:30}] {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left"
            }
            Self::BytesOfRows => {
                "{prefix} [{bar:30}] {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {row_rate}, {eta} left"
            }
        }
    }

    const fn open_ended_template(self) -> &'static str {
        match self {
            Self::Tickets => "{prefix} {human_pos} tickets, {rate}",
            Self::Bytes => "{prefix} {decimal_bytes}, {decimal_bytes_per_sec}",
            Self::BytesOfRows => "{prefix} {decimal_bytes}, {decimal_bytes_per_sec}, {row_rate}",
        }
    }
}

/// What to say to whoever interrupts the run, if it leaves something half done elsewhere.
static AFTER_INTERRUPT: OnceLock<&'static str> = OnceLock::new();

/// Sets what an interrupt says besides itself, once for a process.
pub fn after_interrupt(advice: &'static str) {
    // Only the first one counts; there is never a second.
    let _ = AFTER_INTERRUPT.set(advice);
}

/// Says that the run was interrupted, and which data sets it was about to replace.
pub(crate) fn interrupted(targets: &[&Path]) {
    let mut facts: Vec<String> = targets.iter().map(|target| format!("{} is as it was", target.display())).collect();
    facts.extend(AFTER_INTERRUPT.get().map(ToString::to_string));
    let facts = if facts.is_empty() { "nothing was under way".to_owned() } else { facts.join(", ") };
    say(&format!("interrupted: {facts}"));
}

/// Reports why a run failed: the error, then each cause on a line of its own.
pub(crate) fn error(error: &anyhow::Error) {
    say(&format!("error: {error}"));
    for cause in error.chain().skip(1) {
        say(&format!("  because: {cause}"));
    }
}
