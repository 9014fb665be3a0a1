//! Documents about explanations: whole, harmless, and the same every time, whatever the numbers are.

use crate::base::hash::hash;
use crate::record::explanation::{
    ColumnExplanation, ContributionMethod, Dependence, Estimate, ExplainedMetric, ExplanationRecord, GroupImportance,
    Interaction, LinearEffect, LocalEffects, RowContribution, RowExplanation, SwarmPoint,
};
use crate::render::explanation::{ExplanationDocument, html, markdown};
use crate::render::tests::{VOID, well_formed};
use crate::spec::model::Task;
use crate::spec::schema::ColumnType;

const EVIL: &str = "<script>alert('x')</script>\"&|\u{1}";

fn estimate(mean: f64) -> Estimate {
    Estimate { mean, std: 0.1, low: mean - 0.1, high: mean + 0.1 }
}

/// A column with everything that one can have, of `outputs` outputs.
fn column(name: &str, column_type: ColumnType, outputs: usize, values: &[f64]) -> ColumnExplanation {
    let labels: Vec<String> = values.iter().map(|value| format!("{EVIL}{value}")).collect();
    let number = column_type.is_numeric() || column_type == ColumnType::Date;
    ColumnExplanation {
        name: name.to_owned(),
        column_type,
        permutation: Some(estimate(0.3)),
        contribution: Some(0.2),
        contribution_by_output: vec![0.2; outputs],
        own_importance: Some(0.5),
        swarm: values
            .iter()
            .map(|value| SwarmPoint { rank: number.then_some(0.5), contributions: vec![*value; outputs] })
            .collect(),
        dependence: Some(Dependence {
            rows: vec![1; labels.len()],
            labels,
            values: if number { values.to_vec() } else { Vec::new() },
            average: vec![values.to_vec(); outputs],
            curves: if outputs == 1 { vec![values.to_vec(); 3] } else { Vec::new() },
            missing: Some(vec![0.1; outputs]),
            levels_left_out: 3,
        }),
        effects: (number && values.len() > 1).then(|| LocalEffects {
            edges: values.to_vec(),
            rows: vec![1; values.len() - 1],
            values: vec![values.to_vec(); outputs],
        }),
        effects_left_out: None,
        linear: Some(match number {
            true => LinearEffect { per_unit: Some(vec![0.4; outputs]), levels: Vec::new(), left_out: None },
            false => LinearEffect {
                per_unit: None,
                levels: vec![(EVIL.to_owned(), vec![0.0; outputs]), (EVIL.to_owned(), vec![-0.7; outputs])],
                left_out: None,
            },
        }),
        interaction: Some(0.2),
    }
}

fn record(outputs: usize, values: &[f64]) -> ExplanationRecord {
    let types = [ColumnType::Float, ColumnType::Text, ColumnType::Boolean, ColumnType::Date, ColumnType::Time];
    let columns = types.iter().enumerate().map(|(at, of)| column(&format!("{EVIL}{at}"), *of, outputs, values));
    let parts = (0..20).map(|at| RowContribution {
        column: format!("{EVIL}{at}"),
        value: (at % 2 == 0).then(|| EVIL.to_owned()),
        contributions: vec![f64::from(at) - 9.5; outputs],
        errors: (at % 3 == 0).then(|| vec![0.1; outputs]),
    });
    ExplanationRecord {
        package: hash(b"p"),
        dataset: hash(b"d"),
        dataset_name: EVIL.to_owned(),
        model: EVIL.to_owned(),
        task: if outputs > 1 { Task::Multiclass } else { Task::Binary },
        target: EVIL.to_owned(),
        rows_of: "test".to_owned(),
        rows: 5,
        rows_there: 9,
        seed: 7,
        outputs: vec![EVIL.to_owned(); outputs],
        answer: EVIL.to_owned(),
        mean_answer: vec![0.4; outputs],
        methods: vec![EVIL.to_owned()],
        notes: vec![EVIL.to_owned()],
        metric: Some(ExplainedMetric { name: EVIL.to_owned(), value: 0.8, higher_is_better: true, repeats: 10 }),
        contributions: Some(ContributionMethod {
            method: "sampled".to_owned(),
            margin: "score".to_owned(),
            base: vec![0.1; outputs],
            rows: 5,
            background: Some(50),
        }),
        columns: columns.collect(),
        groups: vec![GroupImportance {
            columns: vec![EVIL.to_owned(), "b".to_owned()],
            association: 0.9,
            permutation: estimate(-0.2),
        }],
        interactions: vec![Interaction { a: EVIL.to_owned(), b: "b".to_owned(), h2: 0.3, strength: 0.1 }],
        explained: vec![RowExplanation {
            row: 17,
            part: Some("train".to_owned()),
            key: vec![(EVIL.to_owned(), EVIL.to_owned())],
            prediction: EVIL.to_owned(),
            answers: vec![0.4; outputs],
            truth: Some(EVIL.to_owned()),
            output: outputs - 1,
            base: vec![0.1; outputs],
            margin: vec![0.2; outputs],
            contributions: parts.collect(),
        }],
        unread: vec![EVIL.to_owned()],
    }
}

/// Demands a whole page without anything of the data as markup, the same twice.
#[track_caller]
fn check(record: &ExplanationRecord) -> String {
    let document = ExplanationDocument { model: EVIL, explanation: record };
    let page = html::html(&document);
    assert_eq!(page.matches("<script").count(), 1, "the one script is the page's own");
    well_formed(&page, VOID);
    assert_eq!(page, html::html(&document));
    for word in ["http:", "https:", " src=", "url(", "@import", "<link", "NaN", "inf"] {
        assert!(!page.contains(&format!("\"{word}")) && !page.contains(&format!(" {word} ")), "{word}");
    }
    let comment = markdown::markdown(&document);
    assert!(!comment.contains("<script"), "{comment}");
    assert!(comment.chars().count() <= crate::base::limits::MARKDOWN_CHARACTERS_MAX);
    page
}

#[test]
fn documents_hold_everything_and_no_markup_of_the_data() {
    let page = check(&record(1, &[0.1, 0.5, 0.3]));
    for part in ["Permutation importance", "Single rows", "Strongest pairs", "9 other columns", "a sample of 5 of 9"] {
        assert!(page.contains(part), "{part}");
    }
    check(&record(3, &[0.1, 0.5, 0.3]));
    check(&record(9, &[0.1, 0.5]));
}

#[test]
fn numbers_at_the_ends_of_what_there_is_are_drawn() {
    for values in [&[][..], &[0.0], &[2.0, 2.0], &[f64::MIN, 0.0, f64::MAX], &[1e-300, 2e-300], &[-1e15, 1e15]] {
        check(&record(1, values));
    }
}

#[test]
fn an_explanation_of_little_is_a_page_too() {
    let mut little = record(1, &[0.1, 0.5]);
    (little.metric, little.contributions) = (None, None);
    (little.groups, little.interactions, little.explained) = (Vec::new(), Vec::new(), Vec::new());
    little.columns.truncate(1);
    little.columns[0].dependence = None;
    little.columns[0].swarm.clear();
    check(&little);
    little.columns.clear();
    check(&little);
}
