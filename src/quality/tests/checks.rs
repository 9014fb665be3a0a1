//! Every check: what it finds, where, and that it keeps quiet otherwise.

use anyhow::Result;
use polars::prelude::{DataFrame, NamedFrom, Series};
use proptest::prelude::{Strategy, any, prop};
use proptest::test_runner::{Config, TestRunner};

use crate::base::fail;
use crate::data::table::Table;
use crate::quality::report::{Finding, percent, verdict};
use crate::quality::tests::{Seen, names, schema};
use crate::record::evaluation::Verdict;
use crate::spec::schema::{SchemaSpec, Severity};

/// The only finding that is more than information.
fn only(csv: &str, columns: &str) -> Result<Finding> {
    let found = Seen::csv(csv)?.check(&schema(columns)?)?;
    assert_eq!(names(&found).len(), 1, "{found:#?}");
    Ok(found[0].clone())
}

fn quiet(csv: &str, columns: &str) -> Result<()> {
    let found = Seen::csv(csv)?.check(&schema(columns)?)?;
    assert_eq!(names(&found), [""; 0], "{found:#?}");
    Ok(())
}

#[test]
fn missing_values_above_their_share_are_found() -> Result<()> {
    let csv = "a,b\n1,x\n,y\n3,z\n,w\n";
    let rules = |most: f64| {
        format!("[[column]]\nname='a'\ntype='integer'\nmissing_max={most:?}\n[[column]]\nname='b'\ntype='text'")
    };
    let found = only(csv, &rules(0.4))?;
    assert_eq!(found.code, "FEATURE_TYPE_LOW_FRACTION_PRESENT");
    assert_eq!((found.rows, found.count), (vec![2, 4], 2));
    assert_eq!(found.constraint, "missing_max = 0.4");
    assert_eq!(found.observed, "2 of 4 rows (50 %) have no value");
    assert_eq!(found.expected, "at most 40 % missing");
    let fix = "set missing_max = 0.5 for column `a` in schema.toml, or run \
               `mlops validate --accept FEATURE_TYPE_LOW_FRACTION_PRESENT:a`";
    assert_eq!(found.fix, fix);
    quiet(csv, &rules(0.5))?;
    let none = only(
        "a,b\n,x\n,y\n",
        "[[column]]\nname='a'\ntype='float'\nmissing_max=0.9\n[[column]]\nname='b'\ntype='text'",
    )?;
    assert_eq!(none.code, "FEATURE_TYPE_NOT_PRESENT");
    Ok(())
}

#[test]
fn columns_that_went_and_came_are_found() -> Result<()> {
    let found = Seen::csv("Age,b\n1,2\n")?.check(&schema(
        "[[column]]\nname='age'\ntype='integer'\n[[column]]\nname='b'\ntype='integer'\n[[column]]\nname='c'\ntype='text'\nrequired=false",
    )?)?;
    assert_eq!(names(&found), ["SCHEMA_MISSING_COLUMN:age", "SCHEMA_NEW_COLUMN:Age"]);
    assert_eq!(found[0].observed, "there is no such column, but a new one called `Age`");
    assert_eq!(found[1].constraint, "new_columns = \"error\"");
    Ok(())
}

#[test]
fn values_outside_their_range_are_found() -> Result<()> {
    let rules = |kind: &str, more: &str| format!("[[column]]\nname='a'\ntype='{kind}'\nmin=0.0\nmax=10.0\n{more}");
    let csv = "a\n-1\n0\n10\n11\n12\n";
    let found = Seen::csv(csv)?.check(&schema(&rules("integer", ""))?)?;
    assert_eq!(names(&found), ["INT_TYPE_SMALL_INT:a", "INT_TYPE_BIG_INT:a"]);
    assert_eq!(found[1].observed, "2 of 5 values (40 %) above 10; largest 12");
    assert_eq!((found[0].rows.as_slice(), found[1].rows.as_slice()), (&[1][..], &[4, 5][..]));
    quiet(csv, &rules("integer", "outside_max=0.6"))?;
    assert_eq!(names(&Seen::csv(csv)?.check(&schema(&rules("integer", "outside_max=0.59"))?)?).len(), 2);
    let float = only("a\n0.5\n10.5\n", &rules("float", ""))?;
    assert_eq!(float.code, "FLOAT_TYPE_BIG_FLOAT");
    quiet("a\n0\n10\n\n", &rules("integer", ""))
}

