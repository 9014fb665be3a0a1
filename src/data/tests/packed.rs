//! Packed files and other encodings: the plain table comes out, or a clear failure.

use std::io::{Cursor, Write};

use anyhow::Result;
use zip::write::SimpleFileOptions;

use crate::base::fail::Blame;
use crate::data::source::{ReadOptions, ReadTable, reread};
use crate::data::tests::{cells, failure, fixture, read_file, read_text};
use crate::record::dataset::{Compression, Format};

const TABLE: &[u8] = b"a,b\n1,x\n2,y\n";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).and_then(|()| out.finish()).expect("memory can be written")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).expect("memory can be written")
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        out.start_file(*name, SimpleFileOptions::default()).expect("a member can be started");
        out.write_all(bytes).expect("memory can be written");
    }
    out.finish().expect("memory can be written").into_inner()
}

fn read(name: &str, bytes: &[u8]) -> Result<ReadTable> {
    read_file(name, bytes, &ReadOptions::default())
}

#[test]
fn packed_tables_are_the_plain_table() -> Result<()> {
    let twice = [gzip(b"a,b\n1,x\n"), gzip(b"2,y\n")].concat();
    let zipped = zip(&[("folder/t.csv", TABLE)]);
    for (name, bytes, compression) in [
        ("t.csv.gz", gzip(TABLE), Compression::Gzip),
        ("t.csv", twice, Compression::Gzip),
        ("t.csv.zst", zstd(TABLE), Compression::Zstd),
        ("t.zip", zipped, Compression::Zip),
    ] {
        let read = read(name, &bytes)?;
        assert!(read.table.polars().equals_missing(read_text("a,b\n1,x\n2,y\n")?.table.polars()), "{name}");
        assert_eq!((read.parse.compression, read.guesses.len()), (compression, 0), "{name} {:?}", read.guesses);
        let folder = tempfile::tempdir()?;
        let path = folder.path().join(name);
        std::fs::write(&path, &bytes)?;
        assert!(
            reread(&[(path.clone(), &read.parse)], &read.table.columns())?.polars().equals_missing(read.table.polars())
        );
        assert_eq!(std::fs::read_dir(folder.path())?.count(), 1);
    }
    let lines = read("t.jsonl.gz", &gzip(b"{\"a\":1}\n{\"a\":2}\n"))?;
    assert_eq!((lines.parse.format, lines.guesses.len()), (Format::Jsonl, 0), "{:?}", lines.guesses);
    let book = std::fs::read(fixture("formats/book.xlsx"))?;
    assert_eq!(read("t.zip", &zip(&[("book.xlsx", &book)]))?.parse.format, Format::Excel);
    Ok(())
}

#[test]
fn temporary_files_vanish_with_the_table() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let options = ReadOptions { temp_folder: Some(folder.path().to_owned()), ..ReadOptions::default() };
    read_file("t.csv.gz", &gzip(b"a\ncaf\xe9\n"), &options)?;
    assert_eq!(std::fs::read_dir(folder.path())?.count(), 0);
    Ok(())
}

#[test]
fn members_are_chosen_or_named() -> Result<()> {
    let several = zip(&[("t.csv", TABLE), ("u.csv", b"z\n1\n"), ("README", b"hello")]);
    let listed = failure(read("t.zip", &several));
    assert_eq!(listed.what, "the zip archive has 3 members: t.csv, u.csv, README");
    let member = |name: &str| ReadOptions { member: Some(name.to_owned()), ..ReadOptions::default() };
    let named = read_file("t.zip", &several, &member("u.csv"))?;
    assert_eq!((cells(&named.table, "z"), named.parse.member.as_deref()), (vec!["1".to_owned()], Some("u.csv")));
    assert!(failure(read_file("t.zip", &several, &member("v.csv"))).what.contains("unknown member `v.csv`"));
    let one = read("t.zip", &zip(&[("__MACOSX/._t.csv", b"x"), ("README", b"hello"), ("t.csv", TABLE)]))?;
    assert_eq!(one.guesses, ["of 2 members of the archive, `t.csv` is read"]);
    assert!(failure(read_file("t.csv", TABLE, &member("t.csv"))).what.contains("not a zip archive"));
    Ok(())
}

/// Reading `bytes` is the person's to correct, and says `wanted`.
#[track_caller]
fn check_bad(name: &str, bytes: &[u8], wanted: &str) {
    let failure = failure(read(name, bytes));
    assert!(failure.what.contains(wanted), "{}", failure.what);
    assert_eq!(failure.blame, Blame::Request);
    assert!(failure.hint.is_some(), "{}", failure.what);
}

#[test]
fn damaged_and_endless_archives() {
    let long: Vec<u8> = (0..40_000).flat_map(|row| format!("{row},{}\n", row * 7919 % 10_007).into_bytes()).collect();
    for (packed, kind) in [(gzip(&long), "gzip"), (zstd(&long), "zstd"), (zip(&[("t.csv", &long)]), "zip")] {
        for length in [packed.len() / 2, packed.len() - 5] {
            check_bad("t", &packed[..length], &format!("the {kind} data is damaged or cut short"));
        }
        // Without a check sum, as zstd is written here, a changed letter cannot be known.
        let mut flipped = packed.clone();
        flipped[packed.len() / 2] ^= 0x55;
        assert!(kind == "zstd" || read("t", &flipped).is_err(), "{kind}");
    }
    check_bad("t.gz", &gzip(b""), "is empty once unpacked");
    check_bad("t.zip", &zip(&[("t.csv", b"")]), "is empty once unpacked");
    check_bad("t.zip", &zip(&[]), "the zip archive has no member");
    check_bad("t.gz", &gzip(&gzip(TABLE)), "compressed with gzip once more");
    check_bad("t.gz", &gzip(&zip(&[("t.csv", TABLE)])), "a zip archive once more");
    check_bad("t.bz2", b"BZh91AY&SY", "compressed with bzip2");
    check_bad("t.xz", b"\xfd7zXZ\0", "compressed with xz");
    let mut tar = vec![b'a'; 257];
    tar.extend_from_slice(b"ustar\0");
    check_bad("t.tgz", &gzip(&tar), "a tar archive");
}

