//! What holds for steps over several columns and with a look at the target, whatever the data.

use anyhow::Result;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::data::frame::{Column, Frame, MISSING_TIME, TextValues, Values};
use crate::data::target::Target;
use crate::features::recipe::FittedRecipe;
use crate::features::tests::properties::{bits, check_rows, damage, some_frame};
use crate::features::tests::{classes, feature, fit, fit_target, frame, names, number, text};

const NAN: f64 = f64::NAN;
/// Every such step at least once; the columns are those of `some_frame`.
const STEPS: [&str; 7] = [
    "{'op': 'impute','columns': 'numeric','strategy': 'knn','neighbours': 2,'indicator': true}, \
     {'op': 'scale','columns': 'numeric'}, {'op': 'pca','columns': 'numeric','components': 0.9,'whiten': true}, \
     {'op': 'drop','columns': ['word','time']}",
    "{'op': 'kmeans','columns': ['any','few'],'clusters': 3}, {'op': 'target','columns': ['word']}, \
     {'op': 'dates','columns': 'time','parts': ['month']}, {'op': 'polynomial','columns': 'numeric','degree': 3}",
    "{'op': 'interact','columns': 'all'}, {'op': 'one_hot','columns': 'categorical'}, {'op': 'drop','columns': ['time']}",
    "{'op': 'ratio','numerator': 'any','denominator': 'few'}, {'op': 'drop','columns': ['time','any','word']}, \
     {'op': 'bin','columns': 'numeric','method': 'tree','bins': 4}, {'op': 'select','by': 'correlation'}",
    "{'op': 'expression','name': 'e','sql': 'CASE WHEN few > 0 THEN \\\"any\\\" / few ELSE LENGTH(word) END'}, \
     {'op': 'expression','name': 'f','sql': 'word || few'}, {'op': 'target','columns': 'categorical','folds': 2}, \
     {'op': 'drop','columns': ['time']}",
    "{'op': 'drop','columns': ['time']}, {'op': 'one_hot','columns': 'categorical'}, \
     {'op': 'select','by': 'importance','keep': 2}",
    "{'op': 'ordinal','columns': ['word']}, {'op': 'select','by': 'mutual_information','keep': 3}, \
     {'op': 'dates','columns': 'time','parts': ['day']}",
];

fn targets(rows: usize) -> [Target; 3] {
    let at = |row: usize| (row * 7919 % 101) as u32;
    [
        Target::Numbers((0..rows).map(|row| f64::from(at(row)) - 50.0).collect()),
        classes(&(0..rows).map(|row| at(row) % 2).collect::<Vec<_>>()),
        classes(&(0..rows).map(|row| at(row) % 4).collect::<Vec<_>>()),
    ]
}

#[test]
fn one_row_equals_the_same_row_among_all_and_reads_back() {
    let mut runner = TestRunner::new(Config { cases: 30, failure_persistence: None, ..Config::default() });
    let result = runner.run(&some_frame(), |whole| {
        for steps in STEPS {
            for target in targets(whole.rows()) {
                if let Ok(fitted) = fit_target(steps, &whole, &target) {
                    check_rows(&fitted, &whole);
                    let back = FittedRecipe::from_json(&fitted.to_json()).expect("as it was written");
                    assert_eq!(back, fitted);
                    let (one, other) = (fitted.run(&whole, Some(&target)), back.run(&whole, Some(&target)));
                    let (one, other) = (one.expect("its own rows"), other.expect("its own rows"));
                    assert_eq!(bits(&one.to_row_major()), bits(&other.to_row_major()));
                }
            }
        }
        Ok(())
    });
    result.expect("one row equals the same row among all");
}

fn plain(rows: usize) -> Frame {
    let value = |row: usize, column: usize| ((row * 7919 + column * 104_729) % 1_009) as f64 / 7.0;
    let words: Vec<String> = (0..rows).map(|row| format!("w{}", row * 31 % 7)).collect();
    let of = |column: usize| (0..rows).map(|row| value(row, column)).collect::<Vec<f64>>();
    let gaps: Vec<f64> = (0..rows).map(|row| if row % 9 == 0 { NAN } else { value(row, 1) }).collect();
    frame(vec![
        number("any", &gaps),
        number("few", &of(2).iter().map(|value| (value % 5.0).floor()).collect::<Vec<_>>()),
        text("word", &words.iter().map(String::as_str).collect::<Vec<_>>()),
        Column::raw("time", Values::Time((0..rows as i64).map(|row| row * 86_400_000_000).collect())),
    ])
}

#[test]
fn every_step_fits_a_plain_table() -> Result<()> {
    let train = plain(60);
    for steps in STEPS {
        for target in targets(60) {
            fit_target(steps, &train, &target)?;
        }
    }
    Ok(())
}

