//! JSON lines and arrays.

use anyhow::Result;
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof};
use proptest::{prop_assert_eq, proptest};

use crate::base::fail::Blame;
use crate::data::source::{ReadOptions, ReadTable};
use crate::data::tests::{cells, failure, read_file, types};
use crate::record::dataset::Format;
use crate::spec::schema::ColumnType::{self, Boolean, Date, Float, Integer, Text, Time, Timestamp};

fn lines(text: &str) -> Result<ReadTable> {
    read_file("t.jsonl", text.as_bytes(), &ReadOptions::default())
}

/// A column of these JSON values has this type and these cells; the guesses hold this text (none when empty).
#[track_caller]
fn check(values: &[&str], wanted: ColumnType, shown: &str, guess: &str) {
    let rows: Vec<String> = values.iter().map(|value| format!("{{\"x\": {value}, \"y\": 1}}")).collect();
    let array = format!("[{}]", rows.join(",\n"));
    for (name, text) in [("t.jsonl", rows.join("\n")), ("t.json", array)] {
        let read = read_file(name, text.as_bytes(), &ReadOptions::default()).expect("the rows are well formed");
        assert_eq!(types(&read.table)[0], wanted, "{values:?}");
        assert_eq!(cells(&read.table, "x").join("|"), shown);
        assert_eq!(read.guesses.is_empty(), guess.is_empty(), "{:?}", read.guesses);
        assert!(read.guesses.iter().all(|said| said.contains(guess)), "{:?}", read.guesses);
    }
}

#[test]
fn types_of_json_are_respected() {
    check(&["1", "-2", "null"], Integer, "1|-2|-", "");
    check(&["1", "2.5", "1e3"], Float, "1.0|2.5|1000.0", "");
    check(&["true", "false", "null"], Boolean, "true|false|-", "");
    check(&["\"007\"", "\"12\""], Text, "007|12", "");
    check(&["\"true\"", "\"1.5\"", "\"\"", "\"NA\""], Text, "true|1.5||NA", "");
    check(&["\"2024-01-31\"", "null"], Date, "2024-01-31|-", "");
    check(&["\"2024-01-31T10:00:00Z\""], Timestamp, "2024-01-31T10:00:00Z", "");
    check(&["\"10:30:00\"", "\"23:59:59.5\""], Time, "10:30:00|23:59:59.5", "");
    check(&["\"a \\\"b\\\" \\u00e4\\ud83d\\ude00\\n\""], Text, "a \"b\" ä😀\n", "");
    check(&["1", "\"x\""], Text, "1|x", "not all of its values are numbers, as row 1 `1` is (first: row 2 `x`)");
    check(&["1", "true"], Text, "1|true", "first: row 2 `true`");
    check(&["1", "18446744073709551616"], Text, "1|18446744073709551616", "do not fit 64 bits");
    check(&["1.5", "1e400"], Text, "1.5|1e400", "first: row 2 `1e400`");
    check(&["null", "null"], Text, "-|-", "it has no values at all");
}

#[test]
fn columns_are_the_fields_in_order_of_appearance() -> Result<()> {
    let read = lines("{\"b\":1}\n\n{\"a\":\"x\",\"b\":null}\r\n{}\n{\"c\":true,\"a\":\"y\"}")?;
    let names: Vec<String> = read.table.columns().into_iter().map(|column| column.name).collect();
    assert_eq!(names, ["b", "a", "c"]);
    assert_eq!(cells(&read.table, "b"), ["1", "-", "-", "-"]);
    assert_eq!(cells(&read.table, "a"), ["-", "x", "-", "y"]);
    assert_eq!(cells(&read.table, "c"), ["-", "-", "-", "true"]);
    assert_eq!(read.guesses, ["1 blank line skipped: no character on it"]);
    let nulls = ReadOptions { null_values: Some(vec!["NA".to_owned()]), ..ReadOptions::default() };
    let given = read_file("t.jsonl", b"{\"a\":\"NA\"}\n{\"a\":\"b\"}", &nulls)?;
    assert_eq!(cells(&given.table, "a"), ["-", "b"]);
    Ok(())
}

