//! Recipes side by side: features of each, what they depend on, JSON there and back, hostile JSON.

use anyhow::Result;
use serde_json::{Value, json};

use crate::data::frame::Frame;
use crate::features::branches::Branch;
use crate::features::recipe::{Family, FittedRecipe};
use crate::features::tests::{classes, feature, fit_auto, fit_target, frame, names, number, text};

fn table() -> Frame {
    frame(vec![
        text("color", &["red", "blue", "red", "?", "blue", "red"]),
        number("size", &[1.0, 2.0, f64::NAN, 4.0, 5.0, 6.0]),
        number("same", &[3.0; 6]),
    ])
}

fn branch(name: &str, recipe: FittedRecipe) -> Branch {
    Branch { name: name.to_owned(), recipe }
}

fn both() -> Result<FittedRecipe> {
    let table = table();
    let branches =
        vec![branch("trees", fit_auto(Family::Trees, &table)?), branch("linear", fit_auto(Family::Linear, &table)?)];
    FittedRecipe::beside(branches, &["color", "size", "same"])
}

#[test]
fn features_of_all_branches_come_out_with_their_names() -> Result<()> {
    let (fitted, table) = (both()?, table());
    let made = fitted.apply(&table)?;
    let from: Vec<&str> = made.features().iter().map(|feature| &*feature.name).collect();
    assert_eq!(from, names(&fitted));
    assert_eq!(names(&fitted)[..2], ["trees.color", "trees.size"]);
    let alone = fit_auto(Family::Linear, &table)?;
    let matrix = alone.apply(&table)?;
    for name in names(&alone) {
        assert_eq!(feature(&made, &format!("linear.{name}")), feature(&matrix, name), "{name}");
    }
    let of = |name: &str| {
        let place = names(&fitted).iter().position(|known| *known == name).expect("a feature");
        fitted.origins(place).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!((of("trees.size"), of("linear.color=red")), (vec!["size".to_owned()], vec!["color".to_owned()]));
    let inputs: Vec<&str> = fitted.inputs().iter().map(|input| input.name.as_str()).collect();
    assert_eq!(inputs, ["color", "size"]);
    assert_eq!(fitted.notes().iter().filter(|note| note.contains("constant")).count(), 1, "{:?}", fitted.notes());
    let lacking = frame(vec![number("other", &[1.0])]);
    let error = fitted.apply(&lacking).expect_err("columns are missing").to_string();
    assert!(error.contains("`color`, `size`"), "{error}");
    Ok(())
}

#[test]
fn they_read_back_and_old_recipes_are_written_as_before() -> Result<()> {
    let fitted = both()?;
    let value = fitted.to_json();
    assert_eq!((&value["version"], &value["branches"][1]["recipe"]["version"]), (&json!(3), &json!(1)));
    assert_eq!(FittedRecipe::from_json(&value)?, fitted);
    assert_eq!(fit_auto(Family::Trees, &table())?.to_json()["version"], 1);
    Ok(())
}

#[test]
fn rows_that_an_encoding_learned_from_are_told_apart_in_a_branch_too() -> Result<()> {
    let (table, target) = (table(), classes(&[0, 1, 0, 1, 1, 1]));
    let encoded = fit_target("{'op': 'target','columns': ['color']}", &table, &target)?;
    let alone = encoded.run(&table, Some(&target))?;
    let fitted = FittedRecipe::beside(vec![branch("a", encoded)], &["color", "size", "same"])?;
    assert!(fitted.tells_training_rows_apart());
    let made = fitted.run(&table, Some(&target))?;
    assert_eq!(feature(&made, "a.color"), feature(&alone, "color"));
    assert_ne!(feature(&made, "a.color"), feature(&fitted.apply(&table)?, "a.color"));
    Ok(())
}

#[test]
fn what_does_not_fit_together_is_refused() -> Result<()> {
    let good = both()?.to_json();
    let edits: [fn(&mut Value); 10] = [
        |value| value["branches"] = json!([]),
        |value| value["branches"][0]["name"] = "linear".into(),
        |value| value["branches"][0]["name"] = "".into(),
        |value| value["branches"][0]["name"] = "linear.color".into(),
        |value| value["branches"][1]["recipe"] = value.clone(),
        |value| value["inputs"] = json!([]),
        |value| value["inputs"][0]["kind"] = "number".into(),
        |value| value["inputs"][2] = json!({"name": "idle", "kind": "number"}),
        |value| value["inputs"][2] = value["inputs"][0].clone(),
        |value| value["branches"] = Value::Array(vec![value["branches"][0].clone(); 17]),
    ];
    for (position, edit) in edits.into_iter().enumerate() {
        let mut value = good.clone();
        if position == 7 || position == 8 {
            value["inputs"].as_array_mut().expect("a list").push(Value::Null);
        }
        edit(&mut value);
        assert!(FittedRecipe::from_json(&value).is_err(), "edit {position}");
    }
    let inner =
        FittedRecipe::beside(vec![branch("a", fit_auto(Family::Trees, &table())?)], &["color", "size", "same"])?;
    assert!(FittedRecipe::beside(vec![branch("b", inner)], &["color", "size"]).is_err(), "branches of branches");
    Ok(())
}
