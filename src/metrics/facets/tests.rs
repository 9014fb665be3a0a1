//! Fairness against smclarify, fairlearn and the published formulas (`tests/fixtures/reference/fairness/make.py`), and groups that
//! are none.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Deserialize;

use crate::base::seed::Seed;
use crate::metrics::facets::{Neighbours, Outcomes, Stage, all, find, flip_test, measure, nearest, replicate};

#[derive(Deserialize)]
struct Case {
    name: String,
    member: Vec<u8>,
    label: Vec<u32>,
    favourable: Vec<u8>,
    predicted: Vec<u8>,
    stratum: Vec<u32>,
    weight: Vec<f64>,
    width: usize,
    points: Vec<f64>,
    plain: BTreeMap<String, f64>,
    weighted: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Case>,
}

fn cases() -> Vec<Case> {
    let text = include_str!("../../../tests/fixtures/reference/fairness/fairness.json");
    serde_json::from_str::<Fixture>(text).expect("the fixture is JSON").cases
}

fn yes(values: &[u8]) -> Vec<bool> {
    values.iter().map(|value| *value == 1).collect()
}

fn both(outcomes: &Outcomes) -> Result<BTreeMap<String, f64>> {
    let counts = outcomes.count()?;
    let mut found = measure(&counts, Stage::PreTraining);
    found.extend(measure(&counts, Stage::PostTraining));
    Ok(found)
}

#[test]
fn measures_are_those_of_clarify() -> Result<()> {
    for case in cases() {
        let member: Vec<Option<bool>> = case.member.iter().map(|value| Some(*value == 1)).collect();
        let (favourable, predicted) = (yes(&case.favourable), yes(&case.predicted));
        let outcomes = Outcomes {
            member: &member,
            labels: &case.label,
            favourable: &favourable,
            predicted: &predicted,
            weights: None,
            strata: Some(&case.stratum),
        };
        let weighted = Outcomes { weights: Some(&case.weight), ..outcomes };
        let mut plain = both(&outcomes)?;
        let side = |of: bool| -> (Vec<f64>, Vec<bool>) {
            let rows: Vec<usize> = (0..member.len()).filter(|row| member[*row] == Some(of)).collect();
            let points = rows.iter().flat_map(|row| &case.points[row * case.width..(row + 1) * case.width]).copied();
            (points.collect(), rows.iter().map(|row| predicted[*row]).collect())
        };
        let (group, rest) = (side(true), side(false));
        let flipped = flip_test(
            Neighbours { points: &group.0, favoured: &group.1 },
            Neighbours { points: &rest.0, favoured: &rest.1 },
            case.width,
        );
        plain.extend(flipped.map(|value| ("FT".to_owned(), value)));
        let names: Vec<&str> = all().iter().map(|measure| measure.name).collect();
        for (found, wanted) in [(&plain, &case.plain), (&both(&weighted)?, &case.weighted)] {
            let missing: Vec<&&str> =
                names.iter().filter(|name| **name != "FT" && !found.contains_key(**name)).collect();
            assert!(missing.is_empty(), "{}: {missing:?}", case.name);
            for (name, wanted) in wanted {
                let near = (found[name] - wanted).abs() <= 1e-9 * wanted.abs().max(1e-6);
                assert!(near, "{} {name}: {} is not {wanted}", case.name, found[name]);
            }
        }
        assert_eq!(case.plain.len(), names.len(), "{}: every measure has a reference", case.name);
    }
    Ok(())
}

/// Rows as `member truth answer`, with `?` for no member.
fn found(rows: &[&str]) -> Result<BTreeMap<String, f64>> {
    let letter = |row: &&str, at: usize| row.as_bytes()[at];
    let member: Vec<Option<bool>> =
        rows.iter().map(|row| (letter(row, 0) != b'?').then(|| letter(row, 0) == b'd')).collect();
    let truth: Vec<bool> = rows.iter().map(|row| letter(row, 1) == b'1').collect();
    let labels: Vec<u32> = truth.iter().map(|yes| u32::from(*yes)).collect();
    let predicted: Vec<bool> = rows.iter().map(|row| letter(row, 2) == b'1').collect();
    both(&Outcomes {
        member: &member,
        labels: &labels,
        favourable: &truth,
        predicted: &predicted,
        weights: None,
        strata: None,
    })
}

