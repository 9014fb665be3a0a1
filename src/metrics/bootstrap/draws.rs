//! Weights of the rows in one resample.
//!
//! A weight is Poisson(1) rounded to shares of 1/256, so that one random byte draws it: 94, 95, 46, 16, 4 and 1 of 256 for 0 to
//! 5. Mean and variance are exactly 1, as the bootstrap needs; the third factorial moment is 252/256 in place of 1.

use crate::base::seed::Seed;

/// Bytes from which on a weight is one larger.
const STEPS: [u8; 5] = [94, 189, 235, 251, 255];

/// Rows drawn by one 64-bit number.
const ROWS_AT_ONCE: usize = 8;

/// Weights of all rows in one resample.
pub struct Draws {
    bytes: Vec<u8>,
    rows: usize,
}

impl Draws {
    /// Draws `rows` weights from `seed`.
    pub fn new(rows: usize, seed: Seed) -> Draws {
        let mut draws = Draws { bytes: vec![0; rows.next_multiple_of(ROWS_AT_ONCE)], rows };
        draws.draw(seed);
        draws
    }

    /// Draws them anew in the same place.
    pub fn draw(&mut self, seed: Seed) {
        let mut rng = seed.rng();
        for eight in self.bytes.as_chunks_mut::<ROWS_AT_ONCE>().0 {
            *eight = rng.bits().to_le_bytes();
        }
        for byte in &mut self.bytes {
            *byte = STEPS.iter().map(|step| u8::from(*byte >= *step)).sum();
        }
    }

    /// One weight a row, 0 to 5.
    pub fn weights(&self) -> &[u8] {
        &self.bytes[..self.rows]
    }
}
