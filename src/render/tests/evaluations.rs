//! Documents about evaluations: whole, harmless, small enough, the same every time, and each part only where it
//! belongs.

use std::collections::BTreeMap;

use crate::base::limits::MARKDOWN_CHARACTERS_MAX;
use crate::record::evaluation::{Difference, Interval, Judgement, Plots, SliceResult, Verdict};
use crate::render::evaluation::figures::{chance, difference, figure, interval, signed, signed_interval};
use crate::render::evaluation::{cost_words, disturbance_words, html, markdown, slice_words};
use crate::render::tests::evaluation_samples::{Sample, binary, hostile, multiclass, regression};
use crate::render::tests::{VOID, well_formed};

/// Demands a whole page and a comment that fits, without markup of the data, the same twice.
#[track_caller]
fn check(sample: &Sample) -> (String, String) {
    let page = html::html(&sample.document());
    assert_eq!(page.matches("<script").count(), 1, "the one script is the page's own");
    well_formed(&page, VOID);
    assert_eq!(page, html::html(&sample.document()));
    for word in ["http:", "https:", " src=", "url(", "@import", "<link", "NaN", "inf\"", "inf "] {
        let found = page.find(&format!("\"{word}")).or_else(|| page.find(&format!(" {word} ")));
        let around = |at: usize| page[at.saturating_sub(80)..].chars().take(200).collect::<String>();
        assert_eq!(found.map(around), None, "{word}");
    }
    let comment = markdown::markdown(&sample.document());
    assert_eq!(comment, markdown::markdown(&sample.document()));
    assert!(!comment.contains("<script") && !comment.contains("@all"), "{comment}");
    assert!(comment.len() <= MARKDOWN_CHARACTERS_MAX, "{} bytes", comment.len());
    assert_eq!(comment.matches("<details>").count(), comment.matches("</details>").count());
    assert_eq!(comment.matches("<!--").count(), 1);
    (page, comment)
}

