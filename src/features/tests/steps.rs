//! Steps on one column where no reference goes: what is refused, what is noted, columns without values, ends of the range.

use anyhow::Result;

use crate::base::fail;
use crate::data::frame::MISSING_TIME;
use crate::features::tests::{assert_close, feature, fit, frame, names, number, one, text, time};

const NAN: f64 = f64::NAN;

/// Message and hint of a step that is refused, with or without data.
fn refused(steps: &str) -> String {
    let train = frame(vec![number("n", &[-2.0, 0.5, 3.0]), text("t", &["a", "b", "a"]), time("d", &[1, 2, 3])]);
    let error = fit(steps, &train).expect_err(steps);
    let hint = fail::find(&error).and_then(|failure| failure.hint.clone());
    format!("{error:#} ({})", hint.as_deref().unwrap_or("no hint"))
}

#[test]
fn what_makes_no_sense_is_refused() {
    let cases = [
        ("{'op':'quantile','columns':'numeric','quantiles':1}", "quantiles = 1 is not between 2 and 100000"),
        (
            "{'op':'power','columns':['n'],'method':'box_cox'}",
            "column `n` has the value -2: box_cox works on numbers above 0",
        ),
        ("{'op':'power','columns':['n'],'method':'box_cox'}", "use method = \"yeo_johnson\""),
        ("{'op':'clip','columns':'numeric'}", "clip needs one way of choosing its bounds"),
        ("{'op':'clip','columns':'numeric','lower':1,'iqr':1.5}", "clip needs one way"),
        ("{'op':'clip','columns':'numeric','lower':1,'upper':0}", "lower = 1 is above upper = 0"),
        ("{'op':'clip','columns':'numeric','quantiles':[0.9,0.1]}", "do not rise from 0 to 1"),
        ("{'op':'clip','columns':'numeric','iqr':-1}", "iqr = -1 is not 0 or more"),
        ("{'op':'log','columns':['n']}", "column `n` has the value -2, which has no log1p (use method signed"),
        ("{'op':'log','columns':['n'],'method':'log'}", "has no log (use method log1p"),
        ("{'op':'log','columns':['n'],'base':1}", "base = 1 is no base"),
        ("{'op':'hash','columns':['t'],'width':0}", "width = 0 is not between 1 and 4096"),
        ("{'op':'text','columns':['t'],'ngrams':[2,1]}", "ngrams = [2, 1] do not rise"),
        ("{'op':'tfidf','columns':['t'],'ngrams':[1,11]}", "ngrams = [1, 11] do not rise between 1 and 10"),
        ("{'op':'tfidf','columns':['t'],'max':0}", "max = 0 is not between 1 and 10000"),
        ("{'op':'rare','columns':['t'],'share':1.5}", "share = 1.5 is not between 0 and 1"),
        ("{'op':'rare','columns':['t'],'max':0}", "keeps no text"),
        ("{'op':'cyclic','columns':['n'],'period':0}", "period = 0 is not above 0"),
        ("{'op':'scale','columns':['n'],'range':[0,1]}", "range is given, but the method is not"),
        ("{'op':'scale','columns':['n'],'method':'min_max','range':[1,1]}", "does not rise"),
        ("{'op':'bin','columns':['n'],'edges':[1,2],'bins':3}", "edges are given, so method and bins"),
        ("{'op':'bin','columns':['n'],'edges':[2,1]}", "edges do not rise"),
        ("{'op':'dates','columns':['d'],'since':'soon'}", "since = \"soon\" is not a date"),
        ("{'op':'dates','columns':['d'],'parts':['days_since']}", "needs a date to count from"),
        ("{'op':'rename','names':{}}", "names is empty"),
        ("{'op':'rename','names':{'n':'x','t':'x'}}", "two columns are given the name `x`"),
        ("{'op':'rename','names':{'n':'n'}}", "which is no other name"),
        ("{'op':'rename','names':{'m':'x'}}", "unknown column `m`"),
        ("{'op':'cast','columns':['d'],'to':'category'}", "cast cannot work on column `d`, which is time"),
        ("{'op':'hash','columns':['n']}", "hash cannot work on column `n`, which is number"),
        ("{'op':'log','columns':['n'],'bass':2}", "unknown field `bass`"),
    ];
    for (steps, part) in cases {
        let message = refused(steps);
        assert!(message.contains(part), "{steps}: {message}");
    }
}

