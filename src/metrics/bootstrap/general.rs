//! Replicates of any metric: measured anew on the rows of each resample.

use anyhow::Result;

use crate::metrics::bootstrap::Quantity;
use crate::metrics::bootstrap::gather::Gathered;
use crate::metrics::{self, Sample};

/// A metric that is measured anew.
pub struct General<'a> {
    sample: Sample<'a>,
    metric: &'a str,
    rows: Option<&'a [u32]>,
}

impl<'a> General<'a> {
    /// `quantity` of `samples`, which has been checked.
    pub fn new(samples: &[Sample<'a>], quantity: &Quantity<'a>) -> General<'a> {
        General { sample: samples[quantity.sample], metric: quantity.metric, rows: quantity.rows }
    }

    /// Its value when every row counts as often as `draws` says; NaN where it has no meaning.
    pub fn value(&self, draws: &[u8]) -> Result<f64> {
        let all = || Box::new(0..draws.len() as u32) as Box<dyn Iterator<Item = u32>>;
        let rows = self.rows.map_or_else(all, |rows| Box::new(rows.iter().copied()));
        let drawn: Vec<u32> = match self.sample.weights {
            None => rows.flat_map(|row| std::iter::repeat_n(row, usize::from(draws[row as usize]))).collect(),
            Some(_) => rows.filter(|row| draws[*row as usize] > 0).collect(),
        };
        let weigh = |weights: &[f64]| {
            drawn.iter().map(|row| weights[*row as usize] * f64::from(draws[*row as usize])).collect::<Vec<_>>()
        };
        let gathered = Gathered::new(&self.sample, &drawn, self.sample.weights.map(weigh));
        let values = metrics::measure(Some(&[self.metric]), &gathered.sample())?;
        Ok(values.values().next().copied().unwrap_or(f64::NAN))
    }
}
