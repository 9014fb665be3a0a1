//! Curves over all thresholds: ROC, precision and recall, gain, lift.

use crate::record::evaluation::ClassPlots;
use crate::render::evaluation::plane::Plane;
use crate::render::evaluation::{clipped, name};
use crate::render::number::percent;

/// Classes that are drawn, each with a colour and dashes of its own.
pub const DRAWN: usize = 10;

/// One kind of curve.
pub struct Curve {
    /// Its heading.
    pub title: &'static str,
    /// What it says, in a sentence.
    pub about: &'static str,
    x: &'static str,
    y: &'static str,
    points: fn(&ClassPlots) -> Vec<[f64; 2]>,
    /// The line of a model that knows nothing: both ends, from the share of the class.
    chance: fn(f64) -> [[f64; 2]; 2],
    /// How `x` and `y` are read out.
    words: fn([f64; 2]) -> String,
}

/// The curves in the order of the page.
pub const CURVES: [Curve; 4] = [
    Curve {
        title: "ROC",
        about: "Share of the class that is found against the share of the others that is taken for it, over all \
        thresholds.",
        x: "false positive rate",
        y: "true positive rate",
        points: |class| class.roc.clone(),
        chance: |_| [[0.0, 0.0], [1.0, 1.0]],
        words: |[x, y]| format!("{} found, {} of the others taken for it", percent(y), percent(x)),
    },
    Curve {
        title: "Precision and recall",
        about: "How many of those predicted are right against how many of the class are found, over all thresholds.",
        x: "recall",
        y: "precision",
        points: |class| class.precision_recall.clone(),
        chance: |share| [[0.0, share], [1.0, share]],
        words: |[x, y]| format!("{} found, {} of those predicted are right", percent(x), percent(y)),
    },
    Curve {
        title: "Gain",
        about: "Share of the class among the rows with the highest scores.",
        x: "share of rows, highest scores first",
        y: "share of the class found",
        points: |class| class.gain.clone(),
        chance: |_| [[0.0, 0.0], [1.0, 1.0]],
        words: |[x, y]| format!("the first {} of rows hold {} of the class", percent(x), percent(y)),
    },
    Curve {
        title: "Lift",
        about: "How many times as many of the class the rows with the highest scores hold as rows drawn by chance.",
        x: "share of rows, highest scores first",
        y: "times chance",
        points: lift,
        chance: |_| [[0.0, 1.0], [1.0, 1.0]],
        words: |[x, y]| format!("the first {} of rows: {y:.2} times chance", percent(x)),
    },
];

fn lift(class: &ClassPlots) -> Vec<[f64; 2]> {
    class.gain.iter().filter(|[rows, _]| *rows > 0.0).map(|[rows, found]| [*rows, found / rows]).collect()
}

fn finite(mut points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    points.retain(|point| point.iter().all(|part| part.is_finite()));
    points
}

/// Share of the class among the rows, from the bins of its scores.
fn share(class: &ClassPlots) -> f64 {
    let (members, rest) = class.scores.iter().fold((0.0, 0.0), |sum, bin| (sum.0 + bin.members, sum.1 + bin.rest));
    if members + rest > 0.0 { members / (members + rest) } else { 0.0 }
}

/// One kind of curve of all classes; nothing when no class has points.
pub fn plot(curve: &Curve, classes: &[ClassPlots]) -> Option<String> {
    let drawn: Vec<(usize, &ClassPlots, Vec<[f64; 2]>)> = classes
        .iter()
        .take(DRAWN)
        .enumerate()
        .map(|(at, class)| (at, class, finite((curve.points)(class))))
        .filter(|(.., points)| !points.is_empty())
        .collect();
    let (_, first, points) = drawn.first()?;
    let heights = drawn.iter().flat_map(|(.., points)| points.iter().map(|point| point[1])).chain([0.0, 1.0]);
    let heights: Vec<f64> = heights.collect();
    let of = match drawn.len() {
        1 => format!("of {}", clipped(&first.class, 40)),
        count => format!("of {count} classes"),
    };
    let mut plane = Plane::new(&format!("{} {of}", curve.title), (curve.x, &[0.0, 1.0]), (curve.y, &heights));
    if drawn.len() == 1 || curve.title != "Precision and recall" {
        plane.line("chance", &(curve.chance)(share(first)));
    }
    for (at, _, points) in &drawn {
        plane.line(&format!("line o{at}"), points);
    }
    if drawn.len() == 1 {
        let ends = |at: usize| points.get(at + 1).map_or(points[at][0], |next| next[0]);
        let fields =
            points.iter().enumerate().map(|(at, point)| (point[0].min(ends(at)), point[0].max(ends(at)), *point));
        let mut fields: Vec<(f64, f64, String)> =
            fields.map(|(low, high, point)| (low, high, (curve.words)(point))).collect();
        fields.sort_by(|a, b| a.0.total_cmp(&b.0));
        plane.fields(&fields);
    }
    Some(plane.done())
}

/// Names of the classes with their colours, for more than one.
pub fn legend(classes: &[ClassPlots]) -> String {
    if classes.len() < 2 {
        return String::new();
    }
    let key = |(at, class): (usize, &ClassPlots)| {
        format!("<span class=\"key\"><i class=\"bar o{at}\"></i>{}</span>", name(&class.class))
    };
    let keys: String = classes.iter().take(DRAWN).enumerate().map(key).collect();
    format!("<p class=\"keys\">{keys}<span class=\"key\"><i class=\"bar chance\"></i>chance</span></p>\n")
}
