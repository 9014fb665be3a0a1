//! Selecting columns: what is left out, and what the notes say.

use anyhow::Result;

use crate::base::seed::Seed;
use crate::data::frame::{Column, Frame, Values};
use crate::data::target::Target;
use crate::features::recipe::{Family, Recipe};
use crate::features::tests::{classes, fit, fit_target, frame, names, number, text, written};

const NAN: f64 = f64::NAN;

/// A pseudo-random number in 0..1 for each row of a column.
fn noise(row: usize, column: usize) -> f64 {
    Seed(column as u64).nth(row as u64).rng().unit()
}

/// `good` tells the class, `half` a part of it, the others nothing.
fn signals(rows: usize) -> (Frame, Target) {
    let class = |row: usize| u32::from(noise(row, 9) > 0.5);
    let good = (0..rows).map(|row| f64::from(class(row)) + 0.2 * noise(row, 1)).collect();
    let half = (0..rows).map(|row| if noise(row, 2) < 0.5 { f64::from(class(row)) } else { noise(row, 3) }).collect();
    let idle = (0..rows).map(|row| noise(row, 4)).collect();
    let words: Vec<String> = (0..rows).map(|row| format!("w{}", row % 5)).collect();
    let columns = vec![
        Column::raw("idle", Values::Number(idle)),
        Column::raw("half", Values::Number(half)),
        Column::raw("good", Values::Number(good)),
        text("word", &words.iter().map(String::as_str).collect::<Vec<_>>()),
    ];
    (frame(columns), classes(&(0..rows).map(class).collect::<Vec<_>>()))
}

#[test]
fn columns_that_tell_the_target_are_kept() -> Result<()> {
    let (train, target) = signals(2_000);
    let numbers = Target::Numbers(
        (0..2_000)
            .map(|row| match &target {
                Target::Classes { codes, .. } => f64::from(codes[row]) * 100.0 + noise(row, 11),
                Target::Numbers(_) | Target::Labels { .. } => 0.0,
            })
            .collect(),
    );
    for by in ["mutual_information", "importance"] {
        for target in [&target, &numbers] {
            for (rule, kept) in [("'keep': 1", &["good"][..]), ("'keep': 2", &["half", "good"])] {
                let steps = format!("{{'op': 'select','by': '{by}',{rule}}}");
                assert_eq!(names(&fit_target(&steps, &train, target)?), kept, "{by}");
            }
        }
    }
    // What chance gives is taken off, so that a column without anything to say has nothing left.
    let fitted = fit_target("{'op': 'select','by': 'mutual_information','threshold': 0.01}", &train, &target)?;
    assert_eq!(names(&fitted), ["half", "good"]);
    assert_eq!(fitted.notes(), ["2 columns with little to say about the target left out: `idle`, `word`"]);
    Ok(())
}

#[test]
fn the_earlier_of_two_correlated_columns_stays() -> Result<()> {
    let a: Vec<f64> = (0..100).map(|row| noise(row, 1)).collect();
    let copy: Vec<f64> = a.iter().map(|value| 3.0 - 2.0 * value).collect();
    let close: Vec<f64> = (0..100).map(|row| noise(row, 1) + 0.5 * noise(row, 2)).collect();
    let constant = number("same", &[1.0; 100]);
    let train = frame(vec![number("a", &a), number("copy", &copy), number("close", &close), constant]);
    assert_eq!(names(&fit("{'op': 'select','by': 'correlation'}", &train)?), ["a", "close", "same"]);
    let fitted = fit("{'op': 'select','by': 'correlation','threshold': 0.8}", &train)?;
    assert_eq!(names(&fitted), ["a", "same"]);
    assert_eq!(fitted.inputs().len(), 2);
    Ok(())
}

#[test]
fn variance_looks_at_numbers_and_indicators() -> Result<()> {
    let train = frame(vec![
        number("same", &[1e300; 4]),
        number("none", &[NAN; 4]),
        number("wide", &[-1e308, 1e308, 0.0, 1.0]),
        number("x", &[0.0, 1.0, 2.0, NAN]),
        text("w", &["a", "b", "b", "b"]),
    ]);
    let steps = "{'op': 'one_hot','columns': 'categorical'},{'op': 'select','by': 'variance'}";
    assert_eq!(names(&fit(steps, &train)?), ["wide", "x", "w=a", "w=b"]);
    let steps = "{'op': 'one_hot','columns': 'categorical'},{'op': 'select','by': 'variance','keep': 2}";
    assert_eq!(names(&fit(steps, &train)?), ["wide", "x"]);
    let error = fit("{'op': 'select','by': 'variance','threshold': 1e308}", &frame(vec![number("x", &[1.0, 2.0])]));
    assert!(format!("{:#}", error.expect_err("nothing is left")).contains("leaves no feature"));
    Ok(())
}

#[test]
fn contradictions_are_refused() {
    let cases = [
        ("{'op': 'select','by': 'variance','keep': 2,'threshold': 1}", "both keep and threshold"),
        ("{'op': 'select','by': 'importance'}", "neither keep nor threshold"),
        ("{'op': 'select','by': 'variance','keep': 0}", "keep = 0 would leave nothing"),
        ("{'op': 'select','by': 'correlation','keep': 3}", "keep does not go with"),
        ("{'op': 'select','by': 'correlation','threshold': 1.5}", "threshold = 1.5 is no correlation"),
        ("{'op': 'select','by': 'variance','threshold': -1}", "threshold = -1 is not 0 or more"),
        ("{'op': 'target','columns': ['a'],'folds': 1}", "folds = 1 is not between 2 and 100"),
        ("{'op': 'target','columns': ['a'],'smooth': -1}", "smooth = -1 is not a number of rows"),
        ("{'op': 'pca','columns': 'all','components': 0}", "components = 0 is neither"),
        ("{'op': 'pca','columns': 'all','components': 2.5}", "components = 2.5 is neither"),
        ("{'op': 'kmeans','columns': 'all','clusters': 0}", "clusters = 0 is not between 1 and 1000"),
        ("{'op': 'polynomial','columns': 'all','degree': 4}", "degree = 4 is neither 2 nor 3"),
        ("{'op': 'ratio','numerator': 'a','denominator': 'a'}", "`a` divided by itself"),
        ("{'op': 'impute','columns': 'all','strategy': 'knn','neighbours': 0}", "neighbours = 0 is not between"),
        ("{'op': 'impute','columns': 'all','strategy': 'mean','neighbours': 3}", "neighbours is for"),
        ("{'op': 'bin','columns': 'all','leaf_rows_min': 3}", "leaf_rows_min is for method"),
        ("{'op': 'expression','name': ' ','sql': 'a'}", "the new column has no name"),
    ];
    for (steps, part) in cases {
        let spec = written(&format!("'steps': [{steps}]")).expect(steps);
        let error = format!("{:#}", Recipe::from_spec(&spec, Family::Linear).expect_err(steps));
        assert!(error.contains(part), "{error}");
    }
    for steps in ["{'op': 'pca','columns': 'all','components': 2,'whitten': true}", "{'op': 'target'}"] {
        assert!(written(&format!("'steps': [{steps}]")).is_err(), "{steps}");
    }
}
