//! Gates: semantics, reasons, verdicts. One line a case.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::base::fail;
use crate::metrics::gate::{self, Drawn, Leaf, Measured, Needs, Sure};
use crate::record::evaluation::{FacetResult, GateResult, Interval, RobustnessResult, SliceResult, Verdict};
use crate::spec::gate::GateSpec;
use crate::spec::model::Task;

fn metrics(pairs: &[(&str, f64)]) -> BTreeMap<String, f64> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
}

fn slice(column: &str, value: &str, pairs: &[(&str, f64)]) -> SliceResult {
    SliceResult {
        column: column.to_owned(),
        value: value.to_owned(),
        rows: 10,
        metrics: metrics(pairs),
        intervals: BTreeMap::new(),
    }
}

fn facet(column: &str, value: &str, pairs: &[(&str, f64)]) -> FacetResult {
    FacetResult {
        column: column.to_owned(),
        value: value.to_owned(),
        rows: 10,
        rest: 20,
        favourable: "`yes`".to_owned(),
        pre_training: metrics(&[("CI", 0.5)]),
        post_training: metrics(pairs),
    }
}

/// All that was measured of one model.
struct Table {
    metrics: BTreeMap<String, f64>,
    slices: Vec<SliceResult>,
    facets: Vec<FacetResult>,
    robustness: Vec<RobustnessResult>,
}

impl Table {
    fn measured(&self) -> Measured<'_> {
        Measured { metrics: &self.metrics, slices: &self.slices, facets: &self.facets, robustness: &self.robustness }
    }
}

fn ours() -> Table {
    let disturbed = RobustnessResult {
        kind: "missing".to_owned(),
        column: None,
        amount: 0.1,
        metric: "f1".to_owned(),
        before: 0.9,
        after: 0.81,
        deviation: None,
    };
    Table {
        metrics: metrics(&[
            ("accuracy", 0.82),
            ("log_loss", 0.4),
            ("f1", 0.9),
            ("r2", -0.2),
            ("broken", f64::NAN),
            ("zero", 0.0),
            ("size_mb", 1.5),
        ]),
        slices: vec![
            slice("sex", "F", &[("recall", 0.6), ("accuracy", 0.9)]),
            slice("sex", "M", &[("recall", 0.8), ("accuracy", 0.7)]),
            slice("sex", "(missing)", &[("accuracy", 0.5)]),
            slice("a=b", "x = y", &[("recall", 0.3)]),
            slice("odd)", "(1).", &[("recall", 0.2)]),
            slice("sex * port", "F * S", &[("recall", 0.4)]),
            slice("age >= 60 AND sex = 'F'", "yes", &[("recall", 0.45)]),
            slice("age >= 60 AND sex = 'F'", "no", &[("recall", 0.7)]),
        ],
        facets: vec![
            facet("sex", "F", &[("DI", 0.7)]),
            facet("sex", "M", &[("DI", 1.3)]),
            facet("age", ">= 60", &[("DI", 0.9)]),
        ],
        robustness: vec![disturbed],
    }
}

fn champion() -> Table {
    let slices = vec![
        slice("sex", "F", &[("recall", 0.62)]),
        slice("sex", "M", &[("recall", 0.75)]),
        slice("sex", "(missing)", &[("accuracy", 0.5)]),
    ];
    Table {
        metrics: metrics(&[
            ("accuracy", 0.83),
            ("log_loss", 0.39),
            ("f1", 0.9),
            ("zero", 0.0),
            ("r2", -0.5),
            ("recall", 0.7),
        ]),
        slices,
        facets: vec![facet("sex", "F", &[("DI", 0.75)])],
        robustness: Vec::new(),
    }
}

fn judge(text: &str, champion: Option<&Table>) -> Result<GateResult> {
    let champion = champion.map(Table::measured);
    Ok(gate::judge(&text.parse()?, &ours().measured(), champion.as_ref(), None))
}

fn check(text: &str, champion: Option<&Table>, verdict: Verdict, reason: &str) -> Result<()> {
    let result = judge(text, champion)?;
    assert_eq!((result.verdict, result.reason.as_str()), (verdict, reason), "{text}");
    assert_eq!((result.expression.as_str(), result.interval), (text, None));
    Ok(())
}