/// Notes of a step on one column.
fn notes(steps: &str, column: crate::data::frame::Column) -> Result<Vec<String>> {
    Ok(fit(steps, &frame(vec![column, number("y", &[1.0, 2.0, 3.0])]))?.notes().to_vec())
}

#[test]
fn what_was_guessed_or_lost_is_noted() -> Result<()> {
    let none = || number("x", &[NAN, NAN, f64::INFINITY]);
    let same = || number("x", &[2.0, 2.0, NAN]);
    let words = || text("x", &["3", "b", "?"]);
    let infinite = "column `x` has infinite values: they count as missing";
    let only = |steps: &str, column| notes(&format!("{{{steps}}}"), column);
    let cases = [
        (only("'op':'quantile','columns':['x']", none())?, "has no value in the training rows: it stays missing"),
        (only("'op':'quantile','columns':['x']", same())?, "is constant in the training rows: all its ranks"),
        (only("'op':'power','columns':['x']", none())?, "has no value in the training rows: its power is 1"),
        (only("'op':'power','columns':['x']", same())?, "is constant in the training rows: its power is 1"),
        (only("'op':'clip','columns':['x'],'iqr':1.5", none())?, "has no value in the training rows: not clipped"),
        (only("'op':'clip','columns':['x'],'upper':1", same())?, "2 training rows clipped"),
        (
            only("'op':'scale','columns':['x'],'method':'max_abs'", number("x", &[0.0, 0.0, NAN]))?,
            "is 0 in all training",
        ),
        (only("'op':'missing','columns':['x']", number("x", &[1.0, 2.0, 3.0]))?, "is never missing"),
        (only("'op':'frequency','columns':['x']", none())?, "every value counts as unseen"),
        (only("'op':'cast','columns':['x'],'to':'number'", words())?, "1 training row cannot be read as number"),
        (
            only("'op':'rename','names':{'x':'y'}", same())?,
            "there is a column `y` already: the new one is called `y_2`",
        ),
    ];
    for (found, part) in cases {
        let found: Vec<&String> = found.iter().filter(|note| *note != infinite).collect();
        assert!(found.len() == 1 && found[0].contains(part), "{found:?} has not {part}");
    }
    let train = frame(vec![text("x", &["a", "a", "b", "c"])]);
    let steps = "{'op':'rare','columns':['x'],'max':1}, {'op':'one_hot','columns':['x']}";
    assert_eq!(fit(steps, &train)?.notes(), ["column `x`: 2 rarer values (2 rows) become `other`"]);
    let fitted = fit(
        "{'op':'tfidf','columns':['x'],'min_rows':1}, {'op':'missing','columns':'all','always':true}",
        &frame(vec![text("x", &["a", "b", "c"]), number("y", &[1.0, 2.0, 3.0])]),
    )?;
    assert_eq!(fitted.notes(), ["column `x` has no term in 1 training rows: no columns made"]);
    assert_eq!(names(&fitted), ["y", "y_missing"]);
    Ok(())
}

#[test]
fn numbers_that_have_no_image_later_are_missing() -> Result<()> {
    let train = frame(vec![number("x", &[1.0, 2.0, 4.0])]);
    let later = frame(vec![number("x", &[-1.0, 0.0, f64::MAX])]);
    for steps in ["{'op':'log','columns':'all','method':'log'}", "{'op':'power','columns':'all','method':'box_cox'}"] {
        let found = feature(&fit(steps, &train)?.apply(&later)?, "x");
        assert!(found[0].is_nan() && found[1].is_nan() && found[2].is_finite(), "{found:?}");
    }
    Ok(())
}

