//! Contributions and coefficients of whole packages, recipe and model together, in terms of raw columns.

use anyhow::Result;

use crate::base::seed::Seed;
use crate::data::frame::{Column, Frame, TextValues, Values};
use crate::data::split::Split;
use crate::data::target::Target;
use crate::features::recipe::Recipe;
use crate::models::explain::attribution::{Attributions, Origins, exact};
use crate::models::explain::linear::linear_effect;
use crate::models::explain::model::{answers, outputs};
use crate::models::explain::tests::near;
use crate::models::package::{InputColumn, ModelPackage, PackageHeader};
use crate::models::predictor::{Contributions, Margin};
use crate::models::tests::fit;
use crate::models::zoo;
use crate::record::profile::ProfileRecord;
use crate::spec::model::Task;
use crate::spec::recipe::TransformSpec;
use crate::spec::schema::ColumnType;

const ROWS: usize = 90;
const COLORS: [&str; 3] = ["red", "green", "blue"];

fn number(row: usize, column: usize) -> f64 {
    ((row * [37, 23][column] + 5) % 53) as f64 / [4.0, 9.0][column]
}

fn frame() -> Result<Frame> {
    let numbers = |column: usize| Values::Number((0..ROWS).map(|row| number(row, column)).collect());
    let words = (0..ROWS).map(|row| Some(COLORS[row * 7 % 5 % 3]));
    let columns = vec![
        Column::raw("size", numbers(0)),
        Column::raw("age", numbers(1)),
        Column::raw("color", Values::Text(TextValues::from_values(words))),
    ];
    Frame::new(ROWS, columns)
}

/// A number that `size`, `age` and `color` give; its thirds as classes.
fn value(row: usize) -> f64 {
    let of_color = [0.0, 4.0, -2.0][row * 7 % 5 % 3];
    2.5 * number(row, 0) - 1.5 * number(row, 1) + of_color
}

fn target(task: Task) -> Target {
    let classes = |names: &[&str], code: &dyn Fn(f64) -> u32| Target::Classes {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        codes: (0..ROWS).map(|row| code(value(row) + (row % 4) as f64)).collect(),
    };
    match task {
        Task::Binary => classes(&["no", "yes"], &|value| u32::from(value > 9.0)),
        Task::Multiclass => classes(&["a", "b", "c"], &|value| u32::from(value > 4.0) + u32::from(value > 15.0)),
        _ => Target::Numbers((0..ROWS).map(value).collect()),
    }
}

fn package(kind: &str, task: Task, steps: &str, params: &str) -> Result<ModelPackage> {
    let frame = frame()?;
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    let target = target(task);
    let train = Split::from_parts(vec![0; ROWS])?.training(&frame, &target, &rows)?;
    let spec: TransformSpec = if steps.is_empty() { TransformSpec::default() } else { toml::from_str(steps)? };
    let recipe = Recipe::from_spec(&spec, zoo::kind(kind)?.family)?.fit(&train, Seed(1))?;
    let matrix = recipe.apply(&frame)?;
    let header = PackageHeader {
        target: "target".to_owned(),
        classes: target.classes().to_vec(),
        inputs: vec![
            InputColumn::new("size", ColumnType::Float),
            InputColumn::new("age", ColumnType::Float),
            InputColumn::new("color", ColumnType::Text),
        ],
        ..PackageHeader::new(kind, task, recipe.features().to_vec())
    };
    let predictor = fit(kind, &matrix, &target, params)?;
    Ok(ModelPackage::new(header, recipe, predictor, ProfileRecord { rows: ROWS as u64, columns: Vec::new() }))
}

/// Margins of the answers: log odds where contributions are of the score, the answers otherwise.
fn margins(package: &ModelPackage, parts: &Attributions) -> Result<Vec<Vec<f64>>> {
    let answers = answers(package, &frame()?)?;
    let outputs = outputs(package);
    Ok(answers
        .chunks_exact(outputs)
        .map(|row| match (parts.margin, outputs) {
            (Margin::Score, 1) => vec![(row[0] / (1.0 - row[0])).ln()],
            // Scores of several classes are known up to a number that all share.
            (Margin::Score, _) => row.iter().map(|share| share.ln() - row[0].ln()).collect(),
            (Margin::Answer, _) => row.to_vec(),
        })
        .collect())
}

const MIXED: &str = "steps = [{ op = 'scale', columns = 'numeric' }, { op = 'interact', columns = ['size', 'age'] }, \
                     { op = 'one_hot', columns = 'categorical' }]";

