//! Rows divided by the hash of a value that names them: a row stays where it is, whatever rows come or go.
//!
//! The place of a row in `[0, 1)` is the first eight bytes, as a little-endian number shifted right by 11, times 2⁻⁵³, of
//! the BLAKE3 hash of: the text `mlops split 1` (`mlops fold 1` for folds), then for each column the length of its value in
//! bytes (64 bits, little-endian) and the value as it is written to CSV, in UTF-8; a missing value is the length 2⁶⁴ − 1.
//! Below `test` a row is for testing, below `test` + `validation` for validation, else for training. Neither the seed nor
//! any other row has a say.

use anyhow::Result;
use rayon::prelude::*;

use crate::base::fail;
use crate::base::hash::Hasher;
use crate::data::format::csv::write::Cells;
use crate::data::split::{TEST, TRAIN, VALIDATION};
use crate::data::table::Table;
use crate::spec::split::SplitSpec;

/// What is hashed before the values, so that folds are independent of parts.
const PARTS: &str = "mlops split 1";
const FOLDS: &str = "mlops fold 1";

/// The columns to hash: `column`, else the key columns.
///
/// Errors: neither.
pub fn columns(spec: &SplitSpec, keys: &[String]) -> Result<Vec<String>> {
    match (&spec.column, keys) {
        (Some(column), _) => Ok(vec![column.clone()]),
        (None, []) => Err(fail::usage("[split] method = \"hash\" needs a column or key columns")
            .hint("add column = \"NAME\" to [split], or key = [\"NAME\"] to [data]")
            .into()),
        (None, keys) => Ok(keys.to_vec()),
    }
}

/// Part of each of `rows`.
pub fn divide(table: &Table, columns: &[String], rows: &[u32], spec: &SplitSpec) -> Result<Vec<u8>> {
    let part = |place: f64| match place {
        place if place < spec.test => TEST,
        place if place < spec.test + spec.validation => VALIDATION,
        _ => TRAIN,
    };
    Ok(places(table, columns, rows, PARTS)?.into_iter().map(part).collect())
}

/// Fold of each of `rows`.
pub fn deal(table: &Table, columns: &[String], rows: &[u32], folds: usize) -> Result<Vec<u8>> {
    Ok(places(table, columns, rows, FOLDS)?.into_iter().map(|place| (place * folds as f64) as u8).collect())
}

fn places(table: &Table, columns: &[String], rows: &[u32], prefix: &str) -> Result<Vec<f64>> {
    let cells = columns.iter().map(|column| Cells::of(table.column(column)?)).collect::<Result<Vec<_>>>()?;
    let place = |row: &u32| {
        let mut bytes = prefix.as_bytes().to_vec();
        for cell in &cells {
            let start = bytes.len();
            bytes.extend_from_slice(&u64::MAX.to_le_bytes());
            if cell.push(*row as usize, &mut bytes) {
                let length = (bytes.len() - start - 8) as u64;
                bytes[start..start + 8].copy_from_slice(&length.to_le_bytes());
            }
        }
        let mut first = [0; 8];
        first.copy_from_slice(&Hasher::new().update(&bytes).finish().as_bytes()[..8]);
        (u64::from_le_bytes(first) >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    };
    Ok(rows.par_iter().map(place).collect())
}
