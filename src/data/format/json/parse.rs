//! Objects of plain values read from JSON text (RFC 8259), strictly and without recursion.
//!
//! serde_json is not used here: it rounds integers beyond 64 bits and does not say in which field a fault lies.

use std::borrow::Cow;

use crate::data::format::json::blocks::string_end;

/// How objects are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One a line.
    Lines,
    /// By commas; in the last block of an array no comma may come last.
    Array {
        /// Whether the block is the last one.
        last: bool,
    },
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number as it is written.
    Number(&'a str),
    /// Text.
    Text(Cow<'a, str>),
}

/// What is wrong with an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It is something else, as "a list".
    NotObject(&'static str),
    /// This field holds an object or a list.
    Nested(String),
    /// This field is given twice.
    Twice(String),
    /// It is not JSON: this is wrong, in this field if that is known.
    Syntax(&'static str, Option<String>),
}

/// The first thing wrong in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Object in the block, from 0.
    pub row: usize,
    /// Where in the block it was found, in bytes.
    pub at: usize,
    /// What is wrong.
    pub problem: Problem,
}

/// How many objects and skipped lines a block has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Objects.
    pub rows: usize,
    /// Lines without any character.
    pub blank: usize,
}

/// Calls `each(row, field, value)` for every field of a block of whole objects, and fails with what it refuses.
pub fn each_value<'a>(
    block: &'a str,
    form: Form,
    mut each: impl FnMut(usize, Cow<'a, str>, Value<'a>) -> Result<(), Problem>,
) -> Result<Counts, Fault> {
    let mut reader = Reader { text: block, bytes: block.as_bytes(), at: 0, lines: form == Form::Lines };
    let mut counts = Counts::default();
    let mut after_comma = true;
    loop {
        reader.skip_space();
        match reader.peek() {
            Some(b'\n') => {
                counts.blank += 1;
                reader.at += 1;
                continue;
            }
            None if form == (Form::Array { last: true }) && after_comma && counts.rows > 0 => {
                let problem = Problem::Syntax("a comma stands before the end of the array", None);
                return Err(Fault { row: counts.rows, at: reader.at, problem });
            }
            None => return Ok(counts),
            Some(_) => {}
        }
        let row = counts.rows;
        let read = reader.object(|field, value| each(row, field, value)).and_then(|()| reader.between(form));
        after_comma = read.map_err(|problem| Fault { row, at: reader.at, problem })?;
        counts.rows += 1;
    }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// Whether a line end is no white space.
    lines: bool,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            if self.lines && self.bytes[self.at] == b'\n' {
                break;
            }
            self.at += 1;
        }
    }

    /// What divides two objects; whether it was a comma.
    fn between(&mut self, form: Form) -> Result<bool, Problem> {
        self.skip_space();
        match (form, self.peek()) {
            (_, None) => Ok(false),
            (Form::Lines, Some(b'\n')) | (Form::Array { .. }, Some(b',')) => {
                self.at += 1;
                Ok(form != Form::Lines)
            }
            (Form::Lines, _) => Err(Problem::Syntax("something follows the object on its line", None)),
            (Form::Array { .. }, _) => Err(Problem::Syntax("a comma is missing after the object", None)),
        }
    }

    fn object(&mut self, mut each: impl FnMut(Cow<'a, str>, Value<'a>) -> Result<(), Problem>) -> Result<(), Problem> {
        match self.peek() {
            Some(b'{') => self.at += 1,
            Some(b'[') => return Err(Problem::NotObject("a list")),
            Some(b'"') => return Err(Problem::NotObject("text")),
            Some(b'-' | b'0'..=b'9') => return Err(Problem::NotObject("a number")),
            Some(b't' | b'f' | b'n') => return Err(Problem::NotObject("a single value")),
            _ => return Err(Problem::Syntax("an object is expected", None)),
        }
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(Problem::Syntax(self.or_cut("a field name in double quotes is expected"), None));
            }
            let field = self.string().map_err(|why| Problem::Syntax(why, None))?;
            self.skip_space();
            let in_field = |why| Problem::Syntax(why, Some(field.to_string()));
            if self.peek() != Some(b':') {
                return Err(in_field(self.or_cut("a colon is expected after the name")));
            }
            self.at += 1;
            self.skip_space();
            if let Some(b'{' | b'[') = self.peek() {
                return Err(Problem::Nested(field.into_owned()));
            }
            let value = self.value().map_err(in_field)?;
            self.skip_space();
            let after = self.peek();
            if !matches!(after, Some(b',' | b'}')) {
                return Err(in_field(self.or_cut("a comma or a closing brace is expected after the value")));
            }
            self.at += 1;
            each(field, value)?;
            if after == Some(b'}') {
                return Ok(());
            }
        }
    }

    /// `why`, unless the line or the file ends here.
    fn or_cut(&self, why: &'static str) -> &'static str {
        match self.peek() {
            None => "the object does not end",
            Some(b'\n') => "the line ends inside the object",
            Some(_) => why,
        }
    }

    fn value(&mut self) -> Result<Value<'a>, &'static str> {
        let rest = &self.bytes[self.at..];
        let mut word = |word: &str, value: Value<'a>| {
            self.at += word.len();
            Ok(value)
        };
        match rest {
            [b'"', ..] => self.string().map(Value::Text),
            [b'-', b'I', ..] | [b'I' | b'N', ..] => Err("NaN and Infinity are not JSON; write null"),
            [b'-' | b'0'..=b'9', ..] => self.number().map(Value::Number),
            _ if rest.starts_with(b"true") => word("true", Value::Boolean(true)),
            _ if rest.starts_with(b"false") => word("false", Value::Boolean(false)),
            _ if rest.starts_with(b"null") => word("null", Value::Null),
            _ => Err(self.or_cut("a value is expected")),
        }
    }

    /// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`
    fn number(&mut self) -> Result<&'a str, &'static str> {
        let start = self.at;
        let skip = |reader: &mut Self, wanted: &[u8]| {
            let there = reader.peek().is_some_and(|byte| wanted.contains(&byte));
            reader.at += usize::from(there);
            there
        };
        let digits = |reader: &mut Self| {
            let from = reader.at;
            while let Some(b'0'..=b'9') = reader.peek() {
                reader.at += 1;
            }
            reader.at - from
        };
        skip(self, b"-");
        let leading_zero = self.peek() == Some(b'0');
        match digits(self) {
            0 => return Err("a number has no digits"),
            count if leading_zero && count > 1 => {
                return Err("a number has leading zeros; codes are written in quotes");
            }
            _ => {}
        }
        if skip(self, b".") && digits(self) == 0 {
            return Err("a number has no digits after its point");
        }
        if skip(self, b"eE") {
            skip(self, b"+-");
            if digits(self) == 0 {
                return Err("a number has no digits in its exponent");
            }
        }
        Ok(&self.text[start..self.at])
    }

    /// The string at the quote here.
    fn string(&mut self) -> Result<Cow<'a, str>, &'static str> {
        let start = self.at + 1;
        let end = string_end(self.bytes, start).ok_or("a quote does not close")?;
        let inside = &self.text[start..end];
        if let Some(at) = inside.bytes().position(|byte| byte < 0x20) {
            let cut = self.lines && inside.as_bytes()[at] == b'\n';
            return Err(if cut {
                "the line ends inside text"
            } else {
                "text holds a control character that is not escaped"
            });
        }
        self.at = end + 1;
        match inside.contains('\\') {
            false => Ok(Cow::Borrowed(inside)),
            true => unescaped(inside).map(Cow::Owned),
        }
    }
}

