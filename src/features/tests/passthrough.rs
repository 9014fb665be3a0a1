//! Raw columns as features, with the codes that another tool settled.

use anyhow::Result;

use crate::data::frame::Frame;
use crate::features::category::KnownLevels;
use crate::features::passthrough::{RawColumn, passthrough};
use crate::features::recipe::FittedRecipe;
use crate::features::tests::{number, text};

fn column(name: &str, levels: Option<KnownLevels>) -> RawColumn {
    RawColumn { name: name.to_owned(), levels }
}

#[test]
fn levels_keep_the_codes_they_are_given() -> Result<()> {
    let colors = KnownLevels::Text(["red", "amber", "blue"].map(str::to_owned).to_vec());
    let grades = KnownLevels::Numbers(vec![5.0, 1.0]);
    let columns = [column("size", None), column("color", Some(colors)), column("grade", Some(grades))];
    let recipe = passthrough(&columns, Vec::new())?;
    let frame = Frame::new(
        4,
        vec![
            number("grade", &[1.0, 5.0, 2.0, f64::NAN]),
            text("color", &["blue", "red", "violet", "?"]),
            number("size", &[0.5, -1.0, f64::INFINITY, 3.0]),
        ],
    )?;
    let matrix = recipe.apply(&frame)?;
    let values = |at: usize| (0..4).map(|row| matrix.features()[at].values.get(row)).collect::<Vec<f64>>();
    let names: Vec<&str> = matrix.features().iter().map(|feature| &*feature.name).collect();
    assert_eq!(names, ["size", "color", "grade"]);
    assert_eq!((&values(0)[..2], values(0)[2].is_nan()), (&[0.5, -1.0][..], true));
    assert_eq!((&values(1)[..2], values(1)[2].is_nan(), values(1)[3].is_nan()), (&[2.0, 0.0][..], true, true));
    assert_eq!((&values(2)[..2], values(2)[2].is_nan(), values(2)[3].is_nan()), (&[1.0, 0.0][..], true, true));
    assert_eq!(FittedRecipe::from_json(&recipe.to_json())?, recipe);
    Ok(())
}

#[test]
fn columns_and_levels_that_cannot_be_are_refused() {
    let refused = |columns: &[RawColumn], words: &str| {
        let error = passthrough(columns, Vec::new()).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(words), "`{error}` does not say `{words}`");
    };
    let texts = |names: &[&str]| Some(KnownLevels::Text(names.iter().map(|name| (*name).to_owned()).collect()));
    refused(&[column("a", None), column("a", None)], "two columns are called `a`");
    refused(&[column("a", texts(&["x", "x"]))], "a category twice");
    refused(&[column("a", texts(&[]))], "has 0 categories");
    refused(&[column("a", Some(KnownLevels::Numbers(vec![1.0, f64::NAN])))], "a category twice");
    refused(&[column("a", Some(KnownLevels::Numbers((0..300).map(f64::from).collect())))], "has 300 categories");
}
