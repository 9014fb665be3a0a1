//! The whole vocabulary of the schema, a line a case: what is written, what the table holds, what is found where.

use anyhow::Result;

use crate::base::fail;
use crate::quality::accept::accept;
use crate::quality::check::examine;
use crate::quality::codes::CODES;
use crate::quality::found::Scope;
use crate::quality::read::parse_schema;
use crate::quality::tests::Seen;
use crate::spec::schema::SchemaSpec;

/// `CODE: rows` of every finding, information too.
fn found(csv: &str, schema: &str, environment: &str) -> Result<Vec<String>> {
    let schema = parse_schema(&format!("version = 1\n{schema}"), "schema.toml")?;
    let seen = Seen::csv(csv)?;
    let found = examine(&seen.table, &seen.profile, &schema, &Scope { environment, keep_rows: true })?;
    for found in &found {
        let finding = &found.finding;
        assert_eq!(finding.rows.len(), finding.samples.len(), "{finding:#?}");
        assert!(CODES.iter().any(|code| code.name == finding.code), "{} is not in the list of codes", finding.code);
        let kept = found.rows.as_ref().map(|rows| (0..seen.table.rows()).filter(|row| rows.has(*row)).count() as u64);
        assert!(kept.is_none_or(|kept| finding.rows.is_empty() || kept == finding.count), "{finding:#?}");
    }
    Ok(found
        .iter()
        .map(|found| {
            let rows: Vec<String> = found.finding.rows.iter().map(u64::to_string).collect();
            format!("{} {}", found.finding.code, rows.join(",")).trim_end().to_owned()
        })
        .collect())
}

/// One column `a`, of these values (`|` between rows) beside a column of row numbers.
fn check(values: &str, rules: &str, expected: &[&str]) -> Result<()> {
    let rows: Vec<String> = values.split('|').enumerate().map(|(row, value)| format!("{value},{row}")).collect();
    let schema = format!(
        "[table]\nduplicates = 'info'\n[[column]]\nname = 'a'\n{rules}\n[[column]]\nname = 'row'\ntype = 'integer'"
    );
    let found = found(&format!("a,row\n{}\n", rows.join("\n")), &schema, "training")?;
    assert_eq!(found, expected, "{values} under {rules}");
    Ok(())
}