#[test]
fn infinite_values_are_outside_every_bound_and_warned_of() -> Result<()> {
    let values = [1.0, f64::INFINITY, f64::NAN, 2.0];
    let column = Series::new("a".into(), values.to_vec()).into();
    let seen = Seen::new(Table::new(DataFrame::new(4, vec![column])?)?);
    let bounded = seen.check(&schema("[[column]]\nname='a'\ntype='float'\nmin=0.0\nmax=9.0")?)?;
    assert_eq!(names(&bounded), ["FLOAT_TYPE_BIG_FLOAT:a", "FLOAT_TYPE_HAS_NAN:a", "FLOAT_TYPE_HAS_INF:a"]);
    let rows: Vec<&[u64]> = bounded.iter().map(|finding| finding.rows.as_slice()).collect();
    assert_eq!(rows, [&[2][..], &[3][..], &[2][..]]);
    assert_eq!(bounded[1].severity, Severity::Warning);
    Ok(())
}

#[test]
fn text_outside_its_domain_is_found() -> Result<()> {
    let rules = |more: &str| format!("[[column]]\nname='a'\ntype='text'\ndomain=['x','y']\n{more}");
    let csv = "a\nx\nq\ny\nz\nq\n";
    let found = only(csv, &rules(""))?;
    assert_eq!(found.code, "ENUM_TYPE_UNEXPECTED_STRING_VALUES");
    assert_eq!(found.observed, "3 of 5 values (60 %) not in the domain: \"q\" (2), \"z\" (1)");
    assert_eq!(found.expected, "one of \"x\", \"y\"");
    assert_eq!(found.rows, [2, 4, 5]);
    quiet(csv, &rules("outside_max=0.6"))?;
    quiet("a\ny\nx\n", &rules(""))
}

#[test]
fn a_domain_is_checked_beyond_the_profile() -> Result<()> {
    // 150 distinct values: the profile lists only the most frequent.
    let mut csv = String::from("a\n");
    for row in 0..300 {
        csv.push_str(&format!("v{}\n", row % 150));
    }
    let domain: Vec<String> = (0..149).map(|value| format!("'v{value}'")).collect();
    let found = only(&csv, &format!("[[column]]\nname='a'\ntype='text'\ndomain=[{}]", domain.join(",")))?;
    assert_eq!((found.rows, found.count), (vec![150, 300], 2));
    assert!(found.expected.ends_with("… (149 in all)"), "{}", found.expected);
    Ok(())
}

#[test]
fn text_that_does_not_match_its_pattern_is_found() -> Result<()> {
    let rules = "[[column]]\nname='a'\ntype='text'\npattern='[A-Z]{2}|[0-9]-x'";
    // Alternatives and the end of the text belong to the whole.
    let found = only("a\nAB\nABC\n1-x\n1-xy\n", rules)?;
    assert_eq!((found.code.as_str(), found.rows), ("PATTERN_MISMATCH", vec![2, 4]));
    quiet("a\nAB\n\n7-x\n", rules)
}

