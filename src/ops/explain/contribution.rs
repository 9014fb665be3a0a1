//! Contributions of raw columns: exact where the model says them, else sampled.

use anyhow::Result;

use crate::base::limits::{EXPLAIN_BACKGROUND_ROWS, EXPLAIN_COLUMNS_MAX};
use crate::base::talk::Unit;
use crate::base::units;
use crate::data::frame::Frame;
use crate::models::explain::attribution::{Attributions, Origins, exact};
use crate::models::explain::linear;
use crate::models::explain::sampled::{Game, sampled};
use crate::models::predictor::Margin;
use crate::ops::explain::Subject;
use crate::ops::explain::budget::budget;
use crate::record::explanation::ContributionMethod;
use crate::spec::training::CalibrationMethod;

/// Fewest rows that sampled contributions are summed up over, if there are as many.
const SAMPLED_ROWS_MIN: usize = 20;

/// How contributions are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Shapley values of trees, along the paths of the training rows.
    Trees,
    /// Coefficient times distance from the mean.
    Linear,
    /// Exact in some other way that the model knows.
    Other,
    /// Orders of columns drawn by chance.
    Sampled,
}

/// Contributions for the rows looked at, or some of them.
pub struct Summary {
    /// How they were made.
    pub method: Method,
    /// Contributions of each player.
    pub parts: Attributions,
    /// Positions of the rows in the frame of rows looked at.
    pub rows: Vec<u32>,
    /// Sets of columns that contribute together: single columns, but for what is beyond the limit of columns.
    pub players: Vec<Vec<usize>>,
    /// Positions of the background rows, where sampled.
    pub background: Vec<u32>,
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Method::Trees => "exact_trees",
            Method::Linear => "exact_linear",
            Method::Other => "exact",
            Method::Sampled => "sampled",
        }
    }
}

impl Summary {
    /// As kept.
    pub fn method(&self) -> ContributionMethod {
        ContributionMethod {
            method: self.method.name().to_owned(),
            margin: if self.parts.margin == Margin::Answer { "answer" } else { "score" }.to_owned(),
            base: self.parts.base.clone(),
            rows: self.rows.len() as u64,
            background: (self.method == Method::Sampled).then_some(self.background.len() as u64),
        }
    }

    /// The player that is one column alone.
    pub fn player(&self, column: usize) -> Option<usize> {
        self.players.iter().position(|players| players[..] == [column])
    }
}

/// Sizes of the model's own importance by raw column, summing to 1; none where it has none.
pub fn own_importance(subject: &Subject<'_>) -> Option<Vec<f64>> {
    let gains: Vec<f64> = subject.package.predictor().importance()?.into_iter().map(|of| of.gain.max(0.0)).collect();
    let sums = Origins::new(&subject.package.recipe).sum(&gains);
    let total: f64 = sums.iter().sum();
    (total > 0.0 && total.is_finite()).then(|| sums.into_iter().map(|sum| sum / total).collect())
}

/// Contributions for the rows looked at: exact if the model says them, else sampled on as many rows as the limit
/// allows.
pub fn summary(subject: &Subject<'_>, notes: &mut Vec<String>) -> Result<Summary> {
    let frame = &subject.ground.frame;
    let columns = frame.columns().len();
    let header = &subject.package.header;
    if header.calibration == CalibrationMethod::None {
        match exact(subject.package, frame) {
            Ok(Some(parts)) => {
                let method = match header.model.as_str() {
                    _ if linear::of_package(subject.package).is_some() => Method::Linear,
                    "boost" | "forest" | "extra_trees" | "tree" => Method::Trees,
                    _ => Method::Other,
                };
                let shared = Origins::new(&subject.package.recipe).shared();
                if shared > 0 {
                    let features = units::plural(shared as u64, "feature");
                    let what = "made of several columns: their contributions are divided equally among these";
                    notes.push(format!("{features} {} {what}", if shared == 1 { "is" } else { "are" }));
                }
                let rows = (0..frame.rows() as u32).collect();
                let players = (0..columns).map(|column| vec![column]).collect();
                return Ok(Summary { method, parts, rows, players, background: Vec::new() });
            }
            Ok(None) => {}
            Err(error) => notes.push(format!("exact contributions are not to be had ({error:#}): they are sampled")),
        }
    }
    sampled_summary(subject, notes)
}

fn sampled_summary(subject: &Subject<'_>, notes: &mut Vec<String>) -> Result<Summary> {
    let frame = &subject.ground.frame;
    let players = players(subject, frame.columns().len());
    let background = spread(frame.rows(), EXPLAIN_BACKGROUND_ROWS);
    let each = 2 * players.len() * background.len();
    let count = (budget(subject.package).evaluations / each.max(1)).max(SAMPLED_ROWS_MIN);
    let rows = spread(frame.rows(), count);
    if rows.len() < frame.rows() {
        let rows = units::count(rows.len() as u64);
        notes.push(format!("contributions are sampled for {rows} of the rows, as each takes {each} answers"));
    }
    if background.len() < 10 {
        let rows = units::plural(background.len() as u64, "row");
        notes.push(format!("{rows} alone stand for what is usual: contributions say little"));
    }
    let parts = sample(subject, frame, &rows, &background, &players, "explaining rows")?;
    Ok(Summary { method: Method::Sampled, parts, rows, players, background })
}

/// Sampled contributions for the rows `rows` of `frame`, which holds the background too.
pub fn sample(
    subject: &Subject<'_>,
    frame: &Frame,
    rows: &[u32],
    background: &[u32],
    players: &[Vec<usize>],
    label: &str,
) -> Result<Attributions> {
    let progress = subject.ctx.talk.start(label, Some(rows.len() as u64), Unit::Items);
    let game = Game { frame, rows, background, players, seed: subject.seed.derive("shapley") };
    sampled(&game, &subject.model, &|| progress.advance(1))
}

/// Every column by itself; of too many, those that matter most to the model, and all others together.
fn players(subject: &Subject<'_>, columns: usize) -> Vec<Vec<usize>> {
    if columns <= EXPLAIN_COLUMNS_MAX {
        return (0..columns).map(|column| vec![column]).collect();
    }
    let mut order: Vec<usize> = (0..columns).collect();
    if let Some(own) = own_importance(subject) {
        order.sort_by(|a, b| own[*b].total_cmp(&own[*a]));
    }
    let (alone, rest) = order.split_at(EXPLAIN_COLUMNS_MAX - 1);
    alone.iter().map(|column| vec![*column]).chain([rest.to_vec()]).collect()
}

/// At most `most` positions, evenly from the first to the last: the rows looked at are in no order that matters.
pub fn spread(rows: usize, most: usize) -> Vec<u32> {
    let count = rows.min(most);
    (0..count).map(|place| (place * rows / count.max(1)) as u32).collect()
}
