//! Putting: bytes to object files, large blobs cut into chunks that all threads hash, compress and stage.

use std::io::Read;

use anyhow::{Context, Result};
use rayon::prelude::*;

use crate::base::failpoint;
use crate::base::hash::{self, Hasher};
use crate::base::id::ObjectId;
use crate::base::limits;
use crate::store::chunker::{Batch, Chunker};
use crate::store::format;
use crate::store::manifest::{Manifest, Part};
use crate::store::shelf::{self, Found, Shelf};
use crate::store::{Put, StoreError};

/// Stages all that `reader` gives.
pub fn put_reader(shelf: &dyn Shelf, reader: &mut dyn Read) -> Result<Put> {
    let mut start = Vec::new();
    let read = Read::take(&mut *reader, limits::CHUNK_THRESHOLD_BYTES + 1).read_to_end(&mut start);
    read.context("cannot read the bytes to store")?;
    if start.len() as u64 > limits::CHUNK_THRESHOLD_BYTES {
        put_chunks(shelf, Chunker::new(start, reader))
    } else {
        Ok(put_whole(shelf, &start)?)
    }
}

/// Stages bytes that are in memory.
pub fn put(shelf: &dyn Shelf, mut bytes: &[u8]) -> Result<Put> {
    if bytes.len() as u64 > limits::CHUNK_THRESHOLD_BYTES {
        put_chunks(shelf, Chunker::new(Vec::new(), &mut bytes))
    } else {
        Ok(put_whole(shelf, bytes)?)
    }
}

fn put_whole(shelf: &dyn Shelf, bytes: &[u8]) -> Result<Put, StoreError> {
    let id = hash::hash(bytes);
    let stored_bytes = stage_unless_there(shelf, &id, bytes.len() as u64, || format::encode(bytes))?;
    failpoint::hit("store.staged");
    Ok(Put { id, bytes: bytes.len() as u64, stored_bytes, new: stored_bytes > 0 })
}

/// While the other threads work on one batch of chunks, this one reads and cuts the next.
fn put_chunks(shelf: &dyn Shelf, mut chunker: Chunker<'_>) -> Result<Put> {
    let mut whole = Hasher::new();
    let mut manifest = Manifest { parts: Vec::new(), bytes: 0 };
    let mut stored_bytes = 0;
    let mut next = chunker.next_batch().context("cannot read the bytes to store")?;
    while let Some(batch) = next {
        let mut staged = Vec::new();
        let following = rayon::in_place_scope(|scope| {
            scope.spawn(|_| staged = stage_batch(shelf, &batch, &mut whole));
            chunker.next_batch()
        });
        for result in staged {
            let (part, stored) = result?;
            manifest.bytes += u64::from(part.bytes);
            manifest.parts.push(part);
            stored_bytes += stored;
        }
        if manifest.parts.len() as u64 > limits::CHUNKS_MAX {
            let limit = limits::CHUNKS_MAX * u64::from(limits::CHUNK_BYTES.1);
            return Err(StoreError::TooLarge { what: "what is to be stored".to_owned(), limit }.into());
        }
        chunker.recycle(batch);
        next = following.context("cannot read the bytes to store")?;
    }
    let id = whole.finish();
    let own = stage_unless_there(shelf, &id, manifest.bytes, || manifest.encode(&id))?;
    failpoint::hit("store.staged");
    Ok(Put { id, bytes: manifest.bytes, stored_bytes: stored_bytes + own, new: own > 0 })
}

/// Hashes the batch into `whole` and stages its chunks; one result a chunk, in order.
fn stage_batch(shelf: &dyn Shelf, batch: &Batch, whole: &mut Hasher) -> Vec<Result<(Part, u64), StoreError>> {
    let chunks = batch.chunks();
    let stage = |chunk: &&[u8]| {
        let part = Part { id: hash::hash(chunk), bytes: chunk.len() as u32 };
        let stored = stage_unless_there(shelf, &part.id, chunk.len() as u64, || format::encode(chunk))?;
        Ok((part, stored))
    };
    let hash = || {
        whole.update_parallel(batch.bytes());
    };
    rayon::join(hash, || chunks.par_iter().with_max_len(1).map(stage).collect()).1
}

/// Stages the file that `encode` makes unless there is a good one; returns the new bytes.
fn stage_unless_there(
    shelf: &dyn Shelf,
    id: &ObjectId,
    bytes: u64,
    encode: impl FnOnce() -> Vec<u8>,
) -> Result<u64, StoreError> {
    match shelf::find(shelf, id)? {
        Found::Good(header, _) if header.bytes == bytes => {
            shelf.touch(id);
            return Ok(0);
        }
        // The good bytes are at hand: what is there instead makes room for them.
        Found::Good(_, head) | Found::Bad(head, _) => {
            shelf.quarantine(id, head.identity);
        }
        Found::Nothing => {}
    }
    let file = encode();
    Ok(if shelf.stage(id, &file)? { file.len() as u64 } else { 0 })
}
