//! Text that is damaged, written in several ways, or a number.

use std::collections::{BTreeMap, HashSet};

use anyhow::Result;
use polars::prelude::Column;

use crate::data::plain;
use crate::data::value::{Kind, kind, trim};
use crate::quality::report::{Finding, listed, of_rows, percent};
use crate::quality::rows::{Failing, View};
use crate::quality::sense::fold::fold;
use crate::quality::sense::study::Study;
use crate::record::profile::ColumnProfile;
use crate::spec::schema::{ColumnType, Severity};

/// Wrong values shown in one finding.
const SHOWN_MAX: usize = 5;
/// Share of values that have to be numbers.
const NUMBERS_MIN: f64 = 0.9;
/// Values from which that says something.
const NUMBERS_ROWS_MIN: u64 = 20;
/// Two letters that UTF-8 read as Latin-1 or Windows-1252 begins with.
const MISREAD: [char; 4] = ['Ã', 'Â', 'â', 'Ð'];
/// What follows them where Windows-1252 has other characters than Latin-1.
const MISREAD_AFTER: &str = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ";
/// Names of HTML entities; those by number are told by `&#`.
const ENTITIES: [&str; 8] = ["&amp;", "&lt;", "&gt;", "&quot;", "&nbsp;", "&apos;", "&auml;", "&eacute;"];

/// `INVALID_TEXT`, `MIXED_CASE_VALUES` and `NUMBERS_AS_TEXT` of a column of text.
///
/// The profile's list of values decides when it is complete; the distinct values are read otherwise, and rows only for a
/// finding.
pub fn text(study: &Study, place: usize) -> Result<Vec<Finding>> {
    let column = study.profile_of(place);
    if column.column_type != ColumnType::Text || column.present == 0 {
        return Ok(Vec::new());
    }
    let values = values(study.column(place), column)?;
    let mut findings = Vec::new();
    findings.extend(invalid(study, place, &values)?);
    findings.extend(mixed_case(study, place, &values)?);
    findings.extend(numbers(study, place, &values)?);
    Ok(findings)
}

/// Distinct values and their counts.
fn values(column: &Column, profile: &ColumnProfile) -> Result<Vec<(String, u64)>> {
    if profile.top.len() as u64 == profile.unique {
        return Ok(profile.top.clone());
    }
    let text = plain::text_values(column.as_materialized_series().str()?);
    let mut counts = vec![0_u64; text.levels.len()];
    text.codes.iter().filter_map(|code| counts.get_mut(*code as usize).map(|count| *count += 1)).for_each(drop);
    Ok(text.levels.iter().map(|level| level.to_string()).zip(counts).collect())
}

/// A way in which text is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Damage {
    Undecoded,
    Misread,
    Control,
    Entity,
    Padded,
}

const DAMAGES: [(Damage, &str); 5] = [
    (Damage::Undecoded, "the replacement character"),
    (Damage::Misread, "UTF-8 read as Latin-1"),
    (Damage::Control, "control characters"),
    (Damage::Entity, "HTML entities"),
    (Damage::Padded, "spaces at an end"),
];

/// `INVALID_TEXT`: replacement characters, UTF-8 that was read as Latin-1, control characters, HTML entities; spaces at an
/// end alone are information.
fn invalid(study: &Study, place: usize, values: &[(String, u64)]) -> Result<Option<Finding>> {
    let mut counts: BTreeMap<Damage, u64> = BTreeMap::new();
    for (value, count) in values {
        if let Some(damage) = damage(value) {
            *counts.entry(damage).or_default() += count;
        }
    }
    let Some(worst) = counts.keys().next() else { return Ok(None) };
    let severity = if *worst == Damage::Padded { Severity::Info } else { Severity::Warning };
    let failing = View::of(study.column(place))?.texts_failing(|value| damage(value).is_none());
    let kinds: Vec<String> = DAMAGES
        .iter()
        .filter_map(|(damage, name)| counts.get(damage).map(|count| format!("{name} ({count})")))
        .collect();
    let column = study.profile_of(place);
    let mut finding = found(
        Finding::new("INVALID_TEXT", severity, Some(&column.name)),
        "no replacement or control characters, misread UTF-8, HTML entities, or spaces at an end",
        format!("{}: {}", of_rows(failing.rows.count, column.present, "value"), kinds.join(", ")),
        failing,
    );
    finding.expected = "text as it was written".to_owned();
    finding.fix = match worst {
        Damage::Undecoded | Damage::Misread => {
            "write the source again as UTF-8, or correct the encoding where it is made; then ingest it again"
        }
        Damage::Padded => "trim the values where the source is made; \"x\" and \"x \" are two values",
        _ => "clean the values where the source is made, then ingest it again",
    }
    .to_owned();
    Ok(Some(study.with_samples(finding, &[&column.name])))
}

