//! Dates and times written in a form that people name with a format: `%d/%m/%Y`.

use jiff::fmt::strtime::{self, BrokenDownTime};

use crate::data::value;

/// The format that stands for every form in which dates and time stamps are read.
pub const ANY: &str = "iso";

/// Whether `text` is a date or time written as `format` says (strftime's directives), of a day that exists.
pub fn is_written(format: &str, text: &str) -> bool {
    if format == ANY {
        return value::date(text).is_some() || value::timestamp(text).is_some();
    }
    strtime::parse(format, text).is_ok_and(|parts| exists(&parts))
}

/// The day, where one is written, is on the calendar.
fn exists(parts: &BrokenDownTime) -> bool {
    let whole = parts.year().is_some() && parts.month().is_some() && parts.day().is_some();
    !whole || parts.to_date().is_ok()
}

/// Why `format` is no format; none when it is one.
pub fn format_fault(format: &str) -> Option<String> {
    if format == ANY {
        return None;
    }
    let moment = jiff::Timestamp::UNIX_EPOCH.to_zoned_datetime(jiff::tz::TimeZone::UTC);
    strtime::format(format, &moment).err().map(|error| error.to_string())
}