#[test]
fn types_are_compared_by_meaning() -> Result<()> {
    let rules = |kind: &str| format!("[[column]]\nname='a'\ntype='{kind}'");
    quiet("a\n1\n2\n", &rules("float"))?;
    quiet("a\n1.0\n2.0\n", &rules("integer"))?;
    quiet("a\n0\n1\n", &rules("boolean"))?;
    quiet("a\n2024-01-01\n2024-01-02\n", &rules("timestamp"))?;
    quiet("a,b\n,1\n,2\n", &format!("{}\nmissing_max=1.0\n[[column]]\nname='b'\ntype='float'", rules("date")))?;
    let cases = [
        ("a\n1\n2.5\n3\n", "integer", "UNEXPECTED_DATA_TYPE", vec![2]),
        ("a\n0\n2\n", "boolean", "BOOL_TYPE_BIG_INT", vec![2]),
        ("a\n1\nseven\n3\n", "integer", "INT_TYPE_NOT_INT_STRING", vec![2]),
        ("a\n1\nseven\n2.5\n", "float", "FLOAT_TYPE_STRING_NOT_FLOAT", vec![2]),
        ("a\ntrue\nperhaps\n", "boolean", "BOOL_TYPE_UNEXPECTED_STRING", vec![2]),
        ("a\n2024-01-01\nsoon\n", "date", "UNEXPECTED_DATA_TYPE", vec![2]),
        ("a\n1\n2\n", "text", "UNEXPECTED_DATA_TYPE", vec![]),
    ];
    for (csv, kind, code, rows) in cases {
        let found = only(csv, &rules(kind))?;
        assert_eq!((found.code.as_str(), found.rows), (code, rows), "{csv}");
    }
    let found = only("a\n1\nseven\n3\n", &rules("integer"))?;
    assert_eq!(found.observed, "text: 1 of 3 values (33.33 %) cannot be read as integer, such as \"seven\" (1)");
    assert!(found.fix.contains("[data] types = { \"a\" = \"integer\" } in mlops.toml"), "{}", found.fix);
    Ok(())
}

#[test]
fn outliers_are_those_beyond_tukeys_fences() -> Result<()> {
    // numpy 2.4: quartiles of 1, 2, …, 9, 100 are 3.25 and 7.75; fences at k = 3 are -10.25 and 21.25.
    let csv = "a\n1\n2\n3\n4\n5\n6\n7\n8\n9\n100\n";
    let found = only(csv, "[[column]]\nname='a'\ntype='integer'\noutliers_iqr=3.0")?;
    assert_eq!((found.code.as_str(), found.severity), ("OUTLIERS", Severity::Warning));
    assert_eq!(found.expected, "between -10.25 and 21.25");
    assert_eq!(found.rows, [10]);
    // (100 - 7.75) / 4.5 = 20.5: on the fence is inside.
    quiet(csv, "[[column]]\nname='a'\ntype='integer'\noutliers_iqr=20.5")?;
    // Quartiles without distance give no fences.
    quiet("a\n1\n1\n1\n1\n1\n9\n", "[[column]]\nname='a'\ntype='integer'\noutliers_iqr=3.0")
}

#[test]
fn repeated_rows_values_and_keys_are_found() -> Result<()> {
    let csv = "a,b\n1,x\n2,x\n1,x\n,\n,\n1,y\n";
    let rules = "[[column]]\nname='a'\ntype='integer'\n[[column]]\nname='b'\ntype='text'";
    let strict =
        |table: &str| -> Result<SchemaSpec> { Ok(toml::from_str(&format!("version=1\n[table]\n{table}\n{rules}"))?) };
    let seen = Seen::csv(csv)?;
    let found = seen.check(&strict("")?)?;
    assert_eq!(names(&found), ["DUPLICATE_ROWS:-"]);
    assert_eq!(found[0].rows, [3, 5]);
    assert_eq!(found[0].observed, "2 of 6 rows (33.33 %) repeat an earlier row; row 3 repeats row 1");
    assert_eq!(found[0].severity, Severity::Warning);
    assert_eq!(names(&seen.check(&strict("duplicates_max=0.34")?)?), [""; 0]);
    let found = seen.check(&strict("duplicates_max=1.0\nkey=['a']")?)?;
    assert_eq!(names(&found), ["KEY_MISSING:-", "DUPLICATE_KEY:-"]);
    assert_eq!((found[0].rows.as_slice(), found[1].rows.as_slice()), (&[4, 5][..], &[3, 6][..]));
    let found = seen.check(&strict("duplicates_max=1.0\nkey=['a','b']")?)?;
    assert_eq!(found[1].rows, [3]);
    let found = only(csv, &rules.replace("type='text'", "type='text'\nunique=true"))?;
    assert_eq!((found.code.as_str(), found.rows, found.count), ("NOT_UNIQUE", vec![2, 3], 2));
    Ok(())
}

