//! What a text table becomes: types, missing values, guesses.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::base::talk::Silent;
use crate::data::source::{ReadOptions, read, reread};
use crate::data::tests::{cells, example, failure, read_file, read_text, table, types};
use crate::data::value::{self, Kind};
use crate::spec::schema::ColumnType::{self, Boolean, Date, Float, Integer, Text, Time, Timestamp};

/// A column of these values has this type, and the guesses hold this text (none when empty).
#[track_caller]
fn check_type(values: &[&str], wanted: ColumnType, guess: &str) {
    let text = format!("x,y\n{}\n", values.iter().map(|value| format!("{value},1")).collect::<Vec<_>>().join("\n"));
    let read = read_text(&text).expect("the table is well formed");
    assert_eq!(types(&read.table)[0], wanted, "{values:?}");
    assert_eq!(read.guesses.is_empty(), guess.is_empty(), "{:?}", read.guesses);
    assert!(read.guesses.iter().all(|said| said.contains(guess)), "{:?}", read.guesses);
}

#[test]
fn the_narrowest_type_that_holds_every_value() {
    check_type(&["1", "-2", " 3 ", "\"4\""], Integer, "");
    check_type(&["1", "2.5", "1e-3", ".5", "-inf", "NaN"], Float, "");
    check_type(&["9223372036854775807", "-9223372036854775808"], Integer, "");
    check_type(&["TRUE", "false", "True"], Boolean, "");
    check_type(&["2024-02-29", "2024/01/31", "31.12.2023", "01-Jan-2024"], Date, "");
    check_type(&["2024-02-29T10:00:00Z", "2024-02-29 10:00:00.5+02:00", "2024-02-29 10:00:00 -0530"], Timestamp, "");
    check_type(&["10:30:00", "00:00", "23:59:59.25"], Time, "");
    check_type(&["a", "b c", "Ünïcode"], Text, "");
    check_type(&["yes", "no"], Text, "");
    check_type(&["T", "F"], Text, "");
    check_type(&["100000000000000000000", "0.5"], Float, "");
}

#[test]
fn guesses_are_said() {
    check_type(&["501", "00501"], Text, "leading zeros or plus signs mean codes, not numbers (first: row 2 `00501`)");
    check_type(&["+4930", "12"], Text, "first: row 1 `+4930`");
    check_type(&["1", "9223372036854775808"], Text, "do not fit 64 bits (first: row 2 `9223372036854775808`)");
    check_type(&["1", "x7", "2"], Text, "not all of its values are numbers, as row 1 `1` is (first: row 2 `x7`)");
    check_type(&["NA", "", "null"], Text, "it has no values at all");
    check_type(&["03/04/2024", "2024-01-01"], Text, "day and month of its dates can be mistaken");
    check_type(&["2024-01-01 10:00"], Timestamp, "have no zone and are taken as UTC");
    check_type(&["2024-01-01 10:00", "2024-01-01T10:00Z"], Timestamp, "others have one (first: row 2");
    check_type(&["10:30", "NA", "11:00"], Time, "column `x` is taken as times of day, as row 1 `10:30` is");
    check_type(&["10:30:00.1234567"], Time, "digits below a microsecond are cut");
    check_type(&["1.5", "1e400"], Text, "not all of its values are numbers, as row 1 `1.5` is (first: row 2 `1e400`)");
    check_type(&["2024-01-01T10:00:00.1234567Z"], Timestamp, "digits below a microsecond are cut");
}

#[test]
fn dates_that_do_not_exist_and_numbers_that_are_none_are_text() {
    for text in
        ["2023-02-29", "2024-13-01", "24:00", "2024-01-01T25:00", "1_000", "1e", "--1", "0x1F", "1.2.3", "-", "."]
    {
        assert_eq!(value::kind(text), Kind::Text, "{text}");
    }
    for (text, kind) in [
        ("007", Kind::Code),
        ("07", Kind::Code),
        ("-07.5", Kind::Code),
        ("0", Kind::Integer),
        ("-0", Kind::Integer),
        ("0.5", Kind::Float),
        ("-.5e+3", Kind::Float),
    ] {
        assert_eq!(value::kind(text), kind, "{text}");
    }
}

