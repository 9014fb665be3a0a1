//! Packed files: gzip, zstd or one member of a zip archive, told by their first bytes, written out as a plain file.
//!
//! Nothing is written under a name that an archive gives. What a packed file may grow to is bounded.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::bufread::MultiGzDecoder;
use tempfile::TempPath;
use zip::ZipArchive;

use crate::base::fail::{self, Failure};
use crate::base::limits::{SOURCE_BYTES_MAX, UNPACK_RATIO_MAX};
use crate::base::suggest;
use crate::base::units;
use crate::data::detect;
use crate::record::dataset::Compression;

/// First bytes of a zip archive; workbooks are such archives too.
pub const ZIP: &[u8] = b"PK\x03\x04";
/// First bytes of a zip archive without members.
const EMPTY_ZIP: &[u8] = b"PK\x05\x06";
const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
/// Bytes copied at a time.
const PIECE_BYTES: usize = 256 << 10;
/// Bytes below which growing is harmless: a table of zeros packs a thousandfold.
const SMALL_BYTES: u64 = 16 << 20;
/// Endings of members that may be tables.
const TABLE_ENDINGS: [&str; 19] = [
    "arrow", "arrows", "csv", "data", "feather", "ipc", "json", "jsonl", "ndjson", "ods", "parquet", "pq", "tab",
    "tsv", "txt", "xls", "xlsb", "xlsm", "xlsx",
];
/// Members named in a message.
const SHOWN_MEMBERS: usize = 10;

/// What is known about a packed file, and what it may grow to.
pub struct UnpackOptions<'a> {
    /// How it is packed; told by its first bytes when absent.
    pub compression: Option<Compression>,
    /// The member of a zip archive.
    pub member: Option<&'a str>,
    /// Where the plain file is written.
    pub folder: &'a Path,
    /// Most bytes of the plain file; the named limits when absent.
    pub bytes_max: Option<u64>,
}

/// A file as it is to be read.
pub struct Plain {
    /// Where its bytes are.
    pub path: PathBuf,
    /// What to call it in messages.
    pub shown: String,
    /// Ending of its own name, in small letters, without that of the packing.
    pub ending: String,
    /// How it was packed.
    pub compression: Compression,
    /// The member read.
    pub member: Option<String>,
    /// What was guessed.
    pub notes: Vec<String>,
    /// The written file, which vanishes with this.
    pub keep: Option<TempPath>,
}

/// The plain form of the file at `path`.
///
/// Errors: no such file (world); a folder, an empty file, damaged or cut data, an archive without exactly one table and no
/// member named, an encrypted one, more bytes than allowed (usage); writing fails.
pub fn plain(path: &Path, asked: &UnpackOptions<'_>) -> Result<Plain> {
    let shown = path.display().to_string();
    if path.is_dir() {
        return Err(fail::usage(format!("{shown} is a folder, not a file")).hint("name the file inside it").into());
    }
    let file = File::open(path).map_err(|error| {
        fail::world(format!("cannot open {shown}: {error}"))
            .hint("check the path; it is relative to the project folder")
    })?;
    let length = file.metadata().with_context(|| format!("cannot read {shown}"))?.len();
    let first = detect::first_bytes(path)?;
    if first.is_empty() {
        return Err(fail::usage(format!("{shown} is empty")).hint("a table needs names and at least one row").into());
    }
    let compression = match asked.compression {
        Some(given) => given,
        None => found(&first, path)?,
    };
    let mut plain = Plain {
        path: path.to_owned(),
        shown: shown.clone(),
        ending: ending(&shown),
        compression,
        member: None,
        notes: Vec::new(),
        keep: None,
    };
    let source = BufReader::with_capacity(PIECE_BYTES, file);
    let bounds = Bounds { packed: length, bytes_max: asked.bytes_max };
    let keep = match compression {
        Compression::None => {
            refuse_member(asked)?;
            return Ok(plain);
        }
        Compression::Gzip => unpack(MultiGzDecoder::new(source), "gzip", &bounds, asked.folder)?,
        Compression::Zstd => {
            let decoder = zstd::stream::read::Decoder::with_buffer(source).context("cannot start unpacking zstd")?;
            unpack(decoder, "zstd", &bounds, asked.folder)?
        }
        Compression::Zip => unpack_member(source, asked, &mut plain)?,
    };
    if compression != Compression::Zip {
        refuse_member(asked)?;
        // `t.csv.gz` is a packed `t.csv`.
        plain.ending = ending(shown.rsplit_once('.').map_or("", |(stem, _)| stem));
    }
    if keep.metadata().map_or(0, |meta| meta.len()) == 0 {
        return Err(fail::usage(format!("{} is empty once unpacked", plain.shown))
            .hint("a table needs names and at least one row")
            .into());
    }
    plain.path = keep.to_path_buf();
    plain.keep = Some(keep);
    Ok(plain)
}

fn found(first: &[u8], path: &Path) -> Result<Compression> {
    Ok(match () {
        () if first.starts_with(GZIP) => Compression::Gzip,
        () if first.starts_with(ZSTD) => Compression::Zstd,
        () if first.starts_with(EMPTY_ZIP) => Compression::Zip,
        () if first.starts_with(ZIP) => {
            let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
            if is_workbook(BufReader::new(file)) { Compression::None } else { Compression::Zip }
        }
        () => Compression::None,
    })
}

