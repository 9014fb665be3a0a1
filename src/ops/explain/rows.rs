//! The rows that a model is explained on, with the truth where there is any.

use anyhow::Result;

use crate::base::fail;
use crate::base::limits::{EXPLAIN_CELLS_MAX, EXPLAIN_SINGLE_ROWS_MAX};
use crate::base::seed::Seed;
use crate::base::suggest;
use crate::base::units;
use crate::data::frame::{Frame, MISSING_TIME, Values};
use crate::data::table::Table;
use crate::data::target::{Target, target_against};
use crate::models::explain::grid::label;
use crate::models::explain::mix::compact;
use crate::models::package::{ModelPackage, PackageHeader};
use crate::ops::context::OpCtx;
use crate::ops::dataset::{self, OpenDataset};
use crate::ops::evaluate::judged_rows;
use crate::ops::explain::ExplainOptions;
use crate::ops::explain::budget::budget;
use crate::ops::prepare::read_split;
use crate::record::model::ModelRecord;
use crate::record::split::SplitRecord;
use crate::repo::Repo;
use crate::spec::schema::ColumnType;

/// Rows to explain a model on.
pub struct Ground {
    /// The dataset.
    pub dataset: OpenDataset,
    /// Its table.
    pub table: Table,
    /// `test`, `validation`, `train` or `all`.
    pub rows_of: &'static str,
    /// Rows that there were to draw from.
    pub there: usize,
    /// Numbers of the rows drawn, ascending.
    pub rows: Vec<u32>,
    /// The raw columns that the recipe reads, of the rows drawn, in its order.
    pub frame: Frame,
    /// The type of each of them.
    pub types: Vec<ColumnType>,
    /// The truth of the rows drawn, if it is known.
    pub truth: Option<Target>,
    /// The part of each row of the table, for the training data.
    parts: Option<Vec<u8>>,
}

impl Ground {
    /// Opens the dataset and draws the rows.
    ///
    /// Errors: an unknown dataset; columns that the model reads and the dataset lacks, all named; no rows.
    pub fn open(
        repo: &Repo,
        options: &ExplainOptions,
        (record, package): (&ModelRecord, &ModelPackage),
        seed: Seed,
        notes: &mut Vec<String>,
        ctx: &OpCtx<'_>,
    ) -> Result<Ground> {
        let trained_on = record.dataset.map(|id| id.hex());
        let Some(reference) = options.on.as_deref().or(trained_on.as_deref()) else {
            let what = format!("this `{}` model knows no rows of its own: it was imported", record.model);
            return Err(fail::usage(what).hint("name the rows to explain it on with --on DATASET").into());
        };
        let dataset = dataset::find(repo, Some(reference), None)?;
        let table = dataset::table(repo, &dataset, ctx.talk)?;
        let names = needed(&table, package, &dataset.label)?;
        let truth = truth(&table, &package.header, &dataset.label, notes)?;
        let (there, rows_of) = match (&options.on, &truth) {
            (None, _) => judged_rows(repo, record)?,
            (Some(_), Some((_, with_truth))) => (with_truth.clone(), "all"),
            (Some(_), None) => ((0..table.rows() as u32).collect(), "all"),
        };
        if there.is_empty() {
            let what = format!("{} has no rows to explain the model on", dataset.label);
            return Err(fail::usage(what).hint("name a dataset that has some with --on").into());
        }
        if rows_of == "train" {
            let what = "there are no test and no validation rows: these are rows that the model was fitted on";
            notes.push(what.to_owned());
        }
        let rows = draw(&there, options.rows, (package, names.len()), seed, notes);
        let parts = match record.split.filter(|_| record.dataset == Some(dataset.id)) {
            Some(split) => Some(read_split(repo, &repo.record::<SplitRecord>(&split)?)?.parts().to_vec()),
            None => None,
        };
        let truth = truth.map(|(target, with_truth)| {
            let places = rows.iter().filter_map(|row| with_truth.binary_search(row).ok());
            target.take(&places.map(|place| place as u32).collect::<Vec<_>>())
        });
        let types = names.iter().map(|name| table.type_of(name)).collect::<Result<_>>()?;
        let frame = compact(table.frame(&names)?.take(&rows))?;
        Ok(Ground { truth, rows_of, there: there.len(), rows, frame, types, parts, dataset, table })
    }

