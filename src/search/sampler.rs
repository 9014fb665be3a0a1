//! What every sampler is asked, and the simplest of them.

use crate::base::fail::Failure;
use crate::base::seed::Seed;
use crate::search::grid::Grid;
use crate::search::sobol::Sobol;
use crate::search::space::{Point, Space};
use crate::search::told::Told;
use crate::search::tpe::Tpe;
use crate::spec::tune::{Direction, SamplerName};

/// What is known when a point is chosen.
#[derive(Clone, Copy, Debug)]
pub struct History<'a> {
    /// Trials of other studies, to learn from.
    pub warm: &'a [Told],
    /// The first trials of this study, in the order of their numbers, all ended.
    pub told: &'a [Told],
    /// Points of the trials after those, which may still run.
    pub pending: &'a [Point],
    /// How many trials at the start were given and not chosen.
    pub given: usize,
    /// Which values are good.
    pub direction: Direction,
}

/// Chooses points.
pub trait Sampler: Send {
    /// The point of trial `number`; `None` when there is none left, now and for all later trials. The answer is a function of
    /// the arguments alone: what a sampler keeps between calls only saves time.
    fn suggest(&mut self, number: usize, history: &History<'_>, space: &Space, seed: Seed) -> Option<Point>;

    /// Whether a point tried before should be replaced by one that was not.
    fn avoids_repeats(&self) -> bool {
        true
    }
}

/// The sampler called `name`. Errors: a grid with too many points.
pub fn named(name: SamplerName, space: &Space, seed: Seed) -> Result<Box<dyn Sampler>, Failure> {
    Ok(match name {
        SamplerName::Tpe => Box::new(Tpe::default()),
        SamplerName::Random => Box::new(Random),
        SamplerName::Grid => Box::new(Grid::new(space, seed)?),
        SamplerName::Sobol => Box::new(Sobol),
    })
}

/// Points anywhere in the space, each as likely.
pub struct Random;

impl Sampler for Random {
    fn suggest(&mut self, number: usize, _: &History<'_>, space: &Space, seed: Seed) -> Option<Point> {
        Some(anywhere(space, seed.derive("random").nth(number as u64)))
    }
}

/// A point anywhere in the space.
pub fn anywhere(space: &Space, seed: Seed) -> Point {
    let mut rng = seed.rng();
    Point(space.dimensions.iter().map(|dimension| dimension.range.decode(rng.unit())).collect())
}
