//! The recipe `auto` of each family of models, and the columns it leaves out.

use crate::base::units;
use crate::data::frame::Values;
use crate::features::category::CategoryOptions;
use crate::features::column::{Working, missing};
use crate::features::dates::DatesOptions;
use crate::features::drop::DropOptions;
use crate::features::impute::{ImputeOptions, Indicate};
use crate::features::levels::Counted;
use crate::features::one_hot::OneHotOptions;
use crate::features::recipe::Family;
use crate::features::scale::ScaleOptions;
use crate::features::step::{Action, Choice, Step};
use crate::spec::recipe::{ColumnKind, Columns, ImputeStrategy, ScaleMethod};

/// Share of missing training values from which it matters where they are missing; below, a column `NAME_missing` would
/// be constant in most samples.
const INDICATOR_SHARE: f64 = 0.05;
/// Most one-hot columns made from one column: the default of a written step.
const ONE_HOT_MAX: usize = 50;
/// A text column with more distinct values than this is an identifier when most of them occur once or twice.
const IDENTIFIER_LEVELS_MIN: usize = 20;

/// The steps for one family.
///
/// Linear: text keeps its missing values, as 0 in every one-hot column is a state of its own; where 5 % or more of a
/// numeric column is missing, a column says where. Trees: numbers as they are, text as native categories.
pub fn steps(family: Family) -> Vec<Step> {
    let of = |kind, action| Step { choice: Choice::Written(Columns::Kind(kind)), action };
    let presence = ImputeOptions { strategy: None, value: None, indicate: Indicate::Always };
    let mut steps = vec![
        Step { choice: Choice::Presence, action: Action::each(presence) },
        Step { choice: Choice::Useless, action: Action::each(DropOptions) },
        of(ColumnKind::Time, Action::each(DatesOptions { parts: None, cyclic: false, since: None })),
    ];
    match family {
        Family::Linear => {
            let median = ImputeOptions {
                strategy: Some(ImputeStrategy::Median),
                value: None,
                indicate: Indicate::From(INDICATOR_SHARE),
            };
            let one_hot = OneHotOptions { max: ONE_HOT_MAX, drop_first: false };
            steps.push(of(ColumnKind::Numeric, Action::each(median)));
            steps.push(of(ColumnKind::Categorical, Action::each(one_hot)));
            steps.push(of(
                ColumnKind::Numeric,
                Action::each(ScaleOptions { method: ScaleMethod::Standard, range: None }),
            ));
        }
        Family::Trees => steps.push(of(ColumnKind::Categorical, Action::each(CategoryOptions))),
    }
    steps
}

/// Columns no model can learn from: without any value, with one value in every row, or text that names each row.
pub fn useless<'c, 'a>(columns: &'c [Working<'a>], notes: &mut Vec<String>) -> Vec<&'c Working<'a>> {
    let mut found = Vec::new();
    for column in columns {
        if let Some(why) = why_useless(column) {
            notes.push(format!("column `{}` {why}: left out", column.name));
            found.push(column);
        }
    }
    found
}

/// Identifier-like columns that are missing often enough for that alone to be worth a feature.
pub fn presence<'c, 'a>(columns: &'c [Working<'a>], notes: &mut Vec<String>) -> Vec<&'c Working<'a>> {
    let mut found = Vec::new();
    for column in columns {
        let (gaps, rows) = (missing(&column.values) as f64, column.values.len() as f64);
        let often = gaps >= INDICATOR_SHARE * rows && rows - gaps >= INDICATOR_SHARE * rows;
        if often && identifier(column).is_some() {
            notes.push(format!("column `{}` is kept as whether it has a value", column.name));
            found.push(column);
        }
    }
    found
}

fn why_useless(column: &Working) -> Option<String> {
    let (gaps, rows) = (missing(&column.values), column.values.len());
    if gaps == rows {
        return Some("has no value in the training rows".to_owned());
    }
    if gaps == 0 && is_constant(&column.values) {
        return Some("is constant in the training rows".to_owned());
    }
    let (levels, present) = identifier(column)?;
    Some(format!(
        "has {} in {}, too many to learn from",
        units::plural(levels as u64, "distinct text"),
        units::plural(present, "training row")
    ))
}

fn is_constant(values: &Values) -> bool {
    match values {
        Values::Number(values) => values.iter().all(|value| *value == values[0]),
        Values::Text(text) => text.codes.iter().all(|code| *code == text.codes[0]),
        Values::Time(values) => values.iter().all(|value| *value == values[0]),
        Values::Indicator { .. } | Values::Category { .. } => false,
    }
}

/// Number of distinct texts and of rows with one, when most texts occur once or twice.
fn identifier(column: &Working) -> Option<(usize, u64)> {
    let Values::Text(text) = &*column.values else {
        return None;
    };
    // A cheap upper bound first: most columns have few distinct values.
    if text.levels.len() <= IDENTIFIER_LEVELS_MIN {
        return None;
    }
    let counted = Counted::of(&column.values)?;
    let (levels, present) = (counted.len(), counted.counts().iter().sum::<u64>());
    (levels > IDENTIFIER_LEVELS_MIN && levels as u64 * 2 > present).then_some((levels, present))
}
