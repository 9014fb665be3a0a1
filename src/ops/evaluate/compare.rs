//! The same rows answered by another model.

use anyhow::{Context, Result};

use crate::base::fail;
use crate::base::id::ObjectId;
use crate::base::limits::{RESAMPLED_ROWS_SHOWN, WORSE_SLICES_MAX};
use crate::base::units;
use crate::metrics::bootstrap::{self, Plan, Quantity};
use crate::metrics::compare::rows::{self, Outcome};
use crate::metrics::compare::{Wanted, differences};
use crate::metrics::{self, Sample, zoo};
use crate::models::package::ModelPackage;
use crate::models::predictor::Predictions;
use crate::ops::context::OpCtx;
use crate::ops::evaluate::intervals::{plan, slice_rows};
use crate::ops::evaluate::judged::Judged;
use crate::ops::evaluate::{EvaluateOptions, champion, open_package, slices};
use crate::record::evaluation::{Difference, ModelComparison, SliceDifference, SliceResult};
use crate::repo::Repo;
use crate::spec::gate::{Bound, GateSpec};
use crate::spec::model::Task;
use crate::spec::project::EvaluateSpec;

/// Classes named in one message.
const CLASSES_NAMED: usize = 5;

/// The model compared with.
pub struct Other {
    /// What a person calls it.
    pub name: String,
    /// Id of its package.
    pub id: ObjectId,
    /// It, opened.
    pub package: ModelPackage,
}

impl Other {
    /// The model compared with, when a gate or the person asks for one.
    pub fn find(
        repo: &Repo,
        options: &EvaluateOptions,
        gates: &[GateSpec],
        package: ObjectId,
    ) -> Result<Option<Other>> {
        let asked = gates.iter().any(|gate| matches!(gate.bound, Bound::Champion { .. }));
        let other = match (&options.against, &options.name) {
            (Some(reference), _) => Some(repo.resolve_model(reference)?),
            (None, Some(name)) if asked => champion(repo, name, package)?,
            _ => None,
        };
        let open = |found: crate::repo::resolve::ModelRef| {
            let package = open_package(repo, &found.package)?;
            Ok(Other { name: found.label(), id: found.package, package })
        };
        other.map(open).transpose()
    }
}

/// Both models on the rows of `judged`: every metric that both have, row by row, and slice by slice.
///
/// Differences get intervals and chances as [`metrics::compare::differences`] makes them; a metric that is measured anew on
/// each resample gets them only while that is affordable. Slices are judged by `headline`, each by itself: among twenty slices
/// of two equal models, one is worse by chance at a level of 95 %.
///
/// Errors: models of other tasks, targets or classes; a column that the other model reads and the rows do not have.
pub fn compare(
    judged: &Judged<'_>,
    other: &Other,
    spec: &EvaluateSpec,
    headline: &str,
    slices: &[SliceResult],
    ctx: &OpCtx<'_>,
) -> Result<ModelComparison> {
    let theirs = ask_other(judged, other)?;
    let (our_sample, their_sample) = (judged.sample()?, theirs.sample()?);
    let our_metrics = metrics::measure(None, &our_sample)?;
    let other_metrics = metrics::measure(None, &their_sample)?;
    let other_slices = slices::slices(&theirs, spec)?;
    let members = slice_rows(judged, slices);
    let mut wanted: Vec<Wanted> = Vec::new();
    for (metric, value) in &our_metrics {
        if let Some(other) = other_metrics.get(metric) {
            wanted.push(Wanted { metric, rows: None, values: (*value, *other) });
        }
    }
    let overall = wanted.len();
    let mut places: Vec<&SliceResult> = Vec::new();
    for (slice, rows) in slices.iter().zip(&members) {
        let same = |other: &&SliceResult| other.column == slice.column && other.value == slice.value;
        let value = |slice: &SliceResult| slice.metrics.get(headline).copied();
        let values = value(slice).zip(other_slices.iter().find(same).and_then(value));
        if let Some(values) = values {
            wanted.push(Wanted { metric: headline, rows: Some(rows), values });
            places.push(slice);
        }
    }
    let mut differences = judge_differences(&[our_sample, their_sample], &wanted, spec, ctx)?;
    let of_slices = differences.split_off(overall);
    let outcome = rows::outcome(&our_sample, &their_sample, None);
    let count = our_sample.scores.rows();
    let row_by_row = outcome.unwrap_or(Outcome { ties: count as u64, ..Outcome::default() });
    let flips = outcome.filter(|_| judged.task.is_classification() && count > 0);
    Ok(ModelComparison {
        against: other.id,
        name: other.name.clone(),
        metrics: wanted.iter().map(|wanted| wanted.metric.to_owned()).zip(differences).collect(),
        wins: row_by_row.wins,
        losses: row_by_row.losses,
        ties: row_by_row.ties,
        flip_rate: flips.map(|outcome| outcome.flips as f64 / count as f64),
        worse_slices: worse(&places, of_slices, headline, zoo::find(headline, judged.task)?.higher_is_better),
        other_slices,
        other_metrics,
    })
}