/// Ids of the sections of a page in order.
fn sections(page: &str) -> Vec<&str> {
    page.split("<h2 id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn everything_is_drawn_in_its_place() {
    let (page, comment) = check(&binary());
    let wanted = [
        "gates",
        "findings",
        "metrics",
        "comparison",
        "classes",
        "slices",
        "fairness",
        "robustness",
        "costs",
        "importance",
        "method",
    ];
    assert_eq!(sections(&page), wanted);
    for part in
        ["ROC", "Precision and recall", "Gain", "Lift", "Calibration", "Scores", "Confusion", "Slices that got worse"]
    {
        assert!(page.contains(&format!("<h3>{part}</h3>")), "{part}");
    }
    for part in ["Fail: 1 of 4 gates do not hold", "0.8612", "[0.835, 0.887]", "+0.0192", "sex=male &amp; class=deck 1"]
    {
        assert!(page.contains(part), "{part}");
    }
    assert!(comment.starts_with("<!-- mlops evaluation titanic -->\n## FAIL: titanic&#64;\u{200b}v7\n"), "{comment}");
    for part in [
        "| **FAIL** | slice(sex).roc&#95;auc",
        "### Slices that got worse",
        "### Worst slices",
        "### Confusion",
        "and 2 more.",
        "<details><summary>6 more metrics</summary>",
        "<details><summary>7 slices</summary>",
        "61 (6.85 %) answered better",
    ] {
        assert!(comment.contains(part) || comment.contains(&part.replace("&#95;", "_")), "{part} is not in {comment}");
    }
}

#[test]
fn several_classes_and_numbers_have_pictures_of_their_own() {
    let (page, _) = check(&multiclass());
    assert_eq!(page.matches("<details open><summary>Adelie").count(), 1, "scores of the first class stand open");
    assert!(page.contains("<i class=\"bar o4\"></i>"), "a legend");
    let (page, comment) = check(&regression());
    for part in ["Truth against prediction", "Residuals", "48120.4"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(sections(&page).contains(&"numbers") && !sections(&page).contains(&"classes"));
    assert!(!comment.contains("### Confusion"));
}

#[test]
fn names_of_the_data_are_only_names() {
    let (page, comment) = check(&hostile());
    assert!(!page.contains("\u{202e}") && !comment.contains("\u{202e}"));
    assert!(!page.contains(&"x".repeat(700)), "long names are cut");
    assert!(
        page.len() < 1 << 20 && comment.contains("did not fit") == (comment.len() + 5_000 > MARKDOWN_CHARACTERS_MAX)
    );
}

#[test]
fn little_is_a_document_too() {
    let mut sample = binary();
    (sample.costs, sample.importance, sample.metrics) = (BTreeMap::new(), None, Vec::new());
    sample.judgement = Judgement { rows_of: "all".to_owned(), ..Judgement::default() };
    let (page, comment) = check(&sample);
    assert_eq!(sections(&page), ["importance", "method"]);
    assert!(page.contains("mlops explain") && page.contains("No verdict: no gates were asked for"));
    assert!(comment.contains("## NO VERDICT: "), "{comment}");
    let metrics = [("accuracy".to_owned(), 0.5)].into();
    sample.judgement =
        Judgement { metrics, headline: "accuracy".to_owned(), verdict: Verdict::Pass, ..sample.judgement };
    assert!(check(&sample).1.contains("accuracy **0.5000**"));
}

#[test]
fn pictures_of_odd_points_are_drawn() {
    let mut sample = binary();
    sample.judgement.plots = Plots::default();
    check(&sample);
    for values in
        [vec![], vec![[f64::NAN, 0.5]], vec![[0.5, f64::INFINITY]], vec![[0.0, 0.0]], vec![[-1e300, 1e300]; 3]]
    {
        let mut sample = binary();
        for class in &mut sample.judgement.plots.classes {
            (class.roc, class.precision_recall, class.gain) = (values.clone(), values.clone(), values.clone());
            (class.scores, class.calibration) = (Vec::new(), Vec::new());
        }
        check(&sample);
        let mut sample = regression();
        if let Some(numbers) = &mut sample.judgement.plots.numbers {
            numbers.pairs = values.clone();
            numbers.residuals.truncate(values.len());
            numbers.calibration.clear();
        }
        check(&sample);
    }
    let mut sample = multiclass();
    let matrix = sample.judgement.confusion.as_mut().expect("classes");
    matrix.classes = (0..1_000).map(|class| format!("class {class}")).collect();
    matrix.counts =
        (0..1_000).map(|truth| (0..1_000).map(|guess| ((truth * 31 + guess) % 997) as u64).collect()).collect();
    let (page, comment) = check(&sample);
    assert!(
        page.contains("The commonest mistakes of 1000 classes")
            && comment.contains("Commonest mistakes of 1000 classes")
    );
    assert!(page.len() < 1 << 20, "{}", page.len());
}

#[test]
fn a_comment_that_would_be_too_long_says_what_it_lacks() {
    let mut sample = binary();
    let slice = |at: usize| SliceResult {
        column: "c|o`l*".repeat(20),
        value: "é|".repeat(400) + &at.to_string(),
        rows: 10,
        metrics: [("roc_auc".to_owned(), 0.5)].into(),
        intervals: BTreeMap::new(),
    };
    sample.judgement.slices = (0..5_000).map(slice).collect();
    let gate = sample.judgement.gates[1].clone();
    sample.judgement.gates = vec![gate; 3_000];
    for gate in &mut sample.judgement.gates {
        gate.reason = "|".repeat(500);
    }
    sample.judgement.findings = vec![sample.judgement.findings[0].clone(); 400];
    let (_, comment) = check(&sample);
    assert!(
        comment.contains("parts did not fit: gates") || comment.contains("part did not fit: gates"),
        "{comment:.300}"
    );
    assert!(comment.contains("and 395 more."), "findings are counted");
}

#[test]
fn the_marker_is_the_same_for_every_version() {
    assert_eq!(markdown::marker("titanic"), "<!-- mlops evaluation titanic -->");
    assert_eq!(markdown::marker("a-->b--c"), "<!-- mlops evaluation a-b-c -->");
    assert_eq!(markdown::marker("x".repeat(500).as_str()).len(), 86);
}

#[test]
fn numbers_of_any_size_are_short() {
    let cases = [
        (0.0, "0.0000"),
        (-0.0, "0.0000"),
        (-0.000_01, "-1.00e-5"),
        (0.812_345, "0.8123"),
        (12.345_67, "12.346"),
        (123.456, "123.46"),
        (1_234.56, "1234.6"),
        (412_345.6, "412346"),
        (3.2e12, "3.20e12"),
    ];
    for (value, wanted) in cases {
        assert_eq!(figure(value), wanted);
    }
    assert_eq!((signed(0.01).as_str(), signed(-0.01).as_str(), signed(0.0).as_str()), ("+0.0100", "-0.0100", "0.0000"));
    let of = |low: f64, high: f64| Interval { low, high };
    assert_eq!(interval(&of(0.781, 0.842)), "[0.781, 0.842]");
    assert_eq!(interval(&of(0.999_1, 0.999_2)), "[0.9991, 0.9992]", "ends are told apart");
    assert_eq!(interval(&of(31_000.4, 52_000.9)), "[31000, 52001]");
    assert_eq!(signed_interval(&of(-0.004, 0.021)), "[-0.004, +0.021]");
    let change = Difference {
        value: 0.8,
        other: 0.75,
        difference: 0.05,
        interval: Some(of(0.01, 0.09)),
        p_value: None,
        test: None,
        better: Some(true),
    };
    assert_eq!(difference(&change), "+0.0500 [+0.010, +0.090]");
    assert_eq!((chance(0.000_1).as_str(), chance(0.0321).as_str()), ("< 0.001", "0.032"));
}

#[test]
fn slices_costs_and_disturbances_read_well() {
    assert_eq!(slice_words("sex", "F"), "sex=F");
    assert_eq!(slice_words("sex * class", "F * 3rd"), "sex=F & class=3rd");
    assert_eq!(slice_words("age >= 60", "yes"), "age >= 60: yes");
    assert_eq!(slice_words("smokes", "yes"), "smokes=yes");
    assert_eq!(cost_words("latency_p99_ms", 0.0941), "0.0941 ms");
    assert_eq!(cost_words("rows_per_second", 412_000.0), "412,000 a second");
    assert_eq!(disturbance_words("missing", 0.1), "10 % of values missing");
    assert_eq!(disturbance_words("seed", 5.0), "5 other seeds");
}
