//! Gate expressions: `METRIC OP BOUND`, where the bound is a number or a champion's metric plus or minus a number.

use std::fmt;
use std::str::FromStr;

use crate::base::fail::{self, Failure};

/// Comparison of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `>=`
    AtLeast,
    /// `>`
    Above,
    /// `<=`
    AtMost,
    /// `<`
    Below,
    /// `==`
    Equal,
}

impl Comparison {
    /// Whether `value OP bound` holds; false when either is NaN.
    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Comparison::AtLeast => value >= bound,
            Comparison::Above => value > bound,
            Comparison::AtMost => value <= bound,
            Comparison::Below => value < bound,
            Comparison::Equal => value == bound,
        }
    }

    /// As written.
    pub fn symbol(self) -> &'static str {
        match self {
            Comparison::AtLeast => ">=",
            Comparison::Above => ">",
            Comparison::AtMost => "<=",
            Comparison::Below => "<",
            Comparison::Equal => "==",
        }
    }
}

/// What a metric is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// A number.
    Value(f64),
    /// The champion's value of `metric`, plus `offset`.
    Champion {
        /// Name of the champion's metric.
        metric: String,
        /// Added to its value.
        offset: f64,
    },
}

/// One gate, as written and as understood.
#[derive(Clone, Debug, PartialEq)]
pub struct GateSpec {
    /// As the person wrote it.
    pub text: String,
    /// Name of the metric, with its slice if there is one.
    pub metric: String,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what.
    pub bound: Bound,
}

const FORM: &str = "write it like `accuracy >= 0.9` or `f1_macro >= champion.f1_macro - 0.01`";

impl FromStr for GateSpec {
    type Err = Failure;

    fn from_str(text: &str) -> Result<GateSpec, Failure> {
        let bad = |why: &str| fail::usage(format!("gate `{text}`: {why}")).hint(FORM);
        let (comparison, position) = find_comparison(text).ok_or_else(|| bad("there is no comparison"))?;
        let metric = text[..position].trim();
        if metric.is_empty() {
            return Err(bad("there is no metric before the comparison"));
        }
        let bound = text[position + comparison.symbol().len()..].trim();
        Ok(GateSpec {
            text: text.trim().to_owned(),
            metric: metric.to_owned(),
            comparison,
            bound: parse_bound(bound)
                .ok_or_else(|| bad("the bound is neither a number nor champion.METRIC ± number"))?,
        })
    }
}

/// The first comparison outside brackets, so that `slice(sex=F).recall >= 0.8` is read rightly.
fn find_comparison(text: &str) -> Option<(Comparison, usize)> {
    let mut depth = 0_i32;
    for (position, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            '<' | '>' | '=' if depth == 0 => {
                let rest = &text[position..];
                let all =
                    [Comparison::AtLeast, Comparison::AtMost, Comparison::Equal, Comparison::Above, Comparison::Below];
                return all.into_iter().find(|c| rest.starts_with(c.symbol())).map(|c| (c, position));
            }
            _ => {}
        }
    }
    None
}

fn parse_bound(text: &str) -> Option<Bound> {
    let Some(champion) = text.strip_prefix("champion.") else {
        return text.parse().ok().filter(|value: &f64| value.is_finite()).map(Bound::Value);
    };
    let split = champion.find([' ', '+', '-']).unwrap_or(champion.len());
    let (metric, rest) = champion.split_at(split);
    let rest: String = rest.chars().filter(|c| !c.is_whitespace()).collect();
    let offset = match rest.as_str() {
        "" => 0.0,
        signed if signed.starts_with(['+', '-']) => signed.parse().ok().filter(|value: &f64| value.is_finite())?,
        _ => return None,
    };
    (!metric.is_empty()).then(|| Bound::Champion { metric: metric.to_owned(), offset })
}

impl fmt::Display for GateSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