    /// The raw columns that the recipe reads, of any rows of the table.
    pub fn frame_of(&self, rows: &[u32]) -> Result<Frame> {
        let names: Vec<&str> = self.frame.columns().iter().map(|column| &*column.name).collect();
        compact(self.table.frame(&names)?.take(rows))
    }

    /// Numbers of the single rows that `asked` names: `17`, counted from 1, or `COLUMN=VALUE`.
    ///
    /// Errors: neither of both, no such row, several rows with the value, too many.
    pub fn find_single(&self, asked: &[String]) -> Result<Vec<u32>> {
        if asked.len() > EXPLAIN_SINGLE_ROWS_MAX {
            let what = format!("{} single rows are asked for; at most {EXPLAIN_SINGLE_ROWS_MAX}", asked.len());
            return Err(fail::usage(what).hint("ask for the others afterwards").into());
        }
        asked.iter().map(|text| self.find_one(text)).collect()
    }

    fn find_one(&self, text: &str) -> Result<u32> {
        let (label, count) = (&self.dataset.label, self.table.rows());
        if let Ok(number) = text.trim().parse::<u64>() {
            let inside = (1..=count as u64).contains(&number);
            return inside.then(|| (number - 1) as u32).ok_or_else(|| {
                let rows = units::plural(count as u64, "row");
                let what = format!("there is no row {number}: {label} has {rows}");
                fail::usage(what).hint("rows are counted from 1, without the header").into()
            });
        }
        // Names of columns may hold an equals sign too.
        let splits = text.match_indices('=').map(|(at, _)| (&text[..at], &text[at + 1..]));
        let Some((column, value)) = splits.clone().find(|(column, _)| self.table.column(column).is_ok()) else {
            if let Some((column, _)) = splits.clone().next() {
                let names: Vec<String> = self.table.columns().into_iter().map(|column| column.name).collect();
                return Err(suggest::unknown("column", column, names.iter().map(String::as_str)).into());
            }
            let what = format!("`{text}` names no row: it is neither a number nor COLUMN=VALUE");
            return Err(fail::usage(what).hint(self.row_hint()).into());
        };
        let found = self.rows_with(column, value)?;
        match found.as_slice() {
            [row] => Ok(*row),
            [] => {
                let what = format!("no row of {label} has `{value}` in `{column}`");
                Err(fail::usage(what).hint("check the value, or name the row by its number").into())
            }
            several => {
                let first: Vec<String> = several.iter().take(5).map(|row| (row + 1).to_string()).collect();
                let rows = units::plural(several.len() as u64, "row");
                let what = format!("{rows} of {label} have `{value}` in `{column}`, not one");
                Err(fail::usage(what).hint(format!("name one by its number: {}", first.join(", "))).into())
            }
        }
    }

    fn row_hint(&self) -> String {
        let keys = &self.dataset.record.roles.key;
        match keys.first() {
            Some(key) => format!("write --row 17 or --row {key}=VALUE"),
            None => "write --row 17, or --row COLUMN=VALUE with a value that one row has".to_owned(),
        }
    }

    fn rows_with(&self, column: &str, value: &str) -> Result<Vec<u32>> {
        let frame = self.table.frame(&[column])?;
        let column_type = self.table.type_of(column)?;
        let number = match value {
            "true" => Some(1.0),
            "false" => Some(0.0),
            text => text.parse::<f64>().ok(),
        };
        let is = |row: usize| match &frame.columns()[0].values {
            Values::Text(text) => text.get(row) == Some(value),
            Values::Number(numbers) => number == Some(numbers[row]),
            Values::Time(times) => times[row] != MISSING_TIME && label(times[row] as f64, column_type) == value,
            _ => false,
        };
        Ok((0..frame.rows()).filter(|row| is(*row)).map(|row| row as u32).collect())
    }

