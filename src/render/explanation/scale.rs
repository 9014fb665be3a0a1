//! From values to places on a plot.

use crate::render::number::number;

/// A straight scale.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    low: f64,
    width: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// A scale of `values` on the places `from` to `to`; values that are all the same are in the middle. Halves are
    /// taken, so that widths of huge values do not overflow.
    pub fn new(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Scale {
        let (low, high) = values
            .filter(|value| value.is_finite())
            .fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            return Scale { low: 0.0, width: 0.5, from, to };
        }
        match high / 2.0 - low / 2.0 {
            width if width > 0.0 => Scale { low, width, from, to },
            _ => Scale { low: low - 0.5, width: 0.5, from, to },
        }
    }

    /// A scale with room for `share` of its width at both ends.
    pub fn padded(self, share: f64) -> Scale {
        Scale { low: self.low - 2.0 * self.width * share, width: self.width * (1.0 + 2.0 * share), ..self }
    }

    /// The place of a value.
    pub fn at(&self, value: f64) -> f64 {
        let share = ((value / 2.0 - self.low / 2.0) / self.width).clamp(-0.5, 1.5);
        self.from + (self.to - self.from) * if share.is_finite() { share } else { 0.5 }
    }

    /// Round values on the scale, about `count` of them (steps of 1, 2 or 5), with their text.
    pub fn ticks(&self, count: usize) -> Vec<(f64, String)> {
        let rough = self.width * 2.0 / count.max(1) as f64;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * power).find(|step| *step >= rough * 0.75);
        let Some(step) = step.filter(|step| step.is_finite() && *step > 0.0) else {
            return Vec::new();
        };
        let first = (self.low / step).ceil();
        let values = (0..=2 * count).map(|number| (first + number as f64) * step);
        let inside = values.take_while(|value| value / 2.0 - self.low / 2.0 <= self.width * 1.000_001);
        inside.map(|value| (value, number(if value.abs() < step / 1e6 { 0.0 } else { value }))).collect()
    }
}
