//! Sobol's sequence: points spread more evenly than chance.

use crate::base::seed::Seed;
use crate::search::sampler::{self, History, Sampler};
use crate::search::space::{Point, Space};

/// Points of Sobol's sequence, scrambled by the seed.
pub struct Sobol;

impl Sampler for Sobol {
    fn suggest(&mut self, number: usize, _: &History<'_>, space: &Space, seed: Seed) -> Option<Point> {
        Some(sampler::anywhere(space, seed.derive("sobol").nth(number as u64)))
    }
}
