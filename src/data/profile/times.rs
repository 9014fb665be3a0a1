//! The range of dates and time stamps, and the gaps in it.

use crate::record::profile::TimeProfile;

/// Describes sorted moments, each a whole number of `unit` microseconds; `moments` is used up. `None` without any.
///
/// The usual step is the most frequent distance between neighbouring distinct moments; longer ones are gaps. Moments outside
/// the range of 64-bit microseconds count as its ends. Cost: one more sort, in place.
pub fn describe(moments: &mut Vec<i64>, unit: i64) -> Option<TimeProfile> {
    let micros = |moment: i64| moment.saturating_mul(unit);
    let (first, last) = (micros(*moments.first()?), micros(*moments.last()?));
    moments.dedup();
    let longest = moments.windows(2).enumerate().max_by(|(a, left), (b, right)| {
        let distance = |pair: &[i64]| pair[1].saturating_sub(pair[0]);
        // The first of equals.
        distance(left).cmp(&distance(right)).then(b.cmp(a))
    });
    let longest = longest.map(|(_, pair)| (pair[0], pair[1]));
    for place in 1..moments.len() {
        moments[place - 1] = moments[place].saturating_sub(moments[place - 1]);
    }
    moments.pop();
    moments.sort_unstable();
    let distances = &moments[..];
    let step = distances.chunk_by(|a, b| a == b).fold((0, 0), |best, run| match run.len() {
        count if count > best.1 => (run[0], count),
        _ => best,
    });
    let gaps = distances.len() - distances.partition_point(|distance| *distance <= step.0);
    let longest_gap = longest.filter(|_| gaps > 0).map(|(start, end)| (micros(start), micros(end)));
    Some(TimeProfile { first, last, step: micros(step.0), gaps: gaps as u64, longest_gap })
}
