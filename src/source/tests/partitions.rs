//! Days and hours in paths, and windows over them.

use crate::source::partition::Window;
use crate::source::tests::{Place, names};

/// Fetches `pattern` from a folder with `files` through a window and compares the names and the last note.
fn check(files: &[&str], pattern: &str, window: &str, expected: &[&str], note: &str) {
    let mut place = Place::with(files);
    place.window = (!window.is_empty()).then(|| Window::parse(window).expect("a window"));
    let found = place.fetch(&[pattern]).unwrap_or_else(|error| panic!("{pattern}: {error:#}"));
    assert_eq!(names(&found), expected, "{pattern} through `{window}`");
    let notes = place.notes();
    assert!(if note.is_empty() { !notes.contains("no partition") } else { notes.contains(note) }, "{pattern}: {notes}");
}

const DAYS: [&str; 6] =
    ["d/2024-02-28.csv", "d/2024-02-29.csv", "d/2024-03-01.csv", "d/2024-03-04.csv", "d/notes.csv", "d/2023-12-31.csv"];

#[test]
fn windows_count_from_the_newest_partition() {
    let days = "d/{YYYY}-{MM}-{DD}.csv";
    let (first, leap, march, last, old) =
        ("2024-02-28.csv", "2024-02-29.csv", "2024-03-01.csv", "2024-03-04.csv", "2023-12-31.csv");
    let gap = "no partition for 2024-03-02, 2024-03-03";
    check(&DAYS, days, "", &[old, first, leap, march, last], "no partition for 2024-01-01, 2024-01-02");
    check(&DAYS, days, "1d", &[last], "");
    check(&DAYS, days, "3d", &[last], gap);
    check(&DAYS, days, "4d", &[march, last], gap);
    check(&DAYS, days, "5d", &[leap, march, last], gap);
    check(&DAYS, days, "1w", &[first, leap, march, last], "no partition for 2024-02-27, 2024-03-02, 2024-03-03");
    check(&DAYS, days, "1", &[last], "");
    check(&DAYS, days, "3", &[leap, march, last], gap);
    check(&DAYS, days, "99", &[old, first, leap, march, last], "and 54 more");
    check(&DAYS[..3], days, "48h", &[leap, march], "");
}

#[test]
fn placeholders_may_be_folders_and_repeat() {
    let nested = ["d/2024/01/31/part.csv", "d/2024/02/01/part.csv", "d/2024/02/01/other.csv", "d/2024/02/30/part.csv"];
    check(&nested, "d/{YYYY}/{MM}/{DD}/part.csv", "1d", &["2024/02/01/part.csv"], "");
    check(&nested, "d/{YYYY}/{MM}/{DD}/*.csv", "1", &["2024/02/01/other.csv", "2024/02/01/part.csv"], "");
    check(&nested, "d/{YYYY}/{MM}/{DD}/part.csv", "", &["2024/01/31/part.csv", "2024/02/01/part.csv"], "no such day");
    let hive = ["d/day=2024-01-30/a.csv", "d/day=2024-01-31/a.csv", "d/day=2024-01-31/b.csv"];
    check(&hive, "d/day={YYYY}-{MM}-{DD}/*.csv", "1d", &["day=2024-01-31/a.csv", "day=2024-01-31/b.csv"], "");
    let hours = ["d/2024-01-01T23.csv", "d/2024-01-02T00.csv", "d/2024-01-02T02.csv"];
    check(&hours, "d/{YYYY}-{MM}-{DD}T{HH}.csv", "3h", &["2024-01-02T00.csv", "2024-01-02T02.csv"], "2024-01-02 01 h");
    check(
        &hours,
        "d/{YYYY}-{MM}-{DD}T{HH}.csv",
        "1d",
        &["2024-01-01T23.csv", "2024-01-02T00.csv", "2024-01-02T02.csv"],
        "and 15 more",
    );
    let months = ["d/2023-11.csv", "d/2024-01.csv", "d/2024-13.csv"];
    check(&months, "d/{YYYY}-{MM}.csv", "2", &["2023-11.csv", "2024-01.csv"], "no partition for 2023-12");
    check(&["d/2021.csv", "d/2024.csv"], "d/{YYYY}.csv", "", &["2021.csv", "2024.csv"], "no partition for 2022, 2023");
    let twice = ["d/2024/2024-01-01.csv", "d/2023/2024-01-02.csv"];
    check(&twice, "d/{YYYY}/{YYYY}-{MM}-{DD}.csv", "", &["2024/2024-01-01.csv"], "no such day");
    // Days before months sort by time, not by name.
    check(&["d/01-02-2024.csv", "d/02-01-2024.csv"], "d/{DD}-{MM}-{YYYY}.csv", "1", &["01-02-2024.csv"], "");
    check(&["d/2024-01-01.csv"], "d/{YYYY}-{MM}-{DD}.csv", "4294967295h", &["2024-01-01.csv"], "and ");
}

#[test]
fn a_window_needs_partitions() {
    let mut place = Place::with(&DAYS);
    place.window = Some(Window::Newest(3));
    for source in ["d", "d/*.csv", "d/2024-02-28.csv", "http://127.0.0.1:9/t.csv"] {
        place.check_fault(source, &["dates in its path", "{YYYY}-{MM}-{DD}"]);
    }
}

#[test]
fn windows_are_written_shortly() {
    let cases = [
        ("7d", Some(Window::Hours(168))),
        ("24h", Some(Window::Hours(24))),
        ("2w", Some(Window::Hours(336))),
        ("3", Some(Window::Newest(3))),
        ("0", None),
        ("0d", None),
        ("-1d", None),
        ("1.5d", None),
        ("7m", None),
        ("", None),
        ("d", None),
        ("99999999999d", None),
        ("4294967295w", None),
    ];
    for (text, expected) in cases {
        assert_eq!(Window::parse(text).ok(), expected, "{text}");
    }
}
