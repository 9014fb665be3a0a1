//! The statistics of a column as text, beside those of an older version.

use crate::base::units;
use crate::record::profile::{ColumnProfile, NumberProfile, QUANTILES};
use crate::render::bins;
use crate::render::escape::{markup, shortened};
use crate::render::number::{distance as far, moment, number, percent, share, value};
use crate::render::plot::visible;
use crate::spec::schema::ColumnType;

/// One statistic of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statistic {
    /// What is measured.
    pub name: &'static str,
    /// Its value.
    pub new: String,
    /// Its value in the older version; empty where it has none.
    pub old: Option<String>,
    /// Whether it stands on the face of the card.
    pub leading: bool,
}

impl Statistic {
    /// Whether two versions differ in it, as far as it is written.
    pub fn changed(&self) -> bool {
        self.old.as_ref().is_some_and(|old| *old != self.new)
    }
}

/// All statistics that the profile holds, the leading ones first come first.
pub fn statistics(column: &ColumnProfile, old: Option<&ColumnProfile>) -> Vec<Statistic> {
    let before = old.map(written);
    let find = |name: &str| {
        let before = before.as_ref()?;
        Some(before.iter().find(|(known, ..)| *known == name).map_or_else(String::new, |(_, text, _)| text.clone()))
    };
    let now = written(column);
    now.into_iter().map(|(name, new, leading)| Statistic { name, new, old: find(name), leading }).collect()
}

type Written = (&'static str, String, bool);

fn written(column: &ColumnProfile) -> Vec<Written> {
    let rows = column.present + column.missing;
    let counted = |count: u64| match count {
        0 => "0".to_owned(),
        count => format!("{} ({})", units::count(count), percent(share(count, rows))),
    };
    let is_number = column.numbers.is_some();
    let mut all: Vec<Written> = Vec::new();
    if let Some(numbers) = &column.numbers {
        all.extend(of_numbers(column, numbers, &counted));
    }
    all.push(("distinct", units::count(column.unique), !is_number));
    all.push(("present", units::count(column.present), false));
    all.push(("missing", counted(column.missing), false));
    if let Some(texts) = &column.texts {
        let lengths = if texts.length_min == texts.length_max {
            units::count(texts.length_min)
        } else {
            format!("{} – {}", units::count(texts.length_min), units::count(texts.length_max))
        };
        all.push(("length", lengths, true));
        all.push(("mean length", number(texts.length_mean), true));
        all.push(("empty text", counted(texts.empty), false));
        all.push(("spaces at an end", counted(texts.padded), false));
        all.push(("invalid text", counted(texts.invalid), texts.invalid > 0));
    }
    if let Some(times) = &column.times {
        let kind = column.column_type;
        let show = |micros: i64| if kind == ColumnType::Date { value(micros as f64, kind) } else { moment(micros) };
        all.push(("usual step", far(times.step as f64, kind), true));
        all.push(("gaps", units::count(times.gaps), true));
        if let Some((from, to)) = times.longest_gap {
            all.push(("longest gap", format!("{} to {}", show(from), show(to)), false));
        }
    }
    // The plot shows it on the face of the card.
    for (text, count) in column.top.iter().take(if is_number { 0 } else { 1 }) {
        all.push(("most frequent", format!("{} ({})", shortened(&visible(text), 30), units::count(*count)), false));
    }
    all
}

fn of_numbers(column: &ColumnProfile, numbers: &NumberProfile, counted: &dyn Fn(u64) -> String) -> Vec<Written> {
    const SHARES: [&str; 11] = ["", "1 %", "5 %", "10 %", "25 %", "median", "75 %", "90 %", "95 %", "99 %", ""];
    let kind = column.column_type;
    let known = |of: Option<f64>| of.map_or_else(|| "–".to_owned(), |of| value(of, kind));
    let is_time = matches!(kind, ColumnType::Date | ColumnType::Timestamp);
    let mut all = vec![
        (if is_time { "first" } else { "min" }, known(numbers.min), true),
        ("median", known(numbers.quantiles.get(5).copied()), !is_time),
        (if is_time { "last" } else { "max" }, known(numbers.max), true),
        ("mean", known(numbers.mean), !is_time),
        ("deviation", numbers.std.map_or_else(|| "–".to_owned(), |std| far(std, kind)), !is_time),
    ];
    if !is_time {
        all.push(("zeros", counted(numbers.zeros), true));
    }
    for (index, of) in numbers.quantiles.iter().enumerate().take(QUANTILES.len()) {
        if !matches!(index, 0 | 5 | 10) {
            all.push((SHARES[index], value(*of, kind), false));
        }
    }
    if !is_time {
        all.push(("not a number", counted(numbers.nan), numbers.nan > 0));
        all.push(("infinite", counted(numbers.infinite), numbers.infinite > 0));
    }
    all
}

/// How different two versions of a column are, in `[0, 1]`: half the sum of the differences of shares (total variation)
/// over bins or values, or the difference in missing values if that is larger; 1 for a column of one version alone.
pub fn distance(column: &ColumnProfile, old: Option<&ColumnProfile>) -> f64 {
    let Some(old) = old.filter(|old| old.numbers.is_some() == column.numbers.is_some()) else {
        return 1.0;
    };
    let rows = |of: &ColumnProfile| of.present + of.missing;
    let missing = (share(column.missing, rows(column)) - share(old.missing, rows(old))).abs();
    let moved = match bins::bins(&[column, old]) {
        Some(bins) => {
            let (now, then) = (bins::shares(column, &bins.edges), bins::shares(old, &bins.edges));
            now.iter().zip(&then).map(|(now, then)| (now - then).abs()).sum::<f64>() / 2.0
        }
        None => values_moved(column, old),
    };
    missing.max(moved)
}

fn values_moved(column: &ColumnProfile, old: &ColumnProfile) -> f64 {
    let of = |profile: &ColumnProfile, value: &str| {
        share(profile.top.iter().find(|(known, _)| known == value).map_or(0, |(_, count)| *count), profile.present)
    };
    let known: f64 = column.top.iter().take(100).map(|(value, _)| (of(column, value) - of(old, value)).abs()).sum();
    let is_new = |value: &&(String, u64)| !column.top.iter().take(100).any(|(known, _)| *known == value.0);
    let gone: f64 = old.top.iter().take(100).filter(is_new).map(|(value, _)| of(old, value)).sum();
    (known + gone) / 2.0
}

/// All of them as a table that opens on request.
pub fn table(statistics: &[Statistic], two: bool) -> String {
    let mut text = "<details><summary>All statistics</summary><table>".to_owned();
    if two {
        text.push_str("<thead><tr><th></th><th class=\"n\">before</th><th class=\"n\">now</th></tr></thead>");
    }
    for statistic in statistics {
        let new = markup(&statistic.new);
        let name = statistic.name;
        text.push_str(&match (&statistic.old, statistic.changed()) {
            (None, _) => format!("<tr><th>{name}</th><td class=\"n\">{new}</td></tr>"),
            (Some(_), false) => format!("<tr><th>{name}</th><td class=\"n\">{new}</td><td class=\"n\">{new}</td></tr>"),
            (Some(old), true) => format!(
                "<tr class=\"changed\"><th>{name}</th><td class=\"n\">{}</td>\
                 <td class=\"n\"><span class=\"to\">{new}</span></td></tr>",
                markup(old)
            ),
        });
    }
    text.push_str("</table></details>\n");
    text
}
