//! Platt scaling: the logistic curve that fits scores to frequencies best.
//!
//! Minimises −Σ w (t ln p + (1 − t) ln (1 − p)), p = 1 / (1 + exp(A·s + B)), with t = (N₊ + 1) / (N₊ + 2) for positive rows
//! and 1 / (N₋ + 2) for the others, N their weights (Platt 1999, §2.2), by Newton's method with backtracking (Lin, Lin and
//! Weng 2007, "A note on Platt's probabilistic outputs"). The minimum is that of scikit-learn's `method="sigmoid"`.

/// Most steps; convergence is quadratic, ten are usual.
const STEPS_MAX: usize = 100;
/// The largest component of the gradient, for each unit of weight, that counts as none.
const GRADIENT_MIN: f64 = 1e-12;
/// Added to the diagonal, so that scores that are all the same have an answer.
const RIDGE: f64 = 1e-12;

/// Slope and offset of the curve. All slices of one length; at least one row of weight above 0.
pub fn fit(scores: &[f64], positive: &[bool], weights: Option<&[f64]>) -> (f64, f64) {
    let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
    let total: f64 = (0..scores.len()).map(weight).sum();
    let positives: f64 = (0..scores.len()).filter(|row| positive[*row]).map(weight).sum();
    let negatives = total - positives;
    let (high, low) = ((positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0));
    // Newton's steps are the same on any scale; on this one the numbers are too.
    let mean = scores.iter().enumerate().map(|(row, score)| weight(row) * score).sum::<f64>() / total;
    let spread = scores.iter().map(|score| (score - mean).abs()).fold(0.0, f64::max);
    let spread = if spread > 0.0 { spread } else { 1.0 };
    let rows: Vec<Row> = scores
        .iter()
        .enumerate()
        .map(|(row, score)| Row {
            score: (score - mean) / spread,
            wanted: if positive[row] { high } else { low },
            weight: weight(row),
        })
        .collect();
    let mut point = [0.0, ((negatives + 1.0) / (positives + 1.0)).ln()];
    let mut best = loss(&rows, point);
    for _ in 0..STEPS_MAX {
        let (gradient, hessian) = derivatives(&rows, point);
        if gradient.iter().all(|part| part.abs() <= GRADIENT_MIN * total) {
            break;
        }
        let step = newton_step(gradient, hessian);
        let mut length = 1.0;
        let better = loop {
            let next = [point[0] + length * step[0], point[1] + length * step[1]];
            let value = loss(&rows, next);
            if value < best {
                break Some((next, value));
            }
            length /= 2.0;
            if length < 1e-10 {
                break None;
            }
        };
        match better {
            Some((next, value)) => (point, best) = (next, value),
            None => break,
        }
    }
    (point[0] / spread, point[1] - point[0] * mean / spread)
}

/// 1 / (1 + exp(−x)), without overflow.
pub fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let exp = x.exp();
        exp / (1.0 + exp)
    }
}

struct Row {
    score: f64,
    wanted: f64,
    weight: f64,
}

fn loss(rows: &[Row], [slope, offset]: [f64; 2]) -> f64 {
    let of_row = |row: &Row| {
        let z = slope * row.score + offset;
        // −t ln p − (1 − t) ln (1 − p), in the form that does not overflow.
        let value =
            if z >= 0.0 { row.wanted * z + (-z).exp().ln_1p() } else { (row.wanted - 1.0) * z + z.exp().ln_1p() };
        row.weight * value
    };
    rows.iter().map(of_row).sum()
}

fn derivatives(rows: &[Row], [slope, offset]: [f64; 2]) -> ([f64; 2], [f64; 3]) {
    let (mut gradient, mut hessian) = ([0.0; 2], [RIDGE, 0.0, RIDGE]);
    for row in rows {
        let p = sigmoid(-(slope * row.score + offset));
        let first = row.weight * (row.wanted - p);
        let second = row.weight * p * (1.0 - p);
        gradient[0] += first * row.score;
        gradient[1] += first;
        hessian[0] += second * row.score * row.score;
        hessian[1] += second * row.score;
        hessian[2] += second;
    }
    (gradient, hessian)
}

fn newton_step(gradient: [f64; 2], [a, b, c]: [f64; 3]) -> [f64; 2] {
    let determinant = a * c - b * b;
    [-(c * gradient[0] - b * gradient[1]) / determinant, -(a * gradient[1] - b * gradient[0]) / determinant]
}
