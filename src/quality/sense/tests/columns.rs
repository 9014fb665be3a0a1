//! Suspicions about one column.

use anyhow::Result;
use polars::prelude::Column;

use crate::data::profile::profile;
use crate::quality::sense::fold::fold;
use crate::quality::sense::tests::{
    ROWS, days, floats, found, gaps, integers, named, noise, only, options, rng, table, texts,
};
use crate::quality::sense::times::times;
use crate::record::profile::TimeProfile;
use crate::spec::schema::Severity;

/// All codes about single columns.
const CODES: [&str; 12] = [
    "CONSTANT_COLUMN",
    "NEARLY_CONSTANT",
    "ALL_MISSING",
    "MOSTLY_MISSING",
    "ID_LIKE",
    "HIGH_CARDINALITY",
    "SENTINEL",
    "INVALID_TEXT",
    "MIXED_CASE_VALUES",
    "NUMBERS_AS_TEXT",
    "OUTLIERS_MAD",
    "LEAKAGE",
];

/// The column beside one of noise raises exactly `code`, or nothing when that is empty.
fn check(column: Column, code: &str) -> Result<()> {
    let name = column.name().to_string();
    let seen = found(&table(vec![noise("noise"), column]), &options(""))?;
    let wanted: Vec<String> = (!code.is_empty()).then(|| format!("{code}:{name}")).into_iter().collect();
    assert_eq!(named(&seen, &CODES), wanted, "{seen:#?}");
    for finding in &seen {
        assert!(finding.severity < Severity::Error && !finding.fix.is_empty() && !finding.constraint.is_empty());
        assert!(
            finding.rows.len() <= 20 && (finding.samples.is_empty() || finding.samples.len() == finding.rows.len())
        );
    }
    Ok(())
}

#[test]
fn columns_without_news_are_found() -> Result<()> {
    check(integers("a", |_| 3), "CONSTANT_COLUMN")?;
    check(texts("a", |_| "x".to_owned()), "CONSTANT_COLUMN")?;
    check(integers("a", |row| i64::from(row == 7)), "")?;
    check(gaps("a", |_| None), "ALL_MISSING")?;
    check(gaps("a", |row| (row % 50 == 0).then_some(row as f64)), "MOSTLY_MISSING")?;
    check(gaps("a", |row| (row % 3 > 0).then_some((row % 17) as f64)), "")?;
    // One value beside gaps says something by being there.
    check(gaps("a", |row| (row % 3 > 0).then_some(1.0)), "")
}

#[test]
fn nearly_constant_columns_need_a_thousand_rows() -> Result<()> {
    for (rows, odd, expected) in [(2_000, 2, 1), (2_000, 3, 0), (900, 1, 0)] {
        let values: Vec<f64> = (0..rows).map(|row| if row < odd { 1.5 + row as f64 } else { 0.0 }).collect();
        let words: Vec<&str> = (0..rows).map(|row| if row < odd { "x" } else { "y" }).collect();
        let columns = vec![Column::new("number".into(), values), Column::new("word".into(), words)];
        let seen = found(&table(columns), &options(""))?;
        assert_eq!(named(&seen, &["NEARLY_CONSTANT"]).len(), 2 * expected, "{rows} {odd} {seen:#?}");
    }
    Ok(())
}

#[test]
fn identifiers_are_told_from_measurements() -> Result<()> {
    check(integers("a", |row| row as i64 + 1), "ID_LIKE")?;
    check(integers("a", |row| 1_000 + 7 * row as i64), "ID_LIKE")?;
    check(texts("a", |row| format!("customer-{row}")), "ID_LIKE")?;
    check(texts("a", |row| format!("{:032x}", (row % 150) as u128 * 0x1234_5678_9abc_def1)), "ID_LIKE")?;
    check(texts("a", |row| format!("{:08x}-0000-4000-8000-000000000000", row % 150)), "ID_LIKE")?;
    check(integers("user_id", |row| (row as i64 % 250) * 1_000_003), "ID_LIKE")?;
    // Incomes: distinct by chance alone, in a wide range.
    let mut income = rng("income");
    check(integers("a", move |_| 20_000 + income.below(1_000_000) as i64), "")?;
    check(integers("age", |row| 18 + (row as i64 * 7) % 70), "")?;
    check(texts("a", |row| format!("city {}", row % 40)), "")?;
    check(texts("a", |row| format!("street {}", row % 150)), "HIGH_CARDINALITY")?;
    check(texts("a", |row| format!("a sentence of some words that people wrote in row {row}")), "HIGH_CARDINALITY")
}

