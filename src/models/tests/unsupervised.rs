//! Clusters and odd rows: reference numbers of scikit-learn, smartcore as a second opinion, bad input, baselines.

use anyhow::{Context, Result};
use serde_json::Value;
use smartcore::cluster::kmeans::{KMeans, KMeansParameters};
use smartcore::linalg::basic::matrix::DenseMatrix;

use crate::data::frame::MISSING_CODE;
use crate::data::matrix::Matrix;
use crate::data::target::Target;
use crate::metrics::clustering::{Clusters, Points};
use crate::metrics::{Scores, compute};
use crate::models::predictor::Predictions;
use crate::models::tests::{features, fit, labels, matrix, numbers, two_classes, weighted};
use crate::spec::model::Task;

/// What scikit-learn found; see `tests/fixtures/reference/kinds/make.py`.
fn reference(name: &str) -> Result<Value> {
    let path = format!("{}/tests/fixtures/reference/kinds/{name}.json", env!("CARGO_MANIFEST_DIR"));
    Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
}

fn list(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(list).collect(),
        other => other.as_f64().into_iter().collect(),
    }
}

fn table(found: &Value) -> Result<Matrix> {
    let rows = found["x"].as_array().context("rows")?;
    let width = rows[0].as_array().map_or(0, Vec::len);
    matrix((0..width).map(|at| rows.iter().map(|row| row[at].as_f64().unwrap_or(f64::NAN)).collect()).collect())
}

fn nothing(task: Task, rows: usize) -> Target {
    Target::Labels { task, names: [].into(), codes: vec![MISSING_CODE; rows] }
}