#[test]
fn single_values() -> Result<()> {
    let cases: &[(&str, &str, &[&str])] = &[
        ("1|2|3", "type='integer'\nabove=1", &["INT_TYPE_SMALL_INT 1"]),
        ("1|2|3", "type='integer'\nbelow=3", &["INT_TYPE_BIG_INT 3"]),
        ("1.5|2|3", "type='float'\nabove=1.5\nbelow=3", &["FLOAT_TYPE_SMALL_FLOAT 1", "FLOAT_TYPE_BIG_FLOAT 3"]),
        ("1|2|3", "type='float'\nmin=1.5\nmax=2.5", &["FLOAT_TYPE_SMALL_FLOAT 1", "FLOAT_TYPE_BIG_FLOAT 3"]),
        // Neighbours that are one float.
        ("9007199254740993|9007199254740992|1", "type='integer'\nmax=9007199254740992", &["INT_TYPE_BIG_INT 1"]),
        (
            "2024-01-01|2024-02-01|2024-03-01",
            "type='date'\nmin='2024-01-02'\nmax='2024-02-29'",
            &["TIME_TOO_EARLY 1", "TIME_TOO_LATE 3"],
        ),
        (
            "2024-01-01|2024-02-01|2024-03-01",
            "type='date'\nmin=2024-01-02\nbelow=2024-03-01",
            &["TIME_TOO_EARLY 1", "TIME_TOO_LATE 3"],
        ),
        (
            "2024-01-01T10:00:00Z|2024-01-01T12:00:00Z",
            "type='timestamp'\nmax='2024-01-01T11:00:00Z'",
            &["TIME_TOO_LATE 2"],
        ),
        ("1|2|3|2", "type='integer'\ndomain=[1, 3]", &["DOMAIN_UNEXPECTED_VALUES 2,4"]),
        ("1.5|2.5|", "type='float'\ndomain=[1.5]", &["DOMAIN_UNEXPECTED_VALUES 2"]),
        ("2024-01-01|2024-02-01", "type='date'\ndomain=['2024-01-01']", &["DOMAIN_UNEXPECTED_VALUES 2"]),
        ("1|2|3|2", "type='integer'\nnot_in=[2]", &["VALUE_FORBIDDEN 2,4"]),
        ("x|y|z", "type='text'\nnot_in=['y']", &["VALUE_FORBIDDEN 2"]),
        ("x|y|z|y", "type='text'\nnot_in=['y']\noutside_max=0.5", &[]),
        ("ab|abc|a", "type='text'\nlength_min=2\nlength_max=2", &["LENGTH_TOO_SHORT 3", "LENGTH_TOO_LONG 2"]),
        ("äöü|ab", "type='text'\nlength_max=3", &[]),
        ("A1|b2|C3", "type='text'\npattern=['[A-Z]\\d', 'b.']", &[]),
        ("A1|b2|C3", "type='text'\nnot_pattern='2'", &["PATTERN_FORBIDDEN 2"]),
        ("31/01/2024|30/02/2024|x", "type='text'\ndate_format='%d/%m/%Y'", &["DATE_FORMAT_MISMATCH 2,3"]),
        ("2024-01-31|x|2024-01-31 10:00", "type='text'\ndate_format='iso'", &["DATE_FORMAT_MISMATCH 2"]),
        ("[1]|{|[]", "type='text'\njson=true", &["JSON_INVALID 2"]),
        (
            "[1]|{|[]",
            "type='text'\njson_schema={ type = 'array', minItems = 1 }",
            &["JSON_INVALID 2", "JSON_SCHEMA_MISMATCH 3"],
        ),
        ("a@b.org|x", "type='text'\nsemantic='email'", &["SEMANTIC_MISMATCH 2"]),
        ("http://a.org|https://b.org/x?y", "type='text'", &["SEMANTIC_DOMAIN_UPDATE"]),
        ("10.0.0.1|::1", "type='text'", &["SEMANTIC_DOMAIN_UPDATE"]),
        ("1|2|2|5", "type='integer'\norder='strictly_increasing'", &["NOT_INCREASING 3"]),
        ("1|2|2|1", "type='integer'\norder='increasing'", &["NOT_INCREASING 4"]),
        ("3||2|2.5", "type='float'\norder='decreasing'", &["NOT_DECREASING 4"]),
        // mean 3, n - 1 deviation 4.47: 11 is 1.79 away.
        ("1|1|1|1|11", "type='integer'\nz_max=1.7", &["Z_SCORE_HIGH 5"]),
        ("1|1|1|1|11", "type='integer'\nz_max=1.8", &[]),
        ("1.5|-inf|inf", "type='float'\nfinite=true", &["FLOAT_TYPE_HAS_INF 2,3"]),
        ("1.5|-inf|inf", "type='float'\nfinite=false", &[]),
        ("Y|N|Y", "type='boolean'\ntrue_values=['Y']\nfalse_values=['N']", &[]),
        ("Y|N|J", "type='boolean'\ntrue_values=['Y']\nfalse_values=['N']", &["BOOL_TYPE_UNEXPECTED_STRING 3"]),
    ];
    cases.iter().try_for_each(|(values, rules, expected)| check(values, rules, expected))
}

