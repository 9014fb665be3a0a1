//! The two streams of a command and how they look.

use std::io::{self, IsTerminal, Write};

use indicatif::MultiProgress;
use serde::Serialize;

use crate::base::host::Usage;
use crate::base::talk::{Level, Silent, Talk, Task, Unit};
use crate::base::units;
use crate::term::progress::Bar;
use crate::term::style::Style;
use crate::term::table::Table;

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How a command was asked to speak.
#[derive(Clone, Copy, Debug, Default)]
pub struct UiOptions {
    /// One JSON envelope on standard output instead of text.
    pub json: bool,
    /// Only warnings and errors on standard error.
    pub quiet: bool,
    /// How many times `-v` was given.
    pub verbose: u8,
    /// When to use colour.
    pub color: ColorChoice,
    /// Whether `NO_COLOR` or a dumb terminal asks for none.
    pub no_color: bool,
}

/// The printer of one command.
#[derive(Clone, Debug)]
pub struct Ui {
    json: bool,
    quiet: bool,
    color_out: bool,
    color_err: bool,
    moves: bool,
    verbose: bool,
    bars: MultiProgress,
    width: Option<usize>,
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    kind: &'a str,
    version: u32,
    data: &'a T,
}

/// Version of every envelope; rises when a field changes its meaning or goes.
const ENVELOPE_VERSION: u32 = 1;

impl Ui {
    /// Decides colour, width and movement from the options and from what the streams are connected to.
    pub fn new(options: UiOptions) -> Ui {
        let color = |terminal: bool| match options.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => terminal && !options.no_color,
        };
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let width = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
        Ui {
            json: options.json,
            quiet: options.quiet,
            color_out: color(out) && !options.json,
            color_err: color(err),
            moves: err && !options.quiet,
            verbose: options.verbose > 0,
            bars: MultiProgress::new(),
            width,
        }
    }

    /// Whether standard output carries one JSON envelope.
    pub fn json(&self) -> bool {
        self.json
    }

    /// Whether `-v` asks for more.
    pub fn verbose(&self) -> bool {
        self.verbose
    }

    /// Prints one line of data.
    pub fn line(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.write_all(b"\n")
    }

    /// Prints bytes as they are.
    pub fn raw(&self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    }

    /// Prints a table, or nothing when it has no rows.
    pub fn table(&self, table: &Table) -> io::Result<()> {
        if table.is_empty() {
            return Ok(());
        }
        let text = table.render(self.width);
        let (head, rest) = text.split_once('\n').unwrap_or((&text, ""));
        self.line(&Style::Bold.paint(head, self.color_out))?;
        self.line(rest)
    }

    /// `text` in a style, for data.
    pub fn paint(&self, style: Style, text: &str) -> String {
        style.paint(text, self.color_out)
    }

    /// Prints the one JSON envelope of a command.
    pub fn envelope<T: Serialize>(&self, kind: &str, data: &T) -> io::Result<()> {
        let envelope = Envelope { kind, version: ENVELOPE_VERSION, data };
        let mut out = io::BufWriter::new(io::stdout().lock());
        serde_json::to_writer(&mut out, &envelope)?;
        out.write_all(b"\n")?;
        out.flush()
    }

    /// Says what the command cost, when `-v` asks for it.
    pub fn cost(&self, seconds: f64, usage: Usage) {
        if self.verbose {
            let (cpu, memory) = (units::seconds(usage.cpu_seconds), units::bytes(usage.peak_memory_bytes));
            self.note(
                Level::Info,
                &format!("took {}, {cpu} of processor time, {memory} at most", units::seconds(seconds)),
            );
        }
    }

    /// Prints an error: what happened, its causes, what to do next.
    pub fn error(&self, what: &str, causes: &[String], hint: Option<&str>) {
        let mut text = format!("{} {what}\n", Style::Bad.paint("error:", self.color_err));
        for cause in causes {
            text.push_str(&format!("  because: {cause}\n"));
        }
        if let Some(hint) = hint {
            text.push_str(&format!("{} {hint}\n", Style::Code.paint("hint:", self.color_err)));
        }
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}

impl Talk for Ui {
    fn note(&self, level: Level, text: &str) {
        if self.quiet && level != Level::Warning {
            return;
        }
        let line = match level {
            Level::Info => format!("{text}\n"),
            Level::Warning => format!("{} {text}\n", Style::Warn.paint("warning:", self.color_err)),
            Level::Hint => format!("{} {text}\n", Style::Code.paint("hint:", self.color_err)),
        };
        // Standard error that is gone must not stop the work.
        let _ = self.bars.suspend(|| io::stderr().lock().write_all(line.as_bytes()));
    }

    fn start(&self, label: &str, total: Option<u64>, unit: Unit) -> Box<dyn Task> {
        if self.moves {
            return Box::new(Bar::start(&self.bars, label, total, unit));
        }
        Silent.start(label, total, unit)
    }
}
