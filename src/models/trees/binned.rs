//! Features as small codes: what trees are grown on.
//!
//! Every numeric feature becomes one column of bin codes; indicators made from one raw column share one column, as a
//! histogram over their common codes holds all that each of them needs; a category's levels are bins.

use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;

use crate::base::seed::Seed;
use crate::data::matrix::{FeatureValues, Matrix};
use crate::models::trees::cuts::cuts;

/// Most bins of a category; rarer levels share one bin with missing values.
const CATEGORY_BINS_MAX: usize = 1024;
/// Levels from here on never have a bin of their own, so that a set of levels stays small.
const CATEGORY_LEVELS_MAX: u32 = 1 << 21;
/// Most indicators that share a column of codes.
const INDICATORS_MAX: usize = 1024;

/// Bin codes of one column, one for each row.
pub enum Codes {
    /// At most 256 bins.
    Narrow(Vec<u8>),
    /// At most 65536 bins.
    Wide(Vec<u16>),
}

impl Codes {
    /// The bin of one row.
    pub fn get(&self, row: usize) -> usize {
        match self {
            Codes::Narrow(codes) => usize::from(codes[row]),
            Codes::Wide(codes) => usize::from(codes[row]),
        }
    }
}

/// One column of codes.
pub struct BinColumn {
    /// The codes.
    pub codes: Codes,
    /// Number of bins.
    pub bins: usize,
    /// Position of its first bin in a histogram over all columns.
    pub offset: usize,
}

/// How a feature reads its column.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Bin `b <= cuts.len()` holds the values in `(cuts[b - 1], cuts[b]]`; bin `cuts.len() + 1` the missing ones.
    Number {
        /// Upper edges of all bins but the last.
        cuts: Vec<f64>,
    },
    /// 1 in this bin, 0 in all others.
    Indicator {
        /// Its bin.
        bin: usize,
    },
    /// Bin `b < levels.len()` holds that level; bin `levels.len()` the missing, the rare and the unseen ones.
    Category {
        /// Level of each bin, ascending.
        levels: Vec<u32>,
    },
}

/// One feature.
pub struct BinFeature {
    /// Its column.
    pub column: usize,
    /// How it reads that column.
    pub shape: Shape,
}

/// A matrix in bins.
pub struct Binned {
    /// Number of rows.
    pub rows: usize,
    /// The columns.
    pub columns: Vec<BinColumn>,
    /// One entry for each feature of the matrix, in order.
    pub features: Vec<BinFeature>,
    /// Bins of all columns together.
    pub bins: usize,
}

/// What a column is made from.
enum Source<'a> {
    Number(&'a [f64]),
    Indicators(&'a Arc<[u32]>, Vec<u32>),
    Category(&'a [u32], u32),
}

impl Binned {
    /// Cuts numbers into at most `bins` bins (2 to 65535), besides one for missing values. `seed` draws the rows that cuts
    /// are chosen from. Costs a byte a cell up to 256 bins, two beyond; parallel over columns.
    pub fn new(matrix: &Matrix, bins: usize, seed: Seed) -> Binned {
        let (sources, places) = sources(matrix);
        let made: Vec<(Codes, usize, Vec<Shape>)> =
            sources.par_iter().enumerate().map(|(place, source)| source.bin(bins, seed.nth(place as u64))).collect();
        let mut columns = Vec::with_capacity(made.len());
        let mut shapes = Vec::with_capacity(made.len());
        let mut offset = 0;
        for (codes, bins, column_shapes) in made {
            columns.push(BinColumn { codes, bins, offset });
            shapes.push(column_shapes);
            offset += bins;
        }
        let features =
            places.into_iter().map(|(column, slot)| BinFeature { column, shape: shapes[column][slot].clone() });
        Binned { rows: matrix.rows(), features: features.collect(), columns, bins: offset }
    }
}

/// The columns to make, and for each feature its column and its place among that column's features.
fn sources(matrix: &Matrix) -> (Vec<Source<'_>>, Vec<(usize, usize)>) {
    let mut sources: Vec<Source<'_>> = Vec::new();
    let mut open: HashMap<*const u32, usize> = HashMap::new();
    let mut places = Vec::with_capacity(matrix.features().len());
    for feature in matrix.features() {
        match &feature.values {
            FeatureValues::Number(values) => sources.push(Source::Number(values)),
            FeatureValues::Category { codes, levels } => sources.push(Source::Category(codes, *levels)),
            FeatureValues::Indicator { codes, code } => {
                let shared = open.get(&codes.as_ptr()).copied();
                if let Some((column, Source::Indicators(_, ones))) = shared.map(|place| (place, &mut sources[place]))
                    && ones.len() < INDICATORS_MAX
                {
                    places.push((column, ones.len()));
                    ones.push(*code);
                    continue;
                }
                open.insert(codes.as_ptr(), sources.len());
                sources.push(Source::Indicators(codes, vec![*code]));
            }
        }
        places.push((sources.len() - 1, 0));
    }
    (sources, places)
}

impl Source<'_> {
    fn bin(&self, bins: usize, seed: Seed) -> (Codes, usize, Vec<Shape>) {
        match self {
            Source::Number(values) => {
                let cuts = cuts(values, bins, seed);
                let missing = cuts.len() + 1;
                let bin = |value: f64| if value.is_nan() { missing } else { cuts.partition_point(|cut| *cut < value) };
                (pack(values, missing + 1, bin), missing + 1, vec![Shape::Number { cuts }])
            }
            Source::Indicators(codes, ones) => {
                let mut bin_of: HashMap<u32, usize> = HashMap::new();
                let shapes = ones.iter().map(|code| {
                    let next = bin_of.len() + 1;
                    Shape::Indicator { bin: *bin_of.entry(*code).or_insert(next) }
                });
                let shapes = shapes.collect();
                let total = bin_of.len() + 1;
                (pack(codes, total, |code| bin_of.get(&code).copied().unwrap_or(0)), total, shapes)
            }
            Source::Category(codes, count) => {
                let count = (*count).min(CATEGORY_LEVELS_MAX);
                let levels = frequent(codes, count, bins.clamp(255, CATEGORY_BINS_MAX) - 1);
                let rest = levels.len();
                let mut bin_of = vec![rest; count as usize];
                for (bin, level) in levels.iter().enumerate() {
                    bin_of[*level as usize] = bin;
                }
                let codes = pack(codes, rest + 1, |code| bin_of.get(code as usize).copied().unwrap_or(rest));
                (codes, rest + 1, vec![Shape::Category { levels }])
            }
        }
    }
}

/// The levels that have rows, most frequent first and at most `most` of them, then in the order of their codes.
fn frequent(codes: &[u32], count: u32, most: usize) -> Vec<u32> {
    let mut rows = vec![0_usize; count as usize];
    for &code in codes {
        if let Some(count) = rows.get_mut(code as usize) {
            *count += 1;
        }
    }
    let mut levels: Vec<u32> = (0..count).filter(|&level| rows[level as usize] > 0).collect();
    levels.sort_by_key(|&level| std::cmp::Reverse(rows[level as usize]));
    levels.truncate(most);
    levels.sort_unstable();
    levels
}

fn pack<T: Copy>(values: &[T], bins: usize, bin: impl Fn(T) -> usize) -> Codes {
    match bins {
        0..=256 => Codes::Narrow(values.iter().map(|&value| bin(value) as u8).collect()),
        _ => Codes::Wide(values.iter().map(|&value| bin(value) as u16).collect()),
    }
}
