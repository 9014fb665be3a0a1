//! Why single rows were answered as they were.

use anyhow::Result;

use crate::data::frame::{MISSING_CODE, MISSING_TIME, Values};
use crate::data::target::{Target, target_against};
use crate::models::explain::attribution::{Attributions, exact};
use crate::models::explain::grid::label;
use crate::models::explain::model::flat;
use crate::models::predictor::{Margin, Predictions};
use crate::ops::explain::Subject;
use crate::ops::explain::contribution::{Method, Summary, sample};
use crate::record::explanation::{RowContribution, RowExplanation};
use crate::spec::schema::ColumnType;

/// Explains the rows numbered `rows` of the table, in that order.
pub fn explain(
    subject: &Subject<'_>,
    rows: &[u32],
    summary: &Summary,
    notes: &mut Vec<String>,
) -> Result<Vec<RowExplanation>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ground = subject.ground;
    let parts = attributions(subject, rows, summary)?;
    let frame = ground.frame_of(rows)?;
    let predictions = subject.package.predict(&frame)?;
    let truths = truths(subject, rows);
    let each = rows.iter().enumerate().map(|(place, &row)| {
        let part = ground.part(row);
        if part == Some("train") {
            let number = row + 1;
            notes.push(format!("row {number} is one of the rows that the model was fitted on: it knows its answer"));
        }
        let (prediction, output) = answer(subject, &predictions, place);
        let answers = answers(&predictions, place);
        let keys = ground.dataset.record.roles.key.iter();
        RowExplanation {
            row: u64::from(row) + 1,
            part: part.map(str::to_owned),
            key: keys.filter_map(|key| Some((key.clone(), ground.table.cell(row as usize, key)?))).collect(),
            prediction,
            answers: answers.clone(),
            truth: truths.as_ref().and_then(|truths| truths[place].clone()),
            output,
            base: parts.base.clone(),
            margin: margin(&parts, place, &answers),
            contributions: contributions(subject, &frame, place, &parts, summary, output),
        }
    });
    Ok(each.collect())
}

/// Contributions for the rows, made as those of the summary.
fn attributions(subject: &Subject<'_>, rows: &[u32], summary: &Summary) -> Result<Attributions> {
    let ground = subject.ground;
    if summary.method != Method::Sampled
        && let Some(parts) = exact(subject.package, &ground.frame_of(rows)?)?
    {
        return Ok(parts);
    }
    let count = summary.background.len();
    let mut all: Vec<u32> = summary.background.iter().map(|&place| ground.rows[place as usize]).collect();
    all.extend(rows);
    let frame = ground.frame_of(&all)?;
    let numbers: Vec<u32> = (0..all.len() as u32).collect();
    let (background, asked) = numbers.split_at(count);
    sample(subject, &frame, asked, background, &summary.players, "explaining single rows")
}

/// What base and contributions sum to: the answers themselves where these differ by rounding alone.
fn margin(parts: &Attributions, place: usize, answers: &[f64]) -> Vec<f64> {
    const ROUNDING: f64 = 1e-9;
    let size = answers.iter().chain(&parts.base).fold(0.0_f64, |most, value| most.max(value.abs()));
    let near = |(sum, answer): (f64, &f64)| if (sum - answer).abs() <= ROUNDING * size { *answer } else { sum };
    match parts.margin {
        Margin::Answer => parts.margin_of(place).into_iter().zip(answers).map(near).collect(),
        Margin::Score => parts.margin_of(place),
    }
}

/// The answer as text and the output that is drawn.
fn answer(subject: &Subject<'_>, predictions: &Predictions, place: usize) -> (String, usize) {
    match predictions {
        Predictions::Numbers(values) => (values[place].to_string(), 0),
        Predictions::Anomalies { scores, threshold } => {
            (if scores[place] > *threshold { "anomalous" } else { "normal" }.to_owned(), 0)
        }
        Predictions::Probabilities { classes, .. } => {
            let class = subject.package.labels(predictions)[place] as usize;
            let name = subject.package.header.classes.get(class).cloned().unwrap_or_default();
            (name, if *classes == 2 { 0 } else { class })
        }
        Predictions::Clusters { codes, .. } => (codes[place].to_string(), 0),
    }
}

fn answers(predictions: &Predictions, place: usize) -> Vec<f64> {
    let rows = predictions.rows().max(1);
    let values = flat(predictions.clone()).unwrap_or_default();
    let outputs = values.len() / rows;
    values.into_iter().skip(place * outputs).take(outputs).collect()
}

/// What was true of each row, as text; nothing at all where the truth cannot be read.
fn truths(subject: &Subject<'_>, rows: &[u32]) -> Option<Vec<Option<String>>> {
    let header = &subject.package.header;
    // Rows without the truth are explained all the same.
    let (target, with_truth) =
        target_against(&subject.ground.table, &header.target, header.task, &header.classes).ok()?;
    let truth = |row: &u32| {
        let place = with_truth.binary_search(row).ok()?;
        match &target {
            Target::Numbers(values) => Some(values[place].to_string()),
            Target::Classes { names, codes } | Target::Labels { names, codes, .. } => {
                (codes[place] != MISSING_CODE).then(|| names.get(codes[place] as usize).cloned()).flatten()
            }
        }
    };
    Some(rows.iter().map(truth).collect())
}

/// Contributions of single columns to one row, the largest to the drawn output first; what is beyond the limit of
/// columns last.
fn contributions(
    subject: &Subject<'_>,
    frame: &crate::data::frame::Frame,
    place: usize,
    parts: &Attributions,
    summary: &Summary,
    output: usize,
) -> Vec<RowContribution> {
    let types = &subject.ground.types;
    let of = |(player, columns): (usize, &Vec<usize>)| {
        let (column, value) = match columns[..] {
            [only] => {
                let column = &frame.columns()[only];
                (column.name.to_string(), shown(&column.values, place, types[only]))
            }
            _ => (format!("{} other columns", columns.len()), None),
        };
        RowContribution {
            column,
            value,
            contributions: parts.of(place, player).to_vec(),
            errors: parts.errors_of(place, player).map(<[f64]>::to_vec),
        }
    };
    let mut all: Vec<RowContribution> = summary.players.iter().enumerate().map(of).collect();
    let size = |part: &RowContribution| part.contributions.get(output).map_or(0.0, |value| value.abs());
    all.sort_by(|a, b| size(b).total_cmp(&size(a)));
    all
}

/// One raw value as people write it; none when it is missing.
fn shown(values: &Values, row: usize, column_type: ColumnType) -> Option<String> {
    match values {
        Values::Text(text) => text.get(row).map(str::to_owned),
        Values::Number(numbers) if numbers[row].is_nan() => None,
        Values::Number(numbers) => Some(label(numbers[row], column_type)),
        Values::Time(times) if times[row] == MISSING_TIME => None,
        Values::Time(times) => Some(label(times[row] as f64, column_type)),
        Values::Indicator { .. } | Values::Category { .. } => None,
    }
}
