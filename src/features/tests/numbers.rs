//! Steps on numbers and times, against numpy 2.4.6 and scikit-learn 1.9.1.

use anyhow::Result;

use crate::data::frame::MISSING_TIME;
use crate::features::tests::{assert_close, feature, fit, frame, names, number, one, text, time};

const NAN: f64 = f64::NAN;
const X: [f64; 10] = [3.5, -1.25, NAN, 7.75, 3.5, 0.1, NAN, 12.0, -4.4, 2.2];

fn scaled(method: &str, values: &[f64]) -> Result<Vec<f64>> {
    one(&format!("{{ 'op': 'scale', 'columns': 'numeric', 'method': '{method}' }}"), number("x", values))
}

fn filled(strategy: &str, values: &[f64]) -> Result<f64> {
    let steps = format!("{{ 'op': 'impute', 'columns': ['x'], 'strategy': '{strategy}' }}");
    let gap = values.iter().position(|value| value.is_nan()).expect("the test column has a gap");
    Ok(one(&steps, number("x", values))?[gap])
}

#[test]
fn imputed_numbers_equal_simple_imputer() -> Result<()> {
    assert_eq!(filled("mean", &X)?, 2.9250000000000003);
    assert_eq!(filled("median", &X)?, 2.85);
    assert_eq!(filled("mode", &X)?, 3.5);
    // On a tie the smallest.
    assert_eq!(filled("mode", &[2.0, 1.0, 2.0, 1.0, 5.0, NAN])?, 1.0);
    assert_eq!(filled("median", &[NAN, 4.0, 1.0, 9.0])?, 4.0);
    Ok(())
}

#[test]
fn imputing_survives_the_ends_of_the_range() -> Result<()> {
    assert_eq!(filled("mean", &[f64::MAX, f64::MAX, NAN])?, f64::MAX);
    assert_eq!(filled("median", &[f64::MAX, f64::MAX, NAN])?, f64::MAX);
    // Infinite values count as missing, in fitting and in applying.
    let values = one(
        "{ 'op': 'impute', 'columns': ['x'], 'strategy': 'mean' }",
        number("x", &[f64::INFINITY, 1.0, f64::NEG_INFINITY, 3.0]),
    )?;
    assert_eq!(values, [2.0, 1.0, 2.0, 3.0]);
    Ok(())
}

#[test]
fn a_column_without_values_is_filled_with_zero_and_noted() -> Result<()> {
    let frame = frame(vec![number("x", &[NAN, NAN])]);
    let fitted = fit("{ 'op': 'impute', 'columns': 'all', 'strategy': 'median' }", &frame)?;
    assert_eq!(feature(&fitted.apply(&frame)?, "x"), [0.0, 0.0]);
    assert_eq!(fitted.notes(), ["column `x` has no value in the training rows: filled with 0"]);
    Ok(())
}

#[test]
fn the_indicator_says_where_values_were_missing() -> Result<()> {
    let frame = frame(vec![number("x", &[1.0, NAN, f64::INFINITY]), number("x_missing", &[1.0, 2.0, 3.0])]);
    let fitted = fit("{ 'op': 'impute', 'columns': ['x'], 'strategy': 'mode', 'indicator': true }", &frame)?;
    // The name is taken by a raw column.
    assert_eq!(names(&fitted), ["x", "x_missing_2", "x_missing"]);
    let matrix = fitted.apply(&frame)?;
    assert_eq!(feature(&matrix, "x_missing_2"), [0.0, 1.0, 1.0]);
    assert_eq!(feature(&matrix, "x"), [1.0, 1.0, 1.0]);
    assert_eq!(fitted.features()[1].from, "x");
    assert_eq!(fitted.features()[1].feature_type, "indicator");
    Ok(())
}

