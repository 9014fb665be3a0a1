//! One pass over a column for all of its tests: numbers in blocks, text once for each distinct value.

use std::collections::HashMap;

use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use crate::data::value::DAY_MICROS;
use crate::quality::rows::{Failing, Rows, View};

/// Rows looked at by one thread at a time; a multiple of 64.
const BLOCK_ROWS: usize = 131_072;
/// Most tests of one pass: one bit each.
const TESTS_MAX: usize = 64;

/// A test of one present value; true when the value is as it should be.
pub enum Test<'a> {
    /// Of whole numbers, days and moments (both in microseconds since 1970), flags as 0 and 1.
    Whole(Box<dyn Fn(i64) -> bool + Send + Sync + 'a>),
    /// Of floating point numbers.
    Real(Box<dyn Fn(f64) -> bool + Send + Sync + 'a>),
    /// Of text.
    Text(Box<dyn Fn(&str) -> bool + Send + Sync + 'a>),
}

impl Test<'_> {
    /// Whether text passes; tests of numbers do not apply.
    pub fn text(&self, value: &str) -> bool {
        match self {
            Test::Text(test) => test(value),
            _ => true,
        }
    }

    fn whole(&self, value: i64) -> bool {
        match self {
            Test::Whole(test) => test(value),
            _ => true,
        }
    }

    fn real(&self, value: f64) -> bool {
        match self {
            Test::Real(test) => test(value),
            _ => true,
        }
    }
}

/// What fails each of `tests`, in their order; all failing rows are remembered when `keep`.
///
/// A test of another kind than the column's values finds nothing. Cost: one pass over the column whatever the number of
/// tests, blocks of rows in parallel; text is tested once a block for each distinct value.
pub fn scan(view: View<'_>, rows: usize, tests: &[&Test<'_>], keep: bool) -> Vec<Failing> {
    let mut found = Vec::with_capacity(tests.len());
    for tests in tests.chunks(TESTS_MAX) {
        let starts: Vec<usize> = (0..rows).step_by(BLOCK_ROWS).collect();
        let blocks: Vec<Vec<Block>> =
            starts.into_par_iter().map(|start| block(view, start, BLOCK_ROWS.min(rows - start), tests, keep)).collect();
        let mut together: Vec<Block> = tests.iter().map(|_| Block::new(keep)).collect();
        for block in blocks {
            for (all, one) in together.iter_mut().zip(block) {
                all.rows.append(one.rows);
                one.counts.into_iter().for_each(|(value, count)| *all.counts.entry(value).or_default() += count);
            }
        }
        found.extend(together.into_iter().map(Block::finish));
    }
    found
}

/// What fails one test within a block.
struct Block<'a> {
    rows: Rows,
    counts: HashMap<&'a str, u64>,
}

impl Block<'_> {
    fn new(keep: bool) -> Self {
        Block { rows: Rows::new(keep), counts: HashMap::new() }
    }

    fn finish(self) -> Failing {
        let mut values: Vec<(String, u64)> =
            self.counts.into_iter().map(|(value, count)| (value.to_owned(), count)).collect();
        values.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Failing { rows: self.rows, values }
    }
}

fn block<'a>(view: View<'a>, start: usize, length: usize, tests: &[&Test<'_>], keep: bool) -> Vec<Block<'a>> {
    let mut found: Vec<Block<'a>> = tests.iter().map(|_| Block::new(keep)).collect();
    fn each<T: Copy>(
        values: impl Iterator<Item = Option<T>>,
        start: usize,
        found: &mut [Block<'_>],
        passes: impl Fn(usize, T) -> bool,
    ) {
        for (offset, value) in values.enumerate() {
            let Some(value) = value else { continue };
            for (test, block) in found.iter_mut().enumerate() {
                if !passes(test, value) {
                    block.rows.add(start + offset);
                }
            }
        }
    }
    let from = start as i64;
    match view {
        View::Integer(values) | View::Time(values) => {
            each(values.slice(from, length).iter(), start, &mut found, |test, value| tests[test].whole(value));
        }
        View::Date(values) => each(values.slice(from, length).iter(), start, &mut found, |test, value| {
            tests[test].whole(i64::from(value) * DAY_MICROS)
        }),
        View::Boolean(values) => {
            each(values.slice(from, length).iter(), start, &mut found, |test, value| {
                tests[test].whole(i64::from(value))
            });
        }
        View::Float(values) => {
            each(values.slice(from, length).iter(), start, &mut found, |test, value| tests[test].real(value));
        }
        View::Text(values) => {
            let mut marks: HashMap<&'a str, u64> = HashMap::new();
            for row in start..start + length {
                let Some(value) = values.get(row) else { continue };
                let failed = *marks.entry(value).or_insert_with(|| {
                    let fails = |at: &usize| !tests[*at].text(value);
                    (0..tests.len()).filter(fails).fold(0, |mark, at| mark | 1 << at)
                });
                for (_, block) in found.iter_mut().enumerate().filter(|(test, _)| failed >> test & 1 == 1) {
                    block.rows.add(row);
                    *block.counts.entry(value).or_default() += 1;
                }
            }
        }
    }
    found
}
