//! What is made on demand: slices, weights, associations; and the gaps in time that every profile has.

use anyhow::Result;

use crate::base::limits::SLICES_MAX;
use crate::data::associate::associate;
use crate::data::profile::profile;
use crate::data::profile::slices::profile_by;
use crate::data::profile::weighted::weighted_profile;
use crate::data::tests::{failure, table};
use crate::record::profile::TimeProfile;

#[test]
fn time_has_a_step_and_gaps() -> Result<()> {
    const DAY: i64 = 86_400_000_000;
    let check = |text: &str, wanted: Option<TimeProfile>| -> Result<()> {
        assert_eq!(profile(&table(text)?).columns[0].times, wanted, "{text}");
        Ok(())
    };
    let days = |first: i64, last: i64, step: i64, gaps: u64, longest: Option<(i64, i64)>| {
        let longest_gap = longest.map(|(start, end)| (start * DAY, end * DAY));
        Some(TimeProfile { first: first * DAY, last: last * DAY, step: step * DAY, gaps, longest_gap })
    };
    check("d\n1970-01-02\n1970-01-04\n", days(1, 3, 2, 0, None))?;
    check("d\n1970-01-03\n1970-01-02\n1970-01-02\n1970-01-04\n1970-01-09\n", days(1, 8, 1, 1, Some((3, 8))))?;
    check("d\n1970-01-05\n", days(4, 4, 0, 0, None))?;
    let hours = "d\n1970-01-01T00:00:00Z\n1970-01-01T01:00:00Z\n1970-01-01T02:00:00Z\n1970-01-02T00:00:00Z\n";
    let hour = DAY / 24;
    let longest_gap = Some((2 * hour, DAY));
    check(hours, Some(TimeProfile { first: 0, last: DAY, step: hour, gaps: 1, longest_gap }))?;
    check("d\n1\n2\n", None)
}

#[test]
fn texts_show_what_is_wrong_with_them() -> Result<()> {
    let record = profile(&table("t,i\n\"a \",1\n\" b\",2\n\"x\u{FFFD}y\",3\n\"c\u{7}\",4\nfine é,5\n\"a \",6\n")?);
    let texts = record.column("t").and_then(|column| column.texts.as_ref()).expect("text is described");
    assert_eq!((texts.padded, texts.invalid, texts.length_min, texts.length_max), (3, 2, 2, 6));
    Ok(())
}

#[test]
fn slices_are_the_most_frequent_values_and_the_rest_is_counted() -> Result<()> {
    let sliced = profile_by(&table("k,x\na,1\nb,2\na,3\n,4\n")?, "k")?;
    let found: Vec<(Option<&str>, u64)> = sliced.slices.iter().map(|s| (s.value.as_deref(), s.rows)).collect();
    assert_eq!(found, [(Some("a"), 2), (Some("b"), 1), (None, 1)]);
    let mean = sliced.slices[0].profile.column("x").and_then(|column| column.numbers.as_ref()?.mean);
    assert_eq!((mean, sliced.other_values, sliced.other_rows), (Some(2.0), 0, 0));
    let many: String = (0..50).map(|row| format!("{}\n", row % 25)).collect();
    let many = profile_by(&table(&format!("k\n{many}"))?, "k")?;
    assert_eq!((many.slices.len(), many.other_values, many.other_rows), (SLICES_MAX, 5, 10));
    let error = failure(profile_by(&table("k,x\na,1.5\n")?, "x"));
    assert!(error.what.contains("cannot slice by `x`"), "{}", error.what);
    Ok(())
}

