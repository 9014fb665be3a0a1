//! Judgements with everything filled: two classes, five classes, numbers; with names from hostile data where asked for.

use std::collections::BTreeMap;

use crate::base::hash::hash;
use crate::record::evaluation::{
    ClassPlots, ConfusionMatrix, Difference, FacetResult, GateResult, Interval, IntervalMethod, Judgement,
    JudgingFinding, ModelComparison, NumberPlots, PlotBin, Plots, RobustnessResult, SliceDifference, SliceResult,
    Verdict,
};
use crate::render::evaluation::{EvaluationDocument, Importance, ImportantColumn, MetricWords};

/// Names as they come from somebody who means harm.
pub const EVIL: &str = "<script>alert('x')</script>\"&|`*\u{1}\u{202e}@all\n--> ]]>";

/// A judgement with what a document needs beside it.
pub struct Sample {
    pub model: String,
    pub dataset: String,
    pub judgement: Judgement,
    pub costs: BTreeMap<String, f64>,
    pub metrics: Vec<MetricWords>,
    pub importance: Option<Importance>,
}

impl Sample {
    pub fn document(&self) -> EvaluationDocument<'_> {
        EvaluationDocument {
            model: &self.model,
            key: "titanic",
            dataset: &self.dataset,
            evaluation: "0123456789ab",
            judgement: &self.judgement,
            costs: &self.costs,
            metrics: &self.metrics,
            importance: self.importance.as_ref(),
        }
    }
}

fn interval(value: f64, half: f64) -> Interval {
    Interval { low: value - half, high: value + half }
}

fn difference(value: f64, other: f64, half: f64, higher: bool) -> Difference {
    let difference = value - other;
    let better = (difference.abs() > half).then_some((difference > 0.0) == higher);
    Difference {
        value,
        other,
        difference,
        interval: Some(interval(difference, half)),
        p_value: Some(if better.is_some() { 0.0004 } else { 0.31 }),
        test: Some("paired_bootstrap".to_owned()),
        better,
    }
}

fn slice(column: &str, value: &str, rows: u64, metrics: &[(&str, f64)], half: f64) -> SliceResult {
    let (headline, of) = metrics[0];
    SliceResult {
        column: column.to_owned(),
        value: value.to_owned(),
        rows,
        metrics: metrics.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
        intervals: [(headline.to_owned(), interval(of, half))].into(),
    }
}

/// A number that looks drawn by chance and never is.
fn wobble(at: usize) -> f64 {
    let scaled = (at as f64 * 12.9898).sin() * 43_758.545_3;
    scaled - scaled.floor()
}

fn class_plots(class: &str, skill: f64, share: f64, rows: f64) -> ClassPlots {
    let roc: Vec<[f64; 2]> = (0..=100).map(|at| f64::from(at) / 100.0).map(|x| [x, x.powf(1.0 / skill)]).collect();
    let found = |x: f64| x.powf(1.0 / (1.0 + (skill - 1.0) * (1.0 - share)));
    let gain: Vec<[f64; 2]> = (0..=100).map(|at| f64::from(at) / 100.0).map(|x| [x, found(x)]).collect();
    let precision = |recall: f64| (share + (1.0 - share) * (1.0 - recall.powf(skill))).clamp(share, 1.0);
    let bins = |count: usize| {
        (0..count).map(move |at| {
            let (low, high) = (at as f64 / count as f64, (at as f64 + 1.0) / count as f64);
            let middle = (low + high) / 2.0;
            let (members, rest) = (rows * share * middle.powi(2), rows * (1.0 - share) * (1.0 - middle).powi(3));
            let observed = (middle + (wobble(at) - 0.5) * 0.12).clamp(0.0, 1.0);
            PlotBin { low, high, rest: rest.round(), members: members.round(), predicted: middle, observed }
        })
    };
    ClassPlots {
        class: class.to_owned(),
        roc,
        precision_recall: (0..=100).map(|at| f64::from(at) / 100.0).map(|x| [x, precision(x)]).collect(),
        calibration: bins(10).collect(),
        scores: bins(20).collect(),
        gain,
    }
}

