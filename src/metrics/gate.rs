//! Gates: what a model must hold before it may go further, judged one by one and together.
//!
//! Semantics of TensorFlow Model Analysis' thresholds, with two differences that are said aloud: nothing is skipped in
//! silence, and no gates at all is the verdict `none`.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::base::fail;
use crate::base::suggest;
use crate::metrics::zoo;
use crate::record::evaluation::{GateResult, SliceResult, Verdict};
use crate::spec::gate::{Bound, Comparison, GateSpec};
use crate::spec::model::Task;

/// Costs of a model that a gate may ask for like a metric; who evaluates measures them.
pub const COSTS: &[&str] = &["latency_p99_ms", "size_mb", "train_seconds"];

const SLICE_FORM: &str =
    "a slice is written `slice(COL).METRIC.min`, `slice(COL).METRIC.max` or `slice(COL=VALUE).METRIC`";

/// Judges one gate. `values` answers with the value of the gate's metric as written (see [`Lookup::value`]), `champion`
/// holds the champion's metrics, `None` when there is no champion yet.
///
/// A metric that is missing or not finite fails; one that the champion lacks fails too. A gate against a champion that
/// does not exist yet passes, and the reason says so. Equality passes `>=` and `<=`: the champion's value plus an
/// offset is rounded to 15 digits first, so that 0.52 - 0.05 is 0.47.
pub fn judge(
    gate: &GateSpec,
    values: &dyn Fn(&str) -> Option<f64>,
    champion: Option<&BTreeMap<String, f64>>,
) -> GateResult {
    let value = values(&gate.metric).filter(|value| value.is_finite());
    let result = |bound: Option<f64>, passed: bool, reason: String| GateResult {
        expression: gate.text.clone(),
        value,
        bound,
        verdict: if passed { Verdict::Pass } else { Verdict::Fail },
        reason,
    };
    let Some(value) = value else {
        return result(None, false, format!("`{}` has no value on these rows", gate.metric));
    };
    let (bound, origin) = match (&gate.bound, champion) {
        (Bound::Value(bound), _) => (*bound, String::new()),
        (Bound::Champion { metric, .. }, None) => {
            let now = show(value);
            return result(None, true, format!("there is no champion yet to compare {metric} with; it is {now}"));
        }
        (Bound::Champion { metric, offset }, Some(champion)) => {
            let Some(theirs) = champion.get(metric).copied().filter(|value| value.is_finite()) else {
                return result(None, false, format!("the champion has no value of `{metric}`"));
            };
            (shifted(theirs, *offset), origin(theirs, *offset))
        }
    };
    let passed = gate.comparison.holds(value, bound);
    let (value_text, bound_text) = show_apart(value, bound);
    let wanted = words(gate.comparison);
    let joint = if passed { "is" } else { "is not" };
    result(Some(bound), passed, format!("{value_text} {joint} {wanted} {bound_text}{origin}"))
}

/// Judges all gates on what was measured; a gate on the extreme of a column also says which slices had no value.
pub fn judge_all(gates: &[GateSpec], lookup: &Lookup, champion: Option<&BTreeMap<String, f64>>) -> Vec<GateResult> {
    let one = |gate: &GateSpec| {
        let mut result = judge(gate, &|name| lookup.value(name), champion);
        let left_out = lookup.without_value(&gate.metric);
        if !left_out.is_empty() && result.value.is_some() {
            result.reason += &format!(" (no value for {})", left_out.join(", "));
        }
        result
    };
    gates.iter().map(one).collect()
}

/// Fail if one failed, pass if all passed, none if there are no gates.
pub fn verdict(results: &[GateResult]) -> Verdict {
    match results {
        [] => Verdict::None,
        _ if results.iter().all(|result| result.verdict == Verdict::Pass) => Verdict::Pass,
        _ => Verdict::Fail,
    }
}

/// Checks, before anything is computed, that a gate asks for metrics that exist: of `task` or one of [`COSTS`]. Returns
/// the one of `columns` that it slices by, so that this column is evaluated too.
///
/// Errors: an unknown metric or column, with the nearest one; a slice that is not well written.
pub fn check<'c>(gate: &GateSpec, task: Task, columns: &[&'c str]) -> Result<Option<&'c str>> {
    let context = |error: anyhow::Error| error.context(format!("gate `{}`", gate.text));
    if let Bound::Champion { metric, .. } = &gate.bound {
        known_metric(metric, task).map_err(context)?;
    }
    if !gate.metric.starts_with("slice(") {
        known_metric(&gate.metric, task).map_err(context)?;
        return Ok(None);
    }
    let Some(sliced) = Sliced::parse(&gate.metric) else {
        return Err(fail::usage(format!("gate `{}`: this is not a slice", gate.text)).hint(SLICE_FORM).into());
    };
    zoo::find(sliced.metric, task).map_err(context)?;
    let wanted = |column: &str| match sliced.extreme {
        Some(_) => sliced.inner == column,
        None => sliced.value_of(column).is_some(),
    };
    if let Some(column) = columns.iter().copied().find(|column| wanted(column)) {
        return Ok(Some(column));
    }
    match (sliced.extreme, sliced.inner.split_once('=')) {
        (None, None) => Err(fail::usage(format!("gate `{}`: which slice of `{}`?", gate.text, sliced.inner))
            .hint(SLICE_FORM)
            .into()),
        (None, Some((column, _))) => {
            Err(context(suggest::unknown("column", column.trim(), columns.iter().copied()).into()))
        }
        (Some(_), _) => Err(context(suggest::unknown("column", sliced.inner, columns.iter().copied()).into())),
    }
}

