//! Columns of text: every distinct value is looked at once, with its count.

use std::collections::BTreeMap;

use anyhow::Result;
use polars::prelude::{Column, PlHashMap, StringChunked};

use crate::base::limits::{TEXTS_AT_ONCE_MAX, TOP_VALUES_MAX};
use crate::data::profile::Room;
use crate::data::profile::distinct::{Registers, hash_text};
use crate::record::profile::{ColumnProfile, TextProfile};

/// Most parts that a column of many distinct values is counted in; one byte a row says to which a row belongs.
const PARTS_MAX: usize = 256;

/// Describes text. Cost: one look-up a row; a column of more than `limits::TEXTS_AT_ONCE_MAX` distinct values is hashed once
/// more and then looked up in parts, so that beside one byte a row memory does not grow.
pub fn describe(room: Room, column: &Column, profile: &mut ColumnProfile) -> Result<()> {
    let mut seen = Seen::new(room);
    count(column.as_materialized_series().str()?, TEXTS_AT_ONCE_MAX, &mut |text, count| seen.take(text, count));
    profile.unique = seen.unique;
    profile.top = seen.frequent.finish(room.top_bytes);
    if profile.present > 0 {
        let length_mean = seen.length_total as f64 / profile.present as f64;
        profile.texts = Some(TextProfile { length_mean, ..seen.texts });
    }
    profile.distinct_sketch = seen.registers.map(Registers::sketch);
    Ok(())
}

/// The description of a text column from those of its parts; exactly that of the column as a whole.
///
/// `None` when a part has more distinct values than it lists, so that those of the whole cannot be told; or no sketch.
pub fn joined(room: Room, parts: &[ColumnProfile]) -> Option<ColumnProfile> {
    let whole = |part: &ColumnProfile| part.top.len() as u64 == part.unique && part.distinct_sketch.is_some();
    let first = parts.first().filter(|_| parts.iter().all(whole))?;
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for (text, count) in parts.iter().flat_map(|part| &part.top) {
        *counts.entry(text).or_insert(0) += count;
    }
    let total = |of: fn(&ColumnProfile) -> u64| parts.iter().map(of).sum::<u64>();
    let mut joined =
        ColumnProfile { present: total(|part| part.present), missing: total(|part| part.missing), ..first.clone() };
    let mut seen = Seen::new(room);
    counts.into_iter().for_each(|(text, count)| seen.take(text, count));
    joined.unique = seen.unique;
    joined.top = seen.frequent.finish(room.top_bytes);
    joined.texts = (joined.present > 0).then(|| {
        let length_mean = seen.length_total as f64 / joined.present as f64;
        TextProfile { length_mean, ..seen.texts }
    });
    joined.distinct_sketch = seen.registers.map(Registers::sketch);
    Some(joined)
}

/// Calls `visit` once for each distinct value with its count, in no order.
fn count<'a>(column: &'a StringChunked, at_once: usize, visit: &mut dyn FnMut(&'a str, u64)) {
    let mut counts: PlHashMap<&str, u64> = PlHashMap::default();
    for (row, text) in column.iter().enumerate() {
        let Some(text) = text else { continue };
        *counts.entry(text).or_insert(0) += 1;
        if counts.len() > at_once {
            drop(counts);
            // As many more as the rows that remain; never more parts than a byte can name.
            let parts = (column.len() / (row + 1) + 1).next_power_of_two().clamp(2, PARTS_MAX);
            return count_in_parts(column, parts, visit);
        }
    }
    counts.into_iter().for_each(|(text, count)| visit(text, count));
}

fn count_in_parts<'a>(column: &'a StringChunked, parts: usize, visit: &mut dyn FnMut(&'a str, u64)) {
    let part_of = |text: Option<&str>| text.map_or(0, |text| (hash_text(text) as usize & (parts - 1)) as u8);
    let places: Vec<u8> = column.iter().map(part_of).collect();
    for part in 0..parts {
        let mut counts: PlHashMap<&str, u64> = PlHashMap::default();
        for (text, _) in column.iter().zip(&places).filter(|(_, place)| usize::from(**place) == part) {
            if let Some(text) = text {
                *counts.entry(text).or_insert(0) += 1;
            }
        }
        counts.into_iter().for_each(|(text, count)| visit(text, count));
    }
}

/// What the distinct values have shown so far. Nothing here depends on their order.
struct Seen<'a> {
    unique: u64,
    length_total: u64,
    texts: TextProfile,
    frequent: Frequent<'a>,
    registers: Option<Registers>,
}

