//! What is odd about the rows that a model is judged on.

use anyhow::Result;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::base::limits::{LEAKAGE_COLUMNS_MAX, SMALL_SAMPLE_CLASS_ROWS, SMALL_SAMPLE_ROWS};
use crate::base::units;
use crate::data::table::Table;
use crate::data::target::Target;
use crate::ops::context::OpCtx;
use crate::ops::dataset;
use crate::ops::evaluate::judged::Judged;
use crate::ops::evaluate::jury::Jury;
use crate::ops::evaluate::reading::listed;
use crate::ops::prepare::{Part, read_split};
use crate::quality::report::percent;
use crate::quality::sense::conflicts;
use crate::quality::sense::leakage::given_away;
use crate::quality::sense::overlap::repeated;
use crate::record::evaluation::{JudgingFinding, TRAINING_ROWS};
use crate::record::model::ModelRecord;
use crate::record::split::SplitRecord;
use crate::repo::Repo;

/// Share of rows that training has seen from which it is a warning; below it chance may do it.
const OVERLAP_MIN: f64 = 0.01;
/// Share of rows from which it is the training set that the model is judged on.
const OVERLAP_WHOLE: f64 = 0.9;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The metrics do not mean what they seem to.
    Error,
    /// They may be flattered or uncertain.
    Warning,
    /// Worth knowing.
    Info,
}

/// A finding about `rows` rows.
pub fn finding(code: &str, severity: Severity, message: String, rows: u64) -> JudgingFinding {
    let severity = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    JudgingFinding { code: code.to_owned(), severity: severity.to_owned(), message, rows: Some(rows) }
}

/// Says what matters about the rows; what is only worth knowing stays in the record.
pub fn say(findings: &[JudgingFinding], ctx: &OpCtx<'_>) {
    findings.iter().filter(|finding| finding.severity != "info").for_each(|finding| ctx.talk.warn(&finding.message));
}

/// What rows, truth and answers alone show: what was odd when they were read; few rows, or few of a class; rows that no model
/// can tell apart; columns that give the target away.
pub fn findings(judged: &Judged<'_>) -> Result<Vec<JudgingFinding>> {
    let jury = judged.jury;
    let mut findings = jury.findings.clone();
    findings.extend(small(&jury.truth));
    findings.extend(conflicting(jury)?);
    findings.extend(leaking(judged));
    Ok(findings)
}

/// Too few rows to be sure of anything.
fn small(truth: &Target) -> Vec<JudgingFinding> {
    let mut findings = Vec::new();
    let rows = truth.len() as u64;
    if rows < SMALL_SAMPLE_ROWS {
        let message = format!("only {} were judged: metrics of so few say little", units::plural(rows, "row"));
        findings.push(finding("small_sample", Severity::Warning, message, rows));
    }
    if let Target::Classes { names, codes } = truth
        && rows >= SMALL_SAMPLE_ROWS
    {
        let mut counts = vec![0_u64; names.len()];
        codes.iter().for_each(|code| counts[*code as usize] += 1);
        let few = || names.iter().zip(&counts).filter(|(_, count)| **count < SMALL_SAMPLE_CLASS_ROWS);
        let classes: Vec<String> =
            few().map(|(name, count)| format!("`{name}` ({})", units::plural(*count, "row"))).collect();
        if !classes.is_empty() {
            let message = format!("classes of few judged rows: {}; their metrics say little", listed(&classes));
            findings.push(finding("rare_class", Severity::Warning, message, few().map(|(_, count)| count).sum()));
        }
    }
    findings
}

/// The names of the columns that the model reads and the rows have.
fn inputs(jury: &Jury) -> Vec<&str> {
    jury.frame.columns().iter().map(|column| &*column.name).filter(|name| jury.table.column(name).is_ok()).collect()
}

/// Rows of equal inputs and different classes: mistakes that no model can avoid.
fn conflicting(jury: &Jury) -> Result<Option<JudgingFinding>> {
    let Target::Classes { codes, .. } = &jury.truth else { return Ok(None) };
    let found = conflicts::of_columns(&jury.table, &inputs(jury), codes)?;
    let total = jury.truth.len() as u64;
    let message = format!(
        "{} of {} have the inputs of a row of another class: no model can be right on more than {}",
        units::count(found.rows),
        units::plural(total, "row"),
        percent(1.0 - found.lost as f64 / total.max(1) as f64)
    );
    Ok((found.rows > 0).then(|| finding("label_conflict", Severity::Info, message, found.rows)))
}

