//! Disturbances of rows and trainings, as gates name them: `missing=0.1`, `noise=0.3, age`, `seed`.

use anyhow::Result;

use crate::base::fail;
use crate::base::suggest;
use crate::record::evaluation::RobustnessResult;

/// Shares of all values that are taken out.
pub const MISSING_SHARES: [f64; 3] = [0.05, 0.1, 0.2];
/// Share of the values of one column that is taken out.
pub const MISSING_SHARE_OF_ONE: f64 = 0.1;
/// Noise, in standard deviations of each numeric column.
pub const NOISES: [f64; 2] = [0.1, 0.3];
/// Share of texts that become one never seen.
pub const UNSEEN_SHARE: f64 = 1.0;
/// Trainings with other seeds.
pub const SEEDS: u64 = 5;

/// Names of the disturbances.
pub const KINDS: [&str; 4] = ["missing", "noise", "unseen", "seed"];

/// One disturbance.
#[derive(Clone, Debug, PartialEq)]
pub struct Disturbance {
    /// One of [`KINDS`].
    pub kind: String,
    /// How much; the only one that is tried when absent.
    pub amount: Option<f64>,
    /// The column disturbed; all when absent.
    pub column: Option<String>,
}

impl Disturbance {
    /// Reads `KIND`, `KIND=AMOUNT` or `KIND=AMOUNT, COLUMN`.
    ///
    /// Errors: an unknown kind, an amount that is not tried.
    pub fn parse(text: &str) -> Result<Disturbance> {
        let (head, column) = match text.split_once(',') {
            Some((head, column)) => (head.trim(), Some(column.trim().to_owned())),
            None => (text.trim(), None),
        };
        let (kind, amount) = match head.split_once('=') {
            Some((kind, amount)) => (kind.trim(), Some(amount.trim())),
            None => (head, None),
        };
        if !KINDS.contains(&kind) {
            return Err(suggest::unknown("disturbance", kind, KINDS).into());
        }
        let tried: &[f64] = match kind {
            "missing" if column.is_some() => &[MISSING_SHARE_OF_ONE],
            "missing" => &MISSING_SHARES,
            "noise" => &NOISES,
            "unseen" => &[UNSEEN_SHARE],
            _ => &[SEEDS as f64],
        };
        let parsed = amount.map(|amount| amount.parse::<f64>().ok().filter(|amount| tried.contains(amount)));
        let known = tried.iter().map(f64::to_string).collect::<Vec<_>>().join(", ");
        let amount = match (parsed, tried) {
            (Some(Some(amount)), _) => Some(amount),
            (None, [_]) => None,
            (None, _) => return Err(fail::usage(format!("how much `{kind}`?")).hint(format!("tried: {known}")).into()),
            (Some(None), _) => {
                let what = format!("`{kind}={}` is not tried", amount.unwrap_or_default());
                return Err(fail::usage(what).hint(format!("tried: {known}")).into());
            }
        };
        Ok(Disturbance { kind: kind.to_owned(), amount, column })
    }

    /// Errors: a column that is not there, with the nearest.
    pub fn check(&self, columns: &[&str]) -> Result<()> {
        match &self.column {
            Some(column) if !columns.contains(&column.as_str()) => {
                Err(suggest::unknown("column", column, columns.iter().copied()).into())
            }
            _ => Ok(()),
        }
    }

    /// Whether `result` is of this disturbance.
    pub fn fits(&self, result: &RobustnessResult) -> bool {
        result.kind == self.kind
            && result.column == self.column
            && self.amount.is_none_or(|amount| amount == result.amount)
    }
}
