//! Two samples merged into one ascending list of points, which every test of numbers walks.

use crate::drift::sample::Sample;

/// The distinct values of both samples, ascending, with their counts on each side.
#[derive(Clone, Debug, PartialEq)]
pub struct Pooled {
    /// The values.
    pub values: Vec<f64>,
    /// Count of each in the reference.
    pub reference: Vec<f64>,
    /// Count of each in the current table.
    pub current: Vec<f64>,
    /// Number of values in the reference.
    pub n: f64,
    /// Number of values in the current table.
    pub m: f64,
    /// Smallest value of both.
    pub low: f64,
    /// Largest value of both.
    pub high: f64,
}

impl Pooled {
    /// Merges two samples. O(points).
    pub fn new(reference: &Sample, current: &Sample) -> Pooled {
        let most = reference.values.len() + current.values.len();
        let mut pooled = Pooled {
            values: Vec::with_capacity(most),
            reference: Vec::with_capacity(most),
            current: Vec::with_capacity(most),
            n: reference.total(),
            m: current.total(),
            low: reference.low.min(current.low),
            high: reference.high.max(current.high),
        };
        let (mut i, mut j) = (0, 0);
        while i < reference.values.len() || j < current.values.len() {
            let before = reference.values.get(i).copied().unwrap_or(f64::INFINITY);
            let after = current.values.get(j).copied().unwrap_or(f64::INFINITY);
            let value = before.min(after);
            pooled.values.push(value);
            pooled.reference.push(if before == value { reference.counts[i] as f64 } else { 0.0 });
            pooled.current.push(if after == value { current.counts[j] as f64 } else { 0.0 });
            i += usize::from(before == value);
            j += usize::from(after == value);
        }
        pooled
    }

    /// Number of values on both sides.
    pub fn total(&self) -> f64 {
        self.n + self.m
    }

    /// `1 / n + 1 / m`: the variance of a difference of means, in units of the population's.
    pub fn unit(&self) -> f64 {
        1.0 / self.n + 1.0 / self.m
    }

    /// Whether both sides hold the same values in the same shares.
    pub fn is_equal(&self) -> bool {
        self.reference.iter().zip(&self.current).all(|(before, after)| before * self.m == after * self.n)
    }

    /// Empirical distribution functions `F` (reference), `G` (current) and `H` (both) at each value.
    pub fn steps(&self) -> impl Iterator<Item = (f64, f64, f64)> + '_ {
        let (mut before, mut after) = (0.0, 0.0);
        self.reference.iter().zip(&self.current).map(move |(reference, current)| {
            before += reference;
            after += current;
            (before / self.n, after / self.m, (before + after) / self.total())
        })
    }

    /// `∫ of(F, G, H) dx` over the line.
    pub fn integral(&self, of: impl Fn(f64, f64, f64) -> f64) -> f64 {
        let gaps = self.values.windows(2).map(|pair| pair[1] - pair[0]);
        self.steps().zip(gaps).map(|((f, g, h), gap)| of(f, g, h) * gap).sum()
    }

    /// The value at `share` of the pooled values, linear between ranks (numpy's default).
    pub fn quantile(&self, share: f64) -> f64 {
        let rank = share * (self.total() - 1.0);
        let (low, part) = (rank.floor(), rank - rank.floor());
        let (below, above) = (self.at_rank(low), self.at_rank(low + 1.0));
        below + (above - below) * part
    }

    /// The value of this rank, counted from 0.
    fn at_rank(&self, rank: f64) -> f64 {
        let mut seen = 0.0;
        for ((value, before), after) in self.values.iter().zip(&self.reference).zip(&self.current) {
            seen += before + after;
            if rank < seen {
                return *value;
            }
        }
        self.values.last().copied().unwrap_or(0.0)
    }
}