fn found(finding: Finding, rule: &str, seen: String, failing: Failing) -> Finding {
    let such = listed(&failing.values, SHOWN_MAX);
    finding.says(rule.to_owned(), format!("{seen}, such as {such}"), String::new()).at(failing.rows)
}

fn damage(value: &str) -> Option<Damage> {
    let bytes = value.as_bytes();
    let padded = value.chars().next().is_some_and(char::is_whitespace)
        || value.chars().next_back().is_some_and(char::is_whitespace);
    if value.is_ascii() {
        let control = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r');
        return match () {
            () if bytes.iter().any(control) => Some(Damage::Control),
            () if bytes.contains(&b'&') && has_entity(value) => Some(Damage::Entity),
            () if padded => Some(Damage::Padded),
            () => None,
        };
    }
    let control = |letter: char| letter.is_control() && !matches!(letter, '\t' | '\n' | '\r');
    match () {
        () if value.contains('\u{fffd}') => Some(Damage::Undecoded),
        () if is_misread(value) => Some(Damage::Misread),
        () if value.chars().any(control) => Some(Damage::Control),
        () if has_entity(value) => Some(Damage::Entity),
        () if padded => Some(Damage::Padded),
        () => None,
    }
}

fn has_entity(value: &str) -> bool {
    let by_number = |(at, _): (usize, &str)| {
        let rest = &value.as_bytes()[at + 2..];
        let length = rest.iter().position(|byte| *byte == b';').unwrap_or(0);
        length > 0 && length <= 6 && rest[..length].iter().all(u8::is_ascii_alphanumeric)
    };
    ENTITIES.iter().any(|entity| value.contains(entity)) || value.match_indices("&#").any(by_number)
}

/// `Ã¼` for `ü`, `â€™` for `’`: the first byte of a sequence, and after it what its second byte is in a one-byte encoding.
fn is_misread(value: &str) -> bool {
    let letters: Vec<char> = value.chars().collect();
    letters.windows(2).any(|pair| {
        let after = ('\u{80}'..='\u{bf}').contains(&pair[1]) || MISREAD_AFTER.contains(pair[1]);
        // `Â` before a letter-like sign alone is rare, but `â` before a quotation mark ends many a French word.
        match pair[0] {
            'â' => matches!(pair[1], '€' | '\u{80}' | '„' | '†' | '‚'),
            first => MISREAD.contains(&first) && after,
        }
    })
}

/// `MIXED_CASE_VALUES`: values of a category that differ only by case, spaces or the form of their letters; the rows that
/// are not spelt as most are.
fn mixed_case(study: &Study, place: usize, values: &[(String, u64)]) -> Result<Option<Finding>> {
    let column = study.profile_of(place);
    if column.unique * 2 > column.present || study.options.roles.key.contains(&column.name) {
        return Ok(None);
    }
    let mut spellings: BTreeMap<String, Vec<(&str, u64)>> = BTreeMap::new();
    for (value, count) in values {
        spellings.entry(fold(value).into_owned()).or_default().push((value, *count));
    }
    spellings.retain(|_, values| values.len() > 1);
    if spellings.is_empty() {
        return Ok(None);
    }
    let mut odd: HashSet<&str> = HashSet::new();
    let mut pairs: Vec<(u64, String)> = Vec::new();
    for values in spellings.values_mut() {
        values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        odd.extend(values[1..].iter().map(|(value, _)| *value));
        let named = values.iter().map(|(value, count)| format!("{value:?} ({count})")).collect::<Vec<_>>();
        pairs.push((values.iter().map(|(_, count)| count).sum(), named.join(" and ")));
    }
    pairs.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let shown: Vec<&str> = pairs.iter().take(SHOWN_MAX).map(|(_, named)| named.as_str()).collect();
    let failing = View::of(study.column(place))?.texts_failing(|value| !odd.contains(value));
    let mut finding = Finding::new("MIXED_CASE_VALUES", Severity::Warning, Some(&column.name))
        .says(
            "no two values differ only by case, spaces or the form of letters".to_owned(),
            format!("{}: {}", of_rows(failing.rows.count, column.present, "value"), shown.join("; ")),
            "one spelling of each value".to_owned(),
        )
        .at(failing.rows);
    finding.fix = "write each value in one way where the source is made, then ingest it again".to_owned();
    Ok(Some(study.with_samples(finding, &[&column.name])))
}

