//! A model card as the JSON of Amazon SageMaker's public model-card schema, version 0.1.0.
//!
//! Names, types and lengths are those of the schema (SageMaker Developer Guide, "Model card JSON schema"); texts are
//! cut to fit. What has no value is left out, never empty.

use serde_json::{Map, Value, json};

use crate::record::evaluation::{ClassPlots, ConfusionMatrix, GateResult, Interval, Verdict};
use crate::render::card::Card;
use crate::render::escape::shortened;
use crate::render::evaluation::figures::{difference, interval};
use crate::render::evaluation::{EvaluationDocument, slice_name};

/// Characters of short texts, of long ones, and of names of metrics, groups and axes.
const SHORT: usize = 1_024;
const LONG: usize = 2_048;
const OBSERVATION: usize = 2_096;
const METRIC: usize = 255;
const GROUP: usize = 63;
/// Entries of lists.
const FILES: usize = 15;
const TRAINING_METRICS: usize = 50;
const PARAMETERS: usize = 100;
const MATRIX: usize = 20;
const CUSTOM: usize = 50;

/// An object without the members that have no value.
#[derive(Default)]
struct Object(Map<String, Value>);

impl Object {
    fn text(mut self, name: &str, text: Option<&str>, most: usize) -> Object {
        if let Some(text) = text.filter(|text| !text.trim().is_empty()) {
            self.0.insert(name.to_owned(), shortened(text, most).into());
        }
        self
    }

    fn value(mut self, name: &str, value: Value) -> Object {
        let is_empty = match &value {
            Value::Null => true,
            Value::Array(items) => items.is_empty(),
            Value::Object(members) => members.is_empty(),
            _ => false,
        };
        if !is_empty {
            self.0.insert(name.to_owned(), value);
        }
        self
    }

    fn done(self) -> Value {
        Value::Object(self.0)
    }
}

/// The card as JSON.
pub fn sagemaker(card: &Card<'_>) -> Value {
    let evaluation = card.evaluation.as_ref().map(|of| evaluation(card, of));
    Object::default()
        .value("model_overview", overview(card))
        .value("intended_uses", uses(card))
        .value("business_details", business(card))
        .value("training_details", training(card))
        .value("evaluation_details", Value::Array(evaluation.into_iter().collect()))
        .value("additional_information", additional(card))
        .done()
}

fn overview(card: &Card<'_>) -> Value {
    let model = &card.model;
    let made = format!(
        "{} model that predicts {}",
        model.kind,
        if model.target.is_empty() { "without a target" } else { &model.target }
    );
    let description = card.written.description.as_deref().or(card.note.as_deref()).unwrap_or(&made);
    let creator = card.training.run.as_ref().map(|run| run.user.as_str());
    Object::default()
        .text("model_id", Some(&card.package), SHORT)
        .text("model_name", Some(card.name.as_deref().unwrap_or(&card.label)), SHORT)
        .value("model_version", card.version.filter(|version| *version >= 1).map_or(Value::Null, Value::from))
        .text("model_description", Some(description), SHORT)
        .text("problem_type", Some(model.task.name()), SHORT)
        .text("algorithm_type", Some(&model.kind), SHORT)
        .text("model_creator", creator, SHORT)
        .text("model_owner", card.written.owner.as_deref(), SHORT)
        .value("model_artifact", json!([format!("mlops:package/{}", card.package)]))
        .done()
}

fn uses(card: &Card<'_>) -> Value {
    let written = card.written;
    let joined = match (&written.intended_use, &written.out_of_scope) {
        (Some(use_it), Some(not)) => Some(format!("{use_it}\nNot intended for: {not}")),
        (None, Some(not)) => Some(format!("Not intended for: {not}")),
        (use_it, None) => use_it.clone(),
    };
    Object::default()
        .text("purpose_of_model", written.purpose.as_deref(), LONG)
        .text("intended_uses", joined.as_deref(), LONG)
        .text("factors_affecting_model_efficiency", written.limitations.as_deref(), LONG)
        .text("risk_rating", Some(written.risk_rating.map_or("Unknown", |rating| rating.title())), SHORT)
        .text("explanations_for_risk_rating", written.risk_reason.as_deref(), LONG)
        .done()
}

fn business(card: &Card<'_>) -> Value {
    let written = card.written;
    Object::default()
        .text("business_problem", written.business_problem.as_deref(), LONG)
        .text("business_stakeholders", written.stakeholders.as_deref(), LONG)
        .text("line_of_business", written.line_of_business.as_deref(), LONG)
        .done()
}

