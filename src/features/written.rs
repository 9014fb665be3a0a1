//! Steps as people write them, checked: what passes contradicts nothing that can be seen without data.

use crate::base::fail::{self, Failure};
use crate::base::limits;
use crate::features::cast::CastOptions;
use crate::features::category::CategoryOptions;
use crate::features::drop::DropOptions;
use crate::features::frequency::FrequencyOptions;
use crate::features::impute::{ImputeOptions, Indicate, MissingOptions};
use crate::features::one_hot::OneHotOptions;
use crate::features::ordinal::OrdinalOptions;
use crate::features::power::PowerOptions;
use crate::features::quantile::QuantileOptions;
use crate::features::recipe::RecipeStep;
use crate::features::scale::ScaleOptions;
use crate::features::step::{Action, Choice, Step};
use crate::features::{bin, clip, cyclic, dates, hash, log, many, rare, rename, text, tfidf};
use crate::spec::recipe::{Columns, ImputeStrategy, ScaleMethod, StepSpec};
use crate::spec::steps::{PowerSpec, QuantileSpec};

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
        StepSpec::Scale { columns, method, range } => (columns, check_scale(*method, *range)?),
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
        StepSpec::Bin { columns, method, bins, edges, encode, leaf_rows_min } => {
            (columns, bin::check(*method, *bins, edges.as_deref(), *encode, *leaf_rows_min)?)
        }
        StepSpec::Dates { columns, parts, cyclic, since } => {
            check_distinct("dates: parts", parts.as_deref(), |part| format!("{part:?}").to_lowercase())?;
            (columns, dates::check(parts.as_deref(), *cyclic, since.as_deref())?)
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
        StepSpec::Category { columns } => (columns, Action::each(CategoryOptions)),
        StepSpec::Quantile(spec) => (&spec.columns, check_quantile(spec)?),
        StepSpec::Power(spec) => {
            let PowerSpec { method, standardize, .. } = *spec;
            (&spec.columns, Action::each(PowerOptions { method, standardize }))
        }
        StepSpec::Clip(spec) => (&spec.columns, clip::check(spec)?),
        StepSpec::Log(spec) => (&spec.columns, log::check(spec)?),
        StepSpec::Frequency(spec) => (&spec.columns, Action::each(FrequencyOptions { measure: spec.measure })),
        StepSpec::Hash(spec) => (&spec.columns, hash::check(spec)?),
        StepSpec::Rare(spec) => (&spec.columns, rare::check(spec)?),
        StepSpec::Cyclic(spec) => (&spec.columns, cyclic::check(spec)?),
        StepSpec::Text(spec) => (&spec.columns, text::check(spec)?),
        StepSpec::Tfidf(spec) => (&spec.columns, tfidf::check(spec)?),
        StepSpec::Missing(spec) => (&spec.columns, Action::each(MissingOptions { always: spec.always })),
        StepSpec::Cast(spec) => (&spec.columns, Action::each(CastOptions { to: spec.to })),
        StepSpec::Rename(spec) => {
            let action = rename::check(spec)?;
            let columns = Columns::Named(spec.names.keys().cloned().collect());
            return Ok(RecipeStep::Columns(Step { choice: Choice::Written(columns), action }));
        }
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

fn check_scale(method: ScaleMethod, range: Option<[f64; 2]>) -> Result<Action, Failure> {
    if let Some([low, high]) = range {
        if method != ScaleMethod::MinMax {
            return Err(fail::usage("scale: range is given, but the method is not \"min_max\"")
                .hint("set method = \"min_max\", or leave range out"));
        }
        if !(low < high && (high - low).is_finite()) {
            return Err(fail::usage(format!("scale: range = [{low}, {high}] does not rise")));
        }
    }
    Ok(Action::each(ScaleOptions { method, range }))
}

fn check_quantile(spec: &QuantileSpec) -> Result<Action, Failure> {
    let (quantiles, most) = (spec.quantiles, limits::QUANTILES_MAX);
    match (2..=most).contains(&quantiles) {
        true => Ok(Action::each(QuantileOptions { output: spec.output, quantiles })),
        false => Err(fail::usage(format!("quantile: quantiles = {quantiles} is not between 2 and {most}"))),
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
