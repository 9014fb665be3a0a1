//! The audit log: one line a change, each carrying the hash of the line before, so that no line can be altered or
//! taken out of the middle unnoticed.

use std::fs::File;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::base::clock::Timestamp;
use crate::base::fail;
use crate::base::hash::hash;
use crate::base::id::ObjectId;
use crate::repo::intent;
use crate::repo::layout::{self, Layout};
use crate::repo::refs::Actor;

/// Bytes read at first when looking for the last line.
const TAIL_BYTES: u64 = 8 << 10;

/// What happened, before it has a place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What was done: `dataset.add`, `model.register`, `model.state`, `model.note`, `model.tag`, `alias.move`,
    /// `alias.remove`, `run.seal`, `gc`.
    pub action: &'static str,
    /// To what: `penguins@v3`, `penguins@champion`, `run:ID`.
    pub subject: String,
    /// State before, if there was one.
    pub from: Option<String>,
    /// State after, if there is one.
    pub to: Option<String>,
    /// Why, as the person said.
    pub reason: Option<String>,
}

/// One line as written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    seq: u64,
    time: Timestamp,
    actor: Actor,
    action: String,
    subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    prev: ObjectId,
}

/// One line as read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// Position, from 1.
    pub seq: u64,
    /// When.
    pub time: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: String,
    /// State before.
    pub from: Option<String>,
    /// State after.
    pub to: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// BLAKE3 of the line before, without its line end; of nothing for the first line.
    pub prev: ObjectId,
    /// BLAKE3 of this line, without its line end.
    pub hash: ObjectId,
}

/// The end of the chain, where the next line goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    /// Length of the file in bytes.
    pub length: u64,
    /// Number of the last line; 0 when there is none.
    pub seq: u64,
    /// Hash of the last line; of nothing when there is none.
    pub hash: ObjectId,
}

/// Reads the whole log.
///
/// Errors: a line that cannot be read; the message has its number. Does not check the chain: [`breaks`] does.
pub fn read(layout: &Layout) -> Result<Vec<AuditEntry>> {
    let bytes = intent::read_committed(layout, layout::AUDIT)?;
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').enumerate();
    lines.map(|(position, line)| parse(line.trim_ascii_end(), position + 1)).collect()
}

fn parse(line: &[u8], number: usize) -> Result<AuditEntry> {
    let parsed: Line = serde_json::from_slice(line).map_err(|error| {
        fail::world(format!("line {number} of {} cannot be read: {error}", layout::AUDIT))
            .hint("run `mlops fsck`; restore the file from a copy")
    })?;
    let Line { seq, time, actor, action, subject, from, to, reason, prev } = parsed;
    Ok(AuditEntry { seq, time, actor, action, subject, from, to, reason, prev, hash: hash(line) })
}

/// Lines whose number or link to the line before is wrong, each with a sentence that says so.
pub fn breaks(entries: &[AuditEntry]) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    let mut prev = hash(b"");
    for (position, entry) in entries.iter().enumerate() {
        let expected = position as u64 + 1;
        if entry.prev != prev {
            found.push((expected, format!("line {expected} does not follow from the line before it")));
        } else if entry.seq != expected {
            found.push((expected, format!("line {expected} says it is number {}", entry.seq)));
        }
        prev = entry.hash;
    }
    found
}

/// Finds the end of the chain, reading only the last lines. For the holder of the repository lock.
pub fn tail(layout: &Layout) -> Result<Tail> {
    let path = layout.audit();
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Tail { length: 0, seq: 0, hash: hash(b"") });
        }
        Err(error) => return Err(error).with_context(|| format!("cannot open {}", path.display())),
    };
    let shown = || format!("cannot read {}", path.display());
    let length = file.metadata().with_context(shown)?.len();
    let mut wanted = TAIL_BYTES;
    loop {
        let start = length.saturating_sub(wanted);
        let mut bytes = vec![0; (length - start) as usize];
        file.read_exact_at(&mut bytes, start).with_context(shown)?;
        let Some((b'\n', body)) = bytes.split_last() else {
            if length == 0 {
                return Ok(Tail { length: 0, seq: 0, hash: hash(b"") });
            }
            return Err(fail::world(format!("{} does not end with a whole line", path.display()))
                .hint("it was changed by hand: run `mlops fsck`")
                .into());
        };
        let before = body.iter().rposition(|byte| *byte == b'\n');
        if before.is_some() || start == 0 {
            let line = &body[before.map_or(0, |end| end + 1)..];
            let parsed: Line = serde_json::from_slice(line)
                .with_context(|| format!("the last line of {} cannot be read", path.display()))?;
            return Ok(Tail { length, seq: parsed.seq, hash: hash(line) });
        }
        wanted *= 4;
    }
}

impl Tail {
    /// Adds `events` to the chain; returns their lines.
    pub fn extend(mut self, events: Vec<Event>, actor: &Actor, now: Timestamp) -> Result<String> {
        let mut text = String::new();
        for Event { action, subject, from, to, reason } in events {
            let action = action.to_owned();
            let seq = self.seq + 1;
            let line =
                Line { seq, time: now, actor: actor.clone(), action, subject, from, to, reason, prev: self.hash };
            let written = serde_json::to_string(&line).context("cannot write an audit line")?;
            self = Tail { length: self.length, seq, hash: hash(written.as_bytes()) };
            text.push_str(&written);
            text.push('\n');
        }
        Ok(text)
    }
}
