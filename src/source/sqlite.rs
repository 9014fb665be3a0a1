//! Tables and queries of SQLite files, read without leaving a trace.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, Statement};
use tempfile::TempDir;

use crate::base::fail::{self, Failure};
use crate::base::limits;
use crate::base::suggest;
use crate::base::talk::{Talk, Unit};
use crate::source::address::{Select, SqlitePlace};
use crate::source::snapshot::{Claim, Column, Snapshot, Value};
use crate::source::spool::Spool;
use crate::source::{FetchOptions, Fetched};
use crate::spec::schema::ColumnType;

/// What is read, decided.
struct Plan {
    sql: String,
    /// Name of the snapshot.
    name: String,
    /// Declared types of the columns; none for a query.
    claims: Vec<Claim>,
}

/// Writes a table, or the answer to a query, into a temporary CSV file.
///
/// A table comes in order of its row ids or primary key. Types are stated where every value fits.
/// Errors: no such file or table, a faulty query, one that writes, text that is not UTF-8.
pub fn fetch(place: &SqlitePlace, budget: u64, options: &FetchOptions<'_>, talk: &dyn Talk) -> Result<Fetched> {
    let file = options.root.join(&place.file);
    let before = stamp(&place.file, &file)?;
    let opened = open(&place.file, &file, options)?;
    let fetched = read(&opened.connection, place, budget, options, talk);
    // A file that was written meanwhile explains any failure better than what it looked like.
    if opened.unguarded && stamp(&place.file, &file)? != before {
        let what = format!("{} was written to while it was read", place.file);
        return Err(fail::world(what).hint("try again when nothing writes to it").into());
    }
    fetched
}

fn stamp(shown: &str, file: &Path) -> Result<(u64, Option<SystemTime>)> {
    let meta = fs::metadata(file).map_err(|error| {
        fail::world(format!("cannot open {shown}: {error}"))
            .hint("check the path; it is relative to the project folder, and `sqlite:///` begins an absolute one")
    })?;
    if !meta.is_file() {
        return Err(fail::usage(format!("{shown} is not a file")).hint("name the database file").into());
    }
    Ok((meta.len(), meta.modified().ok()))
}

/// An open database.
struct Opened {
    connection: Connection,
    /// Whether nothing keeps writers away.
    unguarded: bool,
    /// A copy that was opened in place of the file.
    _copy: Option<TempDir>,
}

/// Opens `file` for reading so that nothing beside it is made, changed or removed.
///
/// In WAL mode SQLite makes `-wal` and `-shm` files even for readers. Where there are none, nobody has the file open
/// and it is read as immutable; where there is a `-wal` without `-shm`, a program died, and a copy of both is read.
fn open(shown: &str, file: &Path, options: &FetchOptions<'_>) -> Result<Opened> {
    let mut head = [0_u8; 20];
    let whole = File::open(file).and_then(|mut file| file.read_exact(&mut head));
    if whole.is_err() || !head.starts_with(b"SQLite format 3\0") {
        return Err(fail::usage(format!("{shown} is not an SQLite database"))
            .hint("name the file itself, without sqlite://, if it is a table")
            .into());
    }
    let wal_mode = head[18] == 2 || head[19] == 2;
    let (wal, shared) = (beside(file, "-wal"), beside(file, "-shm"));
    let pending = fs::metadata(&wal).is_ok_and(|meta| meta.len() > 0);
    let shared = shared.exists();
    let (path, copy) = match wal_mode && pending && !shared {
        true => {
            let folder = tempfile::Builder::new().prefix("sqlite-").tempdir_in(options.staging);
            let folder = folder.with_context(|| format!("cannot stage a copy of {shown}"))?;
            let path = folder.path().join("copy.sqlite");
            let copied = fs::copy(file, &path).and_then(|_| fs::copy(&wal, beside(&path, "-wal")));
            copied.with_context(|| format!("cannot stage a copy of {shown}"))?;
            (path, Some(folder))
        }
        false => (file.to_owned(), None),
    };
    let immutable = wal_mode && !pending && !shared;
    let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    flags |= if copy.is_some() { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
    let text = path.to_str().ok_or_else(|| fail::usage(format!("the path {shown} is not UTF-8")))?;
    let escaped = text.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let uri = format!("file:{escaped}{}", if immutable { "?immutable=1" } else { "" });
    let connection = Connection::open_with_flags(uri, flags).and_then(|connection| {
        connection.busy_timeout(limits::INDEX_BUSY)?;
        connection.pragma_update(None, "query_only", true)?;
        // One state of the file for everything that is asked.
        connection.execute_batch("BEGIN")?;
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
        Ok(connection)
    });
    let connection = connection.map_err(|error| explained(shown, &error))?;
    Ok(Opened { connection, unguarded: immutable || copy.is_some(), _copy: copy })
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn explained(shown: &str, error: &rusqlite::Error) -> Failure {
    let failure = fail::world(format!("cannot read {shown}: {error}"));
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            failure.hint("the file is damaged; use a sound copy")
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            failure.hint("another program is writing; try again")
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) => {
            failure.hint("a program may have died while writing: open it once with that program, or with sqlite3")
        }
        _ => failure.hint("check the query; `sqlite3 FILE .schema` shows the tables"),
    }
}