#[test]
fn gates_against_numbers() -> Result<()> {
    use Verdict::{Fail, Pass};
    check("accuracy >= 0.8", None, Pass, "0.82 is at least 0.8")?;
    check("accuracy >= 0.82", None, Pass, "0.82 is at least 0.82")?;
    check("accuracy <= 0.82", None, Pass, "0.82 is at most 0.82")?;
    check("accuracy > 0.82", None, Fail, "0.82 is not above 0.82")?;
    check("accuracy < 0.82", None, Fail, "0.82 is not below 0.82")?;
    check("accuracy == 0.82", None, Pass, "0.82 is equal to 0.82")?;
    check("log_loss <= 0.3", None, Fail, "0.4 is not at most 0.3")?;
    check("accuracy >= 0.8200000001", None, Fail, "0.82 is not at least 0.8200000001")?;
    check("size_mb < 2", None, Pass, "1.5 is below 2")?;
    check("robustness(missing=0.1).f1 >= 0.8", None, Pass, "0.81 is at least 0.8")?;
    check("robustness(missing=0.2).f1 >= 0.8", None, Fail, "`robustness(missing=0.2).f1` has no value on these rows")?;
    check("f1 - accuracy <= 0.08", None, Pass, "0.08 is at most 0.08")?;
    check("f1 / zero >= 1", None, Fail, "`f1 / zero` has no value: `zero` is 0")
}

#[test]
fn a_missing_metric_fails() -> Result<()> {
    check("recall >= 0.1", None, Verdict::Fail, "`recall` has no value on these rows")?;
    check("broken >= 0.1", None, Verdict::Fail, "`broken` has no value on these rows")?;
    check("accuracy - broken >= 0.1", None, Verdict::Fail, "`broken` has no value on these rows")?;
    let result = judge("broken <= 0.1", None)?;
    assert_eq!((result.value, result.bound), (None, None));
    Ok(())
}

#[test]
fn gates_against_a_champion() -> Result<()> {
    use Verdict::{Fail, Pass};
    let champion = champion();
    let check = |text: &str, verdict, reason: &str| check(text, Some(&champion), verdict, reason);
    check("accuracy >= champion.accuracy - 0.01", Pass, "0.82 is at least 0.82, the champion's 0.83 - 0.01")?;
    check("accuracy >= champion.accuracy", Fail, "0.82 is not at least 0.83, the champion's")?;
    check("f1 >= champion.f1", Pass, "0.9 is at least 0.9, the champion's")?;
    check("f1 > champion.f1", Fail, "0.9 is not above 0.9, the champion's")?;
    check("log_loss <= champion.log_loss + 0.02", Pass, "0.4 is at most 0.41, the champion's 0.39 + 0.02")?;
    check("f1 >= champion.precision", Fail, "the champion has no value of `precision`")?;
    // Relative changes: the bound on paper is 0.83 × 0.99 and 0.9 × 1.01.
    check("accuracy >= champion.accuracy - 1%", Fail, "0.82 is not at least 0.8217, the champion's 0.83 - 1 %")?;
    check("accuracy >= champion.accuracy - 2%", Pass, "0.82 is at least 0.8134, the champion's 0.83 - 2 %")?;
    check("f1 >= champion.f1 + 1%", Fail, "0.9 is not at least 0.909, the champion's 0.9 + 1 %")?;
    check("log_loss <= champion.log_loss + 3%", Pass, "0.4 is at most 0.4017, the champion's 0.39 + 3 %")?;
    check("zero >= champion.zero - 1%", Fail, "the champion's value is 0, so there is no relative change of it")?;
    // (-0.2 + 0.5) / -0.5 is -60 %.
    let turned = "-0.2 is not at most -0.495, the champion's -0.5 - 1 %, a negative value, of which a relative change counts \
                  the other way";
    check("r2 >= champion.r2 - 1%", Fail, turned)?;
    check("slice(sex=F).recall >= champion.recall - 0.1", Pass, "0.6 is at least 0.6, the champion's 0.7 - 0.1")?;
    check("slice(sex=F).recall >= champion.slice(sex=F).recall", Fail, "0.6 is not at least 0.62, the champion's")?;
    let missing = "the champion has no value of `slice(sex=X).recall`: no row is of the slice sex=X";
    check("slice(sex=F).recall >= champion.slice(sex=X).recall", Fail, missing)?;
    check(
        "facet(sex=F).DI >= champion.facet(sex=F).DI - 10%",
        Pass,
        "0.7 is at least 0.675, the champion's 0.75 - 10 %",
    )
}

