//! One column of two profiles compared: values, missing ones, non-finite ones, type.

use anyhow::Result;

use crate::base::fail;
use crate::drift::choice::{self, Kind};
use crate::drift::compare::DriftOptions;
use crate::drift::discrete;
use crate::drift::measure::{self, Measured, Values};
use crate::drift::numeric::Tested;
use crate::drift::report::{ColumnDrift, Outcome, RateDrift};
use crate::record::profile::ColumnProfile;
use crate::spec::drift::{DriftSpec, DriftTest};
use crate::spec::schema::ColumnType;

/// Chance below which a change of the missing or non-finite share counts: one in a hundred columns at rest.
const RATE_LEVEL: f64 = 0.01;
/// New and vanished values kept in a report.
const VALUES_MAX: usize = 20;

/// Compares a column of two tables.
///
/// Errors: the test that was asked for does not suit the column's type.
pub fn compare(reference: &ColumnProfile, current: &ColumnProfile, options: &DriftOptions) -> Result<ColumnDrift> {
    let spec = &options.spec;
    let mut drift = blank(reference, current, spec);
    let Some(kind) = kind_of(reference, current) else {
        drift.outcome = Outcome::TypeChanged;
        drift.note = Some(format!(
            "the type changed from {} to {}: values are not compared",
            reference.column_type.name(),
            current.column_type.name()
        ));
        drift.drifted = true;
        return Ok(drift);
    };
    let mut notes: Vec<String> = Vec::new();
    if let Some((before, after)) = drift.types {
        notes.push(format!("the type changed from {} to {}", before.name(), after.name()));
    }
    if let Some(side) = empty_side(reference, current) {
        notes.push(format!("no value to compare in {side}"));
    } else if let Some(values) = Values::of(kind, reference, current) {
        let test = choice::test(spec, &reference.name, kind, values.rows(), values.unique());
        suits(test, kind, &reference.name)?;
        let seed = options.seed.derive(&reference.name);
        let measured = measure::measure(test, &values, (reference, current), seed);
        describe(&mut drift, &values, kind);
        judge(&mut drift, test, measured, &values, spec, &mut notes);
    } else {
        notes.push("a profile keeps no distribution of these values: ingest the data again".to_owned());
    }
    drift.drifted = drift.outcome == Outcome::Drifted || drift.missing.drifted || drift.not_finite.drifted;
    drift.note = (!notes.is_empty()).then(|| notes.join("; "));
    Ok(drift)
}

fn blank(reference: &ColumnProfile, current: &ColumnProfile, spec: &DriftSpec) -> ColumnDrift {
    let changed = reference.column_type != current.column_type && reference.present > 0 && current.present > 0;
    let rows = |column: &ColumnProfile| column.present as f64 + column.missing as f64;
    let not_finite = |column: &ColumnProfile| {
        column.numbers.as_ref().map_or(0.0, |numbers| numbers.nan as f64 + numbers.infinite as f64)
    };
    ColumnDrift {
        name: reference.name.clone(),
        test: None,
        statistic: None,
        p_value: None,
        threshold: None,
        significant: false,
        outcome: Outcome::NotCompared,
        drifted: false,
        effect: None,
        noise_floor: None,
        exact: true,
        missing: rate(
            (reference.missing as f64, rows(reference)),
            (current.missing as f64, rows(current)),
            spec.missing_min,
        ),
        not_finite: rate(
            (not_finite(reference), reference.present as f64),
            (not_finite(current), current.present as f64),
            spec.missing_min,
        ),
        types: changed.then_some((reference.column_type, current.column_type)),
        new_values: Vec::new(),
        vanished_values: Vec::new(),
        histograms: None,
        note: None,
    }
}

/// Compares two shares given as (count, total).
fn rate(reference: (f64, f64), current: (f64, f64), change_min: f64) -> RateDrift {
    let share = |(count, total): (f64, f64)| if total > 0.0 { count / total } else { 0.0 };
    let (before, after) = (share(reference), share(current));
    if reference.1 <= 0.0 || current.1 <= 0.0 {
        return RateDrift { reference: before, current: after, p_value: None, drifted: false };
    }
    let p_value = discrete::difference(reference, current).p_value;
    let drifted = p_value.is_some_and(|p| p < RATE_LEVEL) && (before - after).abs() >= change_min;
    RateDrift { reference: before, current: after, p_value, drifted }
}