#[test]
fn columns_as_a_whole() -> Result<()> {
    let cases: &[(&str, &str, &[&str])] = &[
        ("1||", "type='integer'\npresent_min=2", &["FEATURE_TYPE_LOW_NUMBER_PRESENT"]),
        ("x|y|x", "type='text'\nunique_count={ min = 3 }", &["FEATURE_TYPE_LOW_UNIQUE"]),
        ("x|y|x", "type='text'\nunique_count={ max = 1 }", &["FEATURE_TYPE_HIGH_UNIQUE"]),
        ("|", "type='text'\nunique_count={ min = 1 }", &["FEATURE_TYPE_NO_UNIQUE"]),
        ("x|y|x|x", "type='text'\nunique_share={ min = 0.6 }", &["UNIQUE_SHARE_OUTSIDE"]),
        ("1|2|6", "type='integer'\nmean={ max = 2.9 }", &["MEAN_OUTSIDE"]),
        (
            "1|2|6",
            "type='integer'\nmean={ min = 3, max = 3 }\nmedian={ min = 2, max = 2 }\nsum={ min = 9, max = 9 }",
            &[],
        ),
        ("1|2|6", "type='integer'\nmedian={ min = 3 }", &["MEDIAN_OUTSIDE"]),
        ("1|2|6", "type='integer'\nstd={ max = 2.6 }", &["STD_OUTSIDE"]),
        ("1|2|6", "type='integer'\nsum={ max = 8 }", &["SUM_OUTSIDE"]),
        ("1|2|6", "type='integer'\nsmallest={ min = 2 }", &["SMALLEST_OUTSIDE"]),
        ("1|2|6", "type='integer'\nlargest={ max = 5, min = 1 }", &["LARGEST_OUTSIDE"]),
        // numpy.quantile([1, 2, 6], [0.9, 0.3]) = [5.2, 1.6]
        (
            "1|2|6",
            "type='integer'\nquantiles={ '0.9' = { max = 5.1 }, '0.3' = { min = 1.7 } }",
            &["QUANTILE_OUTSIDE", "QUANTILE_OUTSIDE"],
        ),
        ("1|2|6", "type='integer'\nquantiles={ '0.9' = { max = 5.3 }, '0.3' = { min = 1.5 } }", &[]),
        ("x|y|x", "type='text'\nmost_common=['y']", &["MOST_COMMON_UNEXPECTED"]),
        ("x|y", "type='text'\nmost_common=['y']", &[]),
        ("x|y|x", "type='text'\ncontains=['y', 'z']", &["VALUES_MISSING"]),
        ("1|2", "type='integer'\ncontains=[2, 3]", &["VALUES_MISSING"]),
        ("|", "type='float'\nmean={ min = 1 }", &[]),
        ("nan|nan|inf", "type='float'\nmean={ min = 1 }\nfinite=false", &["STATS_NOT_AVAILABLE"]),
        (
            "x|x|x|y",
            "type='text'\nreference={ values=['x','y'], shares=[1, 1], kl_max = 0.13 }",
            &["KL_DIVERGENCE_HIGH"],
        ),
        // 0.75 ln 1.5 + 0.25 ln 0.5 = 0.13081
        ("x|x|x|y", "type='text'\nreference={ values=['x','y'], shares=[1, 1], kl_max = 0.131 }", &[]),
        (
            "x|x|x|q",
            "type='text'\nreference={ values=['x','y'], shares=[1, 1], kl_max = 9.0 }",
            &["KL_DIVERGENCE_HIGH"],
        ),
        // scipy.stats.chisquare([3, 1]): p = 0.3173
        ("x|x|x|y", "type='text'\nreference={ values=['x','y'], shares=[1, 1], chi2_p_min = 0.3172 }", &[]),
        (
            "x|x|x|y",
            "type='text'\nreference={ values=['x','y'], shares=[1, 1], chi2_p_min = 0.3174 }",
            &["CHI_SQUARED_P_LOW"],
        ),
        (
            "0|0|0|0|0|0|0|0|0|0|1",
            "type='integer'\nreference={ edges=[0, 1], shares=[1], ks_p_min = 0.05 }",
            &["KS_P_LOW"],
        ),
        (
            "0|0.1|0.2|0.3|0.4|0.5|0.6|0.7|0.8|0.9|1",
            "type='float'\nreference={ edges=[0, 1], shares=[1], ks_p_min = 0.05 }",
            &[],
        ),
        ("x|x", "type='text'", &["CONSTANT_COLUMN"]),
        ("x|x", "type='text'\nseverities={ CONSTANT_COLUMN = 'off' }", &[]),
        ("9", "type='text'\nstage='deprecated'", &[]),
        ("9|8", "type='text'\nstage='beta'", &["UNEXPECTED_DATA_TYPE"]),
    ];
    cases.iter().try_for_each(|(values, rules, expected)| check(values, rules, expected))
}

