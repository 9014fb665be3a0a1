//! What an evaluation found, as a page and as a comment on a change; the terminal shares its words.

mod chart;
mod comparison;
mod confusion;
mod curves;
mod dots;
pub mod figures;
mod histograms;
pub mod html;
pub mod markdown;
pub mod markdown_rest;
pub mod measures;
pub mod parts;
mod plane;

use std::collections::BTreeMap;

use crate::base::units;
use crate::record::evaluation::{Difference, Judgement, SliceDifference, SliceResult, Verdict};
use crate::render::escape::{markup, shortened};
use crate::render::evaluation::figures::{figure, interval};
use crate::render::plot::visible;

/// Characters of a name from the data before it is cut.
const NAME: usize = 60;

/// What is known of one metric beside its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricWords {
    /// Its name.
    pub name: String,
    /// What it measures, in a few words; empty when nobody said.
    pub about: String,
    /// Whether a larger value is a better one; `None` when neither is.
    pub higher_is_better: Option<bool>,
}

/// How much each raw column matters to the model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Importance {
    /// Where the numbers come from, in a sentence.
    pub source: String,
    /// Columns, the most important first.
    pub columns: Vec<ImportantColumn>,
}

/// How much one raw column matters.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportantColumn {
    /// Its name.
    pub name: String,
    /// How much.
    pub value: f64,
    /// Where that may well lie.
    pub interval: Option<(f64, f64)>,
}

/// All that a document about an evaluation says.
#[derive(Clone, Copy, Debug)]
pub struct EvaluationDocument<'a> {
    /// What a person calls the model.
    pub model: &'a str,
    /// A name that stays the same from version to version, by which an older comment is found again.
    pub key: &'a str,
    /// What a person calls the rows.
    pub dataset: &'a str,
    /// Id of the evaluation record, as far as it is shown; empty when there is none.
    pub evaluation: &'a str,
    /// What was found.
    pub judgement: &'a Judgement,
    /// Costs by name, where they were measured.
    pub costs: &'a BTreeMap<String, f64>,
    /// What is known of the metrics, in the order that they are shown in.
    pub metrics: &'a [MetricWords],
    /// What the model relies on; `None` when nobody knows.
    pub importance: Option<&'a Importance>,
}

