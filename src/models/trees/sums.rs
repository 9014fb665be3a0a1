//! Gradients in fixed point, so that their sums are exact.
//!
//! Sums of integers do not depend on the order of the terms: histograms are the same bits whatever the number of
//! threads and whatever the order of the rows, and "parent minus child" loses nothing. Of `n < 2^c` rows each gradient
//! keeps `61 - c` binary digits below the largest one (41 for a million rows), each second derivative `64 - 2c` (24).

/// Two words, of one row, of one bin or of one node: the sum of gradients, and the number of rows above the sum of
/// second derivatives. Words of bins and nodes are sums of the words of their rows.
pub type Sums = [u64; 2];

/// Most rows that the words have room for.
pub const ROWS_MAX: usize = 1 << 27;

/// Adds `other`.
#[inline(always)]
pub fn add(sums: &mut Sums, other: Sums) {
    sums[0] = sums[0].wrapping_add(other[0]);
    sums[1] = sums[1].wrapping_add(other[1]);
}

/// The difference.
#[inline(always)]
pub fn minus(sums: Sums, other: Sums) -> Sums {
    [sums[0].wrapping_sub(other[0]), sums[1].wrapping_sub(other[1])]
}

/// How words are made and read.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    gradient: f64,
    gradient_back: f64,
    hessian: f64,
    hessian_back: f64,
    shift: u32,
}

impl Scale {
    /// For `rows` rows whose gradients and second derivatives are at most these in absolute value. Both factors are
    /// powers of two, so that whole numbers stay exact.
    pub fn new(rows: usize, gradient_max: f64, hessian_max: f64) -> Scale {
        let count_bits = (usize::BITS - rows.leading_zeros()) as i32;
        let hessian_bits = (64 - 2 * count_bits).clamp(1, 32);
        let gradient_power = (61 - count_bits - power_above(gradient_max)).clamp(-1000, 1000);
        let hessian_power = (hessian_bits - power_above(hessian_max)).clamp(-1000, 1000);
        Scale {
            gradient: 2_f64.powi(gradient_power),
            gradient_back: 2_f64.powi(-gradient_power),
            hessian: 2_f64.powi(hessian_power),
            hessian_back: 2_f64.powi(-hessian_power),
            shift: (count_bits + hessian_bits) as u32,
        }
    }

    /// Words of one row.
    #[inline(always)]
    pub fn row(&self, gradient: f64, hessian: f64) -> Sums {
        let gradient = (gradient * self.gradient) as i64 as u64;
        let hessian = (hessian * self.hessian + 0.5) as i64 as u64;
        [gradient, (1 << self.shift) + hessian]
    }

    /// The sum of gradients.
    #[inline(always)]
    pub fn gradient(&self, sums: Sums) -> f64 {
        sums[0] as i64 as f64 * self.gradient_back
    }

    /// The sum of second derivatives.
    #[inline(always)]
    pub fn hessian(&self, sums: Sums) -> f64 {
        (sums[1] & ((1 << self.shift) - 1)) as f64 * self.hessian_back
    }

    /// The number of rows.
    #[inline(always)]
    pub fn count(&self, sums: Sums) -> u64 {
        sums[1] >> self.shift
    }
}

/// The smallest power `p` with `value <= 2^p`; 0 for a value that is not positive.
fn power_above(value: f64) -> i32 {
    if value > 0.0 && value.is_finite() { value.log2().ceil() as i32 } else { 0 }
}