/// Three columns and what `[table]` or a `[[rule]]` says.
fn check_table(csv: &str, rules: &str, expected: &[&str]) -> Result<()> {
    let header = csv.lines().next().unwrap_or("");
    let mut schema = String::from(rules);
    for name in header.split(',') {
        let kind = if name.starts_with('t') { "text" } else { "integer" };
        schema.push_str(&format!("\n[[column]]\nname = '{name}'\ntype = '{kind}'"));
    }
    assert_eq!(found(csv, &schema, "training")?, expected, "{rules}");
    Ok(())
}

#[test]
fn tables_and_several_columns() -> Result<()> {
    let csv = "t,a,b\nx,1,2\nX ,2,2\ny,3,1\nz,,5\n";
    let cases: &[(&str, &[&str])] = &[
        ("[table]\ncolumns_min=4", &["COLUMN_COUNT_LOW"]),
        ("[table]\ncolumns_max=2", &["COLUMN_COUNT_HIGH"]),
        ("[table]\nkey=['t']", &["NEAR_DUPLICATE_KEY 2"]),
        ("[table]\nkey=['t']\nnear_keys='off'", &[]),
        ("[table]\nunique=[['b'], ['a','b']]", &["NOT_UNIQUE_TOGETHER 2"]),
        ("[[rule]]\nname='r'\ncheck='a <= b'", &["ROW_RULE 3"]),
        ("[[rule]]\nname='r'\ncheck='a <= b'\nmostly=0.75", &[]),
        ("[[rule]]\nname='r'\nwhen=\"t <> 'y'\"\ncheck='a <= b'", &[]),
        ("[[rule]]\nname='r'\nequal=['a','b']", &["ROW_RULE 1,3"]),
        ("[[rule]]\nname='r'\ngreater=['b','a']", &["ROW_RULE 2,3"]),
        ("[[rule]]\nname='r'\ngreater_or_equal=['b','a']", &["ROW_RULE 3"]),
        ("[[rule]]\nname='r'\ndistinct=['b','a']", &["ROW_RULE 2"]),
        ("[[rule]]\nname='r'\nsum={ columns=['a','b'], equals=4 }", &["ROW_RULE 1"]),
        ("[[rule]]\nname='r'\nsum={ columns=['a','b'], equals='b', tolerance=2 }", &["ROW_RULE 3"]),
        ("[[rule]]\nname='r'\ntuples={ columns=['t','b'], allowed=[['x',2],['X ',2],['y',1]] }", &["ROW_RULE 4"]),
        (
            "[[rule]]\nname='r'\nsql='SELECT _row, b FROM (SELECT _row, b, AVG(b) OVER () AS mean FROM data) AS t WHERE b > mean * 1.5 ORDER BY _row DESC'",
            &["TABLE_RULE 4"],
        ),
        ("[[rule]]\nname='r'\nsql='SELECT * FROM data WHERE b = 2'\nrows_max=2", &[]),
        ("[[rule]]\nname='r'\nsql='SELECT t, COUNT(*) AS n FROM data GROUP BY t'", &["TABLE_RULE"]),
        ("[[rule]]\nname='r'\nsql='SELECT \"column\" FROM stats WHERE missing_share > 0.2'", &["TABLE_RULE"]),
        ("[[rule]]\nname='r'\nsql='SELECT \"column\" FROM stats WHERE \"max\" > 5'", &[]),
        ("[[rule]]\nname='r'\ncheck='a <= b'\nenvironments=['serving']", &[]),
        ("[table]\nseverities={ ROW_RULE = 'off' }\n[[rule]]\nname='r'\ncheck='a <= b'", &[]),
    ];
    cases.iter().try_for_each(|(rules, expected)| check_table(csv, rules, expected))?;
    let ordered =
        "[table]\ncolumns_ordered=true\n[[column]]\nname='b'\ntype='integer'\n[[column]]\nname='a'\ntype='integer'";
    assert_eq!(found("a,b\n1,2\n2,1\n", ordered, "training")?, ["COLUMNS_OUT_OF_ORDER"]);
    let gone =
        "[[rule]]\nname='r'\ncheck='a < c'\n[[column]]\nname='a'\ntype='integer'\n[[column]]\nname='c'\ntype='integer'";
    assert_eq!(found("a\n1\n2\n", gone, "training")?, ["RULE_NOT_CHECKED", "SCHEMA_MISSING_COLUMN"]);
    Ok(())
}

