//! One test of one field as one query. Every value that a person wrote is bound, never part of the text.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::index::search::keys_of;
use crate::index::search::set::KeySet;
use crate::spec::query::{Attribute, Comparison, Field, Holds, Literal, Sort};

/// Where the values of a field are.
pub struct Place {
    /// `table WHERE condition`, with `?1` for the name of a metric, parameter or tag.
    from: &'static str,
    /// Column of the run's key.
    key: &'static str,
    /// Column of the value, or what stands for it.
    value: &'static str,
    /// The name, where `from` has a place for it.
    name: Option<String>,
}

impl Place {
    /// Of `field`, whose values are numbers if `number` says so of a parameter.
    pub fn of(field: &Field, number: bool) -> Place {
        let place = |from, key, value| Place { from, key, value, name: None };
        let named = |from, value, name: &String| Place { from, key: "run", value, name: Some(name.clone()) };
        match field {
            Field::Metric(name) => named("metric WHERE name = (SELECT key FROM name WHERE text = ?1)", "value", name),
            Field::Param(name) => {
                let value = if number { "number" } else { "text" };
                named("param WHERE name = (SELECT key FROM name WHERE text = ?1)", value, name)
            }
            Field::Tag(name) => named("tag WHERE name = (SELECT key FROM name WHERE text = ?1)", "value", name),
            Field::Attribute(Attribute::Model) => place("link WHERE role = 'model'", "run", "name"),
            Field::Attribute(Attribute::Dataset) => place("link WHERE role = 'dataset'", "run", "name"),
            Field::Attribute(Attribute::Error) => place("run WHERE error IS NOT NULL", "key", "error"),
            Field::Attribute(Attribute::Stage) => place("run WHERE stage IS NOT NULL", "key", "stage"),
            Field::Attribute(attribute) => place("run WHERE 1", "key", column(*attribute)),
        }
    }

    /// The query for `what` of this place, which may go on with `AND …`.
    pub fn select(&self, what: &str) -> String {
        format!("SELECT {what} FROM {}", self.from)
    }

    /// Columns of key and value.
    pub fn columns(&self) -> (&'static str, &'static str) {
        (self.key, self.value)
    }

    /// What is bound to `?1`, if there is one.
    pub fn bound(&self) -> Vec<Value> {
        self.name.iter().cloned().map(Value::Text).collect()
    }
}

fn column(attribute: Attribute) -> &'static str {
    match attribute {
        Attribute::Run => "id",
        Attribute::Kind => "kind",
        Attribute::State => "state",
        Attribute::Started => "started",
        Attribute::Ended => "ended",
        Attribute::Seconds => "wall_seconds",
        Attribute::CpuSeconds => "cpu_seconds",
        Attribute::Memory => "peak_memory_bytes",
        // As it was typed.
        Attribute::Command => "(SELECT group_concat(value, ' ') FROM json_each(command))",
        Attribute::User => "user",
        Attribute::Host => "host",
        Attribute::Commit => "code_commit",
        Attribute::Dirty => "code_dirty",
        // Kept with a sign; large ones are shown without.
        Attribute::Seed => "CASE WHEN seed < 0 THEN seed + 18446744073709551616.0 ELSE seed END",
        Attribute::ExitCode => "exit_code",
        Attribute::Stage => "stage",
        Attribute::Error => "error",
        Attribute::Model | Attribute::Dataset => "name",
    }
}

/// Keys of the runs that a test holds of.
pub fn holds_of(connection: &Connection, field: &Field, holds: &Holds) -> rusqlite::Result<KeySet> {
    let is_link = matches!(field, Field::Attribute(attribute) if attribute.sort() == Sort::Link);
    match holds {
        Holds::Present => present(connection, field),
        Holds::Missing => Ok(keys_of(connection, "SELECT key FROM run", &[])?.without(&present(connection, field)?)),
        Holds::Like { pattern, any_case, not } => like(connection, field, pattern, *any_case, *not && !is_link)
            .and_then(|found| match *not && is_link {
                true => Ok(present(connection, field)?.without(&found)),
                false => Ok(found),
            }),
        Holds::Compared(Comparison::Equal, literal) => equal(connection, field, literal),
        Holds::Compared(Comparison::NotEqual, literal) => {
            Ok(present(connection, field)?.without(&equal(connection, field, literal)?))
        }
        Holds::Compared(comparison, literal) => compared(connection, field, *comparison, literal),
        Holds::Among { values, not } => {
            let mut any = KeySet::default();
            for value in values {
                any = any.or(equal(connection, field, value)?);
            }
            if *not { Ok(present(connection, field)?.without(&any)) } else { Ok(any) }
        }
    }
}

fn present(connection: &Connection, field: &Field) -> rusqlite::Result<KeySet> {
    let place = Place::of(field, false);
    let (key, value) = place.columns();
    keys_of(connection, &format!("{} AND {value} IS NOT NULL", place.select(key)), &place.bound())
}