/// Answers of the other model to the same rows, its classes in the order of the truth.
///
/// Errors: another task, target or classes; a column that it reads and the rows do not have.
pub fn ask_other<'a>(judged: &Judged<'a>, other: &'a Other) -> Result<Judged<'a>> {
    let header = &other.package.header;
    let name = &other.name;
    if header.task != judged.task {
        let (theirs, ours) = (header.task.name(), judged.task.name());
        return Err(fail::usage(format!("{name} is a {theirs} model, this one a {ours} model"))
            .hint("compare models of one task")
            .into());
    }
    if let Some(own) = judged.package.map(|package| &package.header.target)
        && !header.target.is_empty()
        && *own != header.target
    {
        let message = format!("{name} predicts `{}`, this model `{own}`", header.target);
        return Err(fail::usage(message).hint("compare models of one target").into());
    }
    let order = match judged.task.is_classification() {
        true => class_order(judged.jury.truth.classes(), &header.classes, name)?,
        false => Vec::new(),
    };
    let inputs: Vec<&str> = header.inputs.iter().map(|input| input.name.as_str()).collect();
    let frame = judged.jury.table.frame(&inputs).with_context(|| format!("{name} reads columns that are not there"))?;
    let mut theirs = Judged::ask_about(judged.jury, &other.package, &frame)?;
    if order.iter().copied().ne(0..order.len())
        && let Predictions::Probabilities { classes, values } = &mut theirs.predictions
    {
        let moved = values.chunks_exact(*classes).flat_map(|row| order.iter().map(|class| row[*class]));
        *values = moved.collect();
        // Its second class is our first: what it predicts above the threshold, we have below.
        theirs.threshold = theirs.threshold.map(|threshold| 1.0 - threshold);
    }
    Ok(theirs)
}

/// Place of each of the classes `ours` among `theirs`.
///
/// Errors: not the same classes.
fn class_order(ours: &[String], theirs: &[String], name: &str) -> Result<Vec<usize>> {
    let missing = |from: &[String], of: &[String]| -> Vec<String> {
        of.iter().filter(|class| !from.contains(class)).map(|class| format!("`{class}`")).collect()
    };
    let (unknown, more) = (missing(theirs, ours), missing(ours, theirs));
    if !unknown.is_empty() || !more.is_empty() {
        let list = |classes: Vec<String>| match classes.len() {
            0 => "nothing".to_owned(),
            1..=CLASSES_NAMED => classes.join(", "),
            count => format!("{}, … ({count})", classes[..CLASSES_NAMED].join(", ")),
        };
        let message = format!("{name} knows other classes: it lacks {}, and has {} besides", list(unknown), list(more));
        return Err(fail::usage(message).hint("compare models of the same classes").into());
    }
    Ok(ours.iter().filter_map(|class| theirs.iter().position(|other| other == class)).collect())
}

/// Differences of all that is wanted, those that are measured anew on each resample only while that is affordable.
fn judge_differences(
    samples: &[Sample; 2],
    wanted: &[Wanted],
    spec: &EvaluateSpec,
    ctx: &OpCtx<'_>,
) -> Result<Vec<Difference>> {
    let quantities = |keep: &dyn Fn(&Wanted) -> bool| -> Vec<Quantity> {
        let kept = wanted.iter().filter(|wanted| keep(wanted));
        kept.flat_map(|wanted| [0, 1].map(|sample| Quantity { sample, metric: wanted.metric, rows: wanted.rows }))
            .collect()
    };
    let task = samples[0].task;
    let is_fast = |wanted: &Wanted| bootstrap::is_fast(wanted.metric, task);
    let all = bootstrap::cost(samples, &quantities(&|_| true))?.saturating_mul(spec.resamples.into());
    // A row resampled is a row twice in the same place, which says nothing of clusters.
    let slow = all <= RESAMPLED_ROWS_SHOWN && task != Task::Clustering;
    let plan = plan(samples, &quantities(&|wanted| slow || is_fast(wanted)), spec, "differences", ctx)?;
    let [ours, theirs] = samples;
    if slow {
        return differences(ours, theirs, wanted, &plan);
    }
    let part = |fast: bool| -> Vec<Wanted> { wanted.iter().filter(|w| is_fast(w) == fast).copied().collect() };
    let mut fast = differences(ours, theirs, &part(true), &plan)?.into_iter();
    let mut others = differences(ours, theirs, &part(false), &Plan { resamples: 0, ..plan })?.into_iter();
    if task != Task::Clustering && others.len() > 0 {
        let metrics = units::plural(others.len() as u64, "difference");
        ctx.talk.info(&format!("{metrics} of metrics that are slow to resample have no interval"));
    }
    Ok(wanted.iter().filter_map(|w| if is_fast(w) { fast.next() } else { others.next() }).collect())
}

/// Slices where the other model is better, those beyond chance first, then by the size of the difference.
fn worse(
    slices: &[&SliceResult],
    differences: Vec<Difference>,
    headline: &str,
    higher_is_better: bool,
) -> Vec<SliceDifference> {
    let is_worse = |difference: &Difference| {
        if higher_is_better { difference.difference < 0.0 } else { difference.difference > 0.0 }
    };
    let pairs = slices.iter().zip(differences).filter(|(_, difference)| is_worse(difference));
    let mut worse: Vec<SliceDifference> = pairs
        .map(|(slice, difference)| SliceDifference {
            column: slice.column.clone(),
            value: slice.value.clone(),
            rows: slice.rows,
            metric: headline.to_owned(),
            difference,
        })
        .collect();
    let by_chance = |slice: &SliceDifference| slice.difference.better != Some(false);
    worse.sort_by(|a, b| {
        let by_size = b.difference.difference.abs().total_cmp(&a.difference.difference.abs());
        by_chance(a).cmp(&by_chance(b)).then(by_size)
    });
    worse.truncate(WORSE_SLICES_MAX);
    worse
}
