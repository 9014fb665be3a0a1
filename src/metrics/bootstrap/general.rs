//! Replicates of any metric: measured anew on the rows of each resample.

use anyhow::Result;

use crate::metrics::bootstrap::gather::Gathered;
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

    /// Writes the values of its quantities; `draws` are the weights of its rows, of which those of 0 are left out.
    pub fn values(&self, draws: &[u8], values: &mut [f64]) -> Result<()> {
        let own = |row: u32| self.sample.weights.map_or(1.0, |weights| weights[row as usize]);
        let drawn = self.rows.iter().zip(draws).filter(|(_, draw)| **draw > 0);
        let (rows, weights): (Vec<u32>, Vec<f64>) =
            drawn.map(|(row, draw)| (*row, own(*row) * f64::from(*draw))).unzip();
        let gathered = Gathered::new(&self.sample, &rows, Some(weights));
        let names: Vec<&str> = self.wanted.iter().map(|(_, metric)| *metric).collect();
        let measured = metrics::measure(Some(&names), &gathered.sample())?;
        for (quantity, metric) in &self.wanted {
            values[*quantity] = measured.get(*metric).copied().unwrap_or(f64::NAN);
        }
        Ok(())
    }
}