#[test]
fn repeats_are_those_that_comparing_all_pairs_finds() {
    let row =
        (prop::option::of(0_i64..3), prop::option::of(prop::bool::ANY), prop::option::of("[ab]{0,9}"), any::<bool>());
    let rows = prop::collection::vec(row, 2..60).prop_map(|rows| {
        let float =
            |flag: bool, whole: Option<i64>| if flag { f64::NAN } else { whole.map_or(0.0, |v| v as f64 * -0.0) };
        rows.into_iter().map(|(i, b, s, f)| (i, b, s, float(f, i).to_bits())).collect::<Vec<_>>()
    });
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    let result = runner.run(&rows, |rows| {
        let columns = vec![
            Series::new("i".into(), rows.iter().map(|row| row.0).collect::<Vec<_>>()).into(),
            Series::new("b".into(), rows.iter().map(|row| row.1).collect::<Vec<_>>()).into(),
            Series::new("s".into(), rows.iter().map(|row| row.2.clone()).collect::<Vec<_>>()).into(),
            Series::new("f".into(), rows.iter().map(|row| f64::from_bits(row.3)).collect::<Vec<_>>()).into(),
        ];
        let table =
            DataFrame::new(rows.len(), columns).map(Table::new).expect("columns of equal length").expect("known types");
        let same = |a: usize, b: usize| {
            let (left, right) = (f64::from_bits(rows[a].3), f64::from_bits(rows[b].3));
            let floats = left == right || (left.is_nan() && right.is_nan());
            floats && (rows[a].0, rows[a].1, &rows[a].2) == (rows[b].0, rows[b].1, &rows[b].2)
        };
        let expected: Vec<u64> =
            (0..rows.len()).filter(|b| (0..*b).any(|a| same(a, *b))).map(|row| row as u64 + 1).take(20).collect();
        let schema: SchemaSpec = toml::from_str("version=1\n[table]\nnew_columns='info'").expect("a schema");
        let found = Seen::new(table).check(&schema).expect("a table that can be checked");
        let found = found.iter().find(|finding| finding.code == "DUPLICATE_ROWS").map(|finding| finding.rows.clone());
        assert_eq!(found.unwrap_or_default(), expected);
        Ok(())
    });
    result.expect("hashing finds what comparing all pairs finds");
}

#[test]
fn row_counts_are_bounded() -> Result<()> {
    let seen = Seen::csv("a\n1\n2\n3\n")?;
    let check = |table: &str| -> Result<Vec<String>> {
        let text = format!("version=1\n[table]\n{table}\n[[column]]\nname='a'\ntype='integer'");
        Ok(names(&seen.check(&toml::from_str(&text)?)?))
    };
    assert_eq!(check("rows_min=4")?, ["DATASET_LOW_NUM_EXAMPLES:-"]);
    assert_eq!(check("rows_max=2")?, ["DATASET_HIGH_NUM_EXAMPLES:-"]);
    assert_eq!(check("rows_min=3\nrows_max=3")?, [""; 0]);
    Ok(())
}

