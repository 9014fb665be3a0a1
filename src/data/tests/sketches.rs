//! Sketches against exact ranks and counts: alone, merged, and on distributions that are hard on them.

use anyhow::Result;
use proptest::prelude::*;

use crate::base::limits::{RECORD_BYTES_MAX, SKETCH_POINTS_MAX};
use crate::base::seed::Seed;
use crate::data::profile::sums::quantile;
use crate::data::profile::{Room, column_profile, column_profile_in, profile};
use crate::data::table::Table;
use crate::data::tests::table;
use crate::record::profile::{ColumnProfile, DistinctSketch, QuantileSketch};
use crate::spec::schema::ColumnType;

/// A column of floats.
fn floats(values: &[f64]) -> Result<Table> {
    table("i\n1\n")?.take(&vec![0; values.len()])?.with_numbers("x", values.to_vec())
}

fn described(values: &[f64]) -> Result<ColumnProfile> {
    Ok(column_profile(floats(values)?.column("x")?, ColumnType::Float))
}

fn sketch_of(values: &[f64]) -> Result<QuantileSketch> {
    described(values)?.quantile_sketch.ok_or_else(|| anyhow::anyhow!("no sketch"))
}

/// Numbers without a pattern, from 0 to 1.
fn uniform(seed: u64, count: usize) -> Vec<f64> {
    let mut state = Seed(seed).rng();
    (0..count).map(|_| state.unit()).collect()
}

/// The largest difference between the sketch's rank of a value and the exact one, as a share of all values.
fn worst_rank(sketch: &QuantileSketch, values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let off = |value: f64| {
        let exact = sorted.partition_point(|known| *known <= value) as u64;
        sketch.rank(value).abs_diff(exact) as f64 / sorted.len() as f64
    };
    sorted.iter().step_by(7).map(|value| off(*value)).fold(0.0, f64::max)
}

/// Hard on sketches: smooth, heavy tails, a few heavy values among many light ones, all ties, alternating runs.
fn shapes() -> Vec<Vec<f64>> {
    let smooth = uniform(1, 20_000);
    let tails = smooth.iter().map(|u| (1.0 / (1.0 - u)).powi(3)).collect();
    let mixed = smooth.iter().map(|u| if *u < 0.6 { (u * 10.0).floor() } else { *u * 10.0 }).collect();
    let ties = smooth.iter().map(|u| (u * 1_500.0).floor()).collect();
    let runs = (0..20_000).map(|row| if row % 3 == 0 { row as f64 } else { f64::from(row / 60) * 60.5 }).collect();
    vec![smooth, tails, mixed, ties, runs]
}

#[test]
fn ranks_stay_within_the_bound() -> Result<()> {
    for (number, values) in shapes().iter().enumerate() {
        let sketch = sketch_of(values)?;
        assert!(sketch.values.len() <= SKETCH_POINTS_MAX && !sketch.exact, "shape {number}");
        assert!(sketch.values.windows(2).all(|pair| pair[0] < pair[1]), "shape {number}");
        assert_eq!(sketch.total(), values.len() as u64);
        let worst = worst_rank(&sketch, values);
        assert!(worst <= 2.0 * 2.0 / (SKETCH_POINTS_MAX - 1) as f64, "shape {number}: {worst}");
    }
    // The smooth case, which is the usual one: one part in a thousand.
    let smooth = &shapes()[0];
    assert!(worst_rank(&sketch_of(smooth)?, smooth) < 0.001);
    Ok(())
}

#[test]
fn merged_ranks_stay_within_the_bound() -> Result<()> {
    for (number, values) in shapes().iter().enumerate() {
        let parts = values.chunks(3_000).map(sketch_of).collect::<Result<Vec<_>>>()?;
        let merged = QuantileSketch::merge(&parts.iter().collect::<Vec<_>>());
        assert!(merged.values.len() <= SKETCH_POINTS_MAX && merged.total() == values.len() as u64);
        let worst = worst_rank(&merged, values);
        assert!(worst <= 4.0 / SKETCH_POINTS_MAX as f64, "shape {number}: {worst}");
        let backwards = QuantileSketch::merge(&parts.iter().rev().collect::<Vec<_>>());
        assert_eq!(backwards.counts, merged.counts, "shape {number}");
    }
    Ok(())
}

