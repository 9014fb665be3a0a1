//! Schemas drawn from data, written, read back and widened.

use anyhow::Result;

use crate::quality::accept::accept;
use crate::quality::infer::infer_schema;
use crate::quality::rules::share_up;
use crate::quality::tests::{Seen, example, names, schema};
use crate::quality::written::to_toml;
use crate::record::dataset::Roles;
use crate::spec::rule::{Level, Patterns, Scalar};
use crate::spec::schema::{ColumnRules, SchemaSpec, Severity};

fn infer(seen: &Seen, roles: &Roles) -> SchemaSpec {
    infer_schema(&seen.table, &seen.profile, roles)
}

fn rules<'a>(schema: &'a SchemaSpec, name: &str) -> &'a ColumnRules {
    let found = schema.columns.iter().find(|rules| rules.name == name);
    found.unwrap_or_else(|| panic!("no column `{name}`"))
}

#[test]
fn a_fresh_schema_has_no_error_on_real_tables() -> Result<()> {
    let cases = [
        ("penguins", "species", vec![]),
        ("titanic", "survived", vec!["DUPLICATE_ROWS:-", "OUTLIERS:fare"]),
        ("bikeshare", "bikers", vec!["OUTLIERS:windspeed", "OUTLIERS:casual"]),
    ];
    for (name, target, expected) in cases {
        let seen = Seen::file(&example(name))?;
        let schema = infer(&seen, &Roles { target: Some(target.to_owned()), ..Roles::default() });
        let found = seen.check(&schema)?;
        assert!(found.iter().all(|finding| finding.severity < Severity::Error), "{name}: {found:#?}");
        assert_eq!(names(&found), expected, "{name}");
        let text = to_toml(&schema, &seen.profile)?;
        assert_eq!(toml::from_str::<SchemaSpec>(&text)?, schema, "{text}");
    }
    Ok(())
}

#[test]
fn penguins_get_the_rules_a_person_would_write() -> Result<()> {
    let seen = Seen::file(&example("penguins"))?;
    let schema = infer(&seen, &Roles { ignore: vec!["year".to_owned()], ..Roles::default() });
    let domain = ["Adelie", "Chinstrap", "Gentoo"].map(Scalar::from).to_vec();
    assert_eq!(rules(&schema, "species").domain, Some(domain));
    assert_eq!(rules(&schema, "species").missing_max, 0.0);
    // Seen: 32.1 to 59.6, two missing of 344.
    let bill = rules(&schema, "bill_length_mm");
    assert_eq!(
        (bill.min.clone(), bill.max.clone(), bill.missing_max, bill.outliers_iqr),
        (Some(Scalar::Float(29.0)), Some(Scalar::Float(63.0)), 0.02, Some(3.0))
    );
    // Seen: every year from 2007 to 2009.
    let year = rules(&schema, "year");
    assert_eq!(
        (year.min.clone(), year.max.clone(), year.outliers_iqr),
        (Some(Scalar::Integer(2007)), Some(Scalar::Integer(2009)), None)
    );
    assert_eq!(year.severity, Severity::Warning);
    assert_eq!((schema.table.rows_min, schema.table.rows_max), (Some(172), Some(3440)));
    Ok(())
}

#[test]
fn identifiers_are_unique_and_have_no_domain() -> Result<()> {
    let mut csv = String::from("row,name,code,flag\n");
    for row in 0..120 {
        csv.push_str(&format!("{row},person {row},{},{}\n", row * row, row % 2));
    }
    let seen = Seen::csv(&csv)?;
    let schema = infer(&seen, &Roles { key: vec!["code".to_owned()], ..Roles::default() });
    for name in ["row", "name", "code"] {
        let rules = rules(&schema, name);
        assert_eq!((rules.unique, &rules.max, &rules.domain, rules.outliers_iqr), (true, &None, &None, None), "{name}");
    }
    assert_eq!(schema.table.key, ["code"]);
    let flag = rules(&schema, "flag");
    assert_eq!((flag.min.clone(), flag.max.clone()), (Some(Scalar::Integer(0)), Some(Scalar::Integer(1))));
    assert_eq!(names(&seen.check(&schema)?), [""; 0]);
    // A key that does not identify rows is not kept.
    let schema = infer(&seen, &Roles { key: vec!["flag".to_owned()], ..Roles::default() });
    assert!(schema.table.key.is_empty());
    Ok(())
}

