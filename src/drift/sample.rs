//! Columns of a profile as weighted points and as counted categories.

use std::collections::BTreeMap;

use crate::record::profile::ColumnProfile;
use crate::spec::schema::ColumnType;

/// Finite numbers (or moments in microseconds) as ascending distinct points with counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The points, ascending and distinct.
    pub values: Vec<f64>,
    /// Values at each point; none is 0.
    pub counts: Vec<u64>,
    /// Whether the points are the distinct values themselves.
    pub exact: bool,
    /// Distinct values of the column; more than there are points unless `exact`.
    pub unique: u64,
    /// Whether pandas would hold them as integers: whole numbers, none missing. Its histograms have bins of 1 or wider.
    pub integer: bool,
    /// Smallest value, exact even where the points are not; 0 without values, as `high`.
    pub low: f64,
    /// Largest value, exact likewise.
    pub high: f64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Sum of squared distances from the mean over n.
    pub variance: f64,
}

impl Sample {
    /// From points in any order; non-finite ones and counts of 0 are left out.
    pub fn new(points: impl IntoIterator<Item = (f64, u64)>, exact: bool, integer: bool) -> Sample {
        let mut points: Vec<(f64, u64)> = points.into_iter().filter(|(v, n)| v.is_finite() && *n > 0).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut values, mut counts): (Vec<f64>, Vec<u64>) = (Vec::new(), Vec::new());
        for (value, count) in points {
            // Equality rather than bits: 0.0 and -0.0 are one value.
            match (values.last(), counts.last_mut()) {
                (Some(last), Some(held)) if *last == value => *held = held.saturating_add(count),
                _ => (values.push(value), counts.push(count)).0,
            }
        }
        let (mean, variance) = moments(&values, &counts);
        let (low, high) = (values.first().copied().unwrap_or(0.0), values.last().copied().unwrap_or(0.0));
        Sample { unique: values.len() as u64, values, counts, exact, integer, low, high, mean, variance }
    }

    /// The numbers of a column; `None` when its profile keeps no distribution of them.
    pub fn of(column: &ColumnProfile) -> Option<Sample> {
        let sketch = column.quantile_sketch.as_ref()?;
        let points = sketch.values.iter().copied().zip(sketch.counts.iter().copied());
        let integer = column.column_type == ColumnType::Integer && column.missing == 0;
        let mut sample = Sample::new(points, sketch.exact, integer);
        if sketch.exact {
            return Some(sample);
        }
        // The points of a cut sketch are means of neighbours: their spread is too small, the profile's own is exact.
        sample.unique = column.unique.max(sample.unique);
        if let Some((min, max)) = column.numbers.as_ref().and_then(|numbers| Some((numbers.min?, numbers.max?))) {
            // The outermost points lie inside of the outermost values, and bins begin and end at the latter.
            (sample.low, sample.high) = (min.min(sample.low), max.max(sample.high));
        }
        let total = sample.total();
        let own = column.numbers.as_ref().and_then(|numbers| Some((numbers.mean?, numbers.std?)));
        if let Some((mean, std)) = own.filter(|(mean, std)| mean.is_finite() && std.is_finite() && total > 1.0) {
            (sample.mean, sample.variance) = (mean, std * std * (total - 1.0) / total);
        }
        Some(sample)
    }

    /// Number of values.
    pub fn total(&self) -> f64 {
        self.counts.iter().map(|&count| count as f64).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Standard deviation with n in the divisor.
    pub fn std(&self) -> f64 {
        self.variance.max(0.0).sqrt()
    }

    /// The same numbers as categories, for tests of categories.
    pub fn categories(&self) -> Counts {
        let values = self.values.iter().map(|value| format!("{value}")).zip(self.counts.iter().copied());
        Counts { values: values.collect(), rest: 0, cut_below: None }
    }
}

fn moments(values: &[f64], counts: &[u64]) -> (f64, f64) {
    let weighted = || values.iter().zip(counts).map(|(&value, &count)| (value, count as f64));
    let total: f64 = counts.iter().map(|&count| count as f64).sum();
    if total == 0.0 {
        return (0.0, 0.0);
    }
    // Divided first, so that sums of huge values stay finite.
    let mean: f64 = weighted().map(|(value, count)| value * (count / total)).sum();
    let variance = weighted().map(|(value, count)| (value - mean) * (value - mean) * (count / total)).sum();
    (mean, variance)
}

/// Categories and how often each occurs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    /// Each value with its count, none 0.
    pub values: BTreeMap<String, u64>,
    /// Values whose category the profile does not list.
    pub rest: u64,
    /// When the list is cut: the count of the least frequent listed value, which no other exceeds.
    pub cut_below: Option<u64>,
}

