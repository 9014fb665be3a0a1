//! Opening the file, its tables, and what happens when it is damaged, of another version or not to be written.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::base::hash::hash;
use crate::base::limits;
use crate::base::lock::FileLock;
use crate::index::Index;

/// Version of the tables below; any other is thrown away.
pub const VERSION: i64 = 3;

/// Pause between two tries where SQLite's own waiting does not apply.
const RETRY: Duration = Duration::from_millis(5);

/// Memory that pages of the file may take, in KiB.
const CACHE_KIB: i64 = 64 << 10;

/// What is said of a damaged file.
pub const DAMAGE_NOTE: &str = "index.sqlite was damaged; it is built again";

/// Names of runs, metrics, parameters and tags have integer keys, so that a point is a few bytes. Ids are hex text, so
/// that a prefix is a range. A run without `record` is open; `consumed` and `length` say how far its journal was read.
///
/// Metrics, parameters and tags are kept twice: by run, to show a run, and by name (`…_by_name`, which hold all that a test
/// of one name reads, in the order of the values), to find runs. What is asked of runs themselves is in `run_facts`, so that
/// asking does not read command lines. `param.number` has no type, so that whole numbers keep all their digits.
const TABLES: &str = "
CREATE TABLE sealed (one INTEGER PRIMARY KEY CHECK (one = 1), length INTEGER NOT NULL, hash TEXT NOT NULL, stamp TEXT);
CREATE TABLE run (
  key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, record TEXT, broken INTEGER NOT NULL DEFAULT 0,
  consumed INTEGER NOT NULL DEFAULT 0, length INTEGER NOT NULL DEFAULT 0,
  kind TEXT NOT NULL, stage TEXT, stage_key TEXT, state TEXT NOT NULL, started INTEGER NOT NULL, ended INTEGER,
  wall_seconds REAL, cpu_seconds REAL, peak_memory_bytes INTEGER, code_commit TEXT, code_dirty INTEGER,
  seed INTEGER NOT NULL, tool_version TEXT NOT NULL, host TEXT NOT NULL, user TEXT NOT NULL, exit_code INTEGER,
  error TEXT, output_text TEXT, command TEXT NOT NULL, code TEXT);
CREATE INDEX run_by_start ON run (started, id);
CREATE INDEX run_by_kind ON run (kind);
CREATE INDEX run_by_state ON run (state);
CREATE INDEX run_by_stage ON run (stage) WHERE stage IS NOT NULL;
CREATE INDEX run_by_stage_key ON run (stage_key) WHERE stage_key IS NOT NULL;
CREATE INDEX run_open ON run (id) WHERE record IS NULL;
CREATE INDEX run_broken ON run (id) WHERE broken = 1;
CREATE INDEX run_by_seconds ON run (wall_seconds);
CREATE INDEX run_with_error ON run (error) WHERE error IS NOT NULL;
CREATE INDEX run_facts ON run (wall_seconds, ended, cpu_seconds, peak_memory_bytes, seed, exit_code, code_dirty,
  code_commit, user, host);
