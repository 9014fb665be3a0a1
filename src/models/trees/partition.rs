//! Dividing the rows of a node between its children, in their order.

use rayon::prelude::*;

use crate::models::trees::binned::{BinColumn, Codes};
use crate::models::trees::tree::{Test, bit};

/// Rows handled by one task; fewer are not worth a second thread.
const CHUNK_ROWS: usize = 1 << 14;

/// Moves the rows that go left to the front and returns their number; both parts keep their order. `scratch` is as
/// long as `rows`. The result does not depend on how many threads share the work.
pub fn partition(rows: &mut [u32], scratch: &mut [u32], column: &BinColumn, test: &Test) -> usize {
    match &column.codes {
        Codes::Narrow(codes) => by_test(rows, scratch, test, |row| usize::from(codes[row as usize])),
        Codes::Wide(codes) => by_test(rows, scratch, test, |row| usize::from(codes[row as usize])),
    }
}

fn by_test(rows: &mut [u32], scratch: &mut [u32], test: &Test, bin: impl Fn(u32) -> usize + Sync) -> usize {
    match test {
        Test::Cut { cut, missing, missing_left } => {
            // Without missing values on the left no bin equals `nowhere`.
            let nowhere = if *missing_left { *missing } else { usize::MAX };
            divide(rows, scratch, |row| {
                let bin = bin(row);
                (bin <= *cut) | (bin == nowhere)
            })
        }
        Test::NotBin(one) => divide(rows, scratch, |row| bin(row) != *one),
        Test::Set { bits, .. } => divide(rows, scratch, |row| bit(bits, bin(row))),
    }
}

fn divide(rows: &mut [u32], scratch: &mut [u32], goes_left: impl Fn(u32) -> bool + Sync) -> usize {
    if rows.len() <= CHUNK_ROWS {
        return divide_chunk(rows, scratch, &goes_left);
    }
    let chunks = rows.par_chunks_mut(CHUNK_ROWS).zip(scratch.par_chunks_mut(CHUNK_ROWS));
    let lefts: Vec<usize> = chunks.map(|(rows, scratch)| divide_chunk(rows, scratch, &goes_left)).collect();
    let total: usize = lefts.iter().sum();
    let (mut left_rest, mut right_rest) = scratch.split_at_mut(total);
    let mut moves = Vec::with_capacity(lefts.len());
    for (chunk, &left) in rows.chunks(CHUNK_ROWS).zip(&lefts) {
        let (left_part, rest) = left_rest.split_at_mut(left);
        left_rest = rest;
        let (right_part, rest) = right_rest.split_at_mut(chunk.len() - left);
        right_rest = rest;
        moves.push((chunk, left_part, right_part));
    }
    moves.into_par_iter().for_each(|(chunk, left, right)| {
        left.copy_from_slice(&chunk[..left.len()]);
        right.copy_from_slice(&chunk[left.len()..]);
    });
    rows.par_chunks_mut(CHUNK_ROWS).zip(scratch.par_chunks(CHUNK_ROWS)).for_each(|(to, from)| to.copy_from_slice(from));
    total
}

/// Both places are written for every row and only one counter moves: no branch to mispredict.
fn divide_chunk(rows: &mut [u32], scratch: &mut [u32], goes_left: &impl Fn(u32) -> bool) -> usize {
    let (mut left, mut right) = (0, 0);
    for place in 0..rows.len() {
        let row = rows[place];
        let goes = usize::from(goes_left(row));
        rows[left] = row;
        scratch[right] = row;
        left += goes;
        right += 1 - goes;
    }
    rows[left..].copy_from_slice(&scratch[..right]);
    left
}
