//! Probabilities from decisions: a sigmoid for each pair of classes, and one answer from all pairs.

/// Most Newton steps, smallest step and slope, and what keeps the Hessian positive: Lin, Lin and Weng's constants.
const STEPS_MAX: usize = 100;
const STEP_MIN: f64 = 1e-10;
const SLOPE_MIN: f64 = 1e-5;
const RIDGE: f64 = 1e-12;
/// Pairs are never certain.
pub(crate) const CERTAIN: f64 = 1e-7;
/// Coupling ends at this, divided by the number of classes, or after as many rounds, or classes if there are more.
pub(crate) const ENOUGH: f64 = 0.005;
pub(crate) const STEPS_LEAST: usize = 100;

/// P(first class) = 1 / (1 + exp(slope · decision + shift)).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sigmoid {
    /// At most 0.
    pub slope: f64,
    /// At a decision of 0.
    pub shift: f64,
}

impl Sigmoid {
    /// Fits by maximum likelihood to decisions of rows that are of the first class or not (Platt 1999, with the Newton method
    /// of Lin, Lin and Weng 2007, *A note on Platt's probabilistic outputs*); as LIBSVM does. Where that would make a decision
    /// for the first class lower its probability, it is the class's share whatever the decision.
    pub fn fit(decisions: &[f64], first: &[bool]) -> Sigmoid {
        let ones = first.iter().filter(|first| **first).count() as f64;
        let others = first.len() as f64 - ones;
        let (high, low) = ((ones + 1.0) / (ones + 2.0), 1.0 / (others + 2.0));
        let targets: Vec<f64> = first.iter().map(|first| if *first { high } else { low }).collect();
        let loss = |sigmoid: Sigmoid| -> f64 {
            let of = |(decision, target): (&f64, &f64)| {
                let z = decision * sigmoid.slope + sigmoid.shift;
                if z >= 0.0 { target * z + (-z).exp().ln_1p() } else { (target - 1.0) * z + z.exp().ln_1p() }
            };
            decisions.iter().zip(&targets).map(of).sum()
        };
        let prior = Sigmoid { slope: 0.0, shift: ((others + 1.0) / (ones + 1.0)).ln() };
        let mut now = prior;
        let mut least = loss(now);
        for _ in 0..STEPS_MAX {
            let (mut h11, mut h22, mut h21, mut g1, mut g2) = (RIDGE, RIDGE, 0.0, 0.0, 0.0);
            for (decision, target) in decisions.iter().zip(&targets) {
                let p = now.of(*decision);
                let (d2, d1) = (p * (1.0 - p), target - p);
                h11 += decision * decision * d2;
                h22 += d2;
                h21 += decision * d2;
                g1 += decision * d1;
                g2 += d1;
            }
            if g1.abs() < SLOPE_MIN && g2.abs() < SLOPE_MIN {
                break;
            }
            let det = h11 * h22 - h21 * h21;
            let (slope, shift) = (-(h22 * g1 - h21 * g2) / det, -(h11 * g2 - h21 * g1) / det);
            let gain = g1 * slope + g2 * shift;
            let mut size = 1.0;
            while size >= STEP_MIN {
                let next = Sigmoid { slope: now.slope + size * slope, shift: now.shift + size * shift };
                let value = loss(next);
                if value < least + 1e-4 * size * gain {
                    (now, least) = (next, value);
                    break;
                }
                size /= 2.0;
            }
            if size < STEP_MIN {
                break;
            }
        }
        // Where there is nothing to learn, unseen rows may be decided worse than by chance; a decision is not turned round.
        if now.slope <= 0.0 && now.shift.is_finite() && now.slope.is_finite() { now } else { prior }
    }

    /// Probability of the first class.
    pub fn of(&self, decision: f64) -> f64 {
        let z = decision * self.slope + self.shift;
        if z >= 0.0 { (-z).exp() / (1.0 + (-z).exp()) } else { 1.0 / (1.0 + z.exp()) }
    }
}

/// One probability a class from those of all pairs: `pairs[i][j]` that a row is of class i rather than j. Minimises
/// Σᵢ Σⱼ (r_ji pᵢ − r_ij pⱼ)² (Wu, Lin and Weng 2004, second method); as LIBSVM does.
pub fn couple(pairs: &[Vec<f64>]) -> Vec<f64> {
    let count = pairs.len();
    let of = |i: usize, j: usize| pairs[i][j].clamp(CERTAIN, 1.0 - CERTAIN);
    let cell = |i: usize, j: usize| match i == j {
        true => (0..count).filter(|other| *other != i).map(|other| of(other, i) * of(other, i)).sum(),
        false => -of(j, i) * of(i, j),
    };
    let q: Vec<Vec<f64>> = (0..count).map(|i| (0..count).map(|j| cell(i, j)).collect()).collect();
    let mut shares = vec![1.0 / count as f64; count];
    let enough = ENOUGH / count as f64;
    for _ in 0..count.max(STEPS_LEAST) {
        let mut qp: Vec<f64> = q.iter().map(|row| row.iter().zip(&shares).map(|(q, p)| q * p).sum()).collect();
        let mut pqp: f64 = shares.iter().zip(&qp).map(|(p, qp)| p * qp).sum();
        if qp.iter().all(|value| (value - pqp).abs() < enough) {
            break;
        }
        for t in 0..count {
            let change = (pqp - qp[t]) / q[t][t];
            shares[t] += change;
            pqp = (pqp + change * (change * q[t][t] + 2.0 * qp[t])) / (1.0 + change) / (1.0 + change);
            for j in 0..count {
                qp[j] = (qp[j] + change * q[t][j]) / (1.0 + change);
                shares[j] /= 1.0 + change;
            }
        }
    }
    let total: f64 = shares.iter().sum();
    shares.iter().map(|share| share / total).collect()
}
