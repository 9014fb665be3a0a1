//! One part of a division: a code for each row, by value, bin, period or condition.

use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;
use std::hash::Hash;

use anyhow::Result;
use polars::prelude::{Column, DataType};

use crate::base::fail;
use crate::base::limits::{JUDGED_SLICES_MAX, SLICE_BINS, SLICE_NUMBERS_MAX};
use crate::data::divide::{MISSING, bins, periods};
use crate::data::expression::Expression;
use crate::data::frame::{MISSING_CODE, TextValues, Values};
use crate::data::plain;
use crate::data::table::Table;
use crate::data::value;
use crate::spec::schema::ColumnType;
use crate::spec::slice::SlicePart;

/// Rows coded by one part of a division.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cut {
    /// An index into `names` for each row; [`MISSING_CODE`] is missing.
    pub codes: Vec<u32>,
    /// What each code is called, in order.
    pub names: Vec<String>,
    /// What was decided, in a sentence.
    pub note: Option<String>,
}

impl Cut {
    /// Codes and names, the missing value being the last one.
    pub fn with_missing(mut self) -> (Vec<u32>, Vec<String>) {
        // A text that reads like the name for missing is put in quotes.
        self.names.iter_mut().filter(|name| *name == MISSING).for_each(|name| *name = format!("{name:?}"));
        let missing = self.names.len() as u32;
        self.codes.iter_mut().for_each(|code| *code = (*code).min(missing));
        self.names.push(MISSING.to_owned());
        (self.codes, self.names)
    }
}

/// Codes of one part.
///
/// Errors: an unknown column; bins of text; a formula that is no condition.
pub fn cut(table: &Table, part: &SlicePart) -> Result<Cut> {
    match part {
        SlicePart::Column(name) => {
            let (column, column_type) = (table.column(name)?, table.type_of(name)?);
            match by_value(column, SLICE_NUMBERS_MAX)? {
                Some(cut) => Ok(cut),
                None => in_bins(name, &plain::values(column)?, column_type),
            }
        }
        SlicePart::Bins { column, count } => by_bins(table, column, *count),
        SlicePart::Condition(sql) => {
            let answers = Expression::parse(sql)?.condition(table)?;
            let code = |answer: &Option<bool>| answer.map_or(MISSING_CODE, u32::from);
            let names = vec!["no".to_owned(), "yes".to_owned()];
            Ok(Cut { codes: answers.iter().map(code).collect(), names, note: None })
        }
    }
}

fn by_bins(table: &Table, name: &str, count: usize) -> Result<Cut> {
    let column_type = table.type_of(name)?;
    if !column_type.is_numeric() && !is_time(column_type) {
        let of = column_type.name();
        return Err(fail::usage(format!(
            "slice `bins({name}, {count})`: `{name}` is {of}, and bins are of numbers or times"
        ))
        .hint(format!("slice by its values: {name}"))
        .into());
    }
    let (cut, bins) = bins::bins(&plain::values(table.column(name)?)?, count, column_type);
    let note = (bins < count).then(|| format!("`{name}` has too few distinct values for {count} bins: it has {bins}"));
    Ok(Cut { note, ..cut })
}

fn is_time(column_type: ColumnType) -> bool {
    matches!(column_type, ColumnType::Date | ColumnType::Timestamp | ColumnType::Time)
}

/// The values of a column, or bins of its numbers when it has more than `values_max` of them; and how to write that.
pub fn coarse(table: &Table, name: &str, values_max: usize, count: usize) -> Result<(SlicePart, Cut)> {
    let column = table.column(name)?;
    match by_value(column, values_max)? {
        Some(cut) => Ok((SlicePart::Column(name.to_owned()), cut)),
        None => {
            let (cut, _) = bins::bins(&plain::values(column)?, count, table.type_of(name)?);
            Ok((SlicePart::Bins { column: name.to_owned(), count }, cut))
        }
    }
}

