//! Rows counted once for all measures.

use anyhow::Result;

use crate::base::fail;

/// Cells of one stratum: group × truth × answer.
pub const CELLS: usize = 8;

/// What is known of each row. All lists are of the same length.
#[derive(Clone, Copy, Debug)]
pub struct Outcomes<'a> {
    /// Whether the row is of the group; `None`: it has no value and counts nowhere.
    pub member: &'a [Option<bool>],
    /// Code of the true label.
    pub labels: &'a [u32],
    /// Whether the true label is favourable.
    pub favourable: &'a [bool],
    /// Whether the answer is favourable.
    pub predicted: &'a [bool],
    /// How much the row counts, 0 or more; `None`: all alike.
    pub weights: Option<&'a [f64]>,
    /// Stratum of the row, for measures that are conditional on another column.
    pub strata: Option<&'a [u32]>,
}

/// Weights of rows by group, truth, answer and stratum.
#[derive(Clone, Debug, PartialEq)]
pub struct Counts {
    /// Cells of each stratum: `group × 4 + truth × 2 + answer`; one stratum when there are none.
    pub(super) strata: Vec<[f64; CELLS]>,
    /// The sum of all strata.
    pub(super) all: [f64; CELLS],
    /// Weight of each label among the others and in the group.
    pub(super) labels: [Vec<f64>; 2],
    /// Whether strata were given.
    pub(super) is_stratified: bool,
}

impl Outcomes<'_> {
    /// Stratum and cell of each row as one number, `stratum × 8 + cell`; `None` for rows that count nowhere.
    pub fn cells(&self) -> impl Iterator<Item = Option<usize>> {
        (0..self.member.len()).map(|row| {
            let stratum = self.strata.map_or(0, |strata| strata[row] as usize);
            let cell = |member| {
                usize::from(member) * 4 + usize::from(self.favourable[row]) * 2 + usize::from(self.predicted[row])
            };
            self.member[row].map(|member| stratum * CELLS + cell(member))
        })
    }

    /// Number of strata.
    pub fn strata_count(&self) -> usize {
        self.strata.map_or(1, |strata| strata.iter().max().map_or(1, |most| *most as usize + 1))
    }

    /// Counts the rows. O(rows).
    ///
    /// Errors: lists of different lengths.
    pub fn count(&self) -> Result<Counts> {
        let rows = self.member.len();
        let lengths = [
            self.labels.len(),
            self.favourable.len(),
            self.predicted.len(),
            self.weights.map_or(rows, <[f64]>::len),
            self.strata.map_or(rows, <[u32]>::len),
        ];
        if let Some(other) = lengths.iter().find(|length| **length != rows) {
            return Err(fail::usage(format!("a group of {rows} rows is measured on {other} outcomes")).into());
        }
        let weight = |row: usize| self.weights.map_or(1.0, |weights| weights[row]);
        let mut strata = vec![[0.0; CELLS]; self.strata_count()];
        let label_count = self.labels.iter().max().map_or(0, |most| *most as usize + 1);
        let mut labels = [vec![0.0; label_count], vec![0.0; label_count]];
        for (row, cell) in self.cells().enumerate() {
            if let (Some(cell), Some(member)) = (cell, self.member[row]) {
                strata[cell / CELLS][cell % CELLS] += weight(row);
                labels[usize::from(member)][self.labels[row] as usize] += weight(row);
            }
        }
        Ok(Counts::new(strata, labels, self.strata.is_some()))
    }
}

impl Counts {
    /// Puts counted cells together.
    pub(super) fn new(strata: Vec<[f64; CELLS]>, labels: [Vec<f64>; 2], is_stratified: bool) -> Counts {
        let mut all = [0.0; CELLS];
        for stratum in &strata {
            all.iter_mut().zip(stratum).for_each(|(sum, cell)| *sum += cell);
        }
        Counts { strata, all, labels, is_stratified }
    }

    /// Weight of the rows of one side (`d` is the group) with this truth and this answer; `None`: whichever.
    pub(super) fn of(&self, d: bool, truth: Option<bool>, answer: Option<bool>) -> f64 {
        cells(&self.all, d, truth, answer)
    }
}

/// As [`Counts::of`], of one stratum.
pub(super) fn cells(cells: &[f64; CELLS], d: bool, truth: Option<bool>, answer: Option<bool>) -> f64 {
    let fits = |cell: usize, bit: usize, wanted: Option<bool>| wanted.is_none_or(|on| (cell & bit != 0) == on);
    let wanted = (0..CELLS).filter(|cell| fits(*cell, 4, Some(d)) && fits(*cell, 2, truth) && fits(*cell, 1, answer));
    wanted.map(|cell| cells[cell]).sum()
}
