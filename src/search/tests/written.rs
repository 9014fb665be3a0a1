//! Spaces as people write them, and those they should not.

use crate::search::space::{Dimension, Range, Space};
use crate::search::tests::{every_range, space};

#[track_caller]
fn bad(table: &str, wanted: &str) {
    let table: toml::Table = table.parse().expect("TOML");
    let error = Space::from_toml(&table).expect_err("a bad space").in_words();
    assert!(error.contains(wanted), "{error}");
}

#[test]
fn bad_spaces_are_refused_in_words() {
    bad("x = { low = 2, high = 1 }", "low is 2 and high is 1 (swap them)");
    bad("x = { low = 0, high = 1, log = true }", "`log` from 0");
    bad("x = { low = -1.0, high = 1, log = true }", "`log` from -1");
    bad("x = []", "nothing to choose from");
    bad("x = ['a', 'b', 'a']", "\"a\" is there twice");
    bad("x = { low = nan, high = 1.0 }", "bounds of NaN and 1");
    bad("x = { low = 0.0, high = inf }", "bounds of 0 and inf");
    bad("x = nan", "NaN");
    bad("x = { low = 0, high = 1, stpe = 1 }", "did you mean `step`?");
    bad("x = { low = 0, hi = 1 }", "unknown key in the space of `x`: `hi`");
    bad("x = { low = 0 }", "there is no `high`");
    bad("x = { low = 0, high = 'one' }", "`high` is \"one\", not a number");
    bad("x = { low = 0, high = 1, log = 1 }", "`log` is 1, not true or false");
    bad("x = { low = 0.0, high = 1, step = 0.0 }", "a step of 0");
    bad("x = { low = 0.0, high = 1, step = -0.5 }", "a step of -0.5");
    bad("x = { low = 0, high = 9, step = 0 }", "a step of 0");
    bad("x = { low = 0.0, high = 1, step = 2.0 }", "leads past 1");
    bad("x = { low = 0.0, high = 1e300, step = 1e-300 }", "make it larger");
    bad("x = { low = 0.1, high = 1, log = true, step = 0.1 }", "do not go together");
    bad("x = { low = 1, high = 9, log = true, step = 2 }", "do not go together");
    bad("x = { low = -9223372036854775808, high = 1 }", "whole numbers end at");
    bad("x = { values = [1], low = 2 }", "`values` stands alone");
    bad("x = { values = 3 }", "not a list");
    bad("'a b' = 3", "not the name of a parameter");
    let many: String = (0..65).map(|at| format!("x{at} = {{ low = 0, high = 9 }}\n")).collect();
    bad(&many, "65 parameters to search, at most 64");
    let choices: Vec<String> = (0..1_001).map(|at| at.to_string()).collect();
    bad(&format!("x = [{}]", choices.join(",")), "1001 values to choose from, at most 1000");
}

#[test]
fn whole_bounds_are_whole_numbers_unless_said_otherwise() {
    let range = |text: &str| space(text).dimensions.remove(0).range;
    let whole = Range::Integer { low: 7, high: 127, log: false, step: 1 };
    assert_eq!(range("x = { low = 7, high = 127 }"), whole);
    let float = Range::Float { low: 7.0, high: 127.0, log: false, step: None };
    for text in
        ["x = { low = 7, high = 127, float = true }", "x = { low = 7.0, high = 127 }", "x = { low = 7, high = 127.0 }"]
    {
        assert_eq!(range(text), float, "{text}");
    }
    assert_eq!(
        range("x = { low = 0, high = 1, step = 0.5 }"),
        Range::Float { low: 0.0, high: 1.0, log: false, step: Some(0.5) }
    );
    assert_eq!(range("x = 6"), Range::Choice { values: vec![6.into()] });
}

#[track_caller]
fn line(text: &str, wanted: &str) {
    match text.parse::<Dimension>() {
        Ok(dimension) => assert_eq!(dimension.to_string(), wanted),
        Err(error) => assert!(error.clone().in_words().contains(wanted), "{}", error.in_words()),
    }
}

#[test]
fn a_dimension_is_read_from_the_command_line() {
    line("learning_rate=0.01..0.3:log", "learning_rate=0.01..0.3:log");
    line("leaves=7..127", "leaves=7..127");
    line("leaves = 7 .. 127 : log", "leaves=7..127:log");
    line("l2=0..1:0.1", "l2=0.0..1.0:0.1");
    line("l2=0..10:float", "l2=0.0..10.0");
    line("rows=0..10:5", "rows=0..10:5");
    line("x=-1e-3..1", "x=-0.001..1.0");
    line("grow=leaf,depth", "grow=\"leaf\",\"depth\"");
    line("layers=[1,2],[3]", "layers=[1, 2],[3]");
    line("depth=6", "depth=6");
    line("name=a..b", "name=\"a..b\"");
    line("leaves", "there is no `=`");
    line("leaves=", "nothing after `=`");
    line("=1..2", "not the name of a parameter");
    line("x=1..", "not a number");
    line("x=1..two", "`two` is not a number");
    line("x=1..2:lgo", "`lgo` is not log, float or a step");
    line("x=2..1", "swap them");
    line("x=nan..1", "bounds of NaN and 1");
}

#[test]
fn spaces_and_dimensions_read_back_as_written() {
    let space = every_range();
    assert_eq!(Space::from_toml(&space.to_toml()).expect("written by the space itself"), space);
    for dimension in &space.dimensions {
        assert_eq!(&dimension.to_string().parse::<Dimension>().expect("written by the dimension itself"), dimension);
    }
}

#[test]
fn a_later_dimension_takes_the_place_of_an_earlier_one() {
    let space =
        space("x = { low = 1, high = 2 }\ny = 3").with("x=5..6".parse().expect("a dimension")).expect("a space");
    assert_eq!(space.dimension("x").expect("there").to_string(), "x=5..6");
    assert_eq!(space.dimensions.len(), 2);
}
