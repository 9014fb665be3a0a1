//! Damage on disk: found, named, quarantined, healed.

use std::fs;
use std::io::Read;
use std::sync::LazyLock;

use anyhow::{Context, Result, ensure};
use proptest::prelude::{any, proptest};
use proptest::test_runner::{Config, TestCaseError};

use crate::base::fail;
use crate::base::hash;
use crate::base::id::ObjectId;
use crate::store::manifest::{Manifest, Part};
use crate::store::memory::MemoryStore;
use crate::store::tests::{Folder, MIB, failure, noise, replace, table};
use crate::store::{Store, StoreError};

/// Reading `id` in every way names `bad` as damaged or missing, and gives no wrong bytes.
fn assert_unreadable(store: &dyn Store, id: &ObjectId, bad: &ObjectId, bytes: &[u8]) -> Result<()> {
    let mut read = Vec::new();
    let opened = store.open(id).and_then(|mut reader| Ok(reader.read_to_end(&mut read)?));
    let error = opened.err().context("the stream was read to its end")?;
    ensure!(read.len() < bytes.len() && bytes.starts_with(&read), "wrong bytes were handed out");
    let named = |error: &StoreError| match error {
        StoreError::Missing { id } | StoreError::Damaged { id, .. } => id == bad,
        _ => false,
    };
    ensure!(named(failure(&error)?), "{error:#}");
    ensure!(fail::find(&error).is_some_and(|failure| failure.hint.is_some()), "no hint: {error:#}");
    let error = store.get(id, u64::MAX).err().context("it was read whole")?;
    ensure!(named(failure(&error)?), "{error:#}");
    ensure!(store.check(id)?.is_some_and(|finding| named(&finding)));
    ensure!(!store.contains(id)?);
    Ok(())
}

/// Damages `bad` on disk in one way and follows it through: found, named, quarantined, healed by the next put.
fn damage(bytes: &[u8], pick: fn(&dyn Store, ObjectId) -> Result<ObjectId>, change: fn(&mut Vec<u8>)) -> Result<()> {
    let folder = Folder::new()?;
    let store = folder.open()?;
    let id = store.put(bytes)?.id;
    store.sync()?;
    let bad = pick(&store, id)?;
    let mut file = fs::read(folder.object(&bad))?;
    change(&mut file);
    replace(&folder.object(&bad), &file)?;

    let finding = store.check(&id)?.context("the damage was not found")?;
    let StoreError::Damaged { id: named, moved_to, why } = &finding else {
        anyhow::bail!("{finding}");
    };
    ensure!(*named == bad && !why.is_empty(), "{finding}");
    ensure!(fs::read(moved_to)? == file, "the damaged file is not in quarantine as it was");
    ensure!(!folder.object(&bad).exists());
    assert_unreadable(&store, &id, &bad, bytes)?;

    let healed = store.put(bytes)?;
    ensure!(healed.id == id && healed.stored_bytes > 0, "{healed:?}");
    store.sync()?;
    ensure!(folder.open()?.get(&id, u64::MAX)? == bytes && store.check(&id)?.is_none() && store.contains(&id)?);
    Ok(())
}

fn itself(_: &dyn Store, id: ObjectId) -> Result<ObjectId> {
    Ok(id)
}

fn last_chunk(store: &dyn Store, id: ObjectId) -> Result<ObjectId> {
    store.parts(&id)?.last().copied().context("no chunks")
}

fn cut(file: &mut Vec<u8>) {
    file.truncate(file.len() - 1);
}

#[expect(clippy::ptr_arg, reason = "stands beside changes that need the vector")]
fn flip(file: &mut Vec<u8>) {
    let middle = file.len() / 2;
    file[middle] ^= 0x10;
}

#[test]
fn damage_is_found_named_kept_and_healed() -> Result<()> {
    let blob = table(1, 6 * MIB);
    for change in [cut, flip, |file: &mut Vec<u8>| file.clear(), |file: &mut Vec<u8>| file.push(0)] {
        damage(b"small and raw", itself, change)?;
        damage(&table(2, 10_000), itself, change)?;
        damage(&blob, itself, change)?;
        damage(&blob, last_chunk, change)?;
    }
    Ok(())
}

#[test]
fn a_misnamed_object_is_damaged() -> Result<()> {
    let folder = Folder::new()?;
    let store = folder.open()?;
    let (small, blob) = (store.put(b"one")?.id, store.put(&noise(1, 5 * MIB))?.id);
    store.sync()?;
    for id in [small, blob] {
        let wrong = hash::hash(id.as_bytes());
        fs::create_dir_all(folder.object(&wrong).parent().context("no folder")?)?;
        fs::copy(folder.object(&id), folder.object(&wrong))?;
        ensure!(store.list()?.contains(&wrong));
        let finding = store.check(&wrong)?;
        ensure!(matches!(&finding, Some(StoreError::Damaged { id, .. }) if *id == wrong), "{finding:?}");
        ensure!(store.check(&id)?.is_none());
    }
    Ok(())
}

