//! Tests of metrics: reference numbers of other tools, properties, parts of rows, gates.

mod gates;
mod properties;
mod reference;
mod rules;
mod slices;

/// Tables that Python makes in the same way: a linear congruential generator (Knuth's MMIX), upper 31 bits.
pub struct Lcg(pub u64);

impl Lcg {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Class names `0`, `1`, ….
pub fn names(count: usize) -> Vec<String> {
    (0..count).map(|class| class.to_string()).collect()
}

/// Codes and probabilities of 400 rows of two classes, scores with many ties.
pub fn binary_table() -> (Vec<u32>, Vec<f64>) {
    let mut lcg = Lcg(1);
    let (mut truth, mut probabilities) = (Vec::new(), Vec::new());
    for _ in 0..400 {
        let positive = u64::from(lcg.below(3) == 0);
        truth.push(positive as u32);
        let score = (lcg.below(101) * 6 + 400 * positive) as f64 / 1000.0;
        probabilities.extend([1.0 - score, score]);
    }
    (truth, probabilities)
}

/// Codes and probabilities of 300 rows of four classes.
pub fn multiclass_table() -> (Vec<u32>, Vec<f64>) {
    let mut lcg = Lcg(2);
    let (mut truth, mut probabilities) = (Vec::new(), Vec::new());
    for _ in 0..300 {
        let class = lcg.below(4);
        let weights = [0, 1, 2, 3].map(|other| lcg.below(20) + 1 + if other == class { 12 } else { 0 });
        let total: u64 = weights.iter().sum();
        truth.push(class as u32);
        probabilities.extend(weights.map(|weight| weight as f64 / total as f64));
    }
    (truth, probabilities)
}

/// True and predicted numbers of 251 rows, all positive.
pub fn number_table() -> (Vec<f64>, Vec<f64>) {
    let mut lcg = Lcg(3);
    let row = |_| {
        let truth = (lcg.below(1000) + 1) as f64 / 10.0;
        (truth, truth * 0.8 + lcg.below(500) as f64 / 10.0 + 0.05)
    };
    (0..251).map(row).unzip()
}
