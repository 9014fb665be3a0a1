//! Gate expressions: `TERM OP BOUND`, as in `accuracy >= 0.9` or `slice(sex).recall.min >= champion.recall - 1%`.

mod parse;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use crate::base::fail::Failure;

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
    /// All of them, longer signs before shorter ones that they start with.
    pub const ALL: [Comparison; 5] =
        [Comparison::AtLeast, Comparison::AtMost, Comparison::Equal, Comparison::Above, Comparison::Below];

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

    /// The comparison that holds for `-value` and `-bound` when this one holds for both.
    pub fn mirrored(self) -> Comparison {
        match self {
            Comparison::AtLeast => Comparison::AtMost,
            Comparison::Above => Comparison::Below,
            Comparison::AtMost => Comparison::AtLeast,
            Comparison::Below => Comparison::Above,
            Comparison::Equal => Comparison::Equal,
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

/// What is made of the values of all slices of a division.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extreme {
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The largest minus the smallest.
    Gap,
    /// Nothing: each has to hold by itself.
    Each,
}

impl Extreme {
    /// All of them.
    pub const ALL: [Extreme; 4] = [Extreme::Min, Extreme::Max, Extreme::Gap, Extreme::Each];

    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            Extreme::Min => "min",
            Extreme::Max => "max",
            Extreme::Gap => "gap",
            Extreme::Each => "each",
        }
    }
}

/// Which rows, people or disturbances a term is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// `slice(…)`: a part of the rows.
    Slice,
    /// `facet(…)`: the fairness to a group.
    Facet,
    /// `robustness(…)`: what disturbances do.
    Robustness,
}

impl Scope {
    /// All of them.
    pub const ALL: [Scope; 3] = [Scope::Slice, Scope::Facet, Scope::Robustness];

    /// As written before the bracket.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Slice => "slice",
            Scope::Facet => "facet",
            Scope::Robustness => "robustness",
        }
    }
}

/// One number that a gate asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    /// A metric of all rows with its parameter if it has one (`recall_at_precision(0.9)`), or a cost.
    Whole(String),
    /// A metric of a part of the rows, or a measure of the fairness to a group.
    Part {
        /// What the brackets are of.
        scope: Scope,
        /// What stands in them: `sex=F`, `sex`, `bins(age, 5)`; which of these, the columns tell.
        inner: String,
        /// Name of the metric or measure.
        metric: String,
        /// What is made of the values of all parts.
        extreme: Option<Extreme>,
    },
}

/// How two terms are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// The first minus the second.
    Minus,
    /// The first divided by the second.
    Over,
}

/// One term, or two put together.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    /// The first.
    pub first: Term,
    /// What is done to it.
    pub then: Option<(Operator, Term)>,
}

/// What is added to a champion's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Offset {
    /// A number; 0 for the value itself.
    Absolute(f64),
    /// A share of the value: `- 1%` is -0.01.
    Relative(f64),
}

/// What a value is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// A number.
    Value(f64),
    /// What the champion reaches, plus `offset`.
    Champion {
        /// The same kind of number, of the champion.
        term: Term,
        /// Added to it.
        offset: Offset,
    },
}

/// One gate, as written and as understood.
#[derive(Clone, Debug, PartialEq)]
pub struct GateSpec {
    /// As the person wrote it.
    pub text: String,
    /// What has to hold.
    pub left: Formula,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what.
    pub bound: Bound,
}

impl Formula {
    /// A single term.
    pub fn of(term: Term) -> Formula {
        Formula { first: term, then: None }
    }

    /// Its one or two terms.
    pub fn terms(&self) -> impl Iterator<Item = &Term> {
        std::iter::once(&self.first).chain(self.then.as_ref().map(|(_, term)| term))
    }
}

impl GateSpec {
    /// The metric or cost of all rows that is compared; none where slices, groups or two terms are.
    pub fn metric(&self) -> Option<&str> {
        match &self.left {
            Formula { first: Term::Whole(name), then: None } => Some(name),
            _ => None,
        }
    }

    /// What it asks of the champion, where it asks something.
    pub fn of_champion(&self) -> Option<&Term> {
        match &self.bound {
            Bound::Value(_) => None,
            Bound::Champion { term, .. } => Some(term),
        }
    }

    /// All its terms, of the model and of the champion.
    pub fn terms(&self) -> impl Iterator<Item = &Term> {
        self.left.terms().chain(self.of_champion())
    }

    /// Whether each slice has to hold by itself.
    pub fn is_each(&self) -> bool {
        matches!(self.left.first, Term::Part { extreme: Some(Extreme::Each), .. })
    }
}

impl FromStr for GateSpec {
    type Err = Failure;

    /// Errors (usage): what cannot be read, with its place in the text.
    fn from_str(text: &str) -> Result<GateSpec, Failure> {
        parse::parse(text)
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Term::Whole(name) => f.write_str(name),
            Term::Part { scope, inner, metric, extreme } => {
                write!(f, "{}({inner}).{metric}", scope.name())?;
                extreme.map_or(Ok(()), |extreme| write!(f, ".{}", extreme.name()))
            }
        }
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.then {
            None => self.first.fmt(f),
            Some((Operator::Minus, term)) => write!(f, "{} - {term}", self.first),
            Some((Operator::Over, term)) => write!(f, "{} / {term}", self.first),
        }
    }
}

impl fmt::Display for GateSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
