//! Files of other tools: Excel, OpenDocument, Arrow, Parquet in several row groups.

use anyhow::Result;

use crate::base::talk::Silent;
use crate::data::source::{ReadOptions, ReadTable, read, reread};
use crate::data::tests::{cells, failure, fixture, read_file, types};
use crate::record::dataset::Format;
use crate::spec::schema::ColumnType::{Boolean, Date, Float, Integer, Text, Time, Timestamp};

fn open(name: &str) -> Result<ReadTable> {
    let path = fixture(&format!("formats/{name}"));
    let read = read(&path, &ReadOptions::default(), &Silent)?;
    let again = reread(&[(path.clone(), &read.parse)], &read.table.columns())?;
    assert!(again.polars().equals_missing(read.table.polars()), "{name}");
    Ok(read)
}

#[test]
fn a_sheet_becomes_a_table_and_says_what_it_hides() -> Result<()> {
    let read = open("book.xlsx")?;
    assert_eq!(types(&read.table), [Integer, Text, Date, Timestamp, Time, Boolean, Float, Integer, Text]);
    for (column, wanted) in [
        ("id", "1|2|3|4"),
        ("code", "001|002|003|004"),
        ("day", "2024-01-01|2024-01-02|2024-01-03|2024-01-04"),
        ("moment", "2024-01-01T00:30:00Z|2024-01-02T06:30:00Z|2024-01-03T12:30:00Z|2024-01-04T18:30:00Z"),
        ("clock", "09:15:00|10:15:00|11:15:00|12:15:00"),
        ("paid", "false|true|false|true"),
        ("price", "1.5|3.0|4.5|6.0"),
        ("total", "3|6|9|-"),
        ("group", "first|-|second|-"),
    ] {
        assert_eq!(cells(&read.table, column).join("|"), wanted, "{column}");
    }
    assert_eq!(
        read.guesses,
        [
            "sheet `Orders` is read, not `Notes`",
            "4 cells with a formula: the value computed last is read (first: H2)",
            "1 cell with an error: taken as missing (first: H5)",
            "1 merged range: only the first cell of each has a value, the others are missing (first: I2:I3)",
            "column `moment`: its times have no zone and are taken as UTC",
        ]
    );
    assert_eq!((read.parse.format, read.parse.sheet.as_deref()), (Format::Excel, Some("Orders")));
    Ok(())
}

#[test]
fn sheets_are_named_and_formulas_may_lack_values() -> Result<()> {
    let named = ReadOptions { sheet: Some("Notes".to_owned()), ..ReadOptions::default() };
    let read = read(&fixture("formats/book.xlsx"), &named, &Silent)?;
    assert_eq!((cells(&read.table, "b"), read.guesses.len()), (vec!["x".to_owned()], 0));
    let unknown = ReadOptions { sheet: Some("Nots".to_owned()), ..ReadOptions::default() };
    let failed = failure(crate::data::source::read(&fixture("formats/book.xlsx"), &unknown, &Silent));
    assert_eq!(failed.hint.as_deref(), Some("did you mean `Notes`?"));
    let read = open("uncomputed.xlsx")?;
    assert_eq!(
        (cells(&read.table, "a").join("|"), cells(&read.table, "twice").join("|")),
        ("1|2|3".into(), "-|-|7".into())
    );
    assert!(read.guesses[0].starts_with("2 cells with a formula that was never computed"), "{:?}", read.guesses);
    assert_eq!(read.guesses[1], "1 row without values skipped");
    Ok(())
}

#[test]
fn older_and_open_workbooks() -> Result<()> {
    let old = open("old.xls")?;
    assert_eq!(types(&old.table), [Float, Date, Text]);
    assert_eq!(cells(&old.table, "day"), ["2024-02-01", "2024-02-02"]);
    let free = open("open.ods")?;
    assert_eq!(types(&free.table), [Integer, Date, Boolean]);
    assert_eq!(cells(&free.table, "day"), ["2024-03-01", "2024-03-02"]);
    Ok(())
}

#[test]
fn workbooks_that_are_no_tables() -> Result<()> {
    let far = failure(open("far.xlsx"));
    assert_eq!(far.what, "cell XFD1048576 of sheet `Sheet` has no name above it");
    let book = std::fs::read(fixture("formats/book.xlsx"))?;
    for length in (4..book.len()).step_by(97) {
        assert!(read_file("t.xlsx", &book[..length], &ReadOptions::default()).is_err(), "{length}");
    }
    let old = std::fs::read(fixture("formats/old.xls"))?;
    let cut = failure(read_file("t.xls", &old[..600], &ReadOptions::default()));
    assert!(cut.what.starts_with("this workbook cannot be read"), "{}", cut.what);
    Ok(())
}

/// The table that pyarrow wrote in several forms.
#[track_caller]
fn check_arrow(name: &str, wanted: Format) {
    let read = open(name).expect("the file is well formed");
    assert_eq!(read.parse.format, wanted);
    assert_eq!(types(&read.table), [Integer, Text, Float, Text, Text, Date, Timestamp, Time], "{name}");
    for (column, wanted) in [
        ("i", "1|-|3|4|5"),
        ("big", "1|2|3|4|18446744073709551615"),
        ("f", "0.5|1.5|-|inf|2.0"),
        ("t", "a|b|-||e"),
        ("c", "x|y|x|y|z"),
        ("d", "2024-01-01|2024-01-02|2024-01-03|2024-01-04|2024-01-05"),
        ("k", "10:20:00|10:20:01|10:20:02|10:20:03|10:20:04"),
    ] {
        assert_eq!(cells(&read.table, column).join("|"), wanted, "{name} {column}");
    }
    assert_eq!(read.table.cell(4, "m").as_deref(), Some("2024-01-01T04:00:00Z"));
    assert_eq!(read.guesses, ["column `big` is kept as text: its integers do not fit 64 bits"], "{name}");
}

#[test]
fn arrow_and_parquet_files_of_several_pieces() {
    check_arrow("table.feather", Format::Ipc);
    check_arrow("plain.arrow", Format::Ipc);
    check_arrow("table.arrows", Format::Ipc);
    check_arrow("groups.parquet", Format::Parquet);
}

#[test]
fn cut_and_flipped_files_are_errors() -> Result<()> {
    for name in ["table.feather", "plain.arrow", "table.arrows", "groups.parquet"] {
        let bytes = std::fs::read(fixture(&format!("formats/{name}")))?;
        for length in (1..bytes.len() - 8).step_by(13) {
            let cut = read_file(name, &bytes[..length], &ReadOptions::default());
            // A stream may end behind any of its messages.
            assert!(
                cut.is_err() || (name == "table.arrows" && cut.is_ok_and(|read| read.table.rows() % 2 == 0)),
                "{name} {length}"
            );
        }
    }
    let first = failure(open("first.feather"));
    assert!(first.what.ends_with("is a Feather file of version 1"), "{}", first.what);
    Ok(())
}