#[track_caller]
fn clusters(predictions: Predictions) -> (usize, Vec<u32>, Vec<f64>) {
    match predictions {
        Predictions::Clusters { clusters, codes, distances } => (clusters, codes, distances),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn scores(predictions: Predictions) -> (Vec<f64>, f64) {
    match predictions {
        Predictions::Anomalies { scores, threshold } => (scores, threshold),
        other => panic!("{other:?}"),
    }
}

#[test]
fn k_means_equals_k_means() -> Result<()> {
    let found = reference("penguins")?;
    let x = table(&found)?;
    let dense = x.to_row_major();
    let truth: Vec<u32> = list(&found["y"]).into_iter().map(|code| code as u32).collect();
    for count in [2, 3] {
        let expected = &found[format!("kmeans_{count}")];
        let params = format!("clusters = {count}\ntolerance = 0.0");
        let fitted = fit("kmeans", &x, &nothing(Task::Clustering, x.rows()), &params)?;
        let (clusters, codes, distances) = clusters(fitted.predict(&x)?);
        let labels: Vec<u32> = list(&expected["labels"]).into_iter().map(|code| code as u32).collect();
        assert_eq!((clusters, &codes), (count, &labels));
        let points = Points { values: &dense, width: x.features().len() };
        let all = Clusters { points, codes: &codes, clusters, distances: &distances, truth: &truth };
        let measured = compute(None, &Scores::Clusters(all), Task::Clustering)?;
        for name in ["inertia", "silhouette", "davies_bouldin", "calinski_harabasz", "adjusted_rand"]
            .into_iter()
            .chain(["normalized_mutual_info", "homogeneity", "completeness"])
        {
            let wanted = expected[name].as_f64().context(name)?;
            assert!((measured[name] - wanted).abs() <= 1e-9 * wanted.abs().max(1.0), "{name} {}", measured[name]);
        }
    }
    Ok(())
}

#[test]
fn k_means_is_no_worse_than_that_of_smartcore() -> Result<()> {
    let found = reference("titanic")?;
    let x = table(&found)?;
    let rows: Vec<Vec<f64>> = x.to_row_major().chunks(x.features().len()).map(<[f64]>::to_vec).collect();
    let dense = DenseMatrix::from_2d_vec(&rows)?;
    let inertia = |codes: &[u32]| -> f64 {
        (0..4)
            .map(|code| {
                let own: Vec<&Vec<f64>> =
                    rows.iter().zip(codes).filter(|(_, c)| **c == code).map(|(row, _)| row).collect();
                let mean = |at: usize| own.iter().map(|row| row[at]).sum::<f64>() / own.len().max(1) as f64;
                (0..x.features().len())
                    .map(|at| own.iter().map(|row| (row[at] - mean(at)).powi(2)).sum::<f64>())
                    .sum::<f64>()
            })
            .sum()
    };
    let theirs: KMeans<f64, i32, DenseMatrix<f64>, Vec<i32>> =
        KMeans::fit(&dense, KMeansParameters { k: 4, max_iter: 300, seed: Some(1) })?;
    let theirs: Vec<u32> = theirs.predict(&dense)?.into_iter().map(|code| code as u32).collect();
    let (_, ours, _) = clusters(fit("kmeans", &x, &nothing(Task::Clustering, x.rows()), "clusters = 4")?.predict(&x)?);
    assert!(inertia(&ours) <= inertia(&theirs) * (1.0 + 1e-9), "{} {}", inertia(&ours), inertia(&theirs));
    Ok(())
}

#[test]
fn auto_finds_three_groups_and_the_largest_comes_first() -> Result<()> {
    let column = |step: usize| -> Vec<f64> {
        (0..300)
            .map(|row| {
                let group = if row < 60 {
                    0.0
                } else if row < 150 {
                    10.0
                } else {
                    20.0
                };
                let turn = if step == 1 { group } else { -group * ((row / 150) as f64) };
                turn + (row * 37 * step % 11) as f64 / 11.0
            })
            .collect()
    };
    let x = matrix(vec![column(1), column(3)])?;
    let (count, codes, _) = clusters(fit("kmeans", &x, &nothing(Task::Clustering, 300), "")?.predict(&x)?);
    assert_eq!((count, codes[299], codes[100], codes[0]), (3, 0, 1, 2));
    Ok(())
}

#[test]
fn whole_weights_are_repeated_rows() -> Result<()> {
    let x = features()?;
    let weights: Vec<f64> = (0..60).map(|row| (row % 3) as f64).collect();
    let repeated: Vec<usize> = (0..60).flat_map(|row| std::iter::repeat_n(row, row % 3)).collect();
    let taken = |at: usize| repeated.iter().map(|row| x.features()[at].values.get(*row)).collect();
    let more = matrix((0..3).map(taken).collect())?;
    let rows: Vec<u32> = repeated.iter().map(|row| *row as u32).collect();
    for (kind, target, params, tolerance) in [
        ("kmeans", labels(Task::Clustering)?, "clusters = 2\nstarts = 20\ntolerance = 0.0", 1e-9),
        ("svm", two_classes()?, "tolerance = 1e-9", 0.2),
        ("svm", numbers()?, "tolerance = 1e-9\nkernel = 'linear'\nepsilon = 0.3", 0.2),
        ("baseline", two_classes()?, "", 1e-12),
        ("baseline", numbers()?, "", 1e-9),
        ("baseline", numbers()?, "strategy = 'median'", 1e-9),
        ("baseline", labels(Task::Clustering)?, "", 1e-9),
    ] {
        let once = weighted(kind, &x, &target, params, Some(&weights))?.predict(&x)?;
        let often = fit(kind, &more, &target.take(&rows), params)?.predict(&x)?;
        let flat = |predictions| match predictions {
            Predictions::Numbers(values) | Predictions::Probabilities { values, .. } => values,
            Predictions::Clusters { distances, .. } => distances,
            Predictions::Anomalies { scores, .. } => scores,
        };
        for (a, b) in flat(once).into_iter().zip(flat(often)) {
            assert!((a - b).abs() <= tolerance, "{kind} {params}: {a} is not {b}");
        }
    }
    for kind in ["knn", "isolation_forest"] {
        let target = if kind == "knn" { two_classes()? } else { labels(Task::Anomaly)? };
        let error = weighted(kind, &x, &target, "", Some(&weights)).err().map(|error| error.to_string());
        assert_eq!(error, Some(format!("`{kind}` cannot weigh rows")));
    }
    Ok(())
}

#[test]
fn scores_of_odd_rows_go_with_those_of_scikit_learn() -> Result<()> {
    let found = reference("titanic")?;
    let x = table(&found)?;
    let fitted = fit("isolation_forest", &x, &nothing(Task::Anomaly, x.rows()), "contamination = 0.1\ntrees = 500")?;
    let (ours, threshold) = scores(fitted.predict(&x)?);
    let theirs = list(&found["forest"]["scores"]);
    let far = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    // Ten forests of theirs are averaged; single ones stray by 0.05.
    assert!(far < 0.04, "{far}");
    let flagged = ours.iter().filter(|score| **score > threshold).count() as f64 / ours.len() as f64;
    let expected = found["forest"]["flagged_share"].as_f64().context("share")?;
    assert!((flagged - 0.1).abs() < 0.01 && (expected - 0.1).abs() < 0.01, "{flagged} {expected}");
    let (_, usual) = scores(fit("isolation_forest", &x, &nothing(Task::Anomaly, x.rows()), "")?.predict(&x)?);
    assert_eq!(usual, 0.5);
    Ok(())
}

#[track_caller]
fn refused(kind: &str, x: &Matrix, task: Task, params: &str, says: &str) {
    let error = fit(kind, x, &nothing(task, x.rows()), params).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains(says), "{kind} {params}: {error}");
}

#[test]
fn bad_input_is_refused_or_answered() -> Result<()> {
    let x = features()?;
    let one = matrix(vec![vec![1.0], vec![2.0]])?;
    let infinite = matrix(vec![vec![1.0, f64::INFINITY, 3.0]])?;
    let missing = matrix(vec![vec![f64::NAN; 3]])?;
    let huge = matrix(vec![vec![1.0, 1e200, 3.0]])?;
    for (kind, task) in [("kmeans", Task::Clustering), ("isolation_forest", Task::Anomaly)] {
        refused(kind, &one, task, "", "needs at least 2 training rows; there are 1");
        refused(kind, &infinite, task, "", "feature `x0` is inf in row 1");
        refused(kind, &missing, task, "", "missing in row 0");
    }
    refused("kmeans", &huge, Task::Clustering, "", "cannot square feature `x0`");
    refused("kmeans", &x, Task::Clustering, "clusters = 61", "parameter `clusters` of `kmeans` is 61");
    refused("kmeans", &x, Task::Clustering, "clusters = 'few'", "cannot be \"few\"");
    refused("kmeans", &x, Task::Clustering, "starts = 0", "`starts`");
    refused("isolation_forest", &x, Task::Anomaly, "contamination = 0.6", "`contamination`");
    refused("isolation_forest", &x, Task::Anomaly, "trees = 0", "`trees`");
    refused("boost", &x, Task::Anomaly, "", "`boost` learns from a target, and this task has none");
    // Equal rows: one cluster, and no row odder than another.
    let flat = matrix(vec![vec![2.0; 9], vec![5.0; 9]])?;
    for params in ["", "clusters = 4"] {
        let (count, codes, _) = clusters(fit("kmeans", &flat, &nothing(Task::Clustering, 9), params)?.predict(&flat)?);
        assert_eq!((count, codes), (1, vec![0; 9]), "{params}");
    }
    let odd = fit("isolation_forest", &flat, &nothing(Task::Anomaly, 9), "contamination = 0.2")?.predict(&flat)?;
    let (odd, threshold) = scores(odd);
    assert!(odd.iter().all(|score| (score - 0.5).abs() < 1e-12 && *score <= threshold), "{odd:?} {threshold}");
    // As many clusters as rows: every row its own.
    let (count, _, far) = clusters(fit("kmeans", &x, &nothing(Task::Clustering, 60), "clusters = 60")?.predict(&x)?);
    assert_eq!((count, far), (60, vec![0.0; 60]));
    Ok(())
}

#[test]
fn weighted_naive_bayes_equals_gaussian_nb() -> Result<()> {
    let found = reference("penguins")?;
    let x = table(&found)?;
    let codes: Vec<u32> = list(&found["y"]).into_iter().map(|code| code as u32).collect();
    let target = Target::Classes { names: ["a", "b", "c"].map(str::to_owned).into(), codes };
    let weights: Vec<f64> = (0..x.rows()).map(|row| 1.0 + (row % 3) as f64).collect();
    let model = weighted("naive_bayes", &x, &target, "", Some(&weights))?;
    let Predictions::Probabilities { values, .. } = model.predict(&x)? else { panic!("probabilities") };
    for (row, theirs) in list(&found["asked"]).iter().zip(list(&found["naive_bayes_weighted"]).chunks_exact(3)) {
        for (ours, theirs) in values[*row as usize * 3..].iter().zip(theirs) {
            assert!((ours - theirs).abs() < 1e-8, "{row}: {ours} is not {theirs}");
        }
    }
    Ok(())
}

#[test]
fn neighbours_equal_those_of_scikit_learn_on_penguins() -> Result<()> {
    let found = reference("penguins")?;
    let x = table(&found)?;
    let codes: Vec<u32> = list(&found["y"]).into_iter().map(|code| code as u32).collect();
    let target = Target::Classes { names: ["a", "b", "c"].map(str::to_owned).into(), codes };
    let model = fit("knn", &x, &target, "neighbours = 7\nweights = 'distance'")?;
    let asked = list(&found["asked"]);
    let query = |at: usize| asked.iter().map(|row| x.features()[at].values.get(*row as usize) + 0.01).collect();
    let Predictions::Probabilities { values, .. } = model.predict(&matrix((0..4).map(query).collect())?)? else {
        panic!("probabilities")
    };
    for (ours, theirs) in values.iter().zip(list(&found["knn"])) {
        assert!((ours - theirs).abs() < 1e-8, "{ours} is not {theirs}");
    }
    Ok(())
}

#[test]
fn baselines_answer_what_they_say() -> Result<()> {
    let x = features()?;
    let number = |params: &str| -> Result<f64> {
        match fit("baseline", &x, &numbers()?, params)?.predict(&x)? {
            Predictions::Numbers(values) => Ok(values[0]),
            other => panic!("{other:?}"),
        }
    };
    let Target::Numbers(truth) = numbers()? else { panic!("numbers") };
    let mut sorted = truth.clone();
    sorted.sort_by(f64::total_cmp);
    assert_eq!(number("strategy = 'last'")?, truth[59]);
    assert!((number("strategy = 'median'")? - (sorted[29] + sorted[30]) / 2.0).abs() < 1e-12);
    assert_eq!(number("strategy = 'mean'")?, number("")?);
    let classes =
        |params: &str| -> Result<Vec<u32>> { Ok(fit("baseline", &x, &two_classes()?, params)?.predict(&x)?.classes()) };
    let Target::Classes { codes, .. } = two_classes()? else { panic!("classes") };
    let ones = codes.iter().filter(|code| **code == 1).count();
    assert_eq!(classes("strategy = 'majority'")?[0], u32::from(ones > 30));
    assert_eq!(classes("strategy = 'last'")?[0], codes[59]);
    assert!(fit("baseline", &x, &two_classes()?, "strategy = 'mean'").is_err());
    assert!(fit("baseline", &x, &numbers()?, "strategy = 'majority'").is_err());
    let (count, _, far) = clusters(fit("baseline", &x, &labels(Task::Clustering)?, "")?.predict(&x)?);
    assert!(count == 1 && far.iter().all(|distance| *distance > 0.0));
    assert_eq!(scores(fit("baseline", &x, &labels(Task::Anomaly)?, "")?.predict(&x)?), (vec![0.5; 60], 0.5));
    Ok(())
}