fn metric_words(metrics: &[(&str, f64, f64, bool, &str)]) -> Vec<MetricWords> {
    let words = |(name, _, _, higher, about): &(&str, f64, f64, bool, &str)| MetricWords {
        name: (*name).to_owned(),
        about: (*about).to_owned(),
        higher_is_better: Some(*higher),
    };
    metrics.iter().map(words).collect()
}

fn gates(headline: &str, value: f64) -> Vec<GateResult> {
    let gate = |expression: String, value: Option<f64>, bound: Option<f64>, verdict: Verdict, reason: String| {
        GateResult { expression, value, bound, verdict, reason, interval: value.map(|of| interval(of, 0.02)) }
    };
    vec![
        gate(
            format!("{headline} >= 0.8"),
            Some(value),
            Some(0.8),
            Verdict::Pass,
            format!("{value:.4} is at least 0.8"),
        ),
        gate(
            format!("slice(sex).{headline}.min >= 0.75"),
            Some(0.7312),
            Some(0.75),
            Verdict::Fail,
            "0.7312 is not at least 0.75; worst is sex=male, whose whole interval lies below the bound".to_owned(),
        ),
        gate("latency_p99_ms < 5".to_owned(), Some(1.25), Some(5.0), Verdict::Pass, "1.25 is below 5".to_owned()),
        gate(
            "champion.f1 - 1%".to_owned(),
            Some(0.79),
            None,
            Verdict::Pass,
            "there is no champion yet to compare f1 with; it is 0.79".to_owned(),
        ),
    ]
}

fn facet(column: &str, value: &str) -> FacetResult {
    let measures = |names: &[(&str, f64)]| names.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    FacetResult {
        column: column.to_owned(),
        value: value.to_owned(),
        rows: 314,
        rest: 577,
        favourable: "1".to_owned(),
        pre_training: measures(&[
            ("CI", 0.295),
            ("DPL", -0.553),
            ("KL", 0.71),
            ("JS", 0.16),
            ("LP", 0.78),
            ("TVD", 0.55),
        ]),
        post_training: measures(&[
            ("DPPL", -0.61),
            ("DI", 4.2),
            ("AD", 0.03),
            ("RD", -0.31),
            ("TE", 2.5),
            ("SD", 0.12),
        ]),
    }
}

fn robustness(metric: &str, value: f64) -> Vec<RobustnessResult> {
    let one = |kind: &str, column: Option<&str>, amount: f64, after: f64, deviation: Option<f64>| RobustnessResult {
        kind: kind.to_owned(),
        column: column.map(str::to_owned),
        amount,
        metric: metric.to_owned(),
        before: value,
        after,
        deviation,
    };
    vec![
        one("missing", None, 0.1, value - 0.021, None),
        one("missing", Some("gender"), 1.0, value - 0.19, None),
        one("noise", Some("age"), 0.1, value - 0.002, None),
        one("seed", None, 5.0, value + 0.001, Some(0.0042)),
    ]
}

fn findings() -> Vec<JudgingFinding> {
    let finding = |code: &str, severity: &str, message: &str, rows: Option<u64>| JudgingFinding {
        code: code.to_owned(),
        severity: severity.to_owned(),
        message: message.to_owned(),
        rows,
    };
    vec![
        finding(
            "overlap",
            "error",
            "3 rows were also in the training rows, so the model has seen their answers",
            Some(3),
        ),
        finding("small_sample", "warning", "only 41 rows of class 1 judge the model: intervals are wide", Some(41)),
    ]
}

