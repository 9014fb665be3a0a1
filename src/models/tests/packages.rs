//! Packages: they read back, and no file, however damaged or hostile, does more than fail.

use anyhow::{Context, Result};
use proptest::prelude::{ProptestConfig, any, proptest};

use crate::base::hash::hash;
use crate::base::seed::Seed;
use crate::data::frame::{Column, Frame, TextValues, Values};
use crate::data::split::Split;
use crate::data::target::Target;
use crate::features::recipe::{Family, FittedRecipe, Recipe};
use crate::models::calibration::Calibration;
use crate::models::explain::attribution::exact;
use crate::models::monitoring::{Answered, monitoring};
use crate::models::package::{InputColumn, ModelPackage, PackageHeader};
use crate::models::predictor::Predictions;
use crate::models::tests::{ROWS, features, fit, labels, two_classes};
use crate::models::zoo;
use crate::record::monitoring::{ImportanceMethod, MonitoringRecord};
use crate::record::profile::ProfileRecord;
use crate::spec::model::Task;
use crate::spec::recipe::TransformSpec;
use crate::spec::schema::ColumnType;
use crate::spec::training::CalibrationMethod;

/// One kind of each form.
const KINDS: [&str; 9] =
    ["boost", "forest", "logistic", "knn", "naive_bayes", "baseline", "svm", "kmeans", "isolation_forest"];

fn frame() -> Result<Frame> {
    let x = features()?;
    let numbers = (0..ROWS).map(|row| x.features()[0].values.get(row)).collect();
    let words = (0..ROWS).map(|row| Some(["red", "green", "blue"][row % 3]));
    let columns = vec![
        Column::raw("size", Values::Number(numbers)),
        Column::raw("color", Values::Text(TextValues::from_values(words))),
    ];
    Frame::new(ROWS, columns)
}

fn recipe(family: Family, target: &Target) -> Result<FittedRecipe> {
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    let train = Split::from_parts(vec![0; ROWS])?.training(&frame()?, target, &rows)?;
    Recipe::from_spec(&TransformSpec::default(), family)?.fit(&train, Seed(42))
}

fn package(kind: &str) -> Result<ModelPackage> {
    let (task, target) = match kind {
        "kmeans" => (Task::Clustering, labels(Task::Clustering)?),
        "isolation_forest" => (Task::Anomaly, labels(Task::Anomaly)?),
        _ => (Task::Binary, two_classes()?),
    };
    let recipe = recipe(zoo::kind(kind)?.family, &target)?;
    let matrix = recipe.apply(&frame()?)?;
    let params = if (zoo::kind(kind)?.params)().contains_key("trees") { "trees = 3" } else { "" };
    let header = PackageHeader {
        target: "label".to_owned(),
        target_type: Some(ColumnType::Text),
        classes: target.classes().to_vec(),
        inputs: vec![InputColumn::new("size", ColumnType::Float), InputColumn::new("color", ColumnType::Text)],
        ..PackageHeader::new(kind, task, recipe.features().to_vec())
    };
    let baseline = ProfileRecord { rows: ROWS as u64, columns: Vec::new() };
    Ok(ModelPackage::new(header, recipe, fit(kind, &matrix, &target, params)?, baseline))
}

#[test]
fn packages_read_back_and_answer_the_same() -> Result<()> {
    for kind in KINDS {
        let made = package(kind)?;
        let bytes = made.to_bytes()?;
        let read = ModelPackage::open(&bytes)?;
        assert_eq!(read.header, made.header, "{kind}");
        assert_eq!(read.predict(&frame()?)?, made.predict(&frame()?)?, "{kind}");
        assert_eq!(read.to_bytes()?, bytes, "{kind}");
    }
    Ok(())
}

/// A package with everything that a header can hold.
fn mended() -> Result<ModelPackage> {
    let made = package("forest")?;
    let target = two_classes()?;
    let Target::Classes { codes, .. } = &target else { return Ok(made) };
    let raw = made.predict(&frame()?)?;
    let (calibration, _) = Calibration::fit(CalibrationMethod::Isotonic, "forest", &raw, codes, None)?;
    let mut made = made.calibrated(CalibrationMethod::Isotonic, calibration);
    made.header.threshold = Some(0.3);
    made.header.baseline_answer = Some(vec![0.25, 0.75]);
    Ok(made)
}

#[test]
fn calibration_and_threshold_are_kept() -> Result<()> {
    let made = mended()?;
    let bytes = made.to_bytes()?;
    let read = ModelPackage::open(&bytes)?;
    assert_eq!((&read.header, read.to_bytes()?), (&made.header, bytes));
    let answer = read.predict(&frame()?)?;
    assert_eq!(answer, made.predict(&frame()?)?);
    assert_ne!(answer, package("forest")?.predict(&frame()?)?, "the curve changes something");
    let Predictions::Probabilities { values, .. } = &answer else { return Ok(()) };
    let wanted: Vec<u32> = values.chunks_exact(2).map(|row| u32::from(row[1] > 0.3)).collect();
    assert_eq!(read.labels(&answer), wanted);
    Ok(())
}

