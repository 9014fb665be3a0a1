//! The container of a package: named sections, each with its place, length and hash.
//!
//! ```text
//!   0  8  magic "MLOPSPKG"
//!   8  4  format version
//!  12  4  number of sections
//!  16  8  length of the whole file
//!  24  8  zero
//!  32 32  BLAKE3 of the 32 bytes above and of the table below
//!  64     table, 64 bytes a section: name (16, filled up with zeros), offset (8), length (8), BLAKE3 of the section (32)
//!         the sections in the order of the table, without gaps
//! ```
//! Numbers are little-endian. Every byte of the file is covered by a hash or compared with the one value it may have.

use anyhow::Result;

use crate::base::fail;
use crate::base::hash::Hasher;

/// Version written; the only one so far.
pub const FORMAT_VERSION: u32 = 1;

const MAGIC: &[u8; 8] = b"MLOPSPKG";
const PRELUDE: usize = 64;
const ENTRY: usize = 64;
const NAME: usize = 16;
/// More sections than any version will have.
const SECTIONS_MAX: usize = 64;

/// Puts sections together. Names are literals of at most 16 bytes.
pub fn write(sections: &[(&'static str, Vec<u8>)]) -> Vec<u8> {
    let mut offset = PRELUDE + ENTRY * sections.len();
    let mut table = Vec::with_capacity(ENTRY * sections.len());
    for (name, bytes) in sections {
        assert!(name.len() <= NAME, "section names are short literals");
        let mut field = [0; NAME];
        field[..name.len()].copy_from_slice(name.as_bytes());
        table.extend_from_slice(&field);
        table.extend_from_slice(&(offset as u64).to_le_bytes());
        table.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        table.extend_from_slice(Hasher::new().update_parallel(bytes).finish().as_bytes());
        offset += bytes.len();
    }
    let mut file = Vec::with_capacity(offset);
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    file.extend_from_slice(&(sections.len() as u32).to_le_bytes());
    file.extend_from_slice(&(offset as u64).to_le_bytes());
    file.extend_from_slice(&[0; 8]);
    let hash = Hasher::new().update(&file).update(&table).finish();
    file.extend_from_slice(hash.as_bytes());
    file.extend_from_slice(&table);
    for (_, bytes) in sections {
        file.extend_from_slice(bytes);
    }
    file
}

/// Takes a container apart into its sections, borrowed, all hashes checked.
///
/// Errors: not a package, a newer format (named), cut short, damaged.
pub fn read(file: &[u8]) -> Result<Vec<(&str, &[u8])>> {
    let Some((prelude, rest)) = file.split_at_checked(PRELUDE).filter(|(prelude, _)| prelude.starts_with(MAGIC)) else {
        return Err(fail::world("this is not a model package").hint("a package starts with MLOPSPKG").into());
    };
    let version = u32_at(prelude, 8);
    if version != FORMAT_VERSION {
        return Err(fail::world(format!(
            "this model package has format {version}; this mlops reads format {FORMAT_VERSION}"
        ))
        .hint(format!("use an mlops that reads package format {version}"))
        .into());
    }
    let count = u32_at(prelude, 12) as usize;
    let length = u64_at(prelude, 16);
    if length != file.len() as u64 {
        let what = format!("damaged model package: it has {} bytes and should have {length}", file.len());
        return Err(fail::world(what).hint("copy it again from where it came").into());
    }
    if count > SECTIONS_MAX {
        return Err(damaged("there are too many sections"));
    }
    let (table, mut rest) = rest.split_at_checked(count * ENTRY).ok_or_else(|| damaged("its table is cut short"))?;
    let hash = Hasher::new().update(&prelude[..32]).update(table).finish();
    if hash.as_bytes() != &prelude[32..64] || prelude[24..32] != [0; 8] {
        return Err(damaged("its table does not have the hash that it should have"));
    }
    let mut sections = Vec::with_capacity(count);
    let mut offset = (PRELUDE + table.len()) as u64;
    for entry in table.chunks_exact(ENTRY) {
        let name = std::str::from_utf8(&entry[..NAME]).unwrap_or("?").trim_end_matches('\0');
        let length = u64_at(entry, NAME + 8);
        if u64_at(entry, NAME) != offset || length > rest.len() as u64 {
            return Err(damaged(&format!("section `{name}` is not where it should be")));
        }
        let (bytes, after) = rest.split_at(length as usize);
        if Hasher::new().update_parallel(bytes).finish().as_bytes() != &entry[NAME + 16..] {
            return Err(damaged(&format!("section `{name}` does not have the hash that it should have")));
        }
        sections.push((name, bytes));
        (rest, offset) = (after, offset + length);
    }
    match rest.len() {
        0 => Ok(sections),
        left => Err(damaged(&format!("{left} bytes belong to no section"))),
    }
}

fn damaged(why: &str) -> anyhow::Error {
    fail::world(format!("damaged model package: {why}")).hint("copy it again from where it came").into()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk::<4>().map_or(0, |field| u32::from_le_bytes(*field))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk::<8>().map_or(0, |field| u64::from_le_bytes(*field))
}
