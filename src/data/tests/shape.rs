//! What a text table tells about its own form: quote, names in the first line, names that stand beside each other.

use anyhow::Result;

use crate::data::source::{ReadOptions, read, reread};
use crate::data::tests::{cells, failure, read_file, read_text};

/// A table without anything said about it has these names; the guesses hold this text (none when empty).
#[track_caller]
fn check_names(text: &str, wanted: &str, guess: &str) {
    let read = read_text(text).expect("the table is well formed");
    let names: Vec<String> = read.table.columns().into_iter().map(|column| column.name).collect();
    assert_eq!(names.join("|"), wanted, "{text}");
    assert_eq!(read.guesses.is_empty(), guess.is_empty(), "{:?}", read.guesses);
    assert!(guess.is_empty() || read.guesses.iter().any(|said| said.contains(guess)), "{:?}", read.guesses);
}

#[test]
fn names_are_told_from_values() {
    check_names("a,b\n1,2\n", "a|b", "");
    check_names("1.5,2024-01-31\n2.5,2024-02-01\n", "column_1|column_2", "so it is taken as a row");
    check_names("7,true,\n8,false,3\n", "column_1|column_2|column_3", "so it is taken as a row");
    check_names("10:00:00,1\n11:00:00,1\n", "column_1|column_2", "so it is taken as a row");
    check_names("1,2\n3,4\n", "1|2", "taken as names though it holds only numbers");
    check_names("2019,2020,2021\n1,2,3\n", "2019|2020|2021", "taken as names though it holds only numbers");
    check_names("7,9\nx,y\n", "7|9", "taken as names though it holds only numbers");
    check_names("land,2020\nfr,7\n", "land|2020", "though `2020` looks like the values below it");
    check_names("day,n\n2024-01-01,1\n", "day|n", "");
    check_names("x,y\nu,v\n", "x|y", "");
}

#[test]
fn names_that_are_one_are_refused_and_case_is_said() {
    check_names("Age,age,b\n1,2,3\n", "Age|age|b", "columns `Age` and `age` differ by case alone and are kept as two");
    for (text, wanted) in [
        ("a,a\n1,x\n", "two columns are called `a`: numbers 1 and 2"),
        ("a,\" a \"\n1,x\n", "columns 1 `a` and 2 ` a ` have the same name once spaces are taken away"),
        ("x y,x  y\n1,x\n", "columns 1 `x y` and 2 `x  y` have the same name"),
        ("a,\u{feff}a\nx,1\n", "have the same name once spaces are taken away"),
    ] {
        let failure = failure(read_text(text));
        assert!(failure.what.contains(wanted), "{}", failure.what);
        assert!(failure.hint.is_some());
    }
}

#[test]
fn single_quotes_are_told_or_given() -> Result<()> {
    let text = "name,note\n'a, b','it''s'\n'c','d\ne'\n";
    let read = read_text(text)?;
    assert_eq!((cells(&read.table, "name"), read.parse.quote), (vec!["a, b".to_owned(), "c".to_owned()], '\''));
    assert_eq!(cells(&read.table, "note"), ["it's", "d\ne"]);
    assert_eq!(read.guesses, ["the quote is `'`"]);
    let plain = read_text("name,note\n'tis,a\n'twas,b\n")?;
    assert_eq!((cells(&plain.table, "name")[0].as_str(), plain.parse.quote), ("'tis", '"'));
    let mixed = read_text("a,b\n\"x\",'y'\n\"z\",'u'\n")?;
    assert_eq!(cells(&mixed.table, "b"), ["'y'", "'u'"]);
    let given = ReadOptions { quote: Some('\''), ..ReadOptions::default() };
    assert_eq!(cells(&read_file("t.csv", b"a,b\n'x,y',1\n", &given)?.table, "a"), ["x,y"]);
    let same = ReadOptions { quote: Some('|'), delimiter: Some('|'), ..ReadOptions::default() };
    assert!(failure(read_file("t.csv", b"a|b\n1|2\n", &same)).what.contains("the same character"));
    Ok(())
}

#[test]
fn the_same_table_is_read_again() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for (name, bytes) in [
        ("quotes.csv", &b"a;b\n'x;1';2\n'y';3\n"[..]),
        ("bare.csv", b"1.5,2024-01-31\n2.5,2024-02-01\n"),
        ("latin.csv", b"a,b\n1,caf\xe9\n"),
        ("t.json", b"[{\"a\":\"NA\",\"t\":\"10:30\"},{\"b\":1}]"),
        ("t.jsonl", b"{\"a\":\"\"}\n{\"a\":\"007\"}"),
        ("clock.csv", b"t,n\n10:30,1\n,2\n"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes)?;
        let first = read(&path, &ReadOptions::default(), &crate::base::talk::Silent)?;
        let again = reread(&[(path.clone(), &first.parse)], &first.table.columns())?;
        assert!(again.polars().equals_missing(first.table.polars()), "{name}");
        let recorded = serde_json::to_string(&first.parse)?;
        assert_eq!(serde_json::from_str::<crate::record::dataset::ParseOptions>(&recorded)?, first.parse, "{name}");
    }
    Ok(())
}

#[test]
fn mixed_line_ends_are_all_line_ends() -> Result<()> {
    let table = read_text("a,b\r\n1,x\n2,y\r\n3,z")?.table;
    assert_eq!((cells(&table, "a").join("|"), cells(&table, "b").join("|")), ("1|2|3".into(), "x|y|z".into()));
    Ok(())
}
