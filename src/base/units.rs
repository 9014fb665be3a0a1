//! How sizes, durations and counts are written for people and read from them.

use std::time::Duration;

use crate::base::fail::{self, Failure};

/// `1536` as `1.5 KiB`.
pub fn bytes(count: u64) -> String {
    const NAMES: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let mut size = count as f64 / 1024.0;
    let mut name = 0;
    while size >= 1023.95 && name + 1 < NAMES.len() {
        size /= 1024.0;
        name += 1;
    }
    format!("{size:.1} {}", NAMES[name])
}

/// `1234567` as `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `count` of a thing with the right ending: `1 row`, `3 rows`, `1,000 rows`.
pub fn plural(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", count(number))
}

/// Seconds as `12 ms`, `3.4 s`, `2 min 05 s`, `1 h 02 min`.
pub fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 0.001 => format!("{:.1} ms", s * 1e3),
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 60.0 => format!("{s:.1} s"),
        s if s < 3600.0 => format!("{} min {:02} s", s as u64 / 60, s as u64 % 60),
        s => format!("{} h {:02} min", s as u64 / 3600, s as u64 % 3600 / 60),
    }
}

/// Reads `90s`, `10m`, `2h`, `7d`, `250ms`; a plain number counts as seconds.
pub fn parse_duration(text: &str) -> Result<Duration, Failure> {
    let (number, unit) = split_unit(text);
    let scale = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => f64::NAN,
    };
    let seconds = number.parse::<f64>().map_or(f64::NAN, |n| n * scale);
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| fail::usage(format!("`{text}` is not a duration")).hint("write it like 90s, 10m, 2h or 7d"))
}

/// Reads `64MiB`, `10MB`, `4096`; K, M, G, T with or without `iB` are powers of 1024, with `B` powers of 1000.
pub fn parse_bytes(text: &str) -> Result<u64, Failure> {
    let (number, unit) = split_unit(text);
    let scale = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kib" => 1024.0,
        "m" | "mib" => 1_048_576.0,
        "g" | "gib" => 1_073_741_824.0,
        "t" | "tib" => 1_099_511_627_776.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "tb" => 1e12,
        _ => f64::NAN,
    };
    match number.parse::<f64>().map(|n| n * scale) {
        Ok(size) if size.is_finite() && size >= 0.0 => Ok(size as u64),
        _ => Err(fail::usage(format!("`{text}` is not a size")).hint("write it like 64MiB or 4096")),
    }
}

fn split_unit(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    (text[..end].trim(), &text[end..])
}
