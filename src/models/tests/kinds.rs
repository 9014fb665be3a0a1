//! What must hold for every kind of the zoo.

use anyhow::Result;

use crate::data::matrix::Matrix;
use crate::data::target::Target;
use crate::models::predictor::Predictions;
use crate::models::tests::{
    bytes, counts, features, fit, labels, matrix, numbers, read_back, three_classes, two_classes,
};
use crate::models::zoo;
use crate::spec::model::Task;

/// Every kind with every task that it can do, on the reference table, with few trees.
fn each(mut work: impl FnMut(&str, &Matrix, &Target, &str) -> Result<()>) -> Result<()> {
    let x = features()?;
    for kind in zoo::kinds() {
        let params = if (kind.params)().contains_key("trees") { "trees = 10" } else { "" };
        for task in kind.tasks {
            let target = match task {
                Task::Binary => two_classes()?,
                Task::Multiclass => three_classes()?,
                Task::Regression if kind.name == "poisson" => counts()?,
                Task::Regression => numbers()?,
                Task::Clustering | Task::Anomaly => labels(*task)?,
            };
            work(kind.name, &x, &target, params)?;
        }
    }
    Ok(())
}

#[test]
fn every_kind_reads_back_as_it_was_written() -> Result<()> {
    each(|kind, x, target, params| {
        let fitted = fit(kind, x, target, params)?;
        let kept = bytes(&*fitted);
        let back = read_back(kind, &kept)?;
        assert_eq!(back.predict(x)?, fitted.predict(x)?, "{kind}");
        assert_eq!(bytes(&*back), kept, "{kind}");
        Ok(())
    })
}

#[test]
fn every_kind_gives_the_same_bytes_on_any_number_of_threads() -> Result<()> {
    each(|kind, x, target, params| {
        let on = |threads: usize| -> Result<Vec<u8>> {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
            pool.install(|| fit(kind, x, target, params).map(|fitted| bytes(&*fitted)))
        };
        assert_eq!(on(1)?, on(8)?, "{kind}");
        Ok(())
    })
}

#[test]
fn tables_large_enough_for_every_parallel_path_give_the_same_bytes_too() -> Result<()> {
    // Partitions of more than 16,384 rows and histograms of large nodes are shared among threads.
    const MANY: usize = 40_000;
    let column = |step: usize| (0..MANY).map(|row| (row * step % 10_007) as f64).collect::<Vec<f64>>();
    let x = matrix(vec![column(37), column(101), column(997)])?;
    let codes = (0..MANY).map(|row| u32::from(x.features()[0].values.get(row) > 4_000.0 && row % 3 > 0)).collect();
    let target = Target::Classes { names: ["no", "yes"].map(str::to_owned).into(), codes };
    for (kind, params) in
        [("boost", "trees = 3"), ("forest", "trees = 2\ndepth = 6"), ("logistic", ""), ("naive_bayes", "")]
            .into_iter()
            .chain([("kmeans", "clusters = 3\nstarts = 2"), ("isolation_forest", "trees = 5\ncontamination = 0.1")])
    {
        let labels = Target::Labels { task: Task::Clustering, names: [].into(), codes: vec![u32::MAX; MANY] };
        let target = if kind == "kmeans" || kind == "isolation_forest" { &labels } else { &target };
        let on = |threads: usize| -> Result<Vec<u8>> {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
            pool.install(|| fit(kind, &x, target, params).map(|fitted| bytes(&*fitted)))
        };
        assert_eq!(on(1)?, on(4)?, "{kind}");
    }
    Ok(())
}

#[test]
fn one_row_is_answered_as_it_is_among_others() -> Result<()> {
    each(|kind, x, target, params| {
        let fitted = fit(kind, x, target, params)?;
        let all = fitted.predict(x)?;
        let columns = x.features().iter().map(|feature| vec![feature.values.get(17)]).collect();
        let alone = fitted.predict(&matrix(columns)?)?;
        match (all, alone) {
            (
                Predictions::Clusters { codes, distances, .. },
                Predictions::Clusters { codes: one, distances: far, .. },
            ) => {
                assert_eq!((codes[17], distances[17].to_bits()), (one[0], far[0].to_bits()), "{kind}");
            }
            (
                Predictions::Anomalies { scores, threshold },
                Predictions::Anomalies { scores: one, threshold: least },
            ) => {
                assert_eq!((scores[17].to_bits(), threshold), (one[0].to_bits(), least), "{kind}");
            }
            (Predictions::Numbers(all), Predictions::Numbers(alone)) => {
                assert_eq!(all[17].to_bits(), alone[0].to_bits(), "{kind}");
            }
            (Predictions::Probabilities { classes, values }, Predictions::Probabilities { values: alone, .. }) => {
                assert_eq!(values[17 * classes..18 * classes], alone[..], "{kind}");
                let total: f64 = alone.iter().sum();
                assert!((total - 1.0).abs() < 1e-12, "{kind}: probabilities sum to {total}");
            }
            _ => panic!("{kind}: one row has another kind of answer"),
        }
        Ok(())
    })
}

