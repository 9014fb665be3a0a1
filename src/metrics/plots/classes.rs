//! Pictures of one class against the rest.

use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::base::limits::{PLOT_CLASSES_MAX, PLOT_POINTS_MAX};
use crate::metrics::calibration::{BINS, bin_of};
use crate::metrics::classes::Classes;
use crate::metrics::curves;
use crate::metrics::ranked::Ranked;
use crate::metrics::sums::Running;
use crate::record::evaluation::{ClassPlots, PlotBin};

/// Bars of the histogram of probabilities.
const SCORE_BINS: usize = 20;
/// Points of the gain curve: one a percent of the rows.
const GAIN_POINTS: usize = 101;

/// Of two classes the positive one; of more the most frequent ones, the first on a tie, in the order of their names.
pub fn class_plots(classes: &Classes) -> Vec<ClassPlots> {
    let count = classes.names().len();
    let mut shown: Vec<usize> = (usize::from(count == 2)..count).collect();
    shown.sort_by(|a, b| classes.counts().truths(*b).total_cmp(&classes.counts().truths(*a)));
    shown.truncate(PLOT_CLASSES_MAX);
    shown.sort_unstable();
    classes.rank();
    shown.par_iter().map(|class| of_class(classes, *class)).collect()
}

fn of_class(classes: &Classes, class: usize) -> ClassPlots {
    let ranked = classes.ranked(class);
    let ranked = ranked.as_deref();
    let curve = |of: fn(&Ranked, usize) -> Vec<[f64; 2]>, points: usize| {
        ranked.map(|ranked| of(ranked, points)).unwrap_or_default()
    };
    let mut calibration = bins(classes, class, BINS);
    calibration.retain(|bin| bin.rest + bin.members > 0.0);
    ClassPlots {
        class: classes.names()[class].clone(),
        roc: curve(curves::roc, PLOT_POINTS_MAX),
        precision_recall: curve(curves::precision_recall, PLOT_POINTS_MAX),
        calibration,
        scores: bins(classes, class, SCORE_BINS),
        gain: curve(curves::gain, GAIN_POINTS),
    }
}

/// Rows in `count` bins of equal width over `[0, 1]` by the probability of `class`; an empty bin foretells its middle and
/// observes 0.
fn bins(classes: &Classes, class: usize, count: usize) -> Vec<PlotBin> {
    let mut totals = vec![[Running::default(); 3]; count];
    for (row, (probability, truth)) in classes.column(class).zip(classes.truth()).enumerate() {
        let [rest, members, foretold] = &mut totals[bin_of(probability, count)];
        let weight = classes.weights().of(row);
        if *truth as usize == class {
            members.add(weight)
        } else {
            rest.add(weight)
        }
        foretold.add(weight * probability);
    }
    let border = |place: usize| place as f64 / count as f64;
    let bin = |(place, totals): (usize, &[Running; 3])| {
        let [rest, members, foretold] = totals.map(Running::value);
        let (low, high, rows) = (border(place), border(place + 1), rest + members);
        let (predicted, observed) =
            if rows > 0.0 { (foretold / rows, members / rows) } else { ((low + high) / 2.0, 0.0) };
        PlotBin { low, high, rest, members, predicted, observed }
    };
    totals.iter().enumerate().map(bin).collect()
}
