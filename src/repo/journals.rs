//! Files of open runs: finding, reading and sealing them, and telling the living from the dead.

use std::fs::{self as std_fs, File, TryLockError};
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::base::fs;
use crate::base::id::RunId;
use crate::record::run::{RunStart, RunState};
use crate::repo::journal::{JOURNAL_BYTES_MAX, JournalLine, MANUAL};
use crate::repo::layout::Layout;

const OPEN: &str = "jsonl";
const SEALING: &str = "sealing";

/// One journal in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenJournal {
    /// The run.
    pub run: RunId,
    /// Its file.
    pub path: PathBuf,
}

/// All journals, sorted by run.
pub fn all(layout: &Layout) -> Result<Vec<OpenJournal>> {
    let files = fs::files_in(&layout.journals())?;
    let named = files.into_iter().filter_map(|path| {
        let extension = path.extension()?;
        let run = path.file_stem()?.to_str()?.parse().ok()?;
        (extension == OPEN || extension == SEALING).then_some(OpenJournal { run, path })
    });
    Ok(named.collect())
}

/// State of the journal at `path` whose header says `kind`; `None` when it is gone.
pub fn state_of(path: &Path, kind: &str) -> Result<Option<RunState>> {
    if kind == MANUAL {
        return Ok(Some(RunState::Finished));
    }
    let Some(file) = open_if_there(path)? else {
        return Ok(None);
    };
    // Shared, so that two processes that look at once do not take each other for the holder.
    match file.try_lock_shared() {
        Ok(()) => Ok(Some(RunState::Killed)),
        Err(TryLockError::WouldBlock) => Ok(Some(RunState::Running)),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}

/// The first line of a journal; `None` when it cannot be read, as after a power cut.
pub fn header(file: &File) -> Option<RunStart> {
    let mut line = Vec::new();
    let mut reader = BufReader::new(file).take(JOURNAL_BYTES_MAX);
    reader.read_until(b'\n', &mut line).ok()?;
    match serde_json::from_slice(&line).ok()? {
        JournalLine::Start(start) => Some(*start),
        _ => None,
    }
}

/// Opens a file for reading without making it.
pub fn open_if_there(path: &Path) -> Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot open {}", path.display())),
    }
}

/// Whether `path` still names the open `file`.
pub fn is_still(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(named)) = (file.metadata(), std_fs::metadata(path)) else {
        return false;
    };
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}

/// Moves a journal out of reach of writers; returns its new path. Again, if it was moved before.
pub fn begin_seal(journal: &Path) -> Result<PathBuf> {
    let sealing = journal.with_extension(SEALING);
    if journal != sealing {
        std_fs::rename(journal, &sealing).with_context(|| format!("cannot seal {}", journal.display()))?;
    }
    Ok(sealing)
}

/// File of an open run.
pub fn open_path(layout: &Layout, run: &RunId) -> PathBuf {
    path_of(layout, run, OPEN)
}

/// File of a run whose record is being made.
pub fn sealing_path(layout: &Layout, run: &RunId) -> PathBuf {
    path_of(layout, run, SEALING)
}

fn path_of(layout: &Layout, run: &RunId, extension: &str) -> PathBuf {
    layout.journals().join(format!("{run}.{extension}"))
}

/// Whole lines of a journal from some offset on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JournalTail {
    /// The lines that could be read.
    pub lines: Vec<JournalLine>,
    /// How many could not.
    pub damaged: u64,
    /// Offset after the last whole line.
    pub end: u64,
    /// Length of the file.
    pub length: u64,
}

impl JournalTail {
    /// The first line, if it is here and could be read.
    pub fn start(&self) -> Option<&RunStart> {
        match self.lines.first() {
            Some(JournalLine::Start(start)) => Some(start),
            _ => None,
        }
    }
}

/// Reads whole lines from `offset` on; `None` when the journal is gone. An offset beyond the end gives no lines.
///
/// A line that cannot be read is counted, not an error: the others are worth having.
pub fn read(path: &Path, offset: u64) -> Result<Option<JournalTail>> {
    let Some(mut file) = open_if_there(path)? else {
        return Ok(None);
    };
    let shown = || format!("cannot read {}", path.display());
    let length = file.metadata().with_context(shown)?.len();
    let mut tail = JournalTail { end: offset.min(length), length, ..JournalTail::default() };
    if length <= offset {
        return Ok(Some(tail));
    }
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(offset)).with_context(shown)?;
    file.take(JOURNAL_BYTES_MAX).read_to_end(&mut bytes).with_context(shown)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    tail.end = offset + whole as u64;
    for line in bytes[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match serde_json::from_slice(line) {
            Ok(line) => tail.lines.push(line),
            Err(_) => tail.damaged += 1,
        }
    }
    Ok(Some(tail))
}
