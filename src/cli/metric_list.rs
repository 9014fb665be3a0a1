//! `mlops evaluate --list-metrics`

use anyhow::Result;
use serde::Serialize;

use crate::base::talk::Talk;
use crate::cli::app::{Answer, App};
use crate::metrics::metric::{Metric, When};
use crate::metrics::zoo;
use crate::spec::model::Task;
use crate::term::table::Table;

/// One metric of one task.
#[derive(Debug, Serialize)]
struct Listed {
    task: Task,
    /// With its parameter: `fbeta(BETA)`.
    name: String,
    /// `higher`, `lower`, `near 1`; empty when no value is better than another.
    better: String,
    /// `always`, `asked`, or what it needs: `costs`, `bounds`.
    measured: &'static str,
    about: &'static str,
    /// Which numbers the parameter may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<&'static str>,
}

impl Listed {
    fn new(task: Task, metric: &Metric) -> Listed {
        let measured = match metric.when {
            When::Always => "always",
            When::Costs => "costs",
            When::Bounds => "bounds",
            When::Asked => "asked",
        };
        Listed {
            task,
            name: metric.form(),
            better: metric.aim.text(),
            measured,
            about: metric.about,
            range: metric.parameter.map(|parameter| parameter.range),
        }
    }

    fn about(&self) -> String {
        match self.range {
            None => self.about.to_owned(),
            Some(range) => format!("{} ({range})", self.about),
        }
    }
}

/// Prints every metric of `task`, of all tasks when absent.
pub fn run(task: Option<Task>, app: &App) -> Result<Answer> {
    let tasks = match task {
        Some(task) => vec![task],
        None => vec![Task::Binary, Task::Multiclass, Task::Regression, Task::Clustering, Task::Anomaly],
    };
    let of_task = |task: Task| zoo::all(task).into_iter().map(move |metric| Listed::new(task, metric));
    let listed: Vec<Listed> = tasks.into_iter().flat_map(of_task).collect();
    app.print("metrics", &listed, |ui| {
        let mut table = Table::new(&["task", "metric", "better", "measured", "meaning"]);
        for metric in &listed {
            let cells = [metric.task.name().to_owned(), metric.name.clone(), metric.better.clone()];
            table.row(cells.into_iter().chain([metric.measured.to_owned(), metric.about()]));
        }
        ui.table(&table)
    })?;
    app.ui.hint("measured `asked`: name it with --metric, or --metric all; of one class: `NAME(class=CLASS)`");
    Ok(Answer::Yes)
}
