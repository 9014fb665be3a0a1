//! Whole recipes: checks, selection, `auto`, reading and writing.

use anyhow::Result;
use serde_json::{Value, json};

use crate::base::fail::{self, Blame};
use crate::base::json::canonical;
use crate::features::column::Kind;
use crate::features::recipe::FittedRecipe;
use crate::features::recipe::{Family, Recipe};
use crate::features::tests::{feature, fit, fit_auto, frame, names, number, text, time, written};

const NAN: f64 = f64::NAN;

/// The whole message of a usage error.
fn refused<T>(result: Result<T>) -> String {
    let Err(error) = result else { panic!("accepted") };
    let failure = fail::find(&error).unwrap_or_else(|| panic!("no failure in {error:#}"));
    assert_eq!(failure.blame, Blame::Request, "{error:#}");
    format!("{error:#} ({})", failure.hint.as_deref().unwrap_or("no hint"))
}

fn check(spec: &str) -> Result<Recipe> {
    Recipe::from_spec(&written(spec)?, Family::Linear)
}

#[test]
fn contradictions_are_refused_before_any_data() {
    let cases = [
        ("'recipe': 'atuo'", "unknown recipe `atuo` (did you mean `auto`?)"),
        ("'recipe': 'auto', 'steps': []", "both `recipe` and `steps`"),
        ("'steps': [{'op': 'drop','columns': []}]", "[transform] step 1: columns is empty"),
        ("'steps': [{'op': 'drop','columns': ['a','a']}]", "columns names `a` twice"),
        ("'steps': [{'op': 'impute','columns': 'all','strategy': 'constant'}]", "needs a value"),
        ("'steps': [{'op': 'impute','columns': 'all','strategy': 'mode','value': 1}]", "value is given"),
        (
            "'steps': [{'op': 'impute','columns': 'all','strategy': 'constant','value': [1]}]",
            "neither a number nor a text",
        ),
        ("'steps': [{'op': 'one_hot','columns': 'all','max': 1}]", "max = 1"),
        ("'steps': [{'op': 'bin','columns': 'all','bins': 1}]", "bins = 1"),
        ("'steps': [{'op': 'bin','columns': 'all','bins': 99999}]", "bins = 99999"),
        ("'steps': [{'op': 'ordinal','columns': 'all','order': ['a','b','a']}]", "order names `a` twice"),
        ("'steps': [{'op': 'dates','columns': 'all','parts': []}]", "parts is empty"),
    ];
    for (spec, part) in cases {
        let message = refused(check(spec));
        assert!(message.contains(part), "{message}");
    }
    assert!(check("'recipe': 'auto'").is_ok() && check("").is_ok());
}

#[test]
fn steps_that_do_not_suit_the_data_say_so() {
    let train = frame(vec![number("age", &[1.0, 2.0]), text("sex", &["f", "m"]), time("day", &[1, 2])]);
    let cases = [
        (
            "{'op': 'drop','columns': ['agee']}",
            "[transform] step 1 (drop): unknown column `agee` (did you mean `age`?)",
        ),
        ("{'op': 'scale','columns': 'all'}", "scale cannot work on column `sex`, which is text"),
        ("{'op': 'impute','columns': ['sex'],'strategy': 'mean'}", "column `sex` is text: it has no mean"),
        (
            "{'op': 'drop','columns': ['age']},{'op': 'scale','columns': ['age']}",
            "step 2 (scale): unknown column `age`",
        ),
        ("{'op': 'scale','columns': 'numeric'}", "column `sex` is still text at the end of the recipe (add a step"),
        ("{'op': 'drop','columns': ['sex']}", "column `day` is still time at the end of the recipe (add a step"),
        ("{'op': 'drop','columns': 'all'}", "leaves no feature"),
        ("{'op': 'ordinal','columns': ['age'],'order': ['old']}", "column `age` holds numbers"),
        ("{'op': 'ordinal','columns': ['age'],'order': ['1','1.0']}", "the number 1 twice"),
    ];
    for (steps, part) in cases {
        let message = refused(fit(steps, &train));
        assert!(message.contains(part), "{message}");
    }
    assert!(
        refused(fit("{'op': 'drop','columns': 'time'}", &frame(vec![number("x", &[])]))).contains("no training rows")
    );
}

