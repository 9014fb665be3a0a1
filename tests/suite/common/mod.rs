//! A folder of its own, a home of its own, a fixed clock and the built binary: what every test here starts from.

pub mod http;
pub mod tables;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use tempfile::TempDir;

/// The hour in which tests happen: the first command of a sandbox runs at its start, each later one a second on.
pub const HOUR: &str = "2026-01-02T03:";

/// A project folder that vanishes with the test.
pub struct Sandbox {
    folder: TempDir,
    commands: AtomicU32,
}

/// What a command did.
pub struct Ran {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Sandbox {
    /// An empty folder.
    pub fn new() -> Sandbox {
        Sandbox { folder: TempDir::new().expect("the system has a temporary folder"), commands: AtomicU32::new(0) }
    }

    /// A folder with a repository in it.
    pub fn with_repo() -> Sandbox {
        let sandbox = Sandbox::new();
        sandbox.run(&["init"]).ok();
        sandbox
    }

    /// A copy of an example, without what runs of it left behind.
    pub fn example(name: &str) -> Sandbox {
        let sandbox = Sandbox::new();
        copy(&examples().join(name), sandbox.root());
        sandbox
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A path inside the folder.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root().join(relative)
    }

    /// Writes a file inside the folder.
    pub fn write(&self, relative: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().expect("inside the folder")).expect("the folder is writable");
        fs::write(&path, text).expect("the folder is writable");
        path
    }

    /// Reads a text file inside the folder.
    pub fn read(&self, relative: &str) -> String {
        fs::read_to_string(self.path(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
    }

    /// The command, not yet started: own home, no settings from outside, fixed clock.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mlops"));
        command.args(words).current_dir(self.root());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MLOPS_") || name.starts_with("GIT_")) {
            command.env_remove(name);
        }
        let second = self.commands.fetch_add(1, Ordering::Relaxed);
        let now = format!("{HOUR}{:02}:{:02}Z", second / 60 % 60, second % 60);
        command.env("HOME", self.root()).env("MLOPS_NOW", now).env("NO_COLOR", "1").env("RUST_BACKTRACE", "0");
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, words: &[&str]) -> Ran {
        Ran::of(&mut self.command(words), words)
    }

    /// Runs a command with variables set.
    pub fn run_with(&self, words: &[&str], variables: &[(&str, &str)]) -> Ran {
        Ran::of(self.command(words).envs(variables.iter().copied()), words)
    }

    /// Runs a command with `--json` and returns the data of its envelope.
    pub fn json(&self, words: &[&str]) -> Value {
        let mut all = words.to_vec();
        all.push("--json");
        self.run(&all).data()
    }

    /// Starts a command and leaves it running.
    pub fn start(&self, words: &[&str]) -> Child {
        let mut command = self.command(words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the binary starts")
    }

    /// The only envelope-free thing a test may look at: names of files below `.mlops`, relative and sorted.
    pub fn files(&self, relative: &str) -> Vec<String> {
        let mut names = Vec::new();
        list(&self.path(relative), self.root(), &mut names);
        names.sort();
        names
    }
}

impl Ran {
    /// Runs to the end and keeps what was said.
    pub fn of(command: &mut Command, words: &[&str]) -> Ran {
        let output = command.output().unwrap_or_else(|error| panic!("mlops {words:?}: {error}"));
        Ran {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Demands exit code 0.
    #[track_caller]
    pub fn ok(self) -> Ran {
        self.code_is(0)
    }

    /// Demands an exit code.
    #[track_caller]
    pub fn code_is(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Demands that standard error says `text`.
    #[track_caller]
    pub fn says(self, text: &str) -> Ran {
        assert!(self.err.contains(text), "`{text}` is not in:\n{}", self.err);
        self
    }

    /// The data of the one JSON envelope on standard output, whatever the exit code.
    #[track_caller]
    pub fn data(&self) -> Value {
        let envelope: Value = serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("not one JSON envelope ({error}):\n{}\nstderr:\n{}", self.out, self.err));
        assert!(envelope["kind"].is_string() && envelope["version"] == 1, "{envelope}");
        envelope["data"].clone()
    }
}

/// Folder of the examples.
pub fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the folder is writable");
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())).flatten() {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            if entry.file_name() != ".mlops" {
                copy(&source, &target);
            }
        } else {
            fs::copy(&source, &target).expect("the folder is writable");
        }
    }
}

fn list(folder: &Path, root: &Path, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            list(&path, root, names);
        } else {
            names.push(path.strip_prefix(root).unwrap_or(&path).display().to_string());
        }
    }
}