#[test]
fn ranges_have_a_margin_in_round_numbers() -> Result<()> {
    let range = |values: &str| -> Result<(f64, f64)> {
        let seen = Seen::csv(&format!("a\n{}", values.replace(' ', "\n")))?;
        let schema = infer(&seen, &Roles::default());
        assert!(seen.check(&schema)?.iter().all(|finding| finding.severity < Severity::Error));
        let rules = &schema.columns[0];
        let number = |bound: &Option<Scalar>| bound.as_ref().and_then(Scalar::number).unwrap_or(f64::NAN);
        Ok((number(&rules.min), number(&rules.max)))
    };
    assert_eq!(range("0.13 0.87 0.5")?, (0.05, 0.95));
    assert_eq!(range("-3.5 8.25 1")?, (-5.0, 10.0));
    assert_eq!(range("0 37 12 9")?, (0.0, 41.0));
    assert_eq!(range("100000 250000 300000")?, (80000.0, 320000.0));
    assert_eq!(range("7 7 7")?, (6.0, 8.0));
    assert_eq!(range("0 0 0")?, (0.0, 1.0));
    assert_eq!(range("-8 -2 -3")?, (-9.0, -1.0));
    Ok(())
}

#[test]
fn the_written_schema_says_what_was_seen() -> Result<()> {
    let seen = Seen::csv("size,\"the \"\"kind\"\"\"\n1.5,a\n,b\n2.25,a\n3,a\n")?;
    let text = to_toml(&infer(&seen, &Roles::default()), &seen.profile)?;
    let body = text.split_once("version = 1\n").map_or("", |(_, body)| body);
    let expected = r#"
[table]  # seen: 4 rows, 2 columns
rows_min = 2
rows_max = 40
# key = ["column", …]  # columns that together identify a row
new_columns = "error"
duplicates = "warning"
duplicates_max = 0.0

[[column]]  # seen: 25 % missing, every value distinct, from 1.5 to 3, mean 2.25
name = "size"
type = "float"
missing_max = 0.32
min = 1.3
max = 3.2
outliers_iqr = 3.0

[[column]]  # seen: 2 distinct, "a" 3, "b" 1
name = "the \"kind\""
type = "text"
missing_max = 0.0
domain = ["a", "b"]
"#;
    assert_eq!(body, expected);
    Ok(())
}

#[test]
fn any_text_survives_writing() -> Result<()> {
    let nasty = ["\u{7f}", "\0", "a\nb", "tab\t", "quote\"", "back\\slash", "é # ]", "\u{2028}", "\u{85}", ""];
    let mut schema = schema("")?;
    for name in nasty {
        let mut rules = schema_column(name);
        rules.domain = Some((0..40).map(|value| Scalar::Text(format!("{name}{value}"))).collect());
        rules.pattern = Some(Patterns::from(r"\d+ '''\n"));
        rules.missing_max = 1.0 / 3.0;
        rules.severity = Severity::Info;
        schema.columns.push(rules);
    }
    schema.table.key = nasty.map(str::to_owned).to_vec();
    let seen = Seen::csv("a\n1\n2\n")?;
    let text = to_toml(&schema, &seen.profile)?;
    assert_eq!(toml::from_str::<SchemaSpec>(&text)?, schema, "{text}");
    Ok(())
}

fn schema_column(name: &str) -> ColumnRules {
    let one = schema("[[column]]\nname='x'\ntype='text'").expect("a schema of one column");
    ColumnRules { name: name.to_owned(), ..one.columns[0].clone() }
}

