//! `blend`: a weighted mean of models, each of which eats a range of the features. What `train --auto` puts together.

use std::any::Any;
use std::ops::Range;

use anyhow::{Context, Result};

use crate::base::fail;
use crate::base::limits::{BLEND_MEMBERS_MAX, BLEND_MODELS_MAX, CLASSES_MAX, TREE_FEATURES_MAX};
use crate::data::matrix::Matrix;
use crate::models::form::{FormReader, FormWriter, damaged};
use crate::models::input;
use crate::models::predictor::{Contributions, FitInput, Importance, Margin, Predictions, Predictor};
use crate::models::zoo;

/// Name of the kind.
pub const NAME: &str = "blend";
/// How far from 1 the sum of weights may be: that of rounding.
const WEIGHT_SLACK: f64 = 1e-9;

/// Several models of one or more kinds, whose answers are averaged. Immutable.
pub struct Blend {
    features: usize,
    /// Number of classes; 0 for numbers.
    classes: usize,
    members: Vec<Member>,
}

/// One member: models of one kind that were fitted on different rows of the same features, and count alike.
pub struct Member {
    /// Name of the kind in the zoo.
    pub kind: &'static str,
    /// The features that its models eat.
    pub range: Range<usize>,
    /// Its share of the answer, above 0; all shares sum to 1.
    pub weight: f64,
    /// Its models, at least one.
    pub models: Vec<Box<dyn Predictor>>,
}

/// A blend is put together by a search and not fitted.
pub fn fit(_: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    Err(fail::usage("`blend` is put together from other models and cannot be fitted by itself")
        .hint("run `mlops train --auto`, which searches for its members")
        .into())
}

impl Blend {
    /// Puts members together: `classes` is 0 for numbers, and the members are of `features` features together.
    ///
    /// Errors: no member, a member without models, a range beyond the features, weights that are no shares, too many.
    pub fn new(features: usize, classes: usize, members: Vec<Member>) -> Result<Blend> {
        let models: usize = members.iter().map(|member| member.models.len()).sum();
        if members.is_empty() || members.len() > BLEND_MEMBERS_MAX || models > BLEND_MODELS_MAX {
            let what = format!("{} members with {models} models", members.len());
            return Err(damaged("members", &format!("{what}; at most {BLEND_MEMBERS_MAX} with {BLEND_MODELS_MAX}")));
        }
        let mut sum = 0.0;
        for member in &members {
            let Range { start, end } = member.range;
            if start >= end || end > features {
                return Err(damaged("range", &format!("features {start} to {end} of {features}")));
            }
            if !(member.weight > 0.0 && member.weight <= 1.0 + WEIGHT_SLACK) || member.models.is_empty() {
                return Err(damaged("weight", "every member has a share above 0, and models"));
            }
            if member.kind == NAME {
                return Err(damaged("kind", "a blend cannot be a member of a blend"));
            }
            sum += member.weight;
        }
        if (sum - 1.0).abs() > WEIGHT_SLACK {
            return Err(damaged("weight", &format!("the shares sum to {sum}, not to 1")));
        }
        Ok(Blend { features, classes, members })
    }

    /// Its members, in order.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Number of features of all members together.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Number of classes; 0 for numbers.
    pub fn classes(&self) -> usize {
        self.classes
    }
}

impl Member {
    /// The mean answer of its models: numbers, or probabilities row by row.
    ///
    /// Errors: those of its models; one that answers something else.
    fn answer(&self, matrix: &Matrix, classes: usize) -> Result<Vec<f64>> {
        let part = matrix.range(self.range.clone())?;
        let mut mean: Vec<f64> = Vec::new();
        for model in &self.models {
            let values = match (model.predict(&part)?, classes) {
                (Predictions::Numbers(values), 0) => values,
                (Predictions::Probabilities { classes: found, values }, _) if found == classes => values,
                _ => return Err(damaged("members", &format!("a `{}` answers another task", self.kind))),
            };
            match mean.is_empty() {
                true => mean = values,
                false => mean.iter_mut().zip(values).for_each(|(mean, value)| *mean += value),
            }
        }
        let count = self.models.len() as f64;
        mean.iter_mut().for_each(|mean| *mean /= count);
        Ok(mean)
    }
}

impl Predictor for Blend {
    fn predict(&self, matrix: &Matrix) -> Result<Predictions> {
        input::same_width(matrix, self.features)?;
        let mut blended = vec![0.0; matrix.rows() * self.classes.max(1)];
        for member in &self.members {
            let answer = member.answer(matrix, self.classes)?;
            blended.iter_mut().zip(answer).for_each(|(sum, value)| *sum += member.weight * value);
        }
        Ok(match self.classes {
            0 => Predictions::Numbers(blended),
            classes => {
                blended.iter_mut().for_each(|value| *value = value.clamp(0.0, 1.0));
                Predictions::Probabilities { classes, values: blended }
            }
        })
    }