#[test]
fn threads_change_no_bit() -> Result<()> {
    let train = plain(3_000);
    let target = &targets(3_000)[2];
    let run = |threads: usize| -> Result<Vec<(String, Vec<u64>)>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        pool.install(|| {
            STEPS
                .iter()
                .map(|steps| {
                    let fitted = fit_target(steps, &train, target)?;
                    Ok((fitted.to_json().to_string(), bits(&fitted.run(&train, Some(target))?.to_row_major())))
                })
                .collect()
        })
    };
    let one = run(1)?;
    assert_eq!(one, run(2)?);
    assert_eq!(one, run(8)?);
    Ok(())
}

#[test]
fn a_damaged_recipe_is_an_error_or_applies() -> Result<()> {
    let train = plain(8);
    let replacements = [
        Value::Null,
        json!(-1),
        json!(0),
        json!(u64::MAX),
        json!(1e308),
        json!("word"),
        json!("SUM(few)"),
        json!([]),
        json!([[]]),
        json!(["few", "few"]),
        json!([7, 7]),
        json!([[1e308, 1e308], [1e308, 1e308]]),
    ];
    let mut accepted = 0;
    for steps in STEPS {
        let good = fit_target(steps, &train, &targets(8)[1])?.to_json();
        for at in 0..90 {
            for with in &replacements {
                let mut value = good.clone();
                damage(&mut value, &mut at.clone(), with);
                if let Ok(fitted) = FittedRecipe::from_json(&value) {
                    accepted += 1;
                    if let Ok(matrix) = fitted.apply(&train) {
                        assert_eq!(matrix.features().len(), fitted.features().len());
                        assert!(matrix.to_row_major().iter().all(|value| !value.is_infinite()));
                    }
                }
            }
        }
    }
    assert!(accepted > 0);
    Ok(())
}

#[test]
fn columns_without_anything_in_them_are_answered() -> Result<()> {
    let train = frame(vec![
        number("none", &[NAN; 5]),
        number("same", &[3.0; 5]),
        number("wide", &[f64::INFINITY, 1e308, -1e308, 1e-308, 0.0]),
        number("x", &[1.0, NAN, 2.0, 5.0, 4.0]),
    ]);
    let target = Target::Numbers(vec![1.0, 2.0, 3.0, 4.0, 5.0]);
    for steps in [
        "{'op': 'pca','columns': 'all','components': 4,'whiten': true}",
        "{'op': 'pca','columns': ['none','same'],'components': 0.5}",
        "{'op': 'kmeans','columns': 'all','clusters': 9}",
        "{'op': 'impute','columns': 'all','strategy': 'knn'}",
        "{'op': 'polynomial','columns': 'all','degree': 3}",
        "{'op': 'bin','columns': 'all','method': 'tree'}",
        "{'op': 'select','by': 'correlation'}",
        "{'op': 'select','by': 'importance','keep': 2}",
        "{'op': 'select','by': 'mutual_information','keep': 2}",
        "{'op': 'expression','name': 'e','sql': 'wide * x / none'}",
    ] {
        let fitted = fit_target(steps, &train, &target)?;
        let matrix = fitted.apply(&train)?;
        assert!(matrix.to_row_major().iter().all(|value| !value.is_infinite()), "{steps}");
        check_rows(&fitted, &train);
    }
    // One row is enough for all of them.
    let one = train.take(&[3]);
    for steps in ["{'op': 'pca','columns': 'all','components': 2}", "{'op': 'kmeans','columns': 'all','clusters': 2}"] {
        fit(steps, &one)?.apply(&one)?;
    }
    Ok(())
}

#[test]
fn filling_replaces_columns_where_they_stand() -> Result<()> {
    let train = frame(vec![text("w", &["a", "b", "a"]), number("x", &[1.0, NAN, 3.0]), number("y", &[1.0, 1.1, 9.0])]);
    let steps = "{'op': 'impute','columns': 'numeric','strategy': 'knn','neighbours': 1,'indicator': true}, \
                 {'op': 'one_hot','columns': 'categorical'}";
    let fitted = fit(steps, &train)?;
    assert_eq!(names(&fitted), ["w=a", "w=b", "x", "x_missing", "y", "y_missing"]);
    assert_eq!(feature(&fitted.apply(&train)?, "x"), [1.0, 1.0, 3.0]);
    // Whoever needs a filled column needs all that it was filled by.
    let steps = format!("{steps}, {{'op': 'drop','columns': ['y','y_missing','x_missing','w=a','w=b']}}");
    let fitted = fit(&steps, &train)?;
    assert_eq!(names(&fitted), ["x"]);
    let inputs: Vec<&str> = fitted.inputs().iter().map(|input| input.name.as_str()).collect();
    assert_eq!(inputs, ["x", "y"]);
    assert_eq!(fitted.origins(0).collect::<Vec<_>>(), ["x", "y"]);
    Ok(())
}

