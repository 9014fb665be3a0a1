//! The public collection csv-spectrum: every case read as its JSON says.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::data::source::ReadOptions;
use crate::data::tests::{fixture, read_file};
use crate::spec::schema::ColumnType;

/// Every cell as text equals the JSON of the case; an empty text there is a missing value here.
#[track_caller]
fn check(case: &str) {
    let bytes = std::fs::read(fixture(&format!("csv-spectrum/{case}.csv"))).expect("the fixture is kept");
    let json = std::fs::read(fixture(&format!("csv-spectrum/{case}.json"))).expect("the fixture is kept");
    let wanted: Vec<BTreeMap<String, String>> = serde_json::from_slice(&json).expect("the fixture is JSON");
    let types = wanted[0].keys().map(|name| (name.clone(), ColumnType::Text)).collect();
    let options = ReadOptions { types, header: Some(true), ..ReadOptions::default() };
    let read = read_file("t.csv", &bytes, &options).expect("the case is well formed").table;
    assert_eq!(read.rows(), wanted.len(), "{case}");
    for (row, fields) in wanted.iter().enumerate() {
        for (name, text) in fields {
            assert_eq!(read.cell(row, name).unwrap_or_default(), *text, "{case}, row {row}, {name}");
        }
    }
}

#[test]
fn every_case_is_read_as_its_json() -> Result<()> {
    let mut cases = 0;
    for entry in std::fs::read_dir(fixture("csv-spectrum"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "csv") {
            check(&path.file_stem().unwrap_or_default().to_string_lossy());
            cases += 1;
        }
    }
    assert_eq!(cases, 11);
    Ok(())
}
