//! The choice of test, verdicts, missing values, types, columns, settings.

use std::time::Instant;

use crate::drift::choice::{Kind, default_test};
use crate::drift::compare::{DriftOptions, compare};
use crate::drift::report::Outcome;
use crate::drift::tests::{by, categories, close, compared, numbers, report, table};
use crate::record::profile::{ColumnProfile, ProfileRecord};
use crate::spec::drift::{DriftSpec, DriftTest};
use crate::spec::schema::ColumnType;

fn ramp(from: u32, to: u32, each: u64) -> ColumnProfile {
    let points: Vec<(f64, u64)> = (from..to).map(|value| (f64::from(value), each)).collect();
    numbers(ColumnType::Integer, &points, true)
}

#[test]
fn the_default_is_evidentlys() {
    for (kind, rows, unique, expected) in [
        (Kind::Numbers, 1000.0, 6, DriftTest::Ks),
        (Kind::Numbers, 1000.0, 5, DriftTest::Chisquare),
        (Kind::Numbers, 1000.0, 2, DriftTest::Z),
        (Kind::Numbers, 1001.0, 6, DriftTest::Wasserstein),
        (Kind::Numbers, 1001.0, 5, DriftTest::JensenShannon),
        (Kind::Categories, 1000.0, 3, DriftTest::Chisquare),
        (Kind::Categories, 1000.0, 2, DriftTest::Z),
        (Kind::Categories, 1001.0, 2, DriftTest::JensenShannon),
        (Kind::Times, 10.0, 900, DriftTest::RangeShift),
    ] {
        assert_eq!(default_test(kind, rows, unique), expected, "{kind:?} {rows} {unique}");
    }
}

#[test]
fn a_rise_of_missing_values_is_drift_by_itself() {
    let (before, mut after) = (ramp(0, 100, 5), ramp(0, 100, 5));
    after.missing = 100;
    let drift = compared(&before, &after, &DriftOptions::default());
    assert_eq!((drift.outcome, drift.missing.drifted, drift.drifted), (Outcome::Stable, true, true));
    close("share", drift.missing.current, 100.0 / 600.0, 1e-12);
    after.missing = 3;
    assert!(!compared(&before, &after, &DriftOptions::default()).drifted);
}

#[test]
fn a_rise_of_infinite_values_is_drift_by_itself() {
    let (before, mut after) = (ramp(0, 100, 5), ramp(0, 100, 5));
    after.present += 50;
    after.numbers.as_mut().expect("numbers").infinite = 50;
    let drift = compared(&before, &after, &DriftOptions::default());
    assert_eq!((drift.outcome, drift.not_finite.drifted, drift.drifted), (Outcome::Stable, true, true));
}

#[test]
fn many_rows_prove_a_difference_too_small_to_matter() {
    // A million rows each, moved by 1 % of a standard deviation.
    let points = |shift: f64| (0..1000).map(|i| (f64::from(i) + shift, 1000)).collect::<Vec<_>>();
    let (before, after) =
        (numbers(ColumnType::Float, &points(0.0), true), numbers(ColumnType::Float, &points(2.9), true));
    let drift = compared(&before, &after, &by(DriftTest::TTest));
    assert!(drift.significant && drift.p_value.is_some_and(|p| p < 1e-6), "{drift:?}");
    assert_eq!((drift.outcome, drift.drifted), (Outcome::SignificantButSmall, false));
    close("effect", drift.effect.expect("an effect").value, 0.01, 0.02);
    let mut alone = by(DriftTest::TTest);
    alone.spec.effect_min = 0.0;
    assert!(compared(&before, &after, &alone).drifted);
}

#[test]
fn a_difference_within_the_noise_is_not_drift() {
    // 30 of 1,000 tickets in place of 1,000,000: a distance of 0.1 says nothing.
    let before = ramp(0, 1000, 1000);
    let few: Vec<(f64, u64)> = (0..30).map(|i| (f64::from(i) * 33.0 + 60.0, 1)).collect();
    let drift = compared(&before, &numbers(ColumnType::Integer, &few, true), &DriftOptions::default());
    assert_eq!((drift.test, drift.significant), (Some(DriftTest::Wasserstein), true), "{drift:?}");
    assert_eq!((drift.outcome, drift.drifted), (Outcome::WithinNoise, false), "{drift:?}");
    let mut loud = DriftOptions::default();
    loud.spec.noise_floor = false;
    assert!(compared(&before, &numbers(ColumnType::Integer, &few, true), &loud).drifted);
}

#[test]
fn another_type_is_drift() {
    let drift = compared(&ramp(0, 50, 2), &categories(&[("a", 100)]), &DriftOptions::default());
    assert_eq!((drift.outcome, drift.drifted, drift.test), (Outcome::TypeChanged, true, None));
    assert_eq!(drift.types, Some((ColumnType::Integer, ColumnType::Text)));
    let mut wider = ramp(0, 50, 2);
    wider.column_type = ColumnType::Float;
    let drift = compared(&ramp(0, 50, 2), &wider, &DriftOptions::default());
    assert_eq!((drift.outcome, drift.drifted), (Outcome::Stable, false));
    assert!(drift.note.is_some_and(|note| note.contains("from integer to float")));
}

