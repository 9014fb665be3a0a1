//! Tests of the bootstrap: draws, replicates, intervals, and how often these hold the truth.

mod coverage;
mod replicates;

use crate::base::seed::Seed;
use crate::metrics::bootstrap::draws::Draws;
use crate::metrics::bootstrap::{Plan, Quantity, interval, percentile, replicate, spread};
use crate::metrics::tests::names;
use crate::metrics::{Sample, Scores};
use crate::record::evaluation::Interval;
use crate::spec::model::Task;

#[test]
fn draws_have_the_shares_mean_and_variance_of_poisson() {
    let rows = 1 << 20;
    let draws = Draws::new(rows, Seed(3));
    let mut shares = [0_u64; 6];
    draws.weights().iter().for_each(|weight| shares[usize::from(*weight)] += 1);
    let share = |weight: usize| shares[weight] as f64 / rows as f64;
    let (mut factorial, mut moments) = (1.0, [0.0; 2]);
    for (weight, of_256) in [94.0, 95.0, 46.0, 16.0, 4.0, 1.0].into_iter().enumerate() {
        // Five standard errors of the largest share.
        assert!((share(weight) - of_256 / 256.0).abs() < 0.0024, "{weight}: {} for {of_256}/256", share(weight));
        factorial *= (weight.max(1)) as f64;
        let poisson = (-1.0_f64).exp() / factorial;
        assert!((of_256 / 256.0 - poisson).abs() < 1.2 / 256.0, "{weight}: {of_256}/256 for {poisson}");
        moments[0] += weight as f64 * share(weight);
        moments[1] += (weight as f64 - 1.0).powi(2) * share(weight);
    }
    // Five standard errors.
    assert!(moments.iter().all(|moment| (moment - 1.0).abs() < 0.009), "{moments:?}");
}

/// What gates put together has the interval that people are shown, also where no row is answered wrongly.
#[test]
fn a_share_that_no_row_contradicts_is_spread_as_its_interval() {
    let (truth, names) = ([0, 1, 0, 1, 1, 0, 0, 1], names(2));
    let probabilities: Vec<f64> = truth.iter().flat_map(|code| [1.0 - f64::from(*code), f64::from(*code)]).collect();
    let scores = Scores::Classes { truth: &truth, probabilities: &probabilities, names: &names };
    let sample = Sample::new(scores, Task::Binary);
    let quantity = Quantity { sample: 0, metric: "accuracy", rows: None };
    let values = spread(&sample, &quantity, vec![1.0; 1_000]);
    let (shown, spread_out) = (interval(&sample, &quantity, &[1.0; 1_000], 0.95), percentile(&values, 0.95));
    let (shown, spread_out) = (shown.expect("an interval"), spread_out.expect("an interval"));
    assert!((shown.low - spread_out.low).abs() < 0.01 && spread_out.high > 0.99, "{shown:?} {spread_out:?}");
    assert_eq!(spread(&sample, &quantity, vec![0.5, 1.0]), [0.5, 1.0]);
}

#[test]
fn draws_of_other_numbers_and_lengths_differ_or_agree() {
    let of = |rows, seed: u64| Draws::new(rows, Seed(7).nth(seed)).weights().to_vec();
    assert_eq!(of(13, 0), of(100, 0)[..13]);
    assert_ne!(of(100, 0), of(100, 1));
    assert!(of(0, 0).is_empty());
}

#[test]
fn intervals_pass_over_replicates_without_a_value_and_need_enough_of_them() {
    let values = |known: usize, unknown: usize| -> Vec<f64> {
        (0..known).map(|value| value as f64).chain(std::iter::repeat_n(f64::NAN, unknown)).collect()
    };
    assert_eq!(percentile(&values(101, 0), 0.5), Some(Interval { low: 25.0, high: 75.0 }));
    assert_eq!(percentile(&values(101, 101), 0.5), Some(Interval { low: 25.0, high: 75.0 }));
    assert_eq!(percentile(&values(101, 102), 0.9), None);
    assert_eq!(percentile(&values(19, 0), 0.9), None);
    for level in [0.0, 1.0, f64::NAN] {
        assert_eq!(percentile(&values(101, 0), level), None);
    }
}

#[test]
fn a_share_that_no_row_contradicts_is_not_certain() {
    let names = names(2);
    let truth: Vec<u32> = (0..40).map(|row| u32::from(row < 10)).collect();
    let probabilities: Vec<f64> =
        truth.iter().flat_map(|code| if *code == 1 { [0.2, 0.8] } else { [0.9, 0.1] }).collect();
    let scores = Scores::Classes { truth: &truth, probabilities: &probabilities, names: &names };
    let sample = Sample::new(scores, Task::Binary);
    let plan = Plan { resamples: 50, level: 0.95, seed: Seed(1) };
    for (metric, rows) in [("accuracy", 40.0), ("recall", 10.0), ("roc_auc", 10.0)] {
        let quantity = Quantity { sample: 0, metric, rows: None };
        let replicates = replicate(&[sample], &[quantity], &plan).expect("well formed");
        let found = interval(&sample, &quantity, &replicates[0], 0.95).expect("enough replicates");
        assert_eq!(found.high, 1.0);
        assert!((found.low - 0.025_f64.powf(1.0 / rows)).abs() < 1e-12, "{metric}: {found:?}");
    }
    let alike = vec![0.25; 50];
    let brier = Quantity { sample: 0, metric: "brier", rows: None };
    assert_eq!(interval(&sample, &brier, &alike, 0.95), Some(Interval { low: 0.25, high: 0.25 }));
}
