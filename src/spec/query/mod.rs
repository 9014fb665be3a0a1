//! What runs are asked for: `metrics.f1 > 0.9 and (params.trees >= 100 or tags.team = 'fraud')`, as a tree that is checked.
//!
//! The language is that of MLflow's `search_runs` (entities `metrics`, `params`, `tags`, `attributes`; quotes; `LIKE`, `ILIKE`,
//! `IN`; keys in backticks or double quotes), with `or`, `not`, brackets, `between` and null tests beside it. As in SQL, a test
//! of something that a run does not have does not hold, nor does its opposite; only `is null` holds then.

mod lexer;
mod parser;
mod value;

#[cfg(test)]
mod tests;

pub use parser::{parse, parse_fields, parse_sort};
pub use value::parse_moment;

use std::fmt;

use crate::base::clock::Timestamp;

/// What a run can be asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// Last value of a metric.
    Metric(String),
    /// A parameter.
    Param(String),
    /// A tag.
    Tag(String),
    /// What every run has.
    Attribute(Attribute),
}

/// What every run has, or may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attribute {
    /// Its id.
    Run,
    /// Kind of work.
    Kind,
    /// Stage of the project file.
    Stage,
    /// Running, finished, failed or killed.
    State,
    /// When it started.
    Started,
    /// When it ended.
    Ended,
    /// From start to end.
    Seconds,
    /// Processor time.
    CpuSeconds,
    /// Largest resident memory in bytes.
    Memory,
    /// Words of the command line.
    Command,
    /// Login name.
    User,
    /// Machine.
    Host,
    /// Commit of the code.
    Commit,
    /// Whether the code differed from its commit.
    Dirty,
    /// Seed.
    Seed,
    /// Exit code.
    ExitCode,
    /// Why it failed.
    Error,
    /// Models that it read or made.
    Model,
    /// Datasets that it read or made.
    Dataset,
}

/// What an attribute is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Texts.
    Text,
    /// Numbers.
    Number,
    /// Moments.
    Time,
    /// Yes or no.
    Flag,
    /// Names of things, of which a run may have several.
    Link,
}

/// Every attribute, its name, and the names that MLflow has for it.
const ATTRIBUTES: [(Attribute, &str, &[&str]); 19] = [
    (Attribute::Run, "run", &["run_id", "id"]),
    (Attribute::Kind, "kind", &[]),
    (Attribute::Stage, "stage", &[]),
    (Attribute::State, "state", &["status"]),
    (Attribute::Started, "started", &["start_time", "created", "start time"]),
    (Attribute::Ended, "ended", &["end_time", "end time"]),
    (Attribute::Seconds, "seconds", &["duration", "wall_seconds"]),
    (Attribute::CpuSeconds, "cpu_seconds", &[]),
    (Attribute::Memory, "memory", &["peak_memory_bytes"]),
    (Attribute::Command, "command", &[]),
    (Attribute::User, "user", &["user_id"]),
    (Attribute::Host, "host", &[]),
    (Attribute::Commit, "commit", &["source_version", "git_commit"]),
    (Attribute::Dirty, "dirty", &[]),
    (Attribute::Seed, "seed", &[]),
    (Attribute::ExitCode, "exit_code", &[]),
    (Attribute::Error, "error", &[]),
    (Attribute::Model, "model", &[]),
    (Attribute::Dataset, "dataset", &["data"]),
];

impl Attribute {
    /// As written.
    pub fn name(self) -> &'static str {
        ATTRIBUTES.iter().find(|(attribute, ..)| *attribute == self).map_or("", |(_, name, _)| name)
    }

    /// Names of all attributes.
    pub fn names() -> impl Iterator<Item = &'static str> + Clone {
        ATTRIBUTES.iter().map(|(_, name, _)| *name)
    }

    /// The attribute of this name, or of a name that MLflow has for it.
    pub fn named(text: &str) -> Option<Attribute> {
        let lower = text.to_lowercase();
        let found = ATTRIBUTES.iter().find(|(_, name, others)| *name == lower || others.contains(&lower.as_str()));
        found.map(|(attribute, ..)| *attribute)
    }

    /// What it is compared with.
    pub fn sort(self) -> Sort {
        match self {
            Attribute::Started | Attribute::Ended => Sort::Time,
            Attribute::Seconds | Attribute::CpuSeconds | Attribute::Memory | Attribute::Seed | Attribute::ExitCode => {
                Sort::Number
            }
            Attribute::Dirty => Sort::Flag,
            Attribute::Model | Attribute::Dataset => Sort::Link,
            _ => Sort::Text,
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Field::Metric(name) => write!(f, "metrics.{name}"),
            Field::Param(name) => write!(f, "params.{name}"),
            Field::Tag(name) => write!(f, "tags.{name}"),
            Field::Attribute(attribute) => f.write_str(attribute.name()),
        }
    }
}

