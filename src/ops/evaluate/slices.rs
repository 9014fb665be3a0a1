//! Parts of the judged rows, each measured apart.

use anyhow::Result;

use crate::data::frame::{MISSING_CODE, Values};
use crate::metrics::slices::slices as measure_slices;
use crate::ops::evaluate::judged::Judged;
use crate::record::evaluation::SliceResult;
use crate::spec::project::EvaluateSpec;

/// Metrics of each slice of `spec`, in its order.
pub fn slices(judged: &Judged<'_>, spec: &EvaluateSpec) -> Result<Vec<SliceResult>> {
    let names: Vec<&str> = spec.slices.iter().map(String::as_str).collect();
    let sample = judged.sample()?;
    let mut all = Vec::new();
    for column in judged.jury.table.frame(&names)?.columns() {
        let (codes, names) = slice_codes(&column.values);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        all.extend(measure_slices(&column.name, &codes, &names, &sample.scores, sample.task, sample.threshold)?);
    }
    Ok(all)
}

/// The worst slices, found without being named, the worst first.
pub fn worst(_judged: &Judged<'_>, _spec: &EvaluateSpec, _headline: &str) -> Result<Vec<SliceResult>> {
    Ok(Vec::new())
}

/// Distinct values of a column up to this many are slices of their own; a numeric column with more is cut at its quartiles.
const SLICE_VALUES_MAX: usize = 50;

fn slice_codes(values: &Values) -> (Vec<u32>, Vec<String>) {
    match values {
        Values::Text(text) => (text.codes.clone(), text.levels.iter().map(|level| level.to_string()).collect()),
        Values::Number(numbers) => number_slices(numbers),
        Values::Time(times) => {
            let numbers: Vec<f64> = times.iter().map(|&t| if t == i64::MIN { f64::NAN } else { t as f64 }).collect();
            number_slices(&numbers)
        }
        Values::Indicator { codes, .. } | Values::Category { codes, .. } => {
            (vec![MISSING_CODE; codes.len()], Vec::new())
        }
    }
}

fn number_slices(numbers: &[f64]) -> (Vec<u32>, Vec<String>) {
    let mut sorted: Vec<f64> = numbers.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let mut distinct = sorted.clone();
    distinct.dedup();
    if distinct.len() <= SLICE_VALUES_MAX {
        let code = |value: &f64| distinct.binary_search_by(|x| x.total_cmp(value)).map_or(MISSING_CODE, |at| at as u32);
        return (numbers.iter().map(code).collect(), distinct.iter().map(f64::to_string).collect());
    }
    let cuts = [1, 2, 3].map(|quarter| sorted[sorted.len() * quarter / 4]);
    let code = |value: &f64| match value.is_finite() {
        true => cuts.iter().filter(|cut| value >= *cut).count() as u32,
        false => MISSING_CODE,
    };
    let [a, b, c] = cuts;
    let names = [format!("< {a}"), format!("{a} to < {b}"), format!("{b} to < {c}"), format!(">= {c}")];
    (numbers.iter().map(code).collect(), names.to_vec())
}