fn training(card: &Card<'_>) -> Value {
    let of = &card.training;
    let objective = card.model.aim.as_ref().map(|(metric, higher)| {
        let function = if *higher { "Maximize" } else { "Minimize" };
        let facet = match metric.as_str() {
            "roc_auc" => Some("AUC"),
            "accuracy" => Some("Accuracy"),
            "rmse" => Some("RMSE"),
            "mae" => Some("MAE"),
            "log_loss" => Some("Loss"),
            _ => None,
        };
        let function = Object::default().text("function", Some(function), GROUP).text("facet", facet, GROUP).done();
        json!({ "function": function, "notes": shortened(metric, SHORT) })
    });
    let datasets: Vec<Value> = of
        .dataset
        .iter()
        .flat_map(|dataset| {
            let label = format!("mlops:dataset/{} ({})", dataset.label, dataset.id);
            let files = dataset.sources.iter().map(|(name, b3sum)| format!("{} b3sum {b3sum}", shortened(name, GROUP)));
            std::iter::once(label)
                .chain(files)
                .take(FILES)
                .map(|text| Value::from(shortened(&text, SHORT)))
                .collect::<Vec<_>>()
        })
        .collect();
    let metrics: Vec<Value> = card
        .validation
        .iter()
        .filter(|(_, value)| value.is_finite())
        .take(TRAINING_METRICS)
        .map(|(name, value)| {
            let notes = "on the validation rows";
            json!({ "name": shortened(name, METRIC), "value": value, "notes": notes })
        })
        .collect();
    let parameters: Vec<Value> = card
        .model
        .params
        .iter()
        .filter(|(name, value)| !name.is_empty() && !value.is_empty())
        .take(PARAMETERS)
        .map(|(name, value)| json!({ "name": shortened(name, METRIC), "value": shortened(value, METRIC) }))
        .collect();
    let job = Object::default()
        .text("training_arn", of.run.as_ref().map(|run| format!("mlops:run/{}", run.id)).as_deref(), SHORT)
        .value("training_datasets", Value::Array(datasets))
        .value("training_metrics", Value::Array(metrics))
        .value("hyper_parameters", Value::Array(parameters))
        .done();
    let rows = of
        .rows
        .map(|[train, validation, test]| format!("{train} training, {validation} validation and {test} test rows"));
    Object::default()
        .value("objective_function", objective.unwrap_or(Value::Null))
        .text("training_observations", rows.as_deref(), SHORT)
        .value("training_job_details", job)
        .done()
}

fn additional(card: &Card<'_>) -> Value {
    let written = card.written;
    let mut custom: Vec<(String, String)> = vec![("package".to_owned(), card.package.clone())];
    custom.extend(card.note.clone().map(|note| ("note".to_owned(), note)));
    custom.extend(
        card.training.run.as_ref().and_then(|run| run.code.clone()).map(|(commit, _)| ("commit".to_owned(), commit)),
    );
    custom.extend(card.commands.iter().map(|command| (command.about.to_owned(), command.command.clone())));
    custom.extend(card.state.map(|state| ("state".to_owned(), state.to_owned())));
    custom.extend(card.tags.iter().map(|(name, value)| (format!("tag {name}"), value.clone())));
    custom.extend(written.details.iter().map(|(name, value)| (name.clone(), value.clone())));
    let members = custom
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .take(CUSTOM)
        .map(|(name, text)| (shortened(&name, METRIC), Value::from(shortened(&text, SHORT))));
    let caveats = match (&written.limitations, &written.recommendations) {
        (Some(limits), Some(advice)) => Some(format!("{limits}\n{advice}")),
        (limits, advice) => limits.clone().or_else(|| advice.clone()),
    };
    Object::default()
        .text("ethical_considerations", written.ethical_considerations.as_deref(), LONG)
        .text("caveats_and_recommendations", caveats.as_deref(), LONG)
        .value("custom_details", Value::Object(members.collect()))
        .done()
}

fn evaluation(card: &Card<'_>, document: &EvaluationDocument<'_>) -> Value {
    let of = document.judgement;
    let failed = of.gates.iter().filter(|gate| gate.verdict == Verdict::Fail);
    let reasons: String = failed.map(|gate| format!(" {}: {}.", gate.expression, gate.reason)).collect();
    let odd: String = of.findings.iter().map(|finding| format!(" {}: {}.", finding.code, finding.message)).collect();
    let observation = format!("Verdict {}: {}.{reasons}{odd}", of.verdict.name(), document.verdict_words());
    let metadata = json!({
        "verdict": of.verdict.name(), "rows": of.rows.to_string(), "rows_of": shortened(&of.rows_of, SHORT),
        "headline": shortened(&of.headline, SHORT), "evaluation": document.evaluation,
    });
    Object::default()
        .text("name", Some(&format!("{} on {}", card.label, document.dataset)), GROUP)
        .text("evaluation_observation", Some(&observation), OBSERVATION)
        .value("datasets", json!([shortened(document.dataset, SHORT)]))
        .value("metadata", metadata)
        .value("metric_groups", Value::Array(groups(document)))
        .done()
}

