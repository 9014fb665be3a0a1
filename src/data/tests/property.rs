//! Whatever a table holds, writing and reading it keeps every value.

use anyhow::Result;
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof};
use proptest::{prop_assert, proptest};

use crate::data::source::ReadOptions;
use crate::data::table::Table;
use crate::data::tests::{read_file, read_text};
use crate::data::value;

/// One field as it may stand in a file, before quoting.
fn field() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("NA".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(value::float_text),
        any::<bool>().prop_map(|flag| flag.to_string()),
        (-700_000..2_900_000).prop_map(value::date_text),
        (-60_000_000_000_000_000_i64..250_000_000_000_000_000).prop_map(value::timestamp_text),
        (0..86_400_000_000_i64).prop_map(value::time_text),
        "[0-9+]{1,25}",
        "[ -~äß€,;\"\n\r\t]{0,12}",
    ]
}

/// Columns of one kind are as likely as mixtures of all.
fn rows() -> impl Strategy<Value = Vec<Vec<String>>> {
    let one_kind = prop_oneof![
        vec(any::<i64>().prop_map(|number| number.to_string()), 6),
        vec(any::<f64>().prop_map(value::float_text), 6),
        vec(any::<bool>().prop_map(|flag| flag.to_string()), 6),
        vec((-700_000..2_900_000).prop_map(value::date_text), 6),
        vec((-60_000_000_000_000_000_i64..250_000_000_000_000_000).prop_map(value::timestamp_text), 6),
        vec((0..86_400_000_000_i64).prop_map(value::time_text), 6),
        vec(field(), 6),
    ];
    vec(one_kind, 1..5)
}

fn file(columns: &[Vec<String>]) -> String {
    let quote = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let names: Vec<String> = (0..columns.len()).map(|index| format!("c{index}")).collect();
    let mut text = names.join(",") + "\n";
    for row in 0..columns[0].len() {
        let fields: Vec<String> = columns.iter().map(|column| quote(&column[row])).collect();
        text.push_str(&(fields.join(",") + "\r\n"));
    }
    text
}

/// Writes `table` and reads it again.
fn again(table: &Table) -> Result<Table> {
    let mut bytes = Vec::new();
    table.write_csv(&mut bytes)?;
    Ok(read_file("t.csv", &bytes, &ReadOptions { delimiter: Some(','), ..ReadOptions::default() })?.table)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn csv_keeps_every_value(columns in rows()) {
        let options = ReadOptions { delimiter: Some(','), ..ReadOptions::default() };
        let first = read_file("t.csv", file(&columns).as_bytes(), &options).expect("a quoted table is well formed").table;
        // Text is kept to the letter, unless it means "missing".
        for (index, column) in columns.iter().enumerate() {
            for (row, text) in column.iter().enumerate() {
                let cell = first.cell(row, &format!("c{index}"));
                let missing = ["", "NA"].contains(&value::trim(text)) || ["nan", "NaN"].contains(&value::trim(text));
                prop_assert!(cell.is_none() == missing, "{text:?} became {cell:?}");
            }
        }
        let second = again(&first).expect("what was written is well formed");
        prop_assert!(first.columns() == second.columns());
        prop_assert!(first.polars().equals_missing(second.polars()), "{first:?} {second:?}");
    }

    #[test]
    fn any_bytes_give_a_table_or_a_failure(bytes in vec(prop_oneof![any::<u8>(), Just(b','), Just(b'\n'), Just(b'"'), Just(b'a')], 0..200)) {
        if let Ok(read) = read_file("t.csv", &bytes, &ReadOptions::default()) {
            prop_assert!(read.table.rows() > 0);
        }
    }

    #[test]
    fn any_text_is_classified_as_it_is_read(text in "[-+0-9.eE:/TZ ,a-z]{1,24}") {
        let text = value::trim(&text);
        if !text.is_empty() {
            match value::kind(text) {
                value::Kind::Integer => prop_assert!(value::integer(text).is_some()),
                value::Kind::Float | value::Kind::Wide => prop_assert!(value::float(text).is_some()),
                value::Kind::Boolean => prop_assert!(value::boolean(text).is_some()),
                value::Kind::Clock | value::Kind::ShortClock => prop_assert!(value::time(text).is_some()),
                value::Kind::Date => prop_assert!(value::date(text).is_some() && value::timestamp(text).is_some()),
                value::Kind::LocalTime | value::Kind::ZonedTime => prop_assert!(value::timestamp(text).is_some()),
                _ => {}
            }
        }
    }
}

#[test]
fn a_single_column_keeps_its_gaps() -> Result<()> {
    let table = read_text("x\n1\nNA\n3\nNA\n")?.table;
    let mut bytes = Vec::new();
    table.write_csv(&mut bytes)?;
    assert_eq!(String::from_utf8(bytes)?, "x\n1\n\"\"\n3\n\"\"\n");
    assert!(again(&table)?.polars().equals_missing(table.polars()));
    Ok(())
}
