//! Gates: what is read, and what is said of what cannot be.

use crate::spec::gate::{Bound, Comparison, Extreme, Formula, GateSpec, Offset, Operator, Scope, Term};

fn whole(name: &str) -> Term {
    Term::Whole(name.to_owned())
}

fn part(scope: Scope, inner: &str, metric: &str, extreme: Option<Extreme>) -> Term {
    Term::Part { scope, inner: inner.to_owned(), metric: metric.to_owned(), extreme }
}

fn champion(term: Term, offset: Offset) -> Bound {
    Bound::Champion { term, offset }
}

/// Reads `text` into these.
fn check(text: &str, left: Formula, comparison: Comparison, bound: Bound) {
    let gate: GateSpec = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!((&gate.left, gate.comparison, &gate.bound), (&left, comparison, &bound), "{text}");
    assert_eq!(gate.to_string(), text.trim(), "{text}");
    let again: GateSpec =
        format!("{left} {} 1", comparison.symbol()).parse().unwrap_or_else(|error| panic!("{left}: {error}"));
    assert_eq!(again.left, left, "{left} reads back");
}

#[test]
fn terms_and_bounds_are_read() {
    use Comparison::{Above, AtLeast, AtMost, Below, Equal};
    use Scope::{Facet, Robustness, Slice};
    let of = Formula::of;
    let value = Bound::Value;
    let none = Offset::Absolute(0.0);
    check("accuracy >= 0.9", of(whole("accuracy")), AtLeast, value(0.9));
    check("  accuracy>0.9 ", of(whole("accuracy")), Above, value(0.9));
    check("log_loss<=.5", of(whole("log_loss")), AtMost, value(0.5));
    check("latency_p99_ms < 5e1", of(whole("latency_p99_ms")), Below, value(50.0));
    check("r2 == -1.", of(whole("r2")), Equal, value(-1.0));
    check("r2 >= +0.5", of(whole("r2")), AtLeast, value(0.5));
    check("recall_at_precision( 0.9 ) >= 0.5", of(whole("recall_at_precision(0.9)")), AtLeast, value(0.5));
    check("f1>=champion.f1-0.01", of(whole("f1")), AtLeast, champion(whole("f1"), Offset::Absolute(-0.01)));
    check("f1 >= champion.f1 +  1e-3", of(whole("f1")), AtLeast, champion(whole("f1"), Offset::Absolute(0.001)));
    check("f1 >= champion.f1", of(whole("f1")), AtLeast, champion(whole("f1"), none));
    check("f1 >= champion.f1 - 1%", of(whole("f1")), AtLeast, champion(whole("f1"), Offset::Relative(-0.01)));
    check("mae <= champion.mae + 2.5 %", of(whole("mae")), AtMost, champion(whole("mae"), Offset::Relative(0.025)));
    let recall = |inner: &str, extreme| part(Slice, inner, "recall", extreme);
    check("slice(sex=F).recall > 0.5", of(recall("sex=F", None)), Above, value(0.5));
    check("slice( sex = F ).recall > 0.5", of(recall("sex = F", None)), Above, value(0.5));
    check("slice(sex).recall.min > 0.5", of(recall("sex", Some(Extreme::Min))), Above, value(0.5));
    check("slice(bins(age, 5)).recall.gap < 0.1", of(recall("bins(age, 5)", Some(Extreme::Gap))), Below, value(0.1));
    let condition = "age >= 60 AND name = ')'";
    check(
        &format!("slice({condition}=yes).recall > 0"),
        of(recall(&format!("{condition}=yes"), None)),
        Above,
        value(0.0),
    );
    check("slice(sex=(missing)).recall > 0", of(recall("sex=(missing)", None)), Above, value(0.0));
    check("slice(odd)=(1).).recall >= 0", of(recall("odd)=(1).", None)), AtLeast, value(0.0));
    check("slice(name=O'Brien).recall >= 0", of(recall("name=O'Brien", None)), AtLeast, value(0.0));
    let each = recall("sex", Some(Extreme::Each));
    check(
        "slice(sex).recall.each >= champion.recall - 2%",
        of(each.clone()),
        AtLeast,
        champion(whole("recall"), Offset::Relative(-0.02)),
    );
    check(
        "slice(sex).recall.each >= champion.slice(sex).recall",
        of(each),
        AtLeast,
        champion(recall("sex", None), none),
    );
    let parameter = part(Slice, "sex=F", "f_beta(2)", None);
    check(
        "slice(sex=F).f_beta(2) >= champion.slice(sex=F).f_beta(2)",
        of(parameter.clone()),
        AtLeast,
        champion(parameter, none),
    );
    let pair = |operator| Formula { first: recall("sex=F", None), then: Some((operator, recall("sex=M", None))) };
    check("slice(sex=F).recall - slice(sex=M).recall >= -0.05", pair(Operator::Minus), AtLeast, value(-0.05));
    check("slice(sex=F).recall/slice(sex=M).recall >= 0.8", pair(Operator::Over), AtLeast, value(0.8));
    let unequal = Formula { first: whole("recall"), then: Some((Operator::Minus, whole("precision"))) };
    check("recall - precision < 0.1", unequal, Below, value(0.1));
    check("facet(sex=F).DI >= 0.8", of(part(Facet, "sex=F", "DI", None)), AtLeast, value(0.8));
    check("facet(age>=60).DI >= 0.8", of(part(Facet, "age>=60", "DI", None)), AtLeast, value(0.8));
    check("facet(race).DI.min >= 0.8", of(part(Facet, "race", "DI", Some(Extreme::Min))), AtLeast, value(0.8));
    check("robustness(missing=0.1).f1 >= 0.8", of(part(Robustness, "missing=0.1", "f1", None)), AtLeast, value(0.8));
}