/// In binary fractions 0.52 - 0.05 is above 0.47, and 0.952 less 1 % is not 0.94248; on paper they are.
#[test]
fn an_offset_is_taken_as_on_paper() -> Result<()> {
    for (text, theirs, passes, fails) in
        [("f1 >= champion.f1 - 0.05", 0.52, 0.47, 0.469999999), ("f1 >= champion.f1 - 1%", 0.952, 0.94248, 0.942479999)]
    {
        let gate = text.parse()?;
        let of = |value: f64| Table { metrics: metrics(&[("f1", value)]), ..ours() };
        let verdict = |value: f64| {
            let judged = gate::judge(&gate, &of(value).measured(), Some(&of(theirs).measured()), None);
            (judged.verdict, judged.bound)
        };
        assert_eq!(verdict(passes), (Verdict::Pass, Some(passes)), "{text}");
        assert_eq!(verdict(fails).0, Verdict::Fail, "{text}");
    }
    Ok(())
}

#[test]
fn a_gate_against_no_champion_passes_and_says_so() -> Result<()> {
    let reason = "there is no champion yet to compare accuracy with; it is 0.82";
    check("accuracy >= champion.accuracy + 0.1", None, Verdict::Pass, reason)?;
    assert_eq!(judge("accuracy >= champion.accuracy", None)?.bound, None);
    let each = "there is no champion yet to compare recall with; the slices reach 0.6 to 0.8";
    check("slice(sex).recall.each >= champion.recall", None, Verdict::Pass, each)?;
    check("recall >= champion.recall", None, Verdict::Fail, "`recall` has no value on these rows")
}

#[test]
fn slices_and_groups_are_looked_up() -> Result<()> {
    for (name, wanted) in [
        ("slice(sex).recall.min", Some(0.6)),
        ("slice(sex).recall.max", Some(0.8)),
        ("slice(sex).recall.gap", Some(0.2)),
        ("slice(sex).accuracy.min", Some(0.5)),
        ("slice(sex=F).recall", Some(0.6)),
        ("slice( sex = F ).recall", Some(0.6)),
        ("slice(sex='F').recall", Some(0.6)),
        ("slice(sex=(missing)).accuracy", Some(0.5)),
        ("slice(sex=(missing)).recall", None),
        ("slice(a=b=x = y).recall", Some(0.3)),
        ("slice(a=b).recall.min", Some(0.3)),
        ("slice(a=b).recall.gap", None),
        ("slice(odd)=(1).).recall", Some(0.2)),
        ("slice(sex*port=F * S).recall", Some(0.4)),
        ("slice(age >= 60 AND sex = 'F').recall", Some(0.45)),
        ("slice(age>=60 AND sex='F'=no).recall", Some(0.7)),
        ("slice(sex).recall", None),
        ("slice(sex=F).recall.min", None),
        ("slice(age).recall.min", None),
        ("slice(sex=F).recall - slice(sex=M).recall", Some(-0.2)),
        ("slice(sex=F).recall / slice(sex=M).recall", Some(0.6 / 0.8)),
        ("facet(sex=F).DI", Some(0.7)),
        ("facet(sex=F).CI", Some(0.5)),
        ("facet(sex=F).TE", None),
        ("facet(sex=X).DI", None),
        ("facet(age>=60).DI", Some(0.9)),
        ("facet(age >= 60).DI", Some(0.9)),
        ("facet(sex).DI.min", Some(0.7)),
        ("facet(sex).DI.gap", Some(0.6)),
    ] {
        assert_eq!(judge(&format!("{name} >= 0"), None)?.value, wanted, "{name}");
    }
    use Verdict::{Fail, Pass};
    check("slice(sex).recall.min >= 0.5", None, Pass, "0.6 is at least 0.5 (no value for sex=(missing))")?;
    check("slice(sex=M).recall >= 0.9", None, Fail, "0.8 is not at least 0.9")?;
    check(
        "slice(port).recall.min >= 0",
        None,
        Fail,
        "`slice(port).recall.min` has no value: no row is of such a slice",
    )?;
    check("slice(sex=X).recall >= 0", None, Fail, "`slice(sex=X).recall` has no value: no row is of the slice sex=X")?;
    check("facet(sex=X).DI >= 0", None, Fail, "`facet(sex=X).DI` has no value: no row is of the group sex=X")?;
    check("slice(a=b).recall.gap >= 0", None, Fail, "`slice(a=b).recall.gap` has no value: only one slice has one")
}

