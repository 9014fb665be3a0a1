//! Tables and queries of SQLite files.

use std::collections::BTreeMap;
use std::fs;

use rusqlite::Connection;

use crate::record::dataset::Format;
use crate::source::tests::{Place, text};
use crate::spec::schema::ColumnType;

/// A database at `x.db` made by these statements.
fn made(statements: &str) -> Place {
    let place = Place::new();
    let connection = Connection::open(place.root.path().join("x.db")).expect("a database");
    connection.execute_batch(statements).expect("sound statements");
    place
}

/// Compares the snapshot and its types (`name=type …`).
fn check(statements: &str, source: &str, expected: &str, types: &str) {
    let place = made(statements);
    let file = place.one(source);
    assert_eq!(text(&file), expected, "{source}");
    let found: Vec<String> = file.types.iter().map(|(name, kind)| format!("{name}={}", kind.name())).collect();
    assert_eq!(found.join(" "), types, "{source}");
    assert_eq!(file.format, Some(Format::Csv));
}

#[test]
fn a_table_comes_in_order_with_nulls_apart_from_empty_texts() {
    check(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, share REAL, code VARCHAR(5));
         INSERT INTO t VALUES (2, 'b', 0.5, '007'), (1, '', NULL, 'NA'), (3, NULL, 1e300, 'say \"hi\",\nthere')",
        "sqlite://x.db?table=t",
        "\"id\",\"name\",\"share\",\"code\"\n1,\"\",,\"NA\"\n2,\"b\",0.5,\"007\"\n3,,1e300,\"say \"\"hi\"\",\nthere\"\n",
        "code=text id=integer name=text share=float",
    );
    check(
        "CREATE TABLE t (b TEXT, a TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID; INSERT INTO t VALUES ('x', 'b'), ('y', 'a')",
        "sqlite://x.db",
        "\"b\",\"a\"\n\"y\",\"a\"\n\"x\",\"b\"\n",
        "a=text b=text",
    );
    check(
        "CREATE TABLE t (rowid TEXT, v INT); INSERT INTO t VALUES ('b', 1), ('a', 2)",
        "sqlite://x.db?table=T",
        "\"rowid\",\"v\"\n\"b\",1\n\"a\",2\n",
        "rowid=text v=integer",
    );
    check(
        "CREATE TABLE t (a INT, b INT); INSERT INTO t VALUES (1, 2), (3, 4)",
        "sqlite://x.db?query=SELECT a + b AS sum FROM t WHERE a %3E 1 ORDER BY a",
        "\"sum\"\n7\n",
        "sum=integer",
    );
    let lonely = "CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('x'), (NULL), ('\\N')";
    check(lonely, "sqlite://x.db?table=t", "\"a\"\n\"x\"\n\\N\n\"\\N\"\n", "a=text");
    let file = made(lonely).one("sqlite://x.db?table=t");
    assert_eq!(file.null_values, Some(vec![String::new(), "\\N".to_owned()]));
    assert_eq!((file.name.as_str(), file.origin.as_deref()), ("t.csv", Some("sqlite://x.db?table=t")));
}

#[test]
fn a_type_is_stated_only_where_every_value_has_it() {
    let cases: [(&str, &str, ColumnType, &str); 16] = [
        ("INTEGER", "1), (NULL", ColumnType::Integer, ""),
        ("INTEGER", "1), ('x'", ColumnType::Text, "both numbers and texts"),
        ("INTEGER", "1), (1.5", ColumnType::Float, ""),
        ("NUMERIC", "9007199254740993), (0.5", ColumnType::Text, "beyond 2^53"),
        ("BOOLEAN", "0), (1", ColumnType::Boolean, ""),
        ("BOOLEAN", "0), (2", ColumnType::Integer, ""),
        ("DATE", "'2024-02-29'), (NULL", ColumnType::Date, ""),
        ("DATE", "'2023-02-29'), (NULL", ColumnType::Text, "is declared a date"),
        ("DATE", "20240131), (NULL", ColumnType::Integer, ""),
        ("DATETIME", "'2024-01-31 23:59:59'), ('2024-01-31T00:00:00.25+02:00'", ColumnType::Timestamp, ""),
        ("TIMESTAMP", "'2024-01-31 24:00:00'), (NULL", ColumnType::Text, "is declared a time stamp"),
        ("TIMESTAMP", "'yesterday'), (NULL", ColumnType::Text, "is declared a time stamp"),
        ("TEXT", "1), ('02134'", ColumnType::Text, ""),
        ("", "1), (2", ColumnType::Integer, ""),
        ("", "x'00ff'), (NULL", ColumnType::Text, "hexadecimal"),
        ("REAL", "NULL), (NULL", ColumnType::Float, ""),
    ];
    for (declared, values, expected, note) in cases {
        let place = made(&format!("CREATE TABLE t (v {declared}, other INT); INSERT INTO t (v) VALUES ({values})"));
        let file = place.one("sqlite://x.db?table=t");
        assert_eq!(file.types["v"], expected, "{declared} {values}");
        let notes = place.notes();
        assert!(if note.is_empty() { !notes.contains("read as text") } else { notes.contains(note) }, "{notes}");
    }
}

