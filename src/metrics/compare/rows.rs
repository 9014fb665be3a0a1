//! Two models row by row: who is right, who is nearer, who answers otherwise.

use crate::data::frame::MISSING_CODE;
use crate::metrics::classes::most_probable;
use crate::metrics::{Sample, Scores};

/// Rows by who answers them better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Rows that the first answers rightly and the second wrongly; of numbers, rows that it is nearer on.
    pub wins: u64,
    /// Rows that the second answers better.
    pub losses: u64,
    /// All other rows.
    pub ties: u64,
    /// Rows that get another class or flag; 0 for numbers.
    pub flips: u64,
}

/// Compares answers to the rows `rows` of both, or to all. Rows without a label are ties.
///
/// `None` where there is nothing to compare row by row: clusters, and samples of different kinds or lengths.
pub fn outcome(ours: &Sample, theirs: &Sample, rows: Option<&[u32]>) -> Option<Outcome> {
    let count = ours.scores.rows();
    if theirs.scores.rows() != count {
        return None;
    }
    let errors = errors(ours, theirs)?;
    let mut outcome = Outcome::default();
    let mut add = |row: usize| {
        let ([our_error, their_error], flips) = errors(row);
        outcome.wins += u64::from(our_error < their_error);
        outcome.losses += u64::from(our_error > their_error);
        outcome.ties += u64::from(our_error == their_error);
        outcome.flips += u64::from(flips);
    };
    match rows {
        None => (0..count).for_each(&mut add),
        Some(rows) => rows.iter().for_each(|row| add(*row as usize)),
    }
    Some(outcome)
}

type Errors<'a> = Box<dyn Fn(usize) -> ([f64; 2], bool) + 'a>;

/// Errors of both on a row, 0 or 1 for classes and flags, and whether they answer otherwise.
fn errors<'a>(ours: &Sample<'a>, theirs: &Sample<'a>) -> Option<Errors<'a>> {
    match (ours.scores, theirs.scores) {
        (Scores::Classes { truth, .. }, Scores::Classes { .. }) => {
            let predicted = [predicted(ours)?, predicted(theirs)?];
            Some(Box::new(move |row| {
                let answers = [predicted[0](row), predicted[1](row)];
                (answers.map(|answer| f64::from(u8::from(answer != truth[row]))), answers[0] != answers[1])
            }))
        }
        (Scores::Numbers { truth, predicted }, Scores::Numbers { predicted: other, .. }) => {
            Some(Box::new(move |row| ([predicted[row], other[row]].map(|answer| (answer - truth[row]).abs()), false)))
        }
        (
            Scores::Anomalies { truth, scores, threshold },
            Scores::Anomalies { scores: other, threshold: other_threshold, .. },
        ) => Some(Box::new(move |row| {
            let flags = [scores[row] > threshold, other[row] > other_threshold];
            let is_wrong = |flag: bool| truth[row] != MISSING_CODE && flag != (truth[row] == 1);
            (flags.map(|flag| f64::from(u8::from(is_wrong(flag)))), flags[0] != flags[1])
        })),
        _ => None,
    }
}

/// Predicted class of a row.
pub fn predicted<'a>(sample: &Sample<'a>) -> Option<impl Fn(usize) -> u32 + 'a> {
    let Scores::Classes { probabilities, names, .. } = sample.scores else {
        return None;
    };
    let (width, threshold) = (names.len(), sample.threshold);
    Some(move |row: usize| {
        let of_row = &probabilities[row * width..][..width];
        match (threshold, of_row) {
            (Some(threshold), [_, second]) => u32::from(*second > threshold),
            _ => most_probable(of_row),
        }
    })
}
