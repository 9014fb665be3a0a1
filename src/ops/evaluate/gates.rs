//! What gates ask for, before anything is measured, and their verdict afterwards.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::base::limits::GATE_ROWS_MIN;
use crate::base::seed::Seed;
use crate::base::units;
use crate::data::divide::Division;
use crate::metrics::bootstrap::{Quantity, spread};
use crate::metrics::facets as measures;
use crate::metrics::gate::{self, COSTS, Drawn, Leaf, Measured, Sure};
use crate::metrics::slices::of_rows_named;
use crate::metrics::{self, Sample, zoo};
use crate::ops::context::OpCtx;
use crate::ops::dataset;
use crate::ops::evaluate::compare::Other;
use crate::ops::evaluate::costs::Beside;
use crate::ops::evaluate::judged::Judged;
use crate::ops::evaluate::{compare, facets, intervals, slices};
use crate::record::dataset::DatasetRecord;
use crate::record::evaluation::{FacetResult, GateResult, SliceResult};
use crate::record::model::ModelRecord;
use crate::repo::Repo;
use crate::spec::gate::{GateSpec, Scope, Term};
use crate::spec::model::Task;
use crate::spec::project::EvaluateSpec;

/// `spec` with the slices, groups and disturbances that gates are about among its own.
///
/// Errors: a gate about a metric or column that does not exist, before anything is computed.
pub fn with_gate_slices(
    spec: &EvaluateSpec,
    gates: &[GateSpec],
    record: &ModelRecord,
    task: Task,
    on: Option<&str>,
    repo: &Repo,
) -> Result<EvaluateSpec> {
    let dataset: DatasetRecord = match (on, record.dataset) {
        (None, Some(id)) => repo.record(&id)?,
        (on, _) => dataset::find(repo, on, None)?.record,
    };
    let columns: Vec<&str> = dataset.columns.iter().map(|column| column.name.as_str()).collect();
    with_needs(spec, gates, task, &columns)
}

/// As [`with_gate_slices`], of a table with `columns`.
pub fn with_needs(spec: &EvaluateSpec, gates: &[GateSpec], task: Task, columns: &[&str]) -> Result<EvaluateSpec> {
    let mut spec = spec.clone();
    let add = |all: &mut Vec<String>, more: Vec<String>| {
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        for text in more {
            if !all.iter().any(|known| *known == text || bare(known) == bare(&text)) {
                all.push(text);
            }
        }
    };
    for gate in gates {
        let needs = gate::check(gate, task, columns)?;
        spec.robustness |= !needs.disturbed.is_empty();
        add(&mut spec.slices, needs.slices);
        add(&mut spec.facets, needs.facets);
    }
    Ok(spec)
}

/// Metrics that gates want of disturbed rows, with `headline` in front.
pub fn disturbed_metrics(gates: &[GateSpec], headline: &str) -> Vec<String> {
    let mut names = vec![headline.to_owned()];
    for term in gates.iter().flat_map(GateSpec::terms) {
        if let Term::Part { scope: Scope::Robustness, metric, .. } = term
            && !names.contains(metric)
        {
            names.push(metric.clone());
        }
    }
    names
}

/// What was measured already of the model that is judged.
pub struct Known<'a> {
    /// Metrics of all rows.
    pub metrics: &'a BTreeMap<String, f64>,
    /// Slices.
    pub slices: &'a [SliceResult],
    /// Fairness.
    pub facets: &'a [FacetResult],
    /// Costs and disturbances.
    pub beside: &'a Beside,
}