fn known_metric(name: &str, task: Task) -> Result<()> {
    if COSTS.contains(&name) { Ok(()) } else { zoo::find(name, task).map(|_| ()) }
}

/// Everything that was measured, by the names that gates use.
#[derive(Clone, Copy, Debug)]
pub struct Lookup<'a> {
    /// Metrics of all rows, and costs, by name.
    pub metrics: &'a BTreeMap<String, f64>,
    /// Metrics of parts of the rows.
    pub slices: &'a [SliceResult],
}

impl<'a> Lookup<'a> {
    /// Value of `METRIC`, `slice(COL).METRIC.min`, `slice(COL).METRIC.max` or `slice(COL=VALUE).METRIC`. An extreme
    /// runs over the slices that have a value. `None` when nothing of that name was measured.
    pub fn value(&self, name: &str) -> Option<f64> {
        let Some(sliced) = Sliced::parse(name) else {
            return self.metrics.get(name).copied();
        };
        let Some(extreme) = sliced.extreme else {
            let slice =
                self.slices.iter().find(|slice| sliced.value_of(&slice.column) == Some(slice.value.as_str()))?;
            return slice.metrics.get(sliced.metric).copied();
        };
        let values = self.of_column(sliced.inner).filter_map(|slice| slice.metrics.get(sliced.metric).copied());
        match extreme {
            Extreme::Min => values.min_by(f64::total_cmp),
            Extreme::Max => values.max_by(f64::total_cmp),
        }
    }

    /// For the extreme of a column: its slices that have no value of the metric, as `COL=VALUE`.
    pub fn without_value(&self, name: &str) -> Vec<String> {
        let Some(sliced) = Sliced::parse(name).filter(|sliced| sliced.extreme.is_some()) else {
            return Vec::new();
        };
        let without = self.of_column(sliced.inner).filter(|slice| !slice.metrics.contains_key(sliced.metric));
        without.map(|slice| format!("{}={}", slice.column, slice.value)).collect()
    }

    fn of_column(&self, column: &str) -> impl Iterator<Item = &'a SliceResult> {
        self.slices.iter().filter(move |slice| slice.column == column)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extreme {
    Min,
    Max,
}

/// `slice(INNER).METRIC` with or without `.min`, `.max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sliced<'a> {
    inner: &'a str,
    metric: &'a str,
    extreme: Option<Extreme>,
}

impl<'a> Sliced<'a> {
    fn parse(name: &'a str) -> Option<Sliced<'a>> {
        // The last bracket ends the slice: values may hold brackets, metrics never do.
        let (inner, metric) = name.strip_prefix("slice(")?.rsplit_once(").")?;
        let (metric, extreme) = match (metric.strip_suffix(".min"), metric.strip_suffix(".max")) {
            (Some(metric), _) => (metric, Some(Extreme::Min)),
            (_, Some(metric)) => (metric, Some(Extreme::Max)),
            _ => (metric, None),
        };
        Some(Sliced { inner: inner.trim(), metric, extreme })
    }

    /// The value asked for when the slice is one of `column`, whose name may itself hold `=`.
    fn value_of(&self, column: &str) -> Option<&'a str> {
        let rest = self.inner.strip_prefix(column)?.trim_start().strip_prefix('=')?;
        Some(rest.trim_start())
    }
}

/// `value + offset` to 15 significant digits, what a person would get on paper.
fn shifted(value: f64, offset: f64) -> f64 {
    if offset == 0.0 {
        return value;
    }
    let sum = value + offset;
    format!("{sum:.14e}").parse().unwrap_or(sum)
}

fn origin(theirs: f64, offset: f64) -> String {
    let theirs = show(theirs);
    match offset {
        0.0 => ", the champion's".to_owned(),
        offset if offset < 0.0 => format!(", the champion's {theirs} - {}", -offset),
        offset => format!(", the champion's {theirs} + {offset}"),
    }
}

fn words(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::AtLeast => "at least",
        Comparison::Above => "above",
        Comparison::AtMost => "at most",
        Comparison::Below => "below",
        Comparison::Equal => "equal to",
    }
}

/// Six significant digits, without trailing zeros.
fn show(value: f64) -> String {
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    rounded.to_string()
}

/// Both numbers rounded, or both in full where rounding would make different ones look equal.
fn show_apart(a: f64, b: f64) -> (String, String) {
    let (short_a, short_b) = (show(a), show(b));
    if a != b && short_a == short_b { (a.to_string(), b.to_string()) } else { (short_a, short_b) }
}
