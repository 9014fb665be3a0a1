//! Steps over several columns: against scikit-learn, and as parts of a recipe.

use anyhow::Result;

use crate::features::tests::{assert_close, feature, fit, frame, names, number, text};

const NAN: f64 = f64::NAN;

#[test]
fn polynomials_are_those_of_scikit_learn() -> Result<()> {
    let train = frame(vec![number("a", &[2.0, 3.0, NAN]), number("b", &[5.0, -1.0, 1.0])]);
    let fitted = fit("{'op': 'polynomial','columns': 'numeric','degree': 3}", &train)?;
    // PolynomialFeatures(3, include_bias=False).get_feature_names_out(["a", "b"]).
    assert_eq!(names(&fitted), ["a", "b", "a^2", "a b", "b^2", "a^3", "a^2 b", "a b^2", "b^3"]);
    let first = fitted.apply(&train)?.to_row_major()[..9].to_vec();
    assert_eq!(first, [2.0, 5.0, 4.0, 10.0, 25.0, 8.0, 20.0, 50.0, 125.0]);
    let fitted = fit("{'op': 'polynomial','columns': ['b','a'],'degree': 3,'interaction_only': true}", &train)?;
    assert_eq!(names(&fitted), ["a", "b", "a b"]);
    assert_close(&feature(&fitted.apply(&train)?, "a b"), &[10.0, -3.0, NAN], 0.0);
    Ok(())
}

#[test]
fn products_beyond_the_largest_number_are_missing() -> Result<()> {
    let train = frame(vec![number("a", &[1e300, 2.0]), number("b", &[1e300, 0.0])]);
    let matrix = fit("{'op': 'interact','columns': 'numeric'}", &train)?.apply(&train)?;
    assert_close(&feature(&matrix, "a*b"), &[NAN, 0.0], 0.0);
    let matrix = fit("{'op': 'ratio','numerator': 'a','denominator': 'b','name': 'r'}", &train)?.apply(&train)?;
    assert_close(&feature(&matrix, "r"), &[1.0, NAN], 0.0);
    Ok(())
}

#[test]
fn crossed_texts_stay_apart() -> Result<()> {
    let train = frame(vec![text("a", &["x", "x&y", "x", "?"]), text("b", &["y&z", "z", "z", "z"])]);
    let steps = "{'op': 'interact','columns': 'all'}, {'op': 'drop','columns': ['a','b']}, \
                 {'op': 'one_hot','columns': 'categorical'}";
    let fitted = fit(steps, &train)?;
    assert_eq!(names(&fitted), [r"a&b=x&y\&z", "a&b=x&z", r"a&b=x\&y&z"]);
    let matrix = fitted.apply(&train)?;
    assert_eq!(feature(&matrix, "a&b=x&z"), [0.0, 0.0, 1.0, 0.0]);
    assert_eq!(fitted.origins(0).collect::<Vec<_>>(), ["a", "b"]);
    Ok(())
}

#[test]
fn columns_that_lead_to_no_feature_are_forgotten_through_such_steps() -> Result<()> {
    let train = frame(vec![number("a", &[1.0, 2.0]), number("b", &[2.0, 5.0]), number("c", &[0.0, 1.0])]);
    // What is made of b and c is dropped again, and so are they.
    let steps = "{'op': 'ratio','numerator': 'b','denominator': 'c'}, {'op': 'scale','columns': ['b/c']}, \
                 {'op': 'drop','columns': ['b','b/c','c']}";
    let fitted = fit(steps, &train)?;
    assert_eq!(fitted.inputs().len(), 1);
    assert_eq!(fitted.to_json()["version"], 1);
    // The ratio stays: both of its columns are needed, though they are no features.
    let steps = "{'op': 'ratio','numerator': 'b','denominator': 'c'}, {'op': 'drop','columns': ['b','c','a']}";
    let fitted = fit(steps, &train)?;
    let inputs: Vec<&str> = fitted.inputs().iter().map(|input| input.name.as_str()).collect();
    assert_eq!(inputs, ["b", "c"]);
    assert_eq!(fitted.features()[0].from, "b");
    assert_eq!(fitted.origins(0).collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!(fitted.to_json()["version"], 2);
    Ok(())
}

#[test]
fn names_that_are_taken_get_a_number() -> Result<()> {
    let train = frame(vec![number("a", &[1.0, 2.0]), number("b", &[2.0, 5.0]), number("a*b", &[0.0, 1.0])]);
    let fitted = fit("{'op': 'interact','columns': ['a','b']}", &train)?;
    assert_eq!(names(&fitted), ["a", "b", "a*b", "a*b_2"]);
    Ok(())
}

#[test]
fn too_many_products_are_refused_before_they_are_made() {
    let columns = (0..400).map(|at| number(&format!("c{at}"), &[1.0, 2.0])).collect();
    for steps in ["{'op': 'polynomial','columns': 'numeric','degree': 3}", "{'op': 'interact','columns': 'all'}"] {
        let error = fit(steps, &frame(Vec::clone(&columns))).expect_err("too many columns");
        assert!(format!("{error:#}").contains("are more than 50000"), "{error:#}");
    }
}