/// A group, left out when it has no metrics.
fn group(name: &str, metrics: Vec<Value>) -> Option<Value> {
    (!metrics.is_empty()).then(|| json!({ "name": shortened(name, GROUP), "metric_data": metrics }))
}

fn groups(document: &EvaluationDocument<'_>) -> Vec<Value> {
    let of = document.judgement;
    let overall = document.metric_names().into_iter().filter_map(|name| {
        let sure = of.intervals.get(name).map(|sure| interval_note(document, sure));
        simple(name, *of.metrics.get(name)?, sure.as_deref())
    });
    let mut all = vec![group("metrics", overall.collect())];
    let gates: Vec<Value> = of.gates.iter().map(gate).collect();
    all.push(group("gates", gates));
    if let Some(other) = &of.comparison {
        let changes = other
            .metrics
            .iter()
            .filter_map(|(name, change)| simple(name, change.difference, Some(&difference(change))));
        all.push(group(&format!("difference to {}", other.name), changes.collect()));
    }
    let slices = of.slices.iter().chain(&of.worst_slices).filter_map(|slice| {
        let sure = slice.intervals.get(&of.headline).map_or_else(String::new, |sure| format!(", {}", interval(sure)));
        let notes = format!("{} rows{sure}", slice.rows);
        simple(&slice_name(slice), *slice.metrics.get(&of.headline)?, Some(&notes))
    });
    all.push(group(&format!("{} by slice", of.headline), slices.collect()));
    for facet in &of.facets {
        let measures = facet.pre_training.iter().map(|pair| (pair, "of the data"));
        let measures = measures.chain(facet.post_training.iter().map(|pair| (pair, "of the answers")));
        let values = measures.filter_map(|((name, value), notes)| simple(name, *value, Some(notes)));
        all.push(group(&format!("fairness to {}={}", facet.column, facet.value), values.collect()));
    }
    let costs = document.costs.iter().filter_map(|(name, value)| simple(name, *value, None));
    all.push(group("costs", costs.collect()));
    let matrix = of.confusion.as_ref().and_then(matrix);
    let curves = of.plots.classes.iter().flat_map(curves);
    all.push(group("diagrams", matrix.into_iter().chain(curves).collect()));
    all.into_iter().flatten().collect()
}

fn interval_note(document: &EvaluationDocument<'_>, sure: &Interval) -> String {
    let level = document.judgement.interval_method.as_ref().map_or(0.95, |method| method.level);
    format!("{} % interval {}", level * 100.0, interval(sure))
}

fn simple(name: &str, value: f64, notes: Option<&str>) -> Option<Value> {
    (value.is_finite() && !name.is_empty()).then(|| {
        Object::default()
            .text("name", Some(name), METRIC)
            .text("type", Some("number"), METRIC)
            .value("value", value.into())
            .text("notes", notes, SHORT)
            .done()
    })
}

fn gate(of: &GateResult) -> Value {
    Object::default()
        .text("name", Some(&of.expression), METRIC)
        .text("type", Some("boolean"), METRIC)
        .value("value", (of.verdict == Verdict::Pass).into())
        .text("notes", Some(&of.reason), SHORT)
        .done()
}

fn matrix(of: &ConfusionMatrix) -> Option<Value> {
    if of.classes.is_empty() || of.classes.len() > MATRIX {
        return None;
    }
    let names: Vec<String> = of.classes.iter().map(|class| shortened(class, GROUP)).collect();
    Some(json!({
        "name": "confusion", "type": "matrix", "value": of.counts, "x_axis_name": names, "y_axis_name": names,
        "notes": "rows by true class (y) and predicted class (x)",
    }))
}

fn curves(class: &ClassPlots) -> Vec<Value> {
    let filled = class.calibration.iter().filter(|bin| bin.rest + bin.members > 0.0);
    let calibration: Vec<[f64; 2]> = filled.map(|bin| [bin.predicted, bin.observed]).collect();
    let all: [(&str, &str, &str, &[[f64; 2]]); 4] = [
        ("ROC", "false positive rate", "true positive rate", &class.roc),
        ("precision and recall", "recall", "precision", &class.precision_recall),
        ("calibration", "predicted probability", "share of the class", &calibration),
        ("gain", "share of rows", "share of the class found", &class.gain),
    ];
    let curve = |(name, x, y, points): (&str, &str, &str, &[[f64; 2]])| {
        let points: Vec<&[f64; 2]> = points.iter().filter(|point| point.iter().all(|part| part.is_finite())).collect();
        let name = shortened(&format!("{name} of {}", class.class), METRIC);
        (!points.is_empty()).then(
            || json!({ "name": name, "type": "linear_graph", "value": points, "x_axis_name": x, "y_axis_name": y }),
        )
    };
    all.into_iter().filter_map(curve).collect()
}
