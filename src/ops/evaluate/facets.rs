//! Fairness to groups of people: which rows are of a group, what is favourable, and the measures of both.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::base::fail;
use crate::base::limits::FACET_VALUES_MAX;
use crate::base::seed::Seed;
use crate::base::suggest;
use crate::base::units;
use crate::data::divide;
use crate::data::frame::{MISSING_CODE, MISSING_TIME, Values};
use crate::data::table::Table;
use crate::data::target::Target;
use crate::metrics::facets::{self, FacetMeasure, Outcomes, Stage};
use crate::models::explain::grid::label;
use crate::models::predictor::Predictions;
use crate::ops::context::OpCtx;
use crate::ops::evaluate::flip;
use crate::ops::evaluate::judged::Judged;
use crate::ops::evaluate::jury::Jury;
use crate::record::evaluation::FacetResult;
use crate::spec::facet::{FacetSpec, FacetTest};
use crate::spec::gate::Comparison;
use crate::spec::project::EvaluateSpec;
use crate::spec::schema::ColumnType;

/// Which answers are favourable.
enum Favourable {
    /// Those of these classes.
    Classes(Vec<bool>),
    /// Numbers that compare so with this one.
    Bound(Comparison, f64),
}

/// One group among the judged rows.
struct Group {
    column: String,
    /// What it is called.
    name: String,
    /// Whether each row is of it; `None` where the column is empty.
    member: Vec<Option<bool>>,
}

/// What all groups of a jury share, whoever answered.
pub struct Basis {
    favourable: Favourable,
    /// What is favourable, in words.
    words: String,
    labels: Vec<u32>,
    truth: Vec<bool>,
    strata: Option<Vec<u32>>,
}

impl Basis {
    /// Reads what is favourable and the column that some measures are conditional on.
    ///
    /// Errors: a class or column that is not there; several classes and nobody said which is favourable; a task without
    /// a truth to be favourable.
    pub fn new(jury: &Jury, spec: &EvaluateSpec) -> Result<Basis> {
        let (favourable, words) = favourable(&jury.truth, spec.favourable.as_deref())?;
        let (labels, truth): (Vec<u32>, Vec<bool>) = match (&jury.truth, &favourable) {
            (Target::Classes { codes, .. }, Favourable::Classes(classes)) => {
                (codes.clone(), codes.iter().map(|code| classes[*code as usize]).collect())
            }
            (Target::Numbers(values), Favourable::Bound(comparison, bound)) => {
                let truth: Vec<bool> = values.iter().map(|value| comparison.holds(*value, *bound)).collect();
                (truth.iter().map(|yes| u32::from(*yes)).collect(), truth)
            }
            _ => return Err(fail::usage("the truth and what is favourable are of different tasks").into()),
        };
        let strata = match &spec.facet_group {
            None => None,
            Some(column) => {
                let division = divide::divide(&jury.table, std::slice::from_ref(column))?.into_iter().next();
                // Rows in none of its slices are a stratum of their own.
                let last = |codes: &[u32]| {
                    codes.iter().filter(|code| **code != divide::NO_SLICE).max().map_or(0, |most| most + 1)
                };
                division.map(|division| {
                    let rest = last(&division.codes);
                    division.codes.iter().map(|code| (*code).min(rest)).collect()
                })
            }
        };
        Ok(Basis { favourable, words, labels, truth, strata })
    }

    /// Whether each answer is favourable.
    fn favoured(&self, judged: &Judged<'_>) -> Result<Vec<bool>> {
        match (&judged.predictions, &self.favourable) {
            (predictions @ Predictions::Probabilities { .. }, Favourable::Classes(classes)) => {
                Ok(predictions.classes_at(judged.threshold).iter().map(|code| classes[*code as usize]).collect())
            }
            (Predictions::Numbers(values), Favourable::Bound(comparison, bound)) => {
                Ok(values.iter().map(|value| comparison.holds(*value, *bound)).collect())
            }
            _ => Err(fail::usage("the answers and what is favourable are of different tasks").into()),
        }
    }

    fn outcomes<'a>(
        &'a self,
        judged: &'a Judged<'_>,
        member: &'a [Option<bool>],
        predicted: &'a [bool],
    ) -> Outcomes<'a> {
        Outcomes {
            member,
            labels: &self.labels,
            favourable: &self.truth,
            predicted,
            weights: judged.jury.weights.as_deref(),
            strata: self.strata.as_deref(),
        }
    }
}

