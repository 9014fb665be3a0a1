//! The bytes of an object file: a header of 24 bytes, then the payload.
//!
//! ```text
//! 0  6  magic and format version, "mlobj" 1
//! 6  1  encoding: 0 raw, 1 zstd, 2 manifest
//! 7  1  zero
//! 8  8  decoded length, little endian
//! 16 8  payload length, little endian: a file cut short is known without reading it
//! ```

use std::fmt;

use zstd::bulk::Compressor;

use crate::base::hash;
use crate::base::id::ObjectId;
use crate::base::limits;
use crate::store::manifest::{self, Manifest};

/// Bytes before the payload.
pub const HEADER_BYTES: usize = 24;
/// Most bytes an object file may have: raw payloads end at the chunking threshold, manifests at their own limit.
pub const FILE_BYTES_MAX: u64 = HEADER_BYTES as u64 + manifest::PAYLOAD_BYTES_MAX;

const MAGIC: [u8; 6] = *b"mlobj\x01";
/// zstd's fastest regular level. Measured on 132 MB of mixed CSV, 2 cores: level 1 makes 55 MB in 0.34 s, level 3 57 MB in
/// 0.59 s.
const LEVEL: i32 = 1;
/// Payloads are compressed when that saves at least one byte in this many; less is not worth decoding.
const SAVING_MIN: usize = 16;
/// Objects above this many bytes are judged by a sample from their middle before all of them is compressed.
const SAMPLED_ABOVE_BYTES: usize = 128 << 10;
const SAMPLE_BYTES: usize = 32 << 10;

/// How a payload holds the bytes of its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As they are.
    Raw,
    /// In one zstd frame.
    Zstd,
    /// In chunks, which are objects of their own.
    Manifest,
}

/// The checked start of an object file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// How the payload is to be read.
    pub encoding: Encoding,
    /// Length of the object.
    pub bytes: u64,
    /// Length of the payload.
    pub payload_bytes: u64,
}

/// Why a file is not the object it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw(pub String);

/// A decoded and, as far as one file goes, verified object file.
#[derive(Debug)]
pub enum Content {
    /// All bytes of the object; their hash is its id.
    Bytes(Vec<u8>),
    /// The chunks to read; bound to the id by a checksum, the bytes still to be verified.
    Manifest(Manifest),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Header {
    /// Reads the header of a file of `file_bytes` bytes that begins with `start`.
    ///
    /// Errors: anything but a header that this version writes, or lengths that contradict the file.
    pub fn parse(start: &[u8], file_bytes: u64) -> Result<Header, Flaw> {
        let flaw = |why: &str| Err(Flaw(why.to_owned()));
        let Some(start) = start.first_chunk::<HEADER_BYTES>() else {
            return flaw("the file ends within its header");
        };
        if start[..6] != MAGIC || start[7] != 0 {
            return flaw("the header is not that of an object");
        }
        let (bytes, payload_bytes) = (number(start, 8), number(start, 16));
        let encoding = match start[6] {
            0 => Encoding::Raw,
            1 => Encoding::Zstd,
            2 => Encoding::Manifest,
            _ => return flaw("the header names an unknown encoding"),
        };
        let payload_there = file_bytes - HEADER_BYTES as u64;
        if payload_bytes != payload_there {
            return Err(Flaw(format!("{payload_there} bytes of payload instead of {payload_bytes}")));
        }
        let chunked = bytes > limits::CHUNK_THRESHOLD_BYTES;
        let fits = match encoding {
            Encoding::Raw => !chunked && payload_bytes == bytes,
            Encoding::Zstd => !chunked && payload_bytes < bytes,
            Encoding::Manifest => chunked && payload_bytes <= manifest::PAYLOAD_BYTES_MAX,
        };
        if fits {
            Ok(Header { encoding, bytes, payload_bytes })
        } else {
            flaw("the lengths in the header contradict each other")
        }
    }

    /// The header as written.
    pub fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let mut header = [0; HEADER_BYTES];
        header[..6].copy_from_slice(&MAGIC);
        header[6] = match self.encoding {
            Encoding::Raw => 0,
            Encoding::Zstd => 1,
            Encoding::Manifest => 2,
        };
        header[8..16].copy_from_slice(&self.bytes.to_le_bytes());
        header[16..].copy_from_slice(&self.payload_bytes.to_le_bytes());
        header
    }
}

fn number(header: &[u8; HEADER_BYTES], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&header[at..at + 8]);
    u64::from_le_bytes(bytes)
}

/// The whole file of an object of at most the chunking threshold: compressed if that pays, else raw.
pub fn encode(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len() as u64;
    let compressed = if promises_saving(bytes) { compress(bytes, HEADER_BYTES) } else { None };
    if let Some(mut file) = compressed {
        let payload_bytes = (file.len() - HEADER_BYTES) as u64;
        let header = Header { encoding: Encoding::Zstd, bytes: length, payload_bytes };
        file[..HEADER_BYTES].copy_from_slice(&header.to_bytes());
        return file;
    }
    let header = Header { encoding: Encoding::Raw, bytes: length, payload_bytes: length };
    let mut file = Vec::with_capacity(HEADER_BYTES + bytes.len());
    file.extend_from_slice(&header.to_bytes());
    file.extend_from_slice(bytes);
    file
}

fn promises_saving(bytes: &[u8]) -> bool {
    if bytes.len() <= SAMPLED_ABOVE_BYTES {
        return true;
    }
    let middle = bytes.len() / 2;
    compress(&bytes[middle..middle + SAMPLE_BYTES], 0).is_some()
}

/// `bytes` as one zstd frame after `room` zero bytes; `None` unless that saves enough.
fn compress(bytes: &[u8], room: usize) -> Option<Vec<u8>> {
    // The room given is what would pay, so a frame that does not pay fails early instead of being thrown away.
    let mut file = vec![0; room + bytes.len() - bytes.len().div_ceil(SAVING_MIN)];
    let written = Compressor::new(LEVEL).and_then(|mut frame| frame.compress_to_buffer(bytes, &mut file[room..]));
    file.truncate(room + written.ok()?);
    Some(file)
}

/// Decodes and verifies the file of object `id`; allocates at most the chunking threshold beyond the file.
pub fn decode(id: &ObjectId, mut file: Vec<u8>) -> Result<Content, Flaw> {
    let header = Header::parse(&file, file.len() as u64)?;
    let bytes = match header.encoding {
        Encoding::Manifest => return Manifest::decode(id, &header, &file).map(Content::Manifest),
        Encoding::Raw => {
            file.drain(..HEADER_BYTES);
            file
        }
        Encoding::Zstd => zstd::bulk::decompress(&file[HEADER_BYTES..], header.bytes as usize)
            .map_err(|error| Flaw(format!("the payload does not decompress: {error}")))?,
    };
    if bytes.len() as u64 != header.bytes {
        return Err(Flaw(format!("it decodes to {} bytes instead of {}", bytes.len(), header.bytes)));
    }
    let found = hash::hash(&bytes);
    if found == *id { Ok(Content::Bytes(bytes)) } else { Err(Flaw(format!("its bytes hash to {found}"))) }
}
