//! Patterns of paths, the days and hours written in them, and rolling windows over those.

use std::fmt::Write;

use anyhow::Result;
use regex::Regex;

use crate::base::fail::{self, Failure};
use crate::base::suggest;
use crate::base::talk::Talk;
use crate::base::units;
use crate::source::listing;

/// Which partitions of a pattern are kept, counted from the newest one that is there: no clock is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Those that start less than this many hours before the newest.
    Hours(u32),
    /// The newest ones.
    Newest(u32),
}

impl Window {
    /// Reads `7d`, `24h`, `2w`, or `3` for the newest three partitions.
    pub fn parse(text: &str) -> Result<Window, Failure> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let number = text[..end].parse::<u32>().ok().filter(|number| *number > 0);
        let hours = |scale: u32| number.and_then(|number| number.checked_mul(scale)).map(Window::Hours);
        let window = match &text[end..] {
            "" => number.map(Window::Newest),
            "h" => hours(1),
            "d" => hours(24),
            "w" => hours(24 * 7),
            _ => None,
        };
        window.ok_or_else(|| {
            fail::usage(format!("`{text}` is not a window"))
                .hint("write it like 7d, 24h or 2w, or 3 for the newest three partitions")
        })
    }
}

/// A window was asked of something that has no partitions.
pub fn no_partitions() -> Failure {
    fail::usage("a window needs a source with dates in its path")
        .hint("write it like 'data/{YYYY}-{MM}-{DD}.csv' or 'data/day={YYYY}-{MM}-{DD}/*.csv'")
}

/// How finely a pattern divides time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grain {
    /// `{YYYY}`
    Year,
    /// `{MM}`
    Month,
    /// `{DD}`
    Day,
    /// `{HH}`
    Hour,
}

const PLACES: [(&str, Grain, usize); 4] =
    [("YYYY", Grain::Year, 4), ("MM", Grain::Month, 2), ("DD", Grain::Day, 2), ("HH", Grain::Hour, 2)];

/// A year and, as far as the pattern goes, month, day and hour; ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
}

impl Period {
    /// Days since 1970-01-01 of the first day of this period, in the proleptic Gregorian calendar.
    ///
    /// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
    fn days(self) -> i64 {
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * ((self.month + 9) % 12) + 2) / 5 + self.day - 1;
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
    }

    /// The inverse of [`Period::days`] (`civil_from_days`).
    fn from_days(days: i64, hour: i64) -> Period {
        let days = days + 719_468;
        let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Period { year, month, day: day_of_year - (153 * shifted + 2) / 5 + 1, hour }
    }

    fn exists(self) -> bool {
        let there = (1..=12).contains(&self.month) && (1..=31).contains(&self.day) && (0..24).contains(&self.hour);
        there && Period::from_days(self.days(), self.hour) == self
    }

    fn start_hours(self) -> i64 {
        self.days() * 24 + self.hour
    }

    /// Number of this period among all of its grain.
    fn ordinal(self, grain: Grain) -> i64 {
        match grain {
            Grain::Year => self.year,
            Grain::Month => self.year * 12 + self.month - 1,
            Grain::Day => self.days(),
            Grain::Hour => self.start_hours(),
        }
    }

    fn from_ordinal(ordinal: i64, grain: Grain) -> Period {
        match grain {
            Grain::Year => Period { year: ordinal, month: 1, day: 1, hour: 0 },
            Grain::Month => Period { year: ordinal.div_euclid(12), month: ordinal.rem_euclid(12) + 1, day: 1, hour: 0 },
            Grain::Day => Period::from_days(ordinal, 0),
            Grain::Hour => Period::from_days(ordinal.div_euclid(24), ordinal.rem_euclid(24)),
        }
    }

    fn name(self, grain: Grain) -> String {
        let Period { year, month, day, hour } = self;
        match grain {
            Grain::Year => format!("{year:04}"),
            Grain::Month => format!("{year:04}-{month:02}"),
            Grain::Day => format!("{year:04}-{month:02}-{day:02}"),
            Grain::Hour => format!("{year:04}-{month:02}-{day:02} {hour:02} h"),
        }
    }
}