impl<'a> Seen<'a> {
    fn new(room: Room) -> Seen<'a> {
        let texts =
            TextProfile { length_min: u64::MAX, length_max: 0, length_mean: 0.0, empty: 0, padded: 0, invalid: 0 };
        let registers = (room.points > 0).then(|| Registers::new(room.precision));
        Seen { unique: 0, length_total: 0, texts, frequent: Frequent::default(), registers }
    }

    fn take(&mut self, text: &'a str, count: u64) {
        let length = text.chars().count() as u64;
        let spaced = |letter: Option<char>| letter.is_some_and(char::is_whitespace);
        let texts = &mut self.texts;
        self.unique += 1;
        self.length_total += length * count;
        texts.length_min = texts.length_min.min(length);
        texts.length_max = texts.length_max.max(length);
        texts.empty += if text.is_empty() { count } else { 0 };
        texts.padded += if spaced(text.chars().next()) || spaced(text.chars().next_back()) { count } else { 0 };
        texts.invalid += if is_invalid(text) { count } else { 0 };
        self.frequent.push(text, count);
        if let Some(registers) = &mut self.registers {
            registers.add(hash_text(text));
        }
    }
}

/// Control characters other than tab and line ends, or the mark of bytes that were no text.
fn is_invalid(text: &str) -> bool {
    // Bytes of control characters (C0, DEL) and the first bytes of U+0080 to U+009F and of U+FFFD; letters are not read twice.
    let suspect = text.bytes().any(|byte| byte < 0x20 || matches!(byte, 0x7F | 0xC2 | 0xEF));
    let bad = |letter: char| letter == '\u{FFFD}' || (letter.is_control() && !matches!(letter, '\t' | '\n' | '\r'));
    suspect && text.chars().any(bad)
}

/// The most frequent values of a stream of distinct ones, in memory for a few times their number.
#[derive(Default)]
struct Frequent<'a> {
    kept: Vec<(&'a str, u64)>,
}

impl<'a> Frequent<'a> {
    fn order(a: &(&str, u64), b: &(&str, u64)) -> std::cmp::Ordering {
        b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0))
    }

    fn push(&mut self, text: &'a str, count: u64) {
        self.kept.push((text, count));
        if self.kept.len() >= TOP_VALUES_MAX * 8 {
            self.kept.select_nth_unstable_by(TOP_VALUES_MAX - 1, Frequent::order);
            self.kept.truncate(TOP_VALUES_MAX);
        }
    }

    /// Most frequent first, ties by value, as many as `bytes` hold.
    fn finish(mut self, mut bytes: usize) -> Vec<(String, u64)> {
        self.kept.sort_unstable_by(Frequent::order);
        self.kept.truncate(TOP_VALUES_MAX);
        let fits = |text: &str| {
            let left = bytes.checked_sub(text.len())?;
            bytes = left;
            Some(())
        };
        let mut fits = fits;
        let kept = self.kept.iter().take_while(|(text, _)| fits(text).is_some());
        kept.map(|(text, count)| ((*text).to_owned(), *count)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn parts_describe_what_the_whole_does() {
        let described = |words: &[Option<&str>]| {
            crate::data::profile::column_profile(&Column::new("a".into(), words), crate::spec::schema::ColumnType::Text)
        };
        let word =
            |row: usize| (!row.is_multiple_of(5)).then(|| ["", " x", "long words", "é", "\u{1}"][row * row % 7 % 5]);
        let words: Vec<Option<&str>> = (0..1_000).map(word).collect();
        let parts: Vec<ColumnProfile> = words.chunks(170).map(described).collect();
        assert_eq!(joined(Room::among(1), &parts), Some(described(&words)));
        let many: Vec<String> = (0..3_000).map(|row| row.to_string()).collect();
        let many: Vec<Option<&str>> = many.iter().map(|word| Some(word.as_str())).collect();
        assert_eq!(joined(Room::among(1), &[described(&many)]), None, "not all of its values are listed");
    }

    #[test]
    fn counting_in_parts_is_counting() {
        let words: Vec<Option<String>> =
            (0..5_000).map(|row| (row % 7 != 0).then(|| format!("word {}", row * row % 1_003))).collect();
        let column: StringChunked = words.iter().map(Option::as_deref).collect();
        let counted = |at_once: usize| {
            let mut found = BTreeMap::new();
            count(&column, at_once, &mut |text, count| assert_eq!(found.insert(text, count), None));
            found
        };
        let whole = counted(usize::MAX);
        assert_eq!(whole.values().sum::<u64>(), words.iter().flatten().count() as u64);
        assert!([0, 1, 10, 300].iter().all(|at_once| counted(*at_once) == whole));
    }
}
