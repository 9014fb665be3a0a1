//! Workbooks of Excel (xlsx, xlsb, xls) and OpenDocument (ods): one sheet as a table.
//!
//! Lives here: which cells are names and which are rows, types and columns from cells. Does not live here: reading cells
//! from the file (`sheet`), what a text means (`data::value`).
//!
//! Always holds: memory is the cells of the one sheet that have a value; the position of a far cell costs nothing. A cell
//! that is not read as it stands (an error, a formula, a merged cell, a cell without a name above it) is said or refused.

mod sheet;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use polars::prelude::{DataFrame, PlSmallStr};

use crate::base::fail;
use crate::base::talk::Task;
use crate::base::units;
use crate::data::build::{self, Builder};
use crate::data::format::excel::sheet::{Cell, Placed, Sheet, address};
use crate::data::infer::{Evidence, Nulls, shown};
use crate::data::names;
use crate::data::stream::{RawTable, RowBatches, Seen, Survey};
use crate::data::value;
use crate::spec::schema::ColumnType;

/// Rows of one batch.
const BATCH_ROWS: usize = 1 << 16;

/// What is known about a workbook before it is read.
pub struct ExcelOptions<'a> {
    /// Its sheet; the first when absent.
    pub sheet: Option<&'a str>,
    /// Whether the first row with a value holds the names.
    pub header: bool,
    /// Texts that mean "missing".
    pub null_values: &'a [String],
    /// Most bytes that the workbook may unpack to; the named limits when absent.
    pub bytes_max: Option<u64>,
}

/// A sheet after every cell was looked at.
pub struct ExcelTable {
    sheet: String,
    /// Cells of the rows, by row, then column; only those with a value.
    cells: Vec<Placed>,
    /// Where in `cells` each row starts.
    rows: Vec<usize>,
    /// Column of the table for each column of the sheet.
    places: BTreeMap<u32, usize>,
    nulls: Nulls,
    survey: Survey,
}

/// Reads a sheet of the workbook at `path`.
///
/// Errors: a damaged or protected workbook, an unknown sheet, a sheet without values, cells without a name above them.
pub fn survey(path: &Path, options: &ExcelOptions<'_>) -> Result<ExcelTable> {
    let Sheet { name, cells, mut notes } = sheet::read(path, options.sheet, options.bytes_max)?;
    let Some(first) = cells.first().map(|cell| cell.row) else {
        return Err(fail::usage(format!("sheet `{name}` has no values")).hint("name another sheet").into());
    };
    let (names, places, body) = header(&cells, first, options.header, &name)?;
    notes.extend(names::check(&names)?);
    let cells = cells[body..].to_vec();
    let rows = row_starts(&cells);
    let nulls = Nulls::new(options.null_values);
    let mut columns = vec![Evidence::default(); names.len()];
    let mut present = vec![0; names.len()];
    for (row, range) in ranges(&rows, cells.len()).enumerate() {
        for cell in &cells[range] {
            let Some(&at) = places.get(&cell.column) else {
                let place = address(cell.row, cell.column);
                let where_to = format!("name the column in row {}, or clear the cell", first + 1);
                return Err(fail::usage(format!("cell {place} of sheet `{name}` has no name above it"))
                    .hint(where_to)
                    .into());
            };
            present[at] += u64::from(note(&mut columns[at], row as u64, &cell.value, &nulls));
        }
    }
    let count = rows.len() as u64;
    for (column, present) in columns.iter_mut().zip(present) {
        column.missing = count - present;
    }
    if let (Some(last), Some(start)) = (cells.last(), cells.first()) {
        let skipped = u64::from(last.row - start.row + 1) - count;
        if skipped > 0 {
            notes.push(format!("{} without values skipped", units::plural(skipped, "row")));
        }
    }
    let survey =
        Survey { names, rows: count, columns: columns.into_iter().map(Seen::Values).collect(), guesses: notes };
    Ok(ExcelTable { sheet: name, cells, rows, places, nulls, survey })
}

type Header = (Vec<String>, BTreeMap<u32, usize>, usize);

