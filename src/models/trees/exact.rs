//! Sums and quantiles that do not depend on the order of the rows.

/// Bits kept below the largest value; with 2^31 values the sum still fits 128 bits.
const BITS: i32 = 94;

/// The sum of values, the same bits in any order: fixed point, 94 bits below the largest, far more than a float has.
/// Values are finite; two passes.
pub fn sum(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = values.clone().map(f64::abs).fold(0.0, f64::max);
    if largest == 0.0 {
        return 0.0;
    }
    let power = (BITS - largest.log2().ceil() as i32).clamp(-1000, 1000);
    let scale = 2_f64.powi(power);
    let total = values.fold(0_i128, |total, value| total.wrapping_add((value * scale) as i128));
    total as f64 * 2_f64.powi(-power)
}

/// The quantile of level `level` in `[0, 1]` as LightGBM takes it (`PercentileFun`): between neighbours of the sorted
/// values, at `(1 - level)·n` from the top. Reorders `values`, of which there is at least one. `O(n)`.
pub fn quantile(values: &mut [f64], level: f64) -> f64 {
    let count = values.len();
    let from_top = (1.0 - level) * count as f64;
    let place = from_top as usize;
    if count == 1 {
        return values[0];
    }
    if place < 1 {
        return values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    }
    if place >= count {
        return values.iter().copied().fold(f64::INFINITY, f64::min);
    }
    let (_, below, above) = values.select_nth_unstable_by(count - 1 - place, f64::total_cmp);
    let below = *below;
    let above = above.iter().copied().fold(f64::INFINITY, f64::min);
    above - (above - below) * (from_top - place as f64)
}

/// The quantile of values with positive weights. Whole weights count as repeats, so the answer is that of [`quantile`]
/// over repeated values; other weights give the first value at which the weights up to it exceed `level` of all.
/// `O(n log n)`.
pub fn weighted_quantile(values: &mut [(f64, f64)], level: f64, is_whole: bool) -> f64 {
    // Equal values are ordered by weight, so that sums of weights do not depend on the order of rows.
    values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let total: f64 = values.iter().map(|(_, weight)| weight).sum();
    if !is_whole {
        let mut up_to = 0.0;
        let found = values.iter().find(|(_, weight)| {
            up_to += weight;
            up_to > total * level
        });
        return found.or(values.last()).map_or(0.0, |(value, _)| *value);
    }
    let from_top = (1.0 - level) * total;
    let place = from_top.floor();
    // The value that stands at a position from the top when each is repeated as often as it weighs.
    let at = |position: f64| {
        let mut down_to = 0.0;
        let found = values.iter().rev().find(|(_, weight)| {
            down_to += weight;
            down_to > position
        });
        found.or(values.first()).map_or(0.0, |(value, _)| *value)
    };
    if place < 1.0 {
        return at(0.0);
    }
    let (above, below) = (at(place - 1.0), at(place));
    above - (above - below) * (from_top - place)
}

#[cfg(test)]
mod tests {
    use super::{quantile, sum, weighted_quantile};

    #[test]
    fn sums_do_not_depend_on_the_order() {
        let values = [1e16, 3.0, -1e16, 0.1, 7e-9];
        let backwards = values.iter().rev().copied();
        assert_eq!(sum(values.iter().copied()).to_bits(), sum(backwards).to_bits());
        assert_eq!(sum(values.iter().copied()), 3.1 + 7e-9);
        assert_eq!(sum([f64::MIN_POSITIVE, f64::MIN_POSITIVE].into_iter()), 2.0 * f64::MIN_POSITIVE);
        assert_eq!(sum([1e308, -1e308, 5e307].into_iter()), 5e307);
    }

    #[test]
    fn quantiles_are_those_of_lightgbm() {
        // `lightgbm.train` of one tree without splits on these targets, `boost_from_average`, LightGBM 4.7.0.
        assert_eq!(quantile(&mut [4.0, 1.0], 0.5), 4.0);
        assert_eq!(quantile(&mut [4.0, 1.0, 2.0], 0.5), 3.0);
        assert_eq!(quantile(&mut [5.0], 0.1), 5.0);
        assert_eq!(quantile(&mut [1.0, 2.0, 3.0], 0.99), 3.0);
    }

    #[test]
    fn whole_weights_are_repeats() {
        let rows = [(3.0, 2.0), (1.0, 1.0), (7.0, 4.0), (2.0, 3.0)];
        let mut repeated: Vec<f64> = rows.iter().flat_map(|(value, times)| vec![*value; *times as usize]).collect();
        for level in [0.01, 0.25, 0.5, 0.77, 0.99] {
            assert_eq!(weighted_quantile(&mut rows.clone(), level, true), quantile(&mut repeated, level), "{level}");
        }
        assert_eq!(weighted_quantile(&mut rows.map(|(value, weight)| (value, weight / 100.0)), 0.5, false), 3.0);
    }
}
