//! The type of a column from all of its values.
//!
//! A scan fills one [`Evidence`] for each column and block; merged in the order of the file they decide the type, whatever
//! the blocks were.

use crate::base::units;
use crate::data::value::{self, KINDS, Kind};
use crate::spec::schema::ColumnType;

/// Texts that mean "missing" unless others are given: the list of pandas' `read_csv` (pandas 3.1, `STR_NA_VALUES`).
pub const NULL_VALUES: [&str; 19] = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "n/a", "nan", "null",
];

/// Characters of a value that are shown in a message.
const SHOWN_CHARS: usize = 40;

/// The texts that mean "missing", by their first byte: most fields are told apart by it alone.
pub struct Nulls {
    by_first: Vec<Vec<String>>,
    quoted_values: bool,
}

impl Nulls {
    /// Prepares `values`. Spaces around them do not matter; empty text is always missing.
    pub fn new(values: &[String]) -> Nulls {
        let mut by_first = vec![Vec::new(); 256];
        for value in values.iter().map(|value| value::trim(value)) {
            if let Some(first) = value.as_bytes().first() {
                by_first[usize::from(*first)].push(value.to_owned());
            }
        }
        Nulls { by_first, quoted_values: false }
    }

    /// The same, but a field in quotes is always a value: how databases tell empty text from none.
    pub fn with_quoted_values(self, quoted_values: bool) -> Nulls {
        Nulls { quoted_values, ..self }
    }

    /// Whether a field that stands in quotes is a value whatever it says.
    #[inline]
    pub fn takes_as_value(&self, quoted: bool) -> bool {
        quoted && self.quoted_values
    }

    /// Whether a field without spaces around it is missing.
    #[inline]
    pub fn has(&self, text: &str) -> bool {
        match text.as_bytes().first() {
            None => true,
            Some(first) => self.by_first[usize::from(*first)].iter().any(|value| value == text),
        }
    }
}

/// A value that is worth naming, and the data row that holds it (counted from 0).
#[derive(Clone, Debug, PartialEq)]
struct Sample {
    row: u64,
    text: String,
}

/// What the values of one column look like.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// Fields that are missing.
    pub missing: u64,
    first: [Option<Box<Sample>>; KINDS],
    fine: Option<Box<Sample>>,
}

impl Evidence {
    /// Takes note of one field.
    pub fn add(&mut self, row: u64, text: &str, nulls: &Nulls) {
        let text = value::trim(text);
        if nulls.has(text) {
            self.missing += 1;
            return;
        }
        // One text value decides; all that is left to learn is what is missing.
        if self.first[Kind::Text as usize].is_some() {
            return;
        }
        self.note(row, text, value::kind(text));
    }

    /// Takes note of a number of a format that says which values are numbers.
    pub fn add_number(&mut self, row: u64, text: &str) {
        self.note(row, text, value::kind(text));
    }

    /// Takes note of `true` or `false` of a format that knows them.
    pub fn add_boolean(&mut self, row: u64, value: bool) {
        self.note(row, if value { "true" } else { "false" }, Kind::Boolean);
    }

    /// Takes note of text of a format that says which values are text: only days and times are told from it.
    pub fn add_text(&mut self, row: u64, text: &str) {
        let kind = match value::kind(value::trim(text)) {
            kind @ (Kind::Date | Kind::LocalTime | Kind::ZonedTime | Kind::Clock | Kind::ShortClock) => kind,
            _ => Kind::Text,
        };
        self.note(row, text, kind);
    }

    fn note(&mut self, row: u64, text: &str, kind: Kind) {
        if self.first[kind as usize].is_none() {
            self.first[kind as usize] = Some(Box::new(Sample { row, text: shown(text) }));
        }
        let is_time = matches!(kind, Kind::LocalTime | Kind::ZonedTime | Kind::Clock);
        if is_time && self.fine.is_none() && value::below_microsecond(text) {
            self.fine = Some(Box::new(Sample { row, text: shown(text) }));
        }
    }

    /// Adds what a later block saw, whose first row is number `base`.
    pub fn merge(&mut self, later: Evidence, base: u64) {
        self.missing += later.missing;
        let pairs = self.first.iter_mut().zip(later.first).chain([(&mut self.fine, later.fine)]);
        for (mine, theirs) in pairs {
            if mine.is_none() {
                *mine = theirs.map(|sample| Box::new(Sample { row: sample.row + base, text: sample.text }));
            }
        }
    }

    fn saw(&self, kind: Kind) -> bool {
        self.first[kind as usize].is_some()
    }

    /// Whether every value is of one of `kinds`, and there is a value.
    fn only(&self, kinds: &[Kind]) -> bool {
        let mut seen = 0;
        let mut allowed = 0;
        for (index, sample) in self.first.iter().enumerate() {
            if sample.is_some() {
                seen += 1;
                allowed += usize::from(kinds.iter().any(|kind| *kind as usize == index));
            }
        }
        seen > 0 && seen == allowed
    }