#[test]
fn keys_and_ignored_columns_are_no_identifiers() -> Result<()> {
    let both = table(vec![integers("id", |row| row as i64), texts("code", |row| format!("c{row}")), noise("x")]);
    let mut chosen = options("");
    chosen.roles.key = vec!["id".to_owned()];
    chosen.roles.ignore = vec!["code".to_owned()];
    assert_eq!(named(&found(&both, &chosen)?, &CODES), [""; 0]);
    Ok(())
}

#[test]
fn values_for_unknown_are_found() -> Result<()> {
    let often = |row: usize| row.is_multiple_of(20);
    check(integers("a", |row| if often(row) { -999 } else { 18 + row as i64 % 60 }), "SENTINEL")?;
    check(floats("a", |row| if often(row) { -1.0 } else { (row % 60) as f64 / 2.0 }), "SENTINEL")?;
    check(integers("a", |row| if often(row) { 999 } else { 18 + row as i64 % 60 }), "SENTINEL")?;
    check(days("a", |row| if often(row) { -25_567 } else { 19_000 + row as i32 % 300 }), "SENTINEL")?;
    check(days("a", |row| if often(row) { 2_932_896 } else { 19_000 + row as i32 % 300 }), "SENTINEL")?;
    // Ends of a range, single values and values beside others are none.
    check(integers("a", |row| row as i64 % 100), "")?;
    check(integers("a", |row| (row as i64 % 7) - 1), "")?;
    check(floats("a", |row| (row % 201) as f64 - 99.0), "")?;
    check(integers("a", |row| 900 + row as i64 % 100), "")?;
    check(days("a", |row| row as i32 % 300), "")
}

#[test]
fn a_sentinel_says_which_rows_and_what_to_do() -> Result<()> {
    let column = integers("age", |row| if row % 100 == 3 { -999 } else { 18 + row as i64 % 60 });
    let finding = only(&table(vec![column]), &options(""), "SENTINEL")?;
    assert_eq!((finding.rows, finding.count), (vec![4, 104, 204, 304], 4));
    assert_eq!(finding.samples, ["-999"; 4]);
    assert_eq!(finding.observed, "-999 in 4 of 400 values (1 %), apart from all other values");
    assert!(finding.fix.starts_with("add \"-999\" to [data] null_values"), "{}", finding.fix);
    Ok(())
}

#[test]
fn damaged_text_is_found() -> Result<()> {
    let with =
        |odd: &'static str| texts("a", move |row| if row == 5 { odd.to_owned() } else { format!("v{}", row % 9) });
    for odd in ["M\u{fffd}ller", "MÃ¼ller", "itâ€™s", "a\u{0}b", "R &amp; D", "&#39;x&#39;", "Â£5", "v1 ", "\u{a0}v1x"]
    {
        let seen = found(&table(vec![with(odd)]), &options(""))?;
        assert_eq!(named(&seen, &["INVALID_TEXT"]), ["INVALID_TEXT:a"], "{odd:?}");
        let finding = seen.iter().find(|finding| finding.code == "INVALID_TEXT").expect("it was just named");
        assert_eq!((finding.rows.as_slice(), finding.count), (&[6][..], 1), "{odd:?}");
        assert_eq!(finding.severity == Severity::Info, odd.trim() != odd, "{odd:?}");
    }
    for fine in ["Müller", "it’s", "R & D", "São Paulo", "Ãngela", "château", "naïve", "two\nlines", "AT&T; x", "東京"]
    {
        check(with(fine), "")?;
    }
    Ok(())
}

#[test]
fn values_that_differ_by_case_are_found() -> Result<()> {
    let words = ["Paris", "Paris", "paris", "PARIS ", "Rome", "Oslo"];
    let seen = found(&table(vec![texts("city", |row| words[row % 6].to_owned())]), &options(""))?;
    let finding = seen.iter().find(|finding| finding.code == "MIXED_CASE_VALUES").expect("three spellings of Paris");
    assert_eq!(finding.rows[..4], [3, 4, 9, 10]);
    assert!(
        finding.observed.contains("\"Paris\" (134) and \"PARIS \" (67) and \"paris\" (67)"),
        "{}",
        finding.observed
    );
    check(texts("a", |row| ["Paris", "Rome", "Oslo"][row % 3].to_owned()), "")
}