CREATE TABLE name (key INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE point (run INTEGER NOT NULL, seq INTEGER NOT NULL, name INTEGER NOT NULL, step INTEGER NOT NULL,
  value REAL NOT NULL, PRIMARY KEY (run, seq)) WITHOUT ROWID;
CREATE TABLE metric (run INTEGER NOT NULL, name INTEGER NOT NULL, value REAL NOT NULL,
  PRIMARY KEY (run, name)) WITHOUT ROWID;
CREATE INDEX metric_by_name ON metric (name, value, run);
CREATE TABLE param (run INTEGER NOT NULL, name INTEGER NOT NULL, value TEXT NOT NULL, text TEXT NOT NULL, number,
  PRIMARY KEY (run, name)) WITHOUT ROWID;
CREATE INDEX param_by_name ON param (name, number, text, run);
CREATE TABLE tag (run INTEGER NOT NULL, name INTEGER NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (run, name)) WITHOUT ROWID;
CREATE INDEX tag_by_name ON tag (name, value, run);
CREATE TABLE link (run INTEGER NOT NULL, output INTEGER NOT NULL, role TEXT NOT NULL, name TEXT NOT NULL,
  object TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (run, output, role, name, object)) WITHOUT ROWID;
CREATE INDEX link_by_object ON link (object, output);
CREATE INDEX link_model ON link (name, object, run) WHERE role = 'model';
CREATE INDEX link_dataset ON link (name, object, run) WHERE role = 'dataset';
CREATE TABLE stamp (path TEXT PRIMARY KEY, length INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL,
  inode INTEGER NOT NULL, recorded_ns INTEGER NOT NULL, object TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE remote (url TEXT PRIMARY KEY, object TEXT NOT NULL, name TEXT NOT NULL, etag TEXT, last_modified TEXT,
  length INTEGER NOT NULL) WITHOUT ROWID;
";

/// Opens the index at `path`; see [`Index::open`].
pub fn open(path: &Path) -> Result<Index> {
    let mut notes = Vec::new();
    let mut opened = connect(path, &mut notes);
    if opened.as_ref().is_err_and(is_damage) {
        // Whether that worked shows in the next line.
        let _ = throw_away(path);
        opened = connect(path, &mut notes);
        notes.push(DAMAGE_NOTE.to_owned());
    }
    match opened {
        Ok(connection) => Ok(Index { connection, path: Some(path.to_owned()), notes }),
        Err(error) if is_damage(&error) || is_unusable(&error) => in_memory(vec![memory_note(&error)]),
        Err(error) => Err(error).with_context(|| format!("cannot open {}", path.display())),
    }
}

/// An empty index in memory.
pub fn in_memory(notes: Vec<String>) -> Result<Index> {
    let connection = Connection::open_in_memory().and_then(|connection| {
        connection.set_prepared_statement_cache_capacity(64);
        create(&connection)?;
        Ok(connection)
    });
    let connection = connection.context("cannot make an index in memory")?;
    Ok(Index { connection, path: None, notes })
}

/// What is said when the file cannot be used.
pub fn memory_note(error: &rusqlite::Error) -> String {
    format!("index.sqlite cannot be used now ({error}); this command builds its own index in memory")
}

fn connect(path: &Path, notes: &mut Vec<String>) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(limits::INDEX_BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    if connection.is_readonly("main")? {
        return Err(failure(rusqlite::ffi::SQLITE_READONLY, "the file is read-only"));
    }
    let started = Instant::now();
    loop {
        match prepare(&mut connection, notes) {
            // Turning a new file into WAL fails at once when another process does the same.
            Err(error) if is_busy(&error) && started.elapsed() < limits::INDEX_BUSY => thread::sleep(RETRY),
            Err(error) => return Err(error),
            Ok(()) => return Ok(connection),
        }
    }
}

fn prepare(connection: &mut Connection, notes: &mut Vec<String>) -> rusqlite::Result<()> {
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    if mode != "wal" {
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    }
    // So that building the indexes by name, which are written all over, stays in memory; taken only when needed.
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    // Derived data: a power cut may lose the newest transactions, and the next command catches up again.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    if version(connection)? == VERSION {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    if found != VERSION {
        let tables = table_names(&transaction)?;
        if !tables.is_empty() {
            notes.push(format!("index.sqlite had version {found}, not {VERSION}; it is built again"));
        }
        for table in tables {
            transaction.execute_batch(&format!("DROP TABLE \"{}\"", table.replace('"', "\"\"")))?;
        }
        create(&transaction)?;
    }
    transaction.commit()
}

fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TABLES)?;
    connection.execute("INSERT INTO sealed (one, length, hash) VALUES (1, 0, ?1)", [hash(b"").hex()])?;
    connection.pragma_update(None, "user_version", VERSION)
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

fn table_names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    connection.prepare(query)?.query_map([], |row| row.get(0))?.collect()
}

/// Removes a damaged file, unless another process has put a sound one in its place meanwhile.
///
/// The write-ahead log goes first: a new file next to an old log would be damaged by it.
pub fn throw_away(path: &Path) -> Result<()> {
    let _alone =
        FileLock::acquire(&path.with_extension("lock"), limits::LOCK_WAIT, "a process that rebuilds the index")?;
    if is_sound(path) {
        return Ok(());
    }
    for suffix in ["-wal", "-shm", ""] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let _ = fs::remove_file(PathBuf::from(name));
    }
    Ok(())
}

fn is_sound(path: &Path) -> bool {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let checked = Connection::open_with_flags(path, flags).and_then(|connection| {
        connection.busy_timeout(limits::INDEX_BUSY)?;
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
    });
    checked.is_ok_and(|answer| answer == "ok")
}

fn failure(code: i32, text: &str) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), Some(text.to_owned()))
}

/// The file holds nonsense.
pub fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

/// The file cannot be written, or another process kept it locked for longer than [`limits::INDEX_BUSY`].
pub fn is_unusable(error: &rusqlite::Error) -> bool {
    use ErrorCode::{CannotOpen, DiskFull, PermissionDenied, ReadOnly, SystemIoFailure};
    let code = error.sqlite_error_code();
    is_busy(error) || matches!(code, Some(CannotOpen | DiskFull | PermissionDenied | ReadOnly | SystemIoFailure))
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}
