//! Steps over several columns as people write them, checked.

use crate::base::fail::{self, Failure};
use crate::features::many::ManyAction;
use crate::features::many::polynomial::PolynomialOptions;
use crate::features::many::ratio::RatioOptions;
use crate::features::written::check_columns;
use crate::spec::recipe::StepSpec;

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
        _ => Err(fail::usage("this step does not work on several columns")),
    }
}

/// Refuses an empty name.
fn check_name<'n>(op: &str, name: &'n str) -> Result<&'n str, Failure> {
    match name.trim() {
        "" => Err(fail::usage(format!("{op}: the new column has no name"))),
        _ => Ok(name),
    }
}