/// `NUMBERS_AS_TEXT`: nine values of ten are numbers: quoted, with a unit, a decimal comma, or beside words for "unknown".
fn numbers(study: &Study, place: usize, values: &[(String, u64)]) -> Result<Option<Finding>> {
    let column = study.profile_of(place);
    if column.present < NUMBERS_ROWS_MIN || study.options.roles.key.contains(&column.name) {
        return Ok(None);
    }
    let total = |wanted: &dyn Fn(Written) -> bool| {
        values.iter().filter(|(value, _)| wanted(written(value))).map(|(_, count)| count).sum::<u64>()
    };
    let (plain, dressed) = (total(&|of| of == Written::Plain), total(&|of| of == Written::Dressed));
    let share = (plain + dressed) as f64 / column.present as f64;
    if share < NUMBERS_MIN || total(&|of| of == Written::Code) > 0 {
        return Ok(None);
    }
    let of = match values.iter().filter(|(value, _)| written(value) == Written::Plain).all(|(value, _)| whole(value)) {
        true => "integer",
        false => "float",
    };
    let name = &column.name;
    let all = plain == column.present;
    let failing = View::of(study.column(place))?.texts_failing(|value| written(value) == Written::Plain);
    let (severity, seen, fix) = if all {
        let fix = format!("write types = {{ {name:?} = {of:?} }} in [data] of mlops.toml");
        (Severity::Info, format!("{} of the values are numbers kept as text", percent(share)), fix)
    } else {
        let such = listed(&failing.values, SHOWN_MAX);
        let seen = format!("{} of the values are numbers, but the column is text for {such}", percent(share));
        let words = failing.values.iter().filter(|(value, _)| written(value) == Written::Word).take(3);
        let words: Vec<String> = words.map(|(value, _)| format!("{value:?}")).collect();
        let fix = match words.is_empty() {
            true => "write plain numbers (12345.6) where the source is made, then ingest it again".to_owned(),
            false => format!("add {} to [data] null_values in mlops.toml, or correct these values", words.join(", ")),
        };
        (Severity::Warning, seen, fix)
    };
    let mut finding = Finding::new("NUMBERS_AS_TEXT", severity, Some(name)).says(
        format!("less than {} of a column of text are numbers", percent(NUMBERS_MIN)),
        seen,
        format!("a column of type {of}"),
    );
    finding = if all { finding } else { finding.at(failing.rows) };
    finding.count = if all { column.present } else { finding.count };
    finding.fix = fix;
    Ok(Some(study.with_samples(finding, &[name])))
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Plain,
    Dressed,
    Code,
    Word,
}

fn written(value: &str) -> Written {
    let value = trim(value);
    match kind(value) {
        Kind::Integer | Kind::Float => Written::Plain,
        Kind::Wide | Kind::Code => Written::Code,
        Kind::DecimalComma => Written::Dressed,
        _ => {
            let bare: String = value.chars().filter(|letter| !"$€£¥%,' \u{a0}".contains(*letter)).collect();
            let changed = bare.len() < value.len();
            if changed && matches!(kind(&bare), Kind::Integer | Kind::Float) { Written::Dressed } else { Written::Word }
        }
    }
}

fn whole(value: &str) -> bool {
    kind(trim(value)) == Kind::Integer
}
