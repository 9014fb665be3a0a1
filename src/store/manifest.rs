//! The payload of a chunked blob: which chunks, in which order, how long.
//!
//! ```text
//! 36 bytes a chunk  id, length as u32 little endian
//! 32 bytes          BLAKE3 of blob id, header and chunks: a changed manifest is known before any chunk is looked for
//! ```

use crate::base::hash::Hasher;
use crate::base::id::ObjectId;
use crate::base::limits;
use crate::store::format::{Encoding, Flaw, HEADER_BYTES, Header};

/// Most bytes of a manifest.
pub const PAYLOAD_BYTES_MAX: u64 = limits::CHUNKS_MAX * PART_BYTES as u64 + SEAL_BYTES as u64;

const PART_BYTES: usize = 36;
const SEAL_BYTES: usize = 32;

/// One chunk of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The chunk.
    pub id: ObjectId,
    /// Its length, at least 1.
    pub bytes: u32,
}

/// The chunks of one blob, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// At least two chunks.
    pub parts: Vec<Part>,
    /// Length of the blob: the sum of all parts.
    pub bytes: u64,
}

impl Manifest {
    /// The whole object file of blob `id`.
    pub fn encode(&self, id: &ObjectId) -> Vec<u8> {
        let payload_bytes = (self.parts.len() * PART_BYTES + SEAL_BYTES) as u64;
        let header = Header { encoding: Encoding::Manifest, bytes: self.bytes, payload_bytes };
        let mut file = Vec::with_capacity(HEADER_BYTES + payload_bytes as usize);
        file.extend_from_slice(&header.to_bytes());
        for part in &self.parts {
            file.extend_from_slice(part.id.as_bytes());
            file.extend_from_slice(&part.bytes.to_le_bytes());
        }
        let seal = seal(id, &file);
        file.extend_from_slice(seal.as_bytes());
        file
    }

    /// Reads the manifest of blob `id` from its whole file.
    ///
    /// Errors: wrong seal, lengths out of range or not adding up. That the chunks have the bytes of the blob is not
    /// known from here.
    pub fn decode(id: &ObjectId, header: &Header, file: &[u8]) -> Result<Manifest, Flaw> {
        let flaw = |why: &str| Err(Flaw(why.to_owned()));
        let Some((sealed, found)) = file.split_last_chunk::<SEAL_BYTES>() else {
            return flaw("the manifest is cut short");
        };
        if sealed.len() < HEADER_BYTES || seal(id, sealed).as_bytes() != found {
            return flaw("the manifest does not match its seal");
        }
        let (entries, rest) = sealed[HEADER_BYTES..].as_chunks::<PART_BYTES>();
        let parts: Vec<Part> = entries.iter().map(part).collect();
        let bytes = parts.iter().map(|part| u64::from(part.bytes)).sum();
        let in_range = |part: &Part| (1..=limits::CHUNK_BYTES.2).contains(&part.bytes);
        if !rest.is_empty() || bytes != header.bytes || !parts.iter().all(in_range) {
            return flaw("the manifest's chunks do not add up");
        }
        Ok(Manifest { parts, bytes })
    }
}

fn part(entry: &[u8; PART_BYTES]) -> Part {
    let mut id = [0; 32];
    id.copy_from_slice(&entry[..32]);
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&entry[32..]);
    Part { id: ObjectId::new(id), bytes: u32::from_le_bytes(bytes) }
}

fn seal(id: &ObjectId, sealed: &[u8]) -> ObjectId {
    Hasher::new().update(id.as_bytes()).update(sealed).finish()
}