#[test]
fn each_slice_has_to_hold() -> Result<()> {
    use Verdict::{Fail, Pass};
    let champion = champion();
    let one = "1 of 3 slices fail: sex=(missing): no value";
    check("slice(sex).recall.each >= 0.6", None, Fail, one)?;
    let two = "2 of 3 slices fail: sex=F: 0.6 is not at least 0.7; sex=(missing): no value";
    check("slice(sex).recall.each >= 0.7", None, Fail, two)?;
    let all = "all 3 slices hold; nearest to failing is sex=(missing): 0.5 is at least 0.5";
    check("slice(sex).accuracy.each >= 0.5", None, Pass, all)?;
    let below = "1 of 3 slices fail: sex=F: 0.9 is not below 0.9";
    check("slice(sex).accuracy.each < 0.9", None, Fail, below)?;
    let theirs =
        "2 of 3 slices fail: sex=F: 0.6 is not at least 0.61, the champion's 0.62 - 0.01; sex=(missing): no value";
    check("slice(sex).recall.each >= champion.recall - 0.01", Some(&champion), Fail, theirs)?;
    check("slice(sex).recall.each >= champion.slice(sex).recall.each - 0.01", Some(&champion), Fail, theirs)?;
    let gone =
        "2 of 2 slices fail: sex=F: 0.7 is not at least 0.75, the champion's; sex=M: the champion has no value there";
    check("facet(sex).DI.each >= champion.DI", Some(&champion), Fail, gone)?;
    check(
        "slice(port).recall.each >= 0",
        None,
        Fail,
        "`slice(port).recall.each` has no value: no row is of such a slice",
    )?;
    let result = judge("slice(sex).accuracy.each >= 0.8", None)?;
    assert_eq!((result.value, result.bound), (Some(0.5), Some(0.8)), "of the slice that does worst");
    Ok(())
}

/// 101 values from `low` to `high`, evenly.
fn spread(low: f64, high: f64) -> Drawn {
    Drawn::Values((0..=100).map(|step| low + (high - low) * f64::from(step) / 100.0).collect())
}

