//! What is decided around a fit: how classes count, how probabilities are calibrated, from where on a row is positive.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::base::fail::{self, Failure};
use crate::base::suggest;

/// How much the rows of each class count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, try_from = "WrittenWeight")]
pub enum ClassWeight {
    /// A rule by its name.
    Rule(ClassWeightRule),
    /// A factor for each class named; 1 for the others.
    Factors(BTreeMap<String, f64>),
}

/// Rules that give every class a factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeightRule {
    /// W / (k·w): all classes together weigh as before, each the same. W is the weight of all training rows, w that of the
    /// rows of the class, k the number of classes that have rows; equals scikit-learn's `class_weight="balanced"`.
    Balanced,
}

/// How probabilities are mended on the validation rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationMethod {
    /// Not at all.
    #[default]
    None,
    /// A logistic curve (Platt 1999).
    Platt,
    /// A rising step-wise curve (Zadrozny and Elkan 2002).
    Isotonic,
}

/// From which probability on a row counts as positive.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, try_from = "WrittenThreshold")]
pub enum ThresholdSpec {
    /// Above this probability, in `(0, 1)`.
    Value(f64),
    /// Where the validation rows say so.
    Rule(ThresholdRule),
}

/// What a threshold is chosen by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdRule {
    /// The largest F1 of the positive class.
    F1,
    /// The largest mean recall of both classes.
    BalancedAccuracy,
    /// The largest true positive rate less false positive rate (Youden 1950); the same threshold as `balanced_accuracy`.
    Youden,
    /// The lowest total of `threshold_costs`.
    Cost,
}

/// What mistakes cost, in any unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ThresholdCosts {
    /// A negative row called positive.
    pub false_positive: f64,
    /// A positive row called negative.
    pub false_negative: f64,
}

impl Default for ThresholdCosts {
    fn default() -> ThresholdCosts {
        ThresholdCosts { false_positive: 1.0, false_negative: 1.0 }
    }
}

impl CalibrationMethod {
    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            CalibrationMethod::None => "none",
            CalibrationMethod::Platt => "platt",
            CalibrationMethod::Isotonic => "isotonic",
        }
    }
}

impl ThresholdRule {
    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            ThresholdRule::F1 => "f1",
            ThresholdRule::BalancedAccuracy => "balanced_accuracy",
            ThresholdRule::Youden => "youden",
            ThresholdRule::Cost => "cost",
        }
    }
}

impl ClassWeight {
    /// Checks that factors are finite, not negative, and not all 0.
    pub fn check(&self) -> Result<(), Failure> {
        let ClassWeight::Factors(factors) = self else {
            return Ok(());
        };
        let hint = "write it like { yes = 2.0, no = 1.0 }, or \"balanced\"";
        if let Some((name, factor)) = factors.iter().find(|(_, factor)| !factor.is_finite() || **factor < 0.0) {
            return Err(fail::usage(format!("class_weight of `{name}` is {factor}, not a weight")).hint(hint));
        }
        match factors.is_empty() {
            true => Err(fail::usage("class_weight names no class").hint(hint)),
            false => Ok(()),
        }
    }
}

impl ThresholdSpec {
    /// Checks that a number lies between 0 and 1.
    pub fn check(&self) -> Result<(), Failure> {
        match self {
            ThresholdSpec::Value(value) if !(*value > 0.0 && *value < 1.0) => {
                Err(fail::usage(format!("the threshold is {value}"))
                    .hint("it is a probability above 0 and below 1, as 0.3"))
            }
            _ => Ok(()),
        }
    }
}

impl ThresholdCosts {
    /// Checks that costs are finite, not negative, and not both 0.
    pub fn check(&self) -> Result<(), Failure> {
        let fine = |cost: f64| cost.is_finite() && cost >= 0.0;
        let (a, b) = (self.false_positive, self.false_negative);
        if fine(a) && fine(b) && a + b > 0.0 {
            return Ok(());
        }
        Err(fail::usage(format!("threshold costs of {a} for a false positive and {b} for a false negative"))
            .hint("write them like { false_positive = 1, false_negative = 5 }: finite, not negative, not both 0"))
    }
}