#[test]
fn exact_contributions_sum_to_the_answers() -> Result<()> {
    let cases = [
        ("boost", Task::Regression, "", "trees = 20"),
        ("boost", Task::Binary, "", "trees = 10"),
        ("boost", Task::Multiclass, MIXED, "trees = 10"),
        ("forest", Task::Binary, "", "trees = 5"),
        ("forest", Task::Multiclass, "", "trees = 5"),
        ("tree", Task::Regression, MIXED, ""),
        ("logistic", Task::Binary, "", ""),
        ("logistic", Task::Multiclass, MIXED, ""),
        ("ridge", Task::Regression, MIXED, ""),
    ];
    for (kind, task, steps, params) in cases {
        let package = package(kind, task, steps, params)?;
        let parts = exact(&package, &frame()?)?.expect("this kind says what its answers are made of");
        assert_eq!((parts.columns, parts.rows(), parts.outputs), (3, ROWS, outputs(&package)), "{kind}");
        for (row, wanted) in margins(&package, &parts)?.into_iter().enumerate() {
            let mut found = parts.margin_of(row);
            if parts.margin == Margin::Score && found.len() > 1 {
                let first = found[0];
                found.iter_mut().for_each(|value| *value -= first);
            }
            near(&found, &wanted, 1e-6);
        }
    }
    Ok(())
}

#[test]
fn kinds_that_do_not_say_have_no_exact_contributions() -> Result<()> {
    for kind in ["knn", "naive_bayes", "svm"] {
        assert_eq!(exact(&package(kind, Task::Binary, "", "")?, &frame()?)?, None, "{kind}");
    }
    Ok(())
}

#[test]
fn what_is_made_of_several_columns_is_divided_among_them() -> Result<()> {
    let package = package("ridge", Task::Regression, MIXED, "")?;
    let origins = Origins::new(&package.recipe);
    assert_eq!(origins.shared(), 1);
    let features = package.recipe.features().len();
    let product = (0..features).find(|&feature| package.recipe.origins(feature).count() == 2).expect("there is one");
    let mut values = vec![0.0; features];
    values[product] = 3.0;
    assert_eq!(origins.sum(&values), [1.5, 1.5, 0.0]);
    values.push(7.0);
    let parts = Contributions { features, outputs: 1, margin: Margin::Answer, values };
    let raw = origins.to_raw(&parts);
    assert_eq!((raw.base.as_slice(), raw.values.as_slice()), ([7.0].as_slice(), [1.5, 1.5, 0.0].as_slice()));
    assert_eq!(raw.sizes(), [1.5, 1.5, 0.0]);
    Ok(())
}

#[test]
fn a_linear_model_is_read_in_raw_units() -> Result<()> {
    let package = package("linear", Task::Regression, "", "")?;
    let frame = frame()?;
    let effect = |place: usize, column_type| linear_effect(&package, &frame, (place, column_type), 20);
    // The target is a sum without noise, so least squares finds it again, whatever the recipe scales.
    for (place, slope) in [(0, 2.5), (1, -1.5)] {
        let found = effect(place, ColumnType::Float)?;
        near(&found.per_unit.expect("the same everywhere"), &[slope], 1e-8);
    }
    let found = effect(2, ColumnType::Text)?;
    let of = |name: &str| found.levels.iter().find(|(level, _)| level == name).map_or(f64::NAN, |(_, add)| add[0]);
    near(&[of("green") - of("red"), of("blue") - of("red")], &[4.0, -2.0], 1e-8);
    assert_eq!(found.levels[0].1, [0.0], "the most frequent is what others are compared with");
    Ok(())
}

fn package_of(steps: &str) -> Result<ModelPackage> {
    package("ridge", Task::Regression, steps, "")
}

#[test]
fn an_effect_that_is_not_the_same_everywhere_is_said_to_be_none() -> Result<()> {
    let package = package("ridge", Task::Regression, MIXED, "")?;
    let found = linear_effect(&package, &frame()?, (0, ColumnType::Float), 20)?;
    assert!(found.per_unit.is_none() && found.left_out.is_some_and(|why| why.contains("other columns")));
    let bent = "steps = [{ op = 'log', columns = ['size'] }, { op = 'one_hot', columns = 'categorical' }]";
    let package = package_of(bent)?;
    let found = linear_effect(&package, &frame()?, (0, ColumnType::Float), 20)?;
    assert!(found.per_unit.is_none() && found.left_out.is_some_and(|why| why.contains("bends")));
    let found = linear_effect(&package, &frame()?, (1, ColumnType::Float), 20)?;
    assert!(found.per_unit.is_some());
    Ok(())
}