#[test]
fn a_whole_interval_has_to_clear_the_bound() -> Result<()> {
    use Verdict::{Fail, Pass};
    let drawn = |of_champion: bool, leaf: &Leaf| match (of_champion, leaf.label().as_str()) {
        (false, "accuracy") => spread(0.8, 0.84),
        (true, "accuracy") => spread(0.81, 0.83),
        (false, "sex=F") => spread(0.55, 0.65),
        (false, "sex=M") => spread(0.75, 0.85),
        (true, "sex=F") => spread(0.6, 0.64),
        (true, "sex=M") => spread(0.7, 0.8),
        (_, "size_mb") => Drawn::Fixed("a cost has no interval"),
        (_, "f1") => Drawn::Values(vec![f64::NAN; 100]),
        _ => Drawn::Nothing("there are no resamples".to_owned()),
    };
    let sure = Sure { level: 0.9, drawn: &drawn };
    let (ours, champion) = (ours(), champion());
    let judged = |text: &str| -> Result<GateResult> {
        Ok(gate::judge(&text.parse()?, &ours.measured(), Some(&champion.measured()), Some(&sure)))
    };
    for (text, verdict, reason) in [
        ("accuracy >= 0.8", Pass, "0.82 is at least 0.8, with its whole 90 % interval [0.802, 0.838]"),
        ("accuracy >= 0.81", Fail, "0.82 is at least 0.81, but its 90 % interval [0.802, 0.838] is not wholly so"),
        ("accuracy >= 0.9", Fail, "0.82 is not at least 0.9 (90 % interval [0.802, 0.838])"),
        ("accuracy <= 0.83", Fail, "0.82 is at most 0.83, but its 90 % interval [0.802, 0.838] is not wholly so"),
        ("size_mb <= 2", Pass, "1.5 is at most 2 (a cost has no interval: the value itself is judged)"),
        ("f1 >= 0.5", Fail, "0.9 is at least 0.5, but no interval can be made: only 0 of 100 resamples have a value"),
        ("log_loss <= 1", Fail, "0.4 is at most 1, but no interval can be made: there are no resamples"),
    ] {
        let result = judged(text)?;
        assert_eq!((result.verdict, result.reason.as_str()), (verdict, reason), "{text}");
    }
    let near = |interval: Option<Interval>, low: f64, high: f64| {
        interval.is_some_and(|found| (found.low - low).abs() < 1e-12 && (found.high - high).abs() < 1e-12)
    };
    // Paired: every draw of the difference is between -0.01 and 0.01.
    let difference = judged("accuracy >= champion.accuracy - 0.02")?;
    assert!(near(difference.interval, -0.009, 0.009) && difference.verdict == Pass, "{difference:?}");
    assert!(difference.reason.ends_with("of the difference, to be at least -0.02"), "{}", difference.reason);
    assert_eq!(judged("accuracy >= champion.accuracy - 0.01")?.verdict, Pass);
    let change = judged("slice(sex=M).recall <= champion.slice(sex=M).recall + 7.5%")?;
    assert!(near(change.interval, 0.05 / 0.795, 0.05 / 0.705) && change.verdict == Pass, "{change:?}");
    let pair = judged("slice(sex=F).recall - slice(sex=M).recall >= -0.21")?;
    assert!(near(pair.interval, -0.2, -0.2) && pair.verdict == Pass, "{pair:?}");
    let least = judged("slice(sex).recall.min >= 0.5")?;
    assert!(near(least.interval, 0.555, 0.645) && least.verdict == Pass, "{least:?}");
    let each = judged("slice(sex).recall.each >= champion.recall - 0.1")?;
    assert!(each.reason.starts_with("1 of 3 slices fail: sex=(missing)"), "{}", each.reason);
    let mixed = judged("accuracy / size_mb >= 0.5")?;
    assert!(near(mixed.interval, 0.802 / 1.5, 0.838 / 1.5) && mixed.verdict == Pass, "{mixed:?}");
    let none = gate::judge(&"accuracy >= champion.accuracy".parse()?, &ours.measured(), None, Some(&sure));
    assert_eq!((none.verdict, none.interval), (Pass, None));
    Ok(())
}

#[test]
fn verdicts() -> Result<()> {
    let (pass, fail) = (judge("accuracy >= 0.8", None)?, judge("accuracy >= 0.9", None)?);
    assert_eq!(gate::verdict(&[]), Verdict::None);
    assert_eq!(gate::verdict(std::slice::from_ref(&pass)), Verdict::Pass);
    assert_eq!(gate::verdict(&[pass, fail]), Verdict::Fail);
    let gates = ["accuracy >= 0.9", "accuracy >= 0.8"].map(|text| text.parse::<GateSpec>());
    let gates = gates.into_iter().collect::<Result<Vec<_>, _>>()?;
    assert_eq!(gate::judge_all(&gates, &ours().measured(), None, None).len(), 2, "one that fails ends nothing");
    Ok(())
}

const COLUMNS: [&str; 5] = ["sex", "pclass", "a=b", "age", "port"];

