//! Keys that a reader takes for the same.

use std::collections::BTreeMap;

use anyhow::Result;
use polars::prelude::Column;
use rayon::prelude::{IntoParallelIterator, ParallelIterator, ParallelSliceMut};

use crate::base::units;
use crate::quality::report::{Finding, of_rows};
use crate::quality::rows::{Rows, View};
use crate::quality::sense::fold::fold;
use crate::quality::sense::study::Study;
use crate::record::profile::ColumnProfile;
use crate::spec::schema::{ColumnType, Severity};

/// `NEAR_DUPLICATE_KEY`: rows whose key differs from an earlier row's only by case, spaces, width or the form of letters
/// (see [`fold`]). Keys that are equal are told by the schema's key; rows without a value in a key column are not compared.
///
/// Cost: none without text in the key; else one folded copy of the key's text, and a sort of it.
pub fn near_keys(study: &Study) -> Result<Option<Finding>> {
    let key = &study.options.roles.key;
    let is_text = |name: &String| study.profile.column(name).is_some_and(is_text);
    if !key.iter().any(is_text) {
        return Ok(None);
    }
    let columns = key.iter().map(|name| study.table.column(name)).collect::<Result<Vec<&Column>>>()?;
    let views = columns.iter().map(|column| View::of(column)).collect::<Result<Vec<_>>>()?;
    let texts = views.iter().map(|view| if let View::Text(values) = view { Some(*values) } else { None });
    let texts: Vec<_> = texts.collect();
    let cell = |row: usize, folded: bool| {
        let mut key = String::new();
        for (text, name) in texts.iter().zip(&study.options.roles.key) {
            match text {
                Some(values) if folded => key.push_str(&fold(values.get(row)?)),
                Some(values) => key.push_str(values.get(row)?),
                None => key.push_str(&study.table.cell(row, name)?),
            }
            key.push('\u{1f}');
        }
        Some(key)
    };
    let mut keys: Vec<(String, u32)> =
        (0..study.table.rows()).into_par_iter().filter_map(|row| Some((cell(row, true)?, row as u32))).collect();
    keys.par_sort_unstable();
    let mut odd: Vec<(u32, u32)> = Vec::new();
    for group in keys.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1) {
        // The first row of each spelling; the later ones are near to the first of all.
        let mut spellings: BTreeMap<String, u32> = BTreeMap::new();
        group.iter().for_each(|(_, row)| {
            if let Some(key) = cell(*row as usize, false) {
                spellings.entry(key).or_insert(*row);
            }
        });
        let mut rows: Vec<u32> = spellings.into_values().collect();
        rows.sort_unstable();
        odd.extend(rows[1..].iter().map(|row| (*row, rows[0])));
    }
    if odd.is_empty() {
        return Ok(None);
    }
    odd.sort_unstable();
    Ok(Some(finding(study, &odd)))
}

/// The finding about rows and the earlier rows that they are near to, ascending.
fn finding(study: &Study, odd: &[(u32, u32)]) -> Finding {
    let key = &study.options.roles.key;
    let shown =
        |row: u32| key.iter().filter_map(|name| study.table.cell(row as usize, name)).collect::<Vec<_>>().join(", ");
    let (row, first) = odd[0];
    let (named, place) = match key.as_slice() {
        [only] => (format!("`{only}`"), Some(only.as_str())),
        _ => ("the key".to_owned(), None),
    };
    let observed = format!(
        "{} differ from an earlier one only by case, spaces or the form of letters; row {} has {:?}, row {} has {:?}",
        of_rows(odd.len() as u64, study.profile.rows, "key"),
        units::count(u64::from(row) + 1),
        shown(row),
        units::count(u64::from(first) + 1),
        shown(first),
    );
    let mut finding = Finding::new("NEAR_DUPLICATE_KEY", Severity::Warning, place)
        .says(
            format!("values of {named} differ by more than case, spaces and the form of letters"),
            observed,
            "one spelling of each key".to_owned(),
        )
        .at(Rows::of(odd.iter().map(|(row, _)| *row as usize)));
    finding.samples = odd
        .iter()
        .take(finding.rows.len())
        .map(|(row, first)| format!("{} ~ {}", shown(*row), shown(*first)))
        .collect();
    finding.fix =
        "write each key in one way where the source is made, and remove rows that were meant to be one".to_owned();
    finding
}

fn is_text(column: &ColumnProfile) -> bool {
    column.column_type == ColumnType::Text
}