/// Judges all gates; metrics with parameters that were not measured yet, and what gates ask of the other model, are measured
/// here. With `spec.confident` intervals come from resampling rows, the same ones for both models.
///
/// Errors: those of measuring and of answering.
pub fn judge(
    gates: &[GateSpec],
    judged: &Judged<'_>,
    spec: &EvaluateSpec,
    known: &Known<'_>,
    other: Option<&Other>,
    ctx: &OpCtx<'_>,
) -> Result<Vec<GateResult>> {
    if gates.is_empty() {
        return Ok(Vec::new());
    }
    let ours = Board::new(judged, gates.iter().flat_map(|gate| gate.left.terms()), known)?;
    let asked: Vec<Term> = gates.iter().filter_map(of_champion).collect();
    let theirs = match other.filter(|_| !asked.is_empty()) {
        None => None,
        Some(other) => Some(compare::ask_other(judged, other)?),
    };
    let champion = match &theirs {
        None => None,
        Some(theirs) => Some(their_board(theirs, &asked, spec, known.beside, ctx)?),
    };
    let champion = champion.as_ref().map(Board::measured);
    if !spec.confident {
        return Ok(gate::judge_all(gates, &ours.measured(), champion.as_ref(), None));
    }
    let lots = Lots { judged, theirs: theirs.as_ref(), spec, ctx };
    let drawn = lots.drawn(gates, &ours.measured(), champion.as_ref())?;
    let find = |of_champion: bool, leaf: &Leaf| match drawn.get(&(of_champion, leaf.clone())) {
        Some(found) => found.clone(),
        None => Drawn::Nothing("it was not resampled".to_owned()),
    };
    let sure = Sure { level: spec.level, drawn: &find };
    Ok(gate::judge_all(gates, &ours.measured(), champion.as_ref(), Some(&sure)))
}

/// What gates ask of the other model.
fn their_board(
    theirs: &Judged<'_>,
    asked: &[Term],
    spec: &EvaluateSpec,
    beside: &Beside,
    ctx: &OpCtx<'_>,
) -> Result<Board> {
    let of = |wanted: Scope| asked.iter().any(|term| matches!(term, Term::Part { scope, .. } if *scope == wanted));
    let quiet = OpCtx { talk: &crate::base::talk::Silent, ..ctx.clone() };
    let slices = if of(Scope::Slice) { slices::slices(theirs, spec)? } else { Vec::new() };
    let facets = if of(Scope::Facet) { facets::facets(theirs, spec, &quiet)? } else { Vec::new() };
    let metrics = metrics::measure(None, &theirs.sample()?)?;
    let beside = Beside { costs: beside.other_costs.clone(), ..Beside::default() };
    let known = Known { metrics: &metrics, slices: &slices, facets: &facets, beside: &beside };
    Board::new(theirs, asked.iter(), &known)
}

/// What a gate asks of the champion; of one about each slice, the same slices.
fn of_champion(gate: &GateSpec) -> Option<Term> {
    let term = gate.of_champion()?;
    let (Term::Whole(name) | Term::Part { metric: name, .. }) = term;
    Some(match &gate.left.first {
        Term::Part { scope, inner, extreme, .. } if gate.is_each() => {
            Term::Part { scope: *scope, inner: inner.clone(), metric: name.clone(), extreme: *extreme }
        }
        _ => term.clone(),
    })
}

/// All numbers of one model that gates may look up.
struct Board {
    metrics: BTreeMap<String, f64>,
    slices: Vec<SliceResult>,
    facets: Vec<FacetResult>,
    beside: Beside,
}

impl Board {
    /// What is known, with the metrics of `terms` that are not: those with parameters.
    fn new<'t>(judged: &Judged<'_>, terms: impl Iterator<Item = &'t Term>, known: &Known<'_>) -> Result<Board> {
        let mut board = Board {
            metrics: known.metrics.clone(),
            slices: known.slices.to_vec(),
            facets: known.facets.to_vec(),
            beside: known.beside.clone(),
        };
        board.metrics.extend(known.beside.costs.clone());
        let sample = judged.sample()?;
        let usual = zoo::wanted(&sample);
        for term in terms {
            match term {
                Term::Whole(name) if !is_free(name) && !board.metrics.contains_key(name) => {
                    let value = metrics::measure(Some(&[name]), &sample)?.into_values().next();
                    board.metrics.extend(value.map(|value| (name.clone(), value)));
                }
                Term::Part { scope: Scope::Slice, metric, .. } if !usual.contains(metric) => {
                    board.measure_slices(&judged.jury.divisions, metric, &sample)?;
                }
                _ => {}
            }
        }
        Ok(board)
    }

    /// Measures one more metric of all slices.
    fn measure_slices(&mut self, divisions: &[Division], metric: &str, sample: &Sample) -> Result<()> {
        for division in divisions {
            for (name, rows) in division.names.iter().zip(division.members()) {
                let is = |slice: &&mut SliceResult| slice.column == division.text && slice.value == *name;
                let Some(slice) = self.slices.iter_mut().find(is) else {
                    continue;
                };
                if !slice.metrics.contains_key(metric)
                    && let Some(value) = of_rows_named(sample, &rows, &[metric])?.into_values().next()
                {
                    slice.metrics.insert(metric.to_owned(), value);
                }
            }
        }
        Ok(())
    }

    fn measured(&self) -> Measured<'_> {
        Measured {
            metrics: &self.metrics,
            slices: &self.slices,
            facets: &self.facets,
            robustness: &self.beside.robustness,
        }
    }
}