#[test]
fn a_missing_chunk_is_named_and_put_again() -> Result<()> {
    let folder = Folder::new()?;
    let store = folder.open()?;
    let bytes = noise(5, 9 * MIB);
    let id = store.put(&bytes)?.id;
    store.sync()?;
    let chunk = store.parts(&id)?[3];
    fs::remove_file(folder.object(&chunk))?;
    ensure!(store.parts(&id)?.contains(&chunk) && store.stat(&id)?.is_some());
    assert_unreadable(&store, &id, &chunk, &bytes)?;
    let put = store.put(&bytes)?;
    ensure!(!put.new && put.stored_bytes > 0, "only the chunk is new: {put:?}");
    ensure!(store.get(&id, u64::MAX)? == bytes);
    Ok(())
}

/// A put looks at header and length of what is there, so a file cut short does not stay.
#[test]
fn a_put_heals_a_file_cut_short() -> Result<()> {
    let folder = Folder::new()?;
    let store = folder.open()?;
    let bytes = table(7, 30_000);
    let id = store.put(&bytes)?.id;
    store.sync()?;
    let mut file = fs::read(folder.object(&id))?;
    cut(&mut file);
    replace(&folder.object(&id), &file)?;
    ensure!(!store.contains(&id)? && folder.object(&id).exists(), "asking does not move anything");
    let put = folder.open()?.put(&bytes)?;
    ensure!(put.new && fs::read(folder.at("quarantine").join(id.hex()))? == file);
    // Damage of the same object twice: both files are kept.
    store.put(&bytes)?;
    store.sync()?;
    replace(&folder.object(&id), b"again")?;
    ensure!(store.check(&id)?.is_some());
    ensure!(fs::read(folder.at("quarantine").join(format!("{id}-1")))? == b"again");
    Ok(())
}

/// A manifest may be well made and still not be that of this blob, or name itself.
#[test]
fn a_lying_manifest_is_damaged() -> Result<()> {
    let store = MemoryStore::new();
    let (a, b) = (noise(1, 3 * MIB), noise(2, 3 * MIB));
    let blob = store.put(&[a.as_slice(), &b].concat())?.id;
    let (first, second) = (store.put(&a)?.id, store.put(&b)?.id);
    let part = |id| Part { id, bytes: 3 << 20 };
    let lies = [vec![part(second), part(first)], vec![part(blob), part(first)], {
        let longer = Part { id: first, bytes: (3 << 20) + 1 };
        vec![longer, part(second)]
    }];
    for parts in lies {
        store.put(&[a.as_slice(), &b].concat())?;
        let bytes = parts.iter().map(|part| u64::from(part.bytes)).sum();
        let lie = Manifest { parts, bytes }.encode(&blob);
        store.tamper(&blob, |file| *file = lie);
        let finding = store.check(&blob)?;
        ensure!(matches!(&finding, Some(StoreError::Damaged { id, .. }) if *id == blob), "{finding:?}");
        ensure!(store.get(&first, u64::MAX)? == a, "the chunks are not to blame");
    }
    Ok(())
}

#[test]
fn a_failed_reader_stays_failed() -> Result<()> {
    let store = MemoryStore::new();
    let bytes = noise(9, 12 * MIB);
    let id = store.put(&bytes)?.id;
    let chunk = last_chunk(&store, id)?;
    store.tamper(&chunk, flip);
    let mut reader = store.open(&id)?;
    let mut read = Vec::new();
    ensure!(reader.read_to_end(&mut read).is_err() && read.len() < bytes.len() && bytes.starts_with(&read));
    for _ in 0..3 {
        ensure!(reader.read(&mut [0; 10]).is_err(), "an error turned into an end");
    }
    Ok(())
}

proptest! {
    #![proptest_config(Config::with_cases(64))]
    /// Any one change of any file of a blob is noticed, or changes nothing.
    #[test]
    fn no_change_goes_unnoticed(which in any::<usize>(), place in any::<usize>(), byte in 1_u8.., cut in any::<bool>()) {
        static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| table(11, 5 * MIB));
        let (store, bytes) = (MemoryStore::new(), &*BYTES);
        let run = || -> Result<bool> {
            let id = store.put(bytes)?.id;
            let mut ids = store.parts(&id)?;
            ids.push(id);
            store.tamper(&ids[which % ids.len()], |file| {
                let at = place % file.len();
                if cut { file.truncate(at) } else { file[at] ^= byte }
            });
            Ok(match store.get(&id, u64::MAX) {
                Ok(found) => found == *bytes,
                Err(error) => matches!(failure(&error)?, StoreError::Damaged { .. }),
            })
        };
        let noticed = run().map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
        if !noticed {
            return Err(TestCaseError::fail("other bytes, or another error than damage"));
        }
    }
}
