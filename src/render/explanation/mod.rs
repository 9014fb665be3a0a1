//! What explains a model, as a page and as a comment on a change.

mod card;
mod curves;
pub mod html;
pub mod importance;
pub mod markdown;
pub mod scale;
mod swarm;
mod waterfall;

use crate::base::units;
use crate::record::explanation::{ContributionMethod, ExplanationRecord};
use crate::render::number::number;

/// All that a document about an explanation says.
#[derive(Clone, Copy, Debug)]
pub struct ExplanationDocument<'a> {
    /// What a person calls the model.
    pub model: &'a str,
    /// What was found.
    pub explanation: &'a ExplanationRecord,
}

/// `179 test rows of titanic@v1`, `a sample of 1,000 of 9,000 rows of flights@v2`.
fn rows_of(of: &ExplanationRecord) -> String {
    let kind = if of.rows_of == "all" { String::new() } else { format!("{} ", of.rows_of) };
    match of.rows < of.rows_there {
        true => {
            let (rows, there) = (units::count(of.rows), units::count(of.rows_there));
            format!("a sample of {rows} of {there} {kind}rows of {}", of.dataset_name)
        }
        false => {
            let plural = units::plural(of.rows, &format!("{kind}row"));
            format!("{plural} of {}", of.dataset_name)
        }
    }
}

/// What contributions sum to, in a word or two.
fn margin_words(of: &ExplanationRecord, method: &ContributionMethod) -> &'static str {
    match (method.margin.as_str(), of.task.is_classification()) {
        ("answer", true) => "probability",
        ("answer", false) => "answer",
        (_, true) if of.outputs.len() == 1 => "log odds",
        (_, true) => "score",
        (_, false) => "logarithm of the answer",
    }
}

/// How contributions were made, in words.
fn method_words(method: &ContributionMethod) -> &'static str {
    match method.method.as_str() {
        "exact_trees" => "exact (TreeSHAP)",
        "exact_linear" => "exact (linear)",
        "sampled" => "sampled",
        _ => "exact",
    }
}

/// A number with three digits that matter and its sign: `+0.123`.
fn signed(value: f64) -> String {
    let text = short(value);
    if value > 0.0 && text != "0" { format!("+{text}") } else { text }
}

/// A number with three digits that matter.
pub fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return number(value);
    }
    let digits = (2 - value.abs().log10().floor() as i32).clamp(-12, 12);
    let unit = 10_f64.powi(digits);
    number((value * unit).round() / unit)
}

/// A value of a column as people read it; numbers written by machines are shortened.
fn value_words(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(value) if text.len() > 7 && value.is_finite() => number(value),
        _ => text.to_owned(),
    }
}