/// How the values compare; `None` when the types have nothing in common. A column without values has any type.
fn kind_of(reference: &ColumnProfile, current: &ColumnProfile) -> Option<Kind> {
    let kind = |column: &ColumnProfile| match column.column_type {
        // A time of day comes back every day: its distribution is compared, not its range.
        ColumnType::Integer | ColumnType::Float | ColumnType::Time => Kind::Numbers,
        ColumnType::Boolean | ColumnType::Text => Kind::Categories,
        ColumnType::Date | ColumnType::Timestamp => Kind::Times,
    };
    let (before, after) = (kind(reference), kind(current));
    let boolean = |column: &ColumnProfile| column.column_type == ColumnType::Boolean;
    if current.present == 0 {
        Some(before)
    } else if reference.present == 0 {
        Some(after)
    } else {
        (before == after && boolean(reference) == boolean(current)).then_some(before)
    }
}

fn empty_side(reference: &ColumnProfile, current: &ColumnProfile) -> Option<&'static str> {
    let finite = |column: &ColumnProfile| {
        let others = column.numbers.as_ref().map_or(0, |numbers| numbers.nan.saturating_add(numbers.infinite));
        column.present.saturating_sub(others)
    };
    match (finite(reference), finite(current)) {
        (0, 0) => Some("either table"),
        (0, _) => Some("the reference"),
        (_, 0) => Some("the current table"),
        _ => None,
    }
}

fn suits(test: DriftTest, kind: Kind, name: &str) -> Result<()> {
    let suits = match kind {
        // Few numbers are compared as categories, so that tests of categories suit numbers too.
        Kind::Numbers => test.takes_numbers() || test.takes_categories(),
        Kind::Categories => test.takes_categories(),
        Kind::Times => test == DriftTest::RangeShift || test.takes_numbers(),
    };
    if suits {
        return Ok(());
    }
    Err(fail::usage(format!("[monitor.column.{name}] test = \"{}\" does not suit the column's type", test.name()))
        .hint("leave `test` out to have one chosen by type and size")
        .into())
}

fn describe(drift: &mut ColumnDrift, values: &Values, kind: Kind) {
    drift.exact = values.exact();
    drift.histograms = values.histograms(kind == Kind::Times);
    drift.effect = values.effect();
    let (mut new, mut vanished) = values.lone_values();
    new.truncate(VALUES_MAX);
    vanished.truncate(VALUES_MAX);
    (drift.new_values, drift.vanished_values) = (new, vanished);
}

/// Turns what was measured into an outcome.
fn judge(
    drift: &mut ColumnDrift,
    test: DriftTest,
    measured: Measured,
    values: &Values,
    spec: &DriftSpec,
    notes: &mut Vec<String>,
) {
    drift.test = Some(test);
    drift.threshold = choice::threshold(spec, &drift.name, test);
    notes.extend(measured.note);
    if !drift.exact {
        notes.push("from a sketch or a cut list of values: approximate".to_owned());
    }
    let Some(Tested { statistic, p_value }) = measured.tested else {
        notes.push(format!("{} has no answer for these values", test.name()));
        return;
    };
    let p_value = if test.is_p_value() { p_value } else { None };
    if statistic.is_infinite() && p_value.is_some() {
        notes.push("the reference lacks a value that the current table has: the statistic has no bound".to_owned());
    }
    let finite = |value: f64| value.is_finite().then_some(value);
    (drift.statistic, drift.p_value) = (finite(statistic), p_value.and_then(finite));
    drift.noise_floor = measured.floor.and_then(finite);
    let Some(score) = (if test.is_p_value() { drift.p_value } else { drift.statistic }) else {
        notes.push(format!("{} has no finite value here", test.name()));
        return;
    };
    let Some(threshold) = drift.threshold else {
        drift.outcome = Outcome::Measured;
        return;
    };
    drift.significant = test.rule().holds(score, threshold);
    let in_noise = !test.is_p_value() && drift.noise_floor.is_some_and(|floor| score <= floor);
    let small = test.is_p_value()
        && values.rows() > choice::SMALL_ROWS_MAX
        && drift.effect.as_ref().is_some_and(|effect| effect.value < spec.effect_min);
    drift.outcome = match drift.significant {
        false => Outcome::Stable,
        true if spec.noise_floor && in_noise => Outcome::WithinNoise,
        true if small => Outcome::SignificantButSmall,
        true => Outcome::Drifted,
    };
}
