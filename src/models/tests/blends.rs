//! Blends: weighted means over ranges of features, what is kept reads back, hostile forms.

use std::ops::Range;

use anyhow::Result;
use proptest::prelude::{ProptestConfig, any, proptest};

use crate::data::matrix::Matrix;
use crate::data::target::Target;
use crate::models::blend::{Blend, Member};
use crate::models::form::{FormReader, FormWriter};
use crate::models::predictor::{Predictions, Predictor};
use crate::models::tests::{ROWS, bytes, features, fit, numbers, read_back, two_classes};

fn member(kind: &'static str, range: Range<usize>, weight: f64, target: &Target, count: usize) -> Result<Member> {
    let part = features()?.range(range.clone())?;
    let params = if kind == "boost" || kind == "forest" { "trees = 3" } else { "" };
    let models = (0..count).map(|_| fit(kind, &part, target, params)).collect::<Result<Vec<_>>>()?;
    Ok(Member { kind, range, weight, models })
}

fn of_classes() -> Result<Blend> {
    let target = two_classes()?;
    let members = vec![member("boost", 0..2, 0.25, &target, 2)?, member("logistic", 1..3, 0.75, &target, 1)?];
    Blend::new(3, 2, members)
}

fn of_numbers() -> Result<Blend> {
    let target = numbers()?;
    Blend::new(3, 0, vec![member("boost", 0..3, 0.5, &target, 1)?, member("ridge", 0..2, 0.5, &target, 1)?])
}

fn values(predictions: Predictions) -> Vec<f64> {
    match predictions {
        Predictions::Probabilities { values, .. } | Predictions::Numbers(values) => values,
        other => panic!("{other:?}"),
    }
}

#[test]
fn answers_are_weighted_means_of_the_members_on_their_own_features() -> Result<()> {
    let (x, target) = (features()?, two_classes()?);
    let on = |kind, range: Range<usize>, params| -> Result<Vec<f64>> {
        let part = x.range(range)?;
        Ok(values(fit(kind, &part, &target, params)?.predict(&part)?))
    };
    let (a, b) = (on("boost", 0..2, "trees = 3")?, on("logistic", 1..3, "")?);
    let blended = values(of_classes()?.predict(&x)?);
    for ((found, a), b) in blended.iter().zip(a).zip(b) {
        assert!((found - (0.25 * a + 0.75 * b)).abs() < 1e-15);
    }
    assert!(blended.chunks_exact(2).all(|row| (row[0] + row[1] - 1.0).abs() < 1e-12));
    Ok(())
}

#[test]
fn a_blend_reads_back_as_it_was_written() -> Result<()> {
    for blend in [of_classes()?, of_numbers()?] {
        let kept = bytes(&blend);
        let back = read_back("blend", &kept)?;
        assert_eq!(back.predict(&features()?)?, blend.predict(&features()?)?);
        assert_eq!(bytes(&*back), kept);
        let read = back.as_any().downcast_ref::<Blend>().expect("a blend is read as one");
        assert_eq!((read.features(), read.members().len()), (3, 2));
    }
    Ok(())
}

#[test]
fn importance_and_contributions_are_those_of_the_members() -> Result<()> {
    let blend = of_classes()?;
    let importance = blend.importance().expect("trees say what they rely on");
    assert!(importance[0].gain > 0.0 && importance.len() == 3);
    assert!(blend.contributions(&features()?)?.is_none(), "means of logits are no logits of means");
    let (blend, x) = (of_numbers()?, features()?);
    let found = blend.contributions(&x)?.expect("numbers add up");
    let answers = values(blend.predict(&x)?);
    for (row, answer) in answers.iter().enumerate() {
        assert!((found.margin_of(row, 0) - answer).abs() < 1e-9, "row {row}");
    }
    Ok(())
}

#[test]
fn what_is_no_blend_is_refused() -> Result<()> {
    let target = two_classes()?;
    let one = |range, weight| member("logistic", range, weight, &target, 1);
    let refused = |members: Result<Vec<Member>>| Blend::new(3, 2, members.expect("members fit")).is_err();
    assert!(refused(Ok(Vec::new())));
    assert!(refused(one(0..2, 0.9).map(|one| vec![one])), "shares below 1");
    assert!(refused(one(0..2, f64::NAN).map(|one| vec![one])));
    assert!(Blend::new(1, 2, vec![one(0..2, 1.0)?]).is_err(), "a range beyond the features");
    let empty = Member { kind: "logistic", range: 0..2, weight: 1.0, models: Vec::new() };
    assert!(Blend::new(3, 2, vec![empty]).is_err());
    let error = fit("blend", &features()?, &target, "").err().expect("a blend is not fitted").to_string();
    assert!(error.contains("cannot be fitted by itself"), "{error}");
    let wrong = Blend::new(3, 3, vec![one(0..2, 1.0)?])?;
    assert!(wrong.predict(&features()?).is_err(), "a member of two classes in a blend of three");
    Ok(())
}

/// The form of a blend that holds a blend.
fn nested(depth: usize) -> Vec<u8> {
    let mut form = FormWriter::new();
    for _ in 0..depth {
        form.u64("blend_features", 3);
        form.u64("blend_classes", 2);
        form.u64("blend_members", 1);
        form.text("blend_kind", "blend");
        form.u64s("blend_range", &[0, 3]);
        form.f64("blend_weight", 1.0);
        form.u64("blend_models", 1);
        form.u64("blend_model", 0);
    }
    form.finish()
}

#[test]
fn nested_blends_are_refused_before_they_are_read() {
    for depth in [1, 2, 100_000] {
        let error = read_back("blend", &nested(depth)).err().expect("blends do not nest").to_string();
        assert!(error.contains("cannot be a member"), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn damaged_forms_fail_or_answer(place in any::<proptest::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut kept = bytes(&of_numbers().expect("it fits"));
        let place = place.index(kept.len());
        match cut {
            true => kept.truncate(place),
            false => kept[place] = byte,
        }
        let mut form = FormReader::new(&kept);
        if let Ok(read) = super::zoo::kind("blend").and_then(|kind| (kind.read)(&mut form)) {
            let x: Matrix = features().expect("it is there");
            if let Ok(answer) = read.predict(&x) {
                assert_eq!(answer.rows(), ROWS);
            }
        }
    }
}
