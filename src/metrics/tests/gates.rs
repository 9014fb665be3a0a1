//! Gates: semantics, reasons, verdicts.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::base::fail;
use crate::metrics::gate::{self, Lookup};
use crate::record::evaluation::{GateResult, SliceResult, Verdict};
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

fn judge(text: &str, champion: Option<&BTreeMap<String, f64>>) -> Result<GateResult> {
    let values = metrics(&[("accuracy", 0.82), ("log_loss", 0.4), ("f1", 0.9), ("broken", f64::NAN)]);
    Ok(gate::judge(&text.parse()?, &|name| values.get(name).copied(), champion))
}

fn check(text: &str, champion: Option<&BTreeMap<String, f64>>, verdict: Verdict, reason: &str) -> Result<()> {
    let result = judge(text, champion)?;
    assert_eq!((result.verdict, result.reason.as_str()), (verdict, reason), "{text}");
    assert_eq!(result.expression, text);
    Ok(())
}

#[test]
fn gates_against_numbers() -> Result<()> {
    check("accuracy >= 0.8", None, Verdict::Pass, "0.82 is at least 0.8")?;
    check("accuracy >= 0.82", None, Verdict::Pass, "0.82 is at least 0.82")?;
    check("accuracy <= 0.82", None, Verdict::Pass, "0.82 is at most 0.82")?;
    check("accuracy > 0.82", None, Verdict::Fail, "0.82 is not above 0.82")?;
    check("accuracy < 0.82", None, Verdict::Fail, "0.82 is not below 0.82")?;
    check("accuracy == 0.82", None, Verdict::Pass, "0.82 is equal to 0.82")?;
    check("log_loss <= 0.3", None, Verdict::Fail, "0.4 is not at most 0.3")?;
    check("accuracy >= 0.8200000001", None, Verdict::Fail, "0.82 is not at least 0.8200000001")?;
    Ok(())
}

#[test]
fn a_missing_metric_fails() -> Result<()> {
    check("recall >= 0.1", None, Verdict::Fail, "`recall` has no value on these rows")?;
    check("broken >= 0.1", None, Verdict::Fail, "`broken` has no value on these rows")?;
    let result = judge("broken <= 0.1", None)?;
    assert_eq!((result.value, result.bound), (None, None));
    Ok(())
}

#[test]
fn gates_against_a_champion() -> Result<()> {
    let champion = metrics(&[("accuracy", 0.83), ("log_loss", 0.39), ("f1", 0.9)]);
    let champion = Some(&champion);
    check(
        "accuracy >= champion.accuracy - 0.01",
        champion,
        Verdict::Pass,
        "0.82 is at least 0.82, the champion's 0.83 - 0.01",
    )?;
    check("accuracy >= champion.accuracy", champion, Verdict::Fail, "0.82 is not at least 0.83, the champion's")?;
    check("f1 >= champion.f1", champion, Verdict::Pass, "0.9 is at least 0.9, the champion's")?;
    check("f1 > champion.f1", champion, Verdict::Fail, "0.9 is not above 0.9, the champion's")?;
    check(
        "log_loss <= champion.log_loss + 0.02",
        champion,
        Verdict::Pass,
        "0.4 is at most 0.41, the champion's 0.39 + 0.02",
    )?;
    check("f1 >= champion.recall", champion, Verdict::Fail, "the champion has no value of `recall`")?;
    Ok(())
}

/// In binary fractions 0.52 - 0.05 is above 0.47; on paper it is not.
#[test]
fn an_offset_is_taken_as_on_paper() -> Result<()> {
    let champion = metrics(&[("f1", 0.52)]);
    let gate = "f1 >= champion.f1 - 0.05".parse()?;
    let result = gate::judge(&gate, &|_| Some(0.47), Some(&champion));
    assert_eq!((result.verdict, result.bound), (Verdict::Pass, Some(0.47)));
    assert_eq!(gate::judge(&gate, &|_| Some(0.469999999), Some(&champion)).verdict, Verdict::Fail);
    Ok(())
}

#[test]
fn a_gate_against_no_champion_passes_and_says_so() -> Result<()> {
    let reason = "there is no champion yet to compare accuracy with; it is 0.82";
    check("accuracy >= champion.accuracy + 0.1", None, Verdict::Pass, reason)?;
    assert_eq!(judge("accuracy >= champion.accuracy", None)?.bound, None);
    check("recall >= champion.recall", None, Verdict::Fail, "`recall` has no value on these rows")
}