#[test]
fn times_are_counted_as_the_calendar_does() {
    // Python 3.13: (date(y, m, d) - date(1970, 1, 1)).days
    for (text, days) in [
        ("1970-01-01", 0),
        ("2000-02-29", 11_016),
        ("1969-12-31", -1),
        ("0001-01-01", -719_162),
        ("9999-12-31", 2_932_896),
    ] {
        assert_eq!(value::date(text), Some(days));
        assert_eq!(value::date_text(days), text);
    }
    // Python 3.13: datetime.fromisoformat(text).timestamp() * 1e6
    let micros = 1_709_188_200_500_000;
    assert_eq!(value::timestamp("2024-02-29T12:00:00.5+05:30"), Some(micros));
    assert_eq!(value::timestamp_text(micros), "2024-02-29T06:30:00.5Z");
    assert_eq!(value::timestamp(&value::timestamp_text(-1)), Some(-1));
    assert_eq!(value::timestamp_text(-1), "1969-12-31T23:59:59.999999Z");
    for (text, micros) in [("00:00", 0), ("23:59:59.999999", 86_399_999_999), ("09:05:01.5", 32_701_500_000)] {
        assert_eq!(value::time(text), Some(micros), "{text}");
        assert_eq!(value::time(&value::time_text(micros)), Some(micros));
    }
    for text in ["24:00", "9:30", "10:60", "10:30:60", "10:30:", "10:30:00.", "10:30 "] {
        assert_eq!(value::kind(text), Kind::Text, "{text}");
    }
    assert_eq!((value::float("1e400"), value::float("-inf")), (None, Some(f64::NEG_INFINITY)));
}

#[test]
fn a_word_in_the_last_of_many_rows_is_found() -> Result<()> {
    // Long enough for several blocks and more than one batch of them.
    let mut text = String::from("a,b\n");
    for row in 0..2_200_000 {
        text.push_str(&format!("{row},7\n"));
    }
    assert!(text.len() > 18 << 20);
    text.push_str("late,7.5\n");
    let read = read_text(&text)?;
    assert_eq!(types(&read.table), [Text, Float]);
    assert_eq!(read.table.rows(), 2_200_001);
    assert!(read.guesses[0].contains("(first: row 2,200,001 `late`)"), "{:?}", read.guesses);
    assert_eq!(read.table.cell(1_234_567, "a").as_deref(), Some("1234567"));
    assert_eq!(read.table.cell(2_200_000, "a").as_deref(), Some("late"));
    Ok(())
}

#[test]
fn the_usual_words_are_missing_and_others_when_given() -> Result<()> {
    let plain = table("x\nNA\n1\nn/a\n#N/A\nNone\nnan\n\"\"\n")?;
    assert_eq!((types(&plain)[0], cells(&plain, "x").join("|")), (Integer, "-|1|-|-|-|-|-".to_owned()));
    let options = ReadOptions { null_values: Some(vec!["-999".to_owned()]), ..ReadOptions::default() };
    let given = read_file("t.csv", b"x,y\n-999,NA\n1,b\n,\n", &options)?;
    assert_eq!(
        (cells(&given.table, "x").join("|"), cells(&given.table, "y").join("|")),
        ("-|1|-".to_owned(), "NA|b|-".to_owned())
    );
    assert_eq!(given.parse.null_values, ["", "-999"]);
    Ok(())
}

#[test]
fn quotes_newlines_and_line_ends() -> Result<()> {
    let text = "\u{feff}name,note\r\n\"a, \"\"b\"\"\",\"two\nlines\"\r\n6\" nails,it's \"so\"\n\r\n last ,x";
    let read = read_text(text)?;
    assert_eq!(cells(&read.table, "name"), ["a, \"b\"", "6\" nails", " last "]);
    assert_eq!(cells(&read.table, "note"), ["two\nlines", "it's \"so\"", "x"]);
    assert_eq!(read.guesses, ["1 blank line skipped: no character on it"]);
    Ok(())
}

#[test]
fn blocks_end_at_records_whatever_the_quotes_hold() -> Result<()> {
    // Every record is 64 KiB of quoted line feeds, so that nearly every line end is inside quotes.
    let filler = "\n".repeat(65_536);
    let mut text = String::from("n,text\n");
    for row in 0..400 {
        text.push_str(&format!("{row},\"{filler}\"\n"));
    }
    let table = table(&text)?;
    assert_eq!(table.rows(), 400);
    assert!((0..400).all(|row| table.cell(row, "text").is_some_and(|text| text.len() == 65_536)));
    Ok(())
}