/// A package that keeps how it answers.
fn monitored(kind: &str) -> Result<ModelPackage> {
    let made = package(kind)?;
    let truth = match made.header.task {
        Task::Binary => two_classes()?,
        task => labels(task)?,
    };
    let answers = made.predict(&frame()?)?;
    let answered = Answered { rows_of: "validation", answers: &answers, truth: Some(&truth) };
    let monitoring = monitoring(&made, &answered, &frame()?, Seed(7))?;
    Ok(made.monitored(monitoring))
}

#[test]
fn answers_are_kept_as_predict_writes_them() -> Result<()> {
    for kind in KINDS {
        let made = monitored(kind)?;
        let bytes = made.to_bytes()?;
        let read = ModelPackage::open(&bytes)?;
        assert_eq!((&read.monitoring, read.to_bytes()?), (&made.monitoring, bytes), "{kind}");
        let kept = made.monitoring.clone().context("just made")?;
        let names: Vec<&str> = kept.answers.columns.iter().map(|column| column.name.as_str()).collect();
        let wanted: &[&str] = match made.header.task {
            Task::Clustering => &["cluster", "distance"],
            Task::Anomaly => &["score", "anomaly"],
            _ => &["prediction", "probability_no", "probability_yes"],
        };
        assert_eq!((names.as_slice(), kept.answers.rows), (wanted, ROWS as u64), "{kind}");
        let explained = kept.importance.as_ref().map(|importance| importance.method);
        let method = match kind {
            "kmeans" | "knn" | "svm" => None,
            "naive_bayes" | "baseline" | "isolation_forest" => Some(ImportanceMethod::Shuffled),
            _ => Some(ImportanceMethod::Contributions),
        };
        assert_eq!((explained, kept.notes.is_empty()), (method, method.is_some()), "{kind}: {:?}", kept.notes);
    }
    Ok(())
}

#[test]
fn kept_answers_are_those_of_the_model() -> Result<()> {
    let made = monitored("forest")?;
    let Predictions::Probabilities { values, .. } = made.predict(&frame()?)? else { return Ok(()) };
    let kept = made.monitoring.clone().context("just made")?;
    let yes = kept.answers.column("probability_yes").and_then(|column| column.numbers.as_ref()).context("a column")?;
    let mean = values.iter().skip(1).step_by(2).sum::<f64>() / ROWS as f64;
    assert!((yes.mean.context("a mean")? - mean).abs() < 1e-12);
    let shares = &kept.answers.column("prediction").context("a column")?.top;
    let said = made.predict(&frame()?)?.classes().iter().filter(|class| **class == 1).count() as u64;
    assert!(shares.contains(&("yes".to_owned(), said)), "{shares:?}");
    let labels = kept.labels.context("the truth")?;
    assert_eq!((labels.name.as_str(), labels.present), ("label", ROWS as u64));
    // The sum over columns of the mean size of each contribution, all rows being in the sample.
    let parts = exact(&made, &frame()?)?.context("trees say it")?;
    let importance = kept.importance.context("trees say it")?;
    let (size, color) = (parts.sizes()[0], parts.sizes()[1]);
    assert_eq!(importance.rows, ROWS as u64);
    let of = |name: &str| importance.columns.iter().find(|(known, _)| known == name).map_or(f64::NAN, |(_, v)| *v);
    assert!((of("size") - size).abs() < 1e-12 && (of("color") - color).abs() < 1e-12, "{importance:?}");
    Ok(())
}

#[test]
fn kept_answers_that_contradict_themselves_are_refused() -> Result<()> {
    let refused = |says: &str, change: fn(&mut MonitoringRecord)| -> Result<()> {
        let mut made = monitored("forest")?;
        change(made.monitoring.as_mut().context("just made")?);
        let error = ModelPackage::open(&made.to_bytes()?).err().map(|error| format!("{error:#}")).unwrap_or_default();
        assert!(error.contains(says), "{says}: {error}");
        Ok(())
    };
    refused("nobody knows the rows", |kept| kept.rows_of = "my".to_owned())?;
    refused("does not add up", |kept| kept.answers.rows += 1)?;
    refused("does not add up", |kept| kept.answers.columns[0].missing = u64::MAX)?;
    refused("does not add up", |kept| {
        kept.answers.columns[1].quantile_sketch.iter_mut().for_each(|s| s.counts.clear())
    })?;
    refused("does not add up", |kept| kept.answers.columns[0].top[0].1 = u64::MAX)?;
    refused("a column twice", |kept| kept.answers.columns[2].name = "prediction".to_owned())?;
    refused("importance of", |kept| kept.importance.iter_mut().for_each(|i| i.columns[0].1 = -1.0))?;
    refused("importance of", |kept| kept.importance.iter_mut().for_each(|i| i.columns[1].0 = i.columns[0].0.clone()))?;
    Ok(())
}

