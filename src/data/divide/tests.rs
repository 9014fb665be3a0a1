//! Divisions of small tables, by everything they can be made by.

use anyhow::Result;

use crate::base::fail;
use crate::base::limits::JUDGED_SLICES_MAX;
use crate::base::talk::Silent;
use crate::data::divide::{Division, divide};
use crate::data::source::{ReadOptions, read};
use crate::data::table::Table;

fn table(text: &str) -> Result<Table> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("t.csv");
    std::fs::write(&path, text)?;
    Ok(read(&path, &ReadOptions::default(), &Silent)?.table)
}

fn one(table: &Table, text: &str) -> Result<Division> {
    let mut divisions = divide(table, &[text.to_owned()])?;
    assert_eq!(divisions.len(), 1);
    Ok(divisions.remove(0))
}

/// `name:rows` of each slice.
fn shown(division: &Division) -> String {
    let sizes = division.sizes();
    let members = division.members();
    assert!(members.iter().zip(&sizes).all(|(rows, size)| rows.len() as u64 == *size && *size > 0));
    division.names.iter().zip(sizes).map(|(name, size)| format!("{name}:{size}")).collect::<Vec<_>>().join(" ")
}

const PEOPLE: &str = "sex,age,member,fare,joined,seen,at\n\
    F,18,true,1.5,2024-01-31,2024-03-01T09:30:00Z,09:15:00\n\
    M,30,false,2.5,2024-02-01,2024-03-01T10:30:00Z,09:45:00\n\
    F,40,true,,2024-02-28,2024-03-01T10:45:00Z,23:00:00\n\
    ,9,,1.5,2025-02-28,,\n\
    M,100,false,-0.0,2026-02-28,2024-03-02T00:00:00Z,00:00:00\n\
    M,40,false,0.0,2026-02-28,2024-03-02T00:00:00Z,00:00:00\n";

#[test]
fn every_kind_of_column_has_its_slices() -> Result<()> {
    let table = table(PEOPLE)?;
    let check = |text: &str, wanted: &str| -> Result<()> {
        assert_eq!(shown(&one(&table, text)?), wanted, "{text}");
        Ok(())
    };
    check("sex", "F:2 M:3 (missing):1")?;
    check("age", "9:1 18:1 30:1 40:2 100:1")?;
    check("member", "false:3 true:2 (missing):1")?;
    check("fare", "0:2 1.5:2 2.5:1 (missing):1")?;
    check("joined", "2024-01-31:1 2024-02-01:1 2024-02-28:1 2025-02-28:1 2026-02-28:2")?;
    check("seen", "2024-03-01 09:00:1 2024-03-01 10:00:2 2024-03-02 00:00:2 (missing):1")?;
    check("at", "00:00:2 09:00:2 23:00:1 (missing):1")?;
    check("bins(age, 2)", "< 40:3 >= 40:3")?;
    check("bins(age,3)", "< 30:2 [30, 40):1 >= 40:3")?;
    check("BINS( \"age\" , 2 )", "< 40:3 >= 40:3")?;
    check("bins(fare, 2)", "< 1:2 >= 1:3 (missing):1")?;
    check("bins(joined, 2)", "< 2025-02-28:3 >= 2025-02-28:3")?;
    check("sex * member", "F * true:2 M * false:3 (missing) * (missing):1")?;
    check(
        "sex * bins(age, 2) * member",
        "F * < 40 * true:1 F * >= 40 * true:1 M * < 40 * false:1 M * >= 40 * false:2 (missing) * < 40 * (missing):1",
    )?;
    check("age >= 40 AND sex = 'M'", "no:4 yes:2")?;
    check("sex = 'M'", "no:2 yes:3 (missing):1")?;
    check("member IS NULL", "no:5 yes:1")?;
    check("not member", "no:2 yes:3 (missing):1")?;
    check("joined >= DATE '2025-01-01'", "no:3 yes:3")?;
    check("(age > 30) * sex", "no * F:1 no * M:1 no * (missing):1 yes * F:1 yes * M:2")?;
    check("starts_with(sex, 'F')", "no:3 yes:2 (missing):1")?;
    Ok(())
}

#[test]
fn what_is_not_well_written_says_so() -> Result<()> {
    let table = table(PEOPLE)?;
    let check = |text: &str, wanted: &str| {
        let error = divide(&table, &[text.to_owned()]).expect_err(text);
        let hint = fail::find(&error).and_then(|failure| failure.hint.clone()).unwrap_or_default();
        let said = format!("{error:#}; {hint}");
        assert!(said.contains(wanted), "{text}: {said}");
    };
    check("sexx", "unknown column `sexx`; did you mean `sex`?");
    check("sex * agee", "unknown column `agee`; did you mean `age`?");
    check("\"sexx\"", "did you mean `sex`?");
    check("bins(agee, 3)", "did you mean `age`?");
    check("bins(age)", "the number of bins is missing");
    check("bins(age, 1)", "`1` is no number of bins from 2 to 100");
    check("bins(age, x)", "`x` is no number of bins");
    check("bins(sex, 3)", "`sex` is text, and bins are of numbers or times");
    check("sex * sex", "names `sex` twice");
    check("sex * age * member * at", "crosses 4 parts");
    check("agee > 3", "did you mean `age`?");
    check("age + 3 IN (", "cannot be used");
    check("abs(age)", "is no condition");
    check("sum(age) > 3", "an aggregate");
    check(" ", "a slice is empty");
    Ok(())
}

