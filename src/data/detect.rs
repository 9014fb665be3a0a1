//! Which format a plain file has: its content decides, its ending is only compared with it.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result};

use crate::base::fail::{self, Failure};
use crate::data::unpack;
use crate::record::dataset::Format;

/// Bytes that are looked at.
const FIRST_BYTES: u64 = 4 << 10;
/// First bytes of an older Excel workbook: a compound file.
const COMPOUND: &[u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
/// First bytes of an Arrow stream: the mark of a message.
const ARROW_STREAM: &[u8] = b"\xFF\xFF\xFF\xFF";
/// Content that is known not to be a table that is read: first bytes, what it is, what to do.
const OTHERS: [(&[u8], &str, &str); 7] = [
    (b"\x1f\x8b", "compressed with gzip once more", "unpack it first: gunzip FILE"),
    (b"BZh91AY", "compressed with bzip2", "unpack it first: bunzip2 FILE"),
    (b"\xfd7zXZ", "compressed with xz", "unpack it first: unxz FILE"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd once more", "unpack it first: unzstd FILE"),
    (
        b"SQLite format 3",
        "an SQLite database",
        "give it as sqlite://FILE?table=NAME, or export the table as CSV or Parquet",
    ),
    (b"FEA1", "a Feather file of version 1", "write it anew as Feather version 2, Parquet or CSV"),
    (b"%PDF", "a PDF document", "export the table as CSV"),
];

/// The first bytes of the file at `path`.
pub fn first_bytes(path: &Path) -> Result<Vec<u8>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut first = Vec::new();
    file.take(FIRST_BYTES).read_to_end(&mut first).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(first)
}

/// Whether content that starts so is of a known format that is not text.
pub fn is_binary(first: &[u8]) -> bool {
    let ours = [&b"PAR1"[..], b"ARROW1", ARROW_STREAM, COMPOUND, unpack::ZIP];
    ours.into_iter().chain(OTHERS.iter().map(|(magic, ..)| *magic)).any(|magic| first.starts_with(magic))
}

/// The format of `path`, whose content starts with `first`, and a sentence when its name says something else.
///
/// Errors (usage): content that is known not to be a table.
pub fn format(
    path: &Path,
    shown: &str,
    ending: &str,
    first: &[u8],
    given: Option<Format>,
) -> Result<(Format, Option<String>)> {
    if let Some(format) = given {
        return Ok((format, None));
    }
    let found = by_content(path, shown, first)?;
    let named = by_ending(ending);
    let title = found.title();
    let note = match named {
        Some(named) if named == found => None,
        Some(named) if found == Format::Csv => {
            Some(format!("{shown} is not {}, whatever its ending says; read as CSV", named.title()))
        }
        None if found == Format::Csv => Some(format!("{shown} is read as CSV: its ending `.{ending}` is not known")),
        _ => Some(format!("{shown} is {title}, whatever its ending says")),
    };
    Ok((found, note))
}

fn by_ending(ending: &str) -> Option<Format> {
    Some(match ending {
        "csv" | "tsv" | "txt" | "tab" | "data" | "" => Format::Csv,
        "parquet" | "pq" => Format::Parquet,
        "jsonl" | "ndjson" => Format::Jsonl,
        "json" => Format::Json,
        "arrow" | "arrows" | "feather" | "ipc" => Format::Ipc,
        "xlsx" | "xlsm" | "xlsb" | "xls" | "ods" => Format::Excel,
        _ => return None,
    })
}

fn by_content(path: &Path, shown: &str, first: &[u8]) -> Result<Format> {
    if first.starts_with(b"PAR1") {
        return Ok(Format::Parquet);
    }
    if first.starts_with(b"ARROW1") || first.starts_with(ARROW_STREAM) {
        return Ok(Format::Ipc);
    }
    if first.starts_with(COMPOUND) {
        return Ok(Format::Excel);
    }
    if first.starts_with(unpack::ZIP) {
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        if unpack::is_workbook(BufReader::new(file)) {
            return Ok(Format::Excel);
        }
        return Err(other(shown, "a zip archive once more", "unpack it first: unzip FILE").into());
    }
    if let Some((_, what, hint)) = OTHERS.iter().find(|(magic, ..)| first.starts_with(magic)) {
        return Err(other(shown, what, hint).into());
    }
    if first.get(257..262) == Some(b"ustar") {
        return Err(other(shown, "a tar archive", "unpack it first: tar -xf FILE").into());
    }
    Ok(text_format(first))
}

fn other(shown: &str, what: &str, hint: &str) -> Failure {
    fail::usage(format!("{shown} is {what}")).hint(hint)
}

/// JSON starts with an object, or with an array of objects or of nothing; any other text is taken as CSV.
fn text_format(first: &[u8]) -> Format {
    let text = first.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(first);
    let mut marks = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace());
    match (marks.next(), marks.next()) {
        (Some(b'['), Some(b'{' | b']')) => Format::Json,
        (Some(b'{'), Some(b'"' | b'}')) => Format::Jsonl,
        _ => Format::Csv,
    }
}