#[test]
fn every_kind_learns_the_reference_table() -> Result<()> {
    each(|kind, x, target, params| {
        if kind == "baseline" || matches!(target, Target::Labels { .. }) {
            return Ok(());
        }
        // On the rows it was fitted on, each must beat the best constant by far.
        match (fit(kind, x, target, params)?.predict(x)?, target) {
            (Predictions::Numbers(values), Target::Numbers(truth)) => {
                let mean = truth.iter().sum::<f64>() / truth.len() as f64;
                let error: f64 = values.iter().zip(truth).map(|(a, b)| (a - b).powi(2)).sum();
                let spread: f64 = truth.iter().map(|value| (value - mean).powi(2)).sum();
                assert!(error < 0.5 * spread, "{kind}: {error} of {spread}");
            }
            (found, Target::Classes { codes, names }) => {
                let right = found.classes().iter().zip(codes).filter(|(a, b)| a == b).count();
                // Probabilities of support vectors are of rows not seen, of which three classes leave little to tell.
                if kind == "svm" && names.len() == 3 {
                    return Ok(());
                }
                // The commonest of the three classes has 25 of 60 rows, and only a third of the signal is linear.
                let bound = if names.len() == 2 { 0.75 } else { 26.0 / 60.0 };
                assert!(right as f64 / codes.len() as f64 > bound, "{kind}: {right} right of {}", codes.len());
            }
            _ => panic!("{kind}: another kind of answer"),
        }
        Ok(())
    })
}

#[test]
fn damaged_bytes_are_errors_and_never_panics() -> Result<()> {
    each(|kind, x, target, params| {
        let kept = bytes(&*fit(kind, x, target, params)?);
        for cut in (0..kept.len()).step_by(1 + kept.len() / 97) {
            assert!(read_back(kind, &kept[..cut]).is_err(), "{kind} cut at {cut}");
        }
        for place in (0..kept.len()).step_by(1 + kept.len() / 499) {
            for flip in [1_u8, 0x80, 0xff] {
                let mut changed = kept.clone();
                changed[place] ^= flip;
                // A changed number may still be a model; what it answers must then be finite, or an error.
                if let Ok(model) = read_back(kind, &changed) {
                    let _ = model.predict(x);
                }
            }
        }
        Ok(())
    })
}

#[test]
fn bad_input_is_a_clear_error() -> Result<()> {
    let constant = Target::Classes { names: ["no", "yes"].map(str::to_owned).into(), codes: vec![1; 60] };
    let with_missing = matrix(vec![(0..60).map(|i| if i == 3 { f64::NAN } else { i as f64 }).collect()])?;
    for kind in ["logistic", "knn", "naive_bayes", "svm"] {
        let error = fit(kind, &features()?, &constant, "").err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("all 60 training rows are of class `yes`"), "{kind}: {error}");
        let error = fit(kind, &with_missing, &two_classes()?, "").err().map(|error| error.to_string());
        assert!(error.as_deref().is_some_and(|text| text.contains("`x0`, which is missing in row 3")), "{error:?}");
    }
    let unknown = fit("ridge", &features()?, &numbers()?, "l3 = 1.0").err().map(|error| error.to_string());
    assert!(unknown.as_deref().is_some_and(|text| text.contains("l3")), "{unknown:?}");
    assert!(fit("ridge", &features()?, &numbers()?, "l2 = -1.0").is_err());
    assert!(fit("knn", &features()?, &numbers()?, "neighbours = 61").is_err());
    assert!(zoo::kind_for("ridge", Task::Binary).is_err());
    Ok(())
}

#[test]
fn more_columns_than_rows_and_constant_columns_still_fit() -> Result<()> {
    let wide = matrix((0..9).map(|c| (0..4).map(|r| ((r * 7 + c * 3) % 5) as f64).collect()).collect())?;
    let y = Target::Numbers(vec![1.0, 2.0, 3.0, 4.0]);
    let b = Target::Classes { names: ["no", "yes"].map(str::to_owned).into(), codes: vec![0, 1, 0, 1] };
    let flat = matrix(vec![vec![2.0; 4], vec![1.0, 2.0, 3.0, 4.0]])?;
    for x in [&wide, &flat] {
        for kind in ["linear", "ridge", "forest", "boost", "tree"] {
            fit(kind, x, &y, "")?.predict(x)?;
        }
        for kind in ["logistic", "naive_bayes", "forest", "boost"] {
            fit(kind, x, &b, "")?.predict(x)?;
        }
    }
    Ok(())
}

#[test]
fn values_too_large_to_square_are_an_error_or_an_answer() -> Result<()> {
    let huge = matrix(vec![(0..60).map(|i| i as f64 * 1e200).collect()])?;
    let error = fit("naive_bayes", &huge, &two_classes()?, "").err().map(|error| error.to_string());
    assert!(error.as_deref().is_some_and(|text| text.contains("`x0`")), "{error:?}");
    let small = matrix(vec![(0..60).map(|i| i as f64).collect()])?;
    let far = matrix(vec![vec![1e200, -1e300]])?;
    for (kind, params) in [
        ("naive_bayes", ""),
        ("knn", "weights = 'distance'"),
        ("logistic", ""),
        ("svm", ""),
        ("svm", "kernel = 'poly'"),
    ] {
        for target in [two_classes()?, three_classes()?] {
            if let Predictions::Probabilities { classes, values } = fit(kind, &small, &target, params)?.predict(&far)? {
                for row in values.chunks_exact(classes) {
                    assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{kind}: {row:?}");
                }
            }
        }
    }
    Ok(())
}