#[test]
fn many_rows_in_blocks_and_batches() -> Result<()> {
    let mut rows: Vec<String> =
        (0..600_000).map(|row| format!("{{\"n\": {row}, \"text\": \"a,]}}\\\"{row}\"}}")).collect();
    rows.push("{\"late\": 1, \"n\": 0.5}".to_owned());
    let array = format!("\u{feff} [\n{}\n]\n", rows.join(",\n"));
    assert!(array.len() > 17 << 20);
    let options = ReadOptions::default();
    let read = read_file("t.json", array.as_bytes(), &options)?;
    assert_eq!((types(&read.table), read.parse.format), (vec![Float, Text, Integer], Format::Json));
    assert_eq!(read.table.cell(599_999, "text").as_deref(), Some("a,]}\"599999"));
    assert_eq!((read.table.cell(600_000, "late").as_deref(), read.table.cell(5, "late")), (Some("1"), None));
    let lines = read_file("t.jsonl", rows.join("\n").as_bytes(), &options)?;
    assert!(lines.table.polars().equals_missing(read.table.polars()));
    Ok(())
}

/// Reading `bytes` is the person's to correct, and says `wanted`.
#[track_caller]
fn check_bad(name: &str, bytes: &[u8], wanted: &str) {
    let failure = failure(read_file(name, bytes, &ReadOptions::default()));
    assert!(failure.what.contains(wanted), "{}", failure.what);
    assert_eq!(failure.blame, Blame::Request);
    assert!(failure.hint.is_some(), "{}", failure.what);
}

#[test]
fn objects_that_are_no_rows() {
    check_bad("t.jsonl", b"{\"a\":1}\n{\"a\":{\"b\":1}}", "row 2 (line 2), field `a` holds an object or a list");
    check_bad("t.json", b"[{\"a\":1},\n\n{\"tags\":[]}]", "row 2 (line 3), field `tags` holds an object or a list");
    check_bad("t.jsonl", b"{\"a\":1,\"b\":2,\"a\":3}", "row 1 (line 1) has field `a` twice");
    check_bad("t.jsonl", b"{\"a\":1}\n[1,2]", "row 2 (line 2) is a list, not an object");
    check_bad("t.json", b"[{\"a\":1}, 7]", "row 2 (line 1) is a number, not an object");
    check_bad("t.json", b"[]", "there is no object in the file");
    check_bad("t.jsonl", b"{}\n{}", "its objects have no fields");
    check_bad("t.jsonl", b"{\"a\":1,\" a\":2}", "have the same name once spaces are taken away");
    check_bad("t.json", b"[{\"a\":1}", "the JSON array does not end");
    check_bad("t.json", b"[{\"a\":1}] x", "something follows the end of the JSON array");
    check_bad("t.json", b"[{\"a\":1},]", "a comma stands before the end of the array");
    check_bad("t.json", b"[{\"a\":1} {\"a\":2}]", "a comma is missing after the object");
    check_bad("t.jsonl", b"{\"a\":1} {\"a\":2}", "something follows the object on its line");
    check_bad("t.jsonl", b"{\"a\":\n1}", "row 1 (line 1), field `a` is not JSON: the line ends inside the object");
    check_bad("t.jsonl", b"{\"a\":1", "field `a` is not JSON: the object does not end");
    check_bad("t.jsonl", b"{\"a\":01}", "leading zeros; codes are written in quotes");
    check_bad("t.jsonl", b"{\"a\":NaN}", "NaN and Infinity are not JSON");
    check_bad("t.jsonl", b"{\"a\":\"\\ud800\"}", "four hexadecimal digits of a character");
    check_bad("t.jsonl", b"{\"a\":\"\\u0000\"}", "a NUL character");
    check_bad("t.jsonl", b"{\"a\":\"x\0\"}", "a control character that is not escaped");
    check_bad("t.jsonl", b"{\"a\":1}\n{\"a\":\"caf\xe9\"}", "line 2 is not UTF-8, as JSON must be");
    let deep = format!("[{{\"a\":{}", "[".repeat(1 << 20));
    check_bad("t.json", deep.as_bytes(), "the JSON array does not end");
    let closed = format!("{deep}{}}}]", "]".repeat(1 << 20));
    check_bad("t.json", closed.as_bytes(), "row 1 (line 1), field `a` holds an object or a list");
    let long = format!("[{{\"a\":\"{}\"}}]", "x".repeat(17 << 20));
    check_bad("t.json", long.as_bytes(), "has more than 16.0 MiB");
}