#[test]
fn constants_fill_every_kind() -> Result<()> {
    let frame = frame(vec![number("n", &[1.0, NAN]), text("t", &["a", "?"]), time("d", &[5, MISSING_TIME])]);
    let steps = "{ 'op': 'impute', 'columns': ['n'], 'strategy': 'constant', 'value': -1 }, \
                 { 'op': 'impute', 'columns': ['t'], 'strategy': 'constant', 'value': 'none' }, \
                 { 'op': 'impute', 'columns': ['d'], 'strategy': 'constant', 'value': '1970-01-02' }, \
                 { 'op': 'dates', 'columns': 'time', 'parts': ['epoch'] }, { 'op': 'one_hot', 'columns': ['t'] }";
    let fitted = fit(steps, &frame)?;
    let matrix = fitted.apply(&frame)?;
    assert_eq!(feature(&matrix, "n"), [1.0, -1.0]);
    assert_eq!(feature(&matrix, "t=none"), [0.0, 1.0]);
    assert_eq!(feature(&matrix, "d_epoch"), [5e-6, 86_400.0]);
    for (columns, value) in [("['t']", "3"), ("['n']", "'x'"), ("['d']", "'soon'")] {
        let step = format!("{{ 'op': 'impute', 'columns': {columns}, 'strategy': 'constant', 'value': {value} }}");
        let error = fit(&step, &frame).expect_err("the constant does not suit the column");
        assert!(format!("{error:#}").contains("cannot be filled with"), "{error:#}");
    }
    Ok(())
}

#[test]
fn scaled_numbers_equal_scikit_learn() -> Result<()> {
    let standard = [
        0.1192847224747142,
        -0.8661108110120558,
        NAN,
        1.0009544103312977,
        0.1192847224747142,
        -0.5860510278105526,
        NAN,
        1.8826240981878812,
        -1.5195836384822297,
        -0.15040247616377014,
    ];
    assert_close(&scaled("standard", &X)?, &standard, 1e-15);
    let min_max = [
        0.4817073170731708,
        0.19207317073170738,
        NAN,
        0.7408536585365855,
        0.4817073170731708,
        0.2743902439024391,
        NAN,
        1.0,
        0.0,
        0.40243902439024404,
    ];
    assert_close(&scaled("min_max", &X)?, &min_max, 1e-15);
    let robust = [
        0.13541666666666666,
        -0.8541666666666666,
        NAN,
        1.0208333333333335,
        0.13541666666666666,
        -0.5729166666666667,
        NAN,
        1.9062500000000002,
        -1.5104166666666667,
        -0.13541666666666666,
    ];
    assert_close(&scaled("robust", &X)?, &robust, 1e-15);
    Ok(())
}

#[test]
fn constant_columns_are_centered_and_not_scaled() -> Result<()> {
    // The mean of ten times 0.1 need not be 0.1 to the bit; the spread that this leaves is no spread.
    for method in ["standard", "min_max", "robust"] {
        assert_close(&scaled(method, &[0.1; 10])?, &[0.0; 10], 1e-16);
    }
    let frame = frame(vec![number("x", &[4.0, 4.0, NAN])]);
    let fitted = fit("{ 'op': 'scale', 'columns': 'numeric' }", &frame)?;
    assert_eq!(fitted.notes(), ["column `x` is constant in the training rows: centered, not scaled"]);
    // A value never seen keeps its distance.
    let other = crate::features::tests::frame(vec![number("x", &[7.0])]);
    assert_eq!(feature(&fitted.apply(&other)?, "x"), [3.0]);
    Ok(())
}

#[test]
fn scaling_keeps_its_precision_far_from_zero_and_near_it() -> Result<()> {
    // StandardScaler: mean 100000002, scale 0.7071067811865476; and mean 2e-20, scale 8.164965809277262e-21.
    let far = scaled("standard", &[1e8 + 1.0, 1e8 + 2.0, 1e8 + 3.0, 1e8 + 2.0])?;
    assert_close(&far, &[-std::f64::consts::SQRT_2, 0.0, std::f64::consts::SQRT_2, 0.0], 1e-15);
    let near = scaled("standard", &[1e-20, 3e-20, 2e-20])?;
    assert_close(&near, &[-1.224744871391589, 1.224744871391589, 0.0], 1e-14);
    let huge = scaled("standard", &[f64::MAX, -f64::MAX])?;
    assert_close(&huge, &[1.0, -1.0], 1e-15);
    assert!(scaled("min_max", &[f64::MAX, -f64::MAX])?.iter().all(|value| value.is_finite()));
    Ok(())
}

