//! Least squares of many features: conjugate gradients (Hestenes and Stiefel 1952) on the centred normal equations,
//! which are never made; each step is one pass over the rows.

use crate::base::talk::Talk;
use crate::models::linear::checks;
use crate::models::linear::design::Design;
use crate::models::linear::least_squares::{residual_products, weighted_mean};
use crate::spec::model::LinearParams;

/// Coefficients of the standardised features, then the intercept, where no component of the gradient of the mean
/// squared error exceeds the tolerance times the target's standard deviation. Stopping before that is said.
pub fn solution(kind: &str, design: &Design<'_>, truth: &[f64], params: &LinearParams, talk: &dyn Talk) -> Vec<f64> {
    let (total, width) = (design.total(), design.width());
    let (means, mean) = (design.means(), weighted_mean(design, truth));
    let penalties = checks::penalties(params.l2, &design.scales, 2);
    let squares: f64 = truth.iter().enumerate().map(|(row, y)| design.weight(row) * (y - mean).powi(2)).sum();
    let bound = params.tolerance * (squares / total).sqrt();
    let inverse = preconditioner(design, &means, &penalties);
    let mut point = vec![0.0; width + 1];
    point[width] = mean;
    let mut rest = residual_products(design, truth, &point);
    point.truncate(width);
    centre(&mut rest, &means);
    let mut direction: Vec<f64> = rest.iter().zip(&inverse).map(|(rest, inverse)| rest * inverse).collect();
    let mut length: f64 = rest.iter().zip(&direction).map(|(rest, direction)| rest * direction).sum();
    let steepness = |rest: &[f64]| rest.iter().fold(0.0_f64, |most, value| most.max(value.abs())) / total;
    for _ in 0..params.max_iterations {
        if steepness(&rest) <= bound || length <= 0.0 {
            break;
        }
        let bent = products(design, &direction, &means, &penalties);
        let curvature: f64 = direction.iter().zip(&bent).map(|(direction, bent)| direction * bent).sum();
        if curvature.is_nan() || curvature <= 0.0 {
            break;
        }
        let share = length / curvature;
        point.iter_mut().zip(&direction).for_each(|(value, direction)| *value += share * direction);
        rest.iter_mut().zip(&bent).for_each(|(rest, bent)| *rest -= share * bent);
        let next: f64 = rest.iter().zip(&inverse).map(|(rest, inverse)| rest * rest * inverse).sum();
        let keep = next / length;
        for (direction, (rest, inverse)) in direction.iter_mut().zip(rest.iter().zip(&inverse)) {
            *direction = rest * inverse + keep * *direction;
        }
        length = next;
    }
    if steepness(&rest) > bound {
        let (found, wanted) = (steepness(&rest), bound);
        talk.warn(&format!("`{kind}` stopped at a gradient of {found:.1e}, above its tolerance {wanted:.1e}"));
        talk.hint("raise `max_iterations` or `l2`");
    }
    point.push(mean - point.iter().zip(&means).map(|(value, mean)| value * mean).sum::<f64>());
    point
}

/// Products with the centred normal matrix and its penalties.
fn products(design: &Design<'_>, direction: &[f64], means: &[f64], penalties: &[f64]) -> Vec<f64> {
    let point = [direction, &[0.0]].concat();
    let mut bent = design.totals(|block, scores| {
        design.scores(block.clone(), &point, scores);
        design.weigh(block, scores);
    });
    centre(&mut bent, means);
    bent.iter_mut().zip(penalties.iter().zip(direction)).for_each(|(bent, (penalty, value))| *bent += penalty * value);
    bent
}

/// Takes the part of the means out of sums of products, whose last is the sum of the factors, and drops that.
fn centre(sums: &mut Vec<f64>, means: &[f64]) {
    let sum = sums.pop().unwrap_or(0.0);
    sums.iter_mut().zip(means).for_each(|(value, mean)| *value -= mean * sum);
}

/// One over the diagonal of the centred normal matrix; 0 where a feature is constant, whose coefficient stays 0.
fn preconditioner(design: &Design<'_>, means: &[f64], penalties: &[f64]) -> Vec<f64> {
    let mut diagonal: Vec<f64> = means.iter().map(|share| design.total() * share * (1.0 - share)).collect();
    for number in design.numbers() {
        diagonal[number.place] = design.total();
    }
    let invert = |(square, penalty): (&f64, &f64)| match *square > checks::CONSTANT_SHARE * design.total() {
        true => 1.0 / (square + penalty),
        false => 0.0,
    };
    diagonal.iter().zip(penalties).map(invert).collect()
}
