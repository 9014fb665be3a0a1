//! What was done, in words: a number without its method says less than it seems to.

use crate::models::package::ModelPackage;
use crate::models::predictor::Margin;
use crate::ops::explain::Subject;
use crate::ops::explain::contribution::{Method, Summary};
use crate::record::explanation::ExplainedMetric;
use crate::spec::model::Task;
use crate::spec::training::CalibrationMethod;

/// Names of the outputs: the second of two classes, all of more, what is predicted.
pub fn outputs(package: &ModelPackage) -> Vec<String> {
    let header = &package.header;
    match header.task {
        Task::Binary => vec![header.classes.last().cloned().unwrap_or_default()],
        Task::Multiclass if header.classes.len() > 2 => header.classes.clone(),
        Task::Multiclass => vec![header.classes.last().cloned().unwrap_or_default()],
        Task::Regression => vec![header.target.clone()],
        Task::Anomaly | Task::Clustering => vec!["anomaly score".to_owned()],
    }
}

/// What an answer is.
pub fn answer(package: &ModelPackage) -> String {
    let outputs = outputs(package);
    match (package.header.task.is_classification(), outputs.as_slice()) {
        (true, [only]) => format!("probability of {only}"),
        (true, _) => "probability of each class".to_owned(),
        (false, [only]) => only.clone(),
        (false, _) => String::new(),
    }
}

/// What contributions sum to.
pub fn margin(package: &ModelPackage, margin: Margin) -> String {
    let outputs = outputs(package);
    match (margin, package.header.task.is_classification(), outputs.as_slice()) {
        (Margin::Answer, ..) => answer(package),
        (Margin::Score, true, [only]) => format!("log odds of {only}"),
        (Margin::Score, true, _) => "score of each class, before scores become probabilities".to_owned(),
        (Margin::Score, false, _) => format!("logarithm of {}", package.header.target),
    }
}

/// A sentence or two on each number.
pub fn methods(
    subject: &Subject<'_>,
    metric: Option<&ExplainedMetric>,
    summary: &Summary,
    interactions: bool,
) -> Vec<String> {
    let mut methods = Vec::new();
    let rows = subject.ground.rows.len();
    if let Some(metric) = metric {
        methods.push(format!(
            "Permutation importance: how much worse {} gets on these {rows} rows when a column's raw values are \
             shuffled among them, mean of {} shuffles with its 95 % interval (Student). The interval is about the \
             shuffles, not about other rows. Columns that stand in for each other share importance or show none.",
            metric.name, metric.repeats
        ));
    }
    methods.push(contributions(subject, summary));
    methods.push(format!(
        "Dependence: the mean answer over {rows} rows with the column set to one value in all of them (partial \
         dependence, brute force); it asks about rows that cannot be where columns go together. Local effects: what \
         moving along the column changes among rows that are near (accumulated local effects, at quantiles), centred \
         at 0. Both describe the model, not causes."
    ));
    if interactions {
        methods.push(
            "Interactions: Friedman's H², the share of the joint dependence on two columns that is not the sum of \
             their own, and the size of that part in the unit of the answer. A large share of a small effect is small."
                .to_owned(),
        );
    }
    methods
}

fn contributions(subject: &Subject<'_>, summary: &Summary) -> String {
    let of = margin(subject.package, summary.parts.margin);
    let rows = summary.rows.len();
    match summary.method {
        Method::Trees => format!(
            "Contributions: exact Shapley values of the trees (TreeSHAP, path dependent), summed to raw columns, for \
             {rows} rows. They sum to the {of} less what is expected of the training rows."
        ),
        Method::Linear => format!(
            "Contributions: exact, each coefficient times the distance of its feature from the training mean, summed \
             to raw columns, for {rows} rows. They sum to the {of} less that of the mean row."
        ),
        Method::Other => format!(
            "Contributions: exact, as the model gives them, summed to raw columns, for {rows} rows. They sum to the \
             {of} less what is expected."
        ),
        Method::Sampled => {
            let why = match subject.package.header.calibration {
                CalibrationMethod::None => "this kind of model gives no exact ones",
                _ => "exact ones are not of the calibrated probabilities",
            };
            format!(
                "Contributions: sampled Shapley values ({why}), for {rows} rows, each from {} orders of the columns \
                 and their reverses against {} background rows of the same data; the standard error is given. They sum \
                 to the {of} less the background's mean exactly.",
                summary.background.len(),
                summary.background.len()
            )
        }
    }
}