#[test]
fn heavy_values_are_points_of_their_own() -> Result<()> {
    let mut values = uniform(3, 10_000);
    values.extend(std::iter::repeat_n(0.25, 5_000));
    let sketch = sketch_of(&values)?;
    let place = sketch.values.iter().position(|value| *value == 0.25).expect("half of a third is heavy");
    assert_eq!(sketch.counts[place], 5_000);
    Ok(())
}

#[test]
fn huge_and_odd_numbers_are_sketched() -> Result<()> {
    let huge: Vec<f64> = uniform(5, 5_000).iter().map(|u| (u * 2.0 - 1.0) * 1.7e308).collect();
    let sketch = sketch_of(&huge)?;
    assert!(sketch.values.iter().all(|value| value.is_finite()) && worst_rank(&sketch, &huge) < 0.004);
    assert!(sketch.values.windows(2).all(|pair| pair[0] < pair[1]));
    let odd = described(&[f64::INFINITY, -0.0, 0.0, 1.0])?;
    let sketch = odd.quantile_sketch.expect("floats have one");
    assert_eq!((&sketch.values[..], &sketch.counts[..], sketch.exact), (&[0.0, 1.0][..], &[2, 1][..], true));
    assert_eq!(sketch_of(&[])?.quantile(0.5), None);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn few_values_are_kept_exactly(a in prop::collection::vec(-50_i32..50, 1..300), b in prop::collection::vec(-50_i32..50, 0..300)) {
        let numbers = |part: &[i32]| part.iter().map(|v| f64::from(*v) / 8.0).collect::<Vec<_>>();
        let (a, b) = (numbers(&a), numbers(&b));
        let all = [&a[..], &b[..]].concat();
        let (left, right) = (described(&a).expect("a table"), described(&b).expect("a table"));
        let whole = described(&all).expect("a table");
        let sketches = [&left, &right].map(|part| part.quantile_sketch.as_ref().expect("floats have one"));
        let merged = QuantileSketch::merge(&sketches);
        prop_assert_eq!(&merged, whole.quantile_sketch.as_ref().expect("floats have one"));
        let mut sorted = all.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        for share in [0.0, 0.1, 0.37, 0.5, 0.99, 1.0] {
            prop_assert_eq!(merged.quantile(share), Some(quantile(&sorted, share)));
        }
        let distinct = [&left, &right].map(|part| part.distinct_sketch.as_ref().expect("floats have one"));
        prop_assert_eq!(&DistinctSketch::merge(&distinct), whole.distinct_sketch.as_ref().expect("floats have one"));
    }

    #[test]
    fn the_order_of_rows_changes_nothing(values in prop::collection::vec(prop::num::f64::ANY, 0..200), turn in 0_usize..200) {
        let mut turned = values.clone();
        turned.rotate_left(turn % values.len().max(1));
        turned.reverse();
        let text = |values: &[f64]| {
            let words = values.iter().map(|value| format!("{:?}", (value * 8.0) as i8)).collect();
            profile(&floats(values).and_then(|table| table.with_texts("word", words)).expect("a table"))
        };
        let written = |values: &[f64]| serde_json::to_string(&text(values)).expect("a record");
        prop_assert_eq!(written(&values), written(&turned));
    }
}