    /// `row 17 `00501``, counting from 1.
    fn example(&self, kind: Kind) -> String {
        self.first[kind as usize].as_deref().map(Sample::show).unwrap_or_default()
    }

    /// The narrowest type that holds every value, and a sentence when that was a guess.
    pub fn decide(&self, name: &str) -> (ColumnType, Option<String>) {
        use Kind::{Boolean, Clock, Code, Date, Float, Integer, LocalTime, ShortClock, Wide, ZonedTime};
        let kinds = [
            (&[Integer][..], ColumnType::Integer),
            (&[Boolean], ColumnType::Boolean),
            (&[Date], ColumnType::Date),
            (&[Date, LocalTime, ZonedTime], ColumnType::Timestamp),
            (&[Clock, ShortClock], ColumnType::Time),
        ];
        if self.only(&[Integer, Float, Wide]) && self.saw(Float) {
            return (ColumnType::Float, None);
        }
        match kinds.iter().find(|(kinds, _)| self.only(kinds)) {
            Some((_, ColumnType::Timestamp)) => (ColumnType::Timestamp, self.time_guess(name)),
            Some((_, ColumnType::Time)) => (ColumnType::Time, self.clock_guess(name)),
            Some((_, column_type)) => (*column_type, None),
            None => {
                debug_assert!(!self.only(&[Integer]) && (self.saw(Code) || !self.only(&[Integer, Float])));
                (ColumnType::Text, self.text_guess(name))
            }
        }
    }

    /// Whether every value can be read as `column_type`, as far as its looks tell: a column of that type would hold them.
    pub fn fits(&self, column_type: ColumnType) -> bool {
        use Kind::{Boolean, Clock, Code, Date, Float, Integer, LocalTime, ShortClock, Wide, ZonedTime};
        let kinds: &[Kind] = match column_type {
            ColumnType::Text => return true,
            ColumnType::Integer => &[Integer],
            ColumnType::Float => &[Integer, Wide, Code, Float],
            ColumnType::Boolean => &[Boolean],
            ColumnType::Date => &[Date],
            ColumnType::Timestamp => &[Date, LocalTime, ZonedTime],
            ColumnType::Time => &[Clock, ShortClock],
        };
        self.only(kinds) || self.first.iter().all(Option::is_none)
    }

    fn clock_guess(&self, name: &str) -> Option<String> {
        if let Some(fine) = self.fine.as_deref() {
            return Some(format!("column `{name}`: digits below a microsecond are cut (first: {})", fine.show()));
        }
        let short = self.example(Kind::ShortClock);
        (!self.saw(Kind::Clock)).then(|| format!("column `{name}` is taken as times of day, as {short} is"))
    }

    fn time_guess(&self, name: &str) -> Option<String> {
        if let Some(fine) = self.fine.as_deref() {
            return Some(format!("column `{name}`: digits below a microsecond are cut (first: {})", fine.show()));
        }
        match (self.saw(Kind::LocalTime), self.saw(Kind::ZonedTime)) {
            (true, true) => Some(format!(
                "column `{name}`: times without a zone are taken as UTC (first: {}), others have one (first: {})",
                self.example(Kind::LocalTime),
                self.example(Kind::ZonedTime)
            )),
            (true, false) => Some(format!("column `{name}`: its times have no zone and are taken as UTC")),
            _ => None,
        }
    }

    fn text_guess(&self, name: &str) -> Option<String> {
        use Kind::{AmbiguousDate, Code, DecimalComma, Float, Integer, Wide};
        let numbers = [Integer, Float, Wide, Code, DecimalComma];
        let because = |why: &str, kind: Kind| {
            Some(format!("column `{name}` is kept as text: {why} (first: {})", self.example(kind)))
        };
        if self.first.iter().all(Option::is_none) {
            return Some(format!("column `{name}` is kept as text: it has no values at all"));
        }
        if self.only(&numbers) {
            return match () {
                () if self.saw(Code) => because("leading zeros or plus signs mean codes, not numbers", Code),
                () if self.saw(DecimalComma) => because("its numbers have a decimal comma", DecimalComma),
                () => because("its integers do not fit 64 bits", Wide),
            };
        }
        if self.saw(AmbiguousDate) && self.only(&[AmbiguousDate, Kind::Date]) {
            return because("day and month of its dates can be mistaken", AmbiguousDate);
        }
        // The widening that surprises: numbers all the way, and then one word.
        let number = numbers.into_iter().find(|kind| self.saw(*kind));
        let mut others = [Kind::Text, Kind::Boolean, Kind::Date, AmbiguousDate, Kind::LocalTime, Kind::ZonedTime]
            .into_iter()
            .chain([Kind::Clock, Kind::ShortClock]);
        let other = others.find(|kind| self.saw(*kind))?;
        let example = self.example(number?);
        because(&format!("not all of its values are numbers, as {example} is"), other)
    }
}

impl Sample {
    fn show(&self) -> String {
        format!("row {} `{}`", units::count(self.row + 1), self.text)
    }
}

/// The start of a value, for a message.
pub fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