/// What a project file may hold, so that a slip is answered in words and not by a list of types.
#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenWeight {
    Text(String),
    Factors(BTreeMap<String, f64>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenThreshold {
    Number(f64),
    Text(String),
}

impl TryFrom<WrittenWeight> for ClassWeight {
    type Error = String;

    fn try_from(written: WrittenWeight) -> Result<ClassWeight, String> {
        match written {
            WrittenWeight::Text(text) => text.parse().map_err(Failure::in_words),
            WrittenWeight::Factors(factors) => {
                let weight = ClassWeight::Factors(factors);
                weight.check().map(|()| weight).map_err(Failure::in_words)
            }
        }
    }
}

impl TryFrom<WrittenThreshold> for ThresholdSpec {
    type Error = String;

    fn try_from(written: WrittenThreshold) -> Result<ThresholdSpec, String> {
        match written {
            WrittenThreshold::Text(text) => text.parse().map_err(Failure::in_words),
            WrittenThreshold::Number(value) => {
                let spec = ThresholdSpec::Value(value);
                spec.check().map(|()| spec).map_err(Failure::in_words)
            }
        }
    }
}

impl FromStr for ClassWeight {
    type Err = Failure;

    /// Reads `balanced` or `yes=2,no=1`.
    fn from_str(text: &str) -> Result<ClassWeight, Failure> {
        if text == "balanced" {
            return Ok(ClassWeight::Rule(ClassWeightRule::Balanced));
        }
        let bad =
            || fail::usage(format!("`{text}` is not a class weight")).hint("write it like balanced, or yes=2,no=1");
        let mut factors = BTreeMap::new();
        for part in text.split(',') {
            let (name, factor) = part.rsplit_once('=').ok_or_else(bad)?;
            factors.insert(name.trim().to_owned(), factor.trim().parse().map_err(|_| bad())?);
        }
        let weight = ClassWeight::Factors(factors);
        weight.check().map(|()| weight)
    }
}

impl FromStr for CalibrationMethod {
    type Err = Failure;

    fn from_str(text: &str) -> Result<CalibrationMethod, Failure> {
        let known = [CalibrationMethod::Platt, CalibrationMethod::Isotonic, CalibrationMethod::None];
        let found = known.into_iter().find(|method| method.name() == text);
        found.ok_or_else(|| suggest::unknown("calibration", text, known.map(CalibrationMethod::name)))
    }
}

impl FromStr for ThresholdSpec {
    type Err = Failure;

    /// Reads a number or the name of a rule.
    fn from_str(text: &str) -> Result<ThresholdSpec, Failure> {
        if let Ok(value) = text.parse::<f64>() {
            let spec = ThresholdSpec::Value(value);
            return spec.check().map(|()| spec);
        }
        let known = [ThresholdRule::F1, ThresholdRule::BalancedAccuracy, ThresholdRule::Youden, ThresholdRule::Cost];
        let found = known.into_iter().find(|rule| rule.name() == text).map(ThresholdSpec::Rule);
        found.ok_or_else(|| suggest::unknown("threshold", text, known.map(ThresholdRule::name)))
    }
}

impl FromStr for ThresholdCosts {
    type Err = Failure;

    /// Reads `false_positive=1,false_negative=5`; a cost that is not named is 1.
    fn from_str(text: &str) -> Result<ThresholdCosts, Failure> {
        let bad = || {
            fail::usage(format!("`{text}` is not a pair of costs"))
                .hint("write it like false_positive=1,false_negative=5")
        };
        let mut costs = ThresholdCosts::default();
        for part in text.split(',') {
            let (name, cost) = part.split_once('=').ok_or_else(bad)?;
            let cost = cost.trim().parse().map_err(|_| bad())?;
            match name.trim() {
                "false_positive" => costs.false_positive = cost,
                "false_negative" => costs.false_negative = cost,
                _ => return Err(bad()),
            }
        }
        costs.check().map(|()| costs)
    }
}