/// The ending of a file name in small letters.
fn ending(name: &str) -> String {
    Path::new(name).extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn refuse_member(asked: &UnpackOptions<'_>) -> Result<(), Failure> {
    match asked.member {
        Some(member) => Err(fail::usage(format!("there is no member `{member}`: the file is not a zip archive"))
            .hint("leave the member out")),
        None => Ok(()),
    }
}

/// Whether a zip archive is an Excel or OpenDocument workbook.
pub fn is_workbook(source: impl Read + Seek) -> bool {
    let Ok(archive) = ZipArchive::new(source) else { return false };
    let has = |name: &str| archive.index_for_name(name).is_some();
    has("xl/workbook.xml") || has("xl/workbook.bin") || (has("mimetype") && has("content.xml"))
}

/// What a packed file may grow to.
pub struct Bounds {
    /// Bytes of the packed file.
    pub packed: u64,
    /// Most bytes that were allowed; the named limits when absent.
    pub bytes_max: Option<u64>,
}

impl Bounds {
    /// Errors: `unpacked` bytes are more than allowed.
    pub fn check(&self, unpacked: u64) -> Result<(), Failure> {
        let allowed = self.bytes_max.unwrap_or(SOURCE_BYTES_MAX);
        let larger = "if that is right, allow more with --max-bytes";
        if unpacked > allowed {
            return Err(fail::usage(format!("the file unpacks to more than {}", units::bytes(allowed))).hint(larger));
        }
        let grown = unpacked > SMALL_BYTES && unpacked / UNPACK_RATIO_MAX > self.packed;
        if grown && self.bytes_max.is_none() {
            let (packed, limit) = (units::bytes(self.packed), units::count(UNPACK_RATIO_MAX));
            return Err(
                fail::usage(format!("the file of {packed} unpacks to more than {limit} times as much")).hint(larger)
            );
        }
        Ok(())
    }
}

/// Writes out what `source` unpacks to.
fn unpack(mut source: impl Read, kind: &str, bounds: &Bounds, folder: &Path) -> Result<TempPath> {
    let cannot_write = || format!("cannot write the unpacked file into {}", folder.display());
    let temporary =
        tempfile::Builder::new().prefix("mlops-unpacked-").tempfile_in(folder).with_context(cannot_write)?;
    let (file, keep) = temporary.into_parts();
    let mut out = BufWriter::with_capacity(PIECE_BYTES, file);
    let mut piece = vec![0; PIECE_BYTES];
    let mut unpacked = 0;
    loop {
        let count = match source.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(damaged(kind, &error.to_string()).into()),
        };
        unpacked += count as u64;
        bounds.check(unpacked)?;
        out.write_all(&piece[..count]).with_context(cannot_write)?;
    }
    out.flush().with_context(cannot_write)?;
    Ok(keep)
}

fn damaged(kind: &str, why: &str) -> Failure {
    fail::usage(format!("the {kind} data is damaged or cut short ({why})")).hint("copy or download the file again")
}

/// Writes out the member that is named, or the only one that may be a table.
fn unpack_member(source: impl Read + Seek, asked: &UnpackOptions<'_>, plain: &mut Plain) -> Result<TempPath> {
    let mut archive = ZipArchive::new(source).map_err(|error| damaged("zip", &error.to_string()))?;
    let mut members = Vec::new();
    for index in 0..archive.len() {
        let member = archive.by_index_raw(index).map_err(|error| damaged("zip", &error.to_string()))?;
        let name = member.name().map_err(|error| damaged("zip", &error.to_string()))?.into_owned();
        let hidden = name.starts_with("__MACOSX/") || name.rsplit('/').next().is_some_and(|last| last.starts_with('.'));
        if !member.is_dir() && !hidden {
            members.push((index, name));
        }
    }
    let (index, name) = chosen(&members, asked.member, &mut plain.notes)?;
    let member = archive.by_index_raw(index).map_err(|error| damaged("zip", &error.to_string()))?;
    if member.encrypted() {
        return Err(fail::usage(format!("member `{name}` of the archive is encrypted"))
            .hint("unpack it with its password first")
            .into());
    }
    let bounds = Bounds { packed: member.compressed_size(), bytes_max: asked.bytes_max };
    drop(member);
    let member = archive.by_index(index).map_err(|error| damaged("zip", &error.to_string()))?;
    let keep = unpack(member, "zip", &bounds, asked.folder)?;
    plain.shown = format!("{} (member `{name}`)", plain.shown);
    plain.ending = ending(&name);
    plain.member = Some(name);
    Ok(keep)
}

/// The member to read.
fn chosen(
    members: &[(usize, String)],
    asked: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<(usize, String), Failure> {
    let names = || members.iter().map(|(_, name)| name.as_str());
    if let Some(asked) = asked {
        let found = members.iter().find(|(_, name)| name == asked);
        return found.cloned().ok_or_else(|| suggest::unknown("member", asked, names()));
    }
    let tables: Vec<&(usize, String)> =
        members.iter().filter(|(_, name)| TABLE_ENDINGS.contains(&ending(name).as_str())).collect();
    match (members, tables.as_slice()) {
        ([], _) => Err(fail::usage("the zip archive has no member").hint("a table needs names and at least one row")),
        ([only], _) => Ok(only.clone()),
        (_, [only]) => {
            let (_, name) = only;
            notes.push(format!("of {} members of the archive, `{name}` is read", members.len()));
            Ok((*only).clone())
        }
        _ => {
            let mut listed: Vec<&str> = names().take(SHOWN_MEMBERS).collect();
            if members.len() > SHOWN_MEMBERS {
                listed.push("…");
            }
            let count = units::count(members.len() as u64);
            Err(fail::usage(format!("the zip archive has {count} members: {}", listed.join(", ")))
                .hint("name the one to read as member"))
        }
    }
}
