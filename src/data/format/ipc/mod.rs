//! Apache Arrow IPC: files (Feather version 2) and streams, one record batch at a time.
//!
//! Both are a sequence of messages (`message`). One record batch with its schema and dictionaries, put together as a small
//! file in memory, is what the reader below gets, so that memory is bounded by the largest batch of the file.
//! Format: <https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc>.

mod message;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use polars::prelude::{DataFrame, IpcReader, SerReader};

use crate::base::fail::{self, Failure};
use crate::base::talk::Task;
use crate::data::format::foreign::{self, ForeignTable, Pieces};
use crate::data::format::ipc::message::{Content, Message};

/// What the format is called in messages.
const KIND: &str = "Arrow";
/// First and last bytes of a file; a stream has none.
const MAGIC: &[u8] = b"ARROW1";
/// Bytes before the first message of a file.
const FILE_START: u64 = 8;
/// Most bytes of the description in one message: a schema of 50,000 columns has some megabytes.
const DESCRIPTION_BYTES_MAX: u64 = 256 << 20;

/// An Arrow file or stream, read by record batches.
pub struct IpcPieces {
    path: PathBuf,
    names: Vec<String>,
    schema: Vec<u8>,
    pieces: Vec<Piece>,
    bytes: u64,
}

/// One record batch and the dictionaries that are in force for it, as places in the file.
struct Piece {
    dictionaries: Vec<Place>,
    batch: Place,
}

/// Where a message stands: its description with the length before it, and its body.
#[derive(Clone, Debug)]
struct Place {
    description: Range<u64>,
    body: Range<u64>,
}

/// Surveys the Arrow file or stream at `path`.
///
/// Errors: a damaged or cut file, a nested or otherwise unsupported column (named).
pub fn survey(path: &Path, task: &dyn Task) -> Result<ForeignTable<IpcPieces>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let bytes = file.metadata().with_context(|| format!("cannot read {}", path.display()))?.len();
    let mut source = BufReader::new(file);
    let range = messages(&mut source, bytes)?;
    let (schema, pieces) = walk(&mut source, range)?;
    let mut found = IpcPieces { path: path.to_owned(), names: Vec::new(), schema, pieces, bytes };
    found.names = found.field_names()?;
    foreign::survey(found, task)
}

/// Where the messages stand: all of a stream; of a file what lies between its start and its footer.
fn messages(source: &mut (impl Read + Seek), bytes: u64) -> Result<Range<u64>> {
    let mut first = [0; MAGIC.len()];
    if bytes < 16 {
        return Err(cut().into());
    }
    source.read_exact(&mut first).context("cannot read")?;
    if first != MAGIC {
        return Ok(0..bytes);
    }
    let mut last = [0; 4 + MAGIC.len()];
    source.seek(SeekFrom::End(-(last.len() as i64))).context("cannot read")?;
    source.read_exact(&mut last).context("cannot read")?;
    let (footer, magic) = last.split_at(4);
    let footer = u64::from(u32::from_le_bytes(footer.try_into().expect("four bytes")));
    let end = bytes.checked_sub(last.len() as u64 + footer).filter(|end| magic == MAGIC && *end >= FILE_START);
    Ok(FILE_START..end.ok_or_else(cut)?)
}

/// Finds the schema and all record batches.
fn walk(source: &mut (impl Read + Seek), range: Range<u64>) -> Result<(Vec<u8>, Vec<Piece>)> {
    let mut schema = None;
    let mut dictionaries: BTreeMap<i64, Vec<Place>> = BTreeMap::new();
    let mut pieces = Vec::new();
    let mut at = range.start;
    while let Some((description, place)) = next_message(source, at, range.end)? {
        at = place.body.end;
        let message = Message::read(&description).ok_or_else(|| damaged("a message makes no sense"))?;
        match (message.content, &schema) {
            (Content::Schema, None) => schema = Some(description),
            (_, None) => return Err(damaged("it does not start with a schema").into()),
            (Content::Schema, Some(_)) => return Err(damaged("it has two schemas").into()),
            (Content::Dictionary { id, delta }, _) => {
                let known = dictionaries.entry(id).or_default();
                if !delta {
                    known.clear();
                }
                known.push(place);
            }
            (Content::Batch, _) => {
                let dictionaries = dictionaries.values().flatten().cloned().collect();
                pieces.push(Piece { dictionaries, batch: place });
            }
        }
    }
    Ok((schema.ok_or_else(cut)?, pieces))
}