#[test]
fn numbers_kept_as_text_are_found() -> Result<()> {
    check(texts("a", |row| (row % 50).to_string()), "NUMBERS_AS_TEXT")?;
    check(
        texts("a", |row| if row % 30 == 0 { "unknown".to_owned() } else { (row % 50).to_string() }),
        "NUMBERS_AS_TEXT",
    )?;
    check(texts("a", |row| format!("${},{:03}", 1 + row % 7, row % 10)), "NUMBERS_AS_TEXT")?;
    check(texts("a", |row| format!("{},5", row % 50)), "NUMBERS_AS_TEXT")?;
    check(texts("a", |row| format!("0{:03}", row % 50)), "")?;
    check(texts("a", |row| if row % 3 == 0 { "x".to_owned() } else { (row % 50).to_string() }), "")?;
    let hours = table(vec![texts("hr", |row| (row % 24).to_string())]);
    let finding = only(&hours, &options(""), "NUMBERS_AS_TEXT")?;
    assert_eq!(finding.fix, "write types = { \"hr\" = \"integer\" } in [data] of mlops.toml");
    Ok(())
}

#[test]
fn values_far_from_the_median_are_found() -> Result<()> {
    let mut rng = rng("outliers");
    let far = floats("a", move |row| if row == 9 { 60.0 } else { rng.normal() });
    let finding = only(&table(vec![far]), &options(""), "OUTLIERS_MAD")?;
    assert_eq!(finding.rows.last(), Some(&10));
    assert!(finding.samples.iter().any(|sample| sample.starts_with("60.0 (score ")), "{:?}", finding.samples);
    // Normal numbers have a few beyond 3.5 deviations; counts without spread have no measure.
    check(noise("a"), "")?;
    check(integers("a", |row| i64::from(row % 10 == 0) * 5), "")?;
    let mut off = options("");
    off.outliers.mad = None;
    assert_eq!(
        named(&found(&table(vec![floats("a", |row| if row == 9 { 1e9 } else { (row % 9) as f64 })]), &off)?, &CODES),
        [""; 0]
    );
    Ok(())
}

#[test]
fn the_median_distance_is_that_of_the_paper() -> Result<()> {
    // Iglewicz and Hoaglin: x = 1..=31 and 1000; the median of 32 values is 16.5, their median distance 8.
    let mut values: Vec<f64> = (1..=31).map(f64::from).collect();
    values.push(1000.0);
    let finding = only(&table(vec![Column::new("a".into(), values)]), &options(""), "OUTLIERS_MAD")?;
    assert_eq!(finding.constraint, "0.6745 × |x - median| / MAD <= 3.5, with median 16.5 and MAD 8");
    assert_eq!((finding.rows, finding.samples), (vec![32], vec!["1000.0 (score 82.9)".to_owned()]));
    Ok(())
}

#[test]
fn gaps_in_a_regular_series_are_found() {
    let day = 86_400_000_000_i64;
    let series = |step: i64, gaps: u64, longest: Option<(i64, i64)>, repeats: u64| {
        let mut column = profile(&table(vec![days("day", |row| row as i32)])).columns.remove(0);
        column.unique = ROWS as u64 - repeats;
        column.times = Some(TimeProfile { first: 0, last: (ROWS as i64 - 1) * day, step, gaps, longest_gap: longest });
        times(&column)
    };
    let codes = |found: Vec<crate::quality::report::Finding>| found.into_iter().map(|f| f.code).collect::<Vec<_>>();
    assert_eq!(codes(series(day, 0, None, 0)), [""; 0]);
    assert_eq!(codes(series(day, 2, Some((0, 5 * day)), 3)), ["TIME_GAPS", "TIME_REPEATS"]);
    assert_eq!(codes(series(day, 200, Some((0, 5 * day)), 0)), [""; 0]);
    let observed = series(day, 2, Some((day, 5 * day)), 0).remove(0).observed;
    assert_eq!(observed, "2 longer distances; the longest, of 96 h 00 min, from 1970-01-02 to 1970-01-06");
}

#[test]
fn text_is_folded_to_what_a_reader_sees() {
    let cases = [
        ("abc", "abc"),
        ("  A  b\tC ", "a b c"),
        ("Ｆｕｌｌ　１２", "full 12"),
        ("e\u{301}A\u{308}", "éä"),
        ("É", "é"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("o\u{200b}k", "ok"),
        ("ﬁn", "fin"),
        ("O’Neil", "o'neil"),
        ("", ""),
        (" ", ""),
        ("東京", "東京"),
        ("a\u{a0}b", "a b"),
    ];
    for (text, folded) in cases {
        assert_eq!(fold(text), folded, "{text:?}");
    }
}
