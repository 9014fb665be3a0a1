//! Content hashing with BLAKE3: the one hash of this product.

use std::io::{self, Read};

use crate::base::id::ObjectId;

/// Bytes hashed at a time from a reader; at this size BLAKE3 uses all its lanes and the buffer stays in the cache.
const BUFFER_BYTES: usize = 1 << 17;

/// Hashes a slice in one go.
pub fn hash(bytes: &[u8]) -> ObjectId {
    ObjectId::new(*blake3::hash(bytes).as_bytes())
}

/// Hashes all that `reader` gives, in constant memory; returns the id and the number of bytes read.
pub fn hash_reader(reader: &mut dyn Read) -> io::Result<(ObjectId, u64)> {
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut total = 0;
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(0) => return Ok((hasher.finish(), total)),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&buffer[..count]);
        total += count as u64;
    }
}

/// Incremental BLAKE3.
#[derive(Clone, Default)]
pub struct Hasher(blake3::Hasher);

impl Hasher {
    /// Starts with nothing hashed.
    pub fn new() -> Hasher {
        Hasher::default()
    }

    /// Adds bytes on the calling thread.
    pub fn update(&mut self, bytes: &[u8]) -> &mut Hasher {
        self.0.update(bytes);
        self
    }

    /// Adds bytes on all threads; pays off from about 128 KiB.
    pub fn update_parallel(&mut self, bytes: &[u8]) -> &mut Hasher {
        self.0.update_rayon(bytes);
        self
    }

    /// The id of all bytes added so far.
    pub fn finish(&self) -> ObjectId {
        ObjectId::new(*self.0.finalize().as_bytes())
    }
}
