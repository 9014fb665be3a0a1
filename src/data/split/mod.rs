//! Rows divided into training, validation and test rows, once, before anything is fitted.

pub mod folds;
mod groups;
pub mod hashed;
pub mod times;

use anyhow::Result;

use crate::base::fail;
use crate::base::seed::Seed;
use crate::base::units;
use crate::data::frame::Frame;
use crate::data::infer::shown;
use crate::data::plain;
use crate::data::table::Table;
use crate::data::target::Target;
use crate::spec::schema::ColumnType;
use crate::spec::split::{SplitMethod, SplitSpec};

/// Training rows.
pub const TRAIN: u8 = 0;
/// Rows for choosing among models.
pub const VALIDATION: u8 = 1;
/// Rows for the final judgement.
pub const TEST: u8 = 2;
/// Rows of no part: their target is missing, or the dividing column says nothing.
pub const NONE: u8 = 3;

/// Which part each row of a table belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    parts: Vec<u8>,
}

/// Features and true values of training rows. Only [`Split::training`] makes one, so nothing can be fitted on other rows.
#[derive(Clone, Debug)]
pub struct TrainSplit {
    frame: Frame,
    target: Target,
}

impl TrainSplit {
    /// Raw columns of the training rows.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// True values of the training rows.
    pub fn target(&self) -> &Target {
        &self.target
    }
}

impl Split {
    /// Takes parts as they were kept: 0 training, 1 validation, 2 test, 3 none.
    ///
    /// Errors: another number among them.
    pub fn from_parts(parts: Vec<u8>) -> Result<Split> {
        match parts.iter().position(|part| *part > NONE) {
            Some(row) => Err(fail::world(format!("row {} of a split is in part {}", row + 1, parts[row])).into()),
            None => Ok(Split { parts }),
        }
    }

    /// One part a row: 0 training, 1 validation, 2 test, 3 none.
    pub fn parts(&self) -> &[u8] {
        &self.parts
    }

    /// The rows of one part, ascending.
    pub fn rows(&self, part: u8) -> Vec<u32> {
        (0..self.parts.len() as u32).filter(|row| self.parts[*row as usize] == part).collect()
    }

    /// Numbers of training, validation and test rows.
    pub fn counts(&self) -> [u64; 3] {
        [TRAIN, VALIDATION, TEST].map(|part| self.parts.iter().filter(|found| **found == part).count() as u64)
    }

    /// The training rows of `frame` and of `target`, whose values belong to the rows `target_rows`.
    ///
    /// Errors: lengths that do not fit; no training row with a target.
    pub fn training(&self, frame: &Frame, target: &Target, target_rows: &[u32]) -> Result<TrainSplit> {
        if frame.rows() != self.parts.len() || target.len() != target_rows.len() {
            let (rows, parts) = (frame.rows(), self.parts.len());
            return Err(fail::world(format!("a split of {parts} rows does not fit a table of {rows}")).into());
        }
        let (mut rows, mut places) = (Vec::new(), Vec::new());
        for (row, place) in target_rows.iter().zip(0..) {
            if self.parts.get(*row as usize) == Some(&TRAIN) {
                rows.push(*row);
                places.push(place);
            }
        }
        if rows.is_empty() {
            return Err(fail::usage("no training row has a target").hint("check [split] and the target column").into());
        }
        Ok(TrainSplit { frame: frame.take(&rows), target: target.take(&places) })
    }
}

/// Divides the rows that have a target (all rows when there is no target); the others are in no part.
///
/// A share s of n rows is round(s·n) rows, at least one when s > 0. *Random*: every row alike. *Stratified*: each class
/// gives ⌊s·n⌋ or ⌈s·n⌉ of its n rows, largest remainders first, and keeps at least one for training, so that a class of a
/// single row only trains. *Group*: rows with the same value of the column stay together (missing is a value); groups,
/// larger ones first, go where the most rows are wanting. *Time*: the earliest rows train, the latest test; rows of the
/// same time stay together, and rows closer to a later part than the gap are in none. *Column*: the column says `train`,
/// `validation` or `test`; empty means none. *Hash*: each row by itself, by the hash of its value of `column`, or of `keys`
/// when there is no column; shares are kept on the average only.
///
/// Deterministic in `seed`, on which *time*, *column* and *hash* do not depend. Errors (usage): a spec that contradicts
/// itself, an unknown column or one of the wrong type, too few rows, classes, groups or times for the parts asked for.
pub fn split(
    table: &Table,
    target: Option<&Target>,
    target_rows: &[u32],
    spec: &SplitSpec,
    keys: &[String],
    seed: Seed,
) -> Result<Split> {
    spec.check()?;
    let every: Vec<u32> = match target {
        Some(_) => Vec::new(),
        None => (0..table.rows() as u32).collect(),
    };
    let rows = if target.is_some() { target_rows } else { &every[..] };
    let seed = seed.derive("split");
    let wanted = || Wanted::new(rows.len(), spec);
    let column = spec.column.as_deref().unwrap_or_default();
    let mut parts = vec![NONE; table.rows()];
    let divided = match (spec.method, target) {
        (SplitMethod::Auto, Some(Target::Classes { codes, .. })) => stratified(codes, &wanted()?, spec, seed),
        (SplitMethod::Stratified, Some(Target::Classes { codes, .. })) => stratified(codes, &wanted()?, spec, seed),
        (SplitMethod::Stratified, _) => {
            return Err(fail::usage("[split] method = \"stratified\" needs a target with classes")
                .hint("use method = \"random\", or name a target")
                .into());
        }
        (SplitMethod::Auto | SplitMethod::Random, _) => random(&wanted()?, seed),
        (SplitMethod::Group, _) => groups::divide(&groups::codes(table, column, rows)?, &wanted()?, seed),
        (SplitMethod::Time, _) => {
            let times = times::read(table, column, rows)?;
            times::divide(&times, &wanted()?, column, times::gap(table, column, spec.gap)?)?
        }
        (SplitMethod::Hash, _) => hashed::divide(table, &hashed::columns(spec, keys)?, rows, spec)?,
        (SplitMethod::Column, _) => by_column(table, column, rows)?,
    };
    for (row, part) in rows.iter().zip(divided) {
        parts[*row as usize] = part;
    }
    let split = Split { parts };
    check_parts(&split, spec)?;
    Ok(split)
}

