//! What must hold whatever the numbers: order of rows and features, duplicates as weights, threads, sums.

use anyhow::Result;
use proptest::prelude::{ProptestConfig, any, prop};
use proptest::{prop_assert, proptest};

use crate::base::seed::Seed;
use crate::base::talk::Silent;
use crate::data::matrix::Matrix;
use crate::data::target::Target;
use crate::models::linear::tests::{Case, classes, close, matrix};
use crate::models::predictor::{Predictions, Predictor};

/// Kinds with the parameters that take them to 1e-9 or closer.
const KINDS: [(&str, &str); 9] = [
    ("linear", ""),
    ("ridge", "l2 = 0.5"),
    ("lasso", "alpha = 0.02\ntolerance = 1e-14\nmax_iterations = 100000"),
    ("elastic_net", "alpha = 0.05\ntolerance = 1e-14\nmax_iterations = 100000"),
    ("logistic", "tolerance = 1e-10"),
    ("logistic", "penalty = 'l1'\ntolerance = 1e-10"),
    ("logistic", "penalty = 'elastic_net'\nl1 = 0.3\ntolerance = 1e-10"),
    ("poisson", "tolerance = 1e-10"),
    ("poisson", "penalty = 'l1'\nl1 = 0.5\ntolerance = 1e-10"),
];

/// Rows of a table: three numbers of different size, a code of four with indicators of three (of all four, penalties on
/// absolute values may leave many optima), and targets.
struct Rows {
    numbers: Vec<[f64; 3]>,
    codes: Vec<u32>,
    noise: Vec<f64>,
}

impl Rows {
    fn new(seed: u64, count: usize) -> Rows {
        let mut rng = Seed(seed).rng();
        let numbers = (0..count).map(|_| [rng.normal(), 50.0 + 20.0 * rng.normal(), 0.01 * rng.normal()]).collect();
        let codes = (0..count).map(|_| rng.below(4) as u32).collect();
        let noise = (0..count).map(|_| rng.normal()).collect();
        Rows { numbers, codes, noise }
    }

    fn take(&self, rows: &[usize]) -> Rows {
        Rows {
            numbers: rows.iter().map(|&row| self.numbers[row]).collect(),
            codes: rows.iter().map(|&row| self.codes[row]).collect(),
            noise: rows.iter().map(|&row| self.noise[row]).collect(),
        }
    }

    fn matrix(&self, order: [usize; 3]) -> Result<Matrix> {
        let column = |place: usize| self.numbers.iter().map(|row| row[place]).collect();
        matrix(order.map(column).to_vec(), &self.codes, 3)
    }

    fn target(&self, kind: &str) -> Target {
        let score = |row: usize| {
            let [a, b, c] = self.numbers[row];
            a - 0.03 * (b - 50.0) + 60.0 * c + [0.0, 1.0, -1.0, 0.5][self.codes[row] as usize] + self.noise[row]
        };
        let scores: Vec<f64> = (0..self.codes.len()).map(score).collect();
        match kind {
            "logistic" => classes(&scores.iter().map(|score| u32::from(*score > -0.5)).collect::<Vec<u32>>()),
            "poisson" => Target::Numbers(scores.iter().map(|score| (score * 0.5).exp().floor()).collect()),
            _ => Target::Numbers(scores),
        }
    }

