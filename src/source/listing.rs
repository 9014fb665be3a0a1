//! Which files of a folder or a bucket are tables.

use crate::base::talk::Talk;
use crate::base::units;

/// Endings of tables. `txt` and `data` are not among them: in a folder they are mostly notes.
const ENDINGS: [&str; 17] = [
    "csv", "tsv", "tab", "psv", "json", "jsonl", "ndjson", "parquet", "pq", "arrow", "feather", "ipc", "xlsx", "xlsm",
    "xls", "xlsb", "ods",
];

/// Endings of packed files; the one before them says what is packed.
const PACKED: [&str; 4] = ["gz", "zst", "zstd", "zip"];

/// Skipped files named one by one.
const NAMED_MAX: usize = 5;

/// Whether a path below a folder, with `/`, is one of a table: a known ending, and no part hidden (`.git`, `_SUCCESS`).
pub fn is_table(path: &str) -> bool {
    if path.split('/').any(|part| part.starts_with(['.', '_'])) {
        return false;
    }
    let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
    let mut endings = name.rsplit('.');
    let last = endings.next().unwrap_or_default();
    match PACKED.contains(&last) {
        // `trips.zip` may hold anything; archives in a folder of tables are taken for tables.
        true => last == "zip" || endings.next().is_some_and(|ending| ENDINGS.contains(&ending)),
        false => ENDINGS.contains(&last) && name.contains('.'),
    }
}

/// Says which files of `place` were passed over.
pub fn say_skipped(place: &str, skipped: &[String], talk: &dyn Talk) {
    if !skipped.is_empty() {
        talk.info(&format!("{place}: {} skipped: {}", units::plural(skipped.len() as u64, "file"), some(skipped)));
    }
}

/// The first names, and how many more there are.
pub fn some(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMED_MAX);
    let first = names[..names.len() - more].join(", ");
    if more == 0 { first } else { format!("{first} and {more} more") }
}
