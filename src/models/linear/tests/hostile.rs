//! Input that must be refused in words or survived in numbers, and damaged forms.

use anyhow::Result;

use crate::base::talk::{Level, Recorder, Silent};
use crate::data::target::Target;
use crate::models::form::{FormReader, FormWriter};
use crate::models::linear::fitted;
use crate::models::linear::tests::{Case, classes, close, matrix};
use crate::models::predictor::{Predictions, Predictor};

const SQUARED: [(&str, &str); 6] = [
    ("linear", ""),
    ("ridge", ""),
    ("lasso", ""),
    ("lasso", "alpha = 0.1"),
    ("elastic_net", ""),
    ("elastic_net", "alpha = 0.1\nl1_ratio = 0"),
];
const LOGISTIC: [(&str, &str); 4] = [
    ("logistic", ""),
    ("logistic", "penalty = 'l1'"),
    ("logistic", "penalty = 'elastic_net'"),
    ("logistic", "penalty = 'none'"),
];
const POISSON: [(&str, &str); 2] = [("poisson", ""), ("poisson", "penalty = 'l1'")];

fn wave(row: usize) -> f64 {
    (row * 37 % 61) as f64 / 10.0
}

/// Columns that break careless arithmetic.
fn columns() -> Vec<(&'static str, Vec<f64>)> {
    let of = |make: fn(usize) -> f64| (0..60).map(make).collect::<Vec<f64>>();
    vec![
        ("constant", of(|_| 7.0)),
        ("zero", of(|_| 0.0)),
        ("huge", of(|row| wave(row) * 1e150)),
        ("largest", of(|row| if row % 2 == 0 { f64::MAX } else { -f64::MAX })),
        ("tiny", of(|row| wave(row) * 1e-200)),
        ("denormal", of(|row| (row % 3) as f64 * 5e-324)),
        ("far", of(|row| 1e15 + (row % 2) as f64)),
        ("one odd row", of(|row| if row == 17 { 1e9 } else { 0.0 })),
    ]
}

#[test]
fn odd_columns_leave_finite_models() -> Result<()> {
    let numbers = Target::Numbers((0..60).map(|row| wave(row) * 2.0 - (row % 4) as f64).collect());
    let counts = Target::Numbers((0..60).map(|row| (row % 5) as f64).collect());
    let two = classes(&(0..60).map(|row| u32::from(wave(row) + (row % 4) as f64 > 4.0)).collect::<Vec<_>>());
    let three = classes(&(0..60).map(|row| (row * 29 % 17 / 6) as u32).collect::<Vec<_>>());
    let fits = SQUARED.iter().map(|fit| (fit, &numbers)).chain(POISSON.iter().map(|fit| (fit, &counts)));
    let fits = fits.chain(LOGISTIC.iter().flat_map(|fit| [(fit, &two), (fit, &three)]));
    for ((kind, params), target) in fits {
        for (name, odd) in columns() {
            let good: Vec<f64> = (0..60).map(wave).collect();
            // The good column twice: collinear besides.
            let x = matrix(vec![good.clone(), odd, good], &[], 0)?;
            let case = Case { kind, params, matrix: &x, target, weights: None };
            let what = format!("{kind} {params} with {name}");
            let model = case.fit_to(&Silent);
            let model = model.unwrap_or_else(|error| panic!("{what}: {error:#}"));
            assert!(model.point().iter().all(|value| value.is_finite()), "{what}");
            let answers = match model.predict(&x) {
                Ok(Predictions::Numbers(values) | Predictions::Probabilities { values, .. }) => values,
                other => panic!("{what}: {:?}", other.map(|answer| answer.rows())),
            };
            assert!(answers.iter().all(|value| value.is_finite()), "{what}");
        }
    }
    Ok(())
}

#[test]
fn more_columns_than_rows_are_fitted() -> Result<()> {
    let wide = matrix((0..40).map(|c| (0..12).map(|r| ((r * 7 + c * 3) % 11) as f64).collect()).collect(), &[], 0)?;
    let numbers = Target::Numbers((0..12).map(|row| (row % 5) as f64).collect());
    let two = classes(&[0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 0]);
    for (kind, params) in SQUARED.iter().chain(&LOGISTIC).chain(&POISSON) {
        let target = if *kind == "logistic" { &two } else { &numbers };
        let model = Case { kind, params, matrix: &wide, target, weights: None }.fit()?;
        assert!(model.point().iter().all(|value| value.is_finite()), "{kind} {params}");
    }
    Ok(())
}

