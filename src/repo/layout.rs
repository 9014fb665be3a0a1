//! Every path inside `.mlops/`; no other module spells one.
//!
//! ```text
//! .mlops/
//!   format              layout version, one number; written last by `init`, so a folder without it is no repository
//!   config.toml         settings of this clone
//!   objects/            write-once objects (owned by `store`)
//!   refs/datasets/NAME  one JSON line a version
//!   refs/models/NAME    one JSON line a version
//!   refs/aliases/NAME   one JSON line a move; the last line of an alias is where it points
//!   refs/marks/NAME     one JSON line a change of what is said of a version: its state, note, tags
//!   refs/runs           one JSON line a sealed run
//!   runs/ID.jsonl       journal of an open run; ID.sealing while its record is being made
//!   audit.jsonl         one JSON line a change, each with the hash of the line before
//!   intent.json         a committed transaction whose lines are being written; redone after a crash
//!   traffic/            captured predictions
//!   index.sqlite        derived from the above; delete it and it is rebuilt
//!   hooks/              executables that are asked before and told after; of this clone alone, made by people
//!   tmp/                files being written, on the same file system as their destination
//!   quarantine/         damaged objects, kept for people to look at
//!   lock                held by whoever changes refs, for milliseconds
//!   index.lock          held by whoever replaces a damaged index
//!   pipeline.lock       held by whoever runs the stages of the project file, while they run
//! ```

use std::path::{Path, PathBuf};

/// Name of the hidden folder.
pub const FOLDER: &str = ".mlops";
/// Layout version that this build reads and writes.
pub const FORMAT: u32 = 1;

/// The audit log, relative to the hidden folder.
pub const AUDIT: &str = "audit.jsonl";
/// The list of sealed runs, relative to the hidden folder.
pub const RUNS: &str = "refs/runs";

/// Paths of one repository.
#[derive(Clone, Debug)]
pub struct Layout {
    root: PathBuf,
    folder: PathBuf,
}

impl Layout {
    /// Layout of the repository whose project folder is `root`; touches nothing.
    pub fn new(root: &Path) -> Layout {
        Layout { root: root.to_owned(), folder: root.join(FOLDER) }
    }

    /// The project folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `.mlops/`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file named relative to `.mlops/`, as refs and intents name it.
    pub fn inside(&self, relative: &str) -> PathBuf {
        self.folder.join(relative)
    }

    /// The file with the layout version.
    pub fn format(&self) -> PathBuf {
        self.folder.join("format")
    }

    /// Settings of this clone.
    pub fn config(&self) -> PathBuf {
        self.folder.join("config.toml")
    }

    /// The object store.
    pub fn objects(&self) -> PathBuf {
        self.folder.join("objects")
    }

    /// Damaged objects.
    pub fn quarantine(&self) -> PathBuf {
        self.folder.join("quarantine")
    }

    /// Staging area.
    pub fn staging(&self) -> PathBuf {
        self.folder.join("tmp")
    }

    /// Captured predictions.
    pub fn traffic(&self) -> PathBuf {
        self.folder.join("traffic")
    }

    /// Journals of open runs.
    pub fn journals(&self) -> PathBuf {
        self.folder.join("runs")
    }

    /// The audit log.
    pub fn audit(&self) -> PathBuf {
        self.folder.join(AUDIT)
    }

    /// The redo file of a transaction.
    pub fn intent(&self) -> PathBuf {
        self.folder.join("intent.json")
    }

    /// The derived index.
    pub fn index(&self) -> PathBuf {
        self.folder.join("index.sqlite")
    }

    /// The lock of whoever changes refs.
    pub fn lock(&self) -> PathBuf {
        self.folder.join("lock")
    }

    /// Executables that are asked before a version or an alias changes, and told after; made by people.
    pub fn hooks(&self) -> PathBuf {
        self.folder.join("hooks")
    }

    /// The lock of whoever runs the stages of the project file.
    pub fn pipeline_lock(&self) -> PathBuf {
        self.folder.join("pipeline.lock")
    }

    /// Folders that `init` makes.
    pub fn folders(&self) -> Vec<PathBuf> {
        let refs =
            [RefKind::Dataset, RefKind::Model, RefKind::Alias, RefKind::Mark].map(|kind| self.inside(kind.folder()));
        let others = [self.objects(), self.journals(), self.traffic(), self.staging(), self.quarantine()];
        refs.into_iter().chain(others).collect()
    }
}

/// Kinds of refs that have one file a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefKind {
    /// Versions of a dataset.
    Dataset,
    /// Versions of a model.
    Model,
    /// Alias moves of a model.
    Alias,
    /// What was said of versions of a model after they were registered.
    Mark,
}

impl RefKind {
    /// Folder of this kind, relative to `.mlops/`.
    pub fn folder(self) -> &'static str {
        match self {
            RefKind::Dataset => "refs/datasets",
            RefKind::Model => "refs/models",
            RefKind::Alias => "refs/aliases",
            RefKind::Mark => "refs/marks",
        }
    }

    /// File of `name`, relative to `.mlops/`. The name must have passed [`crate::repo::names::check`].
    pub fn file(self, name: &str) -> String {
        format!("{}/{name}", self.folder())
    }

    /// What a person calls it.
    pub fn noun(self) -> &'static str {
        match self {
            RefKind::Dataset => "dataset",
            RefKind::Model | RefKind::Alias | RefKind::Mark => "model",
        }
    }
}