    /// The part of the training data that a row is of.
    pub fn part(&self, row: u32) -> Option<&'static str> {
        let part = *self.parts.as_ref()?.get(row as usize)?;
        ["train", "validation", "test"].get(usize::from(part)).copied()
    }

    /// Columns that could be read and are not.
    pub fn unread(&self, package: &ModelPackage) -> Vec<String> {
        let roles = &self.dataset.record.roles;
        let known: std::collections::HashSet<&str> = self.frame.columns().iter().map(|column| &*column.name).collect();
        let kept = |name: &String| {
            !known.contains(name.as_str())
                && *name != package.header.target
                && !roles.key.contains(name)
                && !roles.ignore.contains(name)
                && roles.weight.as_ref() != Some(name)
        };
        self.table.columns().into_iter().map(|column| column.name).filter(kept).collect()
    }
}

/// Names of the columns that the recipe reads.
fn needed<'a>(table: &Table, package: &'a ModelPackage, label: &str) -> Result<Vec<&'a str>> {
    let names: Vec<&str> = package.recipe.inputs().iter().map(|input| input.name.as_str()).collect();
    let columns: Vec<String> = table.columns().into_iter().map(|column| column.name).collect();
    let there: std::collections::HashSet<&str> = columns.iter().map(String::as_str).collect();
    let missing: Vec<&str> = names.iter().copied().filter(|name| !there.contains(name)).collect();
    if missing.is_empty() {
        return Ok(names);
    }
    let what = format!("{label} lacks columns that the model reads: {}", missing.join(", "));
    let near = suggest::nearest(missing[0], there);
    let hint = near.map(|near| format!("it has a column `{near}`: is that the one?"));
    Err(fail::usage(what)
        .hint(hint.unwrap_or_else(|| "explain it on data like that it was trained on".to_owned()))
        .into())
}

/// The truth and the rows that have it; none, and said, when the dataset has none.
fn truth(
    table: &Table,
    header: &PackageHeader,
    label: &str,
    notes: &mut Vec<String>,
) -> Result<Option<(Target, Vec<u32>)>> {
    let name = &header.target;
    let empty = |name: &str| table.column(name).is_ok_and(|column| column.null_count() == column.len());
    if name.is_empty() {
        notes.push(
            "there are no labels, so no permutation importance: it measures how much worse answers get".to_owned(),
        );
        return Ok(None);
    }
    if table.column(name).is_err() || empty(name) {
        notes.push(format!("{label} has no values of `{name}`, so no permutation importance: it needs the truth"));
        return Ok(None);
    }
    Ok(Some(target_against(table, name, header.task, &header.classes)?))
}

/// Draws at most `most` of the rows, fewer of wide tables, and says so.
fn draw(
    there: &[u32],
    asked: Option<usize>,
    (package, columns): (&ModelPackage, usize),
    seed: Seed,
    notes: &mut Vec<String>,
) -> Vec<u32> {
    let budget = budget(package);
    let most = asked.unwrap_or(budget.rows);
    let room = (EXPLAIN_CELLS_MAX / columns.max(1)).max(1);
    let count = there.len().min(most).min(room);
    if count == there.len() {
        return there.to_vec();
    }
    let mut rows = there.to_vec();
    seed.derive("rows").rng().shuffle(&mut rows);
    rows.truncate(count);
    rows.sort_unstable();
    let (count, all) = (units::count(count as u64), units::count(there.len() as u64));
    let why = match room < most {
        true => ", as the table is wide".to_owned(),
        false if asked.is_none() && !budget.quick => {
            format!(", as a `{}` model answers slowly; --rows asks for more", package.header.model)
        }
        false => "; --rows asks for more".to_owned(),
    };
    notes.push(format!("looked at a sample of {count} of {all} rows{why}"));
    rows
}