fn worse(metric: &str) -> Vec<SliceDifference> {
    let one = |column: &str, value: &str, rows: u64, now: f64, then: f64| SliceDifference {
        column: column.to_owned(),
        value: value.to_owned(),
        rows,
        metric: metric.to_owned(),
        difference: difference(now, then, 0.03, true),
    };
    vec![one("class", "3rd * S", 87, 0.71, 0.78), one("age >= 60", "yes", 19, 0.66, 0.68)]
}

/// A judgement of any kind, from metrics `(name, value, of the other model, higher is better, about)`.
fn judgement(
    metrics: &[(&str, f64, f64, bool, &str)],
    classes: Option<(Vec<String>, Vec<Vec<u64>>)>,
    plots: Plots,
) -> Judgement {
    let (headline, value, ..) = metrics[0];
    let named = |pick: fn(&(&str, f64, f64, bool, &str)) -> f64| -> BTreeMap<String, f64> {
        metrics.iter().map(|of| (of.0.to_owned(), pick(of))).collect()
    };
    let half = value.abs() * 0.04;
    let second = metrics[1].0;
    let sliced = |column: &str, value_of: &str, rows: u64, by: f64| {
        slice(
            column,
            value_of,
            rows,
            &[(headline, value * by), (second, metrics[1].1 * by)],
            half * (300.0 / rows as f64).sqrt(),
        )
    };
    let compared =
        metrics.iter().map(|of| (of.0.to_owned(), difference(of.1, of.2, (of.1 - of.2).abs().max(0.002) * 0.8, of.3)));
    Judgement {
        rows_of: "test".to_owned(),
        rows: 891,
        headline: headline.to_owned(),
        metrics: named(|of| of.1),
        confusion: classes.map(|(classes, counts)| ConfusionMatrix { classes, counts }),
        slices: vec![
            sliced("sex", "female", 314, 1.02),
            sliced("sex", "male", 577, 0.91),
            sliced("bins(age, 4)", "0.42 – 20", 179, 0.99),
            sliced("bins(age, 4)", "20 – 28", 183, 1.01),
            sliced("bins(age, 4)", "28 – 38", 175, 1.0),
            sliced("bins(age, 4)", "38 – 80", 177, 0.97),
            sliced("sex * class", "male * 3rd", 347, 0.86),
        ],
        gates: gates(headline, value),
        verdict: Verdict::Fail,
        intervals: metrics.iter().take(4).map(|of| (of.0.to_owned(), interval(of.1, of.1.abs() * 0.03))).collect(),
        interval_method: Some(IntervalMethod { name: "poisson_bootstrap".to_owned(), level: 0.95, resamples: 1_000 }),
        baseline: Some(
            metrics.iter().map(|of| (of.0.to_owned(), if of.3 { of.1 * 0.6 } else { of.1 * 1.8 })).collect(),
        ),
        worst_slices: (1_u32..=7)
            .map(|at| {
                sliced("sex * class", &format!("male * deck {at}"), 30 + 7 * u64::from(at), 0.7 + 0.02 * f64::from(at))
            })
            .collect(),
        comparison: Some(ModelComparison {
            against: hash(b"other"),
            name: "titanic@v6".to_owned(),
            metrics: compared.collect(),
            other_metrics: named(|of| of.2),
            wins: 61,
            losses: 42,
            ties: 788,
            flip_rate: Some(0.0842),
            other_slices: Vec::new(),
            worse_slices: worse(headline),
        }),
        facets: vec![facet("sex", "female")],
        robustness: robustness(headline, value),
        findings: findings(),
        plots,
        ..Judgement::default()
    }
}

fn sample(metrics: &[(&str, f64, f64, bool, &str)], judgement: Judgement) -> Sample {
    let column = |(name, value): &(&str, f64)| ImportantColumn {
        name: (*name).to_owned(),
        value: *value,
        interval: Some((value * 0.8, value * 1.2)),
    };
    let costs =
        [("latency_p50_ms", 0.021), ("latency_p99_ms", 0.094), ("rows_per_second", 412_000.0), ("size_mb", 1.25)];
    Sample {
        model: "titanic@v7".to_owned(),
        dataset: "titanic@v2".to_owned(),
        judgement,
        costs: costs.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
        metrics: metric_words(metrics),
        importance: Some(Importance {
            source: "How much worse roc_auc gets when a column is shuffled.".to_owned(),
            columns: [("gender", 0.21), ("age", 0.05), ("fare", 0.03), ("deck", -0.001)].iter().map(column).collect(),
        }),
    }
}

