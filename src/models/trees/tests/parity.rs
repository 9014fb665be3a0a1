//! The same answers as LightGBM 4.7.0 and scikit-learn 1.9.1; origin and tolerance in
//! `tests/fixtures/reference/trees/README.md`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::data::matrix::{FeatureValues, Matrix};
use crate::data::target::Target;
use crate::models::trees::tests::{Given, answers, classes, close, feature};

#[derive(Deserialize)]
struct Reference {
    table: BTreeMap<String, Vec<Option<f64>>>,
    shown: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    kind: String,
    params: String,
    target: String,
    weighted: bool,
    categories: bool,
    #[serde(default)]
    filled: bool,
    answers: Vec<f64>,
    #[serde(default)]
    contributions: Vec<f64>,
}

static REFERENCE: LazyLock<Reference> = LazyLock::new(|| {
    let text = include_str!("../../../../tests/fixtures/reference/trees/answers.json");
    serde_json::from_str(text).expect("the reference answers are JSON")
});

impl Reference {
    fn column(&self, name: &str, missing: f64) -> Result<Vec<f64>> {
        let column = self.table.get(name).with_context(|| format!("no column {name}"))?;
        Ok(column.iter().map(|value| value.unwrap_or(missing)).collect())
    }

    fn matrix(&self, case: &Case) -> Result<Matrix> {
        let missing = if case.filled { -9.0 } else { f64::NAN };
        let number = |name| Ok::<_, anyhow::Error>(feature(name, FeatureValues::Number(self.column(name, missing)?)));
        let mut features = vec![number("x0")?, number("x1")?, number("x2")?];
        if case.categories {
            let codes = self.column("level", 0.0)?.iter().map(|level| *level as u32).collect();
            features.push(feature("level", FeatureValues::Category { codes, levels: 13 }));
        }
        Matrix::new(self.table["x0"].len(), features)
    }

    fn target(&self, case: &Case) -> Result<Target> {
        let values = self.column(&case.target, f64::NAN)?;
        let codes = || values.iter().map(|value| *value as u32).collect();
        Ok(match case.target.as_str() {
            "binary" => classes(2, codes()),
            "several" => classes(3, codes()),
            _ => Target::Numbers(values),
        })
    }
}

/// Compares every case whose name begins like this.
#[track_caller]
fn check(name: &str, tolerance: f64) -> Result<()> {
    let reference = &*REFERENCE;
    let mut found = 0;
    for case in reference.cases.iter().filter(|case| case.name.starts_with(name)) {
        found += 1;
        let (matrix, target) = (reference.matrix(case)?, reference.target(case)?);
        let weights = reference.column("weight", 1.0)?;
        let given = Given::new(&case.kind, &matrix, &target, &case.params);
        let model = if case.weighted { given.weights(&weights).fit()? } else { given.fit()? };
        let mut all = answers(&*model, &matrix)?;
        let per_row = all.len() / matrix.rows();
        // LightGBM answers for two classes with the share of the second.
        if per_row == 2 && case.answers.len() == reference.shown {
            all = all.chunks_exact(2).map(|pair| pair[1]).collect();
        }
        close(&all[..case.answers.len()], &case.answers, tolerance, &case.name);
        let Some(contributions) = model.contributions(&matrix)? else { continue };
        let outputs = contributions.outputs;
        let width = contributions.features + 1;
        // LightGBM lists the features of one class after those of the other.
        let turned = (0..case.contributions.len()).map(|place| {
            let (row, rest) = (place / (width * outputs), place % (width * outputs));
            contributions.row(row)[rest % width * outputs + rest / width]
        });
        close(&turned.collect::<Vec<f64>>(), &case.contributions, tolerance, &case.name);
    }
    assert!(found > 0, "no case is called {name}");
    Ok(())
}

macro_rules! parity {
    ($($test:ident: $name:literal, $tolerance:literal;)*) => {
        $(#[test]
        fn $test() -> Result<()> {
            check($name, $tolerance)
        })*
    };
}

parity! {
    squared_is_that_of_lightgbm: "squared", 2e-6;
    absolute_is_that_of_lightgbm: "absolute", 2e-6;
    huber_is_that_of_lightgbm: "huber", 2e-6;
    quantile_is_that_of_lightgbm: "quantile", 2e-6;
    poisson_is_that_of_lightgbm: "poisson", 2e-6;
    binary_is_that_of_lightgbm: "binary", 2e-6;
    multiclass_is_that_of_lightgbm: "multiclass", 2e-6;
    penalties_are_those_of_lightgbm: "l1", 2e-6;
    gain_is_that_of_lightgbm: "gain", 2e-6;
    largest_step_is_that_of_lightgbm: "step", 2e-6;
    depth_is_that_of_lightgbm: "depth", 2e-6;
    hessian_is_that_of_lightgbm: "hessian", 2e-6;
    monotone_is_that_of_lightgbm: "monotone", 2e-6;
    interactions_are_those_of_lightgbm: "interactions", 2e-6;
    categories_are_those_of_lightgbm: "categories", 2e-6;
    trees_are_those_of_scikit_learn: "tree", 1e-8;
}
