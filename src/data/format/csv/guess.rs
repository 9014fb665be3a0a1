//! What the start of a text table tells about itself: delimiter, quote, and whether its first line holds names.

use crate::data::format::csv::fields::{self, Dialect, Field};
use crate::data::infer::NULL_VALUES;
use crate::data::value::{self, Kind};

/// Records looked at.
const RECORDS: usize = 200;
/// Delimiters that are recognised, the likelier first.
const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// The start of a text table.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    /// Its text.
    pub text: &'a str,
    /// Whether that is all of it.
    pub whole: bool,
}

/// The first records cut into fields.
struct Records<'a> {
    rows: Vec<Vec<Field<'a>>>,
    /// Whether one of them was malformed.
    broken: bool,
}

impl Records<'_> {
    /// Share of the records that have as many fields as the first one, and that number.
    fn agreement(&self) -> (f64, usize) {
        let first = self.rows.first().map_or(0, Vec::len);
        let agreeing = self.rows.iter().filter(|row| row.len() == first).count();
        (agreeing as f64 / self.rows.len().max(1) as f64, first)
    }
}

fn records<'a>(head: Head<'a>, dialect: Dialect) -> Records<'a> {
    let mut records = Records { rows: Vec::new(), broken: false };
    let mut at = 0;
    while at < head.text.len() && records.rows.len() < RECORDS {
        if let Some(length) = fields::blank_line(&head.text.as_bytes()[at..]) {
            at += length;
            continue;
        }
        let end = fields::record_end(head.text, at, dialect);
        // The head may end inside a record.
        let cut = end.is_none_or(|end| end == head.text.len()) && !head.whole && !records.rows.is_empty();
        let mut row = Vec::new();
        let read = end.filter(|_| !cut).map(|end| {
            let push = |_: usize, _: usize, field: Field<'a>| row.push(field);
            fields::each_field(&head.text[at..end], dialect, None, push).map(|_| end)
        });
        let Some(Ok(end)) = read else {
            records.broken = !cut;
            break;
        };
        records.rows.push(row);
        at = end;
    }
    records
}

/// The dialect that cuts the most records into as many fields as the first one; the most fields on a tie.
///
/// Quotes are double ones, unless single ones alone are used as quotes: fields start with them, every such field ends
/// with one, and so read every record has the same number of fields.
pub fn dialect(head: Head<'_>, delimiter: Option<u8>, quote: Option<u8>, guesses: &mut Vec<String>) -> Dialect {
    let given = delimiter.map(|delimiter| vec![delimiter]);
    let candidates = given.unwrap_or_else(|| DELIMITERS.to_vec());
    let mark = quote.unwrap_or(b'"');
    let mut best = (0.0, 0, candidates[0]);
    for candidate in &candidates {
        let (agreeing, width) = records(head, Dialect { delimiter: *candidate, quote: mark }).agreement();
        if width > 1 && (agreeing, width) > (best.0, best.1) {
            best = (agreeing, width, *candidate);
        }
    }
    let mut found = Dialect { delimiter: best.2, quote: mark };
    if quote.is_none()
        && let Some(delimiter) = single_quoted(head, &candidates, found)
    {
        found = Dialect { delimiter, quote: b'\'' };
        guesses.push("the quote is `'`".to_owned());
    }
    if delimiter.is_none() && found.delimiter != b',' {
        let shown =
            if found.delimiter == b'\t' { "a tab".to_owned() } else { format!("`{}`", char::from(found.delimiter)) };
        guesses.push(format!("the delimiter is {shown}"));
    }
    found
}

/// The delimiter with which single quotes are clearly the quotes of the table.
fn single_quoted(head: Head<'_>, candidates: &[u8], plain: Dialect) -> Option<u8> {
    let is_double = |field: &Field<'_>| field.quote.is_some();
    if !head.text.contains('\'') || records(head, plain).rows.iter().flatten().any(is_double) {
        return None;
    }
    let mut best: Option<(usize, u8)> = None;
    for candidate in candidates {
        let read = records(head, Dialect { delimiter: *candidate, quote: b'\'' });
        let (agreeing, width) = read.agreement();
        let quoted = read.rows.iter().flatten().filter(|field| field.quote.is_some()).count();
        let clear = !read.broken && agreeing == 1.0 && quoted >= 2 && read.rows.len() >= 2;
        if clear && best.is_none_or(|(most, _)| width > most) {
            best = Some((width, *candidate));
        }
    }
    best.map(|(_, delimiter)| delimiter)
}

/// What a field is, as far as telling names from values goes; `None` when it is missing.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    Number,
    Boolean,
    Day,
    Moment,
    Clock,
    Word,
}

fn class(field: &Field<'_>) -> Option<Class> {
    let text = value::trim(field.text);
    (!NULL_VALUES.contains(&text)).then(|| match value::kind(text) {
        Kind::Integer | Kind::Wide | Kind::Code | Kind::Float | Kind::DecimalComma => Class::Number,
        Kind::Boolean => Class::Boolean,
        Kind::Date | Kind::AmbiguousDate => Class::Day,
        Kind::LocalTime | Kind::ZonedTime => Class::Moment,
        Kind::Clock | Kind::ShortClock => Class::Clock,
        Kind::Text => Class::Word,
    })
}

/// Whether the first record holds names.
///
/// It does not when every field of it is a number, a boolean, a day or a time (or missing), and each column goes on with
/// values of the same class; a run of whole numbers such as `2019, 2020, 2021` is taken as names all the same.
pub fn has_names(head: Head<'_>, dialect: Dialect, guesses: &mut Vec<String>) -> bool {
    let read = records(head, dialect);
    let Some((first, rest)) = read.rows.split_first() else { return true };
    let classes: Vec<Option<Class>> = first.iter().map(class).collect();
    let goes_on = |column: usize| {
        let mut below = rest.iter().filter_map(|row| row.get(column).and_then(class)).peekable();
        below.peek().is_some() && below.all(|of| Some(of) == classes[column])
    };
    let like_below: Vec<usize> = (0..first.len())
        .filter(|column| ![None, Some(Class::Word)].contains(&classes[*column]) && goes_on(*column))
        .collect();
    let values_alone = classes.iter().all(|of| *of != Some(Class::Word));
    let known = classes.iter().flatten().count();
    if values_alone && known > 0 && like_below.len() == known && !is_run(first) {
        guesses.push(
            "the first line holds values like those below it, so it is taken as a row; say header = true if it holds \
             the names"
                .to_owned(),
        );
        return false;
    }
    if values_alone && known == first.len() {
        guesses.push(
            "the first line is taken as names though it holds only numbers; say header = false if it is a row"
                .to_owned(),
        );
    } else if let Some(column) = like_below.first() {
        let text = value::trim(first[*column].text);
        guesses.push(format!(
            "the first line is taken as names though `{text}` looks like the values below it; say header = false if \
             it is a row"
        ));
    }
    true
}

/// Two or more whole numbers that count upwards by one.
fn is_run(first: &[Field<'_>]) -> bool {
    let numbers: Option<Vec<i64>> = first.iter().map(|field| value::integer(field.text)).collect();
    numbers.is_some_and(|numbers| {
        numbers.len() > 1 && numbers.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1]))
    })
}
