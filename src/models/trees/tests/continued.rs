//! Going on from a model: as if all trees had been grown at once; models that do not fit are refused.

use anyhow::Result;

use crate::models::trees::tests::{Given, answers, bytes, close, matrix, table};

#[test]
fn fifty_and_fifty_trees_are_a_hundred() -> Result<()> {
    let table = table(800, 30)?;
    for (kind, target, params) in table.cases("") {
        if kind != "boost" {
            continue;
        }
        let of = |trees: usize| params.replace("trees = 8", &format!("trees = {trees}"));
        let whole = Given::new(kind, &table.matrix, target, &of(100)).fit()?;
        let half = Given::new(kind, &table.matrix, target, &of(50)).fit()?;
        let half_params = of(50);
        let both = Given::new(kind, &table.matrix, target, &half_params).from(&*half).fit()?;
        close(&answers(&*both, &table.matrix)?, &answers(&*whole, &table.matrix)?, 1e-9, &params);
        assert!(bytes(&*both) == bytes(&*whole), "{params}");
    }
    Ok(())
}

#[test]
fn patience_counts_from_the_trees_that_were_there() -> Result<()> {
    let (held, table) = (table(300, 32)?, table(800, 31)?);
    let first = Given::new("boost", &table.matrix, &table.two, "trees = 20").fit()?;
    let mut given = Given::new("boost", &table.matrix, &table.two, "trees = 300\npatience = 10").from(&*first);
    given.validation = Some((&held.matrix, &held.two));
    let (model, points) = given.fit_with_points()?;
    let steps: Vec<i64> = points.iter().filter(|point| point.name == "validation_loss").map(|p| p.step).collect();
    assert_eq!(steps[0], 21);
    assert!(steps.len() < 300, "never stopped");
    assert!(bytes(&*model).len() >= bytes(&*first).len());
    Ok(())
}

#[test]
fn models_that_do_not_fit_are_refused() -> Result<()> {
    let table = table(200, 33)?;
    let boosted = Given::new("boost", &table.matrix, &table.numbers, "trees = 3").fit()?;
    let forest = Given::new("forest", &table.matrix, &table.numbers, "trees = 3").fit()?;
    let given = Given::new("boost", &table.matrix, &table.numbers, "trees = 3");
    #[track_caller]
    fn check(given: Given<'_>, expected: &str) {
        let failure = given.failure();
        assert!(failure.contains(expected), "{failure}");
    }
    check(given.from(&*forest), "is not a boosted one");
    let narrow = matrix(vec![table.matrix.features()[0].values.clone()])?;
    check(Given { matrix: &narrow, ..given }.from(&*boosted), "has 5 features and the training rows 1");
    check(Given { target: &table.three, ..given }.from(&*boosted), "has 1 scores a row and the target asks for 3");
    let huber = "objective = 'huber'\nalpha = 2.0";
    check(Given { params: huber, ..given }.from(&*boosted), "its loss is squared, not huber (alpha 2)");
    check(Given { kind: "forest", params: "", ..given }.from(&*boosted), "`forest` cannot go on from a model");
    Ok(())
}