#[test]
fn weights_that_are_none_are_refused() -> Result<()> {
    let check = |text: &str, says: &str| -> Result<()> {
        let error = failure(weighted_profile(&table(text)?, "w"));
        assert!(error.what.contains(says), "{}", error.what);
        Ok(())
    };
    check("x,w\n1,1\n2,-0.5\n3,-1\n", "weight `w` is `-0.5` in row 2 (2 such rows in all)")?;
    check("x,w\n1,1\n2,\n", "is missing in row 2")?;
    check("x,w\n1,1.5\n2,inf\n", "`inf` in row 2")?;
    check("x,w\n1,0\n2,0\n", "sum to 0")?;
    check("x,w\n1,a\n2,b\n", "text values")?;
    check("x,v\n1,1\n", "unknown column `w`")
}

#[test]
fn weighted_rows_count_as_often_as_they_weigh() -> Result<()> {
    let weighted = weighted_profile(&table("x,t,w\n1,a,1\n5,b,3\n,a,4\n9,c,0\n")?, "w")?;
    let (x, t) = (&weighted.columns[0], &weighted.columns[1]);
    let numbers = x.numbers.as_ref().expect("x holds numbers");
    assert_eq!((weighted.total, x.present, x.missing), (8.0, 4.0, 4.0));
    // Of 1, 5, 5, 5: mean 4, variance (9 + 3) / 4; the row of no weight is not there.
    assert_eq!((numbers.mean, numbers.std), (4.0, 3.0_f64.sqrt()));
    assert_eq!((numbers.quantiles[4], numbers.quantiles[5], numbers.quantiles[10]), (1.0, 5.0, 5.0));
    assert_eq!((numbers.counts[0], numbers.counts[9]), (1.0, 3.0));
    assert_eq!(t.top, [("a".to_owned(), 5.0), ("b".to_owned(), 3.0)]);
    Ok(())
}

#[test]
fn a_column_that_gives_the_target_away_tells_all() -> Result<()> {
    let mut text = String::from("copy,noise,same,hole,y\n");
    for row in 0..400 {
        let hole = if row % 2 == 0 { "" } else { "1.5" };
        text.push_str(&format!(
            "{},{},5,{hole},{}\n",
            row % 2 * 7,
            row / 2 % 2,
            if row % 2 == 0 { "no" } else { "yes" }
        ));
    }
    let found = associate(&table(&text)?, Some("y"))?;
    let of = |name: &str| found.information.iter().find(|entry| entry.column == name).expect("it is measured");
    // That a value is missing may tell as much as the value; chance explains the rest.
    for name in ["copy", "hole"] {
        assert!((of(name).nats - 2.0_f64.ln()).abs() < 1e-15 && of(name).share > 0.99, "{:?}", of(name));
    }
    assert_eq!((of("noise").share, of("same").share, of("same").noise_nats), (0.0, 0.0, 0.0));
    let constant = found.pearson.iter().filter(|pair| pair.a == "same" || pair.b == "same");
    assert!(constant.clone().count() == 3 && constant.clone().all(|pair| pair.value.is_none()));
    assert!(failure(associate(&table(&text)?, Some("z"))).what.contains("unknown column `z`"));
    Ok(())
}

#[test]
fn degenerate_tables_have_associations_too() -> Result<()> {
    for text in ["a,b,y\n1,2,\n", "a,b,y\n1,x,0\n", "a,b,y\n,,\n,,\n", "a,y\n1e308,1\n-1e308,2\n1e308,3\n"] {
        let found = associate(&table(text)?, Some("y"))?;
        assert!(found.information.iter().all(|entry| entry.nats.is_finite() && entry.share.is_finite()), "{text}");
        assert!(found.pearson.iter().filter_map(|pair| pair.value).all(|value| value.abs() <= 1.0), "{text}");
    }
    let none = associate(&table("a,y\n1,2\n")?.take(&[])?, Some("y"))?;
    assert_eq!((none.pearson[0].value, none.information[0].nats), (None, 0.0));
    let exact = associate(&table("a,b\n1e308,-1e-300\n-1e308,1e-300\n5e307,-5e-301\n")?, None)?;
    assert!((exact.pearson[0].value.unwrap_or(0.0) + 1.0).abs() < 1e-15);
    Ok(())
}