#[test]
fn slices_are_looked_up() -> Result<()> {
    let all = metrics(&[("recall", 0.7)]);
    let slices = [
        slice("sex", "F", &[("recall", 0.6), ("accuracy", 0.9)]),
        slice("sex", "M", &[("recall", 0.8), ("accuracy", 0.7)]),
        slice("sex", "(missing)", &[("accuracy", 0.5)]),
        slice("a=b", "x = y", &[("recall", 0.3)]),
        slice("odd)", "(1).", &[("recall", 0.2)]),
    ];
    let lookup = Lookup { metrics: &all, slices: &slices };
    for (name, wanted) in [
        ("recall", Some(0.7)),
        ("slice(sex).recall.min", Some(0.6)),
        ("slice(sex).recall.max", Some(0.8)),
        ("slice(sex).accuracy.min", Some(0.5)),
        ("slice(sex=F).recall", Some(0.6)),
        ("slice( sex = F ).recall", Some(0.6)),
        ("slice(sex=(missing)).accuracy", Some(0.5)),
        ("slice(sex=(missing)).recall", None),
        ("slice(a=b=x = y).recall", Some(0.3)),
        ("slice(a=b).recall.min", Some(0.3)),
        ("slice(odd)=(1).).recall", Some(0.2)),
        ("slice(sex).recall", None),
        ("slice(sex=F).recall.min", None),
        ("slice(age).recall.min", None),
        ("slice(sex", None),
        ("slice().recall.min", None),
    ] {
        assert_eq!(lookup.value(name), wanted, "{name}");
    }
    let gates: Vec<GateSpec> =
        ["slice(sex).recall.min >= 0.5", "slice(sex=M).recall >= 0.9", "slice(port).recall.min >= 0"]
            .iter()
            .map(|text| text.parse())
            .collect::<Result<_, _>>()?;
    let results = gate::judge_all(&gates, &lookup, None);
    assert_eq!(results[0].reason, "0.6 is at least 0.5 (no value for sex=(missing))");
    assert_eq!(results[1].reason, "0.8 is not at least 0.9");
    assert_eq!(results[2].reason, "`slice(port).recall.min` has no value on these rows");
    Ok(())
}

#[test]
fn verdicts() -> Result<()> {
    let (pass, fail) = (judge("accuracy >= 0.8", None)?, judge("accuracy >= 0.9", None)?);
    assert_eq!(gate::verdict(&[]), Verdict::None);
    assert_eq!(gate::verdict(std::slice::from_ref(&pass)), Verdict::Pass);
    assert_eq!(gate::verdict(&[pass, fail]), Verdict::Fail);
    Ok(())
}

#[test]
fn gates_are_checked_before_anything_is_computed() -> Result<()> {
    let columns = ["sex", "pclass", "a=b"];
    let check = |text: &str| gate::check(&text.parse()?, Task::Binary, &columns);
    assert_eq!(check("accuracy >= champion.f1 - 0.1")?, None);
    assert_eq!(check("latency_p99_ms < 5")?, None);
    assert_eq!(check("slice(sex).recall.min >= 0.5")?, Some("sex"));
    assert_eq!(check("slice(pclass=3).recall >= 0.5")?, Some("pclass"));
    assert_eq!(check("slice(a=b=3).recall >= 0.5")?, Some("a=b"));
    for (text, wanted) in [
        ("acuracy >= 0.5", "did you mean `accuracy`?"),
        ("accuracy >= champion.acuracy", "did you mean `accuracy`?"),
        ("slice(sexx).recall.min >= 0.5", "did you mean `sex`?"),
        ("slice(plass=3).recall >= 0.5", "did you mean `pclass`?"),
        ("slice(sex).recal.min >= 0.5", "did you mean `recall`?"),
        ("slice(sex).recall >= 0.5", "a slice is written"),
        ("slice(sex) >= 0.5", "a slice is written"),
        ("rmse <= 3", "use one of accuracy"),
    ] {
        let error = check(text).expect_err(text);
        let hint = fail::find(&error).and_then(|failure| failure.hint.clone()).unwrap_or_default();
        assert!(hint.contains(wanted), "{text}: {hint}");
        assert!(format!("{error:#}").contains(&format!("gate `{text}`")), "{error:#}");
    }
    Ok(())
}
