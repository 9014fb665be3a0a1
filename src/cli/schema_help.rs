//! The page that explains every key of `schema.toml` and every code.

use std::fmt::Write;

use crate::quality::codes::CODES;
use crate::quality::sense;

const KEYS: &str = r#"The schema (schema.toml; unknown keys are errors):
  version = 1
  [table]
    rows_min, rows_max, columns_min, columns_max
    columns_ordered = true        columns come in the order of the schema
    key = ["id"]                  these identify a row: all there, none twice
    near_keys = "warning"         keys that differ in case or space (or "off")
    unique = [["a", "b"]]         sets of columns that occur together once
    new_columns = "error"         severity of columns that are not described
    duplicates = "warning", duplicates_max = 0.0
    default_environments = ["training", "serving"]
    severities = { CONSTANT_COLUMN = "off" }
  [[column]]
    name, type                    integer, float, boolean, text, date, timestamp
    required = true, missing_max = 1.0 (a share), present_min (rows)
    min, max, above, below        numbers, or dates and time stamps as text
    domain = [..], not_in = [..]  the values allowed, the values forbidden
    pattern, not_pattern          one regular expression or a list; `pattern`
                                  matches the whole text, `not_pattern` a part
    length_min, length_max        characters
    date_format = "%d/%m/%Y"      strftime's directives; "iso" for any ISO form
    json = true, json_schema = { type = "object" }
    semantic = "email"            email, url, uuid, ip
    true_values, false_values     words of a boolean column that is kept as text
    outside_max = 0.01            share that may break the rules above
                                  (Great Expectations: mostly = 0.99)
    unique = true, unique_count = { min = 2 }, unique_share = { max = 0.5 }
    order = "increasing"          or strictly_increasing, decreasing, …
    z_max = 4.0, outliers_iqr = 3.0
    finite = true                 no NaN, no infinity (false: both allowed)
    mean, median, std, sum, smallest, largest = { min = 0, max = 9 }
    quantiles = { "0.9" = { max = 10 } }
    most_common = [..], contains = [..]
    reference = { values = ["a", "b"], shares = [0.4, 0.6], kl_max = 0.1 }
                                  or edges in place of values; also
                                  chi2_p_min, and ks_p_min with edges
    stage = "deprecated"          planned, alpha, beta, production, deprecated,
                                  debug_only, disabled: only beta and
                                  production are checked
    environments = ["training"], not_environments = ["serving"]
    severity = "error", severities = { OUTLIERS = "info" }
  [[rule]]                        over several columns; one of check … sql
    name = "adults", when = "kind = 'adult'", check = "age >= 18"
    equal, greater, greater_or_equal, distinct = ["a", "b"]
    tuples = { columns = ["a", "b"], allowed = [["x", 1], ["y", 2]] }
    sum = { columns = ["a", "b"], equals = "total", tolerance = 0.01 }
    sql = "SELECT _row FROM (SELECT _row, a, AVG(a) OVER () AS mean FROM data)
           AS t WHERE a > 9 * mean"
    sql = "SELECT column FROM stats WHERE missing_share > 0.5"
                                  rows that come back are unexpected; _row is
                                  the row number; stats has a row a column
    mostly = 1.0, rows_max = 0, severity, message, environments

Codes, and what Great Expectations or pandera call them:
"#;

/// `examples`, then every key and code.
pub fn schema_help(examples: &str) -> String {
    let mut text = format!("{examples}\n\n{KEYS}");
    for code in CODES {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {}\n      {}", code.name, code.meaning);
        if !code.known_as.is_empty() {
            let _ = writeln!(text, "      ({})", code.known_as);
        }
    }
    text.push_str("\nSuspicions that need no rule (switched off by `sense = false` in [validate], or one by one in `severities`):\n");
    for (code, meaning) in sense::CODES {
        let _ = writeln!(text, "  {code}\n      {meaning}");
    }
    text
}
