//! Isotonic regression: the rising curve that fits scores to frequencies best.
//!
//! Rows of equal score are one point with their mean; neighbours that fall are pooled until nothing falls (Ayer et al. 1955,
//! "pool adjacent violators"). Between the ends of pools the curve is straight, beyond the first and last it is level: what
//! scikit-learn's `IsotonicRegression(out_of_bounds="clip")` answers.

/// Rows pooled into one level.
struct Pool {
    first: f64,
    last: f64,
    weight: f64,
    mean: f64,
}

/// Scores and probabilities of the corners of the curve, rising. All slices of one length; at least one row of weight above
/// 0. O(n log n).
pub fn fit(scores: &[f64], positive: &[bool], weights: Option<&[f64]>) -> (Vec<f64>, Vec<f64>) {
    let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
    let mut order: Vec<usize> = (0..scores.len()).filter(|row| weight(*row) > 0.0).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]).then(a.cmp(b)));
    let mut points: Vec<Pool> = Vec::new();
    for row in order {
        let (score, value) = (scores[row] + 0.0, f64::from(u8::from(positive[row])));
        match points.last_mut().filter(|point| point.first == score) {
            Some(point) => point.add(&Pool { first: score, last: score, weight: weight(row), mean: value }),
            None => points.push(Pool { first: score, last: score, weight: weight(row), mean: value }),
        }
    }
    let mut pools: Vec<Pool> = Vec::new();
    for point in points {
        let mut pool = point;
        while let Some(before) = pools.last().filter(|before| before.mean >= pool.mean) {
            let mut joined = Pool { ..*before };
            joined.add(&pool);
            pools.pop();
            pool = joined;
        }
        pools.push(pool);
    }
    let (mut corners, mut levels) = (Vec::new(), Vec::new());
    for pool in pools {
        let level = pool.mean.clamp(0.0, 1.0);
        corners.push(pool.first);
        levels.push(level);
        if pool.last > pool.first {
            corners.push(pool.last);
            levels.push(level);
        }
    }
    (corners, levels)
}

/// The curve at `score`. At least one corner.
pub fn at(corners: &[f64], levels: &[f64], score: f64) -> f64 {
    let after = corners.partition_point(|corner| *corner <= score);
    if after == 0 {
        return levels[0];
    }
    if after == corners.len() {
        return levels[after - 1];
    }
    let (left, right) = (corners[after - 1], corners[after]);
    let share = (score - left) / (right - left);
    (levels[after - 1] + share * (levels[after] - levels[after - 1])).clamp(levels[after - 1], levels[after])
}

impl Pool {
    fn add(&mut self, other: &Pool) {
        let weight = self.weight + other.weight;
        self.mean += (other.mean - self.mean) * other.weight / weight;
        self.last = other.last;
        self.weight = weight;
    }
}
