//! Gates that hold only when the whole interval does.

use crate::metrics::bootstrap::percentile;
use crate::metrics::gate::Against;
use crate::metrics::gate::lookup::{Leaf, Measured, put_together, squeeze};
use crate::metrics::gate::words::{show, wanted};
use crate::record::evaluation::Interval;
use crate::spec::gate::{Comparison, Extreme, Formula, GateSpec, Offset, Term};

/// What is known of how far a number would move on other rows.
#[derive(Clone, Debug)]
pub enum Drawn {
    /// Its value on each resample, NaN where it has none; of all numbers on the same resamples.
    Values(Vec<f64>),
    /// It is no matter of rows, as a cost is none: it stays as it is. Why, in a few words.
    Fixed(&'static str),
    /// There are no resamples of it. Why, in a sentence.
    Nothing(String),
}

/// Resampled values of all numbers that gates are about.
pub struct Sure<'a> {
    /// Share of intervals that hold the true value.
    pub level: f64,
    /// How a leaf moves; of the champion when the first is true.
    pub drawn: &'a dyn Fn(bool, &Leaf) -> Drawn,
}

/// The interval of what a gate compares, and whether it holds.
#[derive(Debug)]
pub struct Judged {
    level: f64,
    /// The interval, or why there is none.
    found: Found,
    clears: bool,
    /// What the interval is of, and what it has to be.
    of: String,
}

#[derive(Debug)]
enum Found {
    Interval(Interval),
    Fixed(&'static str),
    Nothing(String),
}

impl Judged {
    /// The interval, when there is one.
    pub fn interval(&self) -> Option<Interval> {
        match self.found {
            Found::Interval(interval) => Some(interval),
            _ => None,
        }
    }

    /// Whether the gate passes when its value `holds` or not, and what is added to the reason.
    pub fn said(&self, holds: bool) -> (bool, String) {
        let level = show(self.level * 100.0);
        match &self.found {
            Found::Fixed(why) => (holds, format!(" ({why}: the value itself is judged)")),
            Found::Nothing(why) => (false, format!(", but no interval can be made: {why}")),
            Found::Interval(Interval { low, high }) => {
                let (low, high) = (show(*low), show(*high));
                let interval = format!("{level} % interval [{low}, {high}]{}", self.of);
                match (holds, self.clears) {
                    (true, true) => (true, format!(", with its whole {interval}")),
                    (true, false) => (false, format!(", but its {interval} is not wholly so")),
                    (false, _) => (false, format!(" ({interval})")),
                }
            }
        }
    }
}

/// Whether every value of the interval compares so with the bound.
fn clears(interval: Interval, comparison: Comparison, bound: f64) -> bool {
    comparison.holds(interval.low, bound) && comparison.holds(interval.high, bound)
}

/// A number on each resample, or one that stays.
enum Moving {
    Values(Vec<f64>),
    Fixed(f64, &'static str),
}

impl Moving {
    fn with(self, other: Moving, join: impl Fn(f64, f64) -> f64) -> Moving {
        match (self, other) {
            (Moving::Values(a), Moving::Values(b)) => {
                Moving::Values(a.iter().zip(&b).map(|(a, b)| join(*a, *b)).collect())
            }
            (Moving::Values(a), Moving::Fixed(b, _)) => Moving::Values(a.iter().map(|a| join(*a, b)).collect()),
            (Moving::Fixed(a, _), Moving::Values(b)) => Moving::Values(b.iter().map(|b| join(a, *b)).collect()),
            (Moving::Fixed(a, why), Moving::Fixed(b, _)) => Moving::Fixed(join(a, b), why),
        }
    }
}

impl Sure<'_> {
    /// The interval of what `gate` compares, for a whole gate.
    pub(super) fn judged(
        &self,
        gate: &GateSpec,
        against: &Against,
        ours: &Measured,
        champion: Option<&Measured>,
    ) -> Judged {
        let theirs = || champion.zip(gate.of_champion()).map(|(champion, term)| self.term(true, term, champion));
        self.judged_from(gate, against, self.formula(&gate.left, ours), theirs())
    }

    /// The same for one slice of a gate about each of them.
    pub(super) fn judged_leaf(
        &self,
        gate: &GateSpec,
        against: &Against,
        (leaf, ours): (&Leaf, &Measured),
        theirs: Option<(&Leaf, &Measured)>,
    ) -> Judged {
        let theirs = theirs.map(|(leaf, champion)| self.leaf(true, leaf, champion));
        self.judged_from(gate, against, self.leaf(false, leaf, ours), theirs)
    }