#[test]
fn environments_decide_which_columns_are_expected() -> Result<()> {
    let schema = "[table]\ndefault_environments=['training','serving']\n[[column]]\nname='x'\ntype='integer'\n\
                  [[column]]\nname='y'\ntype='integer'\nenvironments=['training']\n\
                  [[column]]\nname='z'\ntype='integer'\nnot_environments=['training']";
    let both = "x,y,z\n1,2,4\n2,1,3\n";
    let cases: &[(&str, &str, &[&str])] = &[
        ("x,y\n1,2\n2,1\n", "training", &[]),
        ("x,z\n1,2\n2,1\n", "serving", &[]),
        ("x,z\n1,2\n2,1\n", "training", &["SCHEMA_MISSING_COLUMN", "COLUMN_OUTSIDE_ENVIRONMENT"]),
        (both, "serving", &["COLUMN_OUTSIDE_ENVIRONMENT"]),
    ];
    for (csv, environment, expected) in cases {
        assert_eq!(found(csv, schema, environment)?, *expected, "{environment}: {csv}");
    }
    let error = found(both, schema, "servings").expect_err("an unknown environment");
    let failure = fail::find(&error).expect("a failure");
    assert_eq!(failure.hint.as_deref(), Some("did you mean `serving`?"));
    Ok(())
}

#[test]
fn what_cannot_be_read_says_so_with_its_code() {
    let column = "[[column]]\nname='a'\n";
    let text = format!("{column}type='text'\n");
    let cases = [
        ("[[column]]\ntype='text'".to_owned(), "FEATURE_MISSING_NAME"),
        (column.to_owned(), "FEATURE_MISSING_TYPE"),
        (format!("{text}mim=1"), "did you mean `min`?"),
        ("[tabel]".to_owned(), "did you mean `table`?"),
        (format!("{column}type='itneger'"), "did you mean `integer`?"),
        (format!("{text}min=1"), "DOMAIN_INVALID_FOR_TYPE"),
        (format!("{column}type='integer'\nmin=2\nbelow=1"), "INVALID_DOMAIN_SPECIFICATION"),
        (format!("{column}type='date'\nmin='soon'"), "min = \"soon\" is no date"),
        (format!("{text}domain=[]"), "domain is empty"),
        (format!("{text}true_values=['Y']\nfalse_values=['N']"), "BOOL_TYPE_INVALID_CONFIG"),
        (format!("{text}date_format='%'"), "date_format cannot be used"),
        (format!("{text}json_schema={{ type = 'nothing' }}"), "json_schema cannot be used"),
        (format!("{text}severities={{ OUTLIER = 'info' }}"), "did you mean `OUTLIERS`?"),
        (format!("{text}reference={{ values=['x'], shares=[1, 2] }}"), "one share for each"),
        (format!("{column}type='float'\nquantiles={{ median = {{ min = 1 }} }}"), "no share between 0 and 1"),
        ("[table]\nunique=[['q']]".to_owned(), "unique names `q`, which is no column"),
        (format!("{text}[[rule]]\nname='r'"), "says nothing"),
        (format!("{text}[[rule]]\nname='r'\ncheck='a = 1'\nsql='SELECT 1'"), "says several things"),
        (format!("{text}[[rule]]\nname='r'\ncheck='a ='"), "rule `r` is no SQL"),
        (format!("{text}[[rule]]\nname='r'\nsql='DROP TABLE data'"), "neither with SELECT"),
        (format!("{text}[[rule]]\nname='r'\nsql=\"SELECT * FROM read_csv('/etc/passwd')\""), "reads a file"),
    ];
    for (text, part) in cases {
        let error = parse_schema(&format!("version = 1\n{text}"), "schema.toml").expect_err(&text);
        let failure = fail::find(&error).unwrap_or_else(|| panic!("{text}: {error}"));
        let said = format!("{} {}", failure.what, failure.hint.as_deref().unwrap_or(""));
        assert!(said.contains(part) && failure.blame == fail::Blame::Request, "{part}: {said}");
    }
}

