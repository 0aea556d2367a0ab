//! Notes, warnings, errors and progress on standard error.

use std::fmt::Write;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::human;

/// The `--quiet` flag, which all tools share.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Verbosity {
    /// Print only warnings and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// The sink for a library's notes, warnings and progress.
#[derive(Debug)]
pub struct Messages {
    level: LogLevel,
    bar: ProgressBar,
    n_rows: Arc<AtomicU64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum LogLevel {
    Silent,
    Warnings,
    Notes,
}

impl Messages {
    /// Creates a sink on standard error. Progress is shown only if that is a terminal.
    pub fn new(verbosity: Verbosity) -> Self {
        let level = if verbosity.quiet { LogLevel::Warnings } else { LogLevel::Notes };
        Self { level, bar: ProgressBar::hidden(), n_rows: Arc::default() }
    }

    /// Creates a sink that discards everything.
    pub fn silent() -> Self {
        Self { level: LogLevel::Silent, bar: ProgressBar::hidden(), n_rows: Arc::default() }
    }

    /// Writes a note, unless `--quiet` is set.
    pub fn note(&self, text: impl AsRef<str>) {
        if self.level >= LogLevel::Notes {
            self.bar.suspend(|| write_line(text.as_ref()));
        }
    }

    /// Writes a warning, with the prefix `warning: `.
    pub fn warn(&self, text: impl AsRef<str>) {
        if self.level >= LogLevel::Warnings {
            self.bar.suspend(|| write_line(&format!("warning: {}", text.as_ref())));
        }
    }

    /// Returns the same sink with a progress bar up to `n_total` of `unit` (0: the total is unknown). Dropping the result
    /// removes the bar.
    #[must_use]
    pub fn with_progress(&self, stage: &str, n_total: u64, unit: ProgressUnit) -> Self {
        let bar = if self.level >= LogLevel::Notes {
            ProgressBar::with_draw_target(Some(n_total), ProgressDrawTarget::stderr())
        } else {
            ProgressBar::hidden()
        };
        let n_rows = Arc::new(AtomicU64::new(0));
        let template = if n_total == 0 { unit.open_ended_template() } else { unit.template() };
        if let Ok(style) = ProgressStyle::with_template(template) {
            let rate = |state: &ProgressState, out: &mut dyn Write| {
                // The bar is drawn into a string, which cannot fail.
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
        // indicatif panics if it cannot start its ticker thread.
        if !bar.is_hidden() && executor::can_spawn() {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self { level: self.level, bar, n_rows }
    }

    /// Advances the progress bar.
    pub fn advance(&self, n: u64) {
        self.bar.inc(n);
    }

    /// Counts rows; the bar shows their rate beside that of the bytes.
    pub fn advance_rows(&self, n: u64) {
        self.n_rows.fetch_add(n, Ordering::Relaxed);
    }
}

impl Drop for Messages {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Writes a line to standard error. Errors are ignored: a closed standard error must not end the run.
fn write_line(line: &str) {
    let _ = io::Write::write_all(&mut io::stderr(), format!("{line}\n").as_bytes());
}

/// The unit of a progress bar.
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

/// Advice that is shown after an interrupt, for tools that may leave remote changes half done.
static AFTER_INTERRUPT: OnceLock<&'static str> = OnceLock::new();

/// Sets the advice that is shown after an interrupt. Only the first call in a process has an effect.
pub fn after_interrupt(advice: &'static str) {
    let _ = AFTER_INTERRUPT.set(advice);
}

/// Reports an interrupt and the data sets that it left unchanged.
pub(crate) fn interrupted(targets: &[&Path]) {
    let mut facts: Vec<String> = targets.iter().map(|target| format!("{} is unchanged", target.display())).collect();
    facts.extend(AFTER_INTERRUPT.get().map(ToString::to_string));
    let facts = if facts.is_empty() { "no data set was being written".to_owned() } else { facts.join(", ") };
    write_line(&format!("interrupted: {facts}"));
}

/// Reports a failed run: the error, then each cause on a line of its own.
pub(crate) fn error(error: &anyhow::Error) {
    write_line(&format!("error: {error}"));
    for cause in error.chain().skip(1) {
        write_line(&format!("  caused by: {cause}"));
    }
}
