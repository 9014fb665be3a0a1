//! The store in a folder.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::Result;
use tempfile::TempPath;

use crate::base::clock::{Clock, Timestamp};
use crate::base::failpoint;
use crate::base::id::ObjectId;
use crate::store::disk;
use crate::store::format::{FILE_BYTES_MAX, HEADER_BYTES};
use crate::store::shelf::{FileIdentity, Head, Loaded, Shelf};
use crate::store::{ObjectStat, Put, Store, StoreError, read, write};

/// Objects are never changed, so nobody may write to their files, not even their owner by mistake.
const MODE: u32 = 0o444;

/// Objects in a folder of a local file system, shared with other processes.
///
/// Needs no lock: files get their names complete and durable, and two that put the same object put the same bytes.
/// Dropping the store removes what was not synced.
#[derive(Clone)]
pub struct LocalStore(Arc<LocalShelf>);

struct LocalShelf {
    objects: PathBuf,
    staging: PathBuf,
    quarantine: PathBuf,
    pending: Mutex<Pending>,
    /// Held during a sync, so that a second one returns only when the first is done.
    syncing: Mutex<()>,
}

#[derive(Default)]
struct Pending {
    /// Objects without their name yet.
    staged: HashMap<ObjectId, TempPath>,
    /// Folders with names that may not be durable yet, including names that other processes gave.
    folders: BTreeSet<PathBuf>,
}

impl LocalStore {
    /// Opens the store in `objects`; all three folders must be on one file system and are created if missing.
    pub fn open(objects: &Path, staging: &Path, quarantine: &Path) -> Result<LocalStore> {
        for folder in [objects, staging, quarantine] {
            disk::create_folder(folder)?;
        }
        Ok(LocalStore(Arc::new(LocalShelf {
            objects: objects.to_owned(),
            staging: staging.to_owned(),
            quarantine: quarantine.to_owned(),
            pending: Mutex::default(),
            syncing: Mutex::default(),
        })))
    }

    /// Removes files in the staging folder that nobody wrote to for `older_than`: leftovers of processes that were
    /// killed. Returns the bytes freed.
    ///
    /// Choose `older_than` well above the time between a put and its sync: age is all that tells a leftover from the
    /// staged object of a process at work.
    pub fn clean_staging(&self, older_than: Duration, now: Timestamp) -> Result<u64> {
        let mut freed = 0;
        for entry in disk::entries(&self.0.staging)? {
            let Some(metadata) =
                disk::optional(entry.metadata()).map_err(|e| StoreError::io("look at", &entry.path(), e))?
            else {
                continue;
            };
            let stale = now.seconds_since(disk::modified(&metadata)) > older_than.as_secs_f64();
            if metadata.is_file() && stale && disk::remove_file(&entry.path())? {
                freed += metadata.len();
            }
        }
        Ok(freed)
    }

    /// The files below the objects, to act between two steps of a reader.
    #[cfg(test)]
    pub(crate) fn shelf(&self) -> Arc<dyn Shelf> {
        self.0.clone()
    }

    /// What lies in the objects folder without being named like an object, sorted: nothing reads it.
    pub fn strays(&self) -> Result<Vec<PathBuf>> {
        let mut strays = Vec::new();
        self.0.walk(|path, id| {
            if id.is_none() {
                strays.push(path.to_owned());
            }
        })?;
        strays.sort();
        Ok(strays)
    }
}

impl LocalShelf {
    fn lock(&self) -> MutexGuard<'_, Pending> {
        // Every change is one step, so what a panicking thread left behind is whole.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folder and the file of an object.
    fn place(&self, id: &ObjectId) -> (PathBuf, PathBuf) {
        let hex = id.hex();
        let folder = self.objects.join(&hex[..2]);
        let file = folder.join(&hex[2..]);
        (folder, file)
    }

    /// Opens an object's file under whichever name it has.
    fn file(&self, id: &ObjectId) -> Result<Option<(PathBuf, File)>, StoreError> {
        // Staged objects are named while the lock is held, so one of the two names is always there.
        let pending = self.lock();
        let path = pending.staged.get(id).map_or_else(|| self.place(id).1, |staged| staged.to_path_buf());
        let opened = disk::optional(File::open(&path)).map_err(|error| StoreError::io("open", &path, error))?;
        Ok(opened.map(|file| (path, file)))
    }

    /// Gives staged objects their names. Those that fail stay staged.
    fn publish(&self, staged: &[(ObjectId, PathBuf)]) -> Result<(), StoreError> {
        for (id, _) in staged {
            let (folder, file) = self.place(id);
            disk::create_folder(&folder)?;
            let mut pending = self.lock();
            pending.folders.insert(folder);
            let Some(path) = pending.staged.remove(id) else {
                continue;
            };
            if let Err(failed) = path.persist(&file) {
                pending.staged.insert(*id, failed.path);
                return Err(StoreError::io("write", &file, failed.error));
            }
        }
        Ok(())
    }

    /// Write order: contents, then names, then the folders that hold the names.
    fn sync(&self) -> Result<(), StoreError> {
        let _turn = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut staged: Vec<(ObjectId, PathBuf)> =
            self.lock().staged.iter().map(|(id, path)| (*id, path.to_path_buf())).collect();
        staged.sort();
        disk::on_threads(&staged, |(_, path)| disk::flush(path))?;
        self.publish(&staged)?;
        let folders: Vec<PathBuf> = self.lock().folders.iter().cloned().collect();
        if !folders.is_empty() {
            // The folders have names too, possibly given by another process a moment ago.
            disk::on_threads(&folders, |folder| disk::flush(folder))?;
            disk::flush(&self.objects)?;
        }
        self.lock().folders.retain(|folder| !folders.contains(folder));
        failpoint::hit("store.synced");
        Ok(())
    }