impl EvaluationDocument<'_> {
    /// Names of all metrics, what people look at first in front: the headline, those with an interval, the rest.
    pub fn metric_names(&self) -> Vec<&str> {
        let of = self.judgement;
        let told = self.metrics.iter().map(|words| words.name.as_str());
        let known = |name: &str| of.metrics.contains_key(name);
        let mut names: Vec<&str> = Vec::new();
        let lists: [Vec<&str>; 4] = [
            vec![of.headline.as_str()],
            told.clone().filter(|name| of.intervals.contains_key(*name)).collect(),
            told.collect(),
            of.metrics.keys().map(String::as_str).collect(),
        ];
        for name in lists.into_iter().flatten().filter(|name| known(name)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// What is known of a metric.
    pub fn words(&self, name: &str) -> Option<&MetricWords> {
        self.metrics.iter().find(|words| words.name == name)
    }

    /// Whether a larger value of a metric is a better one.
    pub fn higher_is_better(&self, name: &str) -> Option<bool> {
        self.words(name).and_then(|words| words.higher_is_better)
    }

    /// `0.8123 [0.781, 0.842]`, without the interval where there is none; nothing for a metric that was not measured.
    pub fn value_words(&self, name: &str) -> String {
        let Some(value) = self.judgement.metrics.get(name) else {
            return String::new();
        };
        let sure = self.judgement.intervals.get(name).map_or_else(String::new, |of| format!(" {}", interval(of)));
        format!("{}{sure}", figure(*value))
    }

    /// `179 test rows of titanic@v1`.
    pub fn rows_words(&self) -> String {
        let of = self.judgement;
        let kind =
            if of.rows_of == "all" || of.rows_of.is_empty() { String::new() } else { format!("{} ", of.rows_of) };
        format!("{} of {}", units::plural(of.rows, &format!("{kind}row")), self.dataset)
    }

    /// The model with the name that its versions have or would have, where it does not say it.
    pub fn title(&self) -> String {
        match self.model.starts_with(self.key) {
            true => self.model.to_owned(),
            false => format!("{} ({})", self.key, self.model),
        }
    }

    /// What the verdict is based on, in a few words.
    pub fn verdict_words(&self) -> String {
        let gates = &self.judgement.gates;
        let failed = gates.iter().filter(|gate| gate.verdict == Verdict::Fail).count();
        // A gate about a champion that is not there yet has no bound.
        let unmet = gates.iter().filter(|gate| gate.verdict == Verdict::Pass && gate.bound.is_none()).count();
        match (gates.len(), failed) {
            (0, _) => "no gates were asked for".to_owned(),
            (all, 0) if unmet > 0 => {
                format!("{unmet} of {all} gates pass as there is no champion yet, the others hold")
            }
            (1, 0) => "the one gate holds".to_owned(),
            (1, _) => "the one gate does not hold".to_owned(),
            (all, 0) => format!("all {all} gates hold"),
            (all, failed) => format!("{failed} of {all} gates do not hold"),
        }
    }
}

/// `sex=F`, `sex=F & age=old`, `age >= 60: yes`.
pub fn slice_words(column: &str, value: &str) -> String {
    let is_condition =
        matches!(value, "yes" | "no") && column.contains(['<', '>', '=', ' ']) && !column.contains(" * ");
    if is_condition {
        return format!("{column}: {value}");
    }
    let (columns, values): (Vec<&str>, Vec<&str>) = (column.split(" * ").collect(), value.split(" * ").collect());
    match columns.len() == values.len() && columns.len() > 1 {
        true => columns
            .iter()
            .zip(values)
            .map(|(column, value)| format!("{column}={value}"))
            .collect::<Vec<_>>()
            .join(" & "),
        false => format!("{column}={value}"),
    }
}

/// The name of a slice.
pub fn slice_name(slice: &SliceResult) -> String {
    slice_words(&slice.column, &slice.value)
}

/// The name of a slice that two models are compared on.
pub fn slice_difference_name(slice: &SliceDifference) -> String {
    slice_words(&slice.column, &slice.value)
}

/// `better`, `worse`, or nothing when chance would explain the difference.
pub fn beyond_chance(of: &Difference) -> &'static str {
    match of.better {
        Some(true) => "better",
        Some(false) => "worse",
        None => "",
    }
}

/// A number with its unit, for a cost that is told by its name: `latency_p50_ms`, `size_mb`, `train_seconds`.
pub fn cost_words(name: &str, value: f64) -> String {
    let unit = [("_ms", " ms"), ("_mb", " MB"), ("_seconds", " s"), ("_per_second", " a second")];
    let unit = unit.into_iter().rev().find(|(ending, _)| name.ends_with(ending)).map_or("", |(_, unit)| unit);
    format!("{}{unit}", crate::render::explanation::short(value))
}

/// How a disturbance is called: `10 % of values missing`, `noise of 0.1 standard deviations`, `5 other seeds`.
pub fn disturbance_words(kind: &str, amount: f64) -> String {
    match kind {
        "missing" => format!("{} of values missing", crate::render::number::percent(amount)),
        "noise" => format!("noise of {} standard deviations", crate::render::number::number(amount)),
        "seed" => format!("{} other seeds", crate::render::number::number(amount)),
        other => format!("{other} {}", crate::render::number::number(amount)),
    }
}

/// A name from the data for element content of a page: cut, harmless, and without a say in the direction of the text
/// around it.
fn name(text: &str) -> String {
    format!("<bdi>{}</bdi>", label(text))
}

/// A name from the data for a picture.
fn label(text: &str) -> String {
    short_label(text, NAME)
}

fn short_label(text: &str, most: usize) -> String {
    markup(&clipped(text, most))
}

/// A name from the data, cut; not yet harmless.
fn clipped(text: &str, most: usize) -> String {
    shortened(&visible(&shortened(text, 4 * NAME)), most)
}
