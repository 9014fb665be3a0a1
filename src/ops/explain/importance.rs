//! Permutation importance of single columns, and of columns that go together.

use anyhow::Result;

use crate::base::fail;
use crate::base::talk::Unit;
use crate::data::associate::associate;
use crate::data::associate::correlation::Pair;
use crate::data::frame::{Frame, Values};
use crate::data::matrix::Matrix;
use crate::data::target::Target;
use crate::metrics::{self, zoo};
use crate::models::explain::permutation::{Worth, permutation};
use crate::models::package::ModelPackage;
use crate::ops::explain::Subject;
use crate::ops::explain::columns::Chosen;
use crate::ops::train::scores;
use crate::ops::unsupervised::Seen;
use crate::record::explanation::{ExplainedMetric, GroupImportance};
use crate::spec::model::Task;

/// Strength from which on two columns count as going together.
const TOGETHER: f64 = 0.8;
/// Rows below which columns go together by chance too easily.
const TOGETHER_ROWS_MIN: usize = 30;
/// Groups that are shuffled: more are not read.
const GROUPS_MAX: usize = 20;

/// Value of one metric for the answers to `frame`; none where it has no meaning.
fn value(package: &ModelPackage, frame: &Frame, truth: &Target, name: &str) -> Result<Option<f64>> {
    let predictions = package.predict(frame)?;
    let seen = Seen::of(&Matrix::default(), package.header.task);
    let scores = scores(&predictions, truth, &seen)?;
    let found = metrics::compute_at(Some(&[name]), &scores, package.header.task, package.header.threshold)?;
    Ok(found.get(name).copied())
}

/// The metric, and its value on the rows as they are: the one asked for, else the headline metric of the task, else
/// another that has a meaning on these rows, which is said.
fn choose(subject: &Subject<'_>, truth: &Target, notes: &mut Vec<String>) -> Result<Option<(String, f64)>> {
    let (package, frame, task) = (subject.package, &subject.ground.frame, subject.package.header.task);
    if let Some(name) = &subject.options.metric {
        let name = zoo::find(name, task)?.name;
        let found = value(package, frame, truth, &name)?;
        return found.map(|found| Some((name.clone(), found))).ok_or_else(|| {
            let what = format!("`{name}` has no meaning on these rows (too few rows, or of one class only)");
            fail::usage(what).hint("name another metric, or other rows with --on or --rows").into()
        });
    }
    let headline = zoo::headline(task);
    let others: &[&str] = match task {
        Task::Binary | Task::Multiclass => &["log_loss", "accuracy"],
        Task::Regression => &["mae"],
        Task::Clustering | Task::Anomaly => &[],
    };
    for name in std::iter::once(headline).chain(others.iter().copied()) {
        if let Some(found) = value(package, frame, truth, name)? {
            if name != headline {
                notes.push(format!("`{headline}` has no meaning on these rows: `{name}` takes its place"));
            }
            return Ok(Some((name.to_owned(), found)));
        }
    }
    notes.push(format!("`{headline}` has no meaning on these rows, so no permutation importance"));
    Ok(None)
}

/// Measures every chosen column; none without the truth.
pub fn measure(subject: &Subject<'_>, chosen: &mut Chosen, notes: &mut Vec<String>) -> Result<Option<ExplainedMetric>> {
    let Some(truth) = &subject.ground.truth else {
        return Ok(None);
    };
    let Some((name, whole)) = choose(subject, truth, notes)? else {
        return Ok(None);
    };
    if subject.ground.rows.len() < 2 {
        notes.push("one row alone cannot be shuffled: permutation importance is 0".to_owned());
    }
    let higher_is_better = zoo::find(&name, subject.package.header.task)?.higher_is_better;
    let metric = ExplainedMetric { name, value: whole, higher_is_better, repeats: subject.options.repeats as u64 };
    let places: Vec<Vec<usize>> = chosen.entries.iter().map(|entry| vec![entry.place]).collect();
    let found = shuffled(subject, truth, &metric, &places, "shuffling columns")?;
    for (entry, found) in chosen.entries.iter_mut().zip(found) {
        entry.column.permutation = Some(found);
    }
    Ok(Some(metric))
}

