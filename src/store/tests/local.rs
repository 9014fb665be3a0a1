//! The store in a folder: names, durability steps, other processes, a file system that refuses.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};

use crate::base::clock::Clock;
use crate::base::fail::{self, Failure};
use crate::base::hash;
use crate::base::id::ObjectId;
use crate::store::local::LocalStore;
use crate::store::tests::{Folder, MIB, failure, files, noise, replace, table};
use crate::store::{Store, StoreError};

/// Ids against the published test vectors of BLAKE3 (input byte i is i mod 251), and above 4 MiB against the
/// Python package `blake3` 1.0.11.
#[test]
fn ids_are_those_of_b3sum() -> Result<()> {
    let folder = Folder::new()?;
    let store = folder.open()?;
    let input = |length: usize| (0..length).map(|at| (at % 251) as u8).collect::<Vec<u8>>();
    for (length, expected) in [
        (0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
        (102_400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"),
        (6 * MIB + 3, "8cca5487d0b0a4a2943663c4c7c0226ee9ea953c8ba8d4faa3f6137877a7c6c3"),
    ] {
        ensure!(store.put(&input(length))?.id.hex() == expected, "{length} bytes");
    }
    Ok(())
}

#[test]
fn an_object_is_a_read_only_file_named_by_its_hash() -> Result<()> {
    let folder = Folder::new()?;
    let store = folder.open()?;
    let id = store.put(b"abc")?.id;
    ensure!(files(&folder.at("tmp"))? == 1 && files(&folder.at("objects"))? == 0);
    store.sync()?;
    let path = folder.at("objects/64/37b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85");
    ensure!(path == folder.object(&id) && fs::read(&path)?.ends_with(b"abc"));
    ensure!(fs::metadata(&path)?.permissions().mode() & 0o777 == 0o444);
    ensure!(files(&folder.at("tmp"))? == 0 && files(&folder.at("quarantine"))? == 0);
    Ok(())
}

/// What a process leaves that ends without a sync.
#[test]
fn without_sync_nothing_is_published() -> Result<()> {
    let folder = Folder::new()?;
    let (store, other) = (folder.open()?, folder.open()?);
    let (small, blob) = (store.put(b"small")?.id, store.put(&noise(1, 5 * MIB))?.id);
    ensure!(store.contains(&small)? && store.contains(&blob)?);
    ensure!(!other.contains(&small)? && !other.contains(&blob)? && other.list()?.is_empty());
    drop(store);
    ensure!(files(&folder.at("tmp"))? == 0 && files(&folder.at("objects"))? == 0);
    Ok(())
}

#[test]
fn appended_or_inserted_data_costs_only_itself() -> Result<()> {
    let folder = Folder::new()?;
    let store = folder.open()?;
    let base = table(1, 40 * MIB);
    let first = store.put(&base)?.stored_bytes;
    let appended = [base.as_slice(), &table(2, base.len() / 100)].concat();
    let tail = store.put(&appended)?.stored_bytes;
    ensure!(tail > 0 && tail * 20 < first, "1 % more rows cost {tail} bytes after {first}");
    let inserted = [&base[..10 * MIB], b"1,2,3\n", &base[10 * MIB..]].concat();
    let changed = store.put(&inserted)?.stored_bytes;
    ensure!(changed > 0 && changed * 10 < first, "one row inserted cost {changed} bytes after {first}");
    Ok(())
}

/// Threads with their own store each, as processes have, and threads that share one.
#[test]
fn concurrent_puts_of_the_same_content_all_succeed() -> Result<()> {
    let folder = Folder::new()?;
    let contents: Vec<Vec<u8>> = (0..6).map(|seed| table(seed, 1000)).chain([noise(7, 6 * MIB)]).collect();
    let shared = folder.open()?;
    let start = Barrier::new(8);
    let work = |number: usize| -> Result<()> {
        let own = folder.open()?;
        let store: &dyn Store = if number.is_multiple_of(2) { &own } else { &shared };
        start.wait();
        for round in 0..contents.len() {
            let bytes = &contents[(round + number) % contents.len()];
            let id = store.put(bytes)?.id;
            ensure!(store.get(&id, u64::MAX)? == *bytes);
            store.sync()?;
            ensure!(folder.open()?.get(&id, u64::MAX)? == *bytes, "not visible after sync");
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|number| scope.spawn(move || work(number))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("no thread panics"))
    })?;
    let ids = shared.list()?;
    ensure!(ids.len() > contents.len() && files(&folder.at("tmp"))? == 0 && files(&folder.at("quarantine"))? == 0);
    for id in ids {
        ensure!(shared.check(&id)?.is_none());
    }
    Ok(())
}

#[test]
fn a_put_of_what_is_there_renews_its_age() -> Result<()> {
    let folder = Folder::new()?;
    let store = folder.open()?;
    let id = store.put(b"old")?.id;
    store.sync()?;
    let path = folder.object(&id);
    fs::File::open(&path)?.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000))?;
    let modified = |store: &LocalStore| Ok::<_, anyhow::Error>(store.stat(&id)?.context("no stat")?.modified);
    ensure!(modified(&store)?.as_micros() == 1_000_000_000_000);
    store.put(b"old")?;
    ensure!(Clock::System.now().seconds_since(modified(&store)?).abs() < 60.0);
    Ok(())
}

