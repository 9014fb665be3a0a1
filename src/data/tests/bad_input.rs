//! Files that are not tables: each is a clear failure, none a panic.

use std::io::Write;

use anyhow::Result;

use crate::base::fail::Blame;
use crate::base::host;
use crate::base::talk::Silent;
use crate::data::source::{ReadOptions, read};
use crate::data::tests::{failure, read_file};
use crate::record::dataset::Format;

/// Reading `bytes` as CSV is the person's to correct, and says `wanted`.
#[track_caller]
fn check(bytes: &[u8], wanted: &str) {
    let failure = failure(read_file("t.csv", bytes, &ReadOptions::default()));
    assert!(failure.what.contains(wanted), "{}", failure.what);
    assert_eq!(failure.blame, Blame::Request);
    assert!(failure.hint.is_some(), "{}", failure.what);
}

#[test]
fn content_that_is_not_a_table() {
    check(b"", "is empty");
    check(b"\n\r\n\n", "the file is empty");
    check(b"a,b\n", "a line of names but no rows");
    check(b"a,b", "a line of names but no rows");
    check(b"a,b,c\n1,2,3\n4,5\n", "row 2 (line 3) has 2 fields, the header has 3");
    check(b"a,b\n\"x\ny\",2\n4,5,6\n", "row 2 (line 4) has 3 fields, the header has 2");
    check(b"a,b,a\n1,2,3\n", "two columns are called `a`: numbers 1 and 3");
    check(b"a,,c\n1,2,3\n", "column 2 has no name");
    check(b"a,b\n1,caf\x81\n", "row 1 (line 2), column `b` is not UTF-8, and the rest does not look like Latin-1");
    check(b"caf\x81,b\n1,2\n", "the first line is not UTF-8 (byte 4), and the rest does not look like Latin-1");
    check(b"a,b\n1,x\0y\n", "row 1 (line 2), column `b` holds a NUL byte");
    check(b"\x7fELF\0\0\0\n\0", "is binary");
    check(b"a,b\n1,\"open\n2,3\n", "row 1 (line 2), column `b`: the quote never closes");
    check(b"a,b\n1,\"x\"y\n", "row 1 (line 2), column `b`: something follows the closing quote");
    check(b"\"a,b\n1,2\n", "the quotes of name 1 in the first line do not match");
    check(b"\xff\xfea\0,\0b\0\n\0", "a line of names but no rows");
    check(b"a,b\r1,2\r", "a carriage return only");
    check(b"\x1f\x8b\x08\0", "the gzip data is damaged or cut short");
    check(b"PK\x03\x04rest", "the zip data is damaged or cut short");
    check(b"ARROW1 but no more, not at all", "Arrow file cannot be read: it is cut short");
    check(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "this workbook cannot be read");
    check(b"PAR1 but no more", "Parquet file cannot be read");
}

#[test]
fn faults_far_into_a_file_are_placed_rightly() {
    let mut text = String::from("a,b\n");
    for row in 0..3_000_000 {
        text.push_str(if row % 1_000 == 0 { "\"1\n1\",2\n" } else { "1,2\n" });
    }
    text.push_str("1\n");
    check(text.as_bytes(), "row 3,000,001 (line 3,003,002) has 1 field, the header has 2");
}

#[test]
fn too_many_columns() {
    let names: Vec<String> = (0..50_001).map(|index| format!("c{index}")).collect();
    check(format!("{}\n", names.join(",")).as_bytes(), "the table has 50,001 columns; at most 50,000 are read");
}

#[test]
fn paths_that_are_not_files() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let options = ReadOptions::default();
    let a_folder = failure(read(folder.path(), &options, &Silent));
    assert!(a_folder.what.ends_with("is a folder, not a file"));
    let missing = failure(read(&folder.path().join("none.csv"), &options, &Silent));
    assert_eq!(missing.blame, Blame::World);
    Ok(())
}

#[test]
fn endings_that_lie_are_noted() -> Result<()> {
    let read = read_file("t.parquet", b"a,b\n1,2\n", &ReadOptions::default())?;
    assert_eq!(read.parse.format, Format::Csv);
    assert!(read.guesses[0].ends_with("is not Parquet, whatever its ending says; read as CSV"));
    let odd = read_file("t.dat", b"a,b\n1,2\n", &ReadOptions::default())?;
    assert!(odd.guesses[0].ends_with("its ending `.dat` is not known"));
    Ok(())
}

#[test]
fn a_huge_line_fails_early_and_in_little_memory() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let before = host::usage().peak_memory_bytes;
    for (name, start) in [("line", &b"a,b\n1,"[..]), ("quote", b"a,b\n1,\""), ("header", b"")] {
        // A sparse gigabyte would be NUL bytes; written pieces of letters make 200 MB.
        let path = folder.path().join(format!("{name}.csv"));
        let mut file = std::fs::File::create(&path)?;
        file.write_all(start)?;
        let piece = vec![b'x'; 1 << 20];
        for _ in 0..200 {
            file.write_all(&piece)?;
        }
        drop(file);
        let failure = failure(read(&path, &ReadOptions::default(), &Silent));
        let wanted = match name {
            "quote" => "line 2 opens a quote that does not close within 16.0 MiB",
            "line" => "line 2 has more than 16.0 MiB",
            _ => "line 1 has more than 16.0 MiB",
        };
        assert_eq!(failure.what, wanted);
        std::fs::remove_file(&path)?;
    }
    // Other tests run beside this one, so the bound is loose; reading the file whole would exceed it at once.
    let after = host::usage().peak_memory_bytes;
    assert!(after < before.max(400 << 20) + (180 << 20), "{before} {after}");
    Ok(())
}
