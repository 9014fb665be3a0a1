//! Statistics, correlations, information and weighted statistics against pandas, numpy, scipy, scikit-learn and statsmodels:
//! value for value, from `tests/fixtures/reference/profile` (versions and script there).

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::base::talk::Silent;
use crate::data::associate::associate;
use crate::data::associate::correlation::Pair;
use crate::data::profile::profile;
use crate::data::profile::weighted::weighted_profile;
use crate::data::source::{ReadOptions, read};
use crate::data::table::Table;
use crate::data::tests::example;

/// Sums of up to 8,645 numbers differ in their last digits between ways of adding up.
const TOLERANCE: f64 = 1e-12;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reference/profile")
}

fn load(path: &Path) -> Result<Table> {
    Ok(read(path, &ReadOptions::default(), &Silent)?.table)
}

fn reference(name: &str) -> Result<Value> {
    let path = folder().join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}

/// Every value of `wanted` is in `found` at the same place, numbers within the tolerance.
#[track_caller]
fn same(found: &Value, wanted: &Value, place: &str) {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => {
            for (name, value) in wanted {
                same(found.get(name).unwrap_or(&Value::Null), value, &format!("{place}.{name}"));
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len(), "{place}: {found} for {wanted}");
            a.iter().zip(b).enumerate().for_each(|(at, (a, b))| same(a, b, &format!("{place}[{at}]")));
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap_or(f64::NAN), b.as_f64().unwrap_or(f64::NAN));
            assert!((a - b).abs() <= TOLERANCE * b.abs(), "{place}: {a:?} for {b:?}");
        }
        (found, wanted) => assert_eq!(found, wanted, "{place}"),
    }
}

/// One column of a profile, flat as the references are.
fn flat(column: &crate::record::profile::ColumnProfile) -> Result<Value> {
    let mut flat = serde_json::to_value(column)?;
    for part in ["numbers", "texts"] {
        if let Some(Value::Object(inner)) = flat.get(part).cloned() {
            inner.into_iter().for_each(|(name, value)| flat[name] = value);
        }
    }
    flat["deciles"] = flat["quantile_edges"].clone();
    Ok(flat)
}

fn check_profile(table: &Table, wanted: &Value) -> Result<usize> {
    let record = profile(table);
    let mut checked = 0;
    for part in ["numbers", "texts"] {
        for (name, wanted) in wanted[part].as_object().into_iter().flatten() {
            let column = record.column(name).with_context(|| format!("no column {name}"))?;
            same(&flat(column)?, wanted, name);
            checked += 1;
        }
    }
    Ok(checked)
}

fn check_pairs(found: &[Pair], wanted: &Value) {
    let wanted = wanted.as_array().expect("a list of pairs");
    assert_eq!(found.iter().filter(|pair| pair.value.is_some()).count(), wanted.len());
    for entry in wanted {
        let is =
            |pair: &&Pair| [&pair.a, &pair.b] == [entry[0].as_str().unwrap_or(""), entry[1].as_str().unwrap_or("")];
        let pair = found.iter().find(is).unwrap_or_else(|| panic!("no pair {entry}"));
        let (a, b) = (pair.value.unwrap_or(f64::NAN), entry[2].as_f64().unwrap_or(f64::NAN));
        // Coefficients are of size 1: near 0 their digits are those of the sums that cancel.
        assert!((a - b).abs() <= TOLERANCE, "{entry}: {a}");
    }
}

fn check(name: &str) -> Result<()> {
    let (table, wanted) = (load(&example(name))?, reference(name)?);
    assert_eq!(check_profile(&table, &wanted)?, table.columns().len());
    let target = wanted["target"].as_str().expect("a target");
    let found = associate(&table, Some(target))?;
    check_pairs(&found.pearson, &wanted["pearson"]);
    check_pairs(&found.spearman, &wanted["spearman"]);
    check_pairs(&found.cramers_v, &wanted["cramers_v"]);
    for (name, nats) in wanted["information"].as_object().expect("a map") {
        let found = found.information.iter().find(|entry| entry.column == *name).expect("every column is measured");
        assert!((found.nats - nats.as_f64().unwrap_or(f64::NAN)).abs() < TOLERANCE, "{name}: {found:?} for {nats}");
    }
    let weighted = weighted_profile(&table, wanted["weight"].as_str().expect("a weight"))?;
    for (name, wanted) in wanted["weighted"].as_object().expect("a map") {
        let column = weighted.columns.iter().find(|column| column.name == *name).expect("every column is weighted");
        let mut flat = serde_json::to_value(&column.numbers)?;
        flat["present"] = column.present.into();
        same(&flat, wanted, name);
    }
    Ok(())
}

#[test]
fn penguins_as_the_references_have_them() -> Result<()> {
    check("penguins")
}

#[test]
fn titanic_as_the_references_have_it() -> Result<()> {
    check("titanic")
}

#[test]
fn bikeshare_as_the_references_have_it() -> Result<()> {
    check("bikeshare")
}

#[test]
fn odd_columns_as_exact_fractions_have_them() -> Result<()> {
    let table = load(&folder().join("odd.csv"))?;
    assert_eq!(check_profile(&table, &reference("odd")?)?, 9);
    Ok(())
}