#[test]
fn bad_input_is_refused_in_words() -> Result<()> {
    let x = matrix(vec![(0..6).map(wave).collect()], &[], 0)?;
    let numbers = Target::Numbers((0..6).map(wave).collect());
    let two = classes(&[0, 1, 0, 1, 0, 1]);
    let check = |kind: &str, params: &str, target: &Target, weights: Option<&[f64]>, wanted: &str| {
        let error = Case { kind, params, matrix: &x, target, weights }.error();
        assert!(error.contains(wanted), "{kind} {params}: {error}");
    };
    for (kind, target) in [("ridge", &numbers), ("lasso", &numbers), ("logistic", &two), ("poisson", &numbers)] {
        check(kind, "", target, Some(&[1.0; 5]), "5 weights for 6");
        check(kind, "", target, Some(&[1.0, 1.0, -1.0, 1.0, 1.0, 1.0]), "weight of training row 2 is -1");
        check(kind, "", target, Some(&[1.0, f64::NAN, 1.0, 1.0, 1.0, 1.0]), "weight of training row 1 is NaN");
        check(kind, "", target, Some(&[0.0; 6]), "sum to 0");
        check(kind, "", target, Some(&[f64::MAX; 6]), "sum to inf");
        check(kind, "tolerance = 0", target, None, "`tolerance`");
        check(kind, "alfa = 1", target, None, "alfa");
    }
    check("logistic", "", &two, Some(&[1.0, 0.0, 1.0, 0.0, 1.0, 0.0]), "of weight above 0 are of one");
    check("logistic", "", &classes(&[1; 6]), None, "all 6 training rows are of class `c1`");
    check("logistic", "penalty = 'l3'", &two, None, "`penalty`");
    check("logistic", "l1 = -1", &two, None, "`l1`");
    check("logistic", "", &numbers, None, "predicts classes");
    check("poisson", "", &Target::Numbers(vec![1.0, -1.0, 0.0, 0.0, 0.0, 0.0]), None, "row 1 has -1");
    check("poisson", "", &Target::Numbers(vec![0.0; 6]), None, "0 in every training row");
    check("poisson", "", &numbers, Some(&[1.0, 0.0, 0.0, 0.0, 0.0, 0.0]), "0 in every training row");
    check("lasso", "alpha = -1", &numbers, None, "`alpha`");
    check("lasso", "alpha = 'none'", &numbers, None, "`alpha`");
    check("lasso", "folds = 7", &numbers, None, "`folds`");
    check("lasso", "l1_ratio = 0.5", &numbers, None, "l1_ratio");
    check("elastic_net", "l1_ratio = 1.5", &numbers, None, "`l1_ratio`");
    check("elastic_net", "l1_ratio = 0", &numbers, None, "`l1_ratio`");
    check("ridge", "", &Target::Numbers(vec![1.0, f64::NAN, 0.0, 0.0, 0.0, 0.0]), None, "training row 1 is NaN");
    Ok(())
}

#[test]
fn what_is_chosen_and_what_is_doubtful_is_said() -> Result<()> {
    let near = (0..60).map(|row| wave(row) + (row % 2) as f64 / 10.0).collect();
    let x = matrix(vec![(0..60).map(wave).collect(), near], &[], 0)?;
    let numbers = Target::Numbers((0..60).map(|row| wave(row) + (row % 2 + row % 7) as f64).collect());
    let apart = classes(&(0..60).map(|row| u32::from(wave(row) > 3.05)).collect::<Vec<_>>());
    let check = |kind: &str, params: &str, target: &Target, level: Level, wanted: &str| -> Result<()> {
        let talk = Recorder::default();
        Case { kind, params, matrix: &x, target, weights: None }.fit_to(&talk)?;
        let said = talk.notes();
        assert!(said.iter().any(|(at, text)| *at == level && text.contains(wanted)), "{kind} {params}: {said:?}");
        Ok(())
    };
    check("lasso", "", &numbers, Level::Info, "chose alpha = ")?;
    check("lasso", "alpha = 0.5", &numbers, Level::Info, "keeps 1 of 2 features")?;
    check("lasso", "alpha = 0.001\nmax_iterations = 5\ntolerance = 1e-12", &numbers, Level::Warning, "duality gap")?;
    check("logistic", "penalty = 'none'\nmax_iterations = 500", &apart, Level::Warning, "separate the classes")?;
    check("logistic", "penalty = 'l1'\nmax_iterations = 1", &apart, Level::Warning, "stopped")
}

