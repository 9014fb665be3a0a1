//! Reading conditions, orders and lists of fields.

use crate::base::clock::Timestamp;
use crate::base::fail::{self, Failure};
use crate::base::{limits, suggest};
use crate::spec::query::lexer::{Token, What, failure, tokens};
use crate::spec::query::value::literal;
use crate::spec::query::{Attribute, Comparison, Condition, Field, Holds, Literal, Sort, SortKey};

/// Words for the four kinds of fields, as MLflow takes them.
const ENTITIES: [(&str, &[&str]); 4] = [
    ("metrics", &["metric"]),
    ("params", &["param", "parameter", "parameters"]),
    ("tags", &["tag"]),
    ("attributes", &["attribute", "attr", "run"]),
];

/// Reads a condition; ages in it (`started > 7d`) are counted from `now`.
///
/// Errors (usage): what cannot be read, with its place and the nearest name; more than [`limits::QUERY_DEPTH_MAX`] brackets
/// inside each other or [`limits::QUERY_TESTS_MAX`] tests.
pub fn parse(text: &str, now: Timestamp) -> Result<Condition, Failure> {
    let mut parser = Parser::new(text, now)?;
    let condition = parser.any(0)?;
    match parser.next() {
        Token { what: What::End, .. } => Ok(condition),
        other => Err(failure(other.at, &format!("`and` or `or` belongs before {}", other.what.shown()))),
    }
}

/// Reads an order: fields divided by commas, each with `asc`, `desc`, or a minus for smallest first. A name alone that is no
/// attribute is a metric.
pub fn parse_sort(text: &str) -> Result<Vec<SortKey>, Failure> {
    let key = |part: &str| {
        let (name, minus) = part.strip_prefix('-').map_or((part, None), |name| (name, Some(false)));
        let (field, word) = field_and_word(name)?;
        let descending = match &word.what {
            What::End => minus,
            what if what.is_word("asc") => Some(false),
            what if what.is_word("desc") => Some(true),
            what => return Err(fail::usage(format!("{} is no order", what.shown())).hint("write `asc` or `desc`")),
        };
        match field {
            Field::Attribute(attribute) if attribute.sort() == Sort::Link => {
                Err(fail::usage(format!("runs cannot be sorted by {}: one may have several", attribute.name())))
            }
            field => Ok(SortKey { field, descending }),
        }
    };
    divided(text).into_iter().map(key).collect()
}

/// Reads a list of fields divided by commas, as columns of a listing. A name alone that is no attribute is a metric.
pub fn parse_fields(text: &str) -> Result<Vec<Field>, Failure> {
    let field = |part: &str| match field_and_word(part)? {
        (field, Token { what: What::End, .. }) => Ok(field),
        (_, other) => Err(fail::usage(format!("a comma belongs before {} in the list", other.what.shown()))),
    };
    divided(text).into_iter().map(field).collect()
}

/// A field and what follows it.
fn field_and_word(text: &str) -> Result<(Field, Token), Failure> {
    // A metric with a parameter, as `recall(0.9)`.
    let bare = text.find(['.', '(']).is_some_and(|at| text[at..].starts_with('('));
    let text = if bare { format!("metrics.{}", text.trim()) } else { text.trim().to_owned() };
    let mut parser = Parser::new(&text, Timestamp::from_micros(0))?;
    let token = parser.next();
    let field = match &token.what {
        What::Name(name, None) if Attribute::named(name).is_none() => Field::Metric(name.clone()),
        _ => parser.field(&token)?,
    };
    Ok((field, parser.next()))
}

