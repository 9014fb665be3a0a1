//! Tests of documents: one file a kind, and the samples they share.

mod escapes;
mod evaluation_samples;
mod evaluations;
mod explanations;
mod graphs;
mod numbers;
mod pages;
mod validations;

use crate::quality::report::Finding;
use crate::record::evaluation::Verdict;
use crate::record::profile::{ColumnProfile, Histograms, NumberProfile, ProfileRecord, QuantileSketch, TextProfile};
use crate::render::profile::ProfileDocument;
use crate::render::validation::ValidationDocument;
use crate::spec::schema::{ColumnType, Severity};

/// A column of a type with nothing in it.
fn column(name: &str, column_type: ColumnType) -> ColumnProfile {
    ColumnProfile {
        name: name.to_owned(),
        column_type,
        present: 0,
        missing: 0,
        unique: 0,
        numbers: None,
        texts: None,
        times: None,
        top: Vec::new(),
        quantile_sketch: None,
        distinct_sketch: None,
    }
}

/// A column of sorted numbers, with a sketch of them when asked for.
fn numbers(name: &str, column_type: ColumnType, values: &[f64], sketch: bool) -> ColumnProfile {
    let (low, high) = (values[0], values[values.len() - 1]);
    let at = |share: f64| values[(share * (values.len() - 1) as f64) as usize];
    let (from, to) = if low == high { (low - 0.5, high + 0.5) } else { (low, high) };
    let edges: Vec<f64> =
        (0..=10).map(|edge| from * (1.0 - f64::from(edge) / 10.0) + to * (f64::from(edge) / 10.0)).collect();
    let below = |edge: f64| values.partition_point(|value| *value < edge) as u64;
    let mut starts: Vec<u64> = edges[..10].iter().map(|edge| below(*edge)).collect();
    starts[0] = 0;
    starts.push(values.len() as u64);
    let profile = NumberProfile {
        zeros: 0,
        nan: 0,
        infinite: 0,
        min: Some(low),
        max: Some(high),
        mean: Some(values.iter().map(|value| value / values.len() as f64).sum()),
        std: Some(1.0),
        quantiles: [0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0].map(at).to_vec(),
        counts: starts.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect(),
        edges,
        quantile_edges: Vec::new(),
    };
    let points = QuantileSketch { exact: true, values: values.to_vec(), counts: vec![1; values.len()] };
    ColumnProfile {
        present: values.len() as u64,
        unique: values.len() as u64,
        numbers: Some(profile),
        quantile_sketch: sketch.then_some(points),
        ..column(name, column_type)
    }
}

/// A column of text with these values and counts.
fn texts(name: &str, top: &[(&str, u64)]) -> ColumnProfile {
    let present = top.iter().map(|(_, count)| count).sum();
    let profile = TextProfile { length_min: 1, length_max: 9, length_mean: 4.5, empty: 0, padded: 0, invalid: 0 };
    ColumnProfile {
        present,
        unique: top.len() as u64,
        texts: Some(profile),
        top: top.iter().map(|(value, count)| ((*value).to_owned(), *count)).collect(),
        ..column(name, ColumnType::Text)
    }
}

/// A document about nothing but a profile.
fn document<'a>(title: &'a str, profile: &'a ProfileRecord) -> ProfileDocument<'a> {
    ProfileDocument {
        title,
        profile,
        facts: Vec::new(),
        target: None,
        duplicates: None,
        compared: None,
        correlations: Vec::new(),
        information: None,
        findings: &[],
    }
}

/// Findings of every severity, some of them hostile, and the text of a schema that names their columns.
fn sample() -> (Vec<Finding>, String) {
    let mut outside = Finding::new("FEATURE_TYPE_HIGH_VALUE", Severity::Error, Some("body_mass_g"))
        .says("max = 6500.0".to_owned(), "2 of 344 rows (0.58 %)".to_owned(), "at most 6,500".to_owned())
        .settled_by("raise `max`");
    (outside.rows, outside.samples, outside.count) = (vec![17, 90], vec!["6600".to_owned(), "9e9".to_owned()], 2);
    let observed = "<script>alert(1)</script>\n| `x` @everyone";
    let mut hostile = Finding::new("ENUM_TYPE_UNEXPECTED_STRING_VALUES", Severity::Error, Some("isl|and")).says(
        "domain".to_owned(),
        observed.to_owned(),
        "100%: \"Biscoe\", a".to_owned(),
    );
    (hostile.rows, hostile.samples, hostile.count) = (vec![3], vec!["\u{1}<b>&\u{202e}".to_owned()], 60);
    let mut drift = Finding::new("COMPARATOR_L_INFTY_HIGH", Severity::Warning, Some("sex")).says(
        "drift_max = 0.1".to_owned(),
        "distance 0.21".to_owned(),
        "at most 0.1".to_owned(),
    );
    drift.histograms = Some(Histograms {
        labels: vec!["female".to_owned(), "male".to_owned(), "\"quoted\" & <odd>".to_owned()],
        reference: vec![0.5, 0.45, 0.05],
        current: vec![0.7, 0.3, 0.0],
    });
    let mut note = Finding::new("DATASET_LOW_NUM_EXAMPLES", Severity::Info, None);
    note.observed = "344 rows".to_owned();
    let schema = "version = 1\n\n[[column]]\nname = \"body_mass_g\"\ntype = \"integer\"\n\n[[column]]\n\
                  name = 'isl|and'\ntype = \"text\"\n\n[[column]]\nname = \"sex\" # both\n";
    (vec![outside, hostile, drift, note], schema.to_owned())
}

/// A document about those findings.
fn validation<'a>(findings: &'a [Finding], schema: &'a str) -> ValidationDocument<'a> {
    ValidationDocument {
        dataset: "penguins@v3",
        rows: 344,
        schema: "schema.toml",
        schema_text: Some(schema),
        against: None,
        verdict: Verdict::Fail,
        fail_on: Severity::Error,
        findings,
    }
}

/// Demands that markup is well formed: every element closed in order, attributes quoted, references known, no character
/// that XML 1.0 forbids. Elements in `open` need no end; what stands in styles and scripts is not looked at.
#[track_caller]
fn well_formed(text: &str, open: &[&str]) {
    let forbidden = |letter: char| letter.is_control() && !matches!(letter, '\t' | '\n');
    assert!(!text.contains(forbidden), "a control character");
    let mut inside: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        references(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find('>').unwrap_or_else(|| panic!("no end: {rest:.60}"));
        let tag = &rest[1..end];
        rest = &rest[end + 1..];
        if tag.starts_with(['!', '?']) {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(inside.pop(), Some(name), "before {rest:.60}");
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        assert!(!tag.contains('<'), "{tag}");
        references(tag);
        if matches!(name, "style" | "script") {
            let end = rest.find(&format!("</{name}>")).unwrap_or_else(|| panic!("no end of {name}"));
            rest = &rest[end..];
        }
        if !tag.ends_with('/') && !open.contains(&name) {
            inside.push(name);
        }
    }
    assert!(inside.is_empty(), "left open: {inside:?}");
}

/// Demands that every `&` starts a reference that XML knows.
#[track_caller]
fn references(text: &str) {
    for (at, _) in text.match_indices('&') {
        let name = text[at + 1..].split(';').next().unwrap_or_default();
        let is_number = name.strip_prefix('#').is_some_and(|digits| digits.parse::<u32>().is_ok());
        assert!(is_number || matches!(name, "amp" | "lt" | "gt" | "quot"), "&{name:.20} in {text:.60}");
    }
}

/// Elements of HTML without an end.
const VOID: &[&str] = &["meta", "input"];
