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
    // In two steps, as one power of two would leave the range of numbers for the smallest values.
    let power = BITS - largest.log2().ceil() as i32;
    let (scale, more) = (2_f64.powi(power / 2), 2_f64.powi(power - power / 2));
    let total = values.fold(0_i128, |total, value| total.wrapping_add((value * scale * more) as i128));
    total as f64 / more / scale
}

/// The quantile of level `level` in `[0, 1]`, linear between neighbours of the sorted values (Hyndman and Fan 1996, type
/// 7, as LightGBM 4 and numpy take it). Reorders `values`, of which there is at least one. `O(n)`.
pub fn quantile(values: &mut [f64], level: f64) -> f64 {
    let place = (values.len() - 1) as f64 * level;
    let (_, below, above) = values.select_nth_unstable_by(place as usize, f64::total_cmp);
    let below = *below;
    let above = above.iter().copied().fold(f64::INFINITY, f64::min);
    if above.is_infinite() { below } else { below + (above - below) * place.fract() }
}

/// The quantile of values with positive weights. Whole weights count as repeats, so the answer is that of [`quantile`]
/// over repeated values; other weights give the first value at which the weights up to it are at least `level` of all
/// (numpy's `inverted_cdf`), whatever their unit. `O(n log n)`.
pub fn weighted_quantile(values: &mut [(f64, f64)], level: f64, is_whole: bool) -> f64 {
    // Equal values are ordered by weight, so that sums of weights do not depend on the order of rows.
    values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let total: f64 = values.iter().map(|(_, weight)| weight).sum();
    let first = |passes: &dyn Fn(f64) -> bool| {
        let mut up_to = 0.0;
        let found = values.iter().find(|(_, weight)| {
            up_to += weight;
            passes(up_to)
        });
        found.or(values.last()).map_or(0.0, |(value, _)| *value)
    };
    if !is_whole {
        return first(&|up_to| up_to >= total * level);
    }
    let place = (total - 1.0) * level;
    let (below, above) = (first(&|up_to| up_to > place.floor()), first(&|up_to| up_to > place.floor() + 1.0));
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::{quantile, sum, weighted_quantile};

    #[test]
    fn sums_do_not_depend_on_the_order() {
        let values = [1e16, 3.0, -1e16, 0.125];
        let backwards = values.iter().rev().copied();
        assert_eq!(sum(values.iter().copied()).to_bits(), sum(backwards).to_bits());
        assert_eq!(sum(values.iter().copied()), 3.125);
        assert_eq!(sum([f64::MIN_POSITIVE, f64::MIN_POSITIVE].into_iter()), 2.0 * f64::MIN_POSITIVE);
        assert_eq!(sum([1e308, -1e308, 5e307].into_iter()), 5e307);
    }

    #[test]
    fn quantiles_are_those_of_lightgbm() {
        // Its answer for a table on which no split is allowed, LightGBM 4.7.0.
        assert_eq!(quantile(&mut [4.0, 1.0], 0.5), 2.5);
        assert_eq!(quantile(&mut [4.0, 1.0, 2.0], 0.5), 2.0);
        assert!((quantile(&mut [4.0, 1.0, 2.0], 0.99) - 3.96).abs() < 1e-12);
        assert!((quantile(&mut [8.0, 1.0, 4.0, 2.0], 0.3) - 1.9).abs() < 1e-12);
        assert_eq!(quantile(&mut [5.0], 0.1), 5.0);
    }

    #[test]
    fn whole_weights_are_repeats() {
        let rows = [(3.0, 2.0), (1.0, 1.0), (7.0, 4.0), (2.0, 3.0)];
        let mut repeated: Vec<f64> = rows.iter().flat_map(|(value, times)| vec![*value; *times as usize]).collect();
        for level in [0.01, 0.25, 0.5, 0.77, 0.99] {
            assert_eq!(weighted_quantile(&mut rows.clone(), level, true), quantile(&mut repeated, level), "{level}");
        }
        // numpy 2.4.6: `quantile([3, 1, 7, 2], level, weights=[.2, .1, .4, .3], method="inverted_cdf")`.
        for (level, expected) in [(0.05, 1.0), (0.25, 2.0), (0.45, 3.0), (0.5, 3.0), (0.77, 7.0), (0.99, 7.0)] {
            let mut lighter = rows.map(|(value, weight)| (value, weight / 10.0));
            assert_eq!(weighted_quantile(&mut lighter, level, false), expected, "{level}");
        }
    }
}