    fn write(&self, form: &mut FormWriter) {
        form.u64("blend_features", self.features as u64);
        form.u64("blend_classes", self.classes as u64);
        form.u64("blend_members", self.members.len() as u64);
        for member in &self.members {
            form.text("blend_kind", member.kind);
            form.u64s("blend_range", &[member.range.start as u64, member.range.end as u64]);
            form.f64("blend_weight", member.weight);
            form.u64("blend_models", member.models.len() as u64);
            for (number, model) in member.models.iter().enumerate() {
                form.u64("blend_model", number as u64);
                model.write(form);
            }
        }
    }

    /// Shares of each member's whole gain, weighed by its share of the answer; members that say nothing are left out.
    fn importance(&self) -> Option<Vec<Importance>> {
        let mut all = vec![Importance::default(); self.features];
        let mut said = false;
        for member in &self.members {
            for own in member.models.iter().filter_map(|model| model.importance()) {
                let total: f64 = own.iter().map(|one| one.gain).sum();
                let factor = if total > 0.0 { member.weight / member.models.len() as f64 / total } else { 0.0 };
                for (sum, one) in all[member.range.clone()].iter_mut().zip(&own) {
                    sum.gain += one.gain * factor;
                    sum.splits += one.splits;
                }
                said = true;
            }
        }
        said.then_some(all)
    }

    /// Those of its members, weighed; `None` unless each of them adds up to the answer itself, as means of margins are no
    /// margins of means.
    fn contributions(&self, matrix: &Matrix) -> Result<Option<Contributions>> {
        input::same_width(matrix, self.features)?;
        let mut all: Option<Contributions> = None;
        for member in &self.members {
            let part = matrix.range(member.range.clone())?;
            let share = member.weight / member.models.len() as f64;
            for model in &member.models {
                let Some(own) = model.contributions(&part)?.filter(|own| own.margin == Margin::Answer) else {
                    return Ok(None);
                };
                let outputs = own.outputs;
                let all = all.get_or_insert_with(|| Contributions {
                    features: self.features,
                    outputs,
                    margin: Margin::Answer,
                    values: vec![0.0; matrix.rows() * (self.features + 1) * outputs],
                });
                if all.outputs != outputs {
                    return Ok(None);
                }
                add(all, &own, &member.range, share);
            }
        }
        Ok(all)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Adds `share` of what the features of `range` contribute, and of what is expected.
fn add(all: &mut Contributions, own: &Contributions, range: &Range<usize>, share: f64) {
    let (wide, narrow) = ((all.features + 1) * all.outputs, (own.features + 1) * own.outputs);
    let split = own.features * own.outputs;
    for (sums, values) in all.values.chunks_exact_mut(wide).zip(own.values.chunks_exact(narrow)) {
        let (of_features, expected) = values.split_at(split);
        let first = range.start * all.outputs;
        sums[first..first + split].iter_mut().zip(of_features).for_each(|(sum, value)| *sum += share * value);
        sums[wide - all.outputs..].iter_mut().zip(expected).for_each(|(sum, value)| *sum += share * value);
    }
}

/// Reads a blend back.
///
/// Errors: nested blends, ranges, counts, weights or kinds that cannot be; whatever the readers of its members refuse.
pub fn read(form: &mut FormReader<'_>) -> Result<Box<dyn Predictor>> {
    let features = form.count("blend_features", TREE_FEATURES_MAX)?;
    let classes = form.count("blend_classes", CLASSES_MAX)?;
    let count = form.count("blend_members", BLEND_MEMBERS_MAX)?;
    let mut members = Vec::with_capacity(count);
    let mut left = BLEND_MODELS_MAX;
    for number in 1..=count {
        let name = form.text("blend_kind")?;
        // Refused before anything of it is read: a nest of blends would be read by a stack of readers.
        if name == NAME {
            return Err(damaged("blend_kind", "a blend cannot be a member of a blend"));
        }
        let kind = zoo::kind(&name)?;
        let [start, end] = form.u64s("blend_range")?[..] else {
            return Err(damaged("blend_range", "it is not a pair of numbers"));
        };
        if start >= end || end > features as u64 {
            return Err(damaged("blend_range", &format!("features {start} to {end} of {features}")));
        }
        let weight = form.finite("blend_weight", 1)?[0];
        let models = form.count("blend_models", left)?;
        left -= models;
        let mut member = Member { kind: kind.name, range: start as usize..end as usize, weight, models: Vec::new() };
        for place in 0..models {
            let found = form.u64("blend_model")?;
            if found != place as u64 {
                return Err(damaged("blend_model", &format!("model {found} stands where {place} belongs")));
            }
            member.models.push((kind.read)(form).with_context(|| format!("member {number} of a blend"))?);
        }
        members.push(member);
    }
    Ok(Box::new(Blend::new(features, classes, members)?))
}