/// Whether a name is no metric of rows: a cost, or a measure of groups.
fn is_free(name: &str) -> bool {
    COSTS.contains(&name) || measures::find(name).is_some()
}

/// Name of the draws that gates are judged by.
const PART: &str = "intervals";

/// Draws of resampled rows.
struct Lots<'a, 'j> {
    judged: &'a Judged<'j>,
    theirs: Option<&'a Judged<'j>>,
    spec: &'a EvaluateSpec,
    ctx: &'a OpCtx<'a>,
}

type Draws = BTreeMap<(bool, Leaf), Drawn>;

impl Lots<'_, '_> {
    /// Resampled values of every number that gates are about; all metrics in one go.
    fn drawn(&self, gates: &[GateSpec], ours: &Measured, champion: Option<&Measured>) -> Result<Draws> {
        let mut draws = Draws::new();
        for (of_champion, leaf) in asked(gates, ours, champion) {
            let measured = if of_champion { champion.unwrap_or(ours) } else { ours };
            let drawn = self.without_rows(of_champion, &leaf, measured.facets)?;
            draws.insert((of_champion, leaf), drawn.unwrap_or_else(|| Drawn::Nothing(String::new())));
        }
        let waiting = |drawn: &&(bool, Leaf)| matches!(&draws[*drawn], Drawn::Nothing(why) if why.is_empty());
        let waiting: Vec<(bool, Leaf)> = draws.keys().filter(waiting).cloned().collect();
        for (key, drawn) in waiting.iter().cloned().zip(self.replicated(&waiting)?) {
            draws.insert(key, drawn);
        }
        Ok(draws)
    }

    /// What needs no metrics of resampled rows; `None` for a metric.
    fn without_rows(&self, of_champion: bool, leaf: &Leaf, known: &[FacetResult]) -> Result<Option<Drawn>> {
        Ok(match leaf {
            Leaf::Whole(name) if COSTS.contains(&name.as_str()) => Some(Drawn::Fixed("a cost has no interval")),
            Leaf::Disturbed { .. } => Some(Drawn::Fixed("a disturbed metric has no interval")),
            Leaf::Facet { column, value, measure } => {
                let facet = known.iter().find(|facet| facet.column == *column && facet.value == *value);
                let rows = facet.map_or(0, |facet| facet.rows.min(facet.rest)) as usize;
                match self.facet(of_champion, (column, value), measure)? {
                    values @ Drawn::Values(_) => Some(too_few(rows).unwrap_or(values)),
                    other => Some(other),
                }
            }
            _ if self.spec.resamples == 0 => Some(Drawn::Nothing("there are no resamples (--resamples 0)".to_owned())),
            leaf => too_few(self.rows_of(leaf).map_or(self.judged.jury.truth.len(), |rows| rows.len())),
        })
    }