fn read(
    connection: &Connection,
    place: &SqlitePlace,
    budget: u64,
    options: &FetchOptions<'_>,
    talk: &dyn Talk,
) -> Result<Fetched> {
    let shown = format!("sqlite://{}", place.file);
    let plan = plan(connection, place, talk)?;
    let mut statement = connection.prepare(&plan.sql).map_err(|error| match &error {
        rusqlite::Error::MultipleStatement => {
            fail::usage("the query holds more than one statement").hint("give one SELECT")
        }
        _ => Failure { blame: fail::Blame::Request, ..explained(&place.file, &error) },
    })?;
    if !statement.readonly() {
        return Err(fail::usage("the query would write").hint("give one SELECT").into());
    }
    let columns = columns(&statement, &plan.claims);
    let count = columns.len();
    let spool = Spool::new(options.staging, &plan.name, &shown, budget)?;
    let mut snapshot = Snapshot::new(spool, columns)?;
    let task = talk.start(&format!("reading {shown}"), None, Unit::Items);
    let mut rows = statement.query([]).map_err(|error| explained(&place.file, &error))?;
    let mut number = 0_u64;
    while let Some(row) = rows.next().map_err(|error| explained(&place.file, &error))? {
        number += 1;
        for index in 0..count {
            let value = match row.get_ref(index).map_err(|error| explained(&place.file, &error))? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(number) => Value::Integer(number),
                ValueRef::Real(number) => Value::Real(number),
                ValueRef::Text(text) => Value::Text(std::str::from_utf8(text).map_err(|_| {
                    let name = &snapshot.columns[index].name;
                    fail::usage(format!("{shown}: row {number}, column `{name}` is not UTF-8"))
                        .hint("cast it in the query: hex(column) or CAST(column AS BLOB)")
                })?),
                ValueRef::Blob(bytes) => Value::Bytes(bytes),
            };
            snapshot.value(index, &value);
        }
        snapshot.end_row()?;
        task.advance(1);
    }
    snapshot.finish(false, plan.name, origin(place), talk)
}

fn origin(place: &SqlitePlace) -> String {
    // An absolute path says where somebody's files are, not what the data is.
    let file = Path::new(&place.file);
    let file = if file.is_absolute() { file.file_name().map(Path::new).unwrap_or(file) } else { file };
    let asked = match &place.select {
        Select::Table(table) => format!("?table={table}"),
        Select::Query(query) => format!("?query={query}"),
        Select::Nothing => String::new(),
    };
    format!("sqlite://{}{asked}", file.display())
}

fn columns(statement: &Statement<'_>, claims: &[Claim]) -> Vec<Column> {
    let claim = |index: usize| claims.get(index).copied().unwrap_or(Claim::Open);
    statement.column_names().enumerate().map(|(index, name)| Column::new(name, claim(index))).collect()
}