#[test]
fn bins_equal_k_bins_discretizer() -> Result<()> {
    let y = [3.5, -1.25, 7.75, 3.5, 0.1, 12.0, -4.4, 2.2, 3.5, 3.5, 9.0, 11.25];
    let binned = |method: &str, bins: usize, values: &[f64]| {
        one(
            &format!("{{ 'op': 'bin', 'columns': 'numeric', 'method': '{method}', 'bins': {bins} }}"),
            number("x", values),
        )
    };
    assert_eq!(binned("width", 4, &y)?, [1.0, 0.0, 2.0, 1.0, 1.0, 3.0, 0.0, 1.0, 1.0, 1.0, 3.0, 3.0]);
    assert_eq!(binned("quantile", 4, &y)?, [2.0, 0.0, 2.0, 2.0, 0.0, 3.0, 0.0, 1.0, 2.0, 2.0, 3.0, 3.0]);
    // Edges 0, 0, 0, 1.6, 3, 3: equal ones make one.
    let ties = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 3.0, 3.0, 3.0];
    assert_eq!(binned("quantile", 5, &ties)?, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    assert_eq!(binned("width", 3, &[2.0, 2.0])?, [0.0, 0.0]);
    let with_gap = binned("width", 2, &[0.0, NAN, 1.0])?;
    assert!(with_gap[1].is_nan());
    Ok(())
}

#[test]
fn values_beyond_the_training_range_fall_into_the_outer_bins() -> Result<()> {
    let train = frame(vec![number("x", &[0.0, 1.0, 2.0, 3.0, 4.0])]);
    let fitted = fit("{ 'op': 'bin', 'columns': ['x'], 'method': 'width', 'bins': 4 }", &train)?;
    let other = frame(vec![number("x", &[-100.0, 100.0, 1.0, 0.999])]);
    assert_eq!(feature(&fitted.apply(&other)?, "x"), [0.0, 3.0, 1.0, 0.0]);
    Ok(())
}

#[test]
fn date_parts_equal_python() -> Result<()> {
    // Microseconds; year, month, day, weekday, day of the year, hour, minute of Python 3.11's datetime.
    let cases: [(i64, [f64; 7]); 6] = [
        (-500_000, [1969.0, 12.0, 31.0, 2.0, 365.0, 23.0, 59.0]),
        (951_827_696_000_000, [2000.0, 2.0, 29.0, 1.0, 60.0, 12.0, 34.0]),
        (1_735_603_200_000_000, [2024.0, 12.0, 31.0, 1.0, 366.0, 0.0, 0.0]),
        (-2_203_872_833_000_000, [1900.0, 3.0, 1.0, 3.0, 60.0, 5.0, 6.0]),
        (4_107_628_740_000_000, [2100.0, 3.0, 1.0, 0.0, 60.0, 23.0, 59.0]),
        (-62_135_596_800_000_000, [1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0]),
    ];
    let train = frame(vec![time("d", &cases.map(|case| case.0))]);
    let fitted = fit("{ 'op': 'dates', 'columns': 'time' }", &train)?;
    let parts = ["year", "month", "day", "weekday", "day_of_year", "hour", "minute"];
    let matrix = fitted.apply(&train)?;
    for (position, part) in parts.iter().enumerate() {
        let expected = cases.map(|case| case.1[position]);
        assert_eq!(feature(&matrix, &format!("d_{part}")), expected, "{part}");
    }
    assert_eq!(feature(&matrix, "d_epoch")[0], -0.5);
    Ok(())
}

#[test]
fn only_parts_that_differ_are_made() -> Result<()> {
    let day = 86_400_000_000;
    let train = frame(vec![time("d", &[0, day, 2 * day, MISSING_TIME])]);
    let fitted = fit("{ 'op': 'dates', 'columns': 'time' }", &train)?;
    assert_eq!(names(&fitted), ["d_day", "d_weekday", "d_day_of_year", "d_epoch"]);
    assert!(feature(&fitted.apply(&train)?, "d_day")[3].is_nan());
    let asked = fit("{ 'op': 'dates', 'columns': ['d'], 'parts': ['hour', 'year'] }", &train)?;
    assert_eq!(names(&asked), ["d_hour", "d_year"]);
    // The ends of the range are dates too.
    let ends = frame(vec![time("d", &[i64::MIN + 1, i64::MAX])]);
    assert!(fitted.apply(&ends)?.to_row_major().iter().all(|value| value.is_finite()));
    Ok(())
}