#[test]
fn everything_is_found_at_once_worst_first() -> Result<()> {
    let csv = "a,b,c,d,e\n1,x,5,1,k\n2,x,,1,k\n3,z,500,1,k\n3,y,6,1,k\n4,y,7,1,k\n";
    let rules = "[[column]]\nname='c'\ntype='integer'\nmax=9.0\nmissing_max=0.1\nseverity='warning'\n\
                 [[column]]\nname='b'\ntype='text'\ndomain=['x','y']\n\
                 [[column]]\nname='a'\ntype='integer'\nunique=true\n[[column]]\nname='gone'\ntype='date'\n\
                 [[column]]\nname='d'\ntype='integer'";
    let found = Seen::csv(csv)?.check(&schema(rules)?)?;
    let expected = [
        "ENUM_TYPE_UNEXPECTED_STRING_VALUES:b",
        "NOT_UNIQUE:a",
        "SCHEMA_MISSING_COLUMN:gone",
        "SCHEMA_NEW_COLUMN:e",
        "FEATURE_TYPE_LOW_FRACTION_PRESENT:c",
        "INT_TYPE_BIG_INT:c",
    ];
    assert_eq!(names(&found), expected);
    assert_eq!(found.last().map(|finding| finding.code.as_str()), Some("CONSTANT_COLUMN"));
    assert_eq!(verdict(&found, Severity::Error), Verdict::Fail);
    assert_eq!(verdict(&found[4..], Severity::Error), Verdict::Pass);
    assert_eq!(verdict(&found[4..], Severity::Warning), Verdict::Fail);
    Ok(())
}

#[test]
fn a_schema_that_contradicts_itself_is_refused_with_all_its_faults() -> Result<()> {
    let seen = Seen::csv("a\n1\n2\n")?;
    let text = "version=1\n[table]\nkey=['k']\nduplicates_max=2.0\nrows_min=5\nrows_max=4\n\
                [[column]]\nname='a'\ntype='text'\nmin=1.0\npattern='('\nmissing_max=-0.1\n\
                [[column]]\nname='a'\ntype='integer'\ndomain=['x']\nmin=2.0\nmax=1.0";
    let error = seen.check(&toml::from_str(text)?).expect_err("the schema contradicts itself");
    let message = error.to_string();
    let parts = [
        "key names `k`",
        "duplicates_max = 2.0",
        "rows_min = 5 is above",
        "min is for numbers and dates, not for text (DOMAIN_INVALID_FOR_TYPE)",
        "pattern is no regular expression",
        "missing_max = -0.1",
        "described twice",
        "domain has \"x\", which is no integer (INVALID_DOMAIN_SPECIFICATION)",
        "min = 2.0 is above",
    ];
    for part in parts {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(fail::find(&error).is_some_and(|failure| failure.blame == fail::Blame::Request));
    let newer: SchemaSpec = toml::from_str("version = 2")?;
    assert!(seen.check(&newer).is_err());
    let other = Seen { table: seen.table, profile: Seen::csv("a\n1\n")?.profile };
    assert!(other.check(&schema("")?).is_err());
    Ok(())
}

#[test]
fn an_empty_table_can_be_checked() -> Result<()> {
    let column = Series::new("a".into(), Vec::<f64>::new()).into();
    let seen = Seen::new(Table::new(DataFrame::new(0, vec![column])?)?);
    let text = "version=1\n[table]\nrows_min=1\nkey=['a']\n[[column]]\nname='a'\ntype='integer'\nmissing_max=0.0\nunique=true\nmin=0.0";
    assert_eq!(names(&seen.check(&toml::from_str(text)?)?), ["DATASET_LOW_NUM_EXAMPLES:-"]);
    Ok(())
}

#[test]
fn only_the_first_rows_are_named() -> Result<()> {
    let csv = format!("a\n{}", "9\n".repeat(1_000));
    let found = only(&csv, "[[column]]\nname='a'\ntype='integer'\nmax=1.0")?;
    assert_eq!((found.rows, found.count), ((1..=20).collect(), 1_000));
    Ok(())
}

#[test]
fn shares_are_readable() {
    let cases = [(0.125, "12.5 %"), (1.0, "100 %"), (0.0, "0 %"), (1.0 / 3.0, "33.33 %"), (1e-6, "under 0.01 %")];
    for (share, text) in cases {
        assert_eq!(percent(share), text);
    }
}