    fn facet(&self, of_champion: bool, group: (&str, &str), measure: &str) -> Result<Drawn> {
        let Some(measure) = measures::find(measure) else {
            return Ok(Drawn::Nothing(format!("`{measure}` is no measure of fairness")));
        };
        if measure.stage == measures::Stage::PreTraining {
            return Ok(Drawn::Fixed("a measure of the data has no interval"));
        }
        if !measure.is_counted() {
            return Ok(Drawn::Nothing("the flip test is not resampled".to_owned()));
        }
        if self.spec.resamples == 0 {
            return Ok(Drawn::Nothing("there are no resamples (--resamples 0)".to_owned()));
        }
        let judged = if of_champion { self.theirs } else { Some(self.judged) };
        let Some(judged) = judged else {
            return Ok(Drawn::Nothing("there is no champion".to_owned()));
        };
        facets::replicate(judged, self.spec, group, measure, Seed(self.ctx.seed).derive(PART)).map(Drawn::Values)
    }

    /// Values of metrics of all rows and of slices.
    fn replicated(&self, wanted: &[(bool, Leaf)]) -> Result<Vec<Drawn>> {
        let mut samples = vec![self.judged.sample()?];
        if let Some(theirs) = self.theirs {
            samples.push(theirs.sample()?);
        }
        let rows: Vec<Option<Vec<u32>>> = wanted.iter().map(|(_, leaf)| self.rows_of(leaf)).collect();
        let quantity = |((of_champion, leaf), rows): (&(bool, Leaf), &'_ Option<Vec<u32>>)| {
            let (Leaf::Whole(metric)
            | Leaf::Slice { metric, .. }
            | Leaf::Disturbed { metric, .. }
            | Leaf::Facet { measure: metric, .. }) = leaf;
            (usize::from(*of_champion), metric.clone(), rows.clone())
        };
        let quantities: Vec<(usize, String, Option<Vec<u32>>)> = wanted.iter().zip(&rows).map(quantity).collect();
        let asked: Vec<Quantity> = quantities
            .iter()
            .map(|(sample, metric, rows)| Quantity { sample: *sample, metric, rows: rows.as_deref() })
            .collect();
        let plan = intervals::plan(&samples, &asked, self.spec, PART, self.ctx)?;
        let replicates = intervals::resample(&samples, &asked, &plan, self.ctx)?;
        let drawn = asked.iter().zip(replicates).map(|(of, values)| spread(&samples[of.sample], of, values));
        Ok(drawn.map(Drawn::Values).collect())
    }

    /// Rows of a slice; `None`: all.
    fn rows_of(&self, leaf: &Leaf) -> Option<Vec<u32>> {
        let Leaf::Slice { column, value, .. } = leaf else {
            return None;
        };
        let division = self.judged.jury.divisions.iter().find(|division| division.text == *column);
        let found = division.and_then(|division| {
            let place = division.names.iter().position(|name| name == value)? as u32;
            Some((0..).zip(&division.codes).filter(|(_, code)| **code == place).map(|(row, _)| row).collect())
        });
        Some(found.unwrap_or_default())
    }
}

/// Why so many rows make no interval, when they do not.
fn too_few(rows: usize) -> Option<Drawn> {
    let why = || format!("{} are too few", units::plural(rows as u64, "row"));
    (rows < GATE_ROWS_MIN).then(|| Drawn::Nothing(why()))
}

/// Every number that gates compare, of the model and of the champion, as far as it has a value.
fn asked(gates: &[GateSpec], ours: &Measured, champion: Option<&Measured>) -> Vec<(bool, Leaf)> {
    let mut all = Vec::new();
    for gate in gates {
        for term in gate.left.terms() {
            all.extend(
                ours.leaves(term).into_iter().filter(|leaf| ours.leaf(leaf).is_some()).map(|leaf| (false, leaf)),
            );
        }
        let (Some(term), Some(champion)) = (gate.of_champion(), champion) else {
            continue;
        };
        let theirs: Vec<Leaf> = match gate.is_each() {
            true => ours.leaves(&gate.left.first).iter().map(|leaf| gate::same_slice(leaf, term)).collect(),
            false => champion.leaves(term),
        };
        all.extend(theirs.into_iter().filter(|leaf| champion.leaf(leaf).is_some()).map(|leaf| (true, leaf)));
    }
    all
}
