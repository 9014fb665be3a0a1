//! Steps as people write them, checked: what passes contradicts nothing that can be seen without data.

use crate::base::fail::{self, Failure};
use crate::features::bin::BinOptions;
use crate::features::cuts::TreeBinOptions;
use crate::features::dates::DatesOptions;
use crate::features::drop::DropOptions;
use crate::features::impute::{ImputeOptions, Indicate};
use crate::features::many;
use crate::features::one_hot::OneHotOptions;
use crate::features::ordinal::OrdinalOptions;
use crate::features::recipe::RecipeStep;
use crate::features::scale::ScaleOptions;
use crate::features::step::{Action, Choice, Step};
use crate::spec::recipe::{BinMethod, Columns, ImputeStrategy, StepSpec};

/// Most bins of one column.
const BINS_MAX: usize = 65_535;

/// Checks one step.
///
/// Errors (usage): empty or repeating lists, a constant without its strategy or the other way round, numbers out of range.
pub fn check(step: &StepSpec) -> Result<RecipeStep, Failure> {
    let (columns, action) = match step {
        StepSpec::Impute { strategy: ImputeStrategy::Knn, .. } => {
            return many::written::check(step).map(RecipeStep::Many);
        }
        StepSpec::Impute { columns, strategy, value, indicator, neighbours } => {
            if neighbours.is_some() {
                return Err(fail::usage("impute: neighbours is for strategy = \"knn\""));
            }
            (columns, check_impute(*strategy, value.as_ref(), *indicator)?)
        }
        StepSpec::Scale { columns, method } => (columns, Action::each(ScaleOptions { method: *method })),
        StepSpec::OneHot { columns, max, drop_first } => {
            if *max < 2 {
                return Err(fail::usage(format!("one_hot: max = {max} leaves no column of its own to any value"))
                    .hint("max is at least 2"));
            }
            (columns, Action::each(OneHotOptions { max: *max, drop_first: *drop_first }))
        }
        StepSpec::Ordinal { columns, order } => {
            check_distinct("ordinal: order", order.as_deref(), |value| format!("`{value}`"))?;
            (columns, Action::each(OrdinalOptions { order: order.clone() }))
        }
        StepSpec::Bin { columns, method, bins, leaf_rows_min } => {
            if !(2..=BINS_MAX).contains(bins) {
                return Err(fail::usage(format!("bin: bins = {bins} is not between 2 and {BINS_MAX}")));
            }
            if leaf_rows_min.is_some() && *method != BinMethod::Tree {
                return Err(fail::usage("bin: leaf_rows_min is for method = \"tree\""));
            }
            if *method == BinMethod::Tree {
                let tree = Action::supervised(TreeBinOptions { bins: *bins, rows_min: *leaf_rows_min });
                check_columns(columns)?;
                return Ok(RecipeStep::Columns(Step { choice: Choice::Written(columns.clone()), action: tree }));
            }
            (columns, Action::each(BinOptions { method: *method, bins: *bins }))
        }
        StepSpec::Dates { columns, parts } => {
            check_distinct("dates: parts", parts.as_deref(), |part| format!("{part:?}").to_lowercase())?;
            (columns, Action::each(DatesOptions { parts: parts.clone() }))
        }
        StepSpec::Drop { columns } => (columns, Action::each(DropOptions)),
        StepSpec::Target(spec) => (&spec.columns, many::written::check_target(spec)?),
        StepSpec::Interact { .. }
        | StepSpec::Polynomial { .. }
        | StepSpec::Ratio { .. }
        | StepSpec::Select(_)
        | StepSpec::Pca(_)
        | StepSpec::Kmeans(_)
        | StepSpec::Expression(_) => return many::written::check(step).map(RecipeStep::Many),
    };
    check_columns(columns)?;
    Ok(RecipeStep::Columns(Step { choice: Choice::Written(columns.clone()), action }))
}

/// Refuses columns that are named twice, and an empty list of them.
pub fn check_columns(columns: &Columns) -> Result<(), Failure> {
    match columns {
        Columns::Named(names) => check_distinct("columns", Some(names), |name| format!("`{name}`")),
        Columns::Kind(_) => Ok(()),
    }
}

fn check_impute(
    strategy: ImputeStrategy,
    value: Option<&serde_json::Value>,
    indicator: bool,
) -> Result<Action, Failure> {
    let constant = strategy == ImputeStrategy::Constant;
    match value {
        None if constant => {
            return Err(fail::usage("impute: strategy = \"constant\" needs a value").hint("add value = 0"));
        }
        Some(_) if !constant => {
            return Err(fail::usage("impute: value is given, but the strategy is not \"constant\"")
                .hint("set strategy = \"constant\", or leave value out"));
        }
        Some(value) if !(value.is_number() || value.is_string() || value.is_boolean()) => {
            return Err(fail::usage(format!("impute: value = {value} is neither a number nor a text")));
        }
        _ => {}
    }
    let indicate = if indicator { Indicate::Always } else { Indicate::Never };
    Ok(Action::each(ImputeOptions { strategy: Some(strategy), value: value.cloned(), indicate }))
}

/// Refuses a list that is empty or names something twice.
fn check_distinct<T: PartialEq>(what: &str, list: Option<&[T]>, show: impl Fn(&T) -> String) -> Result<(), Failure> {
    let Some(list) = list else {
        return Ok(());
    };
    if list.is_empty() {
        return Err(fail::usage(format!("{what} is empty")).hint("name at least one, or leave it out"));
    }
    // Lists are as long as a person writes them.
    match list.iter().enumerate().find(|(position, item)| list[..*position].contains(item)) {
        Some((_, twice)) => Err(fail::usage(format!("{what} names {} twice", show(twice)))),
        None => Ok(()),
    }
}
