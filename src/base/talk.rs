//! What an operation says while it works: progress and notes. The command line prints them, a server logs them.

use std::sync::Mutex;

/// How much a note matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something was cached, guessed or skipped: the person should know.
    Info,
    /// Something is degraded or suspicious.
    Warning,
    /// What to do next.
    Hint,
}

/// Receives progress and notes. Implementations never fail and never block for long.
pub trait Talk: Send + Sync {
    /// Says one sentence.
    fn note(&self, level: Level, text: &str);

    /// Starts a piece of work of `total` units (bytes, rows, trees), when the total is known.
    fn start(&self, label: &str, total: Option<u64>, unit: Unit) -> Box<dyn Task>;

    /// Says that something was cached, guessed or skipped.
    fn info(&self, text: &str) {
        self.note(Level::Info, text);
    }

    /// Says that something is degraded or suspicious.
    fn warn(&self, text: &str) {
        self.note(Level::Warning, text);
    }

    /// Says what to do next.
    fn hint(&self, text: &str) {
        self.note(Level::Hint, text);
    }
}

/// What a progress bar counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes, shown as KiB, MiB, GiB.
    Bytes,
    /// Anything else, shown as a plain number.
    Items,
}

/// One piece of work under way; dropping it ends it.
pub trait Task: Send + Sync {
    /// Adds `count` finished units.
    fn advance(&self, count: u64);

    /// Shows another label.
    fn say(&self, _label: &str) {}
}

/// Says nothing.
pub struct Silent;

struct SilentTask;

impl Talk for Silent {
    fn note(&self, _level: Level, _text: &str) {}

    fn start(&self, _label: &str, _total: Option<u64>, _unit: Unit) -> Box<dyn Task> {
        Box::new(SilentTask)
    }
}

impl Task for SilentTask {
    fn advance(&self, _count: u64) {}
}

/// Keeps every note, for tests and for reports that repeat what was said.
#[derive(Default)]
pub struct Recorder(Mutex<Vec<(Level, String)>>);

impl Recorder {
    /// All notes so far.
    pub fn notes(&self) -> Vec<(Level, String)> {
        self.0.lock().map(|notes| notes.clone()).unwrap_or_default()
    }
}

impl Talk for Recorder {
    fn note(&self, level: Level, text: &str) {
        if let Ok(mut notes) = self.0.lock() {
            notes.push((level, text.to_owned()));
        }
    }

    fn start(&self, _label: &str, _total: Option<u64>, _unit: Unit) -> Box<dyn Task> {
        Box::new(SilentTask)
    }
}
