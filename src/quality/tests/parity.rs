//! Every anomaly of TensorFlow Data Validation 1.21 that tables can have, but those of drift: an input that raises it.

use anyhow::Result;

use crate::quality::check::check;
use crate::quality::read::parse_schema;
use crate::quality::tests::Seen;

/// Column `a` holds `values` (`|` between rows), the schema says `schema`; the code is found, or is in the error.
fn raises(values: &str, schema: &str) -> Result<Vec<String>> {
    let rows: Vec<String> = values.split('|').enumerate().map(|(row, value)| format!("{value},{row}")).collect();
    let mut seen = Seen::csv(&format!("a,row\n{}\n", rows.join("\n")))?;
    // Text that was decoded wrongly is counted when the profile is made.
    for texts in seen.profile.columns.iter_mut().filter_map(|column| column.texts.as_mut()) {
        texts.invalid = u64::from(values.contains('\u{fffd}'));
    }
    let schema = format!("version = 1\n{schema}\n[[column]]\nname = 'row'\ntype = 'integer'");
    Ok(match parse_schema(&schema, "schema.toml") {
        Ok(schema) => check(&seen.table, &seen.profile, &schema)?.into_iter().map(|finding| finding.code).collect(),
        Err(error) => error.to_string().split(['(', ')']).map(str::to_owned).collect(),
    })
}

#[test]
fn every_anomaly_of_tables_is_raised() -> Result<()> {
    let cases = [
        ("BOOL_TYPE_BIG_INT", "0|1|2", "type='boolean'"),
        ("BOOL_TYPE_SMALL_INT", "0|1|-1", "type='boolean'"),
        ("BOOL_TYPE_UNEXPECTED_STRING", "true|perhaps", "type='boolean'"),
        ("BOOL_TYPE_UNEXPECTED_FLOAT", "0|0.5", "type='boolean'"),
        ("BOOL_TYPE_INVALID_CONFIG", "0|1", "type='integer'\ntrue_values=['1']\nfalse_values=['0']"),
        ("ENUM_TYPE_INVALID_UTF8", "x|caf\u{fffd}", "type='text'"),
        ("ENUM_TYPE_UNEXPECTED_STRING_VALUES", "x|y", "type='text'\ndomain=['x']"),
        ("FEATURE_TYPE_NOT_PRESENT", "|", "type='text'\nmissing_max=0.5"),
        ("FEATURE_TYPE_LOW_FRACTION_PRESENT", "x||", "type='text'\nmissing_max=0.5"),
        ("FEATURE_TYPE_LOW_NUMBER_PRESENT", "x||", "type='text'\npresent_min=2"),
        ("FEATURE_TYPE_HIGH_UNIQUE", "x|y", "type='text'\nunique_count={ max=1 }"),
        ("FEATURE_TYPE_LOW_UNIQUE", "x|x", "type='text'\nunique_count={ min=2 }"),
        ("FEATURE_TYPE_NO_UNIQUE", "|", "type='text'\nunique_count={ min=1 }"),
        ("FLOAT_TYPE_BIG_FLOAT", "0.5|1.5", "type='float'\nmax=1"),
        ("FLOAT_TYPE_SMALL_FLOAT", "0.5|1.5", "type='float'\nmin=1"),
        ("FLOAT_TYPE_STRING_NOT_FLOAT", "0.5|x", "type='float'"),
        ("FLOAT_TYPE_HAS_INF", "0.5|inf", "type='float'\nfinite=true"),
        ("INT_TYPE_BIG_INT", "1|5", "type='integer'\nmax=1"),
        ("INT_TYPE_SMALL_INT", "1|5", "type='integer'\nmin=2"),
        ("INT_TYPE_NOT_INT_STRING", "1|x", "type='integer'"),
        ("UNEXPECTED_DATA_TYPE", "1|2.5", "type='integer'"),
        ("DOMAIN_INVALID_FOR_TYPE", "x|y", "type='text'\nmin=1"),
        ("SEMANTIC_DOMAIN_UPDATE", "a@b.org|c@d.org", "type='text'"),
        ("STATS_NOT_AVAILABLE", "inf|-inf", "type='float'\nmean={ min=0 }"),
        ("INVALID_DOMAIN_SPECIFICATION", "1|2", "type='integer'\nmin=2\nmax=1"),
        ("INVALID_SCHEMA_SPECIFICATION", "1|2", "type='integer'\nmissing_max=2.0"),
        ("FEATURE_MISSING_TYPE", "1|2", ""),
    ];
    for (code, values, rules) in cases {
        let raised = raises(values, &format!("[[column]]\nname='a'\n{rules}"))?;
        assert!(raised.iter().any(|found| found == code), "{code}: {raised:?}");
    }
    let whole = [
        ("DATASET_LOW_NUM_EXAMPLES", "[table]\nrows_min=3"),
        ("DATASET_HIGH_NUM_EXAMPLES", "[table]\nrows_max=1"),
        ("SCHEMA_NEW_COLUMN", ""),
        ("SCHEMA_MISSING_COLUMN", "[[column]]\nname='b'\ntype='text'"),
        ("FEATURE_MISSING_NAME", "[[column]]\ntype='text'"),
    ];
    for (code, schema) in whole {
        let raised = raises("1|2", schema)?;
        assert!(raised.iter().any(|found| found == code), "{code}: {raised:?}");
    }
    Ok(())
}
