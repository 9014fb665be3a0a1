//! One value as text: what kind it is, what it is worth, and how it is written.
//!
//! Telling kinds is strict (a code such as `007` is not a number); reading a value of a known type is lenient (`007` in a
//! column that was declared an integer is 7). Spaces and tabs around a value never matter, except that text keeps them.

/// Microseconds in a day.
pub const DAY_MICROS: i64 = 86_400_000_000;

/// What one field of a text table looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// A whole number of 64 bits.
    Integer,
    /// A whole number that does not fit 64 bits.
    Wide,
    /// Digits with leading zeros or a plus sign: a code, a telephone number.
    Code,
    /// A number with a fraction or an exponent, infinity, or not-a-number.
    Float,
    /// A number whose decimal sign is a comma.
    DecimalComma,
    /// `true` or `false`, in any case.
    Boolean,
    /// A calendar day.
    Date,
    /// A day written so that day and month can be mistaken, as `03/04/2024`.
    AmbiguousDate,
    /// A day and a time without a zone.
    LocalTime,
    /// A day and a time with a zone.
    ZonedTime,
    /// A time of day with seconds.
    Clock,
    /// A time of day of hours and minutes alone.
    ShortClock,
    /// Anything else.
    Text,
}

/// Number of kinds.
pub const KINDS: usize = 13;

/// Removes the spaces and tabs around a value.
pub fn trim(text: &str) -> &str {
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(b' ' | b'\t'), _) | (_, Some(b' ' | b'\t')) => text.trim_matches([' ', '\t']),
        _ => text,
    }
}

/// The kind of a field that is not missing. `text` has no spaces around it.
pub fn kind(text: &str) -> Kind {
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(b'0'..=b'9' | b'-' | b'+' | b'.') => number_kind(bytes)
            .or_else(|| time_kind(text))
            .or_else(|| word_number(bytes).then_some(Kind::Float))
            .unwrap_or(Kind::Text),
        Some(b't' | b'T' | b'f' | b'F') if boolean_word(bytes).is_some() => Kind::Boolean,
        Some(b'i' | b'I' | b'n' | b'N') if word_number(bytes) => Kind::Float,
        _ => Kind::Text,
    }
}

/// `[+-]?digits`, `[+-]?digits[.digits][e[+-]digits]`, `digits,digits`; nothing else is a number.
fn number_kind(bytes: &[u8]) -> Option<Kind> {
    let signed = matches!(bytes.first(), Some(b'+' | b'-'));
    let body = &bytes[usize::from(signed)..];
    let whole = digits(body);
    let code = bytes[0] == b'+' || (whole > 1 && body[0] == b'0');
    if whole == body.len() {
        return match whole {
            0 => None,
            _ if code => Some(Kind::Code),
            1..=18 => Some(Kind::Integer),
            _ if std::str::from_utf8(bytes).is_ok_and(|text| text.parse::<i64>().is_ok()) => Some(Kind::Integer),
            _ if too_large(bytes, false) => None,
            _ => Some(Kind::Wide),
        };
    }
    let mut rest = &body[whole..];
    let mut fraction = 0;
    let comma = rest[0] == b',';
    if comma || rest[0] == b'.' {
        fraction = digits(&rest[1..]);
        rest = &rest[1 + fraction..];
    }
    if whole + fraction == 0 {
        return None;
    }
    let exponent = matches!(rest.first(), Some(b'e' | b'E'));
    if let (true, Some(tail)) = (exponent, rest.get(1..)) {
        let sign = usize::from(matches!(tail.first(), Some(b'+' | b'-')));
        let length = digits(&tail[sign..]);
        if length == 0 {
            return None;
        }
        rest = &tail[sign + length..];
    }
    match rest.is_empty() {
        false => None,
        true if comma => (fraction > 0).then_some(Kind::DecimalComma),
        true if code => Some(Kind::Code),
        // `1e400` is kept to the letter rather than made infinite.
        true if too_large(bytes, exponent) => None,
        true => Some(Kind::Float),
    }
}

/// Whether a number is beyond the largest float; without an exponent that takes more than 308 digits.
fn too_large(number: &[u8], exponent: bool) -> bool {
    let value = || std::str::from_utf8(number).ok().and_then(|text| text.parse::<f64>().ok());
    (exponent || number.len() > 308) && value().is_some_and(f64::is_infinite)
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len())
}

/// `inf`, `infinity`, `nan` in any case, with or without a minus sign.
fn word_number(bytes: &[u8]) -> bool {
    let word = bytes.strip_prefix(b"-").unwrap_or(bytes);
    [&b"inf"[..], b"infinity", b"nan"].iter().any(|known| word.eq_ignore_ascii_case(known))
}

fn boolean_word(bytes: &[u8]) -> Option<bool> {
    match bytes.len() {
        4 if bytes.eq_ignore_ascii_case(b"true") => Some(true),
        5 if bytes.eq_ignore_ascii_case(b"false") => Some(false),
        _ => None,
    }
}