/// A pattern of paths below a fixed folder.
pub struct Pattern {
    /// The folder before the first part with a wildcard, with a `/` at its end unless empty.
    pub folder: String,
    /// Most folders below `folder`, plus one; `None` when there is no bound (`**`).
    pub depth: Option<usize>,
    /// The finest placeholder, if there are any.
    pub grain: Option<Grain>,
    below: Regex,
    places: Vec<Grain>,
}

/// What a path is to a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// It does not fit.
    No,
    /// It fits; with its period if the pattern has placeholders.
    Yes(Option<Period>),
    /// It fits, but no calendar has such a day, or two placeholders contradict each other.
    NoSuchTime,
}

/// Whether `text` has wildcards or placeholders.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

impl Pattern {
    /// Reads `*`, `?`, `[a-z]`, `[!a-z]`, `**/`, `{YYYY}`, `{MM}`, `{DD}`, `{HH}`. Wildcards never match hidden files.
    ///
    /// Errors: unknown placeholders, a day without its month.
    pub fn new(text: &str) -> Result<Pattern> {
        let wild = text.find(['*', '?', '[', '{']).unwrap_or(text.len());
        let (folder, rest) = text.split_at(text[..wild].rfind('/').map_or(0, |at| at + 1));
        let mut places = Vec::new();
        let expression = expression(rest, &mut places)?;
        let grain = places.iter().copied().max();
        if let Some(missing) =
            PLACES.iter().find(|(_, place, _)| grain.is_some_and(|grain| *place < grain) && !places.contains(place))
        {
            let what = format!("the pattern `{text}` has a finer placeholder but no {{{}}}", missing.0);
            return Err(fail::usage(what).hint("placeholders are {YYYY}, {MM}, {DD} and {HH}").into());
        }
        let below = Regex::new(&expression).map_err(|_| fail::usage(format!("`{text}` is not a pattern")))?;
        let depth = (!rest.contains("**")).then(|| rest.split('/').count());
        Ok(Pattern { folder: folder.to_owned(), depth, grain, below, places })
    }

    /// What `path`, relative to [`Pattern::folder`], is to the pattern.
    pub fn matches(&self, path: &str) -> Match {
        let Some(found) = self.below.captures(path) else { return Match::No };
        if self.grain.is_none() {
            return Match::Yes(None);
        }
        let mut numbers: [Option<i64>; 4] = [None; 4];
        for (place, text) in self.places.iter().zip(found.iter().skip(1)) {
            let number = text.and_then(|text| text.as_str().parse().ok());
            let before = numbers[*place as usize].replace(number.unwrap_or(-1));
            if before.is_some_and(|before| Some(before) != number) {
                return Match::NoSuchTime;
            }
        }
        let [year, month, day, hour] = numbers;
        let (month, day) = (month.unwrap_or(1), day.unwrap_or(1));
        let period = Period { year: year.unwrap_or(1), month, day, hour: hour.unwrap_or(0) };
        if period.exists() { Match::Yes(Some(period)) } else { Match::NoSuchTime }
    }
}

/// The pattern as a regular expression over whole paths, one group a placeholder.
fn expression(pattern: &str, places: &mut Vec<Grain>) -> Result<String> {
    let mut out = String::from("^");
    let mut rest = pattern;
    let mut at_start = true;
    while let Some(letter) = rest.chars().next() {
        let mut used = letter.len_utf8();
        match letter {
            '*' if rest.starts_with("**/") && at_start => {
                out.push_str("(?:[^/.][^/]*/)*");
                rest = &rest[3..];
                continue;
            }
            '*' if rest == "**" && at_start => {
                out.push_str("(?:[^/.][^/]*/)*[^/.][^/]*");
                used = 2;
            }
            '*' => out.push_str(if at_start { "(?:[^/.][^/]*)?" } else { "[^/]*" }),
            '?' => out.push_str(if at_start { "[^/.]" } else { "[^/]" }),
            '[' => match class(rest) {
                Some((class, length)) => {
                    out.push_str(&class);
                    used = length;
                }
                None => out.push_str("\\["),
            },
            '{' => match placeholder(rest)? {
                Some((grain, digits, length)) => {
                    places.push(grain);
                    // Writing to a string cannot fail.
                    let _ = write!(out, "([0-9]{{{digits}}})");
                    used = length;
                }
                None => out.push_str("\\{"),
            },
            other => out.push_str(&regex::escape(&other.to_string())),
        }
        at_start = letter == '/';
        rest = &rest[used..];
    }
    out.push('$');
    Ok(out)
}