/// A code for each value; `None` for numbers of more than `values_max` distinct values.
fn by_value(column: &Column, values_max: usize) -> Result<Option<Cut>> {
    let series = column.as_materialized_series();
    Ok(match series.dtype() {
        DataType::String => Some(of_text(&plain::text_values(series.str()?))),
        DataType::Boolean => {
            let code = |value: Option<bool>| value.map_or(MISSING_CODE, u32::from);
            let names = vec!["false".to_owned(), "true".to_owned()];
            Some(Cut { codes: series.bool()?.iter().map(code).collect(), names, note: None })
        }
        DataType::Int64 => distinct(series.i64()?.iter(), values_max)
            .map(|(codes, values)| ordered(&codes, &values, |a, b| a.cmp(b), |value| value.to_string())),
        DataType::Float64 => {
            // Adding zero makes one value of -0.0 and 0.0.
            let present = |value: f64| (!value.is_nan()).then(|| (value + 0.0).to_bits());
            distinct(series.f64()?.iter().map(|value| value.and_then(present)), values_max).map(|(codes, bits)| {
                let values: Vec<f64> = bits.into_iter().map(f64::from_bits).collect();
                ordered(&codes, &values, f64::total_cmp, f64::to_string)
            })
        }
        DataType::Time => Some(periods::hours_of_day(&plain::values(column)?)),
        _ => Some(periods::periods(column.name(), &plain::values(column)?)),
    })
}

fn in_bins(name: &str, values: &Values, column_type: ColumnType) -> Result<Cut> {
    let (cut, bins) = bins::bins(values, SLICE_BINS, column_type);
    let note = format!(
        "`{name}` has more than {SLICE_NUMBERS_MAX} distinct values: its slices are {bins} bins of about equally many rows"
    );
    Ok(Cut { note: Some(note), ..cut })
}

/// Numbers written as text stand by value, all other text by its bytes; values beyond the most frequent
/// [`JUDGED_SLICES_MAX`] come after them as they first appear.
fn of_text(text: &TextValues) -> Cut {
    let numbers: Option<Vec<f64>> = text.levels.iter().map(|level| value::float(level)).collect();
    let mut order: Vec<usize> = (0..text.levels.len()).collect();
    if order.len() > JUDGED_SLICES_MAX {
        let mut counts = vec![0_u64; order.len()];
        text.codes.iter().filter(|code| **code != MISSING_CODE).for_each(|code| counts[*code as usize] += 1);
        order.sort_by_key(|place| Reverse(counts[*place]));
        order[JUDGED_SLICES_MAX..].sort_unstable();
    }
    let frequent = order.len().min(JUDGED_SLICES_MAX);
    order[..frequent].sort_by(|&a, &b| {
        let by_number = numbers.as_ref().map_or(Ordering::Equal, |numbers| numbers[a].total_cmp(&numbers[b]));
        by_number.then_with(|| text.levels[a].cmp(&text.levels[b]))
    });
    let names = order.iter().map(|place| text.levels[*place].to_string()).collect();
    Cut { codes: recoded(&text.codes, &order), names, note: None }
}

/// Codes of values in the order of first appearance, and the values; `None` with more than `most` of them.
pub fn distinct<T: Copy + Eq + Hash>(
    values: impl Iterator<Item = Option<T>>,
    most: usize,
) -> Option<(Vec<u32>, Vec<T>)> {
    let mut seen: HashMap<T, u32> = HashMap::new();
    let mut found = Vec::new();
    let mut last: Option<(T, u32)> = None;
    let mut codes = Vec::with_capacity(values.size_hint().0);
    for value in values {
        let Some(value) = value else {
            codes.push(MISSING_CODE);
            continue;
        };
        if let Some((known, code)) = last
            && known == value
        {
            codes.push(code);
            continue;
        }
        let code = *seen.entry(value).or_insert_with(|| {
            found.push(value);
            found.len() as u32 - 1
        });
        if found.len() > most {
            return None;
        }
        last = Some((value, code));
        codes.push(code);
    }
    Some((codes, found))
}

/// Codes put into the order of their values.
pub fn ordered<T>(
    codes: &[u32],
    values: &[T],
    compare: impl Fn(&T, &T) -> Ordering,
    name: impl Fn(&T) -> String,
) -> Cut {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| compare(&values[*a], &values[*b]));
    let names = order.iter().map(|place| name(&values[*place])).collect();
    Cut { codes: recoded(codes, &order), names, note: None }
}

fn recoded(codes: &[u32], order: &[usize]) -> Vec<u32> {
    let mut places = vec![0; order.len()];
    (0..).zip(order).for_each(|(place, old)| places[*old] = place);
    codes.iter().map(|code| places.get(*code as usize).copied().unwrap_or(MISSING_CODE)).collect()
}
