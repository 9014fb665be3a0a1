//! One row of the table of metrics, and a metric as somebody asked for it, with its parameter and class.

use anyhow::Result;

use crate::base::fail;
use crate::base::suggest;
use crate::metrics::anomaly::Anomalies;
use crate::metrics::classes::Classes;
use crate::metrics::clustering::Grouped;
use crate::metrics::numbers::Numbers;
use crate::metrics::positive::Positive;
use crate::metrics::prepared::{Known, Prepared};
use crate::metrics::sums;
use crate::spec::model::Task;

/// One row of the table of metrics.
#[derive(Debug)]
pub struct Metric {
    /// scikit-learn's name where it has one, without `_score` and `_loss` where people leave them out.
    pub name: &'static str,
    /// Tasks that it has a meaning for.
    pub tasks: &'static [Task],
    /// Which values of it are good.
    pub aim: Aim,
    /// What it measures, in a sentence.
    pub about: &'static str,
    /// When it is measured.
    pub when: When,
    /// The number that it takes in brackets.
    pub parameter: Option<&'static Parameter>,
    pub(super) measure: Measure,
}

/// Which values of a metric are good.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aim {
    /// Large ones.
    Higher,
    /// Small ones.
    Lower,
    /// Those near to a number.
    Near(f64),
    /// It describes the rows or the answers, and judges nothing.
    Neither,
}

impl Aim {
    /// Whether larger values are better ones; `None` where neither end is good.
    pub fn higher_is_better(self) -> Option<bool> {
        match self {
            Aim::Higher => Some(true),
            Aim::Lower => Some(false),
            Aim::Near(_) | Aim::Neither => None,
        }
    }

    /// As tables write it.
    pub fn text(self) -> String {
        match self {
            Aim::Higher => "higher".to_owned(),
            Aim::Lower => "lower".to_owned(),
            Aim::Near(value) => format!("near {value}"),
            Aim::Neither => String::new(),
        }
    }
}

/// When a metric is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Unless others are asked for.
    Always,
    /// Where a cost matrix is known.
    Costs,
    /// Where intervals go with the predictions.
    Bounds,
    /// When asked for.
    Asked,
}

/// A number that a metric takes in brackets.
#[derive(Debug)]
pub struct Parameter {
    /// What help texts call it.
    pub name: &'static str,
    /// Which numbers it may be, as in "RECALL is …".
    pub range: &'static str,
    /// The one that examples and `all` use.
    pub example: f64,
    pub(super) accepts: fn(f64) -> bool,
}

/// How a metric is computed; `None` where it has no meaning on the rows given.
#[derive(Clone, Copy, Debug)]
pub(super) enum Measure {
    /// The rows themselves, whatever the task.
    Rows(fn(&Known) -> f64),
    /// All classes together.
    Classes(fn(&Classes) -> Option<f64>),
    /// All classes together, with a parameter.
    ClassesAt(fn(&Classes, f64) -> Option<f64>),
    /// The positive class of two, or any one class against the rest.
    Positive(fn(&Positive) -> Option<f64>),
    /// The same with a parameter.
    PositiveAt(fn(&Positive, f64) -> Option<f64>),
    /// The positive class of two; of more the mean over the classes that have a value.
    Each(fn(&Positive) -> Option<f64>),
    Numbers(fn(&Numbers) -> Option<f64>),
    NumbersAt(fn(&Numbers, f64) -> Option<f64>),
    Clusters(fn(&Grouped) -> Option<f64>),
    Anomalies(fn(&Anomalies) -> Option<f64>),
}

impl Measure {
    /// Whether one class can be asked for.
    pub(super) fn is_of_a_class(self) -> bool {
        matches!(self, Measure::Positive(_) | Measure::PositiveAt(_) | Measure::Each(_))
    }
}

impl Metric {
    /// With its parameter as help texts write it: `fbeta(BETA)`.
    pub fn form(&self) -> String {
        match self.parameter {
            None => self.name.to_owned(),
            Some(parameter) => format!("{}({})", self.name, parameter.name),
        }
    }

    /// With the number that examples use: `fbeta(2)`.
    pub fn example(&self) -> String {
        match self.parameter {
            None => self.name.to_owned(),
            Some(parameter) => format!("{}({})", self.name, parameter.example),
        }
    }
}

/// A metric as somebody asked for it.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// As it was asked for: `f1`, `precision_at_recall(0.9)`, `f1(class=Adelie)`.
    pub name: String,
    /// Whether a larger value is a better one.
    pub higher_is_better: bool,
    /// Its row of the table.
    pub metric: &'static Metric,
    /// The number in brackets, within its range.
    pub parameter: Option<f64>,
    /// The class asked for, against all others.
    pub class: Option<String>,
}