#[test]
fn names_with_signs_are_columns_first() -> Result<()> {
    let table = table("a * b,\"x,y\",\"say \"\"so\"\"\",a,b\n1,2,3,4,5\n1,3,3,4,6\n")?;
    assert_eq!(shown(&one(&table, "a * b")?), "1:2");
    assert_eq!(shown(&one(&table, "\"x,y\" * a")?), "2 * 4:1 3 * 4:1");
    assert_eq!(shown(&one(&table, "\"say \"\"so\"\"\"")?), "3:2");
    assert_eq!(shown(&one(&table, "\"a\" * \"b\"")?), "4 * 5:1 4 * 6:1");
    Ok(())
}

#[test]
fn many_numbers_are_bins_with_short_names() -> Result<()> {
    let lines: Vec<String> = (0..1000).map(|row| format!("{},{}", row, f64::from(row) / 3.0)).collect();
    let table = table(&format!("n,x\n{}\n", lines.join("\n")))?;
    let division = one(&table, "n")?;
    assert_eq!(shown(&division), "< 250:250 [250, 500):250 [500, 750):250 >= 750:250");
    assert!(division.notes[0].contains("more than 50 distinct values"), "{:?}", division.notes);
    assert_eq!(shown(&one(&table, "x")?), "< 83.3:250 [83.3, 166.6):250 [166.6, 250):250 >= 250:250");
    Ok(())
}

#[test]
fn bins_never_part_equal_values() -> Result<()> {
    let check = |values: &[&str], bins: usize, wanted: &str| -> Result<()> {
        let text = format!("x,y\n{}\n", values.iter().map(|value| format!("{value},1")).collect::<Vec<_>>().join("\n"));
        let division = one(&table(&text)?, &format!("bins(x, {bins})"))?;
        assert_eq!(shown(&division), wanted);
        assert_eq!(
            division.notes.is_empty(),
            division.names.iter().filter(|name| *name != "(missing)").count() == bins
        );
        Ok(())
    };
    check(&["1", "1", "1", "1", "2"], 2, "< 2:4 >= 2:1")?;
    check(&["1", "2", "2", "2", "2"], 3, "< 2:1 >= 2:4")?;
    check(&["1.0", "1.0", ""], 2, "all values:2 (missing):1")?;
    Ok(())
}

#[test]
fn of_very_many_values_the_largest_are_kept() -> Result<()> {
    let lines: Vec<String> = (0..3000).map(|row| format!("t{:04},1", if row < 1200 { row / 2 } else { row })).collect();
    let division = one(&table(&format!("id,x\n{}\n", lines.join("\n")))?, "id")?;
    assert_eq!((division.names.len(), division.values_left_out), (JUDGED_SLICES_MAX, 1900));
    assert_eq!((division.names[0].as_str(), division.sizes()[0]), ("t0000", 2));
    assert!(division.notes[0].contains("2,000 rows are in none of them"), "{:?}", division.notes);
    Ok(())
}

#[test]
fn long_times_are_divided_by_long_periods() -> Result<()> {
    let check = |step_days: i32, count: i32, first: &str, slices: usize| -> Result<()> {
        let day = |row: i32| crate::data::value::date_text(19_000 + row * step_days);
        let lines: Vec<String> = (0..count).map(|row| format!("{},1", day(row))).collect();
        let division = one(&table(&format!("d,x\n{}\n", lines.join("\n")))?, "d")?;
        assert_eq!((division.names[0].as_str(), division.names.len()), (first, slices));
        Ok(())
    };
    check(1, 20, "2022-01-08", 20)?;
    check(1, 400, "2022-01", 14)?;
    check(7, 200, "2022-Q1", 16)?;
    check(100, 100, "2022", 28)?;
    Ok(())
}

#[test]
fn hostile_values_stay_apart() -> Result<()> {
    let table = table("t,u,n\n(missing),a * b,9007199254740993\n,a,9007199254740992\n\"a * b\",a,1\na,b,1\n")?;
    assert_eq!(shown(&one(&table, "t")?), "\"(missing)\":1 a:1 a * b:1 (missing):1");
    assert_eq!(shown(&one(&table, "n")?), "1:2 9007199254740992:1 9007199254740993:1");
    let crossed = table_of_collisions()?;
    assert_eq!(shown(&one(&crossed, "t * u")?), "a * b * c:1 a * b * c (2):1");
    Ok(())
}

fn table_of_collisions() -> Result<Table> {
    table("t,u\na,b * c\na * b,c\n")
}