fn shuffled(
    subject: &Subject<'_>,
    truth: &Target,
    metric: &ExplainedMetric,
    places: &[Vec<usize>],
    label: &str,
) -> Result<Vec<crate::record::explanation::Estimate>> {
    let repeats = subject.options.repeats;
    let progress = subject.ctx.talk.start(label, Some((places.len() * repeats) as u64), Unit::Items);
    let sign = if metric.higher_is_better { 1.0 } else { -1.0 };
    let worth: &Worth<'_> = &|frame| {
        let found = value(subject.package, frame, truth, &metric.name)?;
        found.map(|found| sign * found).ok_or_else(|| {
            let what = format!("`{}` has no meaning once a column is shuffled", metric.name);
            fail::usage(what).hint("name another metric with --metric").into()
        })
    };
    let seed = subject.seed.derive("permutation");
    permutation(&subject.ground.frame, places, repeats, seed, worth, &|| progress.advance(1))
}

/// Columns that go together, shuffled together: each alone looks unimportant as the others stand in for it.
pub fn groups(
    subject: &Subject<'_>,
    chosen: &Chosen,
    metric: &ExplainedMetric,
    notes: &mut Vec<String>,
) -> Result<Vec<GroupImportance>> {
    let ground = subject.ground;
    let (Some(truth), true) = (&ground.truth, ground.rows.len() >= TOGETHER_ROWS_MIN) else {
        return Ok(Vec::new());
    };
    let mut places: Vec<usize> = chosen.entries.iter().map(|entry| entry.place).collect();
    places.sort_unstable();
    let columns = ground.frame.columns();
    let names: Vec<&str> = places.iter().map(|&place| &*columns[place].name).collect();
    let found = associate(&ground.table.select(&names)?.take(&ground.rows)?, None)?;
    let levels = |name: &str| match ground.frame.column(name).map(|column| &column.values) {
        Ok(Values::Text(text)) => text.levels.len(),
        _ => 2,
    };
    // Tables of many texts go together by chance.
    let certain = |pair: &&Pair| levels(&pair.a) * levels(&pair.b) * 5 <= ground.rows.len();
    let strong = found.spearman.iter().chain(found.cramers_v.iter().filter(certain));
    let strong: Vec<(&str, &str, f64)> = strong
        .filter_map(|pair| Some((&*pair.a, &*pair.b, pair.value?)))
        .filter(|(.., value)| value.abs() >= TOGETHER)
        .collect();
    let mut sets = joined(&names, &strong);
    if sets.len() > GROUPS_MAX {
        notes.push(format!("{} groups of columns go together; the first {GROUPS_MAX} are shuffled", sets.len()));
        sets.truncate(GROUPS_MAX);
    }
    let sets_of_places: Vec<Vec<usize>> =
        sets.iter().map(|set| set.iter().map(|&number| places[number]).collect()).collect();
    let drops = shuffled(subject, truth, metric, &sets_of_places, "shuffling groups of columns")?;
    let mut groups: Vec<GroupImportance> = sets
        .iter()
        .zip(drops)
        .map(|(set, permutation)| {
            let held: Vec<&str> = set.iter().map(|&number| names[number]).collect();
            let inside = strong.iter().filter(|(a, b, _)| held.contains(a) && held.contains(b));
            let association =
                inside.map(|(.., value)| *value).max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(0.0);
            let columns = held.into_iter().map(str::to_owned).collect();
            GroupImportance { columns, association, permutation }
        })
        .collect();
    groups.sort_by(|a, b| b.permutation.mean.total_cmp(&a.permutation.mean));
    Ok(groups)
}

/// Sets of at least two names that pairs connect, as numbers, in order.
fn joined(names: &[&str], pairs: &[(&str, &str, f64)]) -> Vec<Vec<usize>> {
    let mut leader: Vec<usize> = (0..names.len()).collect();
    let place = |name: &str| names.iter().position(|known| *known == name);
    for (a, b, _) in pairs {
        if let (Some(a), Some(b)) = (place(a), place(b)) {
            let (from, to) = (leader[a].max(leader[b]), leader[a].min(leader[b]));
            leader.iter_mut().filter(|leader| **leader == from).for_each(|leader| *leader = to);
        }
    }
    let members = |first: usize| -> Vec<usize> { (0..names.len()).filter(|&other| leader[other] == first).collect() };
    (0..names.len()).filter(|&first| leader[first] == first).map(members).filter(|set| set.len() > 1).collect()
}
