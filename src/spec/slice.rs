//! Parts of the rows as people write them: `sex`, `bins(age, 5)`, `sex * plan`, `age >= 60 AND sex = 'F'`.

use std::fmt;

use crate::base::fail::{self, Failure};
use crate::base::limits::SLICE_BINS_MAX;
use crate::base::suggest;

/// Most parts of a cross.
const CROSS_PARTS_MAX: usize = 3;
/// What a slice may look like.
const FORMS: &str = "write COLUMN, bins(COLUMN, 5), A * B (up to three, conditions in brackets), or a condition in SQL \
                     such as age >= 60 AND sex = 'F'";

/// One way to divide rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlicePart {
    /// A slice for each value of a column.
    Column(String),
    /// Bins of equally many rows.
    Bins {
        /// The column.
        column: String,
        /// How many bins, 2 or more.
        count: usize,
    },
    /// Rows for which a condition in SQL holds, and those for which it does not.
    Condition(String),
}

impl fmt::Display for SlicePart {
    /// As it can be written alone or in a cross.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SlicePart::Column(name) => f.write_str(&named(name)),
            SlicePart::Bins { column, count } => write!(f, "bins({}, {count})", named(column)),
            SlicePart::Condition(sql) if sql.starts_with('(') && closing(sql) == Some(sql.len() - 1) => {
                f.write_str(sql)
            }
            SlicePart::Condition(sql) => write!(f, "({sql})"),
        }
    }
}

/// The name of a column, in double quotes when it holds signs that mean something here.
fn named(name: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | ' ' | '/' | '%');
    match name.chars().all(plain) && name.trim() == name && !name.is_empty() {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// A division of the rows as written: one part, or several crossed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SliceSpec {
    /// As written, without spaces at its ends.
    pub text: String,
    /// One to three parts; with several, each combination of their slices is a slice.
    pub parts: Vec<SlicePart>,
}

impl SliceSpec {
    /// Reads a division of a table with `columns`. A text that is the name of a column means that column, whatever signs
    /// it holds; a name with signs can also stand in double quotes.
    ///
    /// Errors (usage): a column that does not exist, with the nearest one; bins or crosses that are not well written. Whether
    /// a condition is SQL over these columns is found out where it is read.
    pub fn parse(text: &str, columns: &[&str]) -> Result<SliceSpec, Failure> {
        let text = text.trim();
        let spec = |parts: Vec<SlicePart>| SliceSpec { text: text.to_owned(), parts };
        if text.is_empty() {
            return Err(fail::usage("a slice is empty").hint(FORMS));
        }
        if columns.contains(&text) {
            return Ok(spec(vec![SlicePart::Column(text.to_owned())]));
        }
        let factors: Vec<&str> = split_at(text, '*').into_iter().map(str::trim).collect();
        let parts: Option<Vec<SlicePart>> =
            factors.iter().map(|factor| part(factor, columns, factors.len() > 1)).collect::<Result<_, _>>()?;
        match parts {
            Some(parts) if parts.len() > CROSS_PARTS_MAX => {
                let count = parts.len();
                Err(fail::usage(format!("slice `{text}` crosses {count} parts, at most {CROSS_PARTS_MAX} are crossed"))
                    .hint("put some of them into one condition in brackets"))
            }
            Some(parts) => match (1..parts.len()).find(|at| parts[..*at].contains(&parts[*at])) {
                Some(twice) => Err(fail::usage(format!("slice `{text}` names `{}` twice", factors[twice]))),
                None => Ok(spec(parts)),
            },
            None if is_condition(text) => Ok(spec(vec![SlicePart::Condition(text.to_owned())])),
            None => {
                let unknown = factors.iter().find(|factor| !matches!(part(factor, columns, true), Ok(Some(_))));
                let unknown =
                    unquoted(unknown.unwrap_or(&text)).unwrap_or_else(|| (*unknown.unwrap_or(&text)).to_owned());
                let Failure { blame, what, hint } = suggest::unknown("column", &unknown, columns.iter().copied());
                Err(Failure { blame, what: format!("slice `{text}`: {what}"), hint })
            }
        }
    }
}

