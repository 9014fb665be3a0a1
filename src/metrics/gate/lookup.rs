//! What was measured, by the names that gates use.

use std::collections::BTreeMap;

use crate::metrics::gate::paper_sum;
use crate::metrics::robustness::Disturbance;
use crate::record::evaluation::{FacetResult, RobustnessResult, SliceResult};
use crate::spec::gate::{Extreme, Formula, Operator, Scope, Term};

/// Everything that was measured of one model.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    /// Metrics of all rows, and costs, by name.
    pub metrics: &'a BTreeMap<String, f64>,
    /// Metrics of parts of the rows.
    pub slices: &'a [SliceResult],
    /// Fairness to groups.
    pub facets: &'a [FacetResult],
    /// What disturbances do.
    pub robustness: &'a [RobustnessResult],
}

/// One number that was, or could have been, measured.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leaf {
    /// A metric of all rows, or a cost.
    Whole(String),
    /// A metric of one slice.
    Slice {
        /// The division.
        column: String,
        /// Its slice.
        value: String,
        /// The metric.
        metric: String,
    },
    /// A measure of the fairness to one group.
    Facet {
        /// The column that tells groups apart.
        column: String,
        /// The group.
        value: String,
        /// The measure.
        measure: String,
    },
    /// A metric of disturbed rows or trainings.
    Disturbed {
        /// As written in the brackets.
        inner: String,
        /// The metric.
        metric: String,
    },
}

impl Leaf {
    /// What its slice or group is called, with the column.
    pub fn label(&self) -> String {
        match self {
            Leaf::Whole(name) => name.clone(),
            Leaf::Slice { column, value, .. } => format!("{column}={value}"),
            Leaf::Facet { column, value, .. } if value.starts_with(['<', '>']) => format!("{column} {value}"),
            Leaf::Facet { column, value, .. } => format!("{column}={value}"),
            Leaf::Disturbed { inner, .. } => inner.clone(),
        }
    }
}

/// Whether two texts are the same but for blanks.
fn alike(a: &str, b: &str) -> bool {
    let bare = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
    a.trim() == b.trim() || bare(a) == bare(b)
}

/// Whether `inner` is written as `column = value`, or as a condition alone, which means its `yes`.
fn names(inner: &str, column: &str, value: &str) -> bool {
    let unquoted = |text: &str| -> String {
        let inside = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
        inside.unwrap_or(text).to_owned()
    };
    let is_pair = |(at, _): (usize, &str)| {
        let given = inner[at + 1..].trim();
        alike(&inner[..at], column) && (alike(given, value) || alike(&unquoted(given), value))
    };
    inner.match_indices('=').any(is_pair) || (value == "yes" && alike(inner, column))
}