#[test]
fn distinct_counts_are_estimated() -> Result<()> {
    // Four standard errors of 1.04 / sqrt(4096).
    let check = |count: usize, most: f64| -> Result<()> {
        let values: Vec<f64> = (0..count).map(|value| value as f64 * 0.37).collect();
        let sketch = described(&values)?.distinct_sketch.expect("floats have one");
        let off = (sketch.estimate() - count as f64).abs();
        assert!(off <= most, "{count}: {}", sketch.estimate());
        Ok(())
    };
    check(0, 0.0)?;
    check(1, 0.1)?;
    check(100, 3.0)?;
    for count in [2_000, 10_000, 20_000, 60_000] {
        check(count, 4.0 * 1.04 / 64.0 * count as f64)?;
    }
    let words: Vec<String> = (0..30_000).map(|number| format!("customer {number}")).collect();
    let text = table("i\n1\n")?.take(&vec![0; words.len()])?.with_texts("w", words)?;
    let half = |rows: std::ops::Range<u32>| -> Result<DistinctSketch> {
        let part = text.take(&rows.collect::<Vec<_>>())?;
        Ok(column_profile(part.column("w")?, ColumnType::Text).distinct_sketch.expect("text has one"))
    };
    let merged = DistinctSketch::merge(&[&half(0..20_000)?, &half(10_000..30_000)?]);
    assert_eq!(merged, half(0..30_000)?);
    assert!((merged.estimate() / 30_000.0 - 1.0).abs() < 4.0 * 1.04 / 64.0);
    Ok(())
}

#[test]
fn hashes_never_change() -> Result<()> {
    // Stored sketches are merged with new ones: these registers are part of the format.
    let sketch = |text: &str| -> Result<String> {
        let table = table(text)?;
        let column = &profile(&table).columns[0];
        Ok(column.distinct_sketch.as_ref().map(|sketch| sketch.registers.clone()).unwrap_or_default())
    };
    let filled = |registers: &str| registers.bytes().enumerate().find(|(_, byte)| *byte != b'0');
    assert_eq!(sketch("x\n7\n")?, sketch("x\n7.0\n")?);
    assert_ne!(sketch("x\n7\n")?, sketch("x\n7.5\n")?);
    // SplitMix64 of state 0 gives 0xE220A8397B1DCDAF first: register 0xE22, then four zeros before a one.
    assert_eq!(filled(&sketch("x\n0\n")?), Some((0xE22, b'0' + 5)));
    Ok(())
}

#[test]
fn precisions_meet_at_the_least() -> Result<()> {
    let values = floats(&(0..3_000).map(|value| value as f64 + 0.5).collect::<Vec<_>>())?;
    let of = |columns: usize| {
        column_profile_in(Room::among(columns), values.column("x").expect("it is there"), ColumnType::Float)
    };
    let (fine, coarse) = (of(1), of(5_000));
    let sketches = [&fine, &coarse].map(|part| part.distinct_sketch.as_ref().expect("floats have one"));
    assert!(sketches[0].registers.len() > sketches[1].registers.len());
    assert_eq!(DistinctSketch::merge(&sketches), *sketches[1]);
    let damaged = DistinctSketch { registers: "damage".to_owned() };
    assert_eq!(damaged.estimate(), 0.0);
    Ok(())
}

#[test]
fn a_profile_fits_its_record_however_wide_the_table() -> Result<()> {
    let numbers: Vec<f64> = uniform(9, 4_000).iter().map(|u| -u * 1e-100).collect();
    let words = (0..4_000).map(|row| format!("{row:0300}")).collect();
    let table = floats(&numbers)?.with_texts("word", words)?;
    for columns in [1, 100, 449, 5_000, 16_000, 16_400, 50_000] {
        for (name, of) in [("x", ColumnType::Float), ("word", ColumnType::Text)] {
            let column = column_profile_in(Room::among(columns), table.column(name)?, of);
            let bytes = serde_json::to_vec(&column)?.len() as u64 * columns as u64;
            assert!(bytes < RECORD_BYTES_MAX, "{columns} columns like {name}: {bytes} bytes");
        }
    }
    Ok(())
}