/// Divisions written one after the other with commas between them; commas in brackets and quotes part nothing.
pub fn split_list(text: &str) -> Vec<String> {
    split_at(text, ',').into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// A column, bins, or a condition in brackets; `None` for anything else.
fn part(text: &str, columns: &[&str], crossed: bool) -> Result<Option<SlicePart>, Failure> {
    if columns.contains(&text) {
        return Ok(Some(SlicePart::Column(text.to_owned())));
    }
    if let Some(name) = unquoted(text)
        && columns.contains(&name.as_str())
    {
        return Ok(Some(SlicePart::Column(name)));
    }
    if let Some(inner) = bins_of(text) {
        return bins(text, inner, columns).map(Some);
    }
    let bracketed = text.starts_with('(') && closing(text) == Some(text.len() - 1);
    Ok((crossed && bracketed && is_condition(text)).then(|| SlicePart::Condition(text.to_owned())))
}

/// What stands in the brackets of `bins(…)`.
fn bins_of(text: &str) -> Option<&str> {
    let head = text.get(..4).filter(|head| head.eq_ignore_ascii_case("bins"))?;
    let rest = text[head.len()..].trim_start();
    (rest.starts_with('(') && closing(rest) == Some(rest.len() - 1)).then(|| &rest[1..rest.len() - 1])
}

fn bins(text: &str, inner: &str, columns: &[&str]) -> Result<SlicePart, Failure> {
    let wrong = |what: String| fail::usage(format!("slice `{text}`: {what}")).hint("write bins(COLUMN, 5)");
    let Some((name, count)) = inner.rsplit_once(',') else {
        return Err(wrong("the number of bins is missing".to_owned()));
    };
    let count = count.trim();
    let number = count.parse::<usize>().ok().filter(|number| (2..=SLICE_BINS_MAX).contains(number));
    let Some(number) = number else {
        return Err(wrong(format!("`{count}` is no number of bins from 2 to {SLICE_BINS_MAX}")));
    };
    let name = name.trim();
    let column = match unquoted(name) {
        Some(quoted) if !columns.contains(&name) => quoted,
        _ => name.to_owned(),
    };
    if !columns.contains(&column.as_str()) {
        let Failure { blame, what, hint } = suggest::unknown("column", &column, columns.iter().copied());
        return Err(Failure { blame, what: format!("slice `{text}`: {what}"), hint });
    }
    Ok(SlicePart::Bins { column, count: number })
}

/// The name inside double quotes, two of them standing for one.
fn unquoted(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let name = inner.replace("\"\"", "\u{0}");
    (!name.contains('"')).then(|| name.replace('\u{0}', "\""))
}

/// Whether the text compares something: a sign of comparison, or a word of SQL that does.
fn is_condition(text: &str) -> bool {
    let words = ["in", "is", "like", "ilike", "between", "not", "and", "or", "case", "true", "false"];
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let bare = outside_quotes(text);
    let word = |part: &str| words.contains(&part.to_lowercase().as_str());
    bare.contains(['=', '<', '>', '~']) || bare.split(|letter| !is_word(letter)).any(word) || calls(&bare)
}

/// Whether a name is followed by brackets, as functions are: `starts_with(name, 'A')`.
fn calls(text: &str) -> bool {
    text.match_indices('(').any(|(at, _)| text[..at].trim_end().ends_with(|letter: char| letter.is_alphanumeric()))
}

/// The text with everything in quotes blanked out.
fn outside_quotes(text: &str) -> String {
    let mut inside = None;
    let keep = |letter: char| {
        match inside {
            Some(quote) if quote == letter => inside = None,
            None if letter == '\'' || letter == '"' => inside = Some(letter),
            Some(_) => {}
            None => return letter,
        }
        ' '
    };
    text.chars().map(keep).collect()
}

/// Place of the bracket that closes the one at the start.
fn closing(text: &str) -> Option<usize> {
    let mut scan = Scan::default();
    text.char_indices().find(|(_, letter)| scan.step(*letter) && scan.depth == 0).map(|(at, _)| at)
}

/// The parts between signs that stand neither in brackets nor in quotes; the whole text when these do not match.
fn split_at(text: &str, sign: char) -> Vec<&str> {
    let mut scan = Scan::default();
    let (mut parts, mut start) = (Vec::new(), 0);
    for (at, letter) in text.char_indices() {
        let closed = scan.step(letter);
        if letter == sign && !closed && scan.depth == 0 && scan.quote.is_none() {
            parts.push(&text[start..at]);
            start = at + letter.len_utf8();
        }
    }
    parts.push(&text[start..]);
    match scan.depth == 0 && scan.quote.is_none() {
        true => parts,
        false if sign == ',' => text.split(sign).collect(),
        false => vec![text],
    }
}

/// How deep in brackets and in which quotes a reader is.
#[derive(Default)]
struct Scan {
    depth: usize,
    quote: Option<char>,
}

impl Scan {
    /// Takes one letter; whether it closed a bracket.
    fn step(&mut self, letter: char) -> bool {
        match (self.quote, letter) {
            (Some(quote), _) if quote == letter => self.quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => self.quote = Some(letter),
            (None, '(' | '[') => self.depth += 1,
            (None, ')' | ']') if self.depth > 0 => {
                self.depth -= 1;
                return true;
            }
            _ => {}
        }
        false
    }
}