fn compared(
    connection: &Connection,
    field: &Field,
    comparison: Comparison,
    literal: &Literal,
) -> rusqlite::Result<KeySet> {
    let place = Place::of(field, is_number(literal));
    let (key, value) = place.columns();
    let mut bound = place.bound();
    bound.push(value_of(literal));
    let sql = format!("{} AND {value} {} ?{}", place.select(key), comparison.symbol(), bound.len());
    keys_of(connection, &sql, &bound)
}

/// Equality also knows the beginning of an id, and of things with versions those of any version.
fn equal(connection: &Connection, field: &Field, literal: &Literal) -> rusqlite::Result<KeySet> {
    let (Field::Attribute(attribute), Literal::Text(text)) = (field, literal) else {
        return compared(connection, field, Comparison::Equal, literal);
    };
    let place = Place::of(field, false);
    let (key, value) = place.columns();
    let select = place.select(key);
    let lower = text.to_lowercase();
    let is_prefix = text.len() >= ID_PREFIX_MIN && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match attribute {
        // `g` follows every hex digit.
        Attribute::Run | Attribute::Commit if is_prefix => {
            let bound = [Value::Text(lower.clone()), Value::Text(format!("{lower}g"))];
            keys_of(connection, &format!("{select} AND {value} >= ?1 AND {value} < ?2"), &bound)
        }
        Attribute::Model | Attribute::Dataset => {
            // `A` follows `@`.
            let bound = [text.clone(), format!("{text}@"), format!("{text}A")].map(Value::Text);
            let named = keys_of(connection, &format!("{select} AND name = ?1"), &bound[..1])?;
            let versions = keys_of(connection, &format!("{select} AND name >= ?1 AND name < ?2"), &bound[1..])?;
            let found = named.or(versions);
            if !is_prefix {
                return Ok(found);
            }
            let bound = [Value::Text(lower.clone()), Value::Text(format!("{lower}g"))];
            Ok(found.or(keys_of(connection, &format!("{select} AND object >= ?1 AND object < ?2"), &bound)?))
        }
        _ => compared(connection, field, Comparison::Equal, literal),
    }
}

/// Shorter texts of hex digits are no beginnings of ids.
const ID_PREFIX_MIN: usize = 4;

fn like(connection: &Connection, field: &Field, pattern: &str, any_case: bool, not: bool) -> rusqlite::Result<KeySet> {
    let place = Place::of(field, false);
    let (key, value) = place.columns();
    let sql = format!("{} AND {value} IS NOT NULL", place.select(&format!("{key}, {value}")));
    let folded = |text: &str| if any_case { text.to_lowercase() } else { text.to_owned() };
    let pattern: Vec<char> = folded(pattern).chars().collect();
    let mut query = connection.prepare_cached(&sql)?;
    let mut rows = query.query(params_from_iter(place.bound()))?;
    let mut found = KeySet::default();
    // Values come in order where an index has them, so the same text comes many times in a row.
    let mut last: Option<(String, bool)> = None;
    while let Some(row) = rows.next()? {
        let text = row.get_ref(1)?.as_str().unwrap_or_default();
        let matched = match &last {
            Some((known, matched)) if known == text => *matched,
            _ => {
                let matched = matches(&pattern, &folded(text).chars().collect::<Vec<_>>());
                last = Some((text.to_owned(), matched));
                matched
            }
        };
        if matched != not {
            found.insert(row.get(0)?);
        }
    }
    Ok(found)
}

/// Whether `text` matches: `%` stands for any letters, `_` for one. O(pattern × text).
fn matches(pattern: &[char], text: &[char]) -> bool {
    let (mut at, mut place) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(place) {
            Some('%') => {
                back = Some((place, at));
                place += 1;
            }
            Some(letter) if *letter == '_' || *letter == text[at] => (at, place) = (at + 1, place + 1),
            _ => match back {
                Some((star, from)) => {
                    back = Some((star, from + 1));
                    (at, place) = (from + 1, star + 1);
                }
                None => return false,
            },
        }
    }
    pattern[place..].iter().all(|letter| *letter == '%')
}

fn is_number(literal: &Literal) -> bool {
    matches!(literal, Literal::Integer(_) | Literal::Real(_))
}

fn value_of(literal: &Literal) -> Value {
    match literal {
        Literal::Integer(number) => Value::Integer(*number),
        Literal::Real(number) => Value::Real(*number),
        Literal::Text(text) => Value::Text(text.clone()),
        Literal::Time(time) => Value::Integer(time.as_micros()),
        Literal::Flag(flag) => Value::Integer(i64::from(*flag)),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_in_sql() {
        let check = |pattern: &str, text: &str, wanted: bool| {
            let letters = |text: &str| text.chars().collect::<Vec<_>>();
            assert_eq!(matches(&letters(pattern), &letters(text)), wanted, "{text} like {pattern}");
        };
        check("a%", "abc", true);
        check("%c", "abc", true);
        check("a_c", "abc", true);
        check("a_c", "ac", false);
        check("%b%b%", "abab", true);
        check("%b%b%b", "abab", false);
        check("", "", true);
        check("", "a", false);
        check("%", "", true);
        check("ü_", "üß", true);
        check("[a]", "a", false);
    }
}
