//! Schemas changed in place, schemas drawn with patterns, tables divided.

use anyhow::Result;

use crate::quality::accept::accept;
use crate::quality::check::examine;
use crate::quality::edit::rewrite;
use crate::quality::found::Scope;
use crate::quality::infer::infer_schema;
use crate::quality::quarantine::divide;
use crate::quality::read::parse_schema;
use crate::quality::tests::{Seen, names};
use crate::quality::written::to_toml;
use crate::record::dataset::Roles;
use crate::spec::rule::{Patterns, Scalar};
use crate::spec::schema::Severity;

#[test]
fn accepting_keeps_comments_and_order() -> Result<()> {
    let text = "# our schema\nversion = 1\n\n# rules of the house\n[table]\nrows_max = 2 # small\nduplicates = 'info'\n\n\
                # Ann looked at this\n[[column]] # the kind\nname = 'b'\ntype = 'text' # never anything else\n\
                domain = [\n    'x', # usual\n    'y',\n]\n\n[[column]]\nmax = 5 # kilos\ntype = 'integer'\nname = 'a'\n\n\
                # the end\n[[rule]]\nname = 'r' # mine\ncheck = 'a < 7'\n";
    let seen = Seen::csv("a,new,b\n1,3,x\n9,1,z\n2,2,y\n")?;
    let before = parse_schema(text, "schema.toml")?;
    let mut after = before.clone();
    for finding in seen.check(&before)? {
        accept(&mut after, &finding, &seen.profile)?;
    }
    let edited = rewrite(text, &before, &after, &seen.profile)?;
    assert!(edited.kept);
    let expected = "# our schema\nversion = 1\n\n# rules of the house\n[table]\nrows_max = 3 # small\n\
                    duplicates = 'info'\n\n# Ann looked at this\n[[column]] # the kind\nname = 'b'\n\
                    type = 'text' # never anything else\ndomain = [\n    'x', # usual\n    'y', \"z\",\n]\n\n\
                    [[column]]\nmax = 9 # kilos\ntype = 'integer'\nname = 'a'\n\n\
                    [[column]]  # seen: every value distinct, from 1 to 3, mean 2\nname = \"new\"\ntype = \"integer\"\n\
                    missing_max = 0.0\nmin = 1\nmax = 3\n\n# the end\n[[rule]]\nname = 'r' # mine\ncheck = 'a < 7'\n\
                    mostly = 0.6666\n";
    assert_eq!(edited.text, expected);
    assert_eq!(names(&seen.check(&parse_schema(&edited.text, "schema.toml")?)?), [""; 0]);
    // Columns that are not tables of their own cannot be edited in place.
    let inline = "version = 1\ntable = { duplicates = 'info' }\ncolumn = [{ name = 'a', type = 'integer', max = 5 }]\n";
    let before = parse_schema(inline, "schema.toml")?;
    let mut after = before.clone();
    after.columns[0].max = Some(Scalar::Integer(9));
    let edited = rewrite(inline, &before, &after, &seen.profile)?;
    assert!(!edited.kept);
    assert_eq!(parse_schema(&edited.text, "schema.toml")?, after);
    Ok(())
}

#[test]
fn codes_of_one_shape_get_its_pattern_and_the_target_its_environment() -> Result<()> {
    let mut csv = String::from("code,mixed,words,y\n");
    for row in 0..120 {
        csv.push_str(&format!(
            "AB-{:04},{}{row},{},{}\n",
            row * 7,
            if row > 60 { "x" } else { "X" },
            "q".repeat(row % 9 + 1),
            row % 3
        ));
    }
    let seen = Seen::csv(&csv)?;
    let schema = infer_schema(&seen.table, &seen.profile, &Roles { target: Some("y".to_owned()), ..Roles::default() });
    let column = |name: &str| schema.column(name).expect("it is there");
    assert_eq!(column("code").pattern, Some(Patterns::from(r"[A-Z]{2}-[0-9]{4}")));
    assert_eq!((&column("mixed").pattern, column("mixed").length_max), (&None, Some(10)));
    assert_eq!(column("words").pattern, None);
    assert_eq!(column("y").environments, ["training"]);
    let text = to_toml(&schema, &seen.profile)?;
    assert!(text.contains("# key = [\"code\"]  # every value is there, and no value twice\n"), "{text}");
    assert_eq!(parse_schema(&text, "schema.toml")?, schema);
    assert_eq!(names(&seen.check(&schema)?), [""; 0]);
    Ok(())
}

#[test]
fn rows_are_divided_by_all_that_is_wrong_with_them() -> Result<()> {
    let mut csv = String::from("id,a,t\n");
    for row in 0..200_000 {
        let value = if row % 1000 == 0 { 99 } else { row % 7 };
        csv.push_str(&format!(
            "{},{value},{}\n",
            if row == 150_000 { 3 } else { row },
            if row % 5000 == 1 { "zz" } else { "x" }
        ));
    }
    let seen = Seen::csv(&csv)?;
    let schema = parse_schema(
        "version=1\n[table]\nkey=['id']\n[[column]]\nname='id'\ntype='integer'\n\
         [[column]]\nname='a'\ntype='integer'\nmax=9\n[[column]]\nname='t'\ntype='text'\nlength_max=1\nseverity='warning'\n\
         [[rule]]\nname='small'\ncheck='id <> 7'",
        "schema.toml",
    )?;
    let scope = Scope { keep_rows: true, ..Scope::default() };
    let found = examine(&seen.table, &seen.profile, &schema, &scope)?;
    let divided = divide(&found, seen.table.rows(), Severity::Error);
    assert_eq!((divided.good.len(), divided.bad.len()), (199_799, 201));
    let at = divided.bad.iter().position(|row| *row == 150_000).expect("it repeats a key and is too large");
    assert_eq!(divided.reasons[at], "DUPLICATE_KEY INT_TYPE_BIG_INT:a");
    assert_eq!((divided.bad[1], divided.reasons[1].as_str()), (7, "ROW_RULE:small"));
    let strict = divide(&found, seen.table.rows(), Severity::Warning);
    assert_eq!(strict.bad.len(), 241);
    Ok(())
}
