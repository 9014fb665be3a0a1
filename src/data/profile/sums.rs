//! Sums and quantiles that do not lose digits.

/// Running sums side by side, so that one addition need not wait for the one before.
const LANES: usize = 4;

/// Adds `value` exactly: the sum in `total`, what it cannot hold in `lost` (two-sum, Knuth 1969).
fn add(total: &mut f64, lost: &mut f64, value: f64) {
    let next = *total + value;
    let added = next - *total;
    *lost += (*total - (next - added)) + (value - added);
    *total = next;
}

/// The sum of `term` over `items` with compensation (Neumaier 1974): its error does not grow with their number.
///
/// A sum that overflows is infinite or not a number. Always in the same order, whatever the number of threads.
pub fn sum<T: Copy>(items: &[T], term: impl Fn(T) -> f64) -> f64 {
    let (mut total, mut lost) = ([0.0; LANES], [0.0; LANES]);
    let chunks = items.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for lane in 0..LANES {
            add(&mut total[lane], &mut lost[lane], term(chunk[lane]));
        }
    }
    for (lane, item) in rest.iter().enumerate() {
        add(&mut total[lane], &mut lost[lane], term(*item));
    }
    let (mut whole, mut small) = (0.0, 0.0);
    for value in total.into_iter().chain(lost) {
        add(&mut whole, &mut small, value);
    }
    if small.is_finite() { whole + small } else { whole }
}

/// The `share` quantile of sorted numbers, between neighbours by linear interpolation (Hyndman and Fan 1996, type 7;
/// numpy's default). `sorted` is not empty, `share` is from 0 to 1.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    quantile_of(sorted.len() as u64, share, |place| sorted[place as usize])
}

/// As [`quantile`], of `count` numbers of which `at` gives the one at a place.
pub fn quantile_of(count: u64, share: f64, at: impl Fn(u64) -> f64) -> f64 {
    let place = share * (count - 1) as f64;
    let (low, part) = (place.floor() as u64, place.fract());
    let (a, b) = (at(low), at((low + 1).min(count - 1)));
    // The form of numpy's `_lerp`: monotonic, exact at both ends; weights avoid overflow of b - a.
    match b - a {
        step if !step.is_finite() => a * (1.0 - part) + b * part,
        step if part >= 0.5 => b - step * (1.0 - part),
        step => a + step * part,
    }
}

/// A power of two that brings `size` near 1, so that neither it nor its square leaves the range of numbers; 1 when that is
/// not at risk. Scaling by it loses nothing.
pub fn scale_for(size: f64) -> f64 {
    const SAFE: std::ops::Range<f64> = 1e-140..1e140;
    if size == 0.0 || SAFE.contains(&size) { 1.0 } else { 2.0_f64.powi(-(size.log2() as i32).clamp(-1000, 1000)) }
}

/// Mean and standard deviation (n - 1 in the divisor) of sorted finite numbers, read from `items` by `value`.
///
/// The deviation is the corrected two-pass one (Chan, Golub and LeVeque 1983), scaled so that squares neither overflow nor
/// vanish. `None` where there are too few numbers, or where the answer is no 64-bit number.
pub fn moments<T: Copy>(items: &[T], value: impl Fn(T) -> f64) -> (Option<f64>, Option<f64>) {
    let (Some(&first), Some(&last)) = (items.first(), items.last()) else {
        return (None, None);
    };
    let (first, last, count) = (value(first), value(last), items.len() as f64);
    let plain = sum(items, &value) / count;
    // Sums of huge numbers overflow; the sum of n-ths does not.
    let mean = if plain.is_finite() { plain } else { sum(items, |item| value(item) / count) };
    // The mean of equal numbers is that number, in spite of rounding.
    let mean = mean.clamp(first, last);
    if items.len() < 2 {
        return (Some(mean), None);
    }
    let scale = scale_for(last / 2.0 - first / 2.0);
    let middle = mean * scale;
    let off = sum(items, |item| value(item) * scale - middle);
    let square = sum(items, |item| {
        let difference = value(item) * scale - middle;
        difference * difference
    });
    let deviation = (((square - off * off / count) / (count - 1.0)).max(0.0)).sqrt() / scale;
    (Some(mean), Some(deviation).filter(|deviation| deviation.is_finite()))
}

/// As [`moments`], of whole numbers, exact in the sum and in the differences. Scale-free: multiply both by the unit.
pub fn whole_moments(sorted: &[i64]) -> (Option<f64>, Option<f64>) {
    let (Some(&first), Some(&last)) = (sorted.first(), sorted.last()) else {
        return (None, None);
    };
    let count = sorted.len() as f64;
    let total: i128 = sorted.iter().map(|value| i128::from(*value)).sum();
    let mean = total as f64 / count;
    if sorted.len() < 2 {
        return (Some(mean), None);
    }
    let middle = i64::try_from(total / sorted.len() as i128).expect("a mean lies between its numbers");
    let off = (total - i128::from(middle) * sorted.len() as i128) as f64;
    let square = |difference: f64| difference * difference;
    let squares = match last.checked_sub(first) {
        Some(_) => sum(sorted, |value| square((value - middle) as f64)),
        None => sum(sorted, |value| square(value as f64 - middle as f64)),
    };
    (Some(mean), Some(((squares - off * off / count) / (count - 1.0)).max(0.0).sqrt()))
}