#[test]
fn only_old_leftovers_are_cleaned() -> Result<()> {
    let folder = Folder::new()?;
    let store = folder.open()?;
    let young = store.put(b"at work")?.id;
    let stale = folder.at("tmp").join("object-stale");
    fs::write(&stale, [0; 100])?;
    let hour = Duration::from_secs(3600);
    fs::File::open(&stale)?.set_modified(SystemTime::now() - 2 * hour)?;
    fs::create_dir(folder.at("tmp").join("folder"))?;
    ensure!(store.clean_staging(3 * hour, Clock::System.now())? == 0);
    ensure!(store.clean_staging(hour, Clock::System.now())? == 100 && !stale.exists());
    store.sync()?;
    ensure!(folder.open()?.contains(&young)?);
    Ok(())
}

#[test]
fn strays_are_no_objects() -> Result<()> {
    let folder = Folder::new()?;
    let store = folder.open()?;
    let id = store.put(b"abc")?.id;
    store.sync()?;
    let strays =
        [folder.at("objects/64/notes.txt"), folder.at("objects/README"), folder.object(&id).with_extension("bak")];
    for stray in &strays {
        fs::write(stray, b"?")?;
    }
    let found = store.strays()?;
    ensure!(found.len() == 3 && strays.iter().all(|stray| found.contains(stray)), "{found:?}");
    ensure!(store.list()? == [id]);
    Ok(())
}

/// An error of the file system names the path, keeps what was there, and the call works once the cause is gone.
#[test]
fn failures_name_the_path_and_can_be_repeated() -> Result<()> {
    let folder = Folder::new()?;
    let store = folder.open()?;
    let id = store.put(b"abc")?.id;
    fs::write(folder.at("objects/64"), b"in the way")?;
    let error = store.sync().err().context("synced into a file")?;
    ensure!(format!("{error:#}").contains("objects/64") && matches!(failure(&error)?, StoreError::Io { .. }));
    ensure!(store.get(&id, 10)? == b"abc" && files(&folder.at("tmp"))? == 1);
    fs::remove_file(folder.at("objects/64"))?;
    store.sync()?;
    ensure!(folder.open()?.get(&id, 10)? == b"abc");

    fs::remove_dir(folder.at("tmp"))?;
    let error = store.put(b"def").err().context("staged nowhere")?;
    ensure!(format!("{error:#}").contains("tmp") && fail::find(&error).is_some_and(|f| f.hint.is_some()), "{error:#}");
    let error = store.put(&noise(1, 5 * MIB)).err().context("staged nowhere")?;
    ensure!(matches!(failure(&error)?, StoreError::Io { .. }), "{error:#}");
    Ok(())
}

#[test]
fn a_source_that_fails_is_not_stored() -> Result<()> {
    struct Dying(usize);
    impl std::io::Read for Dying {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.0.min(buffer.len());
            buffer[..count].fill(1);
            self.0 -= count;
            if count == 0 { Err(std::io::Error::other("unplugged")) } else { Ok(count) }
        }
    }
    let folder = Folder::new()?;
    let store = folder.open()?;
    for bytes in [0, 1000, 5 * MIB, 30 * MIB] {
        let error = store.put_reader(&mut Dying(bytes)).err().context("half a source was stored")?;
        ensure!(format!("{error:#}").contains("unplugged") && StoreError::find(&error).is_none());
    }
    Ok(())
}

/// Another process may heal an object between our reading its damaged file and our moving it away.
#[test]
fn only_the_file_that_was_read_is_quarantined() -> Result<()> {
    let folder = Folder::new()?;
    let (store, other) = (folder.open()?, folder.open()?);
    let id = store.put(b"abc")?.id;
    store.sync()?;
    replace(&folder.object(&id), b"damaged")?;
    let seen = store.shelf().load(&id)?.context("no file")?;
    other.put(b"abc")?;
    other.sync()?;
    let place = store.shelf().quarantine(&id, seen.identity);
    ensure!(place.starts_with("gone") && store.get(&id, 10)? == b"abc", "{place}");
    Ok(())
}

#[test]
fn every_failure_has_words_and_a_hint() -> Result<()> {
    let id: ObjectId = hash::hash(b"abc");
    let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
    for (error, words) in [
        (StoreError::Missing { id }, "not in the store"),
        (StoreError::Damaged { id, moved_to: "quarantine/x".into(), why: "cut".into() }, "is damaged: cut"),
        (StoreError::TooLarge { what: format!("object {id}"), limit: 1024 }, "larger than 1.0 KiB"),
        (StoreError::io("write", "objects/64".as_ref(), full), "cannot write objects/64"),
    ] {
        let failure = Failure::from(error);
        ensure!(failure.what.contains(words) && failure.hint.is_some(), "{failure:?}");
    }
    Ok(())
}