#[test]
fn a_kind_is_taken_as_it_is_at_that_step() -> Result<()> {
    let train = frame(vec![text("size", &["s", "l"]), time("day", &[0, 86_400_000_000]), text("sex", &["f", "m"])]);
    // Ranks and date parts are numbers by the time of scaling, indicators are not.
    let steps = "{'op': 'ordinal','columns': ['size']}, {'op': 'dates','columns': 'time','parts': ['day']}, \
                 {'op': 'one_hot','columns': 'categorical'}, {'op': 'scale','columns': 'numeric','method': 'min_max'}";
    let fitted = fit(steps, &train)?;
    assert_eq!(names(&fitted), ["size", "day_day", "sex=f", "sex=m"]);
    let matrix = fitted.apply(&train)?;
    assert_eq!(feature(&matrix, "size"), [1.0, 0.0]);
    assert_eq!(feature(&matrix, "day_day"), [0.0, 1.0]);
    let types: Vec<&str> = fitted.features().iter().map(|feature| feature.feature_type.as_str()).collect();
    assert_eq!(types, ["number", "number", "indicator", "indicator"]);
    Ok(())
}

#[test]
fn columns_that_lead_nowhere_are_not_needed() -> Result<()> {
    let train = frame(vec![number("a", &[1.0, 3.0]), text("b", &["x", "y"]), number("c", &[1.0, 2.0])]);
    let steps = "{'op': 'one_hot','columns': ['b']}, {'op': 'drop','columns': ['b=x','b=y','c']}, {'op': 'scale','columns': 'numeric'}";
    let fitted = fit(steps, &train)?;
    let inputs: Vec<(&str, Kind)> = fitted.inputs().iter().map(|input| (input.name.as_str(), input.kind)).collect();
    assert_eq!(inputs, [("a", Kind::Number)]);
    // Another column may be there, of any kind, and is ignored.
    let request = frame(vec![time("b", &[0]), number("a", &[2.0])]);
    assert_eq!(fitted.apply(&request)?.to_row_major(), [0.0]);
    Ok(())
}

#[test]
fn missing_and_mistyped_columns_are_named() -> Result<()> {
    let train = frame(vec![number("age", &[1.0, 3.0]), text("sex", &["f", "m"])]);
    let fitted = fit_auto(Family::Linear, &train)?;
    let message = refused(fitted.apply(&frame(vec![number("Age", &[1.0]), text("sex", &["f"])])));
    assert_eq!(message, "column `age` missing from the data (the data has a column `Age`: is that the one?)");
    let message = refused(fitted.apply(&frame(vec![number("q", &[1.0])])));
    assert!(message.starts_with("columns `age`, `sex` missing"), "{message}");
    let message = refused(fitted.apply(&frame(vec![text("age", &["1"]), text("sex", &["f"])])));
    assert!(message.starts_with("column `age` is text, but the recipe needs number"), "{message}");
    // A column of nothing but missing values may come as anything.
    let request = frame(vec![text("age", &["?"]), number("sex", &[NAN])]);
    assert_eq!(fitted.apply(&request)?.to_row_major(), [0.0, 0.0, 0.0]);
    Ok(())
}

#[test]
fn auto_prepares_for_linear_models() -> Result<()> {
    let rows = 40;
    let ages: Vec<f64> = (0..rows).map(|row| if row % 4 == 0 { NAN } else { f64::from(row) }).collect();
    let people: Vec<String> = (0..rows).map(|row| format!("person {row}")).collect();
    let rooms: Vec<String> = (0..rows).map(|row| if row < 10 { "?".to_owned() } else { format!("c{row}") }).collect();
    let train = frame(vec![
        number("age", &ages),
        text("name", &people.iter().map(String::as_str).collect::<Vec<_>>()),
        text("cabin", &rooms.iter().map(String::as_str).collect::<Vec<_>>()),
        text("sex", &(0..rows).map(|row| if row % 2 == 0 { "f" } else { "m" }).collect::<Vec<_>>()),
        number("planet", &[3.0; 40]),
        time("day", &(0..i64::from(rows)).map(|row| row * 86_400_000_000).collect::<Vec<_>>()),
    ]);
    let fitted = fit_auto(Family::Linear, &train)?;
    let expected = ["age", "age_missing", "cabin_missing", "sex=f", "sex=m"];
    let dates = ["day_month", "day_day", "day_weekday", "day_day_of_year", "day_epoch"];
    assert_eq!(names(&fitted), [&expected[..], &dates[..]].concat());
    let matrix = fitted.apply(&train)?;
    assert!(matrix.to_row_major().iter().all(|value| value.is_finite()));
    let age = feature(&matrix, "age");
    assert!(age.iter().sum::<f64>().abs() < 1e-12);
    assert_eq!(feature(&matrix, "cabin_missing").iter().sum::<f64>(), 10.0);
    let inputs: Vec<&str> = fitted.inputs().iter().map(|input| input.name.as_str()).collect();
    assert_eq!(inputs, ["age", "cabin", "sex", "day"]);
    let notes = [
        "column `cabin` is kept as whether it has a value",
        "column `name` has 40 distinct texts in 40 training rows, too many to learn from: left out",
        "column `cabin` has 30 distinct texts in 30 training rows, too many to learn from: left out",
        "column `planet` is constant in the training rows: left out",
    ];
    assert_eq!(fitted.notes(), notes);
    Ok(())
}

