//! Tree-structured Parzen estimators.

use crate::base::seed::Seed;
use crate::search::sampler::{History, Sampler};
use crate::search::sobol::Sobol;
use crate::search::space::{Point, Space};

/// Points where good trials are dense and bad ones are not.
#[derive(Default)]
pub struct Tpe;

impl Sampler for Tpe {
    fn suggest(&mut self, number: usize, history: &History<'_>, space: &Space, seed: Seed) -> Option<Point> {
        Sobol.suggest(number, history, space, seed)
    }
}