/// Accepts findings one by one; each must be gone afterwards, and no other may come.
fn accept_all(csv: &str, text: &str) -> Result<SchemaSpec> {
    let seen = Seen::csv(csv)?;
    let mut schema: SchemaSpec = toml::from_str(text)?;
    loop {
        let found = seen.check(&schema)?;
        let mut changed = false;
        for finding in &found {
            if accept(&mut schema, finding, &seen.profile)? {
                let names_left = names(&seen.check(&schema)?);
                let name = format!("{}:{}", finding.code, finding.column.as_deref().unwrap_or("-"));
                assert!(!names_left.contains(&name), "{name} is still there: {schema:#?}");
                changed = true;
                break;
            }
        }
        if !changed {
            assert_eq!(names(&found), [""; 0]);
            return Ok(schema);
        }
    }
}

#[test]
fn accepted_findings_do_not_recur() -> Result<()> {
    let csv = "k,n,f,t,p,u,old,new,i\n1,5,0.5,x,AA,1,2024-01-01,q,1\n1,,0.25,y,b,1,,r,2\n2,500,-7.5,z,CC,2,soon,s,3\n\
               ,6,0.75,x,DD,2,soon,q,4.5\n,6,0.75,x,DD,2,soon,q,4.5\n3,7,0.1,x,EE,3,never,q,5\n";
    let text = "version=1\n[table]\nrows_min=9\nrows_max=20\nkey=['k']\n\
                [[column]]\nname='k'\ntype='integer'\n\
                [[column]]\nname='n'\ntype='integer'\nmin=6.0\nmax=9.0\nmissing_max=0.1\noutliers_iqr=1.5\n\
                [[column]]\nname='f'\ntype='float'\nmin=0.0\noutliers_iqr=0.3\n\
                [[column]]\nname='gone'\ntype='text'\n\
                [[column]]\nname='t'\ntype='text'\ndomain=['x']\n\
                [[column]]\nname='p'\ntype='text'\npattern='[A-Z]+'\n\
                [[column]]\nname='u'\ntype='integer'\nunique=true\n\
                [[column]]\nname='i'\ntype='integer'\nmax=9.0\n\
                [[column]]\nname='old'\ntype='date'";
    let schema = accept_all(csv, text)?;
    let order: Vec<&str> = schema.columns.iter().map(|rules| rules.name.as_str()).collect();
    assert_eq!(order, ["k", "n", "f", "gone", "t", "p", "u", "i", "old", "new"]);
    assert_eq!(rules(&schema, "t").domain, Some(["x", "y", "z"].map(Scalar::from).to_vec()));
    assert_eq!(rules(&schema, "n").missing_max, 0.17);
    let n = rules(&schema, "n");
    assert_eq!((n.min.clone(), n.max.clone()), (Some(Scalar::Integer(5)), Some(Scalar::Integer(500))));
    assert_eq!(rules(&schema, "p").outside_max, 0.1667);
    assert!(!rules(&schema, "gone").required && schema.table.key.is_empty());
    assert_eq!((schema.table.rows_min, schema.table.rows_max), (Some(6), Some(20)));
    assert_eq!(schema.table.duplicates_max, 0.1667);
    Ok(())
}

#[test]
fn findings_without_a_rule_are_set_off_by_their_code() -> Result<()> {
    let seen = Seen::csv("a\n1\n1\n")?;
    let mut schema = schema("[[column]]\nname='a'\ntype='integer'")?;
    let found = seen.check(&schema)?;
    assert_eq!(found[0].code, "CONSTANT_COLUMN");
    assert!(accept(&mut schema, &found[0], &seen.profile)?);
    assert_eq!(schema.columns[0].severities.get("CONSTANT_COLUMN"), Some(&Level::Off));
    assert_eq!(seen.check(&schema)?, []);
    let mut odd = found[0].clone();
    odd.column = Some("zz".to_owned());
    assert!(accept(&mut schema, &odd, &seen.profile).is_err());
    Ok(())
}

#[test]
fn shares_are_rounded_up() {
    for (share, up) in [(0.0, 0.0), (0.29, 0.29), (0.291, 0.3), (1.0, 1.0), (1e-9, 0.01)] {
        assert_eq!(share_up(share, 100.0), up);
        assert!(share_up(share, 100.0) >= share);
    }
}