/// Two classes, with as many metrics as a table of them has.
pub fn binary() -> Sample {
    let metrics: &[(&str, f64, f64, bool, &str)] = &[
        ("roc_auc", 0.861_23, 0.842, true, "chance that a row of the class ranks above one that is not"),
        ("accuracy", 0.823_1, 0.815, true, "share of rows predicted rightly"),
        ("balanced_accuracy", 0.801, 0.79, true, "mean recall of the classes"),
        ("f1", 0.761, 0.744, true, "harmonic mean of precision and recall of the positive class"),
        ("precision", 0.78, 0.79, true, "share of rows predicted positive that are"),
        ("recall", 0.742, 0.703, true, "share of positive rows that were found"),
        ("specificity", 0.871, 0.88, true, "share of negative rows that were left alone"),
        ("average_precision", 0.81, 0.80, true, "area under the precision-recall steps"),
        ("ks", 0.58, 0.55, true, "largest distance between scores of the class and of the others"),
        ("log_loss", 0.431, 0.452, false, "mean surprise at the true class, in nats"),
        ("brier", 0.134, 0.141, false, "mean squared distance of probabilities from the truth"),
        (
            "expected_calibration_error",
            0.031,
            0.047,
            false,
            "mean gap between what probabilities promise and what happens",
        ),
        ("matthews_corrcoef", 0.62, 0.6, true, "correlation of true and predicted classes"),
        ("cohen_kappa", 0.61, 0.6, true, "agreement of true and predicted classes beyond chance"),
        ("jaccard", 0.61, 0.59, true, "overlap of true and predicted positives"),
        ("false_negative_rate", 0.258, 0.297, false, "share of positive rows that were missed"),
    ];
    let plots = Plots { classes: vec![class_plots("1", 4.0, 0.38, 2_000.0)], numbers: None };
    let classes = vec!["0".to_owned(), "1".to_owned()];
    sample(metrics, judgement(metrics, Some((classes, vec![vec![478, 71], vec![88, 254]])), plots))
}

/// Five classes.
pub fn multiclass() -> Sample {
    let metrics: &[(&str, f64, f64, bool, &str)] = &[
        ("log_loss", 0.612_3, 0.59, false, "mean surprise at the true class, in nats"),
        ("accuracy", 0.78, 0.8, true, "share of rows predicted rightly"),
        ("f1_macro", 0.74, 0.75, true, "mean F1 of the classes"),
        ("roc_auc", 0.93, 0.932, true, ""),
        ("recall(Chinstrap)", 0.66, 0.7, true, ""),
    ];
    let names = ["Adelie", "Chinstrap", "Gentoo", "a class with a rather long name", "ελληνικά"];
    let classes: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let count = |truth: usize, predicted: usize| match truth == predicted {
        true => 120 + 10 * truth as u64,
        false => ((truth * 7 + predicted * 3) % 5) as u64 * 6,
    };
    let counts = (0..5).map(|truth| (0..5).map(|predicted| count(truth, predicted)).collect()).collect();
    let plots = Plots {
        classes: (0..5).map(|at| class_plots(names[at], 2.0 + at as f64, 0.1 + 0.05 * at as f64, 900.0)).collect(),
        numbers: None,
    };
    sample(metrics, judgement(metrics, Some((classes, counts)), plots))
}

