//! Canonical JSON: one text for one value, so that a record's id depends on what it says and on nothing else.
//!
//! Keys sorted by their bytes, no white space, integers plain, floats in the shortest form that reads back exactly.

use serde::Serialize;
use serde_json::{Map, Value};

/// Canonical bytes of `value`.
///
/// Errors: a map key that is not text. Floats that are not finite become `null`, as JSON has no name for them; writers
/// of records keep them out.
pub fn canonical<T: Serialize>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write_sorted(&serde_json::to_value(value)?, &mut bytes)?;
    Ok(bytes)
}

fn write_sorted(value: &Value, out: &mut Vec<u8>) -> serde_json::Result<()> {
    match value {
        Value::Array(items) => {
            out.push(b'[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                write_sorted(item, out)?;
            }
            out.push(b']');
        }
        Value::Object(map) => write_object(map, out)?,
        scalar => serde_json::to_writer(&mut *out, scalar)?,
    }
    Ok(())
}

fn write_object(map: &Map<String, Value>, out: &mut Vec<u8>) -> serde_json::Result<()> {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_unstable_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
    out.push(b'{');
    for (position, (key, value)) in entries.into_iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        serde_json::to_writer(&mut *out, key)?;
        out.push(b':');
        write_sorted(value, out)?;
    }
    out.push(b'}');
    Ok(())
}