/// Parts between commas that are not inside quotes.
fn divided(text: &str) -> Vec<&str> {
    let mut quote = None;
    let parts = text.split(|letter: char| {
        match quote {
            Some(open) if open == letter => quote = None,
            None if matches!(letter, '`' | '"' | '\'') => quote = Some(letter),
            _ => {}
        }
        letter == ',' && quote.is_none()
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}

struct Parser {
    tokens: Vec<Token>,
    place: usize,
    tests: usize,
    now: Timestamp,
}

impl Parser {
    fn new(text: &str, now: Timestamp) -> Result<Parser, Failure> {
        if text.len() > limits::QUERY_BYTES_MAX {
            let most = limits::QUERY_BYTES_MAX;
            return Err(fail::usage(format!("a condition has at most {most} bytes, this one {}", text.len())));
        }
        Ok(Parser { tokens: tokens(text)?, place: 0, tests: 0, now })
    }

    fn peek(&self) -> &Token {
        // The last token is the end, which is never passed.
        &self.tokens[self.place.min(self.tokens.len() - 1)]
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.place += 1;
        token
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is = self.peek().what.is_word(word);
        self.place += usize::from(is);
        is
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let is = matches!(self.peek().what, What::Sign(found) if found == sign);
        self.place += usize::from(is);
        is
    }

    fn any(&mut self, depth: usize) -> Result<Condition, Failure> {
        if depth > limits::QUERY_DEPTH_MAX {
            return Err(failure(self.peek().at, "too many brackets inside each other"));
        }
        let mut parts = vec![self.all(depth)?];
        while self.take_word("or") {
            parts.push(self.all(depth)?);
        }
        Ok(one_or(parts, Condition::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Condition, Failure> {
        let mut parts = vec![self.part(depth)?];
        while self.take_word("and") {
            parts.push(self.part(depth)?);
        }
        Ok(one_or(parts, Condition::All))
    }

    fn part(&mut self, depth: usize) -> Result<Condition, Failure> {
        let mut turned = false;
        while self.take_word("not") {
            turned = !turned;
        }
        let condition = match self.take_sign("(") {
            true => {
                let inside = self.any(depth + 1)?;
                self.close()?;
                inside
            }
            false => self.test()?,
        };
        Ok(if turned { condition.opposite() } else { condition })
    }

    fn close(&mut self) -> Result<(), Failure> {
        if self.take_sign(")") {
            return Ok(());
        }
        let token = self.peek();
        Err(failure(token.at, &format!("`)` belongs before {}", token.what.shown())))
    }

    fn test(&mut self) -> Result<Condition, Failure> {
        self.tests += 1;
        if self.tests > limits::QUERY_TESTS_MAX {
            return Err(failure(self.peek().at, "too many tests in one condition"));
        }
        let token = self.next();
        let field = self.field(&token)?;
        if self.take_word("is") {
            let not = self.take_word("not");
            let token = self.next();
            if !token.what.is_word("null") {
                return Err(failure(token.at, "`null` belongs behind `is`"));
            }
            return Ok(Condition::Test(field, if not { Holds::Present } else { Holds::Missing }));
        }
        let turned = self.take_word("not");
        let condition = self.compared(field, turned)?;
        Ok(if turned { condition.opposite() } else { condition })
    }

    /// What follows a field, and `not` where that was said.
    fn compared(&mut self, field: Field, turned: bool) -> Result<Condition, Failure> {
        let token = self.next();
        match &token.what {
            what if what.is_word("like") || what.is_word("ilike") => {
                let any_case = what.is_word("ilike");
                let pattern = self.next();
                let What::Quoted(text) = pattern.what else {
                    return Err(failure(pattern.at, "a pattern in quotes belongs here, as '%forest%'"));
                };
                self.must_be_text(&field, &token)?;
                Ok(Condition::Test(field, Holds::Like { pattern: text, any_case, not: false }))
            }
            what if what.is_word("in") => {
                let values = self.list(&field)?;
                Ok(Condition::Test(field, Holds::Among { values, not: false }))
            }
            what if what.is_word("between") => {
                self.must_have_order(&field, &token)?;
                let low = self.value(&field)?;
                if !self.take_word("and") {
                    return Err(failure(self.peek().at, "`and` belongs between the two ends"));
                }
                let high = self.value(&field)?;
                let ends = [(Comparison::AtLeast, low), (Comparison::AtMost, high)];
                let test = |(comparison, end)| Condition::Test(field.clone(), Holds::Compared(comparison, end));
                Ok(Condition::All(ends.into_iter().map(test).collect()))
            }
            What::Sign(sign) if !turned && comparison(sign).is_some() => {
                let comparison = comparison(sign).unwrap_or(Comparison::Equal);
                if !matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
                    self.must_have_order(&field, &token)?;
                }
                let value = self.value(&field)?;
                Ok(Condition::Test(field, Holds::Compared(comparison, value)))
            }
            _ => Err(failure(token.at, &format!("{} does not compare {field}", token.what.shown()))
                .hint("use =, !=, <, <=, >, >=, like, ilike, in (…), between … and …, is null or is not null")),
        }
    }

    fn must_be_text(&self, field: &Field, token: &Token) -> Result<(), Failure> {
        let is_text = match field {
            Field::Metric(_) => false,
            Field::Attribute(attribute) => matches!(attribute.sort(), Sort::Text | Sort::Link),
            _ => true,
        };
        if is_text { Ok(()) } else { Err(failure(token.at, &format!("{field} is no text that a pattern could match"))) }
    }

    fn must_have_order(&self, field: &Field, token: &Token) -> Result<(), Failure> {
        let has = !matches!(field, Field::Attribute(attribute) if matches!(attribute.sort(), Sort::Link | Sort::Flag));
        if has { Ok(()) } else { Err(failure(token.at, &format!("{field} has no order: compare it with = or !="))) }
    }

    fn value(&mut self, field: &Field) -> Result<Literal, Failure> {
        let token = self.next();
        literal(&token, field, self.now)
    }

    fn list(&mut self, field: &Field) -> Result<Vec<Literal>, Failure> {
        let token = self.peek().clone();
        if !self.take_sign("(") {
            return Err(failure(token.at, "a list in brackets belongs behind `in`, as ('a', 'b')"));
        }
        let mut values = vec![self.value(field)?];
        while self.take_sign(",") {
            values.push(self.value(field)?);
        }
        if values.len() > limits::QUERY_VALUES_MAX {
            return Err(failure(token.at, &format!("a list has at most {} values", limits::QUERY_VALUES_MAX)));
        }
        self.close()?;
        Ok(values)
    }

    /// The field that a token names.
    fn field(&self, token: &Token) -> Result<Field, Failure> {
        let What::Name(first, rest) = &token.what else {
            return Err(failure(token.at, &format!("a field belongs here, not {}", token.what.shown()))
                .hint("fields are metrics.NAME, params.NAME, tags.NAME, and kind, state, started and the like"));
        };
        let Some(rest) = rest else {
            return Attribute::named(first).map(Field::Attribute).ok_or_else(|| unknown(first, token.at));
        };
        let lower = first.to_lowercase();
        let entity = ENTITIES.iter().find(|(name, others)| *name == lower || others.contains(&lower.as_str()));
        match entity.map(|(name, _)| *name) {
            Some("metrics") => Ok(Field::Metric(rest.clone())),
            Some("params") => Ok(Field::Param(rest.clone())),
            Some("tags") => Ok(Field::Tag(rest.clone())),
            Some(_) => Attribute::named(rest).map(Field::Attribute).ok_or_else(|| unknown(rest, token.at)),
            None => {
                let failed = failure(token.at, &format!("unknown field `{first}.{rest}`"));
                let near = suggest::nearest(first, ENTITIES.map(|(name, _)| name));
                Err(failed.hint(match near {
                    Some(near) => format!("did you mean `{near}.{rest}`?"),
                    None => format!("write `metrics.{first}.{rest}`, or params or tags in place of metrics"),
                }))
            }
        }
    }
}

fn comparison(sign: &str) -> Option<Comparison> {
    Some(match sign {
        "=" | "==" => Comparison::Equal,
        "!=" | "<>" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::AtMost,
        ">" => Comparison::Greater,
        ">=" => Comparison::AtLeast,
        _ => return None,
    })
}

fn one_or(mut parts: Vec<Condition>, all: fn(Vec<Condition>) -> Condition) -> Condition {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            all(parts)
        }
    }
}

fn unknown(name: &str, at: usize) -> Failure {
    let failed = failure(at, &format!("unknown field `{name}`"));
    failed.hint(match suggest::nearest(name, Attribute::names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write `metrics.{name}`, `params.{name}` or `tags.{name}`"),
    })
}
