//! The default spaces of the search name parameters that the kinds have, and values that they take.

use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::{Context, Result};

use crate::base::seed::Seed;
use crate::base::talk::Silent;
use crate::data::frame::MISSING_CODE;
use crate::data::matrix::{Feature, FeatureValues, Matrix};
use crate::data::target::Target;
use crate::models::predictor::FitInput;
use crate::models::zoo;
use crate::search::space::Space;
use crate::search::spaces;
use crate::spec::model::Task;

const ROWS: usize = 40;

fn matrix() -> Result<Matrix> {
    let feature = |at: usize| {
        let values = (0..ROWS).map(|row| ((row * (7 + at) + at) % 23) as f64 / 10.0 - 1.0).collect();
        let name: Arc<str> = format!("x{at}").into();
        Feature { from: Arc::clone(&name), name, values: FeatureValues::Number(values) }
    };
    Matrix::new(ROWS, (0..3).map(feature).collect())
}

fn target(task: Task) -> Target {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let codes = |classes: usize| (0..ROWS).map(|row| (row * 7 % 23 % classes) as u32).collect();
    match task {
        Task::Binary => Target::Classes { names: names(&["no", "yes"]), codes: codes(2) },
        Task::Multiclass => Target::Classes { names: names(&["a", "b", "c"]), codes: codes(3) },
        Task::Regression => Target::Numbers((0..ROWS).map(|row| (row * 5 % 17) as f64).collect()),
        Task::Clustering | Task::Anomaly => {
            Target::Labels { task, names: names(&["normal", "odd"]), codes: vec![MISSING_CODE; ROWS] }
        }
    }
}

/// Both ends of every dimension with the others in the middle, and all dimensions at the same end.
fn ends(space: &Space) -> Vec<toml::Table> {
    let count = space.dimensions.len();
    let mut places = vec![vec![0.0; count], vec![1.0; count]];
    for at in 0..count {
        for end in [0.0, 1.0] {
            places.push((0..count).map(|other| if other == at { end } else { 0.5 }).collect());
        }
    }
    places.iter().map(|place| space.decode(place).to_toml(space)).collect()
}

#[test]
fn every_kind_takes_the_ends_of_its_default_space() -> Result<()> {
    let matrix = matrix()?;
    for kind in zoo::kinds() {
        for task in kind.tasks {
            let space = spaces::of(kind.name, *task, ROWS).with_context(|| format!("{} has no space", kind.name))?;
            let known = (kind.params)();
            for dimension in &space.dimensions {
                assert!(known.contains_key(&dimension.name), "{} has no {}", kind.name, dimension.name);
            }
            for mut params in ends(&space) {
                // Fewer trees show the same.
                if params.get("trees").and_then(toml::Value::as_integer).is_some_and(|trees| trees > 50) {
                    params.insert("trees".to_owned(), 5.into());
                }
                let target = target(*task);
                let mut input = FitInput {
                    matrix: &matrix,
                    target: &target,
                    weights: None,
                    validation: None,
                    from: None,
                    params: &params,
                    seed: Seed(7),
                    talk: &Silent,
                    points: &mut |_| ControlFlow::Continue(()),
                };
                (kind.fit)(&mut input).with_context(|| format!("{} with {params}", kind.name))?;
            }
        }
    }
    Ok(())
}
