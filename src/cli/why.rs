//! `mlops why`

use anyhow::Result;
use clap::Args;
use serde_json::Value;

use crate::cli::app::{Answer, App};
use crate::cli::tree::Forest;
use crate::ops::evaluate::default_model;
use crate::ops::stages::Workspace;
use crate::ops::why::{WhyLink, WhyReport, why};
use crate::render::graph::Graph;
use crate::term::style::Style;
use crate::term::ui::Ui;

/// Trace one thing back to the raw file
///
/// Prints the chain version → model → evaluation, run → recipe, split, dataset → raw file as a tree: what each goes back to
/// hangs below it, with the fact that matters, gates, parameters, code commit, and who moved which alias when and why. -v adds
/// every fact. The id of the raw file equals `b3sum FILE`. REF may also be a file: it is known by its content, whatever it is
/// called now.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mlops why
  mlops why penguins@champion
  mlops why run:last --json
  mlops why data/penguins.csv
  mlops why penguins@champion --dot | dot -Tsvg > why.svg
  mlops why penguins@champion --mermaid >> notes.md")]
pub struct WhyArgs {
    /// Dataset, model, version, run, study, evaluation, any id, or a raw file; what `serve` would serve when absent
    #[arg(value_name = "REF")]
    reference: Option<String>,
    #[command(flatten)]
    picture: PictureArgs,
}

/// In which language a graph is printed.
#[derive(Clone, Copy, Debug, Args)]
pub struct PictureArgs {
    /// Print the graph in Graphviz' DOT language
    #[arg(long, conflicts_with_all = ["mermaid", "json"])]
    dot: bool,
    /// Print the graph as a Mermaid flow chart
    #[arg(long, conflicts_with = "json")]
    mermaid: bool,
}

impl PictureArgs {
    /// The text of a graph, when one was asked for.
    pub fn text(self, graph: impl FnOnce() -> Graph) -> Option<String> {
        match (self.dot, self.mermaid) {
            (true, _) => Some(graph().to_dot()),
            (_, true) => Some(graph().to_mermaid()),
            _ => None,
        }
    }

    /// Whether one was asked for.
    pub fn is_asked(self) -> bool {
        self.dot || self.mermaid
    }
}

/// Runs the verb.
pub fn run(args: &WhyArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let reference = match &args.reference {
        Some(reference) => reference.clone(),
        None => {
            let project = app.project(&repo)?;
            let space = Workspace { repo: &repo, root: &project.root, spec: &project.spec };
            default_model(&repo, &space.model_name())?
        }
    };
    let report = why(&repo, &reference, &app.folder)?;
    if let Some(text) = args.picture.text(|| report.graph()) {
        app.ui.line(text.trim_end())?;
        return Ok(Answer::Yes);
    }
    let ascii = app.environment.ascii();
    app.print("why", &report, |ui| show(&report, ascii, ui))?;
    Ok(Answer::Yes)
}

fn show(report: &WhyReport, ascii: bool, ui: &Ui) -> std::io::Result<()> {
    let count = report.chain.len();
    let mut below = vec![Vec::new(); count];
    report.edges.iter().for_each(|edge| below[edge.from].push(edge.to));
    let mut roots: Vec<usize> = (0..count).filter(|at| report.edges.iter().all(|edge| edge.to != *at)).collect();
    if !roots.contains(&0) {
        // What was asked about is an origin: what came of it hangs below.
        (roots, below) = (vec![0], vec![Vec::new(); count]);
        report.edges.iter().for_each(|edge| below[edge.to].push(edge.from));
    }
    let lines = report.chain.iter().map(|link| lines(link, ui)).collect();
    Forest { lines, below }.draw(&roots, ascii).iter().try_for_each(|line| ui.line(line))
}

fn lines(link: &WhyLink, ui: &Ui) -> Vec<String> {
    let id = match (link.kind.as_str(), link.shown_id()) {
        (_, "") => String::new(),
        ("raw", id) => format!("  b3sum {id}"),
        (_, id) => format!("  {id}"),
    };
    let title = titled(&link.kind, &link.name, ui);
    let mut all = vec![format!("{title}{}  {}", ui.paint(Style::Dim, &id), plain(&link.headline()))];
    all.extend(link.details().iter().map(|line| plain(line)));
    if ui.verbose() {
        for (name, value) in link.facts.as_object().into_iter().flatten() {
            all.extend(fact(value).map(|text| ui.paint(Style::Dim, &format!("{name}: {text}"))));
        }
    }
    all
}

/// A kind of thing, and its name where that is more than the kind.
pub fn titled(kind: &str, name: &str, ui: &Ui) -> String {
    let bold = ui.paint(Style::Bold, kind);
    if kind == name { bold } else { format!("{bold} {}", plain(name)) }
}

/// Text from data on one line of a terminal.
pub fn plain(text: &str) -> String {
    text.trim_end().replace(char::is_control, " ")
}

/// A fact on one line; nothing for what is empty.
fn fact(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(plain(text)),
        Value::Array(items) => {
            let words: Vec<String> = items.iter().filter_map(fact).collect();
            (!words.is_empty()).then(|| words.join(", "))
        }
        Value::Object(map) => {
            let words: Vec<String> =
                map.iter().filter_map(|(name, value)| Some(format!("{name} {}", fact(value)?))).collect();
            (!words.is_empty()).then(|| words.join(", "))
        }
        other => Some(other.to_string()),
    }
}
