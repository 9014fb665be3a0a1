//! The first pass over a JSON file: every value is looked at, nothing is kept but what decides types and finds faults.

use std::borrow::Cow;
use std::collections::HashMap;

use anyhow::Result;
use rayon::prelude::*;

use crate::base::fail::{self, Failure};
use crate::base::limits::COLUMNS_MAX;
use crate::base::talk::Task;
use crate::base::units;
use crate::data::format::csv::fields::lines;
use crate::data::format::json::blocks::{Batch, Batches};
use crate::data::format::json::parse::{self, Counts, Fault, Form, Problem, Value};
use crate::data::infer::{Evidence, Nulls};
use crate::data::value;

/// What the whole file looks like.
pub struct Scan {
    /// Objects.
    pub rows: u64,
    /// Lines without any character, skipped.
    pub blank: u64,
    /// Fields of all objects in the order of first appearance.
    pub names: Vec<String>,
    /// What the values of each look like.
    pub columns: Vec<Evidence>,
}

/// One column of a block.
struct Column {
    evidence: Evidence,
    present: u64,
    /// The last object that had it, from 1.
    last: usize,
}

/// What one block looks like.
struct BlockScan {
    counts: Counts,
    names: Vec<String>,
    columns: Vec<Column>,
}

/// The first thing wrong in a block.
pub enum BlockFault {
    /// An object is wrong.
    Object(Fault),
    /// A byte is not UTF-8.
    NotText {
        /// Lines in the block before it.
        line: usize,
    },
}

/// Scans the objects of `batches`.
///
/// Errors: an object that is malformed, nested, has a field twice or is not UTF-8; named by row, line and field.
pub fn scan(mut batches: Batches, nulls: Option<&Nulls>, task: &dyn Task) -> Result<Scan> {
    let mut whole = Scan { rows: 0, blank: 0, names: Vec::new(), columns: Vec::new() };
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut present: Vec<u64> = Vec::new();
    while let Some(Batch { bytes, blocks, mut line }) = batches.next()? {
        let scans: Vec<Result<BlockScan, BlockFault>> =
            blocks.par_iter().map(|(block, form)| scan_block(&bytes[block.clone()], *form, nulls)).collect();
        for (scan, (block, _)) in scans.into_iter().zip(&blocks) {
            let scan = scan.map_err(|fault| describe(&fault, &bytes[block.clone()], whole.rows, line))?;
            for (name, column) in scan.names.into_iter().zip(scan.columns) {
                let at = *places.entry(name).or_insert_with_key(|name| {
                    whole.names.push(name.clone());
                    whole.columns.push(Evidence::default());
                    present.push(0);
                    present.len() - 1
                });
                whole.columns[at].merge(column.evidence, whole.rows);
                present[at] += column.present;
            }
            if whole.names.len() > COLUMNS_MAX {
                let limit = units::count(COLUMNS_MAX as u64);
                return Err(fail::usage(format!("the objects have more than {limit} different fields"))
                    .hint("are names used as values? a field is a column")
                    .into());
            }
            whole.rows += scan.counts.rows as u64;
            whole.blank += scan.counts.blank as u64;
            line += lines(&bytes[block.clone()]) as u64;
        }
        task.advance(bytes.len() as u64);
    }
    for (column, present) in whole.columns.iter_mut().zip(present) {
        column.missing = whole.rows - present;
    }
    Ok(whole)
}

/// The text of a block.
pub fn text_of(block: &[u8]) -> Result<&str, BlockFault> {
    std::str::from_utf8(block).map_err(|error| BlockFault::NotText { line: lines(&block[..error.valid_up_to()]) })
}

fn scan_block(block: &[u8], form: Form, nulls: Option<&Nulls>) -> Result<BlockScan, BlockFault> {
    let text = text_of(block)?;
    let mut places: HashMap<Cow<'_, str>, usize> = HashMap::new();
    let mut columns: Vec<Column> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    // Objects mostly have their fields in the same order.
    let mut next = 0;
    let each = |row: usize, field: Cow<'_, str>, value: Value<'_>| {
        let at = match names.get(next) {
            Some(name) if *name == *field => next,
            _ => match places.get(field.as_ref()) {
                Some(at) => *at,
                None => {
                    names.push(field.to_string());
                    places.insert(Cow::Owned(field.to_string()), names.len() - 1);
                    columns.push(Column { evidence: Evidence::default(), present: 0, last: 0 });
                    names.len() - 1
                }
            },
        };
        next = if at + 1 == names.len() { 0 } else { at + 1 };
        let column = &mut columns[at];
        if std::mem::replace(&mut column.last, row + 1) == row + 1 {
            return Err(Problem::Twice(field.into_owned()));
        }
        let row = row as u64;
        column.present += 1;
        match value {
            Value::Null => column.present -= 1,
            Value::Text(text) if is_missing(&text, nulls) => column.present -= 1,
            Value::Text(text) => column.evidence.add_text(row, &text),
            Value::Boolean(value) => column.evidence.add_boolean(row, value),
            Value::Number(text) => column.evidence.add_number(row, text),
        }
        Ok(())
    };
    let counts = parse::each_value(text, form, each).map_err(BlockFault::Object)?;
    Ok(BlockScan { counts, names, columns })
}

/// Whether text means "missing".
pub fn is_missing(text: &str, nulls: Option<&Nulls>) -> bool {
    nulls.is_some_and(|nulls| nulls.has(value::trim(text)))
}

/// The failure for a fault in `block`, which has `rows` rows and `lines_before` lines before it.
pub fn describe(fault: &BlockFault, block: &[u8], rows: u64, lines_before: u64) -> Failure {
    let fault = match fault {
        BlockFault::Object(fault) => fault,
        BlockFault::NotText { line } => {
            let line = units::count(lines_before + *line as u64 + 1);
            return fail::usage(format!("line {line} is not UTF-8, as JSON must be"))
                .hint("if you know its encoding, say so, as encoding = \"latin1\"");
        }
    };
    let line = lines_before + lines(&block[..fault.at.min(block.len())]) as u64 + 1;
    let place = format!("row {} (line {})", units::count(rows + fault.row as u64 + 1), units::count(line));
    match &fault.problem {
        Problem::NotObject(what) => fail::usage(format!("{place} is {what}, not an object"))
            .hint("each row is an object: {\"column\": value, …}"),
        Problem::Nested(field) => {
            fail::usage(format!("{place}, field `{field}` holds an object or a list")).hint(format!(
                "a cell holds one value: flatten it before, as pandas.json_normalize does, or with jq: \
                 jq -c '.{field} |= tojson'"
            ))
        }
        Problem::Twice(field) => fail::usage(format!("{place} has field `{field}` twice")).hint("rename one of them"),
        Problem::Syntax(why, None) => {
            fail::usage(format!("{place} is not JSON: {why}")).hint("one object is one row; write the file again")
        }
        Problem::Syntax(why, Some(field)) => {
            fail::usage(format!("{place}, field `{field}` is not JSON: {why}")).hint("correct the value")
        }
    }
}
