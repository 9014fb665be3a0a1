//! The slices that a model serves worst, looked for among the columns that it reads.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::base::limits::{SLICE_SEARCH_COLUMNS_MAX, SLICE_SEARCH_PAIR_COLUMNS_MAX, SLICE_SEARCH_ROWS_MAX};
use crate::base::units;
use crate::data::divide::{self, Division};
use crate::data::expression::Expression;
use crate::data::table::Table;
use crate::metrics::Sample;
use crate::metrics::bootstrap::{self, Quantity};
use crate::metrics::slices::of_rows;
use crate::metrics::worst::loss::losses;
use crate::metrics::worst::{self, Axis, NO_LEVEL, Search, Worst};
use crate::ops::context::OpCtx;
use crate::ops::evaluate::intervals;
use crate::ops::evaluate::judged::Judged;
use crate::record::evaluation::SliceResult;
use crate::spec::model::Task;
use crate::spec::project::EvaluateSpec;
use crate::spec::slice::{SlicePart, SliceSpec};

/// Rows of the smallest slice that is looked for, unless the project asks for more.
const ROWS_MIN: u64 = 30;
/// The same as a part of all rows: one in a hundred. So a column has at most a hundred slices.
const ROWS_PART_MIN: u64 = 100;
/// Numbers of more distinct values than this are searched in bins.
const VALUES_MAX: usize = 10;
/// Bins of such numbers.
const BINS: usize = 5;

/// What one column of the search is divided by.
enum Source {
    Column(String),
    Part(SlicePart),
}

/// The slices of one or two columns with the largest loss, the worst first; see [`worst::worst`]. None with `worst = 0`.
///
/// Looks at the columns that the model reads and at the parts of the slices asked for, never at the target or key columns. Says
/// what was not looked at. Each comes with the interval of the metric `headline`, which knows nothing of the slice being
/// picked for being bad: on other rows it will do a little better.
pub fn worst_slices(
    judged: &Judged<'_>,
    spec: &EvaluateSpec,
    headline: &str,
    ctx: &OpCtx<'_>,
) -> Result<Vec<SliceResult>> {
    let sample = judged.sample()?;
    let rows = sample.scores.rows();
    let rows_min = (rows as u64).div_ceil(ROWS_PART_MIN).max(ROWS_MIN).max(spec.slice_rows_min);
    let sources = sources(judged, spec, ctx)?;
    if spec.worst == 0 || (rows as u64) < 2 * rows_min || sources.is_empty() {
        return Ok(Vec::new());
    }
    let Some(losses) = losses(&sample) else { return Ok(Vec::new()) };
    let table = &judged.jury.table;
    let looked_at = spread(rows);
    let few = looked_at.as_ref().map(|rows| table.take(rows)).transpose()?;
    if few.is_some() {
        let (most, all) = (units::count(SLICE_SEARCH_ROWS_MAX as u64), units::count(rows as u64));
        ctx.talk.info(&format!("the worst slices were looked for in {most} of {all} rows"));
    }
    let least = match &looked_at {
        Some(few) => (rows_min * few.len() as u64 / rows as u64).max(ROWS_MIN),
        None => rows_min,
    };
    let searched = few.as_ref().unwrap_or(table);
    let divisions = sources.par_iter().map(|source| source.divide(searched)).collect::<Result<Vec<Division>>>()?;
    let (axes, levels): (Vec<Axis>, Vec<Vec<usize>>) = divisions.iter().map(|division| axis(division, least)).unzip();
    let of_looked_at = |values: &[f64]| match &looked_at {
        Some(rows) => rows.iter().map(|row| values[*row as usize]).collect(),
        None => values.to_vec(),
    };
    let weights = sample.weights.map(of_looked_at);
    let search = Search { rows_min: least, most: spec.worst as usize };
    let found = worst::worst(&axes, &of_looked_at(&losses), weights.as_deref(), &search);
    let whole = whole(&found, &sources, &divisions, few.is_some(), table)?;
    let result = |slice: &Worst| -> Result<(SliceResult, Vec<u32>)> {
        let places = slice.places.iter().map(|(axis, level)| {
            let (of_search, place) = (&divisions[*axis], levels[*axis][usize::from(*level)]);
            let division = whole.get(axis).unwrap_or(of_search);
            let by_name = division.names.iter().position(|name| *name == of_search.names[place]);
            (division, by_name.unwrap_or(place))
        });
        named(&sample, &places.collect::<Vec<_>>())
    };
    let results = found.par_iter().map(result).collect::<Result<Vec<_>>>()?;
    with_intervals(results, &sample, spec, headline, ctx)
}

