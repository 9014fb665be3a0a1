//! Replicates of any metric: measured anew on the rows of each resample.

use anyhow::Result;

use crate::metrics::picked::Picked;
use crate::metrics::{self, Sample};

/// Metrics of one sample's rows that are measured anew.
pub struct General<'a> {
    sample: Sample<'a>,
    rows: Vec<u32>,
    wanted: Vec<(usize, &'a str)>,
}

impl<'a> General<'a> {
    /// Of the rows `rows` of `sample`, the quantities `wanted`: their numbers and metrics.
    pub fn new(sample: &Sample<'a>, rows: &[u32], wanted: &[(usize, &'a str)]) -> General<'a> {
        General { sample: *sample, rows: rows.to_vec(), wanted: wanted.to_vec() }
    }

    /// Writes the values of its quantities; `draws` say how often each of its rows is there.
    pub fn values(&self, draws: &[u8], values: &mut [f64]) -> Result<()> {
        // Rows are repeated, not weighed: medians of weighted rows are not quite those of repeated ones.
        let repeat = |(row, draw): (&u32, &u8)| std::iter::repeat_n(*row, usize::from(*draw));
        let rows: Vec<u32> = self.rows.iter().zip(draws).flat_map(repeat).collect();
        let picked = Picked::new(&self.sample, &rows);
        let names: Vec<&str> = self.wanted.iter().map(|(_, metric)| *metric).collect();
        let measured = metrics::measure(Some(&names), &picked.sample())?;
        for (quantity, metric) in &self.wanted {
            values[*quantity] = measured.get(*metric).copied().unwrap_or(f64::NAN);
        }
        Ok(())
    }
}
