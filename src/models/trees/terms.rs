//! What a leaf is worth, given the sums of its rows: plainly, or under penalties and bounds.

/// Smallest and largest value that a leaf may have, before shrinkage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Smallest.
    pub low: f64,
    /// Largest; not below `low`.
    pub high: f64,
}

impl Bounds {
    /// No bounds.
    pub const NONE: Bounds = Bounds { low: f64::NEG_INFINITY, high: f64::INFINITY };

    /// The allowed value nearest to `value`.
    pub fn clamp(self, value: f64) -> f64 {
        value.max(self.low).min(self.high)
    }

    /// Bounds of both children of a node whose own children would have these values: with a direction, neither side may
    /// later cross the middle between them, so that what holds between two leaves holds between all that come of them
    /// (LightGBM's `basic` method).
    pub fn divide(self, direction: i8, left: f64, right: f64) -> [Bounds; 2] {
        let middle = left / 2.0 + right / 2.0;
        match direction {
            0 => [self, self],
            1.. => [Bounds { high: middle, ..self }, Bounds { low: middle, ..self }],
            _ => [Bounds { low: middle, ..self }, Bounds { high: middle, ..self }],
        }
    }
}

/// `G` moved towards zero by the L1 penalty.
#[inline(always)]
pub fn threshold(gradient: f64, l1: f64) -> f64 {
    gradient.signum() * (gradient.abs() - l1).max(0.0)
}

/// How sums of gradients and of second derivatives become the worth of leaves; twice the decrease of the loss.
pub trait Terms {
    /// Of one leaf, before it is split.
    fn whole(&self, gradient: f64, hessian: f64, l2: f64) -> f64;
    /// Of the two leaves of a split, each given by both its sums; minus infinity when the split is not allowed.
    fn pair(&self, left: (f64, f64), right: (f64, f64), l2: f64) -> f64;
}

/// Nothing but the squared penalty: `G²/(H + λ)`.
pub struct Plain;

impl Terms for Plain {
    #[inline(always)]
    fn whole(&self, gradient: f64, hessian: f64, l2: f64) -> f64 {
        gradient * gradient / (hessian + l2)
    }

    #[inline(always)]
    fn pair(&self, left: (f64, f64), right: (f64, f64), l2: f64) -> f64 {
        left.0 * left.0 / (left.1 + l2) + right.0 * right.0 / (right.1 + l2)
    }
}

/// An L1 penalty, a largest step, bounds and a direction: `-(2 T(G) v + (H + λ) v²)` for the value `v` that the leaf
/// would have, `T` being [`threshold`].
pub struct Ruled {
    /// The L1 penalty.
    pub l1: f64,
    /// Largest size of a value.
    pub step_max: f64,
    /// What values may be.
    pub bounds: Bounds,
    /// 1 or -1 when the right value must not be below, or above, the left one.
    pub direction: i8,
}

impl Ruled {
    #[inline(always)]
    fn value(&self, (gradient, hessian): (f64, f64), l2: f64) -> f64 {
        let value = -threshold(gradient, self.l1) / (hessian + l2);
        value.clamp(-self.step_max, self.step_max)
    }

    #[inline(always)]
    fn worth(&self, (gradient, hessian): (f64, f64), l2: f64, value: f64) -> f64 {
        -(2.0 * threshold(gradient, self.l1) * value + (hessian + l2) * value * value)
    }
}

impl Terms for Ruled {
    fn whole(&self, gradient: f64, hessian: f64, l2: f64) -> f64 {
        let sums = (gradient, hessian);
        self.worth(sums, l2, self.value(sums, l2))
    }

    #[inline(always)]
    fn pair(&self, left: (f64, f64), right: (f64, f64), l2: f64) -> f64 {
        let left_value = self.bounds.clamp(self.value(left, l2));
        let right_value = self.bounds.clamp(self.value(right, l2));
        if f64::from(self.direction) * (right_value - left_value) < 0.0 {
            return f64::NEG_INFINITY;
        }
        self.worth(left, l2, left_value) + self.worth(right, l2, right_value)
    }
}
