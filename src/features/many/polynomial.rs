//! Powers and products of several numbers.

use anyhow::Result;

use crate::features::column::Working;
use crate::features::fitting::shared;
use crate::features::many::product::{FittedProduct, check_count};
use crate::features::many::{FittedMany, check_numeric};
use crate::features::recipe::StepForm;
use crate::spec::recipe::Columns;

/// Which products.
#[derive(Clone, Debug, PartialEq)]
pub struct PolynomialOptions {
    /// Of which columns.
    pub columns: Columns,
    /// Most factors; 2 or 3.
    pub degree: usize,
    /// Leaves out powers of one column.
    pub interaction_only: bool,
}

/// Adds every product of 2 to `degree` of the columns, by degree and then in the order of the columns.
///
/// The columns themselves stay where they are: scikit-learn's `PolynomialFeatures(include_bias=False)` (1.9) without its
/// first columns, with its names (`a^2`, `a b`). A product with a missing factor, or beyond the largest number, is missing.
/// Errors (usage): a column without numbers; more products than a table may have columns.
pub fn fit(columns: &[&Working], options: &PolynomialOptions) -> Result<Vec<StepForm>> {
    for column in columns {
        check_numeric("polynomial", column)?;
    }
    let count = columns.len();
    let made: u128 = (2..=options.degree).map(|degree| products(count, degree, options.interaction_only)).sum();
    check_count("polynomial", made)?;
    let mut factors: Vec<Vec<u32>> = Vec::with_capacity(made as usize);
    let mut shorter: Vec<Vec<u32>> = (0..count as u32).map(|position| vec![position]).collect();
    for _ in 2..=options.degree {
        shorter = shorter.iter().flat_map(|chosen| longer(chosen, count, options.interaction_only)).collect();
        factors.extend(shorter.iter().cloned());
    }
    if factors.is_empty() {
        return Ok(Vec::new());
    }
    let names = shared(columns.iter().map(|column| &*column.name));
    let fitted = FittedProduct::new(names.clone(), factors, |factors| {
        let powers = factors.chunk_by(|a, b| a == b).map(|run| match run.len() {
            1 => names[run[0] as usize].to_string(),
            power => format!("{}^{power}", names[run[0] as usize]),
        });
        powers.collect::<Vec<_>>().join(" ")
    });
    Ok(vec![StepForm::Many(FittedMany::Product(fitted))])
}

/// `chosen` with one more factor at its end, not before its last one.
fn longer(chosen: &[u32], count: usize, interaction_only: bool) -> Vec<Vec<u32>> {
    let last = chosen.last().copied().unwrap_or(0);
    let first = if interaction_only { last + 1 } else { last };
    (first..count as u32).map(|next| [chosen, &[next]].concat()).collect()
}

/// Number of products of `degree` among `count` columns: combinations, with repetition unless `interaction_only`.
fn products(count: usize, degree: usize, interaction_only: bool) -> u128 {
    let (count, degree) = (count as u128, degree as u128);
    let top = if interaction_only { count } else { count + degree - 1 };
    if top < degree {
        return 0;
    }
    (0..degree).fold(1, |product, at| product * (top - at) / (at + 1))
}
