//! All combinations of a few values of each parameter.

use crate::base::fail::{self, Failure};
use crate::base::limits;
use crate::base::seed::Seed;
use crate::search::sampler::{History, Sampler};
use crate::search::space::{Point, Space};

/// Values of a parameter whose range has more, or is not counted: the ends and what lies evenly between.
const VALUES: u64 = 5;

/// Points of a grid, in an order drawn by the seed: a grid that is cut short still covers the space.
///
/// A parameter has all its values on the grid when it is a choice, has a step, or has no more than five; others have five.
pub struct Grid {
    values: Vec<Vec<f64>>,
    order: Vec<u32>,
}

impl Grid {
    /// The grid of `space`. Errors: more than [`limits::GRID_POINTS_MAX`] points.
    pub fn new(space: &Space, seed: Seed) -> Result<Grid, Failure> {
        let values: Vec<Vec<f64>> = space.dimensions.iter().map(|dimension| dimension.range.grid(VALUES)).collect();
        let points = values.iter().try_fold(1_usize, |product, values| product.checked_mul(values.len()));
        let Some(points) = points.filter(|points| *points <= limits::GRID_POINTS_MAX) else {
            let sizes: Vec<String> = values.iter().map(|values| values.len().to_string()).collect();
            return Err(fail::usage(format!("a grid of {} points", sizes.join(" × "))).hint(format!(
                "at most {}: fix parameters, give coarser steps, or use sobol",
                limits::GRID_POINTS_MAX
            )));
        };
        let mut order: Vec<u32> = (0..points as u32).collect();
        seed.derive("grid").rng().shuffle(&mut order);
        Ok(Grid { values, order })
    }

    /// How many points it has.
    pub fn points(&self) -> usize {
        self.order.len()
    }
}

impl Sampler for Grid {
    fn suggest(&mut self, number: usize, history: &History<'_>, _: &Space, _: Seed) -> Option<Point> {
        let mut rest = *self.order.get(number.checked_sub(history.given)?)? as usize;
        let mut numbers = vec![0.0; self.values.len()];
        for (number, values) in numbers.iter_mut().zip(&self.values).rev() {
            *number = values[rest % values.len()];
            rest /= values.len();
        }
        Some(Point(numbers))
    }

    fn avoids_repeats(&self) -> bool {
        false
    }
}