/// Rows that are in all of some slices, measured.
fn named(sample: &Sample, slices: &[(&Division, usize)]) -> Result<(SliceResult, Vec<u32>)> {
    let holds = |row: &u32| slices.iter().all(|(division, place)| division.codes[*row as usize] as usize == *place);
    let rows: Vec<u32> = (0..sample.scores.rows() as u32).filter(holds).collect();
    let columns: Vec<&str> = slices.iter().map(|(division, _)| division.text.as_str()).collect();
    let values: Vec<&str> = slices.iter().filter_map(|(of, place)| of.names.get(*place).map(String::as_str)).collect();
    let result = SliceResult {
        column: columns.join(" * "),
        value: values.join(" * "),
        rows: rows.len() as u64,
        metrics: of_rows(sample, &rows)?,
        intervals: BTreeMap::new(),
    };
    Ok((result, rows))
}

/// The slices with the interval of their headline metric, where they have both.
fn with_intervals(
    mut found: Vec<(SliceResult, Vec<u32>)>,
    sample: &Sample,
    spec: &EvaluateSpec,
    headline: &str,
    ctx: &OpCtx<'_>,
) -> Result<Vec<SliceResult>> {
    // Rows of clusters cannot be drawn twice: see the intervals of whole samples.
    if spec.resamples > 0 && sample.task != Task::Clustering {
        let mut resampled: Vec<(usize, Vec<u32>)> = Vec::new();
        let measured = |(_, (slice, _)): &(usize, &mut (SliceResult, Vec<u32>))| slice.metrics.contains_key(headline);
        for (place, (slice, rows)) in found.iter_mut().enumerate().filter(measured) {
            match intervals::area(sample, headline, rows).and_then(|area| area.interval(spec.level)) {
                Some(interval) => drop(slice.intervals.insert(headline.to_owned(), interval)),
                None => resampled.push((place, rows.clone())),
            }
        }
        if !resampled.is_empty() {
            let wanted: Vec<Quantity> =
                resampled.iter().map(|(_, rows)| Quantity { sample: 0, metric: headline, rows: Some(rows) }).collect();
            let plan = intervals::plan(&[*sample], &wanted, spec, "intervals of the worst slices", ctx)?;
            let replicates = intervals::resample(&[*sample], &wanted, &plan, ctx)?;
            for (((place, _), quantity), replicates) in resampled.iter().zip(&wanted).zip(replicates) {
                if let Some(interval) = bootstrap::interval(sample, quantity, &replicates, spec.level) {
                    found[*place].0.intervals.insert(headline.to_owned(), interval);
                }
            }
        }
    }
    Ok(found.into_iter().map(|(slice, _)| slice).collect())
}

/// The divisions of all rows that found slices are of, where only some rows were searched.
fn whole(
    found: &[Worst],
    sources: &[Source],
    divisions: &[Division],
    is_part: bool,
    table: &Table,
) -> Result<BTreeMap<usize, Division>> {
    let used: BTreeSet<usize> = found.iter().flat_map(|slice| slice.places.iter().map(|(axis, _)| *axis)).collect();
    let again = |axis: usize| -> Result<(usize, Division)> {
        let division = sources[axis].divide(table)?;
        Ok((axis, Division { text: divisions[axis].text.clone(), ..division }))
    };
    used.into_iter().filter(|_| is_part).map(again).collect()
}