/// Single columns that give the target away.
fn leaking(judged: &Judged<'_>) -> Vec<JudgingFinding> {
    let jury = judged.jury;
    let columns = jury.frame.columns();
    let looked_at = &columns[..columns.len().min(LEAKAGE_COLUMNS_MAX)];
    let target = judged.package.map_or("the target", |package| package.header.target.as_str());
    let rows = jury.truth.len() as u64;
    let found: Vec<Option<JudgingFinding>> = looked_at
        .par_iter()
        .map(|column| {
            let seen = given_away(&column.values, &jury.truth)?;
            let message = format!(
                "column `{}` {seen} `{target}`: is it known before the truth is? If not, the model learnt from the answer",
                column.name
            );
            Some(finding("leakage", Severity::Warning, message, rows))
        })
        .collect();
    let mut findings: Vec<JudgingFinding> = found.into_iter().flatten().collect();
    if looked_at.len() < columns.len() {
        let (first, all) = (units::count(looked_at.len() as u64), units::count(columns.len() as u64));
        let message = format!("leakage was looked for in the first {first} of {all} columns");
        findings.push(JudgingFinding { rows: None, ..finding("leakage_limited", Severity::Info, message, 0) });
    }
    findings
}

/// What shows beside the rows that the model was fitted on: the same rows in both. Nothing of a model that knows no training
/// rows, or when it is judged on them knowingly.
///
/// Errors: training data that cannot be read. Cost: reading them where they are another dataset, one hash a value of both.
pub fn against_training(
    repo: &Repo,
    record: &ModelRecord,
    judged: &Judged<'_>,
    ctx: &OpCtx<'_>,
) -> Result<Vec<JudgingFinding>> {
    let jury = judged.jury;
    let (Some(trained_on), Some(split), Some(of)) = (record.dataset, record.split, &jury.dataset) else {
        return Ok(Vec::new());
    };
    if jury.rows_of == "train" {
        return Ok(Vec::new());
    }
    let training = read_split(repo, &repo.record::<SplitRecord>(&split)?)?.rows(Part::Train as u8);
    let total = jury.rows.len() as u64;
    let same_data = of.id == trained_on;
    let seen: Vec<bool> = jury.rows.iter().map(|row| same_data && training.binary_search(row).is_ok()).collect();
    let known = seen.iter().filter(|seen| **seen).count() as u64;
    let mut findings = Vec::new();
    if known > 0 {
        let message = format!(
            "{} of {} are the very rows that the model was fitted on: leave --on out to judge it on its test rows",
            units::count(known),
            units::plural(total, "judged row")
        );
        // Labels of groups and odd rows only judge: having seen the rows does not tell them.
        let severity = if judged.task.is_supervised() { Severity::Error } else { Severity::Info };
        findings.push(finding(TRAINING_ROWS, severity, message, known));
    }
    let all = match same_data {
        true => dataset::table(repo, of, ctx.talk)?,
        false => dataset::table(repo, &dataset::find(repo, Some(&trained_on.hex()), None)?, ctx.talk)?,
    };
    let target = judged.package.map(|package| package.header.target.as_str()).filter(|target| !target.is_empty());
    let columns: Vec<&str> = inputs(jury).into_iter().chain(target).collect();
    let training = all.select(&columns)?.take(&training)?;
    findings.extend(overlapping(&training, jury, &columns, &seen)?);
    Ok(findings)
}

/// Judged rows, but those already `seen`, that are in `training` with all `columns`.
fn overlapping(training: &Table, jury: &Jury, columns: &[&str], seen: &[bool]) -> Result<Option<JudgingFinding>> {
    let both = columns.iter().copied().filter(|name| jury.table.column(name).is_ok()).collect::<Vec<_>>();
    let pairs = repeated(training, &jury.table, &both)?;
    let shared = pairs.iter().filter(|(row, _)| !seen[*row as usize]).count() as u64;
    if shared == 0 {
        return Ok(None);
    }
    let rest = seen.iter().filter(|seen| !**seen).count() as u64;
    let share = shared as f64 / rest as f64;
    let of = format!("{} of {} ({})", units::count(shared), units::plural(rest, "judged row"), percent(share));
    let (severity, message) = match share {
        share if share >= OVERLAP_WHOLE => {
            (Severity::Error, format!("{of} are in the training data: this is the training set, or a part of it"))
        }
        share if share >= OVERLAP_MIN => (
            Severity::Warning,
            format!(
                "{of} equal a training row in every input and the target: a model that remembers rows looks better"
            ),
        ),
        _ => (Severity::Info, format!("{of} equal a training row in every input and the target")),
    };
    Ok(Some(finding("overlap", severity, message, shared)))
}
