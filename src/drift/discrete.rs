//! Tests of two lists of categories, as Evidently and scipy compute them.

use crate::drift::bins::Shares;
use crate::drift::distribution;
use crate::drift::divergence;
use crate::drift::numeric::Tested;
use crate::drift::permute;
use crate::drift::sample::Paired;

use crate::base::seed::Seed;

/// Expected counts: the reference scaled to the size of the current table.
fn expected(paired: &Paired) -> impl Iterator<Item = (f64, f64)> + '_ {
    let scale = paired.current.iter().sum::<f64>() / paired.reference.iter().sum::<f64>();
    paired.current.iter().zip(&paired.reference).map(move |(observed, before)| (*observed, before * scale))
}

/// Pearson's `Σ (O - E)² / E`. A value new to the current table makes it infinite, with p = 0, as in Evidently. The
/// reference counts as known, so the p-value is too small unless it is much the larger table: see `floor`.
pub fn chi_square(paired: &Paired) -> Tested {
    let statistic = expected(paired).map(|(observed, expected)| (observed - expected).powi(2) / expected).sum();
    Tested::new(statistic, distribution::chi_square_tail(statistic, paired.unique() as f64 - 1.0))
}

/// `2 Σ O ln(O / E)`. Evidently compares unscaled counts and refuses tables of unequal size; here the reference is scaled,
/// which is the same for equal sizes.
pub fn likelihood_ratio(paired: &Paired) -> Tested {
    let terms = expected(paired).filter(|(observed, _)| *observed > 0.0);
    let statistic =
        (2.0 * terms.map(|(observed, expected)| observed * (observed / expected).ln()).sum::<f64>()).max(0.0);
    Tested::new(statistic, distribution::chi_square_tail(statistic, paired.unique() as f64 - 1.0))
}

/// Difference of the shares of the first category in units of its pooled standard error.
pub fn proportions(paired: &Paired) -> Tested {
    let (n, m) = (paired.reference.iter().sum::<f64>(), paired.current.iter().sum::<f64>());
    let first = |counts: &[f64], total: f64| (total - counts.first().copied().unwrap_or(0.0), total);
    let (before, after) = (first(&paired.reference, n), first(&paired.current, m));
    difference(before, after)
}

/// Two-sided test of two proportions, each as (count, total); p = 1 when both are all or nothing.
pub fn difference(reference: (f64, f64), current: (f64, f64)) -> Tested {
    let (p, q) = (reference.0 / reference.1, current.0 / current.1);
    let pooled = (reference.0 + current.0) / (reference.1 + current.1);
    let error = (pooled * (1.0 - pooled) * (1.0 / reference.1 + 1.0 / current.1)).sqrt();
    if error == 0.0 || error.is_nan() {
        return Tested::new(0.0, 1.0);
    }
    let z = (p - q) / error;
    Tested::new(z, 2.0 * distribution::normal_tail(z.abs()))
}

/// Fisher's exact two-sided test of the first category against the rest: the chance of all tables with these margins that
/// are no likelier than this one. The statistic is the odds ratio, infinite when a cell is empty. O(sqrt(rows)).
pub fn fisher(paired: &Paired) -> Tested {
    let split = |counts: &[f64]| {
        let first = counts.first().copied().unwrap_or(0.0);
        (first, counts.iter().sum::<f64>() - first)
    };
    let ((a, b), (c, d)) = (split(&paired.current), split(&paired.reference));
    let (ones, twos, drawn) = (a + c, b + d, a + b);
    let all = ones + twos;
    let share = drawn / all;
    // Loader's form of the hypergeometric law.
    let chance = |k: f64| {
        let pair = distribution::binomial(ones, k, share, 1.0 - share);
        pair * distribution::binomial(twos, drawn - k, share, 1.0 - share)
            / distribution::binomial(all, drawn, share, 1.0 - share)
    };
    if ones == 0.0 || twos == 0.0 || b + a == 0.0 || c + d == 0.0 {
        return Tested::new(1.0, 1.0);
    }
    let (low, high) = ((drawn - twos).max(0.0), drawn.min(ones));
    let mode = (((drawn + 1.0) * (ones + 1.0)) / (all + 2.0)).floor().clamp(low, high);
    // Ties with the other tail are exact in theory; rounding may part them by some 1e-13.
    let bound = chance(a) * (1.0 + 1e-9);
    let sum = tail(&chance, bound, mode, low, -1.0) + tail(&chance, bound, mode + 1.0, high, 1.0);
    Tested::new(a * d / (b * c), sum)
}

/// Sum of the chances up to `bound` from `start` to `end`, on a side where they fall: their start is found by halving.
fn tail(chance: &impl Fn(f64) -> f64, bound: f64, start: f64, end: f64, direction: f64) -> f64 {
    let steps = (end - start) * direction;
    if steps < 0.0 || chance(end) > bound {
        return 0.0;
    }
    let (mut above, mut within) = (-1.0, steps);
    while within - above > 1.0 {
        let middle = ((above + within) / 2.0).floor();
        if chance(start + middle * direction) <= bound { within = middle } else { above = middle }
    }
    let mut sum = 0.0;
    while within <= steps {
        let here = chance(start + within * direction);
        sum += here;
        if here <= sum * 1e-17 {
            break;
        }
        within += 1.0;
    }
    sum
}

/// Rounds of the permutation test of total variation: Evidently's.
const ROUNDS: u32 = 1_000;

/// Total variation distance, and the share of permutations of the rows of both tables that are as far apart. The stream of
/// chance is [`Seed`]'s, not numpy's, so p agrees with Evidently's within its own error, `sqrt(p (1 - p) / 1000)`.
pub fn total_variation(paired: &Paired, seed: Seed) -> Tested {
    let observed = divergence::total_variation(&Shares::of_categories(paired));
    let draws = permute::Draws::new(&paired.reference, &paired.current);
    let mut rng = seed.rng();
    let mut as_far = 0_u32;
    for _ in 0..ROUNDS {
        let (reference, current) = draws.draw(&mut rng);
        let distance = divergence::total_variation(&Shares::of_counts(&reference, &current));
        // Rounding must not part equal tables.
        as_far += u32::from(observed <= distance + 1e-12);
    }
    Tested::new(observed, f64::from(as_far) / f64::from(ROUNDS))
}
