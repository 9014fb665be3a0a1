//! A JSON file as blocks of whole objects, in bounded memory.
//!
//! Lines end where a line feed stands: JSON text has none. In an array the strings and brackets are walked once, without
//! recursion, to find the commas between its elements.

use std::fs::File;
use std::io::Read;
use std::ops::Range;

use anyhow::{Context, Result};
use memchr::{memchr, memchr2};

use crate::base::fail;
use crate::base::limits::LINE_BYTES_MAX;
use crate::base::units;
use crate::data::format::csv::fields::lines;
use crate::data::format::json::Start;
use crate::data::format::json::parse::Form;

/// Bytes of one block, about.
const BLOCK_BYTES: usize = 512 << 10;
/// Bytes held at a time: a whole block more than the longest object, so that an object that fits is always found.
const BATCH_BYTES: usize = LINE_BYTES_MAX + BLOCK_BYTES;

/// Reads blocks in batches; what a batch leaves over starts the next one.
pub struct Batches {
    source: File,
    array: bool,
    buffer: Vec<u8>,
    used: usize,
    /// The file has no more bytes.
    read_all: bool,
    /// The last block was handed over.
    ended: bool,
    /// Lines before the next batch.
    line: u64,
    /// Lines in the batch handed over last.
    lines: u64,
}

/// Some blocks in order.
pub struct Batch<'a> {
    /// Bytes of all of them.
    pub bytes: &'a [u8],
    /// Where each of them stands in `bytes`, and how its objects are divided.
    pub blocks: Vec<(Range<usize>, Form)>,
    /// Lines before the first.
    pub line: u64,
}

/// Where the blocks of the bytes held end.
struct Ends {
    ends: Vec<usize>,
    /// Where the closing bracket of the array stands.
    closed: Option<usize>,
}

impl Batches {
    /// Starts at the first object of `source`.
    pub fn new(source: File, start: Start) -> Batches {
        let (array, line) = (start.array, start.line);
        let buffer = Vec::new();
        Batches { source, array, buffer, used: 0, read_all: false, ended: false, line, lines: 0 }
    }

    /// The next blocks in order; `None` at the end. They share one buffer, replaced by the next call.
    ///
    /// Errors: reading fails; an object of more than `LINE_BYTES_MAX` bytes; an array that does not end, or something
    /// after its end.
    pub fn next(&mut self) -> Result<Option<Batch<'_>>> {
        self.buffer.drain(..self.used);
        self.used = 0;
        self.line += std::mem::take(&mut self.lines);
        if self.ended {
            return Ok(None);
        }
        self.fill()?;
        let found = if self.array { array_ends(&self.buffer) } else { line_ends(&self.buffer, self.read_all) };
        let mut ends = found.ends;
        if let Some(closed) = found.closed {
            ends.push(closed);
            self.ended = true;
        } else if self.read_all && self.array {
            return Err(fail::usage("the JSON array does not end: the file is cut short")
                .hint("copy or download the file again")
                .into());
        } else if self.read_all {
            self.ended = true;
        } else if ends.is_empty() {
            let (line, limit) = (units::count(self.line + 1), units::bytes(LINE_BYTES_MAX as u64));
            return Err(fail::usage(format!("the object that starts near line {line} has more than {limit}"))
                .hint("is this a table? an object is a row")
                .into());
        }
        self.used = ends.last().copied().unwrap_or(0);
        self.lines = lines(&self.buffer[..self.used]) as u64;
        let last = ends.len().saturating_sub(1);
        let form = |index: usize| match self.array {
            true => Form::Array { last: self.ended && index == last },
            false => Form::Lines,
        };
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let blocks = starts.zip(&ends).enumerate().map(|(index, (start, end))| (start..*end, form(index))).collect();
        if self.ended && self.array {
            self.check_rest()?;
        }
        Ok(Some(Batch { bytes: &self.buffer[..self.used], blocks, line: self.line }))
    }

    fn fill(&mut self) -> Result<()> {
        if !self.read_all {
            let wanted = BATCH_BYTES.saturating_sub(self.buffer.len()) as u64;
            let read = self.source.by_ref().take(wanted).read_to_end(&mut self.buffer).context("cannot read")?;
            self.read_all = (read as u64) < wanted;
        }
        Ok(())
    }

    /// Nothing but white space may follow the array.
    fn check_rest(&mut self) -> Result<()> {
        let is_space = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_whitespace);
        let mut fine = is_space(&self.buffer[self.used + 1..]);
        let mut piece = vec![0; 64 << 10];
        while fine && !self.read_all {
            let count = self.source.read(&mut piece).context("cannot read")?;
            self.read_all = count == 0;
            fine = is_space(&piece[..count]);
        }
        match fine {
            true => Ok(()),
            false => Err(fail::usage("something follows the end of the JSON array")
                .hint("give one array, or one object a line as format = \"jsonl\"")
                .into()),
        }
    }
}

fn line_ends(bytes: &[u8], read_all: bool) -> Ends {
    let mut ends = Vec::new();
    let mut from = BLOCK_BYTES;
    while let Some(newline) = bytes.get(from..).and_then(|rest| memchr(b'\n', rest)) {
        ends.push(from + newline + 1);
        from += newline + 1 + BLOCK_BYTES;
    }
    if read_all && ends.last() != Some(&bytes.len()) {
        ends.push(bytes.len());
    }
    Ends { ends, closed: None }
}

/// Ends of blocks just behind commas between elements. `bytes` start between two elements.
fn array_ends(bytes: &[u8]) -> Ends {
    let mut ends = Vec::new();
    let mut wanted = BLOCK_BYTES;
    let mut depth = 0_usize;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => match string_end(bytes, at + 1) {
                Some(end) => at = end,
                None => break,
            },
            b'{' | b'[' => depth += 1,
            b']' if depth == 0 => return Ends { ends, closed: Some(at) },
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 0 && at >= wanted => {
                ends.push(at + 1);
                wanted = at + 1 + BLOCK_BYTES;
            }
            _ => {}
        }
        at += 1;
    }
    Ends { ends, closed: None }
}

/// Where the quote stands that closes the string whose content starts at `from`.
pub fn string_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let found = at + memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[found] == b'"' {
            return Some(found);
        }
        at = found + 2;
    }
}