fn time_kind(text: &str) -> Option<Kind> {
    if !(5..=40).contains(&text.len()) || !text.as_bytes()[0].is_ascii_digit() {
        return None;
    }
    if let Some(clock) = clock(text.as_bytes()).filter(|clock| clock.rest.is_empty()) {
        return Some(if clock.with_seconds { Kind::Clock } else { Kind::ShortClock });
    }
    if date_days(text).is_some() {
        return Some(Kind::Date);
    }
    match moment(text) {
        Some((_, true)) => Some(Kind::ZonedTime),
        Some((_, false)) => Some(Kind::LocalTime),
        None => ambiguous_date(text.as_bytes()).then_some(Kind::AmbiguousDate),
    }
}

/// `d/m/yyyy` or `d-m-yyyy` with one or two digits: nobody can tell the day from the month.
fn ambiguous_date(bytes: &[u8]) -> bool {
    let mut parts = bytes.split(|&byte| byte == b'/' || byte == b'-').map(|part| (part.len(), digits(part)));
    let mut part = |lengths: std::ops::RangeInclusive<usize>| {
        parts.next().is_some_and(|(length, digits)| length == digits && lengths.contains(&length))
    };
    part(1..=2) && part(1..=2) && part(4..=4) && parts.next().is_none()
}

/// A whole number of 64 bits; leading zeros and a plus sign are accepted.
pub fn integer(text: &str) -> Option<i64> {
    trim(text).parse().ok()
}

/// The nearest 64-bit float (correctly rounded); `inf` and `nan` in any case are accepted. `None` for digits beyond the
/// largest float.
pub fn float(text: &str) -> Option<f64> {
    let text = trim(text);
    let beyond = |value: &f64| value.is_infinite() && text.bytes().any(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|value| !beyond(value))
}

/// `true`, `false` in any case, `1`, `0`.
///
/// Only `true` and `false` make a column boolean by themselves, as pandas and polars have it: `yes`, `no`, `T` and `F` are
/// words.
pub fn boolean(text: &str) -> Option<bool> {
    match trim(text).as_bytes() {
        b"1" => Some(true),
        b"0" => Some(false),
        word => boolean_word(word),
    }
}

/// Microseconds since midnight of `HH:MM` or `HH:MM:SS[.f…]`. Digits below a microsecond are cut.
pub fn time(text: &str) -> Option<i64> {
    clock(trim(text).as_bytes()).filter(|clock| clock.rest.is_empty()).map(|clock| clock.micros)
}

/// Days since 1970-01-01 of `YYYY-MM-DD`, `YYYY/MM/DD`, `DD.MM.YYYY` or `DD-Mon-YYYY`.
pub fn date(text: &str) -> Option<i32> {
    date_days(trim(text))
}

/// Microseconds since 1970-01-01T00:00:00Z of a day (its midnight), or of a day and a time; UTC when there is no zone.
///
/// Digits below a microsecond are cut.
pub fn timestamp(text: &str) -> Option<i64> {
    let text = trim(text);
    let day = || date_days(text).map(|days| i64::from(days) * DAY_MICROS);
    moment(text).map(|(micros, _)| micros).or_else(day)
}

fn date_days(text: &str) -> Option<i32> {
    let b = text.as_bytes();
    let (year, month, day) = match b.len() {
        10 if (b[4] == b'-' && b[7] == b'-') || (b[4] == b'/' && b[7] == b'/') => {
            (two(&b[0..2])? * 100 + two(&b[2..4])?, two(&b[5..7])?, two(&b[8..10])?)
        }
        10 if b[2] == b'.' && b[5] == b'.' => (two(&b[6..8])? * 100 + two(&b[8..10])?, two(&b[3..5])?, two(&b[0..2])?),
        11 if b[2] == b'-' && b[6] == b'-' => {
            (two(&b[7..9])? * 100 + two(&b[9..11])?, month_word(&b[3..6])?, two(&b[0..2])?)
        }
        _ => return None,
    };
    days_from_civil(year, month, day)
}

fn month_word(word: &[u8]) -> Option<i32> {
    const MONTHS: [&[u8; 3]; 12] =
        [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
    MONTHS.iter().position(|month| word.eq_ignore_ascii_case(*month)).map(|index| index as i32 + 1)
}

/// Two digits as a number.
fn two(bytes: &[u8]) -> Option<i32> {
    match bytes {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => Some(i32::from(a - b'0') * 10 + i32::from(b - b'0')),
        _ => None,
    }
}

/// Days from 1970-01-01 to a day of the proleptic Gregorian calendar; `None` for a day that does not exist.
///
/// Howard Hinnant, "chrono-compatible low-level date algorithms", `days_from_civil`.
fn days_from_civil(year: i32, month: i32, day: i32) -> Option<i32> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i32::from(leap),
        _ => return None,
    };
    if !(1..=longest).contains(&day) {
        return None;
    }
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y - era * 400;
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Microseconds of `YYYY-MM-DD[T ]HH:MM[:SS[.f…]][ ][Z|±HH[[:]MM]]`, and whether a zone was written.
fn moment(text: &str) -> Option<(i64, bool)> {
    let bytes = text.as_bytes();
    if bytes.len() < 16 || !matches!(bytes[10], b'T' | b't' | b' ') || bytes[13] != b':' {
        return None;
    }
    let days = i64::from(date_days(text.get(..10)?)?);
    let clock = clock(&bytes[11..])?;
    let offset = zone_minutes(clock.rest)?;
    let micros = clock.micros - i64::from(offset.unwrap_or(0)) * 60_000_000;
    Some((days * DAY_MICROS + micros, offset.is_some()))
}