/// `text` is refused with these words, and a hint with those.
fn refused(text: &str, what: &str, hint: &str) {
    let error = text.parse::<GateSpec>().expect_err(text);
    let said = error.hint.clone().unwrap_or_default();
    assert!(error.what.contains(what) && said.contains(hint), "{text}: {} ({said})", error.what);
}

#[test]
fn what_cannot_be_read_is_said_with_its_place() {
    refused("", "nothing in it", "write it like");
    refused("accuracy", "character 9: there is no comparison", "compare with");
    refused(">= 3", "character 1: there is none where a metric belongs", "");
    refused("3 >= accuracy", "character 1: a number stands where a metric belongs", "");
    refused("accuracy >= ", "there is no bound", "write it like");
    refused("accuracy >= high", "character 13: `high` is neither a number", "");
    refused("accuracy >= NaN", "`NaN` is neither", "");
    refused("accuracy >= inf", "`inf` is neither", "");
    refused("accuracy >= 1e999", "neither a number", "");
    refused("accuracy >= 5%", "a percentage stands only", "write 0.05");
    refused("accuracy >= 0.9 or so", "character 17: `or so` stands after the bound", "");
    refused("accuracy => 0.9", "character 10: `=>` is no comparison", "did you mean `>=`?");
    refused("accuracy = 0.9", "`=` is no comparison", "did you mean `==`");
    refused("accuracy != 0.9", "`!=` is no comparison", "cannot ask");
    refused("accuracy ≥ 0.9", "character 10: `≥`", "did you mean `>=`?");
    refused("accuracy is 0.9", "there is no comparison, but `is`", "");
    refused("accuracy >= champion", "which metric of the champion?", "");
    refused("accuracy >= champion.", "a metric of the champion is missing", "");
    refused("accuracy >= champion.f1 - ", "a number or a percentage belongs here", "");
    refused("accuracy >= champion.f1 - -1", "a number or a percentage", "");
    refused("accuracy >= champion.f1 * 0.9", "`*` cannot follow", "1%");
    refused("accuracy + f1 >= 0.9", "`+` cannot put two terms together", "`-` or `/`");
    refused("accuracy - 0.1 >= 0.9", "a number stands where a metric belongs", "");
    refused("champion.f1 >= 0.9", "the champion stands after the comparison", "");
    refused("slice(sex).recall.mean >= 0.9", "`.mean` of slices is unknown", "");
    refused("slice(sex).recall.minn >= 0.9", "`.minn` of slices is unknown", "did you mean `.min`?");
    refused("slice(sex) >= 0.9", "this is no `slice(…).METRIC`", "a slice is written");
    refused("slice(sex). >= 0.9", "a metric is missing after the dot", "");
    refused("slice().recall >= 0.9", "nothing in the brackets", "");
    refused("slice(sex >= 0.9", "this is no `slice(", "");
    refused("recall(0.9 >= 0.9", "this bracket is not closed", "");
    refused("slice(a).f1.each - f1 >= 0", "`.each` cannot be part", "");
    refused("slice(a).f1.each >= champion.slice(b).f1.each", "the same slice of the champion", "");
    refused("f1 >= champion.slice(b).f1.each", "the same slice of the champion", "");
    refused(&format!("f1 >= 0.{}", "1".repeat(9_000)), "longer than", "");
    refused(&format!("slice({}", "(a).b".repeat(800)), "", "");
}
