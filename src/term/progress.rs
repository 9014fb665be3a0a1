//! Progress bars: on a terminal, for work of more than half a second.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::base::talk::{Task, Unit};

/// Work that ends sooner than this shows no bar: a flash is noise.
const QUIET: Duration = Duration::from_millis(500);

/// One bar on standard error, below those that are there already; invisible until [`QUIET`] has passed, wiped when
/// dropped.
pub struct Bar {
    bar: ProgressBar,
    screen: MultiProgress,
    hidden_since: Mutex<Option<Instant>>,
}

impl Bar {
    /// Starts a bar for `total` units, a spinner when the total is not known.
    pub fn start(screen: &MultiProgress, label: &str, total: Option<u64>, unit: Unit) -> Bar {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        let count = match unit {
            Unit::Bytes => "{bytes}/{total_bytes} {binary_bytes_per_sec}",
            Unit::Items => "{human_pos}/{human_len} {per_sec}",
        };
        let template = match total {
            Some(_) => format!("{{msg}} {{wide_bar}} {count} {{eta}}"),
            None => "{spinner} {msg} {elapsed}".to_owned(),
        };
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style.progress_chars("━╸ "));
        }
        bar.set_message(label.to_owned());
        Bar { bar, screen: screen.clone(), hidden_since: Mutex::new(Some(Instant::now())) }
    }
}

impl Task for Bar {
    fn advance(&self, count: u64) {
        self.bar.inc(count);
        if let Ok(mut hidden) = self.hidden_since.lock()
            && hidden.is_some_and(|since| since.elapsed() > QUIET)
        {
            *hidden = None;
            self.screen.add(self.bar.clone());
        }
    }

    fn say(&self, label: &str) {
        self.bar.set_message(label.to_owned());
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
