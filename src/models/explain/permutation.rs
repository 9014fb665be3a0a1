//! Permutation importance of raw columns (Breiman 2001, §10; Fisher, Rudin, Dominici 2019): how much worse a model gets
//! when a column's values are shuffled among the rows, so that they tell nothing any more.
//!
//! As scikit-learn's `permutation_importance`, but of the columns a person knows: the recipe sees the shuffled values.
//! Columns that stand in for each other share their importance or show none; shuffle them together to see what they
//! tell.

use anyhow::Result;
use rayon::prelude::*;
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::base::seed::Seed;
use crate::data::frame::Frame;
use crate::models::explain::mix::mixed;
use crate::record::explanation::Estimate;

/// What rows are worth: a metric of the answers for them, larger being better.
pub type Worth<'a> = dyn Fn(&Frame) -> Result<f64> + Sync + 'a;

/// Mean drop of `worth` over `repeats` shuffles of each of `subjects`, sets of columns whose values move together.
///
/// Shuffle `r` of a subject starts from the name of its first column and `r` alone, so neither other subjects nor
/// threads change it. The interval is Student's for the mean over shuffles: it tells how well the drop *on these rows*
/// is known, not how other rows would do. Cost: subjects × repeats predictions of all rows, in parallel; `done` is
/// called after each.
pub fn permutation(
    frame: &Frame,
    subjects: &[Vec<usize>],
    repeats: usize,
    seed: Seed,
    worth: &Worth<'_>,
    done: &(dyn Fn() + Sync),
) -> Result<Vec<Estimate>> {
    let whole = worth(frame)?;
    let rest: Vec<u32> = (0..frame.rows() as u32).collect();
    let jobs: Vec<(usize, u64)> =
        (0..subjects.len()).flat_map(|subject| (0..repeats as u64).map(move |repeat| (subject, repeat))).collect();
    let drops: Vec<f64> = jobs
        .into_par_iter()
        .map(|(subject, repeat)| {
            let places = &subjects[subject];
            let name = places.first().map_or("", |&place| &*frame.columns()[place].name);
            let mut order = rest.clone();
            seed.derive(name).nth(repeat).rng().shuffle(&mut order);
            let drop = whole - worth(&mixed(frame, places, &order, &rest)?)?;
            done();
            Ok(drop)
        })
        .collect::<Result<_>>()?;
    Ok(drops.chunks(repeats.max(1)).map(estimate).collect())
}

/// Mean of `values` with its 95 % interval by Student's distribution; of one value the interval is that value.
pub fn estimate(values: &[f64]) -> Estimate {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    if values.len() < 2 {
        return Estimate { mean, std: 0.0, low: mean, high: mean };
    }
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let std = (squares / (count - 1.0)).sqrt();
    let student = StudentsT::new(0.0, 1.0, count - 1.0).expect("there is at least one degree of freedom");
    let half = student.inverse_cdf(0.975) * std / count.sqrt();
    Estimate { mean, std, low: mean - half, high: mean + half }
}
