//! The smallest value of a function of one number.

/// Evaluations after which a search ends with the best point found; 40 are usual.
const EVALUATIONS_MAX: usize = 500;

/// Where `function` is smallest between `low` and `high`, within `tolerance`, for a function with one valley.
///
/// Brent's method: golden sections, with parabolas where they help. Source: Brent, "Algorithms for Minimization Without
/// Derivatives" (1973), chapter 5; equals scipy's `fminbound`. A value that is not a number counts as infinitely large.
pub fn bounded(function: impl Fn(f64) -> f64, low: f64, high: f64, tolerance: f64) -> f64 {
    let value_at = |x: f64| Some(function(x)).filter(|value| !value.is_nan()).unwrap_or(f64::INFINITY);
    let golden = 0.5 * (3.0 - 5.0_f64.sqrt());
    let (mut low, mut high) = (low, high);
    // The best point, the second best, and the second best before that, each with its value.
    let mut best = low + golden * (high - low);
    let mut best_value = value_at(best);
    let (mut second, mut second_value) = (best, best_value);
    let (mut third, mut third_value) = (best, best_value);
    let (mut step, mut step_before) = (0.0_f64, 0.0_f64);
    for _ in 0..EVALUATIONS_MAX {
        let middle = 0.5 * (low + high);
        let near = f64::EPSILON.sqrt() * best.abs() + tolerance / 3.0;
        if (best - middle).abs() <= 2.0 * near - 0.5 * (high - low) {
            break;
        }
        let parabola = parabola(best, second, third, best_value, second_value, third_value);
        let (top, bottom) = parabola;
        let fits = step_before.abs() > near
            && top.abs() < (0.5 * bottom * step_before).abs()
            && top > bottom * (low - best)
            && top < bottom * (high - best);
        if fits {
            (step_before, step) = (step, top / bottom);
            let x = best + step;
            if x - low < 2.0 * near || high - x < 2.0 * near {
                step = near.copysign(middle - best);
            }
        } else {
            step_before = if best >= middle { low - best } else { high - best };
            step = golden * step_before;
        }
        let x = best + step.abs().max(near).copysign(step);
        let value = value_at(x);
        if value <= best_value {
            if x >= best {
                low = best
            } else {
                high = best
            }
            (third, third_value) = (second, second_value);
            (second, second_value) = (best, best_value);
            (best, best_value) = (x, value);
        } else {
            if x < best {
                low = x
            } else {
                high = x
            }
            if value <= second_value || second == best {
                (third, third_value) = (second, second_value);
                (second, second_value) = (x, value);
            } else if value <= third_value || third == best || third == second {
                (third, third_value) = (x, value);
            }
        }
    }
    best
}

/// Step from `best` to the vertex of the parabola through three points, as a fraction with a denominator of 0 or more.
fn parabola(best: f64, second: f64, third: f64, best_value: f64, second_value: f64, third_value: f64) -> (f64, f64) {
    let r = (best - second) * (best_value - third_value);
    let q = (best - third) * (best_value - second_value);
    let top = (best - third) * q - (best - second) * r;
    let bottom = 2.0 * (q - r);
    if bottom > 0.0 { (-top, bottom) } else { (top, -bottom) }
}

#[cfg(test)]
mod tests {
    use super::bounded;

    #[test]
    fn the_valley_is_found() {
        // scipy 1.17.1, optimize.fminbound(f, low, high, xtol=1.48e-8).
        assert!((bounded(|x| (x - 2.0).powi(2), -10.0, 10.0, 1.48e-8) - 2.0).abs() < 1e-8);
        assert!((bounded(|x| x.exp() - 3.0 * x, -5.0, 5.0, 1.48e-8) - 3.0_f64.ln()).abs() < 1e-7);
        assert!((bounded(f64::cos, 0.0, 6.0, 1.48e-8) - std::f64::consts::PI).abs() < 1e-7);
        // A valley at an end, and one behind values that are no numbers.
        assert!((bounded(|x| x, -1.0, 1.0, 1.48e-8) + 1.0).abs() < 1e-7);
        assert!((bounded(|x| if x > 2.0 { f64::NAN } else { (x - 1.0).abs() }, -9.0, 9.0, 1.48e-8) - 1.0).abs() < 1e-7);
    }
}