/// `[abc]` or `[!abc]` at the start of `text`, as a class of a regular expression, and its length.
fn class(text: &str) -> Option<(String, usize)> {
    let end = text[1..].char_indices().find(|(at, letter)| *letter == ']' && *at > 0 && &text[1..=*at] != "!")?.0 + 1;
    let inside = &text[1..end];
    let (not, letters) = inside.strip_prefix('!').map_or(("", inside), |letters| ("^/", letters));
    let mut class = format!("[{not}");
    for letter in letters.chars() {
        if letter != '-' && !letter.is_alphanumeric() {
            class.push('\\');
        }
        class.push(letter);
    }
    class.push(']');
    // A class that makes no sense (`[z-a]`) stands for itself.
    Regex::new(&class).is_ok().then_some((class, end + 1))
}

/// `{YYYY}` and its like at the start of `text`: grain, digits, length. Braces around anything but letters are plain.
fn placeholder(text: &str) -> Result<Option<(Grain, usize, usize)>> {
    let Some(end) = text.find('}') else { return Ok(None) };
    let name = &text[1..end];
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphabetic()) {
        return Ok(None);
    }
    match PLACES.iter().find(|(known, ..)| *known == name) {
        Some((_, grain, digits)) => Ok(Some((*grain, *digits, end + 1))),
        None => Err(suggest::unknown("placeholder", name, PLACES.iter().map(|(known, ..)| *known)).into()),
    }
}

/// Keeps the files of the partitions inside `window`, in order of time and then of name; says which partitions lack.
pub fn keep<T>(
    mut files: Vec<(Period, String, T)>,
    grain: Grain,
    window: Option<Window>,
    shown: &str,
    talk: &dyn Talk,
) -> Vec<(String, T)> {
    files.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let mut periods: Vec<Period> = files.iter().map(|(period, ..)| *period).collect();
    periods.dedup();
    let Some(newest) = periods.last().copied() else { return Vec::new() };
    let all = periods.len();
    match window {
        None => {}
        Some(Window::Newest(count)) => drop(periods.drain(..all.saturating_sub(count as usize))),
        Some(Window::Hours(hours)) => {
            periods.retain(|period| period.start_hours() > newest.start_hours() - i64::from(hours));
        }
    }
    let oldest = periods.first().copied().unwrap_or(newest);
    if window.is_some() {
        let range = format!("{} to {}", oldest.name(grain), newest.name(grain));
        talk.info(&format!("{shown}: {} of {all} kept, {range}", units::plural(periods.len() as u64, "partition")));
    }
    say_missing(&periods, grain, window, shown, talk);
    let kept = files.into_iter().filter(|(period, ..)| *period >= oldest);
    kept.map(|(_, name, file)| (name, file)).collect()
}

fn say_missing(periods: &[Period], grain: Grain, window: Option<Window>, shown: &str, talk: &dyn Talk) {
    let there: Vec<i64> = periods.iter().map(|period| period.ordinal(grain)).collect();
    let (Some(first), Some(last)) = (there.first().copied(), there.last().copied()) else { return };
    let expected_from = match (window, grain) {
        (Some(Window::Hours(hours)), Grain::Hour) => last - i64::from(hours) + 1,
        (Some(Window::Hours(hours)), Grain::Day) => last - (i64::from(hours) - 1).div_euclid(24),
        _ => first,
    };
    let name = |ordinal: i64| Period::from_ordinal(ordinal, grain).name(grain);
    let missing = (last - expected_from + 1) as usize - there.len();
    if missing == 0 {
        return;
    }
    let absent = (expected_from..last).filter(|ordinal| there.binary_search(ordinal).is_err());
    // Some names are enough; a table with the years 1 and 9999 has millions of days missing.
    let named: Vec<String> = absent.take(6).map(name).collect();
    let more = if missing > 6 { format!(" and {} more", units::count((missing - 6) as u64)) } else { String::new() };
    let all = format!("{}{more}", if missing > 6 { named.join(", ") } else { listing::some(&named) });
    talk.warn(&format!("{shown}: no partition for {all}"));
}

/// Whether a calendar has this day.
pub fn is_day(year: i64, month: i64, day: i64) -> bool {
    Period { year, month, day, hour: 0 }.exists()
}