fn unescaped(text: &str) -> Result<String, &'static str> {
    const UNKNOWN: &str = "a backslash is followed by a character that it cannot escape";
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = *rest.as_bytes().get(at + 1).ok_or(UNKNOWN)?;
        let plain = match escape {
            b'"' | b'\\' | b'/' => char::from(escape),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let (decoded, length) = unicode(&rest[at..])?;
                out.push(decoded);
                rest = &rest[at + length..];
                continue;
            }
            _ => return Err(UNKNOWN),
        };
        out.push(plain);
        rest = &rest[at + 2..];
    }
    out.push_str(rest);
    match out.contains('\0') {
        true => Err("text holds a NUL character"),
        false => Ok(out),
    }
}

/// The character of an escape such as `\u00e9`, or of two of them that are surrogates, at the start of `text`, and their length.
fn unicode(text: &str) -> Result<(char, usize), &'static str> {
    const WRONG: &str = "\\u is not followed by four hexadecimal digits of a character";
    let unit = |from: usize| {
        let digits = text.as_bytes().get(from..from + 6)?;
        let digits = digits.strip_prefix(b"\\u").filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let first = unit(0).ok_or(WRONG)?;
    let pair: Vec<u16> = match first {
        0xD800..=0xDBFF => vec![first, unit(6).ok_or(WRONG)?],
        _ => vec![first],
    };
    let mut decoded = char::decode_utf16(pair.iter().copied());
    match (decoded.next(), decoded.next()) {
        (Some(Ok(letter)), None) => Ok((letter, 6 * pair.len())),
        _ => Err(WRONG),
    }
}
