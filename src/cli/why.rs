//! `mlops why`

use anyhow::Result;
use clap::Args;
use serde_json::Value;

use crate::cli::app::{Answer, App};
use crate::ops::evaluate::default_model;
use crate::ops::stages::Workspace;
use crate::ops::why::{WhyLink, WhyReport, why};
use crate::term::style::Style;
use crate::term::ui::Ui;

/// Trace one thing back to the raw file
///
/// Prints the chain version → evaluation → model → run → recipe → split → dataset → raw file, with ids, code commit,
/// parameters, gates and alias moves. The id of the raw file equals `b3sum FILE`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  mlops why\n  mlops why penguins@champion\n  mlops why run:last --json")]
pub struct WhyArgs {
    /// Dataset, model, run or id; what `serve` would serve when absent
    #[arg(value_name = "REF")]
    reference: Option<String>,
}

/// Runs the verb.
pub fn run(args: &WhyArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let project = app.project(&repo)?;
    let space = Workspace { repo: &repo, root: &project.root, spec: &project.spec };
    let reference = match &args.reference {
        Some(reference) => reference.clone(),
        None => default_model(&repo, &space.model_name())?,
    };
    let report = why(&repo, &reference)?;
    app.print("why", &report, |ui| show(&report, ui))?;
    Ok(Answer::Yes)
}

fn show(report: &WhyReport, ui: &Ui) -> std::io::Result<()> {
    for link in &report.chain {
        let id = if link.id == link.name { String::new() } else { format!("  {}", short(link)) };
        ui.line(&format!("{} {}{id}", ui.paint(Style::Bold, &link.kind), link.name))?;
        for (name, value) in link.facts.as_object().into_iter().flatten() {
            if let Some(text) = plain(value) {
                ui.line(&format!("    {name}: {text}"))?;
            }
        }
    }
    Ok(())
}

/// Raw files are shown in full, as their id is what `b3sum` prints.
fn short(link: &WhyLink) -> &str {
    if link.kind == "raw" { &link.id } else { link.id.get(..12).unwrap_or(&link.id) }
}

/// A number as it was written if that is short, else four digits behind the point, or as many that matter where it is small.
fn short_number(value: f64) -> String {
    let whole = value.to_string();
    match value.abs() {
        _ if whole.len() <= 8 => whole,
        1e-2..1e9 => format!("{value:.4}"),
        _ => format!("{value:.4e}"),
    }
}

/// A fact on one line; nothing for what is empty.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => {
            Some(number.as_f64().filter(|_| number.is_f64()).map_or_else(|| number.to_string(), short_number))
        }
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Array(items) => {
            let words: Vec<String> = items.iter().filter_map(plain).collect();
            (!words.is_empty()).then(|| words.join(", "))
        }
        Value::Object(map) => {
            let words: Vec<String> =
                map.iter().filter_map(|(name, value)| Some(format!("{name} {}", plain(value)?))).collect();
            (!words.is_empty()).then(|| words.join(", "))
        }
    }
}