impl Counts {
    /// The categories of a column; `None` when the profile does not list them.
    pub fn of(column: &ColumnProfile) -> Option<Counts> {
        let finite = column.present;
        if column.top.is_empty() && finite > 0 {
            return None;
        }
        let mut values = BTreeMap::new();
        for (value, count) in column.top.iter().filter(|(_, count)| *count > 0) {
            let held: &mut u64 = values.entry(value.clone()).or_default();
            *held = held.saturating_add(*count);
        }
        let listed = values.values().fold(0_u64, |sum, count| sum.saturating_add(*count));
        let rest = finite.saturating_sub(listed);
        let cut_below = (rest > 0).then(|| values.values().copied().min().unwrap_or(0));
        Some(Counts { values, rest, cut_below })
    }

    /// Number of values, listed or not.
    pub fn total(&self) -> f64 {
        self.values.values().map(|&count| count as f64).sum::<f64>() + self.rest as f64
    }

    /// Whether every category is listed.
    pub fn exact(&self) -> bool {
        self.cut_below.is_none()
    }
}

/// Two columns of categories side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Paired {
    /// The categories that both sides are known of, in order; `None` for all others together, last.
    pub labels: Vec<Option<String>>,
    /// Count of each in the reference.
    pub reference: Vec<f64>,
    /// Count of each in the current table.
    pub current: Vec<f64>,
    /// Whether no list was cut.
    pub exact: bool,
    /// Listed in the current table and certainly not in the reference, most frequent first.
    pub new_values: Vec<(String, u64)>,
    /// Listed in the reference and certainly not in the current table, most frequent first.
    pub vanished_values: Vec<(String, u64)>,
}

impl Paired {
    /// Lines up two lists. A value that one side's cut list leaves out counts there as often as the least listed value
    /// (no more is possible), as far as the unlisted values reach: differences are never overstated by the cut.
    pub fn new(reference: &Counts, current: &Counts) -> Paired {
        let names: std::collections::BTreeSet<&String> = reference.values.keys().chain(current.values.keys()).collect();
        let mut pairs = Paired {
            labels: Vec::new(),
            reference: Vec::new(),
            current: Vec::new(),
            exact: reference.exact() && current.exact(),
            new_values: Vec::new(),
            vanished_values: Vec::new(),
        };
        let mut rests = (reference.rest, current.rest);
        let totals = (reference.total().max(1.0), current.total().max(1.0));
        for name in names {
            let pair = match (reference.values.get(name), current.values.get(name)) {
                (Some(&before), Some(&after)) => (before as f64, after as f64),
                (Some(&before), None) => match allowance(before, totals.0, current, totals.1, &mut rests.1) {
                    Some(after) => (before as f64, after),
                    None => (0.0, 0.0),
                },
                (None, Some(&after)) => match allowance(after, totals.1, reference, totals.0, &mut rests.0) {
                    Some(before) => (before, after as f64),
                    None => (0.0, 0.0),
                },
                (None, None) => (0.0, 0.0),
            };
            if pair == (0.0, 0.0) {
                // As likely in the unlisted part of the other side: it joins the unlisted part here.
                rests.0 = rests.0.saturating_add(reference.values.get(name).copied().unwrap_or(0));
                rests.1 = rests.1.saturating_add(current.values.get(name).copied().unwrap_or(0));
                continue;
            }
            pairs.labels.push(Some(name.clone()));
            pairs.reference.push(pair.0);
            pairs.current.push(pair.1);
        }
        if rests.0 > 0 || rests.1 > 0 {
            pairs.labels.push(None);
            pairs.reference.push(rests.0 as f64);
            pairs.current.push(rests.1 as f64);
        }
        if reference.exact() {
            pairs.new_values = missing_from(&current.values, &reference.values);
        }
        if current.exact() {
            pairs.vanished_values = missing_from(&reference.values, &current.values);
        }
        pairs
    }

    /// Categories that occur in either table; the unlisted ones as one.
    pub fn unique(&self) -> usize {
        self.labels.len()
    }
}

/// How many values of a category listed on one side with `count` of `total` the `other` side is taken to have: 0 when its
/// list is whole; `None` when its unlisted part may well hold as large a share.
fn allowance(count: u64, total: f64, other: &Counts, other_total: f64, rest: &mut u64) -> Option<f64> {
    let Some(most) = other.cut_below else {
        return Some(0.0);
    };
    let most = most.min(*rest);
    if count as f64 / total <= most as f64 / other_total {
        return None;
    }
    *rest -= most;
    Some(most as f64)
}

fn missing_from(values: &BTreeMap<String, u64>, others: &BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let lone = values.iter().filter(|(value, _)| !others.contains_key(*value));
    let mut found: Vec<(String, u64)> = lone.map(|(value, count)| (value.clone(), *count)).collect();
    found.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    found
}