#[test]
fn given_types_and_encodings_of_json() -> Result<()> {
    let typed = ReadOptions { types: [("a".to_owned(), Integer)].into(), ..ReadOptions::default() };
    assert_eq!(cells(&read_file("t.jsonl", b"{\"a\":\"12\"}", &typed)?.table, "a"), ["12"]);
    let odd = failure(read_file("t.jsonl", b"{\"a\":1}\n{\"a\":\"x\"}", &typed));
    assert_eq!(odd.what, "column `a` is to be read as integer, but row 2 holds `x`");
    let latin = ReadOptions { encoding: Some("latin1".to_owned()), ..ReadOptions::default() };
    let read = read_file("t.jsonl", b"{\"a\":\"caf\xe9\"}", &latin)?;
    assert_eq!((cells(&read.table, "a"), read.parse.encoding.as_str()), (vec!["café".to_owned()], "windows-1252"));
    Ok(())
}

/// One value as JSON and as the cell of a text column.
fn value() -> impl Strategy<Value = (String, Option<String>)> {
    prop_oneof![
        Just(("null".to_owned(), None)),
        any::<i64>().prop_map(|number| (number.to_string(), Some(number.to_string()))),
        any::<bool>().prop_map(|flag| (flag.to_string(), Some(flag.to_string()))),
        "[ -~äß€😀,\"\\\\\n\r\t]{0,12}"
            .prop_map(|text| (serde_json::to_string(&text).expect("text is JSON"), Some(text))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn json_keeps_every_value(rows in vec(vec(value(), 3), 1..8)) {
        let object = |row: &Vec<(String, Option<String>)>| {
            let fields: Vec<String> = row.iter().enumerate().map(|(at, (json, _))| format!("\"c{at}\": {json}")).collect();
            format!("{{{}}}", fields.join(", "))
        };
        let objects: Vec<String> = rows.iter().map(object).collect();
        let types = (0..3).map(|at| (format!("c{at}"), Text)).collect();
        let options = ReadOptions { types, ..ReadOptions::default() };
        for (name, text) in [("t.jsonl", objects.join("\n")), ("t.json", format!("[{}]", objects.join(" , ")))] {
            let table = read_file(name, text.as_bytes(), &options).expect("the rows are JSON").table;
            for (row, values) in rows.iter().enumerate() {
                for (at, (_, wanted)) in values.iter().enumerate() {
                    prop_assert_eq!(&table.cell(row, &format!("c{at}")), wanted);
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_json_or_a_failure(bytes in vec(prop_oneof![any::<u8>(), Just(b'{'), Just(b'}'), Just(b'['), Just(b']'), Just(b'"'), Just(b':'), Just(b','), Just(b'1')], 1..120)) {
        for format in [Format::Json, Format::Jsonl] {
            let options = ReadOptions { format: Some(format), ..ReadOptions::default() };
            if let Ok(read) = read_file("t.json", &bytes, &options) {
                proptest::prop_assert!(read.table.rows() > 0);
            }
        }
    }
}
