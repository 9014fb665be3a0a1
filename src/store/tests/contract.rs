//! What every store has to do, whatever keeps its files.

use std::io::Read;

use anyhow::{Context, Result, ensure};

use crate::base::fail;
use crate::base::hash;
use crate::base::limits;
use crate::store::faulty::{Call, Fault, FaultyStore};
use crate::store::memory::MemoryStore;
use crate::store::tests::{Dribble, Folder, MIB, failure, noise, table};
use crate::store::{Put, Store, StoreError};

/// What every store has to do; the store is empty at first and left with some objects.
fn contract(store: &dyn Store) -> Result<()> {
    ensure!(store.list()?.is_empty(), "the contract starts with an empty store");
    unknown(store)?;
    let threshold = limits::CHUNK_THRESHOLD_BYTES as usize;
    for bytes in [0, 1, 1000, threshold - 1, threshold] {
        round_trip(store, &noise(1, bytes), false)?;
    }
    round_trip(store, &table(2, 300_000), false)?;
    round_trip(store, &noise(3, threshold + 1), true)?;
    round_trip(store, &table(4, 9 * MIB + 17), true)?;
    round_trip(store, &vec![0; 10 * MIB], true)?;
    order(store)?;
    limit(store)?;
    remove(store)
}

fn unknown(store: &dyn Store) -> Result<()> {
    let id = hash::hash(b"never put");
    ensure!(!store.contains(&id)? && store.stat(&id)?.is_none() && store.remove(&id)? == 0);
    let check = store.check(&id)?;
    ensure!(matches!(check, Some(StoreError::Missing { id: named }) if named == id), "{check:?}");
    let errors = [store.get(&id, u64::MAX).err(), store.open(&id).err(), store.parts(&id).err()];
    for error in errors {
        let error = error.context("an unknown object was found")?;
        ensure!(matches!(failure(&error)?, StoreError::Missing { id: named } if *named == id), "{error:#}");
        ensure!(fail::find(&error).is_some_and(|failure| failure.hint.is_some()), "no hint: {error:#}");
    }
    Ok(())
}

fn round_trip(store: &dyn Store, bytes: &[u8], chunked: bool) -> Result<()> {
    let length = bytes.len() as u64;
    let put = store.put(bytes)?;
    ensure!(put.id == hash::hash(bytes), "the id is not the hash of all bytes");
    ensure!(put.new && put.bytes == length && put.stored_bytes > 0, "{put:?}");
    let again = Put { stored_bytes: 0, new: false, ..put };
    ensure!(store.put(bytes)? == again, "a second put stored something");
    ensure!(store.put_reader(&mut Dribble { bytes, calls: 0 })? == again, "a reader gives another object");
    store.sync()?;
    ensure!(store.put(bytes)? == again, "a put after sync stored something");

    ensure!(store.contains(&put.id)? && store.check(&put.id)?.is_none());
    ensure!(store.get(&put.id, length)? == bytes, "other bytes came back");
    let mut reader = store.open(&put.id)?;
    let mut back = Vec::new();
    reader.read_to_end(&mut back)?;
    ensure!(back == bytes && reader.read(&mut [0; 16])? == 0, "the reader gave other bytes");

    let stat = store.stat(&put.id)?.context("no stat")?;
    ensure!(stat.bytes == length && stat.stored_bytes > 0, "{stat:?}");
    let parts = store.parts(&put.id)?;
    ensure!(chunked == (parts.len() >= 2), "{} chunks of {length} bytes", parts.len());
    let listed = store.list()?;
    let mut stored = stat.stored_bytes;
    let mut distinct = parts.clone();
    distinct.sort();
    distinct.dedup();
    for part in &distinct {
        ensure!(listed.binary_search(part).is_ok(), "a chunk is not listed");
        ensure!(store.parts(part)?.is_empty(), "a chunk has chunks");
        stored += store.stat(part)?.context("no stat of a chunk")?.stored_bytes;
    }
    ensure!(stored >= put.stored_bytes, "{stored} bytes in files, {} reported", put.stored_bytes);
    let mut joined = Vec::new();
    for part in &parts {
        joined.extend(store.get(part, u64::from(limits::CHUNK_BYTES.2))?);
    }
    ensure!(!chunked || joined == bytes, "the chunks are not the object");
    Ok(())
}

/// Readable at once, listed after a sync, in order.
fn order(store: &dyn Store) -> Result<()> {
    let put = store.put(b"staged first")?;
    ensure!(store.get(&put.id, 100)? == b"staged first" && store.contains(&put.id)?);
    ensure!(!store.list()?.contains(&put.id), "listed before it was synced");
    store.sync()?;
    store.sync()?;
    let listed = store.list()?;
    ensure!(listed.contains(&put.id) && listed.is_sorted());
    Ok(())
}

fn limit(store: &dyn Store) -> Result<()> {
    for bytes in [table(5, 2000), table(5, 5 * MIB)] {
        let put = store.put(&bytes)?;
        ensure!(store.get(&put.id, bytes.len() as u64)? == bytes);
        let error = store.get(&put.id, bytes.len() as u64 - 1).err().context("more than the limit was read")?;
        ensure!(matches!(failure(&error)?, StoreError::TooLarge { limit, .. } if *limit == bytes.len() as u64 - 1));
    }
    Ok(())
}

fn remove(store: &dyn Store) -> Result<()> {
    let bytes = table(6, 50_000);
    for synced in [false, true] {
        let put = store.put(&bytes)?;
        if synced {
            store.sync()?;
        }
        ensure!(put.new && store.remove(&put.id)? == put.stored_bytes);
        ensure!(!store.contains(&put.id)? && store.remove(&put.id)? == 0);
        store.sync()?;
        ensure!(!store.list()?.contains(&put.id));
    }
    Ok(())
}

#[test]
fn memory_store_keeps_the_contract() -> Result<()> {
    contract(&MemoryStore::new())
}

#[test]
fn local_store_keeps_the_contract() -> Result<()> {
    let folder = Folder::new()?;
    contract(&folder.open()?)
}

#[test]
fn faulty_store_without_faults_keeps_the_contract() -> Result<()> {
    contract(&FaultyStore::new(Box::new(MemoryStore::new())))
}

#[test]
fn faulty_store_fails_on_schedule() -> Result<()> {
    let store = FaultyStore::new(Box::new(MemoryStore::new()));
    store.plan(Call::Put, 1, Fault::Fail);
    store.plan(Call::Put, 2, Fault::Truncate(3));
    store.plan(Call::Sync, 0, Fault::Fail);
    store.plan(Call::Read, 0, Fault::Flip(1));
    store.plan(Call::Read, 1, Fault::Truncate(2));
    let put = store.put(b"abcdef")?;
    let error = store.put(b"abcdef").err().context("the second put works")?;
    ensure!(matches!(failure(&error)?, StoreError::Io { .. }));
    ensure!(store.put(b"abcdef")?.id == hash::hash(b"abc"));
    ensure!(store.sync().is_err() && store.sync().is_ok());
    ensure!(store.get(&put.id, 10)? == b"accdef");
    let mut text = String::new();
    store.open(&put.id)?.read_to_string(&mut text)?;
    ensure!(text == "ab" && store.get(&put.id, 10)? == b"abcdef");
    Ok(())
}
