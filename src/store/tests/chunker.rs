//! The cuts: those of FastCDC, however the bytes arrive, and the same for ever.

use std::io::Read;

use anyhow::{Result, ensure};
use fastcdc::v2020::FastCDC;

use crate::base::limits;
use crate::store::chunker::Chunker;
use crate::store::tests::{Dribble, MIB, noise, table};

fn lengths(start: &[u8], reader: &mut dyn Read) -> Result<Vec<usize>> {
    let mut chunker = Chunker::new(start.to_vec(), reader);
    let mut lengths = Vec::new();
    while let Some(batch) = chunker.next_batch()? {
        lengths.extend(batch.chunks().iter().map(|chunk| chunk.len()));
        ensure!(batch.chunks().concat() == batch.bytes());
        chunker.recycle(batch);
    }
    Ok(lengths)
}

/// The cuts of the crate over all bytes at once are the truth.
#[test]
fn cuts_do_not_depend_on_how_bytes_arrive() -> Result<()> {
    let (min, usual, max) = limits::CHUNK_BYTES;
    for bytes in [noise(1, 19 * MIB + 5), table(2, 9 * MIB), vec![7; 17 * MIB + 1], noise(3, 100), Vec::new()] {
        let oracle = FastCDC::new(&bytes, min as usize, usual as usize, max as usize);
        let expected: Vec<usize> = oracle.map(|chunk| chunk.length).collect();
        ensure!(lengths(&[], &mut bytes.as_slice())? == expected);
        ensure!(lengths(&[], &mut Dribble { bytes: &bytes, calls: 0 })? == expected);
        let (start, rest) = bytes.split_at(bytes.len() / 3);
        ensure!(lengths(start, &mut Dribble { bytes: rest, calls: 5 })? == expected);
        ensure!(lengths(&bytes, &mut std::io::empty())? == expected);
    }
    Ok(())
}

/// Written down once: other cuts would share nothing with what users have stored already.
#[test]
fn cuts_never_change() -> Result<()> {
    let bytes = noise(42, 6 * MIB);
    let found = lengths(&[], &mut bytes.as_slice())?;
    ensure!(found == [1_388_179, 1_469_075, 548_489, 1_648_385, 896_901, 340_427], "{found:?}");
    Ok(())
}
