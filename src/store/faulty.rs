//! A store that fails when a test wants it to: for everything that has to survive a bad disk or a lying remote.

use std::io::{self, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;

use crate::base::id::ObjectId;
use crate::store::{ObjectStat, Put, Store, StoreError};

/// The calls that can be made to fail; the others are passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `put` and `put_reader`.
    Put,
    /// `open` and `get`.
    Read,
    /// `sync`.
    Sync,
    /// `remove`.
    Remove,
}

/// What happens instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call fails as on a full disk, having done nothing.
    Fail,
    /// The bytes end after this many, without an error.
    Truncate(u64),
    /// The lowest bit of the byte at this place is inverted, without an error.
    Flip(u64),
}

/// Passes everything on to another store, except for the faults that were planned.
pub struct FaultyStore {
    inner: Box<dyn Store>,
    planned: Mutex<Vec<(Call, u32, Fault)>>,
}

impl FaultyStore {
    /// A store without faults so far.
    pub fn new(inner: Box<dyn Store>) -> FaultyStore {
        FaultyStore { inner, planned: Mutex::default() }
    }

    /// Plans a fault for the `nth` of these calls from now, counted from 0; it happens once.
    pub fn plan(&self, call: Call, nth: u32, fault: Fault) {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner).push((call, nth, fault));
    }

    /// Counts a call and returns the fault that is due.
    fn due(&self, call: Call) -> Result<Option<Fault>> {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        let position = planned.iter().position(|(of, nth, _)| *of == call && *nth == 0);
        let due = position.map(|position| planned.remove(position).2);
        planned.iter_mut().filter(|(of, _, _)| *of == call).for_each(|(_, nth, _)| *nth = nth.saturating_sub(1));
        if due == Some(Fault::Fail) {
            let cause = io::Error::from(io::ErrorKind::StorageFull);
            return Err(StoreError::io("write", Path::new("faulty"), cause).into());
        }
        Ok(due)
    }
}

impl Store for FaultyStore {
    fn put(&self, bytes: &[u8]) -> Result<Put> {
        self.put_reader(&mut { bytes })
    }

    fn put_reader(&self, reader: &mut dyn Read) -> Result<Put> {
        match self.due(Call::Put)? {
            None => self.inner.put_reader(reader),
            fault => self.inner.put_reader(&mut Bent { reader, at: 0, fault }),
        }
    }

    fn contains(&self, id: &ObjectId) -> Result<bool> {
        self.inner.contains(id)
    }

    fn open(&self, id: &ObjectId) -> Result<Box<dyn Read + Send>> {
        let fault = self.due(Call::Read)?;
        Ok(Box::new(Bent { reader: self.inner.open(id)?, at: 0, fault }))
    }

    fn get(&self, id: &ObjectId, limit: u64) -> Result<Vec<u8>> {
        let fault = self.due(Call::Read)?;
        let bytes = self.inner.get(id, limit)?;
        let mut bent = Vec::new();
        Bent { reader: bytes.as_slice(), at: 0, fault }.read_to_end(&mut bent)?;
        Ok(bent)
    }

    fn sync(&self) -> Result<()> {
        self.due(Call::Sync)?;
        self.inner.sync()
    }

    fn list(&self) -> Result<Vec<ObjectId>> {
        self.inner.list()
    }

    fn parts(&self, id: &ObjectId) -> Result<Vec<ObjectId>> {
        self.inner.parts(id)
    }

    fn stat(&self, id: &ObjectId) -> Result<Option<ObjectStat>> {
        self.inner.stat(id)
    }

    fn check(&self, id: &ObjectId) -> Result<Option<StoreError>> {
        self.inner.check(id)
    }

    fn remove(&self, id: &ObjectId) -> Result<u64> {
        self.due(Call::Remove)?;
        self.inner.remove(id)
    }
}

/// A reader with a fault in it.
struct Bent<R> {
    reader: R,
    at: u64,
    fault: Option<Fault>,
}

impl<R: Read> Read for Bent<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = match self.fault {
            Some(Fault::Truncate(end)) => buffer.len().min((end - self.at.min(end)) as usize),
            _ => buffer.len(),
        };
        let count = self.reader.read(&mut buffer[..room])?;
        if let Some(Fault::Flip(place)) = self.fault
            && (self.at..self.at + count as u64).contains(&place)
        {
            buffer[(place - self.at) as usize] ^= 1;
        }
        self.at += count as u64;
        Ok(count)
    }
}
