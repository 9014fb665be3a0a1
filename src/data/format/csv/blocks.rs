//! A text table as blocks of whole records, in bounded memory.
//!
//! Where a record ends depends on the quotes before it, so the quotes are walked once from the start of the file; a block
//! then stands for itself and can be scanned on any thread.

use std::io::Read;
use std::ops::Range;

use anyhow::{Context, Result};
use memchr::memchr;

use crate::base::limits::LINE_BYTES_MAX;
use crate::data::format::csv::fields::{Dialect, closing_quote, lines};

/// Bytes of one block, about: small enough for the cache of one core, large enough that its bookkeeping is nothing.
const BLOCK_BYTES: usize = 512 << 10;
/// Bytes held at a time. A whole block more than the longest line, so that a line that fits is always found.
const BATCH_BYTES: usize = LINE_BYTES_MAX + BLOCK_BYTES;

/// Reads blocks in batches; what a batch leaves over starts the next one.
pub struct Batches<R> {
    source: R,
    dialect: Dialect,
    buffer: Vec<u8>,
    used: usize,
    ended: bool,
}

/// Some blocks in order.
pub struct Batch<'a> {
    /// Bytes of all of them.
    pub bytes: &'a [u8],
    /// Where each of them stands in `bytes`.
    pub blocks: Vec<Range<usize>>,
}

/// A record that is longer than any row may be.
#[derive(Debug)]
pub struct TooLong {
    /// Line in what was read since the last batch, from 0, where it starts.
    pub line: usize,
    /// Whether it is long because a quote never closes; then `line` is where the quote opens.
    pub open_quote: bool,
}

impl<R: Read> Batches<R> {
    /// Starts at the first record of `source`.
    pub fn new(source: R, dialect: Dialect) -> Batches<R> {
        Batches { source, dialect, buffer: Vec::new(), used: 0, ended: false }
    }

    /// The next blocks in order; none at the end. They share one buffer, replaced by the next call.
    ///
    /// Errors: reading fails. The inner error: a record of more than `LINE_BYTES_MAX` bytes.
    pub fn next(&mut self) -> Result<Result<Option<Batch<'_>>, TooLong>> {
        self.buffer.drain(..self.used);
        self.used = 0;
        if !self.ended {
            let wanted = BATCH_BYTES.saturating_sub(self.buffer.len()) as u64;
            let read = self.source.by_ref().take(wanted).read_to_end(&mut self.buffer).context("cannot read")?;
            self.ended = (read as u64) < wanted;
        }
        if self.buffer.is_empty() {
            return Ok(Ok(None));
        }
        let (mut ends, open) = block_ends(&self.buffer, self.dialect);
        if self.ended {
            if ends.last() != Some(&self.buffer.len()) {
                ends.push(self.buffer.len());
            }
        } else if ends.is_empty() {
            // Without a line end beyond the first block, the long record starts inside it.
            let before = open.unwrap_or(BLOCK_BYTES.min(self.buffer.len()));
            return Ok(Err(TooLong { line: lines(&self.buffer[..before]), open_quote: open.is_some() }));
        }
        self.used = ends.last().copied().unwrap_or(0);
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let blocks = starts.zip(ends.iter().copied()).map(|(start, end)| start..end).collect();
        Ok(Ok(Some(Batch { bytes: &self.buffer[..self.used], blocks })))
    }
}

/// Where blocks of about [`BLOCK_BYTES`] may end, and the quote that is still open at the end of `bytes`.
fn block_ends(bytes: &[u8], dialect: Dialect) -> (Vec<usize>, Option<usize>) {
    let mut ends = Vec::new();
    let mut wanted = BLOCK_BYTES;
    let mut outside = 0;
    let mut at = 0;
    while let Some(found) = memchr(dialect.quote, &bytes[at..]) {
        let quote = at + found;
        let opens = quote == 0 || bytes[quote - 1] == dialect.delimiter || bytes[quote - 1] == b'\n';
        if !opens {
            at = quote + 1;
            continue;
        }
        push_ends(bytes, outside..quote, &mut wanted, &mut ends);
        match closing_quote(bytes, quote + 1, dialect.quote) {
            Some(close) => {
                outside = close + 1;
                at = outside;
            }
            None => return (ends, Some(quote)),
        }
    }
    push_ends(bytes, outside..bytes.len(), &mut wanted, &mut ends);
    (ends, None)
}

/// Line ends in a stretch outside quotes that are at least one block after the last one taken.
fn push_ends(bytes: &[u8], stretch: Range<usize>, wanted: &mut usize, ends: &mut Vec<usize>) {
    while (*wanted).max(stretch.start) < stretch.end {
        let from = (*wanted).max(stretch.start);
        let Some(newline) = memchr(b'\n', &bytes[from..stretch.end]) else {
            return;
        };
        ends.push(from + newline + 1);
        *wanted = from + newline + 1 + BLOCK_BYTES;
    }
}