#[test]
fn times_are_measured_and_judged_when_asked() {
    let day = 86_400_000_000.0;
    let days = |from: u32| (from..from + 100).map(|i| (f64::from(i) * day, 3)).collect::<Vec<_>>();
    let (before, after) =
        (numbers(ColumnType::Timestamp, &days(0), true), numbers(ColumnType::Timestamp, &days(50), true));
    let whole = report(&before, &after, &DriftOptions::default());
    let drift = &whole.columns[0];
    assert_eq!((drift.test, drift.outcome), (Some(DriftTest::RangeShift), Outcome::Measured));
    assert_eq!((drift.statistic, whole.share_drifted, whole.drifted), (Some(0.5), 0.0, false));
    assert!(drift.note.as_ref().is_some_and(|note| note.contains("1970-01-01")), "{drift:?}");
    let mut asked = DriftOptions::default();
    asked.spec.thresholds.insert(DriftTest::RangeShift, 0.4);
    assert!(compared(&before, &after, &asked).drifted);
}

#[test]
fn columns_that_come_and_go_are_listed_apart() {
    let named = |name: &str, mut column: ColumnProfile| {
        column.name = name.to_owned();
        column
    };
    let before = ProfileRecord {
        rows: 100,
        columns: vec![named("a", ramp(0, 50, 2)), named("b", ramp(0, 50, 2)), named("gone", ramp(0, 50, 2))],
    };
    let after = ProfileRecord {
        rows: 100,
        columns: vec![named("new", ramp(0, 50, 2)), named("b", ramp(50, 100, 2)), named("a", ramp(0, 50, 2))],
    };
    let report = compare(&before, &after, &DriftOptions::default()).expect("a report");
    assert_eq!((report.share_drifted, report.drifted), (0.5, true));
    assert_eq!((report.new_columns, report.vanished_columns), (vec!["new".to_owned()], vec!["gone".to_owned()]));
    let spec = DriftSpec { ignore: vec!["b".to_owned()], rows_fraction_min: Some(0.5), ..DriftSpec::default() };
    let mut few = after.clone();
    few.rows = 40;
    let report = compare(&before, &few, &DriftOptions { spec, ..DriftOptions::default() }).expect("a report");
    assert_eq!((report.columns.len(), report.rows.drifted, report.drifted), (1, true, true));
    let spec = DriftSpec { columns: vec!["bb".to_owned()], ..DriftSpec::default() };
    let error =
        compare(&before, &after, &DriftOptions { spec, ..DriftOptions::default() }).expect_err("no such column");
    assert_eq!(error.to_string(), "unknown column `bb`");
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    for spec in [
        DriftSpec { share: 0.0, ..DriftSpec::default() },
        DriftSpec { numbers: Some(DriftTest::Chisquare), ..DriftSpec::default() },
        DriftSpec { categories: Some(DriftTest::Ks), ..DriftSpec::default() },
        DriftSpec { effect_min: f64::NAN, ..DriftSpec::default() },
    ] {
        assert!(spec.check().is_err(), "{spec:?}");
    }
    let text = categories(&[("a", 3), ("b", 4)]);
    let error = compare(&table(&text), &table(&text), &by(DriftTest::Ks)).expect_err("text has no ks");
    assert!(error.to_string().contains("does not suit"), "{error}");
}

#[test]
fn chance_is_the_same_every_time() {
    let (before, after) = (categories(&[("a", 300), ("b", 200)]), categories(&[("a", 280), ("b", 220)]));
    let once = compared(&before, &after, &by(DriftTest::Tvd));
    assert_eq!(once, compared(&before, &after, &by(DriftTest::Tvd)));
}

#[test]
fn histograms_share_their_bins() {
    let drift = compared(&ramp(0, 500, 4), &ramp(100, 900, 4), &DriftOptions::default());
    let histograms = drift.histograms.expect("histograms");
    assert_eq!((histograms.labels.len(), histograms.reference.len(), histograms.current.len()), (20, 20, 20));
    assert_eq!(histograms.labels[0], "0 – 44.95");
    close("sum", histograms.reference.iter().sum(), 1.0, 1e-12);
    let names: Vec<String> = (0..50).map(|i| format!("v{i:02}")).collect();
    let many = categories(&names.iter().map(|name| (name.as_str(), 3)).collect::<Vec<_>>());
    let histograms = compared(&many, &many, &DriftOptions::default()).histograms.expect("histograms");
    assert_eq!((histograms.labels.len(), histograms.labels[19].as_str()), (20, "other"));
}

#[test]
fn twenty_columns_take_little_time() {
    let columns = |from: u32| {
        let named = |index: u32| {
            let mut column = ramp(from, from + 1024, 500);
            column.name = format!("x{index}");
            column
        };
        ProfileRecord { rows: 512_000, columns: (0..20).map(named).collect() }
    };
    let (before, after) = (columns(0), columns(40));
    let start = Instant::now();
    let report = compare(&before, &after, &DriftOptions::default()).expect("a report");
    // The bound is for a build without optimisation on a busy machine.
    assert!(start.elapsed().as_secs_f64() < 2.0, "{:?}", start.elapsed());
    assert_eq!(report.columns.len(), 20);
}
