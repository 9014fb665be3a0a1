//! `schema.toml` from text to a schema whose rules do not contradict each other.

use anyhow::Result;

use crate::base::fail::{self, Failure};
use crate::base::suggest;
use crate::quality::rules::check_schema;
use crate::spec::schema::SchemaSpec;

/// Reads a schema and checks what needs no data. `place` is what the text is called in errors.
///
/// Errors (usage): not TOML; unknown keys and words, with the nearest known one; a column without name or type
/// (`FEATURE_MISSING_NAME`, `FEATURE_MISSING_TYPE`); another version; rules that contradict each other.
pub fn parse_schema(text: &str, place: &str) -> Result<SchemaSpec> {
    let schema: SchemaSpec = toml::from_str(text).map_err(|error| unreadable(&error.to_string(), place))?;
    check_schema(&schema)?;
    Ok(schema)
}

fn unreadable(message: &str, place: &str) -> Failure {
    let code = match message {
        text if text.contains("missing field `name`") => "FEATURE_MISSING_NAME",
        text if text.contains("missing field `type`") => "FEATURE_MISSING_TYPE",
        _ => "INVALID_SCHEMA_SPECIFICATION",
    };
    let failure = fail::usage(format!("{place} cannot be read ({code}): {}", message.trim_end()));
    let Some(start) = message.find("unknown field").or_else(|| message.find("unknown variant")) else {
        return failure.hint("every key is explained by `mlops validate --help`");
    };
    let mut quoted = message[start..].split('`').skip(1).step_by(2);
    let (unknown, known) = (quoted.next().unwrap_or(""), quoted.collect::<Vec<_>>());
    match suggest::nearest(unknown, known.iter().copied()) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint(format!("known here: {}", known.join(", "))),
    }
}