    fn fit(&self, kind: &str, params: &str, weights: Option<&[f64]>) -> Result<Vec<f64>> {
        let (matrix, target) = (self.matrix([0, 1, 2])?, self.target(kind));
        Ok(Case { kind, params, matrix: &matrix, target: &target, weights }.fit()?.point().to_vec())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(6) })]

    #[test]
    fn duplicated_rows_are_weights(seed in any::<u64>(), copies in prop::collection::vec(0_usize..4, 80)) {
        let rows = Rows::new(seed, copies.len());
        let repeated: Vec<usize> = (0..copies.len()).flat_map(|row| vec![row; copies[row]]).collect();
        let weights: Vec<f64> = copies.iter().map(|&count| count as f64).collect();
        for (kind, params) in KINDS {
            let weighted = rows.fit(kind, params, Some(&weights)).expect("it fits");
            let duplicated = rows.take(&repeated).fit(kind, params, None).expect("it fits");
            close(&weighted, &duplicated, 1e-9, &format!("{kind} {params}"));
        }
    }

    #[test]
    fn the_order_of_rows_and_features_does_not_matter(seed in any::<u64>()) {
        let rows = Rows::new(seed, 90);
        let mut order: Vec<usize> = (0..90).collect();
        Seed(seed).rng().shuffle(&mut order);
        for (kind, params) in KINDS {
            let given = rows.fit(kind, params, None).expect("it fits");
            let shuffled = rows.take(&order).fit(kind, params, None).expect("it fits");
            close(&shuffled, &given, 1e-9, &format!("rows of {kind} {params}"));
            let (matrix, target) = (rows.matrix([2, 0, 1]).expect("it is one"), rows.target(kind));
            let case = Case { kind, params, matrix: &matrix, target: &target, weights: None };
            let turned = case.fit().expect("it fits").point().to_vec();
            let back = [&[turned[1], turned[2], turned[0]], &turned[3..]].concat();
            close(&back, &given, 1e-9, &format!("features of {kind} {params}"));
        }
    }

    #[test]
    fn contributions_sum_to_the_score(seed in any::<u64>()) {
        let rows = Rows::new(seed, 40);
        let (matrix, target) = (rows.matrix([0, 1, 2]).expect("it is one"), rows.target("ridge"));
        let case = Case { kind: "ridge", params: "", matrix: &matrix, target: &target, weights: None };
        let model = case.fit().expect("it fits");
        let Ok(Predictions::Numbers(answers)) = model.predict(&matrix) else { panic!("no numbers") };
        let parts = model.parts_of_scores(&matrix).expect("they are few");
        for (row, answer) in answers.iter().enumerate() {
            prop_assert!((answer - parts.margin_of(row, 0)).abs() <= 1e-10 * answer.abs().max(1.0));
        }
        // Over the training rows each feature's contributions cancel, as they are compared with its mean.
        for feature in 0..6 {
            let sum: f64 = parts.values.iter().skip(feature).step_by(7).sum();
            prop_assert!(sum.abs() <= 1e-9);
        }
    }
}

#[test]
fn threads_change_no_bit_of_any_kind() -> Result<()> {
    // More rows than two chunks, so that sums are shared, and enough for a start from a part of them.
    let rows = Rows::new(5, 17_000);
    let weights: Vec<f64> = (0..17_000).map(|row| (row % 7) as f64 / 3.0).collect();
    let fits = KINDS.into_iter().chain([("lasso", ""), ("elastic_net", "folds = 3\nalphas = 20")]);
    for (kind, params) in fits {
        let (matrix, target) = (rows.matrix([0, 1, 2])?, rows.target(kind));
        let on = |threads: usize| -> Result<Vec<u8>> {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
            let case = Case { kind, params, matrix: &matrix, target: &target, weights: Some(&weights) };
            pool.install(|| case.bytes(&Silent))
        };
        let one = on(1)?;
        assert!(one == on(2)? && one == on(8)?, "{kind} {params}");
    }
    Ok(())
}

#[test]
fn a_start_from_a_part_of_the_rows_leads_to_the_same_optimum() -> Result<()> {
    // Sorted by class, and one category only at the end: the parts are as unlike as they can be.
    let mut rows = Rows::new(8, 30_000);
    rows.codes.iter_mut().take(29_900).for_each(|code| *code %= 3);
    let weights = vec![0.5; 30_000];
    let all = rows.fit("logistic", "l2 = 0.5\ntolerance = 1e-9", Some(&weights))?;
    let twice = rows.fit("logistic", "l2 = 1.0\ntolerance = 1e-9", None)?;
    close(&all, &twice, 1e-8, "half weights and half the penalty");
    Ok(())
}