/// Fairness to each group of `spec`: all measures that have a meaning. Says what is favourable, and what was sampled.
///
/// Errors: a column or value that cannot tell groups apart; those of [`Basis::new`].
pub fn facets(judged: &Judged<'_>, spec: &EvaluateSpec, ctx: &OpCtx<'_>) -> Result<Vec<FacetResult>> {
    if spec.facets.is_empty() {
        return Ok(Vec::new());
    }
    let basis = Basis::new(judged.jury, spec)?;
    let predicted = basis.favoured(judged)?;
    ctx.talk.info(&format!("favourable is {}", basis.words));
    if judged.jury.weights.is_some() {
        ctx.talk.info("measures of fairness are weighed like the metrics, all but the flip test (FT)");
    }
    let mut results: Vec<FacetResult> = Vec::new();
    for text in &spec.facets {
        for group in groups(&judged.jury.table, text, ctx)? {
            if results.iter().any(|known| known.column == group.column && known.value == group.name) {
                continue;
            }
            let counts = basis.outcomes(judged, &group.member, &predicted).count()?;
            let mut post_training = facets::measure(&counts, Stage::PostTraining);
            let seed = Seed(ctx.seed).derive("flip_test");
            if let Some(value) = flip::test(judged, &group.column, &group.member, &predicted, seed, ctx.talk)? {
                post_training.insert("FT".to_owned(), value);
            }
            let count = |of: bool| group.member.iter().filter(|member| **member == Some(of)).count() as u64;
            results.push(FacetResult {
                rows: count(true),
                rest: count(false),
                column: group.column,
                value: group.name,
                favourable: basis.words.clone(),
                pre_training: facets::measure(&counts, Stage::PreTraining),
                post_training,
            });
        }
    }
    Ok(results)
}

/// Values of one measure of one group on resampled rows; see [`facets::replicate`]. Empty where it is none of answers and counts.
pub fn replicate(
    judged: &Judged<'_>,
    spec: &EvaluateSpec,
    (column, name): (&str, &str),
    measure: &FacetMeasure,
    seed: Seed,
) -> Result<Vec<f64>> {
    let basis = Basis::new(judged.jury, spec)?;
    let predicted = basis.favoured(judged)?;
    let silent = crate::base::talk::Silent;
    for text in &spec.facets {
        for group in read_groups(&judged.jury.table, text, &silent)? {
            if group.column == column && group.name == name {
                return facets::replicate(
                    &basis.outcomes(judged, &group.member, &predicted),
                    measure,
                    spec.resamples,
                    seed,
                );
            }
        }
    }
    Ok(Vec::new())
}

fn groups(table: &Table, text: &str, ctx: &OpCtx<'_>) -> Result<Vec<Group>> {
    read_groups(table, text, ctx.talk)
}

/// The groups that `text` names: one, or each value of a column.
fn read_groups(table: &Table, text: &str, talk: &dyn crate::base::talk::Talk) -> Result<Vec<Group>> {
    let columns = table.columns();
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let spec = FacetSpec::parse(text, &names)?;
    let frame = table.frame(&[&spec.column])?;
    let values = &frame.column(&spec.column)?.values;
    let column_type = table.type_of(&spec.column)?;
    let cells = Cells { values, column_type };
    let group = |name: String, member: Vec<Option<bool>>| Group { column: spec.column.clone(), name, member };
    match &spec.test {
        FacetTest::Bound(comparison, bound) => {
            let Values::Number(numbers) = values else {
                let of = column_type.name();
                let what = format!("facet `{text}`: `{}` is {of}, which cannot be compared with a number", spec.column);
                return Err(fail::usage(what).hint(format!("name a value, as {}=VALUE", spec.column)).into());
            };
            let of_row = |value: &f64| (!value.is_nan()).then(|| comparison.holds(*value, *bound));
            Ok(vec![group(spec.test.name(), numbers.iter().map(of_row).collect())])
        }
        FacetTest::Value(value) => {
            let member = cells.with(value);
            if !member.contains(&Some(true)) {
                let known = cells.counted();
                let near = suggest::nearest(value, known.keys().map(String::as_str));
                let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                talk.warn(&format!("no judged row has `{value}` in `{}`{near}", spec.column));
            }
            Ok(vec![group(value.clone(), member)])
        }
        FacetTest::Every => {
            let counted = cells.counted();
            if matches!(values, Values::Number(_) | Values::Time(_)) && counted.len() > FACET_VALUES_MAX {
                let count = units::count(counted.len() as u64);
                return Err(fail::usage(format!("facet `{text}`: `{}` has {count} values", spec.column))
                    .hint(format!("name a bound, as '{}>=NUMBER'", spec.column))
                    .into());
            }
            let mut order: Vec<(&String, &u64)> = counted.iter().collect();
            order.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
            if order.len() > FACET_VALUES_MAX {
                let count = units::count(order.len() as u64);
                let column = &spec.column;
                talk.warn(&format!("`{column}` has {count} values: the {FACET_VALUES_MAX} with most rows are groups"));
                order.truncate(FACET_VALUES_MAX);
            }
            Ok(order.into_iter().map(|(name, _)| group(name.clone(), cells.with(name))).collect())
        }
    }
}

/// Values of one column, by what they are called.
struct Cells<'a> {
    values: &'a Values,
    column_type: ColumnType,
}

