//! Any column as a few codes, so that columns of different kinds can be measured alike.

use crate::data::frame::{MISSING_TIME, TextValues, Values};
use crate::data::target::Target;
use crate::features::stats;

/// Most codes of one column; one of them is for missing values.
pub const CODES_MAX: usize = 64;

/// A column, or a target, as codes below `count`.
#[derive(Clone, Debug, PartialEq)]
pub struct Codes {
    /// One code a row.
    pub codes: Vec<u8>,
    /// Number of codes; the last one is that of missing values where there are any.
    pub count: usize,
    /// Whether greater codes stand for greater values.
    pub ordered: bool,
}

impl Codes {
    /// Codes of the rows `rows`: up to `bins` equally filled bins of numbers and times, the `bins` most frequent values of
    /// text and categories, one more for all rarer ones and one for missing values. `bins` is below [`CODES_MAX`] - 1.
    pub fn of(values: &Values, rows: &[u32], bins: usize) -> Codes {
        match values {
            Values::Number(values) => Codes::numbers(rows.iter().map(|&row| values[row as usize]).collect(), bins),
            Values::Time(values) => {
                let number = |&row: &u32| match values[row as usize] {
                    MISSING_TIME => f64::NAN,
                    value => value as f64,
                };
                Codes::numbers(rows.iter().map(number).collect(), bins)
            }
            Values::Indicator { codes, code } => {
                let codes = rows.iter().map(|&row| u8::from(codes[row as usize] == *code)).collect();
                Codes { codes, count: 2, ordered: true }
            }
            Values::Category { codes, levels } => Codes::values(rows, codes, *levels as usize, bins),
            Values::Text(TextValues { codes, levels }) => Codes::values(rows, codes, levels.len(), bins),
        }
    }

    /// True values of the rows `rows`: classes as they are as long as they are few, numbers in `bins` equally filled bins.
    pub fn of_target(target: &Target, rows: &[u32], bins: usize) -> Codes {
        match target {
            Target::Numbers(values) => Codes::numbers(rows.iter().map(|&row| values[row as usize]).collect(), bins),
            Target::Classes { names, codes } => Codes::values(rows, codes, names.len(), CODES_MAX - 2),
            // Labels only judge: every row is alike.
            Target::Labels { .. } => Codes::numbers(vec![0.0; rows.len()], bins),
        }
    }

    fn numbers(values: Vec<f64>, bins: usize) -> Codes {
        let mut present = stats::finite(&values);
        let mut edges = Vec::new();
        if !present.is_empty() {
            let shares: Vec<f64> = (1..bins).map(|edge| edge as f64 / bins as f64).collect();
            edges = stats::quantiles(&mut present, &shares);
            edges.dedup();
        }
        let missing = edges.len() + 1;
        let code = |value: &f64| match value.is_finite() {
            true => edges.partition_point(|edge| edge <= value) as u8,
            false => missing as u8,
        };
        let codes: Vec<u8> = values.iter().map(code).collect();
        let count = missing + usize::from(present.len() < values.len());
        Codes { codes, count, ordered: true }
    }

    fn values(rows: &[u32], codes: &[u32], levels: usize, bins: usize) -> Codes {
        let mut counts = vec![0_u64; levels];
        for &row in rows {
            if let Some(count) = counts.get_mut(codes[row as usize] as usize) {
                *count += 1;
            }
        }
        let mut order: Vec<usize> = (0..levels).filter(|&level| counts[level] > 0).collect();
        let known = order.len();
        order.sort_by_key(|&level| std::cmp::Reverse(counts[level]));
        let rare = known > bins;
        let mut table = vec![bins as u8; levels];
        for (code, &level) in order.iter().take(bins).enumerate() {
            table[level] = code as u8;
        }
        let missing = known.min(bins) + usize::from(rare);
        let code = |&row: &u32| table.get(codes[row as usize] as usize).copied().unwrap_or(missing as u8);
        let codes: Vec<u8> = rows.iter().map(code).collect();
        let count = missing + usize::from(codes.iter().any(|&code| usize::from(code) == missing));
        Codes { codes, count, ordered: false }
    }
}

/// Mutual information of two columns in nats, as scikit-learn's `mutual_info_score` of their codes: Σ p·ln(p / (pᵢ·pⱼ)).
pub fn mutual_information(a: &Codes, b: &Codes) -> f64 {
    let (joint, total) = (table(a, b), a.codes.len() as f64);
    let rows: Vec<f64> = joint.chunks(b.count).map(|row| row.iter().sum()).collect();
    let columns: Vec<f64> = (0..b.count).map(|at| joint.iter().skip(at).step_by(b.count).sum()).collect();
    let mut information = 0.0;
    for (row, cells) in joint.chunks(b.count).enumerate() {
        for (column, &count) in cells.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            information += count / total * (count * total / (rows[row] * columns[column])).ln();
        }
    }
    information.max(0.0)
}

/// The same less what chance gives, (r - 1)·(c - 1) / 2n for r and c codes that occur (Miller 1955), never below 0: columns
/// of many values are not preferred.
pub fn information_beyond_chance(a: &Codes, b: &Codes) -> f64 {
    let occurring = |codes: &Codes| {
        let mut seen = [false; 256];
        codes.codes.iter().for_each(|&code| seen[usize::from(code)] = true);
        seen.iter().filter(|seen| **seen).count().max(1) as f64
    };
    let chance = (occurring(a) - 1.0) * (occurring(b) - 1.0) / (2.0 * a.codes.len().max(1) as f64);
    (mutual_information(a, b) - chance).max(0.0)
}

fn table(a: &Codes, b: &Codes) -> Vec<f64> {
    let mut joint = vec![0.0; a.count * b.count];
    for (&one, &other) in a.codes.iter().zip(&b.codes) {
        joint[usize::from(one) * b.count + usize::from(other)] += 1.0;
    }
    joint
}