/// The description of the message at `at` without its length, and where the message stands; `None` at the end.
fn next_message(source: &mut (impl Read + Seek), at: u64, end: u64) -> Result<Option<(Vec<u8>, Place)>> {
    let mut word = [0; 4];
    let mut start = at;
    if start + 4 > end {
        return if start == end { Ok(None) } else { Err(cut().into()) };
    }
    source.seek(SeekFrom::Start(start)).context("cannot read")?;
    source.read_exact(&mut word).context("cannot read")?;
    start += 4;
    // Before version 0.15 of Arrow the length stood without this mark.
    if word == [0xFF; 4] {
        if start + 4 > end {
            return Err(cut().into());
        }
        source.read_exact(&mut word).context("cannot read")?;
        start += 4;
    }
    let length = u64::from(u32::from_le_bytes(word));
    if length == 0 {
        return Ok(None);
    }
    if length > DESCRIPTION_BYTES_MAX {
        return Err(damaged("a message is too long").into());
    }
    if start + length > end {
        return Err(cut().into());
    }
    let mut description = vec![0; length as usize];
    source.read_exact(&mut description).context("cannot read")?;
    let message = Message::read(&description).ok_or_else(|| damaged("a message makes no sense"))?;
    let body = start + length;
    match body.checked_add(message.body_bytes).filter(|after| *after <= end) {
        Some(after) => Ok(Some((description, Place { description: at..body, body: body..after }))),
        None => Err(cut().into()),
    }
}

impl IpcPieces {
    /// Names of the columns, from a small file without rows.
    fn field_names(&self) -> Result<Vec<String>> {
        let empty = message::small_file(&self.schema, &[], None);
        let names = foreign::guarded(KIND, || {
            let mut reader = IpcReader::new(Cursor::new(empty));
            Ok(reader.schema()?.iter_names().map(|name| name.to_string()).collect())
        })?;
        Ok(names)
    }

    fn bytes_of(&self, source: &mut File, place: &Place) -> Result<message::Part> {
        let mut read = |range: &Range<u64>| -> Result<Vec<u8>> {
            let mut bytes = vec![0; (range.end - range.start) as usize];
            source
                .seek(SeekFrom::Start(range.start))
                .and_then(|_| source.read_exact(&mut bytes))
                .context("cannot read")?;
            Ok(bytes)
        };
        Ok(message::Part { description: read(&place.description)?, body: read(&place.body)? })
    }
}

impl Pieces for IpcPieces {
    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn count(&self) -> usize {
        self.pieces.len()
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn read(&self, piece: usize) -> Result<DataFrame> {
        let piece = &self.pieces[piece];
        let mut source = File::open(&self.path).with_context(|| format!("cannot open {}", self.path.display()))?;
        let dictionaries = piece.dictionaries.iter().map(|place| self.bytes_of(&mut source, place));
        let dictionaries = dictionaries.collect::<Result<Vec<_>>>()?;
        let batch = self.bytes_of(&mut source, &piece.batch)?;
        let file = message::small_file(&self.schema, &dictionaries, Some(&batch));
        foreign::guarded(KIND, || IpcReader::new(Cursor::new(file)).set_rechunk(true).finish())
    }
}

fn cut() -> Failure {
    damaged("it is cut short")
}

fn damaged(why: &str) -> Failure {
    fail::usage(format!("this Arrow file cannot be read: {why}")).hint("is it damaged? write or copy it again")
}