/// Numbers.
pub fn regression() -> Sample {
    let metrics: &[(&str, f64, f64, bool, &str)] = &[
        ("rmse", 48_120.4, 51_233.0, false, "square root of the mean squared error, in the target's unit"),
        ("mae", 33_102.8, 35_001.0, false, "mean absolute error, in the target's unit"),
        ("r2", 0.8231, 0.8011, true, "share of the target's variance explained"),
        ("mape", 0.178, 0.19, false, "mean absolute error as a fraction of the true value"),
        ("max_error", 412_345.6, 399_100.0, false, "largest absolute error"),
    ];
    let pairs = (0..500).map(|at| {
        let truth = 50_000.0 + 400_000.0 * wobble(at).powi(2);
        [truth + 60_000.0 * (wobble(at + 1_000) - 0.5), truth]
    });
    let pairs: Vec<[f64; 2]> = pairs.collect();
    let residual = |at: usize| {
        let (low, high) = (-150_000.0 + 10_000.0 * at as f64, -140_000.0 + 10_000.0 * at as f64);
        let middle = (low + high) / 2.0 / 50_000.0;
        let rows = (200.0 * (-middle * middle).exp()).round();
        PlotBin { low, high, rest: rows, members: 0.0, predicted: 0.0, observed: 0.0 }
    };
    let decile = |at: usize| {
        let predicted = 60_000.0 + 40_000.0 * at as f64;
        let observed = predicted * (0.95 + 0.1 * wobble(at));
        PlotBin { low: predicted - 20_000.0, high: predicted + 20_000.0, rest: 89.0, members: 0.0, predicted, observed }
    };
    let numbers =
        NumberPlots { pairs, residuals: (0..30).map(residual).collect(), calibration: (0..10).map(decile).collect() };
    let mut of = judgement(metrics, None, Plots { classes: Vec::new(), numbers: Some(numbers) });
    of.facets.clear();
    sample(metrics, of)
}

/// Every text of the data replaced by one that means harm.
pub fn hostile() -> Sample {
    let mut sample = multiclass();
    let long = format!("{EVIL}{}", "x".repeat(10_000));
    sample.model.clone_from(&long);
    sample.dataset.clone_from(&long);
    sample.metrics.push(MetricWords { name: long.clone(), about: long.clone(), higher_is_better: None });
    let of = &mut sample.judgement;
    of.metrics.insert(long.clone(), f64::NAN);
    of.headline.clone_from(&long);
    of.weight = Some(long.clone());
    for slice in of.slices.iter_mut().chain(&mut of.worst_slices) {
        (slice.column, slice.value) = (long.clone(), format!("\u{5d0}{long}"));
        slice.metrics.insert(long.clone(), 0.4);
    }
    for gate in &mut of.gates {
        (gate.expression, gate.reason) = (long.clone(), long.clone());
    }
    for finding in &mut of.findings {
        (finding.code, finding.severity, finding.message) = (long.clone(), long.clone(), long.clone());
    }
    for facet in &mut of.facets {
        (facet.column, facet.value, facet.favourable) = (long.clone(), long.clone(), long.clone());
        facet.post_training.insert(long.clone(), f64::INFINITY);
    }
    for result in &mut of.robustness {
        (result.kind, result.column, result.metric) = (long.clone(), Some(long.clone()), long.clone());
    }
    if let Some(other) = &mut of.comparison {
        other.name.clone_from(&long);
        other.metrics.insert(long.clone(), difference(1.0, f64::NAN, 0.1, true));
        for slice in &mut other.worse_slices {
            (slice.column, slice.value, slice.metric) = (long.clone(), long.clone(), long.clone());
        }
    }
    if let Some(matrix) = &mut of.confusion {
        matrix.classes.iter_mut().for_each(|class| class.insert_str(0, EVIL));
    }
    of.plots.classes.iter_mut().for_each(|class| class.class.insert_str(0, &long));
    sample.costs.insert(long.clone(), 1e300);
    let column = ImportantColumn { name: long.clone(), value: 0.1, interval: None };
    sample.importance = Some(Importance { source: long, columns: vec![column] });
    sample
}
