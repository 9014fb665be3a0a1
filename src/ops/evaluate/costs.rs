//! What a model costs: time of an answer, size, time of its training.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::Result;

use crate::base::id::ObjectId;
use crate::base::limits::{COST_BATCH_ROWS, COST_ROWS, COST_SECONDS_MAX, COST_WARM_UP_ROWS};
use crate::data::frame::Frame;
use crate::metrics::gate::COSTS;
use crate::models::explain::mix::compact;
use crate::models::package::ModelPackage;
use crate::ops::context::OpCtx;
use crate::ops::evaluate::EvaluateOptions;
use crate::ops::evaluate::compare::Other;
use crate::ops::evaluate::jury::Jury;
use crate::record::evaluation::RobustnessResult;
use crate::repo::Repo;
use crate::repo::resolve::ModelRef;
use crate::spec::gate::{GateSpec, Term};

/// What only a package can tell, and no table of answers.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// Costs of the model by name.
    pub costs: BTreeMap<String, f64>,
    /// Costs of the model compared with, where a gate asks for them.
    pub other_costs: BTreeMap<String, f64>,
    /// What disturbances do.
    pub robustness: Vec<RobustnessResult>,
}

/// Costs by name, when a gate or the person asks for them: all of them for the person, those asked for by gates else. Says
/// that times differ from time to time.
///
/// Latencies are of answers to one row at a time, on the way that a server takes; `rows_per_second` of one batch. At most
/// some seconds. Errors: those of answering.
pub fn costs(
    repo: &Repo,
    options: &EvaluateOptions,
    gates: &[GateSpec],
    (found, package): (&ModelRef, &ModelPackage),
    other: Option<&Other>,
    jury: &Jury,
    ctx: &OpCtx<'_>,
) -> Result<Beside> {
    let is_cost = |term: &Term, name: &str| matches!(term, Term::Whole(known) if known == name);
    let by_gates = |name: &str| gates.iter().any(|gate| gate.left.terms().any(|term| is_cost(term, name)));
    let of_champion = |name: &str| gates.iter().any(|gate| gate.of_champion().is_some_and(|term| is_cost(term, name)));
    let own: Vec<&str> = COSTS.iter().copied().filter(|name| options.costs || by_gates(name)).collect();
    let theirs: Vec<&str> = COSTS.iter().copied().filter(|name| of_champion(name)).collect();
    let costs = measured(repo, &own, found.package, package, jury)?;
    if own.iter().any(|name| is_time(name)) {
        ctx.talk
            .info("latencies are of this machine now: they differ from time to time, and are not kept in the record");
    }
    for name in own.iter().filter(|name| !costs.contains_key(**name)) {
        ctx.talk.warn(&format!("`{name}` is not known: no run that trained this model is recorded"));
    }
    let other_costs = match other {
        Some(other) => measured(repo, &theirs, other.id, &other.package, jury)?,
        None => BTreeMap::new(),
    };
    Ok(Beside { costs, other_costs, robustness: Vec::new() })
}

fn is_time(name: &str) -> bool {
    name.starts_with("latency") || name == "rows_per_second"
}

fn measured(
    repo: &Repo,
    names: &[&str],
    id: ObjectId,
    package: &ModelPackage,
    jury: &Jury,
) -> Result<BTreeMap<String, f64>> {
    let mut costs = BTreeMap::new();
    if names.iter().any(|name| name.starts_with("latency")) {
        let seconds = latencies(package, &jury.frame)?;
        let at = |share: f64| seconds.get(((seconds.len() as f64 * share).ceil() as usize).saturating_sub(1)).copied();
        let pairs = [("latency_p50_ms", at(0.5)), ("latency_p99_ms", at(0.99))];
        let known = pairs.into_iter().filter(|(name, _)| names.contains(name));
        costs.extend(known.filter_map(|(name, seconds)| Some((name.to_owned(), seconds? * 1e3))));
    }
    if names.contains(&"rows_per_second")
        && let Some(rate) = rate(package, &jury.frame)?
    {
        costs.insert("rows_per_second".to_owned(), rate);
    }
    if names.contains(&"size_mb") {
        costs.insert("size_mb".to_owned(), repo.store().get(&id, u64::MAX)?.len() as f64 / 1e6);
    }
    if names.contains(&"train_seconds")
        && let Some(seconds) = train_seconds(repo, id)?
    {
        costs.insert("train_seconds".to_owned(), seconds);
    }
    Ok(costs)
}

/// `count` rows spread evenly over the frame.
fn spread(frame: &Frame, count: usize) -> Vec<u32> {
    let (rows, count) = (frame.rows(), count.min(frame.rows()));
    (0..count).map(|place| (place * rows / count.max(1)) as u32).collect()
}

/// Seconds of answers to single rows, ascending, after a warm-up.
fn latencies(package: &ModelPackage, frame: &Frame) -> Result<Vec<f64>> {
    let some = compact(frame.take(&spread(frame, COST_ROWS)))?;
    let one = |row: usize| compact(some.take(&[row as u32]));
    for row in 0..some.rows().min(COST_WARM_UP_ROWS) {
        package.predict(&one(row)?)?;
    }
    let started = Instant::now();
    let mut seconds = Vec::with_capacity(some.rows());
    for row in 0..some.rows() {
        let asked = one(row)?;
        let before = Instant::now();
        let answer = package.predict(&asked)?;
        package.labels(&answer);
        seconds.push(before.elapsed().as_secs_f64());
        if started.elapsed().as_secs_f64() > COST_SECONDS_MAX {
            break;
        }
    }
    seconds.sort_unstable_by(f64::total_cmp);
    Ok(seconds)
}

/// Rows answered a second in batches; `None` without rows.
fn rate(package: &ModelPackage, frame: &Frame) -> Result<Option<f64>> {
    let batch = frame.take(&spread(frame, COST_BATCH_ROWS));
    if batch.rows() == 0 {
        return Ok(None);
    }
    package.predict(&batch)?;
    let (started, mut batches) = (Instant::now(), 0_u32);
    loop {
        package.predict(&batch)?;
        batches += 1;
        let seconds = started.elapsed().as_secs_f64();
        if seconds > COST_SECONDS_MAX / 4.0 || batches == 20 {
            return Ok(Some(f64::from(batches) * batch.rows() as f64 / seconds.max(1e-9)));
        }
    }
}

/// Seconds from start to end of the newest run that trained the package; `None` when none is recorded.
pub fn train_seconds(repo: &Repo, package: ObjectId) -> Result<Option<f64>> {
    let index = repo.index()?;
    for edge in index.producers(&package)? {
        if ["train", "tune", "trial"].contains(&edge.kind.as_str())
            && let Some(seconds) = index.run(&edge.run)?.and_then(|run| run.wall_seconds)
        {
            return Ok(Some(seconds));
        }
    }
    Ok(None)
}
