//! Files, folders and patterns.

use std::os::unix::fs::symlink;

use crate::source::tests::{Place, names};

/// Fetches from a folder with `files` and compares the names.
fn check(files: &[&str], sources: &[&str], expected: &[&str]) {
    let place = Place::with(files);
    let found = place.fetch(sources).unwrap_or_else(|error| panic!("{sources:?}: {error:#}"));
    assert_eq!(names(&found), expected, "{sources:?} of {files:?}");
}

#[test]
fn paths_folders_and_patterns_name_their_files_in_order() {
    check(&["a.csv"], &["a.csv"], &["a.csv"]);
    check(&["a.csv", "b.csv"], &["b.csv", "a.csv"], &["b.csv", "a.csv"]);
    check(&["d/b.csv", "d/a.csv"], &["d/*.csv"], &["a.csv", "b.csv"]);
    check(&["d/x/b.csv", "d/a.csv"], &["d/*.csv"], &["a.csv"]);
    check(&["d/x/b.csv", "d/a.csv", "d/x/y/c.csv"], &["d/**/*.csv"], &["a.csv", "x/b.csv", "x/y/c.csv"]);
    check(&["d/x/b.csv", "d/a.csv"], &["d/**"], &["a.csv", "x/b.csv"]);
    check(&["d/a1.csv", "d/a2.csv", "d/b1.csv", "d/a10.csv"], &["d/a?.csv"], &["a1.csv", "a2.csv"]);
    check(&["d/a1.csv", "d/a2.csv", "d/a3.csv"], &["d/a[12].csv"], &["a1.csv", "a2.csv"]);
    check(&["d/a1.csv", "d/a2.csv", "d/a3.csv"], &["d/a[!1-2].csv"], &["a3.csv"]);
    check(&["d/.hidden.csv", "d/a.csv"], &["d/*.csv"], &["a.csv"]);
    check(&["a.csv", "b.txt"], &["*.txt"], &["b.txt"]);
    check(&["a[1].csv", "a1.csv"], &["a[1].csv"], &["a[1].csv"]);
    check(&["d/b.parquet", "d/x/a.csv", "d/a.csv.gz"], &["d"], &["a.csv.gz", "b.parquet", "x/a.csv"]);
    check(
        &["d/day=2024-01-02/p.csv", "d/day=2024-01-01/p.csv"],
        &["d/"],
        &["day=2024-01-01/p.csv", "day=2024-01-02/p.csv"],
    );
    check(&["d/a.csv", "e/a.csv", "b.csv"], &["d/a.csv", "e/a.csv", "b.csv"], &["d/a.csv", "e/a.csv", "b.csv"]);
    check(&["a.csv"], &["a.csv", "./a.csv", "*.csv"], &["a.csv"]);
}

#[test]
fn what_a_folder_leaves_out_is_said() {
    let place = Place::with(&["d/a.csv", "d/README.md", "d/.git/x.csv", "d/_SUCCESS", "d/.b.csv", "d/notes.txt"]);
    let found = place.fetch(&["d"]).expect("there is a table");
    assert_eq!(names(&found), ["a.csv"]);
    let notes = place.notes();
    assert!(notes.contains("d: 4 files skipped: .b.csv, README.md, _SUCCESS, notes.txt"), "{notes}");
}

#[test]
fn a_file_named_twice_is_read_once() {
    let place = Place::with(&["a.csv"]);
    symlink(place.root.path().join("a.csv"), place.root.path().join("b.csv")).expect("a link");
    assert_eq!(names(&place.fetch(&["a.csv", "b.csv"]).expect("it is there")), ["a.csv"]);
    assert!(place.notes().contains("named twice"));
}

#[test]
fn what_is_not_there_is_said_with_what_to_do() {
    let place = Place::with(&["data/trips.csv", "empty/.x", "notes/a.txt", "data/{XX}.csv"]);
    std::fs::create_dir(place.root.path().join("bare")).expect("a folder");
    place.write("x.db", b"SQLite format 3\0 and so on");
    place.check_fault("data/tripz.csv", &["cannot open data/tripz.csv", "did you mean `data/trips.csv`"]);
    place.check_fault("no/such/file.csv", &["cannot open", "relative to the project folder"]);
    place.check_fault("data/*.parquet", &["nothing fits `data/*.parquet`", "2 files looked at in data/"]);
    place.check_fault("nodata/*.csv", &["nothing fits", "there is no folder nodata/"]);
    place.check_fault("bare", &["no tables", "it has no files"]);
    place.check_fault("notes", &["no tables", "'notes/*'", "a.txt"]);
    place.check_fault("data/{YYY}.csv", &["unknown placeholder `YYY`", "did you mean `YYYY`"]);
    place.check_fault("data/{DD}.csv", &["no {YYYY}"]);
    place.check_fault("data/{YYYY}-{DD}.csv", &["no {MM}"]);
    place.check_fault("x.db", &["SQLite database", "sqlite://x.db?table=NAME"]);
    assert!(place.fetch(&[]).is_err());
}

#[test]
fn folders_that_contain_themselves_end() {
    let place = Place::with(&["d/a.csv"]);
    symlink(place.root.path().join("d"), place.root.path().join("d/again")).expect("a link");
    let error = place.fetch(&["d"]).err().map(|error| format!("{error:#}")).unwrap_or_default();
    assert!(error.contains("loop"), "{error}");
}