/// Numbers of rows wanted in each part.
pub struct Wanted {
    rows: usize,
    validation: usize,
    test: usize,
}

impl Wanted {
    fn new(rows: usize, spec: &SplitSpec) -> Result<Wanted> {
        let share = |share: f64| match (share * rows as f64).round() as usize {
            0 if share > 0.0 => 1,
            count => count,
        };
        let wanted = Wanted { rows, validation: share(spec.validation), test: share(spec.test) };
        if wanted.validation + wanted.test >= rows {
            let rows = units::plural(rows as u64, "row");
            return Err(fail::usage(format!(
                "{rows} with a target are too few to be divided into the parts of [split]"
            ))
            .hint("bring more rows, or set validation or test to 0")
            .into());
        }
        Ok(wanted)
    }

    fn train(&self) -> usize {
        self.rows - self.validation - self.test
    }
}

fn random(wanted: &Wanted, seed: Seed) -> Vec<u8> {
    let mut order: Vec<usize> = (0..wanted.rows).collect();
    seed.rng().shuffle(&mut order);
    let mut parts = vec![TRAIN; wanted.rows];
    for (place, row) in order.into_iter().enumerate().take(wanted.test + wanted.validation) {
        parts[row] = if place < wanted.test { TEST } else { VALIDATION };
    }
    parts
}

fn stratified(codes: &[u32], wanted: &Wanted, spec: &SplitSpec, seed: Seed) -> Vec<u8> {
    let classes = codes.iter().max().map_or(0, |last| *last as usize + 1);
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); classes];
    for (row, code) in codes.iter().enumerate() {
        members[*code as usize].push(row);
    }
    let sizes: Vec<usize> = members.iter().map(Vec::len).collect();
    let room: Vec<usize> = sizes.iter().map(|size| size.saturating_sub(1)).collect();
    let test = apportion(&sizes, spec.test, wanted.test, &room);
    let room: Vec<usize> = room.iter().zip(&test).map(|(room, taken)| room - taken).collect();
    let validation = apportion(&sizes, spec.validation, wanted.validation, &room);
    let mut parts = vec![TRAIN; codes.len()];
    for (class, rows) in members.iter_mut().enumerate() {
        seed.nth(class as u64).rng().shuffle(rows);
        for (place, row) in rows.iter().enumerate().take(test[class] + validation[class]) {
            parts[*row] = if place < test[class] { TEST } else { VALIDATION };
        }
    }
    parts
}

/// `total` rows from classes of these sizes: each gives ⌊share·size⌋, and one more by the largest remainder (Hamilton's
/// method), ties by the order of classes, never beyond its room.
fn apportion(sizes: &[usize], share: f64, total: usize, room: &[usize]) -> Vec<usize> {
    let exact: Vec<f64> = sizes.iter().map(|size| share * *size as f64).collect();
    let mut given: Vec<usize> =
        exact.iter().zip(room).map(|(exact, room)| (exact.floor() as usize).min(*room)).collect();
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|a, b| exact[*b].fract().total_cmp(&exact[*a].fract()).then(a.cmp(b)));
    let mut left = total.saturating_sub(given.iter().sum());
    for class in order {
        // A share of zero rows asks for nothing, and a whole number needs no rounding up.
        if left > 0 && given[class] < room[class] && exact[class].fract() > 0.0 {
            given[class] += 1;
            left -= 1;
        }
    }
    given
}

fn by_column(table: &Table, column: &str, rows: &[u32]) -> Result<Vec<u8>> {
    if table.type_of(column)? != ColumnType::Text {
        return Err(fail::usage(format!("[split] column `{column}` is not text"))
            .hint("it must hold `train`, `validation` or `test`")
            .into());
    }
    let text = plain::text_values(table.column(column)?.as_materialized_series().str()?);
    let mut parts = Vec::with_capacity(rows.len());
    for row in rows {
        parts.push(match text.get(*row as usize) {
            None => NONE,
            Some("train") => TRAIN,
            Some("validation") => VALIDATION,
            Some("test") => TEST,
            Some(other) => {
                let (row, other) = (units::count(u64::from(*row) + 1), shown(other));
                return Err(fail::usage(format!("[split] column `{column}` holds `{other}` in row {row}"))
                    .hint("it must hold `train`, `validation` or `test`, or be empty")
                    .into());
            }
        });
    }
    Ok(parts)
}

/// Every part that was asked for has rows. A dividing column asks only for what it names, and for training rows.
fn check_parts(split: &Split, spec: &SplitSpec) -> Result<()> {
    let by_column = spec.method == SplitMethod::Column;
    let hint = match (spec.method, spec.gap) {
        (SplitMethod::Time, Some(_)) => "make the gap shorter, bring more rows, or set that share to 0",
        _ => "bring more rows or groups, set that share to 0, or divide in another way",
    };
    let asked = [true, !by_column && spec.validation > 0.0, !by_column && spec.test > 0.0];
    for ((count, asked), name) in split.counts().into_iter().zip(asked).zip(["training", "validation", "test"]) {
        if asked && count == 0 {
            return Err(fail::usage(format!("[split] leaves no {name} rows")).hint(hint).into());
        }
    }
    Ok(())
}
