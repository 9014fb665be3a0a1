//! Parquet in and out, and tables in other forms.

use anyhow::Result;
use polars::prelude::{Column, DataFrame, DataType, IntoLazy, NamedFrom, ParquetWriter, Series, TimeUnit, col};

use crate::data::frame::{Frame, MISSING_CODE, MISSING_TIME, TextValues, Values};
use crate::data::source::ReadOptions;
use crate::data::table::Table;
use crate::data::tests::{cells, failure, read_file, table, types};
use crate::record::dataset::Format;
use crate::spec::schema::ColumnType::{self, Date, Float, Integer, Text, Timestamp};

fn sample() -> Result<Table> {
    table(concat!(
        "i,f,b,t,d,m\n",
        "1,0.5,true,a,2024-01-31,2024-01-31T10:00:00Z\n",
        "NA,NA,NA,NA,NA,NA\n",
        "-3,1e300,false,\"b,\"\"c\",1969-12-31,1969-12-31T23:59:59.999999Z\n"
    ))
}

fn parquet(columns: Vec<Column>) -> Result<Vec<u8>> {
    let rows = columns.first().map_or(0, Column::len);
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).finish(&mut DataFrame::new(rows, columns)?)?;
    Ok(bytes)
}

#[test]
fn our_parquet_reads_back_and_repeats() -> Result<()> {
    let table = sample()?;
    let write = |table: &Table| -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        table.write_parquet(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = write(&table)?;
    assert_eq!(bytes, write(&table.take(&[0, 1, 2])?)?);
    let back = Table::from_parquet_bytes(bytes.clone())?;
    assert_eq!(back.columns(), table.columns());
    assert!(back.polars().equals_missing(table.polars()));
    let read = read_file("t.parquet", &bytes, &ReadOptions::default())?;
    assert_eq!((read.parse.format, read.guesses.len()), (Format::Parquet, 0));
    Ok(())
}

#[test]
fn foreign_types_become_ours() -> Result<()> {
    let text = Series::new("small".into(), [1_i8, 2]);
    let big = Series::new("big".into(), [1_u64, u64::MAX]);
    let fits = Series::new("fits".into(), [1_u64, 2]);
    let nanos =
        Series::new("nanos".into(), [1_500_i64, 2_000]).cast(&DataType::Datetime(TimeUnit::Nanoseconds, None))?;
    let half = Series::new("half".into(), [0.5_f32, 1.5]);
    let decimal = Series::new("money".into(), ["1.25", "2.50"]).cast(&DataType::Decimal(10, 2))?;
    let empty = Series::new_null("empty".into(), 2);
    let columns = [text, big, fits, nanos, half, decimal, empty].map(Column::from);
    let read = read_file("t.parquet", &parquet(columns.to_vec())?, &ReadOptions::default())?;
    assert_eq!(types(&read.table), [Integer, Text, Integer, Timestamp, Float, Float, Text]);
    assert_eq!(cells(&read.table, "big"), ["1", "18446744073709551615"]);
    assert_eq!(cells(&read.table, "nanos"), ["1970-01-01T00:00:00.000001Z", "1970-01-01T00:00:00.000002Z"]);
    assert_eq!(cells(&read.table, "money"), ["1.25", "2.5"]);
    let said = read.guesses.join("\n");
    for part in [
        "`big` is kept as text",
        "`nanos`: its times have no zone",
        "`nanos`: digits below",
        "`money` holds decimals",
        "`empty`",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    Ok(())
}

#[test]
fn categories_become_text_and_nested_columns_are_refused() -> Result<()> {
    let frame = DataFrame::new(2, vec![Column::new("a".into(), ["x", "y"])])?;
    let categories = polars::prelude::Categories::global();
    let coded = frame.column("a")?.cast(&DataType::from_categories(categories))?;
    let read = read_file("t.parquet", &parquet(vec![coded])?, &ReadOptions::default())?;
    assert_eq!((types(&read.table), cells(&read.table, "a")), (vec![Text], vec!["x".to_owned(), "y".to_owned()]));
    let nested = frame.lazy().select([col("a").implode(true).alias("tags")]).collect()?;
    let refused = failure(read_file("t.parquet", &parquet(nested.columns().to_vec())?, &ReadOptions::default()));
    assert!(refused.what.starts_with("column `tags` has the type list[str]"), "{}", refused.what);
    Ok(())
}

#[test]
fn cut_parquet_is_an_error() -> Result<()> {
    let mut bytes = Vec::new();
    sample()?.write_parquet(&mut bytes)?;
    for length in 0..bytes.len() {
        assert!(Table::from_parquet_bytes(bytes[..length].to_vec()).is_err(), "{length}");
    }
    Ok(())
}

#[test]
fn plain_form_keeps_values_and_gaps() -> Result<()> {
    let table = sample()?;
    let frame = table.frame(&["t", "i", "b", "d", "m"])?;
    let text = Values::Text(TextValues::from_values([Some("a"), None, Some("b,\"c")]));
    assert_eq!(frame.column("t")?.values, text);
    let Values::Number(numbers) = &frame.column("i")?.values else { anyhow::bail!("not numbers") };
    assert!(numbers[0] == 1.0 && numbers[1].is_nan() && numbers[2] == -3.0);
    let Values::Number(flags) = &frame.column("b")?.values else { anyhow::bail!("not numbers") };
    assert!(flags[0] == 1.0 && flags[1].is_nan() && flags[2] == 0.0);
    let day = 86_400_000_000_i64;
    assert_eq!(frame.column("d")?.values, Values::Time(vec![19_753 * day, MISSING_TIME, -day]));
    assert_eq!(frame.column("m")?.values, Values::Time(vec![19_753 * day + 36_000_000_000, MISSING_TIME, -1]));
    let unknown = failure(table.frame(&["tt"]));
    assert!(unknown.what.contains("unknown column `tt`"));
    let floats = table.frame(&["f"])?;
    let Values::Number(floats) = &floats.column("f")?.values else { anyhow::bail!("not numbers") };
    assert!(floats[0] == 0.5 && floats[1].is_nan() && floats[2] == 1e300);
    assert_eq!(table.frame_all()?.columns().len(), 6);
    Ok(())
}

#[test]
fn features_become_a_table() -> Result<()> {
    let codes: std::sync::Arc<[u32]> = vec![0, MISSING_CODE].into();
    let columns = [
        ("n", Values::Number(vec![f64::NAN, 2.5])),
        ("t", Values::Time(vec![MISSING_TIME, 0])),
        ("one", Values::Indicator { codes: codes.clone(), code: 0 }),
        ("cat", Values::Category { codes, levels: 1 }),
        ("text", Values::Text(TextValues::from_values([None, Some("x")]))),
    ];
    let columns = columns.map(|(name, values)| crate::data::frame::Column::raw(name, values));
    let table = Table::from_frame(&Frame::new(2, columns.to_vec())?)?;
    assert_eq!(types(&table), [Float, Timestamp, Integer, Integer, Text]);
    for (name, wanted) in
        [("n", "-|2.5"), ("t", "-|1970-01-01T00:00:00Z"), ("one", "1|0"), ("cat", "0|-"), ("text", "-|x")]
    {
        assert_eq!(cells(&table, name).join("|"), wanted);
    }
    Ok(())
}

/// Three pieces: what is written one after the other is the file of the whole table.
#[test]
fn features_are_written_in_pieces() -> Result<()> {
    for rows in [0, 1, 150_000] {
        let codes: std::sync::Arc<[u32]> = (0..rows).map(|row| row as u32 % 7).collect();
        let number = |row: usize| if row.is_multiple_of(5) { f64::NAN } else { row as f64 / 3.0 };
        let columns = [
            ("n", Values::Number((0..rows).map(number).collect())),
            ("whole", Values::Number((0..rows).map(|row| row as f64).collect())),
            ("one", Values::Indicator { codes: codes.clone(), code: 3 }),
            ("cat", Values::Category { codes, levels: 7 }),
            ("text", Values::Text(TextValues::from_values((0..rows).map(|row| [Some("a"), None, Some("")][row % 3])))),
        ];
        let columns = columns.map(|(name, values)| crate::data::frame::Column::raw(name, values));
        let frame = Frame::new(rows, columns.to_vec())?;
        let (mut whole, mut pieces) = (Vec::new(), Vec::new());
        Table::from_frame(&frame)?.write_parquet(&mut whole)?;
        // As one frame, and as two that end where no piece does.
        let mut parts = [0..rows.min(100_000), rows.min(100_000)..rows].into_iter().map(|range| {
            let rows: Vec<u32> = (range.start as u32..range.end as u32).collect();
            Ok(frame.take(&rows))
        });
        let mut in_parts = Vec::new();
        Table::write_frames(&mut parts, &mut in_parts)?;
        Table::write_frames(&mut std::iter::once(Ok(frame)), &mut pieces)?;
        assert!(whole == in_parts, "{rows} rows in two frames");
        assert!(whole == pieces, "{rows} rows");
        assert_eq!(Table::from_parquet_bytes(pieces)?.rows(), rows);
    }
    Ok(())
}

#[test]
fn columns_and_rows_are_picked_and_added() -> Result<()> {
    let table = sample()?.select(&["t", "i"])?.take(&[2, 0, 0])?;
    assert_eq!(cells(&table, "i"), ["-3", "1", "1"]);
    assert!(table.take(&[3]).is_err());
    let table =
        table.with_numbers("prediction", vec![0.25, f64::NAN, 1.0])?.with_texts("class", vec!["a".to_owned(); 3])?;
    assert_eq!(cells(&table.slice(1, 9), "i"), ["1", "1"]);
    assert_eq!((cells(&table.slice(0, 1), "i"), table.slice(7, 2).rows()), (vec!["-3".to_owned()], 0));
    let mut csv = Vec::new();
    table.write_csv(&mut csv)?;
    let wanted = "t,i,prediction,class\n\"b,\"\"c\",-3,0.25,a\na,1,,a\na,1,1.0,a\n";
    assert_eq!(String::from_utf8(csv)?, wanted);
    assert_eq!((table.cell(3, "i"), table.cell(0, "none")), (None, None));
    let taken = failure(table.clone().with_texts("t", vec![String::new(); 3]));
    assert_eq!(taken.what, "the table already has a column called `t`");
    assert!(table.clone().with_numbers("short", vec![1.0]).is_err());
    let labels = ["x", "y"].map(str::to_owned);
    let labelled = table.with_labels("label", &[1, 9, 0], &labels)?;
    assert_eq!(cells(&labelled, "label"), ["y", "-", "x"]);
    assert!(labelled.with_labels("short", &[0], &labels).is_err());
    Ok(())
}

#[test]
fn given_types_reach_parquet_too() -> Result<()> {
    let bytes = parquet(vec![Column::new("n".into(), [1_i64, 2]), Column::new("d".into(), ["a", "b"])])?;
    let with = |name: &str, of: ColumnType| {
        read_file("t.parquet", &bytes, &ReadOptions { types: [(name.to_owned(), of)].into(), ..ReadOptions::default() })
    };
    assert_eq!(types(&with("n", Text)?.table)[0], Text);
    assert!(failure(with("d", Integer)).what.contains("column `d`"));
    assert!(failure(with("d", Date)).what.contains("column `d`"));
    Ok(())
}
