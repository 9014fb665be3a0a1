//! Numbers as people read them, and bins over any range.

use crate::render::bins::{bins, shares};
use crate::render::number::{brief, moment, number, percent, value};
use crate::render::tests::{numbers, texts};
use crate::spec::schema::ColumnType;

#[test]
fn numbers_keep_what_matters() {
    let cases = [
        (0.0, "0"),
        (-0.0, "0"),
        (2009.0, "2009"),
        (12_345.0, "12,345"),
        (-1234.5678, "−1234.6"),
        (12_345.678, "12,346"),
        (0.012_345_6, "0.012346"),
        (9.999_99, "10"),
        (1.5e-7, "1.500e−7"),
        (1e300, "1.000e300"),
        (f64::INFINITY, "∞"),
        (f64::NAN, "NaN"),
    ];
    for (value, wanted) in cases {
        assert_eq!(number(value), wanted, "{value:e}");
    }
    for (value, wanted) in [(1234.5, "1234"), (56_789.0, "56.8k"), (-2.5e6, "−2.5M"), (0.123_456, "0.123"), (0.0, "0")]
    {
        assert_eq!(brief(value), wanted, "{value:e}");
    }
}

#[test]
fn shares_never_read_as_none_or_all() {
    let cases = [
        (0.0, "0 %"),
        (0.000_001, "< 0.01 %"),
        (0.125, "12.5 %"),
        (0.0069, "0.69 %"),
        (0.999_7, "99.97 %"),
        (0.999_999, "> 99.99 %"),
        (1.0, "100 %"),
    ];
    for (share, wanted) in cases {
        assert_eq!(percent(share), wanted, "{share}");
    }
}

#[test]
fn moments_are_read_as_moments() {
    assert_eq!(moment(1_706_693_400_500_000), "2024-01-31T09:30:00.5Z");
    assert_eq!(moment(0), "1970-01-01T00:00:00Z");
    assert_eq!(value(1_706_659_200e6, ColumnType::Date), "2024-01-31");
}

/// Bins of one column, and the sum of the shares in them.
fn check(column_type: ColumnType, values: &[f64], sketch: bool) -> (usize, f64) {
    let column = numbers("x", column_type, values, sketch);
    let bins = bins(&[&column]).expect("there are numbers");
    assert!(bins.edges.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", bins.edges);
    assert!(bins.edges.iter().all(|edge| edge.is_finite()), "{:?}", bins.edges);
    (bins.edges.len() - 1, shares(&column, &bins.edges).iter().sum())
}

#[test]
fn every_value_is_in_one_bin() {
    let even: Vec<f64> = (0..500).map(|value| f64::from(value) / 7.0).collect();
    let years: Vec<f64> = (2007..2010).map(f64::from).collect();
    let many: Vec<f64> = (0..1000).map(f64::from).collect();
    let days: Vec<f64> = (0..90).map(|day| f64::from(day) * 86_400e6).collect();
    let cases: &[(ColumnType, &[f64], bool, usize)] = &[
        (ColumnType::Float, &even, true, 24),
        (ColumnType::Float, &even, false, 10),
        (ColumnType::Integer, &years, true, 3),
        (ColumnType::Integer, &many, true, 24),
        (ColumnType::Date, &days, true, 23),
        (ColumnType::Float, &[5.0], true, 1),
        (ColumnType::Float, &[1e300], true, 1),
        (ColumnType::Integer, &[-3.0], false, 1),
        (ColumnType::Float, &[f64::MIN, 0.0, f64::MAX], true, 24),
        (ColumnType::Integer, &[-9.3e18, 9.2e18], true, 24),
    ];
    for (column_type, values, sketch, wanted) in cases {
        let (count, sum) = check(*column_type, values, *sketch);
        assert_eq!(count, *wanted, "{values:?}");
        assert!((sum - 1.0).abs() < 1e-9, "{sum} of {values:?}");
    }
}

#[test]
fn far_ends_are_left_out_and_said() {
    let mut values: Vec<f64> = (0..1000).map(f64::from).collect();
    values.push(1e9);
    let column = numbers("x", ColumnType::Float, &values, true);
    let bins = bins(&[&column]).expect("there are numbers");
    assert!(bins.cut && bins.edges.last().is_some_and(|last| *last < 1_001.0), "{bins:?}");
}

#[test]
fn two_versions_share_their_bins() {
    let old = numbers("x", ColumnType::Float, &[0.0, 1.0, 2.0, 3.0], true);
    let new = numbers("x", ColumnType::Float, &[10.0, 20.0], false);
    let both = bins(&[&new, &old]).expect("there are numbers");
    assert_eq!((both.edges[0], both.edges[24]), (0.0, 20.0));
    // Without a sketch the values of a bin are spread over it: 10 to 11 and 19 to 20 hold half each.
    let spread = shares(&new, &both.edges);
    assert!((spread.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    assert!(spread[..12].iter().all(|share| *share == 0.0), "{spread:?}");
    assert!(bins(&[&texts("t", &[("a", 1)])]).is_none());
}