#[test]
fn damaged_answers_are_errors() -> Result<()> {
    let bytes = monitored("baseline")?.to_bytes()?;
    for place in (0..bytes.len()).step_by(53) {
        assert!(ModelPackage::open(&bytes[..place]).is_err(), "cut at {place}");
        let mut changed = bytes.clone();
        changed[place] ^= 1 << (place % 8);
        assert!(ModelPackage::open(&changed).is_err(), "bit flipped in byte {place}");
    }
    Ok(())
}

#[test]
fn headers_that_contradict_themselves_are_refused() -> Result<()> {
    let refused = |change: fn(&mut PackageHeader), says: &str| -> Result<()> {
        let mut made = mended()?;
        change(&mut made.header);
        let error = ModelPackage::open(&made.to_bytes()?).err().map(|error| format!("{error:#}")).unwrap_or_default();
        assert!(error.contains(says), "{says}: {error}");
        Ok(())
    };
    refused(|header| header.threshold = Some(1.5), "threshold")?;
    refused(|header| header.baseline_answer = Some(vec![1.0]), "baseline")?;
    refused(|header| header.calibration = CalibrationMethod::None, "bytes are left")?;
    let mut plain = package("forest")?;
    plain.header.calibration = CalibrationMethod::Platt;
    assert!(ModelPackage::open(&plain.to_bytes()?).is_err(), "there are no curves");
    Ok(())
}

#[test]
fn headers_without_the_newer_fields_are_read() -> Result<()> {
    let plain = serde_json::to_value(&package("forest")?.header)?;
    for name in ["calibration", "threshold", "baseline_answer"] {
        assert!(plain.get(name).is_none(), "{name} is not written where there is none");
    }
    assert!(plain["lineage"].get("from").is_none());
    let read: PackageHeader = serde_json::from_value(plain)?;
    assert_eq!(read, package("forest")?.header);
    Ok(())
}

#[test]
fn cut_and_flipped_packages_are_errors() -> Result<()> {
    let bytes = package("forest")?.to_bytes()?;
    for cut in 0..bytes.len() {
        assert!(ModelPackage::open(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1 << (place % 8);
        assert!(ModelPackage::open(&changed).is_err(), "bit flipped in byte {place}");
    }
    let longer = [bytes.as_slice(), b"!"].concat();
    assert!(ModelPackage::open(&longer).is_err());
    Ok(())
}

#[test]
fn newer_formats_and_engines_are_named() -> Result<()> {
    let mut bytes = package("baseline")?.to_bytes()?;
    bytes[8] = 9;
    let error = ModelPackage::open(&bytes).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("format 9"), "{error}");
    let mut newer = package("baseline")?;
    newer.header.engine = zoo::ENGINE_VERSION + 1;
    let error = ModelPackage::open(&newer.to_bytes()?).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains(&format!("engine {}", zoo::ENGINE_VERSION + 1)), "{error}");
    Ok(())
}

/// Changes bytes of the sections and of the header, then writes the hashes anew, so that the readers inside are reached.
fn forge(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut rng = Seed(seed).rng();
    let length = u32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]) as usize;
    let mut header: serde_json::Value = serde_json::from_slice(&bytes[48..48 + length]).unwrap_or_default();
    let mut body = bytes[48 + length..].to_vec();
    for _ in 0..=rng.below(3) {
        let place = rng.below(body.len() as u64) as usize;
        body[place] = rng.bits() as u8;
    }
    if rng.below(4) == 0 {
        let section = rng.below(3) as usize;
        let claimed = header["sections"][section]["length"].as_u64().unwrap_or(0);
        header["sections"][section]["length"] = claimed.wrapping_add(rng.below(9)).wrapping_sub(4).into();
    }
    let mut rest = body.as_slice();
    for section in 0..header["sections"].as_array().map_or(0, Vec::len) {
        let claimed = header["sections"][section]["length"].as_u64().unwrap_or(0) as usize;
        let (part, after) = rest.split_at(claimed.min(rest.len()));
        header["sections"][section]["hash"] = hash(part).hex().into();
        rest = after;
    }
    let header = serde_json::to_vec(&header).unwrap_or_default();
    let mut forged = bytes[..12].to_vec();
    forged.extend_from_slice(&(header.len() as u32).to_le_bytes());
    forged.extend_from_slice(hash(&header).as_bytes());
    forged.extend_from_slice(&header);
    forged.extend_from_slice(&body);
    forged
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn forged_packages_never_panic(seed in any::<u64>()) {
        use std::sync::LazyLock;
        static MADE: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
            let plain = KINDS.iter().map(|kind| package(kind));
            let whole = ["forest", "naive_bayes", "isolation_forest"].into_iter().map(monitored);
            plain.chain([mended()]).chain(whole).filter_map(|made| made.and_then(|made| made.to_bytes()).ok()).collect()
        });
        assert_eq!(MADE.len(), KINDS.len() + 4);
        let forged = forge(&MADE[(seed % MADE.len() as u64) as usize], seed);
        if let (Ok(opened), Ok(frame)) = (ModelPackage::open(&forged), frame()) {
            let _ = opened.predict(&frame);
        }
    }
}