fn rich() -> Result<FittedRecipe> {
    let train = frame(vec![
        number("a", &[0.1, 0.7, NAN, 1e-300]),
        text("b", &["x", "y", "z", "?"]),
        time("c", &[1, 86_400_000_000, 3, 4]),
        text("d", &["low", "high", "low", "high"]),
        number("e", &[1.0, 2.0, 3.0, 4.0]),
    ]);
    let steps = "{'op': 'impute','columns': ['a','b','c'],'strategy': 'mode','indicator': true}, {'op': 'dates','columns': 'time'}, \
                 {'op': 'one_hot','columns': ['b'],'max': 2,'drop_first': true}, {'op': 'ordinal','columns': ['d'],'order': ['low','high']}, \
                 {'op': 'bin','columns': ['e'],'bins': 3}, {'op': 'scale','columns': 'numeric'}, {'op': 'drop','columns': ['c_missing']}";
    fit(steps, &train)
}

#[test]
fn a_recipe_reads_back_as_written() -> Result<()> {
    let fitted = rich()?;
    let bytes = canonical(&fitted)?;
    let back = FittedRecipe::from_json(&serde_json::from_slice(&bytes)?)?;
    assert_eq!(back, fitted);
    assert_eq!(canonical(&back.to_json())?, bytes);
    assert_eq!(serde_json::from_slice::<FittedRecipe>(&bytes)?, fitted);
    Ok(())
}

#[test]
fn the_written_form_is_stable() -> Result<()> {
    let train = frame(vec![number("a", &[1.0, 3.0]), text("b", &["x", "y"])]);
    let fitted = fit("{'op': 'scale','columns': 'numeric'}, {'op': 'one_hot','columns': 'categorical'}", &train)?;
    let expected = json!({
        "version": 1,
        "inputs": [{"name": "a", "kind": "number"}, {"name": "b", "kind": "text"}],
        "steps": [
            [{"op": "scale", "column": "a", "center": 2.0, "scale": 1.0}],
            [{"op": "one_hot", "column": "b", "levels": {"text": {"levels": ["x", "y"], "codes": [0, 1]}},
              "first": 0, "columns": ["b=x", "b=y"]}],
        ],
        "notes": [],
    });
    assert_eq!(fitted.to_json(), expected);
    Ok(())
}

#[test]
fn a_newer_version_names_the_version_needed() -> Result<()> {
    let mut value = rich()?.to_json();
    value["version"] = json!(9);
    let error = FittedRecipe::from_json(&value).expect_err("version 9 is not known");
    assert_eq!(error.to_string(), "this recipe has version 9; this mlops reads versions up to 3");
    assert!(FittedRecipe::from_json(&json!({"version": 0})).is_err());
    assert!(FittedRecipe::from_json(&json!(null)).is_err());
    Ok(())
}

#[test]
fn contradictory_recipes_are_refused() -> Result<()> {
    let edits: [fn(&mut Value); 16] = [
        |v| v["inputs"][0]["kind"] = json!("text"),
        |v| v["inputs"][1]["name"] = json!("a"),
        |v| v["inputs"][2]["kind"] = json!("category"),
        |v| v["inputs"] = json!([]),
        |v| v["steps"][0][0]["column"] = json!("zz"),
        |v| v["steps"][0][1]["column"] = json!("a"),
        |v| v["steps"][0][0]["indicator"] = json!("d"),
        |v| v["steps"][0][0]["fill"] = json!({"number": null}),
        |v| v["steps"][1][0]["parts"] = json!(["year"]),
        |v| v["steps"][2][0]["levels"]["text"]["codes"][1] = json!(7),
        |v| v["steps"][2][0]["levels"]["text"]["levels"][1] = json!("a"),
        |v| v["steps"][2][0]["first"] = json!(4_000_000_000_u32),
        |v| v["steps"][4][0]["edges"] = json!([3.0, 2.0]),
        |v| v["steps"][5][0]["scale"] = json!(0.0),
        |v| v["steps"][5][0]["op"] = json!("magic"),
        |v| v["steps"] = json!([]),
    ];
    let good = rich()?.to_json();
    for (position, edit) in edits.iter().enumerate() {
        let mut value = good.clone();
        edit(&mut value);
        assert_ne!(value, good, "edit {position} changes nothing");
        assert!(FittedRecipe::from_json(&value).is_err(), "edit {position}");
    }
    Ok(())
}