#[test]
fn groups_that_are_none_have_no_measures_and_never_nonsense() -> Result<()> {
    let names = |rows: &[&str]| -> Result<Vec<String>> { Ok(found(rows)?.into_keys().collect()) };
    assert!(names(&[])?.is_empty());
    assert_eq!(names(&["a11", "a00"])?, ["GE"], "no row is of the group");
    assert_eq!(names(&["d11", "d00"])?, ["GE"], "every row is");
    assert!(names(&["?11", "?00"])?.is_empty(), "no row has a value");
    assert!(names(&["a10", "d10"])?.iter().all(|name| name != "GE"), "all missed: no benefit at all");
    for rows in [["a11", "d11"], ["a00", "d00"], ["a10", "d01"], ["a01", "d10"]] {
        let found = found(&rows)?;
        assert!(found.values().all(|value| value.is_finite()), "{rows:?}: {found:?}");
        assert_eq!((found["CI"], found["DPPL"].abs() <= 1.0), (0.0, true), "{rows:?}");
    }
    let one_sided = found(&["a11", "a11", "d00", "d00"])?;
    assert!(!one_sided.contains_key("KL") && one_sided["TVD"] == 1.0 && one_sided["LP"] == 2.0_f64.sqrt());
    assert!((one_sided["JS"] - 2.0_f64.ln()).abs() < 1e-15 && one_sided["DI"] == 0.0);
    let rows = vec![Some(true); 3];
    let short =
        Outcomes { member: &rows, labels: &[0], favourable: &[true], predicted: &[true], weights: None, strata: None };
    assert!(short.count().is_err());
    Ok(())
}

#[test]
fn resamples_scatter_around_the_value_and_are_the_same_each_time() -> Result<()> {
    let case = cases().swap_remove(1);
    let member: Vec<Option<bool>> = case.member.iter().map(|value| Some(*value == 1)).collect();
    let (favourable, predicted) = (yes(&case.favourable), yes(&case.predicted));
    let outcomes = Outcomes {
        member: &member,
        labels: &case.label,
        favourable: &favourable,
        predicted: &predicted,
        weights: None,
        strata: None,
    };
    let dppl = find("DPPL").expect("a measure");
    let values = replicate(&outcomes, dppl, 2_000, Seed(7))?;
    let mean = values.iter().sum::<f64>() / 2_000.0;
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 2_000.0).sqrt();
    // The error of a difference of two shares, from the shares alone.
    let share = |of: bool| {
        let rows: Vec<bool> = (0..400).filter(|row| member[*row] == Some(of)).map(|row| predicted[row]).collect();
        let part = rows.iter().filter(|yes| **yes).count() as f64 / rows.len() as f64;
        part * (1.0 - part) / rows.len() as f64
    };
    let error = (share(true) + share(false)).sqrt();
    assert!((mean - case.plain["DPPL"]).abs() < 4.0 * error / 2_000.0_f64.sqrt(), "{mean}");
    assert!((deviation / error - 1.0).abs() < 0.08, "{deviation} is not {error}");
    assert_eq!(values, replicate(&outcomes, dppl, 2_000, Seed(7))?);
    assert!(replicate(&outcomes, find("FT").expect("a measure"), 10, Seed(7))?.is_empty());
    Ok(())
}

#[test]
fn other_names_lead_to_measures() {
    for (name, here) in
        [("dca", "DCAcc"), ("disparate_impact", "DI"), ("dppl", "DPPL"), ("Dpl", "DPL"), ("DCAC", "DCAcc")]
    {
        assert_eq!(nearest(name), Some(here), "{name}");
    }
    assert_eq!(nearest("something"), None);
}