#[test]
fn fifty_thousand_categories_are_never_expanded() -> Result<()> {
    // As numbers these features would take 40 GB.
    const LEVELS: u32 = 50_000;
    let codes: Vec<u32> = (0..100_000_u32).map(|row| row.wrapping_mul(7_919) % LEVELS).collect();
    let x = matrix(vec![(0..100_000).map(wave).collect()], &codes, LEVELS)?;
    let numbers = Target::Numbers(codes.iter().map(|code| f64::from(code % 10)).collect());
    let two = classes(&codes.iter().map(|code| u32::from(code % 10 > 6)).collect::<Vec<_>>());
    for (kind, params, target) in [
        ("ridge", "max_iterations = 3", &numbers),
        ("lasso", "alpha = 1e-5\nmax_iterations = 3", &numbers),
        ("logistic", "max_iterations = 2", &two),
        ("logistic", "penalty = 'l1'\nl1 = 0.1\nmax_iterations = 2", &two),
    ] {
        let model = Case { kind, params, matrix: &x, target, weights: None }.fit()?;
        assert_eq!(model.width(), LEVELS as usize + 1, "{kind}");
        let mean_share: f64 = model.means()[1..].iter().sum();
        assert!((mean_share - 1.0).abs() < 1e-9, "{kind}: {mean_share}");
    }
    Ok(())
}

#[test]
fn many_features_have_the_ridge_solution_of_few() -> Result<()> {
    // One number and 5,100 categories, of which only the first ten occur: the same problem as with ten.
    let codes: Vec<u32> = (0..400).map(|row| (row * 31 % 97 % 10) as u32).collect();
    let number: Vec<f64> = (0..400).map(wave).collect();
    let target = Target::Numbers((0..400).map(|row| wave(row) - (row * 31 % 97 % 10) as f64).collect());
    let params = "l2 = 0.3\ntolerance = 1e-12";
    let fit = |levels: u32| -> Result<Vec<f64>> {
        let x = matrix(vec![number.clone()], &codes, levels)?;
        let case = Case { kind: "ridge", params, matrix: &x, target: &target, weights: None };
        Ok(case.fit()?.point().to_vec())
    };
    let (few, many) = (fit(10)?, fit(5_100)?);
    close(&many[..11], &few[..11], 1e-8, "coefficients");
    close(&many[5_101..], &few[11..], 1e-8, "intercept");
    assert!(many[11..5_101].iter().all(|value| *value == 0.0));
    Ok(())
}

#[test]
fn damaged_forms_are_refused() -> Result<()> {
    let form = |link: u64, outputs: u64, point: &[f64], rest: Option<(&[f64], &[f64])>| {
        let mut form = FormWriter::new();
        form.text("kind", "ridge");
        form.u64("link", link);
        form.u64("width", 2);
        form.u64("outputs", outputs);
        if let Some((means, spreads)) = rest {
            form.f64s("means", means);
            form.f64s("spreads", spreads);
        }
        form.f64s("point", point);
        form.finish()
    };
    let fine: Option<(&[f64], &[f64])> = Some((&[0.0, 1.0], &[1.0, 2.0]));
    let point = [1.0, 2.0, 3.0];
    let reads = |bytes: &[u8]| fitted::read_linear(&mut FormReader::new(bytes));
    assert!(reads(&form(0, 1, &point, fine)).is_ok());
    // Models of the version before means were kept.
    assert_eq!(reads(&form(0, 1, &point, None))?.means(), [0.0, 0.0]);
    let bad = [
        form(4, 1, &point, fine),
        form(2, 1, &point, fine),
        form(3, 2, &[0.0; 6], fine),
        form(0, 0, &[], fine),
        form(0, 1, &[1.0, 2.0], fine),
        form(0, 1, &[1.0, f64::NAN, 3.0], fine),
        form(0, 1, &point, Some((&[0.0], &[1.0, 2.0]))),
        form(0, 1, &point, Some((&[0.0, f64::INFINITY], &[1.0, 2.0]))),
        form(0, 1, &point, Some((&[0.0, 1.0], &[1.0, -2.0]))),
    ];
    for (number, bytes) in bad.iter().enumerate() {
        assert!(reads(bytes).is_err(), "form {number}");
    }
    Ok(())
}

#[test]
fn coefficients_are_readable() -> Result<()> {
    let x = matrix(vec![(0..60).map(wave).collect()], &(0..60).map(|row| row % 2).collect::<Vec<u32>>(), 2)?;
    let two = classes(&(0..60).map(|row| u32::from(wave(row) + (row % 4) as f64 > 4.0)).collect::<Vec<_>>());
    let model = Case { kind: "logistic", params: "", matrix: &x, target: &two, weights: None }.fit()?;
    let coefficients = model.coefficients();
    assert_eq!(coefficients.iter().map(|one| one.feature).collect::<Vec<_>>(), [0, 1, 2]);
    // Half of the rows have each indicator, whose standard deviation is then a half.
    close(&[model.means()[1], model.spreads()[1]], &[0.5, 0.5], 1e-12, "indicator");
    let one = &coefficients[1];
    close(&[one.standardised, one.ratio.unwrap_or(0.0)], &[one.value / 2.0, one.value.exp()], 1e-12, "units");
    assert_eq!(model.weights_of_features()[1], one.standardised.abs());
    assert_eq!(model.intercepts(), [model.point()[3]]);
    Ok(())
}