#[test]
fn the_ends_of_the_range_stay_finite() -> Result<()> {
    let ends = [f64::MAX, -f64::MAX, 0.0, 1e-320, 1.0];
    let numeric = [
        "{'op':'quantile','columns':'all'}",
        "{'op':'quantile','columns':'all','output':'normal'}",
        "{'op':'power','columns':'all'}",
        "{'op':'clip','columns':'all','iqr':1.5}",
        "{'op':'log','columns':'all','method':'signed','base':1.0000000001}",
        "{'op':'scale','columns':'all','method':'min_max','range':[-1e300,1e300]}",
        "{'op':'scale','columns':'all','method':'max_abs'}",
    ];
    for steps in numeric {
        let found = one(steps, number("x", &ends))?;
        assert!(found.iter().all(|value| value.is_finite()), "{steps}: {found:?}");
    }
    // Halfway between the ends.
    assert_eq!(one(numeric[0], number("x", &[f64::MAX, -f64::MAX, 0.0]))?, [1.0, 0.0, 0.5]);
    Ok(())
}

#[test]
fn casts_read_what_people_write() -> Result<()> {
    let cast = |to: &str, column| one(&format!("{{'op':'cast','columns':'all','to':'{to}'}}"), column);
    let words = text("x", &["1", " -2.5e3 ", "inf", "one", "?", "0x1"]);
    assert_close(&cast("number", words)?, &[1.0, -2500.0, NAN, NAN, NAN, NAN], 0.0);
    let words = text("x", &["Yes", "off", "T", "0", "maybe", "?"]);
    assert_close(&cast("boolean", words)?, &[1.0, 0.0, 1.0, 0.0, NAN, NAN], 0.0);
    assert_close(&cast("boolean", number("x", &[0.0, -3.0, NAN]))?, &[0.0, 1.0, NAN], 0.0);
    assert_close(&cast("number", time("x", &[1_500_000, MISSING_TIME]))?, &[1.5, NAN], 0.0);
    let twice = |first: &str, then: &str, column| {
        one(
            &format!("{{'op':'cast','columns':'all','to':'{first}'}},{{'op':'cast','columns':'all','to':'{then}'}}"),
            column,
        )
    };
    assert_close(&twice("text", "number", number("x", &[0.1, -0.0, 1e300, NAN]))?, &[0.1, 0.0, 1e300, NAN], 0.0);
    assert_close(
        &twice("time", "number", text("x", &["1970-01-02", "1970-01-01T00:00:01Z", "soon"]))?,
        &[86_400.0, 1.0, NAN],
        0.0,
    );
    assert_close(&twice("time", "number", number("x", &[1.5, 1e300, NAN]))?, &[1.5, NAN, NAN], 0.0);
    assert_close(&twice("text", "number", time("x", &[5, 6]))?, &[NAN, NAN], 0.0);
    let codes = cast("category", number("x", &[7.0, 3.0, 7.0, NAN]))?;
    assert_close(&codes, &[1.0, 0.0, 1.0, NAN], 0.0);
    Ok(())
}

#[test]
fn renamed_columns_keep_their_origin() -> Result<()> {
    let train = frame(vec![number("a", &[1.0, 2.0]), text("b", &["x", "y"])]);
    let fitted = fit("{'op':'rename','names':{'b':'c','a':'d'}},{'op':'one_hot','columns':['c']}", &train)?;
    assert_eq!(names(&fitted), ["d", "c=x", "c=y"]);
    assert_eq!(fitted.features()[1].from, "b");
    assert_eq!(fitted.inputs().iter().map(|input| input.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(fitted.apply(&train)?.to_row_major(), [1.0, 1.0, 0.0, 2.0, 0.0, 1.0]);
    Ok(())
}

#[test]
fn texts_never_seen_join_the_rare_ones() -> Result<()> {
    let train = frame(vec![text("x", &["a", "a", "b", "c", "?"])]);
    let fitted = fit("{'op':'rare','columns':['x'],'share':0.3},{'op':'one_hot','columns':['x']}", &train)?;
    assert_eq!(names(&fitted), ["x=a", "x=other"]);
    let later = frame(vec![text("x", &["q", "a", "?", "other"])]);
    assert_eq!(fitted.apply(&later)?.to_row_major(), [0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
    Ok(())
}
