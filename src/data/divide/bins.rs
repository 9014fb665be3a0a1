//! Numbers and times in bins of about equally many rows.

use crate::data::divide::values::Cut;
use crate::data::frame::{MISSING_CODE, MISSING_TIME, Values};
use crate::data::value::{DAY_MICROS, date_text, time_text, timestamp_text};
use crate::spec::schema::ColumnType;

/// Bins and how many there are: fewer than `count` where the values do not allow more.
///
/// Equal values are never parted. Names: `< 18`, `[18, 25)`, `>= 25`; each bound is the shortest number between the largest
/// value below it and the smallest above. Infinite numbers are in the first and last bin, missing ones in none. One sort.
pub fn bins(values: &Values, count: usize, column_type: ColumnType) -> (Cut, usize) {
    let numbers: Vec<f64> = match values {
        Values::Number(numbers) => numbers.clone(),
        Values::Time(times) => {
            times.iter().map(|time| if *time == MISSING_TIME { f64::NAN } else { *time as f64 }).collect()
        }
        other => vec![f64::NAN; other.len()],
    };
    let cuts = cuts(&numbers, count);
    let label = |(below, at): &(f64, f64)| label(*below, *at, column_type);
    let labels: Vec<String> = cuts.iter().map(label).collect();
    let bounds: Vec<f64> = cuts.iter().map(|(_, at)| *at).collect();
    let names = match &labels[..] {
        [] => vec!["all values".to_owned()],
        [first, .., last] | [first @ last] => {
            let inner = labels.windows(2).map(|pair| format!("[{}, {})", pair[0], pair[1]));
            let ends = [format!("< {first}"), format!(">= {last}")];
            let [low, high] = ends;
            [low].into_iter().chain(inner).chain([high]).collect()
        }
    };
    let count = names.len();
    (Cut { codes: codes(&numbers, &bounds), names, note: None }, count)
}

/// The bin of each number: how many of the ascending `bounds` it reaches; missing for not-a-number.
pub fn codes(numbers: &[f64], bounds: &[f64]) -> Vec<u32> {
    let code = |value: &f64| match value.is_nan() {
        true => MISSING_CODE,
        false => bounds.partition_point(|bound| bound <= value) as u32,
    };
    numbers.iter().map(code).collect()
}

/// Where bins of about equally many rows meet: the largest value below and the smallest value above, ascending.
///
/// Values are dealt out in ascending order; a bin ends where its rows come nearest to its share of the rows that are left.
pub fn cuts(numbers: &[f64], count: usize) -> Vec<(f64, f64)> {
    let mut sorted: Vec<f64> = numbers.iter().copied().filter(|value| !value.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut cuts: Vec<(f64, f64)> = Vec::new();
    let (mut start, mut at) = (0, 0);
    for group in sorted.chunk_by(|a, b| a == b) {
        let bins_left = count - cuts.len();
        if bins_left < 2 {
            break;
        }
        let share = (sorted.len() - start) as f64 / bins_left as f64;
        let (without, with) = ((at - start) as f64, (at - start + group.len()) as f64);
        if at > start && (with - share).abs() >= (share - without).abs() {
            cuts.push((sorted[at - 1], group[0]));
            start = at;
        }
        at += group.len();
    }
    cuts
}

/// The shortest text of a bound above `below` that is not above `at`.
fn label(below: f64, at: f64, column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Date => date_text((at / DAY_MICROS as f64).floor() as i32),
        ColumnType::Timestamp => timestamp_text(at as i64),
        ColumnType::Time => time_text((at * 1e6) as i64),
        _ => shortest(below, at).to_string(),
    }
}

/// The number of fewest digits above `below` and not above `at`.
fn shortest(below: f64, at: f64) -> f64 {
    if below < 0.0 && at >= 0.0 {
        return 0.0;
    }
    let rounded = |digits: usize| {
        let number: f64 = format!("{at:.digits$e}").parse().unwrap_or(at);
        let step = 10_f64.powi(at.abs().log10().floor() as i32 - digits as i32);
        [number, number - step].into_iter().find(|number| below < *number && *number <= at)
    };
    (0..16).find_map(rounded).unwrap_or(at)
}
