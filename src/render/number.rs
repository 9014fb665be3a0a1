//! How numbers, shares and moments are written in documents.

use crate::base::clock::Timestamp;
use crate::base::units;
use crate::spec::schema::ColumnType;

/// A number with about five digits that matter, thousands set apart from five digits on: `2009`, `12,346`,
/// `0.012346`, `1.500e−7`.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "∞"
        } else {
            "−∞"
        }
        .to_owned();
    }
    if size != 0.0 && !(1e-4..1e15).contains(&size) {
        return format!("{value:.3e}").replace('-', "−");
    }
    let sign = if value < 0.0 { "−" } else { "" };
    let whole = |size: u64| if size < 10_000 { size.to_string() } else { units::count(size) };
    if value.fract() == 0.0 {
        return format!("{sign}{}", whole(size as u64));
    }
    let decimals = (4 - size.log10().floor() as i32).clamp(0, 8) as usize;
    let text = format!("{size:.decimals$}");
    let (front, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let front = front.parse().map_or_else(|_| front.to_owned(), whole);
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{front}"),
        fraction => format!("{sign}{front}.{fraction}"),
    }
}

/// A number for the narrow places of a plot: `1.2k`, `3.4M`, else three digits.
pub fn brief(value: f64) -> String {
    let size = value.abs();
    let sign = if value < 0.0 { "−" } else { "" };
    let scaled = |scale: f64, unit: &str| format!("{sign}{}{unit}", number(round_to(size / scale, 3)));
    match size {
        s if !s.is_finite() || (s != 0.0 && !(1e-3..1e15).contains(&s)) => number(value),
        s if s >= 1e12 => scaled(1e12, "T"),
        s if s >= 1e9 => scaled(1e9, "B"),
        s if s >= 1e6 => scaled(1e6, "M"),
        s if s >= 1e4 => scaled(1e3, "k"),
        // Four digits stay whole: years.
        s if s >= 1e3 => format!("{sign}{s:.0}"),
        _ => scaled(1.0, ""),
    }
}

fn round_to(value: f64, digits: i32) -> f64 {
    if value == 0.0 {
        return 0.0;
    }
    let scale = 10_f64.powi(digits - 1 - value.log10().floor() as i32);
    (value * scale).round() / scale
}

/// A share as `12.5 %`; what is neither none nor all never reads as such.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        p if p > 0.0 && p < 0.01 => "< 0.01 %".to_owned(),
        p if p < 100.0 && p > 99.99 => "> 99.99 %".to_owned(),
        p => {
            let text = if p >= 10.0 { format!("{p:.1}") } else { format!("{p:.2}") };
            let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
            // 99.97 must not be rounded up to all of them.
            if text == "100" && p < 100.0 { format!("{p:.2} %") } else { format!("{text} %") }
        }
    }
}

/// `part` of `whole` as a share; 0 of nothing is 0.
pub fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// A value of a column as people read it: dates and time stamps come as microseconds since 1970.
pub fn value(value: f64, column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Date => moment(value as i64).chars().take_while(|letter| *letter != 'T').collect(),
        ColumnType::Timestamp => moment(value as i64),
        // A time of day: that of the same moment on the first day.
        ColumnType::Time => moment(value as i64).chars().skip(11).take(8).collect(),
        _ => number(value),
    }
}

/// [`value`] for the narrow places of a plot.
pub fn brief_value(of: f64, column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Date | ColumnType::Timestamp => value(of, ColumnType::Date),
        ColumnType::Time => value(of, column_type),
        _ => brief(of),
    }
}

/// A distance between values of a column: of times, in the largest unit that says it.
pub fn distance(value: f64, column_type: ColumnType) -> String {
    if !matches!(column_type, ColumnType::Date | ColumnType::Timestamp | ColumnType::Time) {
        return number(value);
    }
    let seconds = value / 1e6;
    if seconds >= 86_400.0 { format!("{} d", number(round_to(seconds / 86_400.0, 4))) } else { units::seconds(seconds) }
}

/// RFC 3339 in UTC without an idle fraction: `2024-01-31T09:30:00Z`.
pub fn moment(micros: i64) -> String {
    let text = Timestamp::from_micros(micros).to_string();
    let bare = text.trim_end_matches('Z');
    if !bare.contains('.') {
        return text;
    }
    format!("{}Z", bare.trim_end_matches('0').trim_end_matches('.'))
}