    fn judged_from(
        &self,
        gate: &GateSpec,
        against: &Against,
        ours: Result<Moving, String>,
        theirs: Option<Result<Moving, String>>,
    ) -> Judged {
        let difference = match (ours, theirs.transpose(), against) {
            (Err(why), ..) | (_, Err(why), _) => Err(why),
            (Ok(ours), Ok(None), Against::Number(bound)) => Ok((ours, *bound, String::new())),
            (Ok(ours), Ok(Some(theirs)), Against::Champion(_, Offset::Absolute(offset))) => {
                let of = format!(" of the difference, to be {} {}", wanted(gate.comparison), show(*offset));
                Ok((ours.with(theirs, |a, b| a - b), *offset, of))
            }
            (Ok(ours), Ok(Some(theirs)), Against::Champion(_, Offset::Relative(share))) => {
                let of = format!(" of the relative change, to be {} {}", wanted(gate.comparison), show(*share));
                Ok((ours.with(theirs, |a, b| (a - b) / b), *share, of))
            }
            _ => Err("the champion was not resampled".to_owned()),
        };
        let judged = |found, clears, of| Judged { level: self.level, found, clears, of };
        match difference {
            Err(why) => judged(Found::Nothing(why), false, String::new()),
            Ok((Moving::Fixed(_, why), _, of)) => judged(Found::Fixed(why), true, of),
            Ok((Moving::Values(values), bound, of)) => match percentile(&values, self.level) {
                Some(interval) => judged(Found::Interval(interval), clears(interval, gate.comparison, bound), of),
                None => judged(Found::Nothing(few_values(&values)), false, of),
            },
        }
    }

    fn formula(&self, formula: &Formula, ours: &Measured) -> Result<Moving, String> {
        let first = self.term(false, &formula.first, ours)?;
        let Some((operator, second)) = &formula.then else {
            return Ok(first);
        };
        let second = self.term(false, second, ours)?;
        Ok(first.with(second, |a, b| put_together(a, *operator, b)))
    }

    fn term(&self, of_champion: bool, term: &Term, measured: &Measured) -> Result<Moving, String> {
        let leaves = measured.leaves(term).into_iter().filter(|leaf| measured.leaf(leaf).is_some());
        let mut all = leaves.map(|leaf| self.leaf(of_champion, &leaf, measured)).collect::<Result<Vec<_>, _>>()?;
        let extreme = match term {
            Term::Part { extreme: Some(extreme), .. } => *extreme,
            _ => Extreme::Min,
        };
        if all.len() == 1 {
            return all.pop().ok_or_else(|| format!("`{term}` has no value"));
        }
        let columns: Vec<&Vec<f64>> = all
            .iter()
            .filter_map(|moving| match moving {
                Moving::Values(values) => Some(values),
                Moving::Fixed(..) => None,
            })
            .collect();
        let (Some(first), true) = (columns.first(), columns.len() == all.len()) else {
            let values = all.iter().filter_map(|moving| match moving {
                Moving::Fixed(value, why) => Some((*value, *why)),
                Moving::Values(_) => None,
            });
            let why = values.clone().next().map_or("", |(_, why)| why);
            return Ok(Moving::Fixed(squeeze(values.map(|(value, _)| value), extreme), why));
        };
        let of_draw = |draw: usize| squeeze(columns.iter().map(|values| values[draw]), extreme);
        Ok(Moving::Values((0..first.len()).map(of_draw).collect()))
    }

    fn leaf(&self, of_champion: bool, leaf: &Leaf, measured: &Measured) -> Result<Moving, String> {
        match (self.drawn)(of_champion, leaf) {
            Drawn::Values(values) => Ok(Moving::Values(values)),
            Drawn::Nothing(why) => Err(why),
            Drawn::Fixed(why) => {
                let value = measured.leaf(leaf).ok_or_else(|| format!("`{}` has no value", leaf.label()))?;
                Ok(Moving::Fixed(value, why))
            }
        }
    }
}

fn few_values(values: &[f64]) -> String {
    let known = values.iter().filter(|value| value.is_finite()).count();
    format!("only {known} of {} resamples have a value", values.len())
}
