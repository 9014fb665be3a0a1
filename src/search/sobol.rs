//! Sobol's sequence: points spread more evenly than chance.
//!
//! Sobol 1967, in the order of Gray codes (Antonov and Saleev 1979) with the direction numbers of Joe and Kuo 2008; unscrambled
//! it equals scipy's `qmc.Sobol(scramble=False)`. The scrambling is Owen's (1995): every bit is turned over or not by a
//! draw that belongs to the bits above it, which keeps the evenness and makes each point uniform.

use crate::base::limits;
use crate::base::seed::Seed;
use crate::search::joe_kuo::DIRECTIONS;
use crate::search::sampler::{History, Sampler};
use crate::search::space::{Point, Space};

const _: () = assert!(DIRECTIONS.len() >= limits::SEARCH_DIMENSIONS_MAX);

/// Points of Sobol's sequence, scrambled by the seed.
pub struct Sobol;

impl Sampler for Sobol {
    fn suggest(&mut self, number: usize, history: &History<'_>, space: &Space, seed: Seed) -> Option<Point> {
        let at = number.saturating_sub(history.given) as u32;
        let seed = seed.derive("sobol");
        let mut dimension = 0;
        let numbers = space.dimensions.iter().map(|of| {
            if of.range.is_fixed() {
                return of.range.decode(0.5);
            }
            let bits = scrambled(coordinate(at, dimension), seed.nth(dimension as u64));
            dimension += 1;
            of.range.decode(unit(bits))
        });
        Some(Point(numbers.collect()))
    }
}

/// Coordinate `dimension` (below 64) of point `number`, as a fraction of 2^32.
pub fn coordinate(number: u32, dimension: usize) -> u32 {
    let (polynomial, first) = DIRECTIONS[dimension];
    let degree = first.len();
    let mut gray = number ^ (number >> 1);
    let mut directions = [0_u32; 32];
    let mut sum = 0;
    for at in 0..32 {
        if gray == 0 {
            break;
        }
        directions[at] = match () {
            () if degree == 0 => 1 << (31 - at),
            () if at < degree => first[at] << (31 - at),
            () => {
                let before = directions[at - degree];
                let mixed = (1..degree).filter(|k| polynomial >> (degree - k) & 1 == 1);
                mixed.fold(before ^ (before >> degree), |sum, k| sum ^ directions[at - k])
            }
        };
        if gray & 1 == 1 {
            sum ^= directions[at];
        }
        gray >>= 1;
    }
    sum
}

/// Owen's scrambling of one coordinate.
fn scrambled(bits: u32, seed: Seed) -> u32 {
    (0..32).fold(0, |done, at| {
        // The bits above, with a one in front of them that tells their number.
        let above = (1_u64 << at) | (u64::from(bits) >> (32 - at));
        let turn = (seed.nth(above).0 >> 63) as u32;
        done | ((bits >> (31 - at) & 1) ^ turn) << (31 - at)
    })
}

/// The middle of the cell of `bits`, in `(0, 1)`.
fn unit(bits: u32) -> f64 {
    (f64::from(bits) + 0.5) / (1_u64 << 32) as f64
}
