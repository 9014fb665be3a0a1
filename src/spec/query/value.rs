//! Values of a condition in the type of the field that they are compared with.

use crate::base::clock::Timestamp;
use crate::base::fail::{self, Failure};
use crate::base::{suggest, units};
use crate::spec::query::lexer::{Token, What, failure};
use crate::spec::query::{Attribute, Field, Literal, Sort};

/// States of a run, as written and as MLflow has them.
const STATES: [&str; 4] = ["running", "finished", "failed", "killed"];

/// Reads the value in `token` for comparing with `field`; `now` is the moment that ages are counted from.
pub fn literal(token: &Token, field: &Field, now: Timestamp) -> Result<Literal, Failure> {
    let (text, is_quoted) = match &token.what {
        What::Quoted(text) => (text.as_str(), true),
        What::Number(text) => (text.as_str(), false),
        What::Name(text, None) => (text.as_str(), false),
        What::Name(_, Some(_)) => {
            return Err(failure(token.at, &format!("{} is a field where a value belongs", token.what.shown()))
                .hint("fields are compared with values; put a text in quotes"));
        }
        other => return Err(failure(token.at, &format!("a value belongs here, not {}", other.shown()))),
    };
    let wrong = |wanted: &str| failure(token.at, &format!("{field} is {wanted}, and `{text}` is not"));
    match field {
        Field::Metric(_) => number(text).ok_or_else(|| wrong("a number")),
        Field::Tag(_) => Ok(Literal::Text(text.to_owned())),
        Field::Param(_) if is_quoted => Ok(Literal::Text(text.to_owned())),
        Field::Param(_) => Ok(number(text).unwrap_or_else(|| Literal::Text(text.to_owned()))),
        Field::Attribute(attribute) => of_attribute(*attribute, text, now)
            .ok_or_else(|| match attribute.sort() {
                Sort::Number => wrong("a number"),
                Sort::Flag => wrong("true or false"),
                Sort::Time => wrong("a time").hint("write it like '2026-11-01', '2026-11-01T12:00:00Z' or 7d (ago)"),
                Sort::Text | Sort::Link => wrong("a text"),
            })
            .and_then(|literal| match attribute {
                Attribute::State => state(literal, token.at),
                _ => Ok(literal),
            }),
    }
}

fn of_attribute(attribute: Attribute, text: &str, now: Timestamp) -> Option<Literal> {
    match attribute.sort() {
        Sort::Text | Sort::Link => Some(Literal::Text(text.to_owned())),
        Sort::Time => moment(text, now).map(Literal::Time),
        Sort::Flag => match text.to_lowercase().as_str() {
            "true" | "yes" | "1" => Some(Literal::Flag(true)),
            "false" | "no" | "0" => Some(Literal::Flag(false)),
            _ => None,
        },
        Sort::Number => number(text).or_else(|| match attribute {
            Attribute::Seconds | Attribute::CpuSeconds => {
                units::parse_duration(text).ok().map(|duration| Literal::Real(duration.as_secs_f64()))
            }
            Attribute::Memory => {
                units::parse_bytes(text).ok().and_then(|bytes| i64::try_from(bytes).ok()).map(Literal::Integer)
            }
            _ => None,
        }),
    }
}

fn number(text: &str) -> Option<Literal> {
    let whole = text.parse().ok().map(Literal::Integer);
    // What begins with a letter is a word, even `inf`.
    let is_number = text.starts_with(|letter: char| letter.is_ascii_digit() || matches!(letter, '-' | '+' | '.'));
    whole.or_else(|| text.parse::<f64>().ok().filter(|number| is_number && number.is_finite()).map(Literal::Real))
}

fn state(literal: Literal, at: usize) -> Result<Literal, Failure> {
    let Literal::Text(text) = literal else {
        return Ok(literal);
    };
    let lower = text.to_lowercase();
    if STATES.contains(&lower.as_str()) {
        return Ok(Literal::Text(lower));
    }
    let unknown = suggest::unknown("state", &text, STATES);
    Err(failure(at, &unknown.what).hint(unknown.hint.unwrap_or_default()))
}

/// Reads a moment: a date, a time (UTC unless it says otherwise), milliseconds since 1970 as MLflow has them, `now`, or an age
/// such as `7d`, which is the moment that long before `now`.
///
/// Errors: none of these.
pub fn parse_moment(text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    moment(text, now).ok_or_else(|| {
        fail::usage(format!("`{text}` is not a time"))
            .hint("write it like 2026-11-01, 2026-11-01T12:00:00Z, or 7d for seven days ago")
    })
}

fn moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("now") {
        return Some(now);
    }
    if text.len() >= 11
        && let Ok(milliseconds) = text.parse::<i64>()
    {
        return Some(Timestamp::from_micros(milliseconds.saturating_mul(1_000)));
    }
    let age = text.strip_suffix("ago").unwrap_or(text).trim().trim_start_matches('-');
    if age.ends_with(|letter: char| letter.is_ascii_alphabetic())
        && let Ok(duration) = units::parse_duration(age)
    {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        return Some(Timestamp::from_micros(now.as_micros().saturating_sub(micros)));
    }
    let written = text.replacen(' ', "T", 1);
    let forms = [written.clone(), format!("{written}Z"), format!("{written}:00Z"), format!("{written}T00:00:00Z")];
    forms.iter().find_map(|form| form.parse().ok())
}