impl Cells<'_> {
    fn name(&self, row: usize) -> Option<String> {
        match self.values {
            Values::Text(text) => text.get(row).map(str::to_owned),
            Values::Number(numbers) if numbers[row].is_nan() => None,
            Values::Number(numbers) if self.column_type == ColumnType::Boolean => {
                Some((numbers[row] != 0.0).to_string())
            }
            Values::Number(numbers) => Some(numbers[row].to_string()),
            Values::Time(times) if times[row] == MISSING_TIME => None,
            Values::Time(times) => Some(label(times[row] as f64, self.column_type)),
            Values::Indicator { .. } | Values::Category { .. } => None,
        }
    }

    /// Rows of each value.
    fn counted(&self) -> BTreeMap<String, u64> {
        let mut counted = BTreeMap::new();
        if let Values::Text(text) = self.values {
            // By code first: names are many times more expensive.
            let mut by_code = vec![0_u64; text.levels.len()];
            text.codes.iter().filter(|code| **code != MISSING_CODE).for_each(|code| by_code[*code as usize] += 1);
            let found = text.levels.iter().zip(by_code).filter(|(_, rows)| *rows > 0);
            return found.map(|(level, rows)| (level.to_string(), rows)).collect();
        }
        for name in (0..self.values.len()).filter_map(|row| self.name(row)) {
            *counted.entry(name).or_insert(0) += 1;
        }
        counted
    }

    /// Whether each row has the value called `name`; a number however it is written.
    fn with(&self, name: &str) -> Vec<Option<bool>> {
        if name == divide::MISSING {
            return (0..self.values.len()).map(|row| Some(self.name(row).is_none())).collect();
        }
        match self.values {
            Values::Text(text) => {
                let is = |code: &u32| text.levels.get(*code as usize).map(|level| &**level == name);
                text.codes.iter().map(is).collect()
            }
            Values::Number(numbers) => {
                let wanted = match name {
                    "true" => Some(1.0),
                    "false" => Some(0.0),
                    name => name.parse::<f64>().ok(),
                };
                numbers.iter().map(|value| (!value.is_nan()).then(|| wanted == Some(*value))).collect()
            }
            _ => (0..self.values.len()).map(|row| self.name(row).map(|own| own == name)).collect(),
        }
    }
}

/// What is favourable, and in words.
fn favourable(truth: &Target, asked: Option<&str>) -> Result<(Favourable, String)> {
    match truth {
        Target::Classes { names, .. } => favourable_classes(names, asked),
        Target::Numbers(values) => {
            let (comparison, bound) = match asked {
                Some(text) => bound(text)?,
                None => (Comparison::Above, median(values)),
            };
            let origin = if asked.is_none() { ", the median of the truth" } else { "" };
            let words = format!("a number {} {bound}{origin}", comparison.symbol());
            Ok((Favourable::Bound(comparison, bound), words))
        }
        Target::Labels { task, .. } => {
            let what = format!("fairness is measured of classes and numbers; this task is {}", task.name());
            Err(fail::usage(what).hint("look at slices with --by").into())
        }
    }
}

fn favourable_classes(names: &[String], asked: Option<&str>) -> Result<(Favourable, String)> {
    let wanted: Vec<&str> = match asked {
        Some(text) if names.iter().any(|name| name == text.trim()) => vec![text.trim()],
        Some(text) => text.split(',').map(str::trim).collect(),
        None if names.len() == 2 => vec![&names[1]],
        None => {
            let listed = names.iter().take(12).map(String::as_str).collect::<Vec<_>>().join(", ");
            return Err(fail::usage(format!("which of the {} classes is favourable?", names.len()))
                .hint(format!("say so with --favourable CLASS or several with commas, of {listed}"))
                .into());
        }
    };
    if let Some(odd) = wanted.iter().find(|wanted| !names.iter().any(|name| name == *wanted)) {
        return Err(suggest::unknown("class", odd, names.iter().map(String::as_str)).into());
    }
    let classes: Vec<bool> = names.iter().map(|name| wanted.contains(&name.as_str())).collect();
    if classes.iter().all(|yes| *yes) {
        return Err(fail::usage("every class is favourable").hint("leave at least one out of --favourable").into());
    }
    let origin = if asked.is_none() { ", the positive class" } else { "" };
    Ok((Favourable::Classes(classes), format!("`{}`{origin}", wanted.join("`, `"))))
}

/// `>= 50000`, `< 3`; a number alone means above it.
fn bound(text: &str) -> Result<(Comparison, f64)> {
    let text = text.trim();
    let comparison = Comparison::ALL.into_iter().find(|comparison| text.starts_with(comparison.symbol()));
    let number = text[comparison.map_or(0, |comparison| comparison.symbol().len())..].trim();
    let number = number.parse::<f64>().ok().filter(|number| number.is_finite());
    let number = number.ok_or_else(|| {
        fail::usage(format!("`{text}` says not which numbers are favourable")).hint("write --favourable '>= 50000'")
    })?;
    Ok((comparison.unwrap_or(Comparison::Above), number))
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        count if count % 2 == 1 => sorted[count / 2],
        count => sorted[count / 2 - 1] / 2.0 + sorted[count / 2] / 2.0,
    }
}