impl Source {
    fn divide(&self, table: &Table) -> Result<Division> {
        match self {
            Source::Column(name) => divide::coarse(table, name, VALUES_MAX, BINS),
            Source::Part(part) => Ok(divide::divide(table, &[part.to_string()])?.remove(0)),
        }
    }
}

/// What is searched: parts of the slices asked for, then the other columns that the model reads.
fn sources(judged: &Judged<'_>, spec: &EvaluateSpec, ctx: &OpCtx<'_>) -> Result<Vec<Source>> {
    let jury = judged.jury;
    let columns = jury.table.columns();
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let roles = jury.dataset.as_ref().map(|dataset| &dataset.record.roles);
    let target = judged.package.map(|package| package.header.target.as_str());
    let known = roles.iter().flat_map(|roles| roles.key.iter().chain(&roles.target).map(String::as_str));
    let never: BTreeSet<&str> = known.chain(target).collect();
    let mut sources = Vec::new();
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for text in &spec.slices {
        for part in SliceSpec::parse(text, &names)?.parts {
            let (key, reads) = match &part {
                SlicePart::Column(name) | SlicePart::Bins { column: name, .. } => (name.clone(), vec![name.clone()]),
                SlicePart::Condition(sql) => {
                    let inputs = Expression::parse(sql)?.inputs().iter().map(|name| name.to_string()).collect();
                    (part.to_string(), inputs)
                }
            };
            if !reads.iter().any(|name| never.contains(name.as_str())) && taken.insert(key) {
                sources.push(match part {
                    SlicePart::Column(name) => Source::Column(name),
                    part => Source::Part(part),
                });
            }
        }
    }
    let inputs = jury.frame.columns().iter().map(|column| &*column.name);
    let inputs: Vec<&str> = inputs.filter(|name| !never.contains(name) && !taken.contains(*name)).collect();
    let all = sources.len() + inputs.len();
    if spec.worst > 0 && all > SLICE_SEARCH_PAIR_COLUMNS_MAX {
        let (count, pairs) = (all.min(SLICE_SEARCH_COLUMNS_MAX), SLICE_SEARCH_PAIR_COLUMNS_MAX);
        let first = if all > count { format!("the first {count} of {all}") } else { format!("{count}") };
        ctx.talk.info(&format!("the worst slices were looked for in {first} columns and in pairs of {pairs} of them"));
    }
    let room = SLICE_SEARCH_COLUMNS_MAX.saturating_sub(sources.len());
    sources.extend(inputs.into_iter().take(room).map(|name| Source::Column(name.to_owned())));
    Ok(sources)
}

/// Rows spread evenly, when there are too many to look at all.
fn spread(rows: usize) -> Option<Vec<u32>> {
    let most = SLICE_SEARCH_ROWS_MAX;
    (rows > most).then(|| (0..most).map(|at| (at as u64 * rows as u64 / most as u64) as u32).collect())
}

/// The slices of at least `rows_min` rows as levels of an axis, and the slice that each level is.
fn axis(division: &Division, rows_min: u64) -> (Axis, Vec<usize>) {
    let sizes = division.sizes();
    let mut levels: Vec<usize> = (0..sizes.len()).filter(|place| sizes[*place] >= rows_min).collect();
    levels.truncate(usize::from(NO_LEVEL));
    let mut codes = vec![NO_LEVEL; sizes.len()];
    (0..).zip(&levels).for_each(|(code, place)| codes[*place] = code);
    let code = |place: &u32| codes.get(*place as usize).copied().unwrap_or(NO_LEVEL);
    (Axis { codes: division.codes.iter().map(code).collect(), levels: levels.len() }, levels)
}
