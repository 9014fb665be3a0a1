//! Arrow messages: what is needed of their flatbuffers, read with every offset checked, and small files written from them.
//!
//! Schemas of the flatbuffers: `format/Message.fbs` and `format/File.fbs` of Apache Arrow.

/// What a message holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// The columns.
    Schema,
    /// Values that record batches refer to.
    Dictionary {
        /// Number of the dictionary.
        id: i64,
        /// Whether it adds to the one before.
        delta: bool,
    },
    /// Rows.
    Batch,
}

/// The description of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it holds.
    pub content: Content,
    /// Length of its body.
    pub body_bytes: u64,
}

/// One message in memory.
pub struct Part {
    /// Its description with the length before it.
    pub description: Vec<u8>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Message {
    /// Reads a description without the length before it; `None` when it makes no sense.
    pub fn read(bytes: &[u8]) -> Option<Message> {
        let root = follow(bytes, 0)?;
        let header = field(bytes, root, 2)?.map(|at| follow(bytes, at))??;
        let content = match field(bytes, root, 1)?.map(|at| bytes.get(at).copied())?? {
            1 => Content::Schema,
            2 => {
                let id = field(bytes, header, 0)?.map_or(Some(0), |at| number(bytes, at))?;
                let delta = field(bytes, header, 2)?.map_or(Some(0), |at| bytes.get(at).copied())? != 0;
                Content::Dictionary { id, delta }
            }
            3 => Content::Batch,
            _ => return None,
        };
        let body = field(bytes, root, 3)?.map_or(Some(0), |at| number(bytes, at))?;
        Some(Message { content, body_bytes: u64::try_from(body).ok()? })
    }
}

/// Where the schema stands in the description of a schema message.
fn schema_at(bytes: &[u8]) -> Option<usize> {
    follow(bytes, field(bytes, follow(bytes, 0)?, 2)??)
}

/// Where the offset at `at` leads.
fn follow(bytes: &[u8], at: usize) -> Option<usize> {
    let offset = u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?);
    at.checked_add(offset as usize).filter(|to| *to < bytes.len())
}

fn number(bytes: &[u8], at: usize) -> Option<i64> {
    Some(i64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

/// Where field number `id` of the table at `table` stands; the inner `None` when it is left out.
fn field(bytes: &[u8], table: usize, id: usize) -> Option<Option<usize>> {
    let back = i32::from_le_bytes(bytes.get(table..table.checked_add(4)?)?.try_into().ok()?);
    let fields = usize::try_from(i64::try_from(table).ok()? - i64::from(back)).ok()?;
    let short = |at: usize| Some(usize::from(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?)));
    let place = 4 + 2 * id;
    if place + 2 > short(fields)? {
        return Some(None);
    }
    Some(match short(fields.checked_add(place)?)? {
        0 => None,
        offset => Some(table.checked_add(offset)?),
    })
}

/// A file of one schema, its dictionaries and at most one record batch.
pub fn small_file(schema: &[u8], dictionaries: &[Part], batch: Option<&Part>) -> Vec<u8> {
    let mut out = b"ARROW1\0\0".to_vec();
    out.extend_from_slice(&[0xFF; 4]);
    out.extend_from_slice(&(schema.len() as u32).to_le_bytes());
    out.extend_from_slice(schema);
    align(&mut out);
    let mut add = |part: &Part| {
        let start = out.len();
        out.extend_from_slice(&part.description);
        out.extend_from_slice(&part.body);
        align(&mut out);
        Block { start, description: part.description.len(), body: part.body.len() }
    };
    let dictionaries: Vec<Block> = dictionaries.iter().map(&mut add).collect();
    let batches: Vec<Block> = batch.into_iter().map(&mut add).collect();
    out.extend_from_slice(&[0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]);
    let footer = footer(schema, &dictionaries, &batches);
    out.extend_from_slice(&footer);
    out.extend_from_slice(&(footer.len() as u32).to_le_bytes());
    out.extend_from_slice(b"ARROW1");
    out
}

/// Where a message stands in a file, and the lengths of its two parts.
struct Block {
    start: usize,
    description: usize,
    body: usize,
}

fn align(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(8), 0);
}

/// The flatbuffer at the end of a file. Offsets lead forwards, so the description of the schema message is copied behind
/// the footer's own table and pointed into.
fn footer(schema: &[u8], dictionaries: &[Block], batches: &[Block]) -> Vec<u8> {
    const FIELDS: u32 = 4;
    const TABLE: u32 = 16;
    const FIRST_VECTOR: u32 = 36;
    const BLOCK_BYTES: u32 = 24;
    // The vectors' elements are aligned to eight bytes, so their lengths stand four before such a place.
    let second = FIRST_VECTOR + 4 + BLOCK_BYTES * dictionaries.len() as u32 + 4;
    let copied = second + 4 + BLOCK_BYTES * batches.len() as u32;
    let schema_table = copied + schema_at(schema).unwrap_or(0) as u32;
    let mut out = TABLE.to_le_bytes().to_vec();
    // Lengths of this list and of the table; places in it of version, schema, dictionaries and record batches.
    for short in [12_u16, 20, 16, 4, 8, 12] {
        out.extend_from_slice(&short.to_le_bytes());
    }
    for word in [TABLE - FIELDS, schema_table - (TABLE + 4), FIRST_VECTOR - (TABLE + 8), second - (TABLE + 12), 4] {
        // The last word is the version, metadata V5, in its two low bytes.
        out.extend_from_slice(&word.to_le_bytes());
    }
    for blocks in [dictionaries, batches] {
        while out.len() % 8 != 4 {
            out.push(0);
        }
        out.extend_from_slice(&(blocks.len() as u32).to_le_bytes());
        for block in blocks {
            out.extend_from_slice(&(block.start as i64).to_le_bytes());
            out.extend_from_slice(&(block.description as i64).to_le_bytes());
            out.extend_from_slice(&(block.body as i64).to_le_bytes());
        }
    }
    debug_assert_eq!(out.len(), copied as usize);
    out.extend_from_slice(schema);
    align(&mut out);
    out
}