/// A value that is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// A whole number.
    Integer(i64),
    /// Any other number; finite.
    Real(f64),
    /// A text.
    Text(String),
    /// A moment.
    Time(Timestamp),
    /// Yes or no.
    Flag(bool),
}

/// How a field is compared with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Comparison {
    /// As SQL writes it.
    pub fn symbol(self) -> &'static str {
        match self {
            Comparison::Equal => "=",
            Comparison::NotEqual => "<>",
            Comparison::Less => "<",
            Comparison::AtMost => "<=",
            Comparison::Greater => ">",
            Comparison::AtLeast => ">=",
        }
    }

    fn opposite(self) -> Comparison {
        match self {
            Comparison::Equal => Comparison::NotEqual,
            Comparison::NotEqual => Comparison::Equal,
            Comparison::Less => Comparison::AtLeast,
            Comparison::AtMost => Comparison::Greater,
            Comparison::Greater => Comparison::AtMost,
            Comparison::AtLeast => Comparison::Less,
        }
    }
}

/// What must hold of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Holds {
    /// It compares so with a value.
    Compared(Comparison, Literal),
    /// It is one of these values, or, turned round, none of them.
    Among {
        /// The values.
        values: Vec<Literal>,
        /// Turned round.
        not: bool,
    },
    /// It matches a pattern with `%` for any letters and `_` for one.
    Like {
        /// The pattern.
        pattern: String,
        /// Whether capital and small letters are the same.
        any_case: bool,
        /// Turned round.
        not: bool,
    },
    /// The run has it.
    Present,
    /// The run does not have it.
    Missing,
}

/// What must hold of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// All of these.
    All(Vec<Condition>),
    /// One of these.
    Any(Vec<Condition>),
    /// One test of one field.
    Test(Field, Holds),
}

impl Condition {
    /// What holds where this does not, and where its fields are there.
    pub fn opposite(self) -> Condition {
        let each = |parts: Vec<Condition>| parts.into_iter().map(Condition::opposite).collect();
        match self {
            Condition::All(parts) => Condition::Any(each(parts)),
            Condition::Any(parts) => Condition::All(each(parts)),
            Condition::Test(field, holds) => Condition::Test(field, holds.opposite()),
        }
    }

    /// Fields that are tested, in the order written, each once.
    pub fn fields(&self) -> Vec<&Field> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found
    }

    fn collect<'c>(&'c self, found: &mut Vec<&'c Field>) {
        match self {
            Condition::All(parts) | Condition::Any(parts) => parts.iter().for_each(|part| part.collect(found)),
            Condition::Test(field, _) if !found.contains(&field) => found.push(field),
            Condition::Test(..) => {}
        }
    }
}

impl Holds {
    fn opposite(self) -> Holds {
        match self {
            Holds::Compared(comparison, literal) => Holds::Compared(comparison.opposite(), literal),
            Holds::Among { values, not } => Holds::Among { values, not: !not },
            Holds::Like { pattern, any_case, not } => Holds::Like { pattern, any_case, not: !not },
            Holds::Present => Holds::Missing,
            Holds::Missing => Holds::Present,
        }
    }
}

/// One key of an order; ties go on to the next key, then to the newest start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// What runs are ordered by; those without it come last.
    pub field: Field,
    /// Largest first; `None` where nothing was said: metrics, numbers and times of runs largest first, all else from A.
    pub descending: Option<bool>,
}