/// A time of day at the start of a text.
struct Clock<'a> {
    micros: i64,
    with_seconds: bool,
    rest: &'a [u8],
}

/// `HH:MM[:SS[.f…]]`, up to nine digits of a second.
fn clock(bytes: &[u8]) -> Option<Clock<'_>> {
    if bytes.len() < 5 || bytes[2] != b':' {
        return None;
    }
    let (hour, minute) = (two(&bytes[..2])?, two(&bytes[3..5])?);
    let mut rest = &bytes[5..];
    let (mut second, mut micros) = (0, 0);
    let with_seconds = rest.first() == Some(&b':');
    if let [b':', a, b, tail @ ..] = rest {
        second = two(&[*a, *b])?;
        rest = tail;
        if let [b'.' | b',', tail @ ..] = rest {
            let length = digits(tail);
            if length == 0 || length > 9 {
                return None;
            }
            micros = (0..6)
                .fold(0, |sum, place| sum * 10 + i64::from(tail[..length].get(place).map_or(0, |digit| digit - b'0')));
            rest = &tail[length..];
        }
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = i64::from(hour * 3600 + minute * 60 + second);
    Some(Clock { micros: seconds * 1_000_000 + micros, with_seconds, rest })
}

/// Minutes east of UTC; `Some(None)` when nothing is written, `None` when it is not a zone.
fn zone_minutes(rest: &[u8]) -> Option<Option<i32>> {
    let zone = rest.strip_prefix(b" ").unwrap_or(rest);
    let (sign, hours, minutes) = match zone {
        [] if rest.is_empty() => return Some(None),
        b"Z" | b"z" | b"UTC" => return Some(Some(0)),
        [sign @ (b'+' | b'-'), a, b] => (sign, two(&[*a, *b])?, 0),
        [sign @ (b'+' | b'-'), a, b, c, d] | [sign @ (b'+' | b'-'), a, b, b':', c, d] => {
            (sign, two(&[*a, *b])?, two(&[*c, *d])?)
        }
        _ => return None,
    };
    let total = hours * 60 + minutes;
    (hours <= 23 && minutes <= 59).then_some(Some(if *sign == b'-' { -total } else { total }))
}

/// Whether the time of day in `text` has digits other than zero below a microsecond.
pub fn below_microsecond(text: &str) -> bool {
    let after = text.split(['.', ',']).nth(1).unwrap_or("");
    after.bytes().take_while(u8::is_ascii_digit).skip(6).any(|digit| digit != b'0')
}

/// Year, month, day of a number of days since 1970-01-01 (Hinnant, `civil_from_days`).
pub(in crate::data) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let part = (5 * day_of_year + 2) / 153;
    let month = if part < 10 { part + 3 } else { part - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day_of_year - (153 * part + 2) / 5 + 1)
}

/// `YYYY-MM-DD`.
pub fn date_text(days: i32) -> String {
    let (year, month, day) = civil_from_days(i64::from(days));
    format!("{year:04}-{month:02}-{day:02}")
}

/// `HH:MM:SS`, with a fraction only when there is one.
pub fn time_text(micros: i64) -> String {
    let (seconds, fraction) = (micros.rem_euclid(DAY_MICROS) / 1_000_000, micros.rem_euclid(1_000_000));
    let start = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    match fraction {
        0 => start,
        _ => format!("{start}.{}", format!("{fraction:06}").trim_end_matches('0')),
    }
}

/// RFC 3339 in UTC, with a fraction only when there is one: `2024-01-31T09:30:00Z`, `2024-01-31T09:30:00.5Z`.
pub fn timestamp_text(micros: i64) -> String {
    let (days, rest) = (micros.div_euclid(DAY_MICROS), micros.rem_euclid(DAY_MICROS));
    let (year, month, day) = civil_from_days(days);
    format!("{year:04}-{month:02}-{day:02}T{}Z", time_text(rest))
}

/// Appends the shortest text that reads back as the same float; it always looks like a float (`1.0`, `1e20`, `inf`).
pub fn push_float(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        // The fastest shortest-form writer among our dependencies; writing to memory cannot fail.
        let written = serde_json::to_writer(&mut *out, &value);
        debug_assert!(written.is_ok());
    } else {
        out.extend_from_slice(if value.is_nan() {
            b"nan"
        } else if value > 0.0 {
            b"inf"
        } else {
            b"-inf"
        });
    }
}

/// The text of [`push_float`].
pub fn float_text(value: f64) -> String {
    let mut out = Vec::new();
    push_float(&mut out, value);
    String::from_utf8(out).unwrap_or_default()
}
