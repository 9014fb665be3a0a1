//! Columns that name rows rather than describe them, and categories with too many values to learn from.

use anyhow::Result;

use crate::base::limits::DOMAIN_VALUES_MAX;
use crate::base::units;
use crate::data::frame::Values;
use crate::quality::report::{Finding, percent};
use crate::quality::sense::study::{Study, ignore};
use crate::record::profile::ColumnProfile;
use crate::spec::schema::{ColumnType, Severity};

/// Values from which repeats, or their absence, say something.
const ROWS_MIN: u64 = 100;
/// Share of distinct values from which text names its rows.
const DISTINCT_MIN: f64 = 0.99;
/// The same for columns that are called an identifier.
const NAMED_DISTINCT_MIN: f64 = 0.5;
/// Repeats to be expected among numbers of the column's range, were they drawn at random; none at all is then no chance
/// (one in 20,000).
const REPEATS_EXPECTED_MIN: f64 = 10.0;
/// Words from which a text is prose, not a name.
const PROSE_WORDS_MIN: usize = 4;
/// Rows for each distinct value below which a category has too many; beyond a thousand values it has in any case.
const LEVEL_ROWS_MIN: u64 = 20;
const LEVELS_MAX: u64 = 1_000;
/// Lengths of hashes in hexadecimal: MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512.
const HASH_LENGTHS: [usize; 6] = [32, 40, 56, 64, 96, 128];

/// `ID_LIKE`: text of which 99 % occurs once, UUIDs and hashes, whole numbers without a repeat that are row numbers or fill
/// so narrow a range that chance would repeat some, columns called `id` of which half is distinct. `HIGH_CARDINALITY`: text
/// of more than a hundred values with fewer than 20 rows each, or of more than a thousand. From 100 values on.
pub fn identifiers(study: &Study, place: usize) -> Result<Option<Finding>> {
    let column = study.profile_of(place);
    if column.present < ROWS_MIN || study.has_a_role(&column.name) {
        return Ok(None);
    }
    let told = match column.column_type {
        ColumnType::Integer => of_integers(column),
        ColumnType::Text => of_texts(column, study.sampled(place)),
        _ => None,
    };
    let Some(Told { code, rule, seen }) = told else { return Ok(None) };
    let (severity, expected) = match code {
        "ID_LIKE" => (Severity::Warning, "a column that describes rows, or the key"),
        _ => (Severity::Info, "few values with many rows each"),
    };
    let mut finding = Finding::new(code, severity, Some(&column.name)).says(rule, seen, expected.to_owned());
    finding.rows = (0..study.table.rows().min(3)).map(|row| row as u64 + 1).collect();
    finding.count = column.unique;
    finding.fix = match code {
        "ID_LIKE" => format!("{}, or name it as [data] key", ignore(&[&column.name])),
        _ => format!("{}, or limit its values in the recipe (one_hot max)", ignore(&[&column.name])),
    };
    Ok(Some(study.with_samples(finding, &[&column.name])))
}

struct Told {
    code: &'static str,
    rule: String,
    seen: String,
}

fn distinct(column: &ColumnProfile) -> (f64, String) {
    let share = column.unique as f64 / column.present as f64;
    let (unique, present) = (units::count(column.unique), units::plural(column.present, "value"));
    (share, format!("{unique} of {present} are distinct ({})", percent(share)))
}

fn id_like(rule: &str, seen: String) -> Option<Told> {
    Some(Told { code: "ID_LIKE", rule: rule.to_owned(), seen })
}

fn of_integers(column: &ColumnProfile) -> Option<Told> {
    let numbers = column.numbers.as_ref()?;
    let (min, max) = (numbers.min?, numbers.max?);
    let (share, seen) = distinct(column);
    let (count, range) = (column.present as f64, max - min + 1.0);
    if column.unique == column.present && range == count {
        return id_like("no row numbers", format!("every whole number from {min} to {max} once"));
    }
    // Birthdays: n values drawn from a range of m repeat about n² / 2m times.
    let expected = count * count / (2.0 * range);
    if column.unique == column.present && expected >= REPEATS_EXPECTED_MIN {
        let seen = format!("{seen}, though about {expected:.0} repeats are usual between {min} and {max}");
        return id_like("whole numbers repeat as often as chance has it", seen);
    }
    let named = is_called_id(&column.name) && share >= NAMED_DISTINCT_MIN;
    named.then(|| id_like("no column called an identifier with half of its values distinct", seen)).flatten()
}

fn of_texts(column: &ColumnProfile, sampled: &Values) -> Option<Told> {
    let (share, seen) = distinct(column);
    let (unique, present) = (column.unique, column.present);
    let Values::Text(texts) = sampled else { return None };
    let levels = || texts.levels.iter().map(AsRef::as_ref);
    let (names, hashes) = (unique > DOMAIN_VALUES_MAX as u64, levels().count() > 0 && levels().all(is_hash));
    if names && hashes {
        return id_like("no UUIDs or hashes", format!("values like {:?}; {seen}", levels().next().unwrap_or("")));
    }
    let words = levels().map(|text| text.split_whitespace().count()).sum::<usize>();
    let prose = words >= PROSE_WORDS_MIN * levels().count().max(1);
    if !prose && (share >= DISTINCT_MIN || (is_called_id(&column.name) && share >= NAMED_DISTINCT_MIN)) {
        return id_like("less than 99 % of the texts distinct (50 % in a column called an identifier)", seen);
    }
    let many = unique > DOMAIN_VALUES_MAX as u64 && (unique * LEVEL_ROWS_MIN > present || unique > LEVELS_MAX);
    let kind = if prose { "sentences; " } else { "" };
    many.then(|| Told {
        code: "HIGH_CARDINALITY",
        rule: format!("at most {DOMAIN_VALUES_MAX} values, or {LEVEL_ROWS_MIN} rows for each of up to {LEVELS_MAX}"),
        seen: format!("{kind}{seen}"),
    })
}

/// `id`, `user_id`, `userId`, `uuid`, `guid`.
fn is_called_id(name: &str) -> bool {
    let ends = ["_id", "-id", " id", ".id", "_ID", "Id", "ID"].iter().any(|ending| name.ends_with(ending));
    ends || ["id", "uuid", "guid"].contains(&name.to_lowercase().as_str())
}

/// A UUID, or as many hexadecimal digits as a hash has, some of them letters or not.
fn is_hash(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_hexdigit).count();
    let uuid = text.len() == 36
        && digits == 32
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte != b'-',
        });
    uuid || (digits == text.len() && HASH_LENGTHS.contains(&digits))
}
