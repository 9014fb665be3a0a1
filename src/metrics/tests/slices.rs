//! Metrics of parts of the rows.

use anyhow::Result;

use crate::data::divide::{Division, NO_SLICE};
use crate::metrics::slices::{of_rows, slices};
use crate::metrics::tests::{binary_table, names};
use crate::metrics::{Sample, Scores, compute_at, measure};
use crate::spec::model::Task;

fn division(text: &str, codes: &[u32], names: &[&str]) -> Division {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    Division { text: text.to_owned(), codes: codes.to_vec(), names, values_left_out: 0, notes: Vec::new() }
}

#[test]
fn slices_are_the_metrics_of_their_rows() -> Result<()> {
    let (truth, probabilities) = binary_table();
    let names = names(2);
    let scores = Scores::Classes { truth: &truth, probabilities: &probabilities, names: &names };
    let codes: Vec<u32> = (0..400).map(|row| if row % 40 == 0 { NO_SLICE } else { row % 3 }).collect();
    let sample = Sample { threshold: Some(0.3), ..Sample::new(scores, Task::Binary) };
    let parts = slices(&[division("grade", &codes, &["a", "b", "c"])], &sample, 1)?;
    let order: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
    assert_eq!(order, ["a", "b", "c"]);
    assert_eq!(parts.iter().map(|part| part.rows).sum::<u64>(), 390);
    let rows: Vec<usize> = (0..400).filter(|row| row % 40 != 0 && row % 3 == 1).collect();
    let part_truth: Vec<u32> = rows.iter().map(|&row| truth[row]).collect();
    let part_probabilities: Vec<f64> =
        rows.iter().flat_map(|&row| [probabilities[2 * row], probabilities[2 * row + 1]]).collect();
    let part = Scores::Classes { truth: &part_truth, probabilities: &part_probabilities, names: &names };
    assert_eq!(parts[1].metrics, compute_at(None, &part, Task::Binary, Some(0.3))?);
    assert_eq!((parts[1].column.as_str(), parts[1].rows), ("grade", rows.len() as u64));
    Ok(())
}

#[test]
fn small_slices_are_left_out_and_divisions_keep_their_order() -> Result<()> {
    let scores = Scores::Numbers { truth: &[1.0, 2.0, 4.0], predicted: &[1.0, 3.0, 4.5] };
    let sample = Sample::new(scores, Task::Regression);
    let divisions = [division("size", &[0, 1, 0], &["s", "l"]), division("all", &[0; 3], &["x"])];
    let parts = |rows_min: u64| -> Result<Vec<(String, f64)>> {
        let parts = slices(&divisions, &sample, rows_min)?;
        Ok(parts.iter().map(|part| (format!("{}={}", part.column, part.value), part.metrics["mae"])).collect())
    };
    let named = |name: &str, mae: f64| (name.to_owned(), mae);
    assert_eq!(parts(0)?, [named("size=s", 0.25), named("size=l", 1.0), named("all=x", 0.5)]);
    assert_eq!(parts(2)?, [named("size=s", 0.25), named("all=x", 0.5)]);
    assert_eq!(parts(4)?, []);
    assert_eq!(of_rows(&sample, &[0, 1, 2])?, measure(None, &sample)?);
    let error = slices(&[division("size", &[0], &["10"])], &sample, 1).expect_err("too few codes");
    assert!(error.to_string().contains("slice `size`"));
    Ok(())
}

#[test]
fn weights_go_with_their_rows() -> Result<()> {
    let scores = Scores::Numbers { truth: &[1.0, 2.0, 4.0, 8.0], predicted: &[1.0, 3.0, 4.5, 6.0] };
    let weights = [1.0, 2.0, 0.5, 3.0];
    let sample = Sample { weights: Some(&weights), ..Sample::new(scores, Task::Regression) };
    let parts = slices(&[division("size", &[0, 1, 0, 1], &["s", "l"])], &sample, 1)?;
    let large = Scores::Numbers { truth: &[2.0, 8.0], predicted: &[3.0, 6.0] };
    let wanted = measure(None, &Sample { scores: large, weights: Some(&[2.0, 3.0]), ..sample })?;
    assert_eq!(parts[1].metrics, wanted);
    Ok(())
}
