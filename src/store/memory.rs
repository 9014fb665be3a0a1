//! A store in memory: for tests and for work that is thrown away. Same file format and checks as on disk.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;

use crate::base::clock::Timestamp;
use crate::base::id::ObjectId;
use crate::store::format::{FILE_BYTES_MAX, HEADER_BYTES};
use crate::store::shelf::{FileIdentity, Head, Loaded, Shelf};
use crate::store::{ObjectStat, Put, Store, StoreError, read, write};

/// Objects in memory. Time stamps count the puts in microseconds since 1970.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<MemoryShelf>);

#[derive(Default)]
struct MemoryShelf(Mutex<Files>);

#[derive(Default)]
struct Files {
    files: BTreeMap<ObjectId, MemoryFile>,
    quarantine: Vec<ObjectId>,
    puts: u64,
}

struct MemoryFile {
    bytes: Vec<u8>,
    synced: bool,
    /// Number of the put that made it, and of the last that found it.
    made: u64,
    touched: u64,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    /// Changes the stored file of an object, as a bad disk would; nothing happens when there is none.
    #[cfg(test)]
    pub fn tamper(&self, id: &ObjectId, change: impl FnOnce(&mut Vec<u8>)) {
        if let Some(file) = self.0.lock().files.get_mut(id) {
            change(&mut file.bytes);
        }
    }
}

impl MemoryShelf {
    fn lock(&self) -> MutexGuard<'_, Files> {
        // Every change is one step, so what a panicking thread left behind is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf for MemoryShelf {
    fn load(&self, id: &ObjectId) -> Result<Option<Loaded>, StoreError> {
        let files = self.lock();
        Ok(files.files.get(id).map(|file| {
            let length = file.bytes.len().min(FILE_BYTES_MAX as usize + 1);
            Loaded { file: file.bytes[..length].to_vec(), identity: (0, file.made) }
        }))
    }

    fn head(&self, id: &ObjectId) -> Result<Option<Head>, StoreError> {
        let files = self.lock();
        Ok(files.files.get(id).map(|file| Head {
            start: file.bytes[..file.bytes.len().min(HEADER_BYTES)].to_vec(),
            file_bytes: file.bytes.len() as u64,
            modified: Timestamp::from_micros(file.touched as i64),
            identity: (0, file.made),
        }))
    }

    fn stage(&self, id: &ObjectId, file: &[u8]) -> Result<bool, StoreError> {
        let mut files = self.lock();
        if files.files.contains_key(id) {
            return Ok(false);
        }
        files.puts += 1;
        let put = files.puts;
        files.files.insert(*id, MemoryFile { bytes: file.to_vec(), synced: false, made: put, touched: put });
        Ok(true)
    }

    fn touch(&self, id: &ObjectId) {
        let mut files = self.lock();
        files.puts += 1;
        let put = files.puts;
        if let Some(file) = files.files.get_mut(id) {
            file.touched = put;
        }
    }

    fn quarantine(&self, id: &ObjectId, seen: FileIdentity) -> String {
        let mut files = self.lock();
        if files.files.get(id).is_some_and(|file| file.made == seen.1) {
            files.files.remove(id);
            files.quarantine.push(*id);
        }
        format!("memory:quarantine/{id}")
    }
}

impl Store for MemoryStore {
    fn put(&self, bytes: &[u8]) -> Result<Put> {
        write::put(self.0.as_ref(), bytes)
    }

    fn put_reader(&self, reader: &mut dyn Read) -> Result<Put> {
        write::put_reader(self.0.as_ref(), reader)
    }

    fn contains(&self, id: &ObjectId) -> Result<bool> {
        read::contains(self.0.as_ref(), id)
    }

    fn open(&self, id: &ObjectId) -> Result<Box<dyn Read + Send>> {
        read::open(self.0.clone(), id)
    }

    fn get(&self, id: &ObjectId, limit: u64) -> Result<Vec<u8>> {
        read::get(self.0.clone(), id, limit)
    }

    fn sync(&self) -> Result<()> {
        self.0.lock().files.values_mut().for_each(|file| file.synced = true);
        Ok(())
    }

    fn list(&self) -> Result<Vec<ObjectId>> {
        Ok(self.0.lock().files.iter().filter(|(_, file)| file.synced).map(|(id, _)| *id).collect())
    }

    fn parts(&self, id: &ObjectId) -> Result<Vec<ObjectId>> {
        read::parts(self.0.as_ref(), id)
    }

    fn stat(&self, id: &ObjectId) -> Result<Option<ObjectStat>> {
        read::stat(self.0.as_ref(), id)
    }

    fn check(&self, id: &ObjectId) -> Result<Option<StoreError>> {
        read::check(self.0.clone(), id)
    }

    fn remove(&self, id: &ObjectId) -> Result<u64> {
        Ok(self.0.lock().files.remove(id).map_or(0, |file| file.bytes.len() as u64))
    }
}