#[test]
fn gates_say_what_they_need() -> Result<()> {
    let check = |text: &str| gate::check(&text.parse()?, Task::Binary, &COLUMNS);
    let slices =
        |texts: &[&str]| Needs { slices: texts.iter().map(|text| (*text).to_owned()).collect(), ..Needs::default() };
    let facets =
        |texts: &[&str]| Needs { facets: texts.iter().map(|text| (*text).to_owned()).collect(), ..Needs::default() };
    for (text, wanted) in [
        ("accuracy >= champion.f1 - 0.1", slices(&[])),
        ("latency_p99_ms < 5", slices(&[])),
        ("rows_per_second >= champion.rows_per_second - 10%", slices(&[])),
        ("slice(sex).recall.min >= 0.5", slices(&["sex"])),
        ("slice(sex).recall.each >= champion.recall", slices(&["sex"])),
        ("slice(pclass=3).recall >= 0.5", slices(&["pclass"])),
        ("slice(a=b=3).recall >= 0.5", slices(&["a=b"])),
        ("slice(bins(age, 5)).recall.min >= 0.5", slices(&["bins(age, 5)"])),
        ("slice(bins(age, 5)=< 18).recall >= 0.5", slices(&["bins(age, 5)"])),
        ("slice(sex * port=F * S).recall >= 0.5", slices(&["sex * port"])),
        ("slice(age >= 60).recall >= 0.5", slices(&["age >= 60"])),
        ("slice(age >= 60 = no).recall >= 0.5", slices(&["age >= 60"])),
        ("slice(sex='F' AND pclass=3).recall >= 0.5", slices(&["sex='F' AND pclass=3"])),
        ("slice(pclass=3 AND age=4).recall >= 0.5", slices(&["pclass=3 AND age=4"])),
        ("slice(port=a AND b).recall >= 0.5", slices(&["port"])),
        ("slice(sex=F).recall - slice(sex=M).recall >= 0", slices(&["sex", "sex"])),
        ("facet(sex=F).DI >= 0.8", facets(&["sex=F"])),
        ("facet(age>=60).DI >= champion.facet(age>=60).DI", facets(&["age>=60", "age>=60"])),
        ("facet(sex).DI.each >= champion.DI", facets(&["sex"])),
    ] {
        assert_eq!(check(text)?, wanted, "{text}");
    }
    assert_eq!(check("robustness(missing=0.1).f1 >= 0.8")?.disturbed, ["f1"]);
    Ok(())
}

#[test]
fn gates_are_checked_before_anything_is_computed() -> Result<()> {
    let check = |text: &str| gate::check(&text.parse()?, Task::Binary, &COLUMNS);
    for (text, wanted) in [
        ("acuracy >= 0.5", "did you mean `accuracy`?"),
        ("accuracy >= champion.acuracy", "did you mean `accuracy`?"),
        ("latency_p98_ms <= 0.5", "did you mean `latency_p99_ms`?"),
        ("size <= 0.5", "did you mean `size_mb`?"),
        ("DI >= 0.8", "facet(COL=VALUE).DI"),
        ("slice(sexx).recall.min >= 0.5", "did you mean `sex`?"),
        ("slice(plass=3).recall >= 0.5", "did you mean `pclass`?"),
        ("slice(sex).recal.min >= 0.5", "did you mean `recall`?"),
        ("slice(sex).recall >= 0.5", "a slice is written"),
        ("slice(bins(age, 1)).recall.min >= 0.5", "bins(COLUMN, 5)"),
        ("facet(sexx=F).DI >= 0.5", "did you mean `sex`?"),
        ("facet(sex=F).disparate_impact >= 0.5", "did you mean `DI`?"),
        ("facet(sex=F).dppl >= 0.5", "did you mean `DPPL`?"),
        ("facet(sex).DI >= 0.5", "facet(COL=VALUE).MEASURE"),
        ("facet(sex=F).DI.min >= 0.5", "facet(COL=VALUE).MEASURE"),
        ("robustness(mising=0.1).f1 >= 0.5", "did you mean `missing`?"),
        ("robustness(missing=0.4).f1 >= 0.5", "tried: 0.05, 0.1, 0.2"),
        ("robustness(missing).f1 >= 0.5", "tried: 0.05, 0.1, 0.2"),
        ("robustness(noise=0.1, agee).f1 >= 0.5", "did you mean `age`?"),
        ("rmse <= 3", "use one of accuracy"),
    ] {
        let error = check(text).expect_err(text);
        let hint = fail::find(&error).and_then(|failure| failure.hint.clone()).unwrap_or_default();
        assert!(hint.contains(wanted), "{text}: {hint}");
        assert!(format!("{error:#}").contains(&format!("gate `{text}`")), "{error:#}");
    }
    let groups = gate::check(&"facet(sex=F).DI >= 0.8".parse()?, Task::Clustering, &COLUMNS).expect_err("no truth");
    assert!(format!("{groups:#}").contains("fairness is measured of classes and numbers"), "{groups:#}");
    Ok(())
}