impl Chosen {
    /// `metric` with its `parameter`, where it takes one, and for one class, where asked.
    pub(super) fn new(
        name: &str,
        metric: &'static Metric,
        parameter: Option<f64>,
        class: Option<&str>,
    ) -> Result<Chosen> {
        let form = metric.form();
        match (metric.parameter, parameter) {
            (None, Some(_)) => {
                let what = format!("`{name}`: `{}` takes no number", metric.name);
                return Err(fail::usage(what).hint(format!("write `{form}`")).into());
            }
            (Some(wanted), None) => {
                let what = format!("`{name}` needs a number: `{form}`");
                let hint = format!("write `{}`; {} is {}", metric.example(), wanted.name, wanted.range);
                return Err(fail::usage(what).hint(hint).into());
            }
            (Some(wanted), Some(given)) if !(wanted.accepts)(given) => {
                let what = format!("`{name}`: {} is {}, not {given}", wanted.name, wanted.range);
                return Err(fail::usage(what).hint(format!("write `{}`", metric.example())).into());
            }
            _ => {}
        }
        if class.is_some() && !metric.measure.is_of_a_class() {
            let what = format!("`{name}`: `{}` is of all rows together, not of one class", metric.name);
            return Err(fail::usage(what).hint(format!("write `{form}`")).into());
        }
        Ok(Chosen {
            name: name.to_owned(),
            higher_is_better: metric.aim == Aim::Higher,
            metric,
            parameter,
            class: class.map(str::to_owned),
        })
    }

    /// Whether its value depends on the order of the rows by probability: what has no parameter of one class counts rows only.
    pub(super) fn is_of_order(&self) -> bool {
        matches!(self.metric.measure, Measure::Each(_) | Measure::PositiveAt(_))
    }

    /// Checks what only the rows can tell: that the class asked for has a name, that costs and intervals are there.
    pub(super) fn check(&self, known: &Known) -> Result<()> {
        if let (Some(class), Prepared::Classes(classes)) = (&self.class, &known.prepared)
            && !classes.names().contains(class)
        {
            let names = classes.names().iter().map(String::as_str);
            let failure = suggest::unknown("class", class, names);
            return Err(anyhow::Error::from(failure).context(format!("metric `{}`", self.name)));
        }
        match self.metric.when {
            When::Costs if !known.has_costs() => Err(fail::usage(format!("`{}` needs a cost matrix", self.name))
                .hint("give one row for each true class: --cost-matrix '0,1;5,0'")
                .into()),
            When::Bounds if !known.has_bounds() => {
                Err(fail::usage(format!("`{}` needs an interval for each prediction", self.name))
                    .hint("intervals come with a file of predictions that holds both ends of each")
                    .into())
            }
            _ => Ok(()),
        }
    }

    /// Its value on the rows, finite; `None` where it has none. What [`Chosen::check`] refuses has none either.
    pub(super) fn value(&self, known: &Known) -> Option<f64> {
        let parameter = self.parameter.unwrap_or(f64::NAN);
        let value = match (self.metric.measure, &known.prepared) {
            (Measure::Rows(measure), _) => Some(measure(known)),
            (Measure::Classes(measure), Prepared::Classes(classes)) => measure(classes),
            (Measure::ClassesAt(measure), Prepared::Classes(classes)) => measure(classes, parameter),
            (Measure::Positive(measure), Prepared::Classes(classes)) => measure(&self.positive(classes)?),
            (Measure::PositiveAt(measure), Prepared::Classes(classes)) => measure(&self.positive(classes)?, parameter),
            (Measure::Each(measure), Prepared::Classes(classes)) => match self.positive(classes) {
                Some(positive) => measure(&positive),
                None if self.class.is_some() => None,
                None => {
                    let each = (0..classes.counts().classes()).map(|class| measure(&classes.positive(class)));
                    let values: Vec<f64> = each.flatten().collect();
                    sums::mean(values.iter().copied(), values.len())
                }
            },
            (Measure::Numbers(measure), Prepared::Numbers(numbers)) => measure(numbers),
            (Measure::NumbersAt(measure), Prepared::Numbers(numbers)) => measure(numbers, parameter),
            (Measure::Clusters(measure), Prepared::Clusters(clusters)) => measure(clusters),
            (Measure::Anomalies(measure), Prepared::Anomalies(anomalies)) => measure(anomalies),
            _ => None,
        };
        value.filter(|value| value.is_finite())
    }

    /// The class asked for; the second of two when none was.
    fn positive<'a>(&self, classes: &'a Classes<'a>) -> Option<Positive<'a>> {
        let names = classes.names();
        let class = match &self.class {
            Some(class) => names.iter().position(|name| name == class)?,
            None if names.len() == 2 => 1,
            None => return None,
        };
        Some(classes.positive(class))
    }
}