/// Names, the column that each column of the sheet becomes, and where the rows start among the cells.
fn header(cells: &[Placed], first: u32, with_names: bool, sheet: &str) -> Result<Header> {
    if !with_names {
        let used: std::collections::BTreeSet<u32> = cells.iter().map(|cell| cell.column).collect();
        let names = (1..=used.len()).map(|number| format!("column_{number}")).collect();
        return Ok((names, used.into_iter().enumerate().map(|(at, column)| (column, at)).collect(), 0));
    }
    let body = cells.partition_point(|cell| cell.row == first);
    let names = cells[..body].iter().map(|cell| cell.value.text().into_owned()).collect();
    let places = cells[..body].iter().enumerate().map(|(at, cell)| (cell.column, at)).collect();
    if body == cells.len() {
        return Err(fail::usage(format!("sheet `{sheet}` has a row of names but no rows"))
            .hint("say header = false if that row is data")
            .into());
    }
    Ok((names, places, body))
}

/// Where each row starts among cells sorted by row.
fn row_starts(cells: &[Placed]) -> Vec<usize> {
    let is_start = |at: &usize| *at == 0 || cells[*at].row != cells[*at - 1].row;
    (0..cells.len()).filter(is_start).collect()
}

fn ranges(rows: &[usize], end: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let ends = rows.iter().copied().skip(1).chain([end]);
    rows.iter().copied().zip(ends).map(|(start, end)| start..end)
}

/// Takes note of one cell; whether it has a value.
fn note(evidence: &mut Evidence, row: u64, cell: &Cell, nulls: &Nulls) -> bool {
    match cell {
        Cell::Text(text) if nulls.has(value::trim(text)) => return false,
        Cell::Text(text) => evidence.add_text(row, text),
        Cell::Boolean(value) => evidence.add_boolean(row, *value),
        Cell::Number(_) | Cell::Time(_) => evidence.add_number(row, &cell.text()),
    }
    true
}

impl ExcelTable {
    /// The sheet read.
    pub fn sheet(&self) -> &str {
        &self.sheet
    }
}

impl RawTable for ExcelTable {
    fn survey(&self) -> &Survey {
        &self.survey
    }

    fn batches<'a>(&'a self, types: &[ColumnType], _task: &'a dyn Task) -> Result<Box<dyn RowBatches + 'a>> {
        Ok(Box::new(ExcelBatches { table: self, types: types.to_vec(), next: 0 }))
    }
}

struct ExcelBatches<'a> {
    table: &'a ExcelTable,
    types: Vec<ColumnType>,
    next: usize,
}

impl RowBatches for ExcelBatches<'_> {
    fn next(&mut self) -> Result<Option<DataFrame>> {
        let table = self.table;
        let (start, end) = (self.next, (self.next + BATCH_ROWS).min(table.rows.len()));
        if start == end {
            return Ok(None);
        }
        self.next = end;
        let names = &table.survey.names;
        let pairs = names.iter().zip(&self.types);
        let mut builders: Vec<Builder> =
            pairs.map(|(name, of)| Builder::new(&PlSmallStr::from_str(name), *of, end - start)).collect();
        let mut filled = vec![0; names.len()];
        let last = table.rows.get(end).copied().unwrap_or(table.cells.len());
        for (row, range) in ranges(&table.rows[start..end], last).enumerate() {
            for cell in &table.cells[range] {
                let Some(&at) = table.places.get(&cell.column) else { continue };
                let text = cell.value.text();
                if matches!(&cell.value, Cell::Text(text) if table.nulls.has(value::trim(text))) {
                    continue;
                }
                fill(&mut builders[at], &mut filled[at], row);
                if !builders[at].push(&text) {
                    let (name, of) = (&names[at], self.types[at]);
                    return Err(build::misfit(name, of, (start + row) as u64, &shown(&text)).into());
                }
                filled[at] += 1;
            }
        }
        for (builder, filled) in builders.iter_mut().zip(&mut filled) {
            fill(builder, filled, end - start);
        }
        let columns = builders.into_iter().map(Builder::finish).collect();
        Ok(Some(DataFrame::new(end - start, columns).context("cannot join columns")?))
    }
}

/// Adds missing values up to `row`.
fn fill(builder: &mut Builder, filled: &mut usize, row: usize) {
    while *filled < row {
        builder.push_missing();
        *filled += 1;
    }
}