#[test]
fn faults_are_explained() {
    let place = made(
        "CREATE TABLE trips (a INT, b TEXT); CREATE TABLE fares (a INT); INSERT INTO trips VALUES (1, CAST(x'ff' AS TEXT));
         CREATE VIEW seen AS SELECT a FROM trips",
    );
    place.write("notes.csv", b"a,b\n1,2\n");
    let cases: [(&str, &[&str]); 14] = [
        ("sqlite://no.db?table=t", &["cannot open no.db", "relative to the project folder"]),
        ("sqlite://notes.csv?table=t", &["is not an SQLite database"]),
        ("sqlite://x.db", &["does not say which table", "fares, seen, trips"]),
        ("sqlite://x.db?table=tripz", &["unknown table `tripz`", "did you mean `trips`"]),
        ("sqlite://x.db?table=trips", &["row 1, column `b` is not UTF-8", "hex(column)"]),
        ("sqlite://x.db?table=fares", &["has no rows"]),
        ("sqlite://x.db?query=SELEC 1", &["syntax error"]),
        ("sqlite://x.db?query=SELECT absent FROM trips", &["no such column"]),
        ("sqlite://x.db?query=SELECT 1; SELECT 2", &["more than one statement"]),
        ("sqlite://x.db?query=DELETE FROM trips", &["would write"]),
        ("sqlite://x.db?query=INSERT INTO fares VALUES (1) RETURNING a", &["would write"]),
        ("sqlite://x.db?query=ATTACH 'y.db' AS y", &["gives no table"]),
        ("sqlite://x.db?query=SELECT 1 AS a, 2 AS a", &["two columns named `a`", "AS name"]),
        ("sqlite://x.db?query=SELECT 1 AS ''", &["column 1 of the query has no name"]),
    ];
    for (source, parts) in cases {
        place.check_fault(source, parts);
    }
    let small = Place { bytes_max: 10, ..place };
    small.check_fault("sqlite://x.db?query=SELECT 'a long text' AS words", &["more than the 10 B"]);
    assert!(!small.root.path().join("y.db").exists());
    small.one("sqlite://x.db?query=SELECT 1 AS a");
    assert!(small.notes().contains("no ORDER BY"));
}

/// Names and contents of all files of a folder.
fn contents(place: &Place) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(place.root.path()).expect("readable").flatten();
    entries
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).expect("readable")))
        .collect()
}

#[test]
fn reading_leaves_no_trace_and_sees_the_write_ahead_log() {
    // Closed in WAL mode: no log; the file is read as it is.
    let place = made("PRAGMA journal_mode = WAL; CREATE TABLE t (a INT); INSERT INTO t VALUES (1)");
    let before = contents(&place);
    assert_eq!(text(&place.one("sqlite://x.db?table=t")), "\"a\"\n1\n");
    assert_eq!(contents(&place), before);
    assert_eq!(before.len(), 1);

    // Open in another program, with rows only in the log.
    let writer = Connection::open(place.root.path().join("x.db")).expect("it opens");
    writer.execute_batch("PRAGMA wal_autocheckpoint = 0; INSERT INTO t VALUES (2)").expect("written");
    let before: Vec<String> = contents(&place).into_keys().collect();
    assert_eq!(before, ["x.db", "x.db-shm", "x.db-wal"]);
    assert_eq!(text(&place.one("sqlite://x.db?table=t")), "\"a\"\n1\n2\n");
    assert_eq!(contents(&place).into_keys().collect::<Vec<_>>(), before);

    // A program died: the log lies there, and nobody has it open.
    let dead = Place::new();
    for name in ["x.db", "x.db-wal"] {
        fs::copy(place.root.path().join(name), dead.root.path().join(name)).expect("copied");
    }
    let before = contents(&dead);
    assert_eq!(text(&dead.one("sqlite://x.db?table=t")), "\"a\"\n1\n2\n");
    assert_eq!(contents(&dead), before);
}

#[test]
fn an_absolute_path_is_not_recorded() {
    let place = made("CREATE TABLE t (a INT); INSERT INTO t VALUES (1)");
    let path = place.root.path().join("x.db");
    let renamed = place.root.path().join(format!("{}?#%.db", "odd"));
    fs::copy(&path, &renamed).expect("copied");
    let file = place.one(&format!("sqlite://{}?table=t", path.display()));
    assert_eq!(file.origin.as_deref(), Some("sqlite://x.db?table=t"));
    let escaped = renamed.display().to_string().replace('%', "%25").replace('?', "%3F");
    assert_eq!(text(&place.one(&format!("sqlite://{escaped}?table=t"))), "\"a\"\n1\n");
}