#[test]
fn filling_from_many_rows_keeps_some_and_says_so() -> Result<()> {
    let rows = 6_000;
    let value = |row: usize| if row.is_multiple_of(500) { NAN } else { (row % 100) as f64 };
    let train = frame(vec![
        number("x", &(0..rows).map(value).collect::<Vec<_>>()),
        number("y", &(0..rows).map(|row| (row % 100) as f64).collect::<Vec<_>>()),
    ]);
    let fitted = fit("{'op': 'impute','columns': 'numeric','strategy': 'knn'}", &train)?;
    assert_eq!(fitted.notes(), ["impute with knn looks at 5,000 of 6,000 training rows, drawn at random"]);
    let kept = fitted.to_json()["steps"][0]["donors"][1].as_array().map(Vec::len);
    assert_eq!(kept, Some(5_000));
    // Rows that are 0 in y are 0 in x, except those without a value.
    assert_eq!(feature(&fitted.apply(&train)?, "x")[500], 0.0);
    Ok(())
}

#[test]
fn formulas_give_numbers_texts_times_and_conditions() -> Result<()> {
    let train = Frame::new(
        3,
        vec![
            number("weight", &[80.0, NAN, 50.0]),
            number("body height", &[2.0, 1.5, 0.0]),
            text("w", &["a", "b", "?"]),
            Column::raw("t", Values::Time(vec![0, MISSING_TIME, 86_400_000_000])),
        ],
    )?;
    let cases = [
        (r#"weight / (\"body height\" * \"body height\")"#, [20.0, NAN, NAN]),
        ("CASE WHEN w IN ('a', 'z') THEN weight * 2 ELSE 0 END", [160.0, 0.0, 0.0]),
        ("weight > 60", [1.0, NAN, 0.0]),
        ("COALESCE(weight, -1)", [80.0, -1.0, 50.0]),
        ("EXTRACT(day FROM t)", [1.0, NAN, 2.0]),
        ("LENGTH(w || 'xy')", [3.0, 3.0, NAN]),
        ("CAST(w AS DOUBLE)", [NAN; 3]),
        ("GREATEST(weight, \\\"body height\\\")", [80.0, 1.5, 50.0]),
        ("ROUND(SQRT(weight), 2)", [8.94, NAN, 7.07]),
    ];
    for (sql, expected) in cases {
        let steps = format!(
            "{{'op': 'expression','name': 'e','sql': \"{}\"}}, {{'op': 'drop','columns': ['w','t']}}",
            sql.replace('\'', "\\u0027")
        );
        let fitted = fit(&steps, &train)?;
        let found = feature(&fitted.apply(&train)?, "e");
        crate::features::tests::assert_close(&found, &expected, 1e-12);
        check_rows(&fitted, &train);
    }
    let steps = "{'op': 'expression','name': 'e','sql': 'UPPER(w)'}, {'op': 'drop','columns': ['w','t']}, \
                 {'op': 'one_hot','columns': 'categorical'}";
    assert_eq!(names(&fit(steps, &train)?), ["weight", "body height", "e=A", "e=B"]);
    Ok(())
}

#[test]
fn formulas_that_look_beyond_a_row_are_refused() {
    let train = frame(vec![
        number("x", &[1.0, 2.0]),
        Column::raw("w", Values::Text(TextValues::from_values([Some("a"), None]))),
    ]);
    let cases = [
        ("SUM(x)", "uses an aggregate"),
        ("x - AVG(x)", "uses an aggregate"),
        ("COUNT(*)", "uses an aggregate"),
        ("x / MAX(x) OVER ()", "uses a"),
        ("ROW_NUMBER() OVER (ORDER BY x)", "one row by itself"),
        ("LAG(x) OVER (ORDER BY x)", "one row by itself"),
        ("x IN (SELECT x FROM data)", "cannot be used"),
        ("REVERSE(w)", "uses `str.reverse`"),
        ("x FROM data", "cannot be used"),
        ("x, w", "cannot be used"),
        ("1 + 2", "names no column"),
        ("y + 1", "unknown column `y`"),
        ("x + w", "cannot be used"),
        ("x +", "cannot be used"),
        ("*", "cannot be used"),
    ];
    for (sql, part) in cases {
        let steps = format!("{{'op': 'expression','name': 'e','sql': '{sql}'}}, {{'op': 'drop','columns': ['w']}}");
        let error = format!("{:#}", fit(&steps, &train).map(|fitted| fitted.to_json()).expect_err(sql));
        assert!(error.contains(part), "{sql}: {error}");
    }
    let long = format!("x{}", " + x".repeat(900));
    let steps = format!("{{'op': 'expression','name': 'e','sql': '{long}'}}, {{'op': 'drop','columns': ['w']}}");
    let error = format!("{:#}", fit(&steps, &train).expect_err("too many parts"));
    assert!(error.contains("has more than 500 parts"), "{error}");
}