#[test]
fn quotes_inside_plain_fields_do_not_move_block_ends() -> Result<()> {
    // An odd number of stray quotes before each quoted line feed: counting quotes alone would cut inside a field.
    let mut text = String::from("n,size,note\n");
    for row in 0..60_000 {
        text.push_str(&format!("{row},6\" nails,\"a\nb, \"\"c\"\"\"\n"));
    }
    let table = table(&text)?;
    assert_eq!(table.rows(), 60_000);
    for row in [0, 19_999, 59_999] {
        assert_eq!(table.cell(row, "size").as_deref(), Some("6\" nails"));
        assert_eq!(table.cell(row, "note").as_deref(), Some("a\nb, \"c\""));
    }
    Ok(())
}

#[test]
fn delimiters_are_told() -> Result<()> {
    for (text, wanted) in [
        ("a;b\n1,5;2\n3,5;4\n", ';'),
        ("a\tb\n1\t2\n", '\t'),
        ("a|b|c\n1|2|3\n", '|'),
        ("a,b\n\"x;y;z\",1\n", ','),
        ("only\n1\n", ','),
    ] {
        let read = read_text(text)?;
        assert_eq!(read.parse.delimiter, wanted, "{text}");
        assert_eq!(read.guesses.iter().any(|said| said.starts_with("the delimiter is")), wanted != ',');
    }
    let comma = read_text("a;b\n1,5;2\n")?.guesses;
    assert!(comma[1].contains("column `a` is kept as text: its numbers have a decimal comma"), "{comma:?}");
    Ok(())
}

#[test]
fn a_table_without_names_can_be_read() -> Result<()> {
    let options = ReadOptions { header: Some(false), ..ReadOptions::default() };
    let read = read_file("t.csv", b"1,a\n2,b\n", &options)?;
    assert_eq!(cells(&read.table, "column_1"), ["1", "2"]);
    Ok(())
}

#[test]
fn given_types_are_kept_or_refused() -> Result<()> {
    let with = |types: &[(&str, ColumnType)]| ReadOptions {
        types: BTreeMap::from_iter(types.iter().map(|(name, of)| ((*name).to_owned(), *of))),
        ..ReadOptions::default()
    };
    let text = b"zip,flag,day\n007,1,2024-01-31\n8,0,2024-02-01\n";
    let read = read_file("t.csv", text, &with(&[("zip", Integer), ("flag", Boolean), ("day", Timestamp)]))?;
    assert_eq!(cells(&read.table, "zip"), ["7", "8"]);
    assert_eq!(cells(&read.table, "flag"), ["true", "false"]);
    assert_eq!(cells(&read.table, "day"), ["2024-01-31T00:00:00Z", "2024-02-01T00:00:00Z"]);
    let misfit = failure(read_file("t.csv", b"a,b\n1,2\nx,3\n", &with(&[("a", Integer)])));
    assert_eq!(misfit.what, "column `a` is to be read as integer, but row 2 holds `x`");
    let unknown = failure(read_file("t.csv", b"amount,b\n1,2\n", &with(&[("amuont", Float)])));
    assert_eq!(unknown.hint.as_deref(), Some("did you mean `amount`?"));
    Ok(())
}

#[test]
fn the_real_tables_read_as_pandas_reads_them() -> Result<()> {
    // pandas 3.1.1: shape and isna().sum(); its floats that are integers with gaps stay integers here.
    for (name, rows, wanted) in
        [("penguins", 344, "TTFFIITI"), ("titanic", 2_207, "TFTTFIII"), ("bikeshare", 8_645, "ITIIIIITFFFFIII")]
    {
        let read = read(&example(name), &ReadOptions::default(), &Silent)?;
        let letters: String = types(&read.table)
            .iter()
            .map(|of| match of {
                Integer => 'I',
                Float => 'F',
                Text => 'T',
                _ => '?',
            })
            .collect();
        assert_eq!((read.table.rows(), letters.as_str(), read.guesses.len()), (rows, wanted, 0), "{name}");
        let again = reread(&[(example(name), &read.parse)], &read.table.columns())?;
        assert!(again.polars().equals_missing(read.table.polars()), "{name}");
    }
    Ok(())
}
