//! Steps over several columns as people write them, checked.

use crate::base::fail::{self, Failure};
use crate::base::limits;
use crate::data::expression::Expression;
use crate::features::many::ManyAction;
use crate::features::many::expression::ExpressionOptions;
use crate::features::many::kmeans::KmeansOptions;
use crate::features::many::knn::KnnOptions;
use crate::features::many::pca::{Components, PcaOptions};
use crate::features::many::polynomial::PolynomialOptions;
use crate::features::many::ratio::RatioOptions;
use crate::features::many::select::SelectOptions;
use crate::features::step::Action;
use crate::features::target::{FOLDS_MAX, TargetOptions};
use crate::features::written::check_columns;
use crate::spec::many::{PcaSpec, SelectBy, SelectSpec, Smooth, TargetSpec};
use crate::spec::recipe::{ImputeStrategy, StepSpec};

/// Rows that a gap is filled from, unless said otherwise; scikit-learn's default.
const NEIGHBOURS: usize = 5;

/// Checks one step.
///
/// Errors (usage): empty or repeating lists, numbers out of range, a step on columns by themselves.
pub fn check(step: &StepSpec) -> Result<ManyAction, Failure> {
    match step {
        StepSpec::Interact { columns } => {
            check_columns(columns)?;
            Ok(ManyAction::Interact(columns.clone()))
        }
        StepSpec::Polynomial { columns, degree, interaction_only } => {
            check_columns(columns)?;
            if !(2..=3).contains(degree) {
                return Err(fail::usage(format!("polynomial: degree = {degree} is neither 2 nor 3")));
            }
            let (degree, interaction_only) = (*degree, *interaction_only);
            Ok(ManyAction::Polynomial(PolynomialOptions { columns: columns.clone(), degree, interaction_only }))
        }
        StepSpec::Ratio { numerator, denominator, name } => {
            if numerator == denominator {
                return Err(fail::usage(format!("ratio: `{numerator}` divided by itself says nothing")));
            }
            let name = match name {
                Some(name) => check_name("ratio", name)?.to_owned(),
                None => format!("{numerator}/{denominator}"),
            };
            Ok(ManyAction::Ratio(RatioOptions { numerator: numerator.clone(), denominator: denominator.clone(), name }))
        }
        StepSpec::Select(spec) => check_select(spec),
        StepSpec::Pca(spec) => check_pca(spec),
        StepSpec::Kmeans(spec) => {
            check_columns(&spec.columns)?;
            if !(1..=limits::CLUSTERS_MAX).contains(&spec.clusters) {
                let (clusters, most) = (spec.clusters, limits::CLUSTERS_MAX);
                return Err(fail::usage(format!("kmeans: clusters = {clusters} is not between 1 and {most}")));
            }
            let (clusters, keep) = (spec.clusters, spec.keep);
            Ok(ManyAction::Kmeans(KmeansOptions { columns: spec.columns.clone(), clusters, keep }))
        }
        StepSpec::Impute { columns, strategy: ImputeStrategy::Knn, value, indicator, neighbours } => {
            check_columns(columns)?;
            if value.is_some() {
                return Err(fail::usage("impute: value is given, but the strategy is not \"constant\"")
                    .hint("set strategy = \"constant\", or leave value out"));
            }
            let neighbours = neighbours.unwrap_or(NEIGHBOURS);
            if !(1..=limits::IMPUTE_ROWS_MAX).contains(&neighbours) {
                let most = limits::IMPUTE_ROWS_MAX;
                return Err(fail::usage(format!("impute: neighbours = {neighbours} is not between 1 and {most}")));
            }
            Ok(ManyAction::Knn(KnnOptions { columns: columns.clone(), neighbours, indicator: *indicator }))
        }
        StepSpec::Expression(spec) => {
            let name = check_name("expression", &spec.name)?.to_owned();
            let wrong = |error: anyhow::Error| match error.downcast::<Failure>() {
                Ok(failure) => failure,
                Err(error) => fail::usage(format!("{error:#}")),
            };
            Ok(ManyAction::Expression(ExpressionOptions {
                name,
                expression: Expression::parse(&spec.sql).map_err(wrong)?,
            }))
        }
        _ => Err(fail::usage("this step does not work on several columns")),
    }
}

/// Checks target encoding, a step on columns by themselves.
pub fn check_target(spec: &TargetSpec) -> Result<Action, Failure> {
    if !(2..=FOLDS_MAX).contains(&spec.folds) {
        return Err(fail::usage(format!("target: folds = {} is not between 2 and {FOLDS_MAX}", spec.folds)));
    }
    if let Smooth::Rows(rows) = spec.smooth
        && !(rows.is_finite() && rows >= 0.0)
    {
        return Err(fail::usage(format!("target: smooth = {rows} is not a number of rows"))
            .hint("give 0 or more, or smooth = \"auto\""));
    }
    Ok(Action::supervised(TargetOptions { smooth: spec.smooth, folds: spec.folds }))
}

fn check_select(spec: &SelectSpec) -> Result<ManyAction, Failure> {
    check_columns(&spec.columns)?;
    let (keep, threshold) = (spec.keep, spec.threshold);
    match (keep, threshold) {
        (Some(_), Some(_)) => {
            return Err(fail::usage("select: both keep and threshold are given").hint("leave one of them out"));
        }
        (Some(0), _) => return Err(fail::usage("select: keep = 0 would leave nothing")),
        (Some(_), _) if spec.by == SelectBy::Correlation => {
            return Err(fail::usage("select: keep does not go with by = \"correlation\"").hint("give a threshold"));
        }
        (None, None) if matches!(spec.by, SelectBy::MutualInformation | SelectBy::Importance) => {
            return Err(
                fail::usage("select: neither keep nor threshold is given").hint("say how many to keep, keep = 20")
            );
        }
        (_, Some(threshold)) if !(threshold.is_finite() && threshold >= 0.0) => {
            return Err(fail::usage(format!("select: threshold = {threshold} is not 0 or more")));
        }
        (_, Some(threshold)) if spec.by == SelectBy::Correlation && threshold > 1.0 => {
            return Err(
                fail::usage(format!("select: threshold = {threshold} is no correlation")).hint("it is at most 1")
            );
        }
        _ => {}
    }
    Ok(ManyAction::Select(SelectOptions { columns: spec.columns.clone(), by: spec.by, keep, threshold }))
}

fn check_pca(spec: &PcaSpec) -> Result<ManyAction, Failure> {
    check_columns(&spec.columns)?;
    let wanted = spec.components;
    let components = if wanted > 0.0 && wanted < 1.0 {
        Components::Share(wanted)
    } else if wanted >= 1.0 && wanted <= limits::COMPONENT_COLUMNS_MAX as f64 && wanted.fract() == 0.0 {
        Components::Count(wanted as usize)
    } else {
        return Err(fail::usage(format!("pca: components = {wanted} is neither a number of components nor a share"))
            .hint("give 1, 2, 3…, or a share of the variance such as 0.95"));
    };
    Ok(ManyAction::Pca(PcaOptions { columns: spec.columns.clone(), components, whiten: spec.whiten, keep: spec.keep }))
}

/// Refuses an empty name.
fn check_name<'n>(op: &str, name: &'n str) -> Result<&'n str, Failure> {
    match name.trim() {
        "" => Err(fail::usage(format!("{op}: the new column has no name"))),
        _ => Ok(name),
    }
}
