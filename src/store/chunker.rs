//! Cuts a stream into content-defined chunks: FastCDC (Xia et al. 2020, "The Design of Fast Content Defined Chunking
//! for Data Deduplication Based Storage Systems"), so that an insertion changes only the chunks around it.
//!
//! The cuts depend on the bytes alone, never on how the reader happens to hand them out. They are part of the format:
//! other cuts would still read back, but share nothing with blobs stored before.

use std::io::{self, Read};
use std::mem;

use fastcdc::v2020::FastCDC;

use crate::base::limits;

/// Bytes looked at in one go: at least two of the largest chunks, eight usual ones, so that all threads have work.
const WINDOW_BYTES: usize = 2 * limits::CHUNK_BYTES.2 as usize;

/// Some consecutive chunks of a stream.
pub struct Batch {
    bytes: Vec<u8>,
    lengths: Vec<usize>,
}

/// A stream, cut.
pub struct Chunker<'r> {
    reader: &'r mut dyn Read,
    /// What was read but not cut yet.
    rest: Vec<u8>,
    /// A used buffer, to be filled again.
    spare: Vec<u8>,
    ended: bool,
}

impl Batch {
    /// All bytes of the batch.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The chunks, in order.
    pub fn chunks(&self) -> Vec<&[u8]> {
        let mut rest = self.bytes.as_slice();
        let mut chunks = Vec::with_capacity(self.lengths.len());
        for length in &self.lengths {
            let (chunk, after) = rest.split_at(*length);
            chunks.push(chunk);
            rest = after;
        }
        chunks
    }
}

impl<'r> Chunker<'r> {
    /// Cuts `start` followed by all that `reader` gives.
    pub fn new(start: Vec<u8>, reader: &'r mut dyn Read) -> Chunker<'r> {
        Chunker { reader, rest: start, spare: Vec::new(), ended: false }
    }

    /// Gives a batch's buffer back.
    pub fn recycle(&mut self, batch: Batch) {
        self.spare = batch.bytes;
    }

    /// The next chunks; `None` after the last.
    pub fn next_batch(&mut self) -> io::Result<Option<Batch>> {
        let mut bytes = mem::take(&mut self.rest);
        if !self.ended {
            let wanted = WINDOW_BYTES.saturating_sub(bytes.len());
            bytes.reserve_exact(wanted);
            self.ended = Read::take(&mut *self.reader, wanted as u64).read_to_end(&mut bytes)? < wanted;
        }
        let (min, usual, max) = limits::CHUNK_BYTES;
        let knife = FastCDC::new(&bytes, min as usize, usual as usize, max as usize);
        let mut lengths = Vec::new();
        let mut at = 0;
        // A cut is certain only with the largest chunk in sight, or the end of the stream.
        while bytes.len() - at >= max as usize || (self.ended && at < bytes.len()) {
            let (_, end) = knife.cut(at, bytes.len() - at);
            lengths.push(end - at);
            at = end;
        }
        let mut rest = mem::take(&mut self.spare);
        rest.clear();
        rest.extend_from_slice(&bytes[at..]);
        self.rest = rest;
        bytes.truncate(at);
        Ok(if lengths.is_empty() { None } else { Some(Batch { bytes, lengths }) })
    }
}