/// Decides the statement: the query itself, or a whole table in a fixed order.
fn plan(connection: &Connection, place: &SqlitePlace, talk: &dyn Talk) -> Result<Plan> {
    let table = match &place.select {
        Select::Query(sql) => {
            if !sql.to_lowercase().contains("order by") {
                talk.info("the query has no ORDER BY: its rows come as SQLite finds them");
            }
            return Ok(Plan { sql: sql.clone(), name: "query.csv".to_owned(), claims: Vec::new() });
        }
        Select::Table(table) => Some(table.as_str()),
        Select::Nothing => None,
    };
    let failed = |error: rusqlite::Error| explained(&place.file, &error);
    let known = tables(connection).map_err(failed)?;
    let names = known.iter().map(|(name, ..)| name.as_str());
    let wanted = match (table, known.as_slice()) {
        (Some(table), _) => known.iter().find(|(name, ..)| name.eq_ignore_ascii_case(table)),
        (None, [only]) => {
            talk.info(&format!("{} has one table, `{}`, which is read", place.file, only.0));
            Some(only)
        }
        (None, _) => {
            let list: Vec<&str> = names.collect();
            let hint = format!("add ?table=NAME or ?query=SELECT …; it has: {}", list.join(", "));
            return Err(fail::usage(format!("sqlite://{} does not say which table", place.file)).hint(hint).into());
        }
    };
    let Some((name, kind, without_rowid)) = wanted else {
        return Err(suggest::unknown("table", table.unwrap_or_default(), names).into());
    };
    let (claims, key, taken) = declared(connection, name).map_err(failed)?;
    let order = match (kind.as_str(), without_rowid) {
        ("table", true) => key.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", "),
        ("table", false) => {
            let free = ["rowid", "_rowid_", "oid"]
                .into_iter()
                .find(|name| !taken.iter().any(|t| t.eq_ignore_ascii_case(name)));
            free.unwrap_or_default().to_owned()
        }
        _ => String::new(),
    };
    if order.is_empty() {
        talk.info(&format!("`{name}` is a view or has no row ids: its rows come as SQLite finds them"));
    }
    let order = if order.is_empty() { order } else { format!(" ORDER BY {order}") };
    Ok(Plan { sql: format!("SELECT * FROM {}{order}", quoted(name)), name: format!("{name}.csv"), claims })
}

/// Names, kinds (`table`, `view`, `virtual`) and whether there are no row ids.
fn tables(connection: &Connection) -> rusqlite::Result<Vec<(String, String, bool)>> {
    let query = "SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main' AND type <> 'shadow'
        AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    connection.prepare(query)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
}

/// Declared types in order, columns of the primary key in order, and all names.
fn declared(connection: &Connection, table: &str) -> rusqlite::Result<(Vec<Claim>, Vec<String>, Vec<String>)> {
    let query = "SELECT name, type, pk FROM pragma_table_info(?1) ORDER BY cid";
    let mut statement = connection.prepare(query)?;
    let rows = statement.query_map([table], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?, row.get::<_, i64>(2)?))
    })?;
    let rows: Vec<(String, Option<String>, i64)> = rows.collect::<rusqlite::Result<_>>()?;
    let claims = rows.iter().map(|(_, declared, _)| claim(declared.as_deref().unwrap_or_default())).collect();
    let mut key: Vec<(i64, String)> =
        rows.iter().filter(|(.., place)| *place > 0).map(|(name, _, place)| (*place, name.clone())).collect();
    key.sort();
    let key = key.into_iter().map(|(_, name)| name).collect();
    Ok((claims, key, rows.into_iter().map(|(name, ..)| name).collect()))
}

/// The declared type as a claim; by the rules of SQLite's affinities, and by the names of days and truths.
fn claim(declared: &str) -> Claim {
    let upper = declared.to_uppercase();
    let has = |part: &str| upper.contains(part);
    let wanted = match () {
        () if has("TIMESTAMP") || has("DATETIME") => ColumnType::Timestamp,
        () if has("DATE") => ColumnType::Date,
        () if has("BOOL") => ColumnType::Boolean,
        () if has("INT") => ColumnType::Integer,
        () if has("CHAR") || has("CLOB") || has("TEXT") => ColumnType::Text,
        () if has("REAL") || has("FLOA") || has("DOUB") => ColumnType::Float,
        () => return Claim::Open,
    };
    Claim::Type(wanted)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