    /// Visits everything in the objects folder, with its id if it is named like an object.
    fn walk(&self, mut visit: impl FnMut(&Path, Option<ObjectId>)) -> Result<(), StoreError> {
        for folder in disk::entries(&self.objects)? {
            let path = folder.path();
            let name = folder.file_name().into_string().unwrap_or_default();
            if name.len() != 2 || !path.is_dir() {
                visit(&path, None);
                continue;
            }
            for file in disk::entries(&path)? {
                let rest = file.file_name().into_string().unwrap_or_default();
                let regular = file.file_type().is_ok_and(|kind| kind.is_file());
                let id = if regular { format!("{name}{rest}").parse().ok() } else { None };
                visit(&file.path(), id);
            }
        }
        Ok(())
    }

    /// A name in the quarantine folder that is still free.
    fn cell(&self, id: &ObjectId) -> PathBuf {
        let first = self.quarantine.join(id.hex());
        let others = (1_u32..).map(|number| self.quarantine.join(format!("{id}-{number}")));
        let mut names = std::iter::once(first.clone()).chain(others);
        names.find(|path| !path.exists()).unwrap_or(first)
    }
}

impl Shelf for LocalShelf {
    fn load(&self, id: &ObjectId) -> Result<Option<Loaded>, StoreError> {
        let Some((path, file)) = self.file(id)? else {
            return Ok(None);
        };
        let read = || -> io::Result<Loaded> {
            let metadata = file.metadata()?;
            let mut bytes = Vec::with_capacity(metadata.len().min(FILE_BYTES_MAX) as usize + 1);
            (&file).take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
            Ok(Loaded { file: bytes, identity: (metadata.dev(), metadata.ino()) })
        };
        read().map(Some).map_err(|error| StoreError::io("read", &path, error))
    }

    fn head(&self, id: &ObjectId) -> Result<Option<Head>, StoreError> {
        let Some((path, file)) = self.file(id)? else {
            return Ok(None);
        };
        let look = || -> io::Result<Head> {
            let metadata = file.metadata()?;
            let mut start = Vec::with_capacity(HEADER_BYTES);
            (&file).take(HEADER_BYTES as u64).read_to_end(&mut start)?;
            let identity = (metadata.dev(), metadata.ino());
            Ok(Head { start, file_bytes: metadata.len(), modified: disk::modified(&metadata), identity })
        };
        look().map(Some).map_err(|error| StoreError::io("read", &path, error))
    }

    fn stage(&self, id: &ObjectId, file: &[u8]) -> Result<bool, StoreError> {
        let failed = |error| StoreError::io("write an object in", &self.staging, error);
        let staged = tempfile::Builder::new()
            .prefix("object-")
            .permissions(Permissions::from_mode(MODE))
            .tempfile_in(&self.staging)
            .map_err(failed)?;
        staged.as_file().write_all(file).map_err(failed)?;
        // The handle is closed here: a blob may have more chunks than a process may have open files.
        let path = staged.into_temp_path();
        let mut pending = self.lock();
        if pending.staged.contains_key(id) {
            return Ok(false);
        }
        pending.staged.insert(*id, path);
        Ok(true)
    }

    fn touch(&self, id: &ObjectId) {
        let (folder, path) = self.place(id);
        let mut pending = self.lock();
        if pending.staged.contains_key(id) {
            return;
        }
        // Another process may have named it a moment ago and not synced the folder yet; our sync has to vouch for it.
        pending.folders.insert(folder);
        drop(pending);
        let now = SystemTime::UNIX_EPOCH + Duration::from_micros(Clock::System.now().as_micros().max(0) as u64);
        // The new time only makes `gc` wait; whoever may not set it, on a read-only mount, runs no `gc` either.
        let _ = File::open(&path).and_then(|file| file.set_modified(now));
    }

    fn quarantine(&self, id: &ObjectId, seen: FileIdentity) -> String {
        let mut pending = self.lock();
        let path = pending.staged.get(id).map_or_else(|| self.place(id).1, |staged| staged.to_path_buf());
        let is_seen = fs::metadata(&path).is_ok_and(|now| (now.dev(), now.ino()) == seen);
        if !is_seen {
            return "gone: another process moved or replaced it".to_owned();
        }
        let cell = self.cell(id);
        match fs::rename(&path, &cell) {
            Ok(()) => {
                pending.staged.remove(id);
                cell.display().to_string()
            }
            Err(error) => format!("still {}, as it cannot be moved: {error}", path.display()),
        }
    }
}

impl Store for LocalStore {
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
        Ok(self.0.sync()?)
    }

    fn list(&self) -> Result<Vec<ObjectId>> {
        let mut ids = Vec::new();
        self.0.walk(|_, id| ids.extend(id))?;
        ids.sort();
        Ok(ids)
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
        let staged = self.0.lock().staged.remove(id);
        let path = staged.as_ref().map_or_else(|| self.0.place(id).1, |staged| staged.to_path_buf());
        let metadata = disk::optional(fs::metadata(&path)).map_err(|error| StoreError::io("look at", &path, error))?;
        let removed = disk::remove_file(&path)?;
        Ok(metadata.filter(|_| removed).map_or(0, |metadata| metadata.len()))
    }
}
