//! Bins drawn: scores by class, calibration with counts, residuals, and truth against prediction.

use crate::base::units;
use crate::record::evaluation::{ClassPlots, NumberPlots, PlotBin};
use crate::render::evaluation::curves::DRAWN;
use crate::render::evaluation::plane::Plane;
use crate::render::evaluation::short_label;
use crate::render::number::{brief, number, percent};

/// Room for counts below a calibration diagram.
const COUNTS: f64 = 34.0;

fn rows(bin: &PlotBin) -> f64 {
    bin.rest.max(0.0) + bin.members.max(0.0)
}

/// Scores of the rows of a class (filled) and of all others (outline), each as shares of their own.
pub fn scores(class: &ClassPlots) -> Option<String> {
    let bins = &class.scores;
    let (members, rest) = bins.iter().fold((0.0, 0.0), |sum, bin| (sum.0 + bin.members, sum.1 + bin.rest));
    let of = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    if members + rest <= 0.0 {
        return None;
    }
    let shares = bins.iter().flat_map(|bin| [of(bin.members, members), of(bin.rest, rest)]);
    let heights: Vec<f64> = shares.chain([0.0]).collect();
    let title = format!("Scores of rows of {} and of others", short_label(&class.class, 40));
    let mut plane = Plane::new(&title, ("score", &[0.0, 1.0]), ("share of their rows", &heights));
    for bin in bins {
        plane.bar("now", (bin.low, bin.high), of(bin.members, members));
    }
    let outline: Vec<(f64, f64, f64)> = bins.iter().map(|bin| (bin.low, bin.high, of(bin.rest, rest))).collect();
    plane.steps("then", &outline);
    let words = |bin: &PlotBin| {
        format!(
            "{} – {}: {} of the class, {} of the others",
            number(bin.low),
            number(bin.high),
            percent(of(bin.members, members)),
            percent(of(bin.rest, rest))
        )
    };
    let fields: Vec<(f64, f64, String)> = bins.iter().map(|bin| (bin.low, bin.high, words(bin))).collect();
    plane.fields(&fields);
    Some(plane.done())
}

/// Share of the class against the probability predicted, with the rows of each bin below; of several classes the lines
/// alone.
pub fn calibration(classes: &[ClassPlots]) -> Option<String> {
    let drawn: Vec<(usize, &ClassPlots)> = classes
        .iter()
        .take(DRAWN)
        .enumerate()
        .filter(|(_, class)| class.calibration.iter().any(|bin| rows(bin) > 0.0))
        .collect();
    let (_, first) = drawn.first()?;
    let foot = if drawn.len() == 1 { COUNTS } else { 0.0 };
    let mut plane = Plane::with_foot(
        "Calibration: share of the class against the probability predicted",
        ("predicted probability", &[0.0, 1.0]),
        ("share of the class", &[0.0, 1.0]),
        foot,
    );
    plane.line("chance", &[[0.0, 0.0], [1.0, 1.0]]);
    for (at, class) in &drawn {
        let filled: Vec<&PlotBin> = class.calibration.iter().filter(|bin| rows(bin) > 0.0).collect();
        let points: Vec<[f64; 2]> = filled.iter().map(|bin| [bin.predicted, bin.observed]).collect();
        plane.line(&format!("line o{at}"), &points);
        for bin in filled {
            plane.dot(&format!("dot o{at}"), [bin.predicted, bin.observed], 3.2, &bin_words(bin));
        }
    }
    if drawn.len() == 1 {
        let most = first.calibration.iter().map(rows).fold(0.0, f64::max);
        for bin in &first.calibration {
            plane.hanging((bin.low, bin.high), rows(bin) / most.max(f64::MIN_POSITIVE));
        }
    }
    Some(plane.done())
}

fn bin_words(bin: &PlotBin) -> String {
    format!(
        "{} rows: predicted {}, found {}",
        brief(rows(bin)),
        number((bin.predicted * 1e4).round() / 1e4),
        number((bin.observed * 1e4).round() / 1e4)
    )
}

/// How often residuals fall into each bin, with a line at none.
pub fn residuals(numbers: &NumberPlots) -> Option<String> {
    let bins = &numbers.residuals;
    let (first, last) = (bins.first()?, bins.last()?);
    let heights: Vec<f64> = bins.iter().map(rows).chain([0.0]).collect();
    let ends = [first.low.min(0.0), last.high.max(0.0)];
    let mut plane =
        Plane::new("Residuals: truth minus prediction", ("truth minus prediction", &ends), ("rows", &heights));
    for bin in bins {
        plane.bar("now", (bin.low, bin.high), rows(bin));
    }
    plane.upright("overall", 0.0);
    let words = |bin: &PlotBin| format!("{} – {}: {} rows", number(bin.low), number(bin.high), brief(rows(bin)));
    let fields: Vec<(f64, f64, String)> = bins.iter().map(|bin| (bin.low, bin.high, words(bin))).collect();
    plane.fields(&fields);
    Some(plane.done())
}

/// Truth against prediction, a dot a row, with the line where both are the same.
pub fn pairs(numbers: &NumberPlots) -> Option<String> {
    let both: Vec<f64> = numbers.pairs.iter().flatten().copied().filter(|value| value.is_finite()).collect();
    let (low, high) = both.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |ends, v| (ends.0.min(*v), ends.1.max(*v)));
    if both.is_empty() {
        return None;
    }
    let title = format!("Truth against prediction of {}", units::plural(numbers.pairs.len() as u64, "row"));
    let mut plane = Plane::new(&title, ("prediction", &both), ("truth", &both));
    plane.line("chance", &[[low, low], [high, high]]);
    plane.cloud("cloud", &numbers.pairs);
    Some(plane.done())
}

/// Mean truth against mean prediction of bins of equally many rows.
pub fn deciles(numbers: &NumberPlots) -> Option<String> {
    let filled: Vec<&PlotBin> = numbers.calibration.iter().filter(|bin| rows(bin) > 0.0).collect();
    let both: Vec<f64> = filled.iter().flat_map(|bin| [bin.predicted, bin.observed]).collect();
    let (low, high) = both.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |ends, v| (ends.0.min(*v), ends.1.max(*v)));
    if both.is_empty() {
        return None;
    }
    let mut plane = Plane::new(
        "Mean truth against mean prediction of bins of equally many rows",
        ("mean prediction", &both),
        ("mean truth", &both),
    );
    plane.line("chance", &[[low, low], [high, high]]);
    let points: Vec<[f64; 2]> = filled.iter().map(|bin| [bin.predicted, bin.observed]).collect();
    plane.line("line o0", &points);
    for bin in filled {
        plane.dot("dot o0", [bin.predicted, bin.observed], 3.4, &bin_words(bin));
    }
    Some(plane.done())
}
