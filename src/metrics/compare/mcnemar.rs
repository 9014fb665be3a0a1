//! McNemar's test: whether two models are equally often right, from the rows that only one of them answers rightly.

use crate::metrics::compare::tails::{chi_square_tail, coin_two_tails};

/// Rows that only one is right on, up to which the chance is counted out; of more it is that of the chi-square limit.
const EXACT_ROWS_MAX: u64 = 25;

/// Chance that two equally good models differ at least as much: `wins` rows only the first answers rightly, `losses` only the
/// second. Up to 25 such rows exact, a coin thrown for each; of more, χ² = (|wins − losses| − 1)² / (wins + losses) with one
/// degree of freedom (McNemar 1947, corrected for continuity by Edwards 1948). 1 without any. Equals statsmodels' `mcnemar`,
/// and where both are right alike R's, which corrects nothing then: the chance is 1.
pub fn p_value(wins: u64, losses: u64) -> f64 {
    let both = wins.saturating_add(losses);
    if both <= EXACT_ROWS_MAX {
        return coin_two_tails(wins.min(losses), both);
    }
    let apart = (wins.abs_diff(losses) as f64 - 1.0).max(0.0);
    chi_square_tail(apart * apart / both as f64)
}
