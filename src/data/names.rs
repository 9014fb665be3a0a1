//! Names of columns: which may stand beside each other in one table.

use std::collections::HashMap;

use crate::base::fail::{self, Failure};
use crate::base::limits::COLUMNS_MAX;
use crate::base::units;

/// Checks the names of a table in order; a sentence for each thing that looks like a slip and may be none.
///
/// Errors (usage): too many names; a name of spaces alone; two names that are equal, or equal once the spaces around them
/// are taken away and runs of spaces count as one. Names that differ by case alone are accepted and said. O(names).
pub fn check(names: &[String]) -> Result<Vec<String>, Failure> {
    if names.len() > COLUMNS_MAX {
        let (count, limit) = (units::count(names.len() as u64), units::count(COLUMNS_MAX as u64));
        return Err(fail::usage(format!("the table has {count} columns; at most {limit} are read"))
            .hint("is the table transposed? rows are lines, columns are fields"));
    }
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut folded: HashMap<String, usize> = HashMap::new();
    let mut guesses = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let number = index + 1;
        let plain = normal(name);
        if plain.is_empty() {
            return Err(fail::usage(format!("column {number} has no name"))
                .hint("name it in the first line, or say header = false if the first line is a row"));
        }
        if let Some(twin) = folded.insert(plain.to_lowercase(), index).filter(|_| !seen.contains_key(&plain)) {
            let twin = &names[twin];
            guesses.push(format!("columns `{twin}` and `{name}` differ by case alone and are kept as two"));
        }
        if let Some(earlier) = seen.insert(plain, index) {
            return Err(twice(&names[earlier], earlier + 1, name, number));
        }
    }
    Ok(guesses)
}

fn twice(first: &str, first_number: usize, second: &str, second_number: usize) -> Failure {
    let what = if first == second {
        format!("two columns are called `{first}`: numbers {first_number} and {second_number}")
    } else {
        format!(
            "columns {first_number} `{first}` and {second_number} `{second}` have the same name once spaces are \
             taken away"
        )
    };
    fail::usage(what).hint("rename one of them in the first line")
}

/// A name without what nobody sees: spaces around it, runs of them, byte order marks, characters without width.
fn normal(name: &str) -> String {
    let seen: String =
        name.chars().filter(|c| !matches!(c, '\u{feff}' | '\u{200b}'..='\u{200d}' | '\u{2060}')).collect();
    seen.split_whitespace().collect::<Vec<_>>().join(" ")
}
