//! Quantile sketches: a distribution as at most a thousand weighted points.
//!
//! A point stands for neighbouring values. With n values and at most m points, points close as soon as they stand for
//! n / m values, and a value with that many of its own is a point of its own. Where heavy values break up too many groups,
//! the size of a point grows by quarters until the points fit; at most 2 n / (m - 1) always does. A point that stands for
//! several values stands for less than twice the size at which points close.

use crate::base::limits::SKETCH_POINTS_MAX;
use crate::data::profile::sums::quantile_of;
use crate::record::profile::QuantileSketch;

/// Sketches ascending runs of finite numbers, `(value, count)`, `distinct` of them at most, of `total` values together, with
/// at most `points_max` points.
///
/// Cost: one pass over the runs, a few when heavy values are many.
pub fn sketch(
    runs: impl Iterator<Item = (f64, u64)> + Clone,
    total: u64,
    distinct: u64,
    points_max: usize,
) -> QuantileSketch {
    if distinct <= points_max as u64 {
        return group(runs, 1, usize::MAX, true).expect("there is no limit on the points");
    }
    let mut size = total.div_ceil(points_max as u64);
    loop {
        if let Some(sketch) = group(runs.clone(), size, points_max, false) {
            return sketch;
        }
        size += size / 4 + 1;
    }
}

/// Points of at least `size` values each, but for the last and those before a heavy value; `None` when they are too many.
fn group(runs: impl Iterator<Item = (f64, u64)>, size: u64, points_max: usize, exact: bool) -> Option<QuantileSketch> {
    let mut sketch = QuantileSketch { exact, values: Vec::new(), counts: Vec::new() };
    let mut open = Group::default();
    for (value, count) in runs {
        if count >= size && open.count > 0 {
            open.close(&mut sketch);
        }
        open.add(value, count);
        if open.count >= size {
            open.close(&mut sketch);
        }
        if sketch.values.len() > points_max {
            return None;
        }
    }
    if open.count > 0 {
        open.close(&mut sketch);
    }
    (sketch.values.len() <= points_max).then_some(sketch)
}

/// Values that will be one point. The sum is of differences to the first, so that near numbers lose nothing.
#[derive(Default)]
struct Group {
    first: f64,
    last: f64,
    sum: f64,
    count: u64,
}

impl Group {
    fn add(&mut self, value: f64, count: u64) {
        if self.count == 0 {
            (self.first, self.sum) = (value, 0.0);
        }
        self.sum += (value - self.first) * count as f64;
        self.last = value;
        self.count += count;
    }

    fn close(&mut self, sketch: &mut QuantileSketch) {
        let mean = match self.sum.is_finite() {
            true => (self.first + self.sum / self.count as f64).clamp(self.first, self.last),
            // Numbers so far apart that their sum is none: the middle.
            false => self.first / 2.0 + self.last / 2.0,
        };
        match (sketch.values.last(), sketch.counts.last_mut()) {
            // Whole numbers beyond 2^53 that are one float are one point.
            (Some(last), Some(count)) if *last == mean => *count += self.count,
            _ => {
                sketch.values.push(mean);
                sketch.counts.push(self.count);
            }
        }
        self.count = 0;
    }
}

impl QuantileSketch {
    /// Values that the sketch stands for.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The sketch of all values that `parts` stand for, again within the limit of points.
    ///
    /// Exact when all parts are and the distinct values together are few enough. Else a rank is off by at most the sum of what
    /// the parts are off, plus 2 n / m for the points made here: 4 n / m when the parts were never merged before, usually half
    /// of that (n values, m = `limits::SKETCH_POINTS_MAX`). Does not depend on the order of `parts` but for rounding.
    /// O(points · log points).
    pub fn merge(parts: &[&QuantileSketch]) -> QuantileSketch {
        let mut points: Vec<(f64, u64)> =
            parts.iter().flat_map(|part| part.values.iter().copied().zip(part.counts.iter().copied())).collect();
        points.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        points.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 += if same { next.1 } else { 0 };
            same
        });
        let total = points.iter().map(|(_, count)| count).sum();
        let mut merged = sketch(points.iter().copied(), total, points.len() as u64, SKETCH_POINTS_MAX);
        merged.exact &= parts.iter().all(|part| part.exact);
        merged
    }

    /// The `share` quantile by linear interpolation, as numpy's default; exactly that when the sketch is exact. `None` when
    /// the sketch is empty.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let total = self.total();
        if total == 0 {
            return None;
        }
        let ends: Vec<u64> = self
            .counts
            .iter()
            .scan(0, |end, count| {
                *end += count;
                Some(*end)
            })
            .collect();
        let at = |place: u64| self.values[ends.partition_point(|end| *end <= place)];
        Some(quantile_of(total, share.clamp(0.0, 1.0), at))
    }

    /// How many values are at most `value`. Off by less than what the one point around `value` stands for; exact at and
    /// beyond values that are points of their own.
    pub fn rank(&self, value: f64) -> u64 {
        let below = self.values.partition_point(|point| *point <= value);
        self.counts[..below].iter().sum()
    }
}
