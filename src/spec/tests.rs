//! Tests of what people write.

use crate::spec::model::TrainSpec;
use crate::spec::project::ProjectSpec;
use crate::spec::recipe::{ColumnKind, Columns, StepSpec};
use crate::spec::split::{Gap, SplitSpec};
use crate::spec::training::{
    CalibrationMethod, ClassWeight, ClassWeightRule, ThresholdCosts, ThresholdRule, ThresholdSpec,
};

#[test]
fn an_empty_project_file_is_a_project() {
    let spec: ProjectSpec = toml::from_str("").expect("every section has defaults");
    assert_eq!(spec.project.seed, 42);
    assert!(spec.train.is_none());
}

#[test]
fn unknown_keys_are_refused_with_their_place() {
    for text in ["[trian]\n", "[data]\nsource = 'x'\ntraget = 'y'\n", "[split]\ntests = 0.2\n"] {
        let error = toml::from_str::<ProjectSpec>(text).expect_err(text).to_string();
        assert!(error.contains("unknown field") && error.contains("line"), "{error}");
    }
}

#[test]
fn steps_are_read_by_their_op() {
    let text = "transform = { steps = [{ op = 'impute', columns = 'numeric', strategy = 'median' }, \
                { op = 'one_hot', columns = ['sex'] }] }";
    let spec: ProjectSpec = toml::from_str(text).expect("two steps");
    let steps = spec.transform.steps.expect("given");
    assert!(matches!(&steps[0], StepSpec::Impute { columns: Columns::Kind(ColumnKind::Numeric), .. }));
    assert!(matches!(&steps[1], StepSpec::OneHot { columns: Columns::Named(names), max: 50, .. } if names == &["sex"]));
    assert!(toml::from_str::<ProjectSpec>("transform = { steps = [{ op = 'magic', columns = 'all' }] }").is_err());
}

#[test]
fn splits_leave_rows_for_training() {
    assert!(SplitSpec::default().check().is_ok());
    assert!(SplitSpec { test: 0.5, validation: 0.5, ..SplitSpec::default() }.check().is_err());
    assert!(SplitSpec { test: -0.1, ..SplitSpec::default() }.check().is_err());
}

#[test]
fn what_is_decided_around_a_fit_is_read() {
    let read = |text: &str| toml::from_str::<ProjectSpec>(&format!("[train]\n{text}")).map(|spec| spec.train);
    let given = read(
        "class_weight = 'balanced'\ncalibrate = 'platt'\nthreshold = 'cost'\nthreshold_costs = { false_negative = 5 }",
    )
    .expect("all of it is known")
    .expect("a section");
    assert_eq!(given.class_weight, Some(ClassWeight::Rule(ClassWeightRule::Balanced)));
    assert_eq!(given.calibrate, CalibrationMethod::Platt);
    assert_eq!(given.threshold, Some(ThresholdSpec::Rule(ThresholdRule::Cost)));
    assert_eq!(given.threshold_costs, Some(ThresholdCosts { false_positive: 1.0, false_negative: 5.0 }));
    assert!(given.check().is_ok());
    let factors = read("class_weight = { yes = 2, no = 0.5 }\nthreshold = 0.3").expect("numbers").expect("a section");
    assert!(matches!(factors.class_weight, Some(ClassWeight::Factors(factors)) if factors["yes"] == 2.0));
    assert_eq!(factors.threshold, Some(ThresholdSpec::Value(0.3)));
    for (text, says) in [
        ("class_weight = 'balance'", "is not a class weight"),
        ("class_weight = { yes = -1 }", "not a weight"),
        ("threshold = 'f2'", "unknown threshold `f2`"),
        ("threshold = 1.0", "the threshold is 1"),
        ("calibrate = 'plat'", "unknown variant"),
    ] {
        let error = read(text).expect_err(text).to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
    let costs = read("threshold = 'f1'\nthreshold_costs = {}").expect("read").expect("a section");
    assert!(costs.check().is_err(), "costs without a choice by cost");
    // A plain section is written as it always was, so that stages do not run again.
    assert_eq!(serde_json::to_string(&TrainSpec::default()).expect("plain"), "{}");
}

#[test]
fn gaps_are_read_and_written() -> anyhow::Result<()> {
    for (text, wanted) in
        [("7d", "7d"), ("2w", "14d"), ("90m", "90m"), ("120m", "2h"), ("100 rows", "100 rows"), ("2.5", "2.5")]
    {
        assert_eq!(text.parse::<Gap>()?.to_string(), wanted);
    }
    for text in ["", "d", "7y", "-1d", "0d", "0", "-3", "nan", "inf", "7 days ago", "99999999999d"] {
        assert!(text.parse::<Gap>().is_err(), "{text}");
    }
    let read: SplitSpec = toml::from_str("method = 'time'\ncolumn = 'd'\ngap = '7d'\nfolds = 5")?;
    assert_eq!((read.gap, read.folds), (Some(Gap::Micros(7 * 86_400_000_000)), 5));
    assert_eq!(serde_json::to_value(&read)?["gap"], "7d");
    let number: SplitSpec = toml::from_str("method = 'time'\ncolumn = 'd'\ngap = 3")?;
    assert_eq!(number.gap, Some(Gap::Units(3.0)));
    assert!(toml::from_str::<SplitSpec>("gap = 'soon'").is_err_and(|error| error.to_string().contains("not a gap")));
    assert!(SplitSpec { gap: number.gap, ..SplitSpec::default() }.check().is_err(), "no time, no gap");
    assert!(SplitSpec { folds: 1, ..SplitSpec::default() }.check().is_err());
    // What older versions wrote reads as it did, and is written as it was.
    let old = r#"{"method":"auto","test":0.2,"validation":0.2}"#;
    let read: SplitSpec = serde_json::from_str(old)?;
    assert_eq!((serde_json::to_string(&read)?.as_str(), read), (old, SplitSpec::default()));
    Ok(())
}

#[test]
fn slices_are_listed_with_commas_outside_brackets_and_quotes() {
    use crate::spec::slice::{SlicePart, SliceSpec, split_list};
    let check = |text: &str, wanted: &[&str]| assert_eq!(split_list(text), wanted, "{text}");
    check("sex, bins(age, 5) ,sex * plan", &["sex", "bins(age, 5)", "sex * plan"]);
    check("plan IN ('a', 'b,c'),\"x,y\"", &["plan IN ('a', 'b,c')", "\"x,y\""]);
    check("it's,age", &["it's", "age"]);
    check("a),b", &["a)", "b"]);
    check("", &[]);
    check(" , ,", &[]);
    // What a part is written as is read as the same part.
    let columns = ["age", "x,y", "say \"so\"", "a * b", " b"];
    for name in columns {
        for part in [SlicePart::Column(name.to_owned()), SlicePart::Bins { column: name.to_owned(), count: 3 }] {
            let read = SliceSpec::parse(&format!("{part} * (age > 3)"), &columns).expect("it is written by the rules");
            assert_eq!(read.parts, [part, SlicePart::Condition("(age > 3)".to_owned())]);
        }
    }
}
