//! Tests of sources: against files of their own, a web server of their own, and real databases and object stores.

mod addresses;
mod http;
mod local;
mod objects;
mod partitions;
mod postgres;
mod server;
mod sqlite;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use tempfile::TempDir;

use crate::base::fail;
use crate::base::talk::Recorder;
use crate::record::remote::Remembered;
use crate::source::partition::Window;
use crate::source::{FetchOptions, Fetched, fetch, redact};

/// The password of all tests; it must never be seen again.
const SECRET: &str = "hunter2-swordfish";

/// A folder to start from, another for temporary files, and everything that was said.
struct Place {
    root: TempDir,
    staging: TempDir,
    environment: BTreeMap<String, String>,
    remembered: BTreeMap<String, Remembered>,
    window: Option<Window>,
    bytes_max: u64,
    offline: bool,
    talk: Recorder,
}

impl Place {
    fn new() -> Place {
        Place {
            root: tempfile::tempdir().expect("a folder"),
            staging: tempfile::tempdir().expect("a folder"),
            environment: BTreeMap::new(),
            remembered: BTreeMap::new(),
            window: None,
            bytes_max: 1 << 20,
            offline: false,
            talk: Recorder::default(),
        }
    }

    /// A place with these files, each with its own path as its content.
    fn with(files: &[&str]) -> Place {
        let place = Place::new();
        for file in files {
            place.write(file, file.as_bytes());
        }
        place
    }

    fn write(&self, file: &str, bytes: &[u8]) -> PathBuf {
        let path = self.root.path().join(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(&path, bytes).expect("written");
        path
    }

    fn set(mut self, name: &str, value: &str) -> Place {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    fn fetch(&self, sources: &[&str]) -> Result<Vec<Fetched>> {
        let sources: Vec<String> = sources.iter().map(|source| (*source).to_owned()).collect();
        let remembered = |url: &str| self.remembered.get(url).cloned();
        let options = FetchOptions {
            bytes_max: self.bytes_max,
            offline: self.offline,
            window: self.window,
            remembered: &remembered,
            retry_pause: Duration::ZERO,
            ..FetchOptions::new(self.root.path(), self.staging.path(), &self.environment)
        };
        let fetched = fetch(&sources, &options, &self.talk);
        self.keeps_secrets(&fetched);
        fetched
    }

    fn one(&self, source: &str) -> Fetched {
        let mut files = self.fetch(&[source]).unwrap_or_else(|error| panic!("{source}: {}", complaint(&error)));
        assert_eq!(files.len(), 1, "{source}");
        files.remove(0)
    }

    /// What is said of a source that cannot be fetched; nothing of it is left behind.
    fn fault(&self, source: &str) -> String {
        let before = files_below(self.staging.path());
        let error = self.fetch(&[source]).err().unwrap_or_else(|| panic!("{} was fetched", redact(source)));
        assert_eq!(files_below(self.staging.path()), before, "{source} left something behind");
        let text = complaint(&error);
        assert!(fail::find(&error).is_some_and(|failure| failure.hint.is_some()), "{source}: no hint: {text}");
        text
    }

    /// Asserts that a source fails and that all of `parts` are said of it.
    fn check_fault(&self, source: &str, parts: &[&str]) {
        let text = self.fault(source);
        for part in parts {
            assert!(text.contains(part), "`{part}` is not said of {source}: {text}");
        }
    }

    fn notes(&self) -> String {
        self.talk.notes().into_iter().map(|(_, text)| text + "\n").collect()
    }

    fn keeps_secrets(&self, fetched: &Result<Vec<Fetched>>) {
        let said = match fetched {
            Ok(files) => format!("{files:?}"),
            Err(error) => format!("{} {error:?}", complaint(error)),
        };
        for text in [said, self.notes()] {
            assert!(!text.contains(SECRET) && !text.contains("hunter2"), "a secret was said: {text}");
        }
    }
}

fn complaint(error: &anyhow::Error) -> String {
    let hint = fail::find(error).and_then(|failure| failure.hint.clone()).unwrap_or_default();
    format!("{error:#} [{hint}]")
}

fn files_below(folder: &Path) -> usize {
    fs::read_dir(folder).expect("readable").count()
}

fn names(files: &[Fetched]) -> Vec<&str> {
    files.iter().map(|file| file.name.as_str()).collect()
}

fn text(file: &Fetched) -> String {
    fs::read_to_string(file.path().expect("it was fetched")).expect("readable")
}
