//! Whether a gate asks for what exists, before anything is computed, and what has to be measured for it.

use anyhow::Result;

use crate::base::fail;
use crate::base::suggest;
use crate::data::divide;
use crate::metrics::facets;
use crate::metrics::robustness::Disturbance;
use crate::metrics::zoo;
use crate::spec::facet::{FacetSpec, FacetTest};
use crate::spec::gate::{Extreme, GateSpec, Scope, Term};
use crate::spec::model::Task;
use crate::spec::slice::{SlicePart, SliceSpec};

/// Costs of a model that a gate may ask for like a metric; who evaluates measures them.
pub const COSTS: &[&str] = &["latency_p50_ms", "latency_p99_ms", "rows_per_second", "size_mb", "train_seconds"];

const SLICE_FORM: &str =
    "a slice is written `slice(COL).METRIC.min`, `.max`, `.gap` or `.each`, or `slice(COL=VALUE).METRIC`";

/// What has to be measured for one gate beside the metrics of all rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Needs {
    /// Divisions of the rows.
    pub slices: Vec<String>,
    /// Groups whose treatment is measured.
    pub facets: Vec<String>,
    /// Metrics of disturbed rows.
    pub disturbed: Vec<String>,
}

/// Checks that a gate asks for metrics that exist, of `task` or one of [`COSTS`], and for columns among `columns`.
///
/// Errors: an unknown metric, measure or column, with the nearest one; a slice or group that is not well written.
pub fn check(gate: &GateSpec, task: Task, columns: &[&str]) -> Result<Needs> {
    let context = |error: anyhow::Error| error.context(format!("gate `{}`", gate.text));
    let mut needs = Needs::default();
    for term in gate.terms() {
        check_term(term, gate.is_each(), task, columns, &mut needs).map_err(context)?;
    }
    Ok(needs)
}

fn check_term(term: &Term, is_each: bool, task: Task, columns: &[&str], needs: &mut Needs) -> Result<()> {
    let Term::Part { scope, inner, metric, extreme } = term else {
        let name = term.to_string();
        // The champion's side of a gate about each group names its measure alone.
        return if is_each && facets::find(&name).is_some() { Ok(()) } else { known_metric(&name, task) };
    };
    let extreme = extreme.or(is_each.then_some(Extreme::Each));
    match scope {
        Scope::Slice => {
            zoo::find(metric, task)?;
            needs.slices.push(division(inner, extreme, columns)?);
        }
        Scope::Facet => {
            known_measure(metric, task)?;
            needs.facets.push(group(inner, extreme, columns)?);
        }
        Scope::Robustness => {
            zoo::find(metric, task)?;
            Disturbance::parse(inner)?.check(columns)?;
            if extreme.is_some() {
                return Err(fail::usage("a disturbance has no `.min`, `.max`, `.gap` or `.each`").into());
            }
            needs.disturbed.push(metric.clone());
        }
    }
    Ok(())
}

/// Errors: neither a metric of the task nor a cost, with the nearest of both.
fn known_metric(name: &str, task: Task) -> Result<()> {
    if COSTS.contains(&name) {
        return Ok(());
    }
    let Err(error) = zoo::find(name, task) else {
        return Ok(());
    };
    let measure = || facets::find(name).map(|_| format!("it is a measure of fairness: write facet(COL=VALUE).{name}"));
    let cost = || suggest::nearest(name, COSTS.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    let is_guess =
        fail::find(&error).and_then(|failure| failure.hint.as_deref()).is_some_and(|h| h.starts_with("did you"));
    match measure().or_else(|| if is_guess { None } else { cost() }) {
        Some(hint) => Err(fail::usage(format!("unknown metric `{name}`")).hint(hint).into()),
        None => Err(error),
    }
}

/// Errors: no measure of fairness, with the nearest; a task that has none.
fn known_measure(name: &str, task: Task) -> Result<()> {
    if !task.is_supervised() {
        let what = format!("fairness is measured of classes and numbers; this task is {}", task.name());
        return Err(fail::usage(what).hint("use slices").into());
    }
    if facets::find(name).is_some() {
        return Ok(());
    }
    let known = facets::all().iter().map(|measure| measure.name).collect::<Vec<_>>().join(", ");
    let hint = facets::nearest(name).map_or(format!("known: {known}"), |near| format!("did you mean `{near}`?"));
    Err(fail::usage(format!("unknown measure of fairness `{name}`")).hint(hint).into())
}

/// The division of the rows that has the slice, or the slices, written as `inner`.
fn division(inner: &str, extreme: Option<Extreme>, columns: &[&str]) -> Result<String> {
    let read = |text: &str| -> Result<SliceSpec> {
        let mut read = divide::check(&[text.to_owned()], columns)?;
        read.pop().ok_or_else(|| fail::usage("a slice is empty").into())
    };
    if extreme.is_some() {
        return read(inner).map(|spec| spec.text);
    }
    let is_condition = |spec: &SliceSpec| matches!(spec.parts.as_slice(), [SlicePart::Condition(_)]);
    let is_plain = |value: &str| {
        let words: Vec<String> = value.split_whitespace().map(str::to_lowercase).collect();
        !value.contains('\'') && !words.iter().any(|word| word == "and" || word == "or")
    };
    let places: Vec<usize> = inner.match_indices('=').map(|(at, _)| at).collect();
    // The longest name first: columns may hold `=` themselves.
    let pairs = places.iter().rev().filter_map(|at| {
        let (text, value) = (inner[..*at].trim(), inner[at + 1..].trim());
        let spec = read(text).ok()?;
        let fits = !is_condition(&spec) || ["yes", "no", divide::MISSING].contains(&value);
        fits.then(|| (spec.text, value.to_owned()))
    });
    let pairs: Vec<(String, String)> = pairs.collect();
    let condition = read(inner).ok().filter(is_condition);
    match (pairs.first(), condition) {
        (Some((text, value)), condition) if is_plain(value) || condition.is_none() => Ok(text.clone()),
        (_, Some(condition)) => Ok(condition.text),
        _ if places.is_empty() && read(inner).is_ok() => {
            Err(fail::usage(format!("which slice of `{inner}`?")).hint(SLICE_FORM).into())
        }
        _ => {
            let text = places.first().map_or(inner, |at| inner[..*at].trim());
            read(text).and_then(|_| read(inner)).map(|spec| spec.text)
        }
    }
}

/// The group, or the column whose values are groups, written as `inner`.
fn group(inner: &str, extreme: Option<Extreme>, columns: &[&str]) -> Result<String> {
    let spec = FacetSpec::parse(inner, columns)?;
    let hint = "a group is written `facet(COL=VALUE).MEASURE`; all of a column `facet(COL).MEASURE.min` or `.max`";
    match (extreme, spec.test) {
        (None, FacetTest::Every) => Err(fail::usage(format!("which group of `{inner}`?")).hint(hint).into()),
        (Some(_), FacetTest::Value(_) | FacetTest::Bound(..)) => {
            Err(fail::usage(format!("`{inner}` is one group and has no `.min`, `.max`, `.gap` or `.each`"))
                .hint(hint)
                .into())
        }
        _ => Ok(inner.to_owned()),
    }
}