#[test]
fn encrypted_members_are_refused() {
    let mut bytes = zip(&[("t.csv", TABLE)]);
    // The flag of an encrypted member, in its own header and in the directory at the end.
    let directory = bytes.windows(4).position(|window| window == b"PK\x01\x02").expect("there is a directory");
    bytes[6] |= 1;
    bytes[directory + 8] |= 1;
    check_bad("t.zip", &bytes, "member `t.csv` of the archive is encrypted");
}

#[test]
fn bombs_are_stopped_and_may_be_allowed() -> Result<()> {
    let bomb = gzip(&[b"a\n".to_vec(), vec![b'0'; 100 << 20]].concat());
    check_bad("t.csv.gz", &bomb, "unpacks to more than 1,000 times as much");
    let small = ReadOptions { unpacked_bytes_max: Some(8), ..ReadOptions::default() };
    assert_eq!(failure(read_file("t.csv.gz", &gzip(TABLE), &small)).what, "the file unpacks to more than 8 B");
    let rows = zstd(&[b"a\n".to_vec(), b"0\n".repeat(10 << 20)].concat());
    let allowed = ReadOptions { unpacked_bytes_max: Some(1 << 30), ..ReadOptions::default() };
    assert!(failure(read("t.csv.zst", &rows)).hint.is_some_and(|hint| hint.contains("--max-bytes")));
    assert_eq!(read_file("t.csv.zst", &rows, &allowed)?.table.rows(), 10 << 20);
    Ok(())
}

fn utf_16(text: &str, big: bool) -> Vec<u8> {
    text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

#[test]
fn other_encodings_become_utf_8() -> Result<()> {
    let text = "name,town\nZoë,Łódź\nJörg,Köln\n";
    for (bytes, said) in [
        ([b"\xff\xfe".to_vec(), utf_16(text, false)].concat(), "the file is UTF-16LE, by its byte order mark"),
        ([b"\xfe\xff".to_vec(), utf_16(text, true)].concat(), "the file is UTF-16BE, by its byte order mark"),
        (utf_16(text, false), "the file is UTF-16LE without a byte order mark, by its zero bytes"),
        (utf_16(text, true), "the file is UTF-16BE without a byte order mark, by its zero bytes"),
    ] {
        let read = read("t.csv", &bytes)?;
        assert_eq!(cells(&read.table, "town"), ["Łódź", "Köln"]);
        assert_eq!(read.guesses, [said]);
    }
    let latin = read("t.csv", b"a,b\n1,x\n2,caf\xe9 \x80\n")?;
    assert_eq!(cells(&latin.table, "b"), ["x", "café €"]);
    assert_eq!(latin.parse.encoding, "windows-1252");
    assert_eq!(
        latin.guesses,
        ["the file is not UTF-8; it is read as Windows-1252, or Latin-1 (first: row 2 (line 3))"]
    );
    let names = read("t.csv", b"caf\xe9,b\n1,2\n")?;
    assert!(names.guesses[0].ends_with("(first: the first line)"), "{:?}", names.guesses);
    let forced = ReadOptions { encoding: Some("windows-1251".to_owned()), ..ReadOptions::default() };
    assert_eq!(cells(&read_file("t.csv", b"a,b\n1,\xcc\n", &forced)?.table, "b"), ["М"]);
    Ok(())
}

#[test]
fn a_letter_in_row_900_000_is_found() -> Result<()> {
    let mut bytes = b"n,town\n".to_vec();
    for row in 1..=900_000 {
        bytes.extend_from_slice(format!("{row},").as_bytes());
        bytes.extend_from_slice(if row == 900_000 { b"K\xf6ln\n" } else { b"Bonn\n" });
    }
    let read = read("t.csv", &bytes)?;
    assert_eq!(read.table.cell(899_999, "town").as_deref(), Some("Köln"));
    assert!(read.guesses[0].ends_with("(first: row 900,000 (line 900,001))"), "{:?}", read.guesses);
    Ok(())
}

#[test]
fn encodings_that_do_not_fit() {
    let forced = |name: &str| ReadOptions { encoding: Some(name.to_owned()), ..ReadOptions::default() };
    let utf_8 = failure(read_file("t.csv", b"a,b\n1,caf\xe9\n", &forced("utf-8")));
    assert!(utf_8.what.contains("row 1 (line 2), column `b` is not UTF-8"), "{}", utf_8.what);
    check_bad("t.csv", b"a,b\n1,\x81\x8d\n", "does not look like Latin-1 either");
    check_bad("t.csv", "a,b\näöü,ß\n1,\u{e9}".as_bytes().split_last().expect("it has bytes").1, "Latin-1 either");
    let shift = failure(read_file("t.csv", b"a,b\n1,\xff\n", &forced("shift_jis")));
    assert_eq!(shift.what, "line 2 holds bytes that mean nothing in Shift_JIS");
    assert!(failure(read_file("t.csv", TABLE, &forced("klingon"))).what.contains("unknown encoding `klingon`"));
}
