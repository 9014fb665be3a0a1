//! Dividing a table into the rows that pass and those that do not.

use crate::quality::found::Found;
use crate::quality::rows::Bits;
use crate::spec::schema::Severity;

/// Rows counted from 0.
pub struct Divided {
    /// Rows without a finding.
    pub good: Vec<u32>,
    /// Rows with one.
    pub bad: Vec<u32>,
    /// The findings of each bad row: `CODE:COLUMN`, joined by spaces.
    pub reasons: Vec<String>,
}

/// Divides `rows` rows by the findings that are at least as bad as `severity` and are about rows.
///
/// The findings must have kept all of their rows. Findings about the table or a column as a whole condemn no row.
pub fn divide(found: &[Found], rows: usize, severity: Severity) -> Divided {
    let counted: Vec<(&Bits, String)> = found
        .iter()
        .filter(|found| found.finding.severity >= severity)
        .filter_map(|found| found.rows.as_ref().map(|rows| (rows, found.finding.name())))
        .collect();
    let mut any = Bits::default();
    counted.iter().for_each(|(rows, _)| any.join(rows));
    let mut divided = Divided { good: Vec::new(), bad: Vec::new(), reasons: Vec::new() };
    for row in 0..rows {
        // A table has fewer rows than 32 bits count.
        let number = row as u32;
        if !any.has(row) {
            divided.good.push(number);
            continue;
        }
        let names: Vec<&str> =
            counted.iter().filter(|(rows, _)| rows.has(row)).map(|(_, name)| name.as_str()).collect();
        divided.bad.push(number);
        divided.reasons.push(names.join(" "));
    }
    divided
}
