//! Words, quoted texts and signs of a condition, each with its place.

use crate::base::fail::{self, Failure};

/// One piece of a condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// What it is.
    pub what: What,
    /// Characters before it.
    pub at: usize,
}

/// Kinds of pieces.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A name: parts divided by the first dot, the second one as in backticks.
    Name(String, Option<String>),
    /// A text in quotes.
    Quoted(String),
    /// What begins like a number or a date.
    Number(String),
    /// An operator, a bracket or a comma.
    Sign(&'static str),
    /// The end.
    End,
}

impl What {
    /// As shown in an error.
    pub fn shown(&self) -> String {
        match self {
            What::Name(first, None) => format!("`{first}`"),
            What::Name(first, Some(rest)) => format!("`{first}.{rest}`"),
            What::Quoted(text) => format!("'{text}'"),
            What::Number(text) => format!("`{text}`"),
            What::Sign(sign) => format!("`{sign}`"),
            What::End => "the end".to_owned(),
        }
    }

    /// Whether it is this word, in capitals or not.
    pub fn is_word(&self, word: &str) -> bool {
        matches!(self, What::Name(first, None) if first.eq_ignore_ascii_case(word))
    }
}

/// Longest first, so that `<=` is not `<` and `=`.
const SIGNS: [&str; 11] = ["<=", ">=", "!=", "<>", "==", "<", ">", "=", "(", ")", ","];

/// A failure at a place of a condition.
pub fn failure(at: usize, what: &str) -> Failure {
    fail::usage(format!("cannot read the condition at character {}: {what}", at + 1))
}

/// Divides `text` into pieces; the last one is [`What::End`].
///
/// Errors: a quote that is not closed, a sign that means nothing here.
pub fn tokens(text: &str) -> Result<Vec<Token>, Failure> {
    let letters: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let letter = letters[at];
        if letter.is_whitespace() {
            at += 1;
            continue;
        }
        let (what, end) = match letter {
            '\'' | '"' => quoted(&letters, at).map(|(text, end)| (What::Quoted(text), end))?,
            '`' => quoted(&letters, at).map(|(text, end)| (What::Name(text, None), end))?,
            '0'..='9' | '-' | '+' | '.' => number(&letters, at),
            _ if letter.is_alphabetic() || letter == '_' => name(&letters, at)?,
            _ => sign(&letters, at)?,
        };
        found.push(Token { what, at });
        at = end;
    }
    found.push(Token { what: What::End, at });
    Ok(found)
}

/// A quoted text, in which the quote is doubled, and where it ends.
fn quoted(letters: &[char], start: usize) -> Result<(String, usize), Failure> {
    let quote = letters[start];
    let mut text = String::new();
    let mut at = start + 1;
    loop {
        match (letters.get(at), letters.get(at + 1)) {
            (Some(letter), Some(next)) if *letter == quote && *next == quote => {
                text.push(quote);
                at += 2;
            }
            (Some(letter), _) if *letter == quote => return Ok((text, at + 1)),
            (Some(letter), _) => {
                text.push(*letter);
                at += 1;
            }
            (None, _) => return Err(failure(start, &format!("this {quote} is not closed"))),
        }
    }
}

fn number(letters: &[char], start: usize) -> (What, usize) {
    let inside = |letter: &char| letter.is_alphanumeric() || matches!(letter, '.' | '-' | '+' | ':' | '_');
    let length = letters[start..].iter().take_while(|letter| inside(letter)).count();
    (What::Number(letters[start..start + length].iter().collect()), start + length)
}

fn is_inside_name(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '-' | '/' | '@' | ':')
}

/// A name such as `kind`, `metrics.f1`, ``metrics.`a b` `` or `params."x"`; further dots belong to the second part.
fn name(letters: &[char], start: usize) -> Result<(What, usize), Failure> {
    let length = letters[start..].iter().take_while(|letter| is_inside_name(**letter)).count();
    let first: String = letters[start..start + length].iter().collect();
    let dot = start + length;
    if letters.get(dot) != Some(&'.') {
        return Ok((What::Name(first, None), dot));
    }
    match letters.get(dot + 1) {
        Some('`' | '"' | '\'') => {
            let (rest, end) = quoted(letters, dot + 1)?;
            Ok((What::Name(first, Some(rest)), end))
        }
        Some('*') => Ok((What::Name(first, Some("*".to_owned())), dot + 2)),
        _ => {
            let inside = |letter: &char| is_inside_name(*letter) || *letter == '.';
            let length = letters[dot + 1..].iter().take_while(|letter| inside(letter)).count();
            if length == 0 {
                return Err(failure(dot, &format!("a name belongs behind `{first}.`")));
            }
            let end = dot + 1 + length + parameter(&letters[dot + 1 + length..]);
            Ok((What::Name(first, Some(letters[dot + 1..end].iter().collect())), end))
        }
    }
}

/// Length of the parameter of a metric, as in `metrics.recall(0.9)`.
fn parameter(letters: &[char]) -> usize {
    let inside = |letter: &char| letter.is_alphanumeric() || matches!(letter, '.' | '-' | '+' | '=' | '_' | ',');
    match letters.split_first() {
        Some(('(', rest)) => {
            let length = rest.iter().take_while(|letter| inside(letter)).count();
            if rest.get(length) == Some(&')') { length + 2 } else { 0 }
        }
        _ => 0,
    }
}

fn sign(letters: &[char], at: usize) -> Result<(What, usize), Failure> {
    let starts =
        |sign: &&&str| sign.chars().enumerate().all(|(place, wanted)| letters.get(at + place) == Some(&wanted));
    match SIGNS.iter().find(starts) {
        Some(sign) => Ok((What::Sign(sign), at + sign.len())),
        None => Err(failure(at, &format!("`{}` means nothing here", letters[at]))
            .hint("put names with odd letters in backticks, as metrics.`a b`, and texts in quotes")),
    }
}