#[test]
fn sql_that_does_not_suit_the_table_is_the_request_s_fault() {
    for (rule, part) in [
        ("check='nothing > 1'", "nothing"),
        ("check='a + 1'", "not true or false"),
        ("sql='SELECT x FROM nowhere'", "nowhere"),
        ("when='zz = 1'\ncheck='a > 0'", "zz"),
    ] {
        let schema = format!("[[column]]\nname='a'\ntype='integer'\n[[rule]]\nname='mine'\n{rule}");
        let error = found("a\n1\n2\n", &schema, "training").expect_err(rule);
        let failure = fail::find(&error).expect("a failure");
        assert!(failure.blame == fail::Blame::Request, "{rule}");
        assert!(failure.what.contains("`mine`") && failure.what.contains(part), "{}", failure.what);
    }
}

#[test]
fn whatever_is_found_can_be_accepted() -> Result<()> {
    let csv = "n,f,t,d,e,j,m,o,c,b,x,z,i\n1,1.5,ab,2024-01-01,a@b.org,[1],x,1,k,0,1,1,nan\n\
               2,2.5,abcd,2024-02-01,x,{,y,3,k,1,1,1,1.5\n3,9.5,a,2024-03-01,c@d.org,2,x,2,k,7,1,1,inf\n\
               5,9.5,a2,2024-03-01,c@d.org,2,x,5,k,-3,2,99,2.5\n";
    let schema = "version = 1\n[table]\nrows_min=5\ncolumns_max=3\ncolumns_ordered=true\nunique=[['x']]\n\
        [[column]]\nname='f'\ntype='float'\nabove=1.5\nmean={max=1}\nquantiles={'0.4'={max=1}}\nunique_share={min=0.9}\n\
        [[column]]\nname='n'\ntype='integer'\ndomain=[1]\nnot_in=[2]\nsum={max=2}\nlargest={max=2}\nmost_common=[9]\n\
        [[column]]\nname='t'\ntype='text'\nlength_min=2\nlength_max=3\nnot_pattern='2'\ncontains=['q','ab']\n\
        [[column]]\nname='d'\ntype='date'\nmin='2024-01-02'\nmax='2024-02-02'\nunique_count={max=2}\n\
        [[column]]\nname='e'\ntype='text'\nsemantic='email'\n\
        [[column]]\nname='j'\ntype='text'\njson=true\n\
        [[column]]\nname='m'\ntype='text'\nreference={values=['x','y'],shares=[1,9],kl_max=0.1,chi2_p_min=0.5}\n\
        [[column]]\nname='o'\ntype='integer'\norder='increasing'\n\
        [[column]]\nname='c'\ntype='text'\n[[column]]\nname='b'\ntype='boolean'\n\
        [[column]]\nname='x'\ntype='integer'\npresent_min=5\n\
        [[column]]\nname='z'\ntype='integer'\nz_max=1.0\n[[column]]\nname='i'\ntype='float'\nnot_environments=['training']\n\
        [[rule]]\nname='r'\ncheck='n < 3'\n[[rule]]\nname='s'\nsql='SELECT n FROM data'\n";
    let (seen, mut schema) = (Seen::csv(csv)?, parse_schema(schema, "schema.toml")?);
    for _ in 0..80 {
        let found = seen.check(&schema)?;
        let Some(finding) = found.first() else {
            return Ok(());
        };
        let before: SchemaSpec = schema.clone();
        assert!(accept(&mut schema, finding, &seen.profile)?, "{finding:#?}");
        let again = seen.check(&schema)?;
        let same = |other: &crate::quality::report::Finding| {
            other.name() == finding.name() && other.constraint == finding.constraint
        };
        assert!(!again.iter().any(same), "{} stays: {:#?} {before:#?}", finding.name(), finding);
    }
    panic!("findings do not end: {:#?}", seen.check(&schema)?);
}