impl Measured<'_> {
    /// The numbers that a term is made of, as far as their slices and groups have rows.
    pub fn leaves(&self, term: &Term) -> Vec<Leaf> {
        let Term::Part { scope, inner, metric, extreme } = term else {
            return vec![Leaf::Whole(term.to_string())];
        };
        let metric = metric.clone();
        match scope {
            Scope::Slice => {
                let fits = |slice: &&SliceResult| match extreme {
                    Some(_) => alike(inner, &slice.column),
                    None => names(inner, &slice.column, &slice.value),
                };
                let leaf = |slice: &SliceResult| Leaf::Slice {
                    column: slice.column.clone(),
                    value: slice.value.clone(),
                    metric: metric.clone(),
                };
                let found = self.slices.iter().filter(fits).map(leaf);
                if extreme.is_some() { found.collect() } else { found.take(1).collect() }
            }
            Scope::Facet => {
                let fits = |facet: &&FacetResult| match extreme {
                    Some(_) => alike(inner, &facet.column),
                    None => {
                        names(inner, &facet.column, &facet.value)
                            || alike(inner, &format!("{}{}", facet.column, facet.value))
                    }
                };
                let leaf = |facet: &FacetResult| Leaf::Facet {
                    column: facet.column.clone(),
                    value: facet.value.clone(),
                    measure: metric.clone(),
                };
                let found = self.facets.iter().filter(fits).map(leaf);
                if extreme.is_some() { found.collect() } else { found.take(1).collect() }
            }
            Scope::Robustness => vec![Leaf::Disturbed { inner: inner.clone(), metric }],
        }
    }

    /// The value of one leaf, finite; `None` when it has none.
    pub fn leaf(&self, leaf: &Leaf) -> Option<f64> {
        let value = match leaf {
            Leaf::Whole(name) => self.metrics.get(name).copied(),
            Leaf::Slice { column, value, metric } => {
                let slice = self.slices.iter().find(|slice| slice.column == *column && slice.value == *value);
                slice.and_then(|slice| slice.metrics.get(metric).copied())
            }
            Leaf::Facet { column, value, measure } => {
                let facet = self.facets.iter().find(|facet| facet.column == *column && facet.value == *value);
                let of = |facet: &FacetResult| {
                    facet.post_training.get(measure).or_else(|| facet.pre_training.get(measure)).copied()
                };
                facet.and_then(of)
            }
            Leaf::Disturbed { inner, metric } => {
                let wanted = Disturbance::parse(inner).ok();
                let fits = |result: &&RobustnessResult| {
                    result.metric == *metric && wanted.as_ref().is_some_and(|wanted| wanted.fits(result))
                };
                self.robustness.iter().find(fits).map(|result| result.after)
            }
        };
        value.filter(|value| value.is_finite())
    }

    /// The value of a term. Errors: a sentence that says what is missing.
    pub fn term(&self, term: &Term) -> Result<f64, String> {
        let leaves = self.leaves(term);
        if leaves.is_empty() {
            let scope = if matches!(term, Term::Part { scope: Scope::Facet, .. }) { "group" } else { "slice" };
            let which = match term {
                Term::Part { inner, extreme: None, .. } => format!("the {scope} {inner}"),
                _ => format!("such a {scope}"),
            };
            return Err(format!("`{term}` has no value: no row is of {which}"));
        }
        let values: Vec<f64> = leaves.iter().filter_map(|leaf| self.leaf(leaf)).collect();
        let Term::Part { extreme: Some(extreme), .. } = term else {
            return values.first().copied().ok_or_else(|| format!("`{term}` has no value on these rows"));
        };
        match (values.as_slice(), extreme) {
            ([], _) => Err(format!("`{term}` has no value on these rows")),
            ([_], Extreme::Gap) => Err(format!("`{term}` has no value: only one slice has one")),
            (values, extreme) => Ok(squeeze(values.iter().copied(), *extreme)),
        }
    }

    /// The value of one term, or of two put together. Errors: as [`Measured::term`].
    pub fn formula(&self, formula: &Formula) -> Result<f64, String> {
        let first = self.term(&formula.first)?;
        let Some((operator, second)) = &formula.then else {
            return Ok(first);
        };
        let value = put_together(first, *operator, self.term(second)?);
        if value.is_finite() { Ok(value) } else { Err(format!("`{formula}` has no value: `{second}` is 0")) }
    }

    /// For the extreme of a division: its slices that have no value.
    pub fn left_out(&self, formula: &Formula) -> Vec<String> {
        let of_many = |term: &&Term| matches!(term, Term::Part { extreme: Some(_), .. });
        let leaves = formula.terms().filter(of_many).flat_map(|term| self.leaves(term));
        leaves.filter(|leaf| self.leaf(leaf).is_none()).map(|leaf| leaf.label()).collect()
    }
}

/// What is made of several values; NaN of none. Values that are not numbers are passed over.
pub fn squeeze(values: impl Iterator<Item = f64> + Clone, extreme: Extreme) -> f64 {
    let low = values.clone().fold(f64::NAN, f64::min);
    let high = values.fold(f64::NAN, f64::max);
    match extreme {
        Extreme::Min | Extreme::Each => low,
        Extreme::Max => high,
        Extreme::Gap => paper_sum(high, -low),
    }
}

/// Two values put together; a difference to 15 digits, as on paper.
pub fn put_together(first: f64, operator: Operator, second: f64) -> f64 {
    match operator {
        Operator::Minus => paper_sum(first, -second),
        Operator::Over => first / second,
    }
}
