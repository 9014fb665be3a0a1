//! The parts of a card before they are a page or Markdown: facts, paragraphs, tables and commands under headings.

use crate::base::units;
use crate::render::card::{Card, CardDataset, CardRun};
use crate::render::evaluation::figures::figure;
use crate::render::number::{number, percent, share};

/// Values of the target that are listed.
const VALUES: usize = 20;
/// Columns that are listed.
const INPUTS: usize = 100;
/// Moves that are listed, the newest.
const MOVES: usize = 20;

/// One part of a card.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// Paragraphs, each with a name: `(name, text)`; the name may be empty.
    pub words: Vec<(&'static str, String)>,
    /// Facts: `(name, value)`.
    pub facts: Vec<(String, String)>,
    /// Headings of the table; one that starts with `#` is of numbers.
    pub headings: Vec<&'static str>,
    /// Its rows.
    pub rows: Vec<Vec<String>>,
    /// What was left out of the table, in a sentence.
    pub left_out: String,
    /// Commands: `(what it does, words)`.
    pub commands: Vec<(&'static str, String)>,
}

impl Section {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.facts.is_empty() && self.rows.is_empty() && self.commands.is_empty()
    }
}

/// The parts before the evaluation.
pub fn before(card: &Card<'_>) -> Vec<Section> {
    vec![overview(card), uses(card), risks(card), model(card), inputs(card), data(card), values(card)]
}

/// The parts after the evaluation.
pub fn after(card: &Card<'_>) -> Vec<Section> {
    vec![validation(card), history(card), origin(card), commands(card)]
}

fn fact(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

fn cut(all: usize, most: usize, what: &str) -> String {
    match all.saturating_sub(most) {
        0 => String::new(),
        more => format!("and {}", units::plural(more as u64, &format!("more {what}"))),
    }
}

fn overview(card: &Card<'_>) -> Section {
    let model = &card.model;
    let what = match model.target.as_str() {
        "" => format!("A {} model for {}.", model.kind, model.task.name()),
        target => format!("A {} model ({}) that predicts {target}.", model.kind, model.task.name()),
    };
    let mut words = vec![("", what)];
    words.extend(card.written.description.clone().map(|text| ("", text)));
    words.extend(card.note.clone().map(|text| ("Note", text)));
    let mut facts = Vec::new();
    facts.extend(card.written.owner.clone().map(|owner| fact("owner", owner)));
    facts.extend(card.registered.clone().map(|time| fact("registered", time)));
    facts.extend(card.state.map(|state| fact("state", state.to_owned())));
    if !card.aliases.is_empty() {
        facts.push(fact("aliases", card.aliases.join(", ")));
    }
    facts.push(fact("package", card.package.clone()));
    facts.push(fact("size", units::bytes(card.package_bytes)));
    facts.extend(card.tags.iter().map(|(name, value)| fact(name, value.clone())));
    Section { title: "Overview", words, facts, ..Section::default() }
}

/// What people wrote on its use, or that they wrote nothing.
fn uses(card: &Card<'_>) -> Section {
    let written = card.written;
    let all = [
        ("Purpose", &written.purpose),
        ("Intended use", &written.intended_use),
        ("Not intended for", &written.out_of_scope),
        ("Limits", &written.limitations),
        ("Recommendations", &written.recommendations),
        ("Business problem", &written.business_problem),
        ("Stakeholders", &written.stakeholders),
        ("Line of business", &written.line_of_business),
    ];
    let mut words: Vec<(&str, String)> =
        all.iter().filter_map(|(name, text)| Some((*name, (*text).clone()?))).collect();
    if written.intended_use.is_none() && written.limitations.is_none() {
        words.push((
            "",
            "Nobody wrote down what it is for and where it fails: [card] of mlops.toml is the place.".to_owned(),
        ));
    }
    let facts = written.details.iter().map(|(name, value)| fact(name, value.clone())).collect();
    Section { title: "Use and limits", words, facts, ..Section::default() }
}

fn risks(card: &Card<'_>) -> Section {
    let written = card.written;
    let mut words = Vec::new();
    words.extend(written.risk_rating.map(|rating| ("Risk", rating.title().to_owned())));
    words.extend(written.risk_reason.clone().map(|text| ("Why", text)));
    words.extend(written.ethical_considerations.clone().map(|text| ("Ethical considerations", text)));
    Section { title: "Risk", words, ..Section::default() }
}

fn model(card: &Card<'_>) -> Section {
    let of = &card.model;
    let mut facts = vec![fact("kind", of.kind.clone()), fact("task", of.task.name())];
    if !of.classes.is_empty() {
        let names: Vec<&str> = of.classes.iter().take(VALUES).map(String::as_str).collect();
        let more =
            if of.classes.len() > VALUES { format!(", … ({} in all)", of.classes.len()) } else { String::new() };
        facts.push(fact("classes", format!("{}{more}", names.join(", "))));
    }
    facts.push(fact("features", units::count(of.features as u64)));
    facts.extend(of.threshold.map(|threshold| fact("threshold", number(threshold))));
    facts.extend(of.calibration.map(|method| fact("calibration", method)));
    if !of.imported {
        facts.push(fact("seed", of.seed.to_string()));
    }
    facts.push(fact("engine", format!("version {}", of.engine)));
    let rows = of.params.iter().map(|(name, value)| vec![name.clone(), value.clone()]).collect();
    Section { title: "Model", facts, headings: vec!["parameter", "value"], rows, ..Section::default() }
}

fn inputs(card: &Card<'_>) -> Section {
    let of = &card.model.inputs;
    let row = |input: &crate::render::card::CardInput| {
        let missing = if input.missing { "yes" } else { "no" };
        vec![input.name.clone(), input.column_type.to_owned(), input.seen.clone(), missing.to_owned()]
    };
    Section {
        title: "Columns that it reads",
        headings: vec!["column", "type", "values seen in training", "missing seen"],
        rows: of.iter().take(INPUTS).map(row).collect(),
        left_out: cut(of.len(), INPUTS, "column"),
        ..Section::default()
    }
}

fn data(card: &Card<'_>) -> Section {
    let mut section = Section { title: "Training data", ..Section::default() };
    match &card.training.dataset {
        None if card.model.imported => {
            section
                .words
                .push(("", "Imported from another tool: what it was trained on is not known here.".to_owned()));
        }
        None => section.words.push(("", "What it was trained on is not in this repository.".to_owned())),
        Some(of) => section.facts = data_facts(card, of),
    }
    section
}

fn data_facts(card: &Card<'_>, of: &CardDataset) -> Vec<(String, String)> {
    let mut facts = vec![
        fact("dataset", of.label.clone()),
        fact("rows", units::count(of.rows)),
        fact("columns", units::count(of.columns as u64)),
    ];
    if let Some([train, validation, test]) = card.training.rows {
        let [train, validation, test] = [train, validation, test].map(units::count);
        facts.push(fact("split", format!("{train} training, {validation} validation, {test} test rows")));
    }
    facts.extend(
        of.periods
            .iter()
            .map(|(column, first, last)| fact(&format!("period of {column}"), format!("{first} – {last}"))),
    );
    facts.extend(of.target_numbers.iter().map(|(what, value)| fact(&format!("{what} of the target"), value.clone())));
    facts
}

/// How the target is distributed.
fn values(card: &Card<'_>) -> Section {
    let Some(of) = &card.training.dataset else {
        return Section::default();
    };
    let sum = of.target_values.iter().map(|(_, rows)| rows).sum();
    let row = |(value, rows): &(String, u64)| vec![value.clone(), units::count(*rows), percent(share(*rows, sum))];
    Section {
        title: "Values of the target",
        headings: vec!["value", "#rows", "#share"],
        rows: of.target_values.iter().take(VALUES).map(row).collect(),
        left_out: cut(of.target_values.len(), VALUES, "value"),
        ..Section::default()
    }
}

/// Metrics on the validation rows, where nobody judged it on others.
fn validation(card: &Card<'_>) -> Section {
    let mut section = Section { title: "Validation", headings: vec!["metric", "#value"], ..Section::default() };
    section.rows = card.validation.iter().map(|(name, value)| vec![name.clone(), figure(*value)]).collect();
    if !section.rows.is_empty() {
        section.words.push(("", "On the validation rows, which choosing saw: they flatter the model.".to_owned()));
    }
    section
}

fn history(card: &Card<'_>) -> Section {
    let version = |number: Option<u32>| number.map_or_else(|| "–".to_owned(), |number| format!("v{number}"));
    let skipped = card.moves.len().saturating_sub(MOVES);
    let row = |of: &crate::render::card::CardMove| {
        vec![of.time.clone(), of.alias.clone(), version(of.from), version(of.to), of.reason.clone().unwrap_or_default()]
    };
    Section {
        title: "History",
        headings: vec!["time", "alias", "from", "to", "why"],
        rows: card.moves.iter().skip(skipped).map(row).collect(),
        left_out: if skipped > 0 {
            format!("{} are left out", units::plural(skipped as u64, "earlier move"))
        } else {
            String::new()
        },
        ..Section::default()
    }
}

fn run_facts(run: &CardRun) -> Vec<(String, String)> {
    let mut facts = vec![
        fact("run", run.id.clone()),
        fact("started", run.started.clone()),
        fact("by", format!("{} on {}", run.user, run.host)),
    ];
    facts.extend(run.seconds.map(|seconds| fact("took", units::seconds(seconds))));
    facts.extend(run.code.as_ref().map(|(commit, dirty)| {
        let state = if *dirty { ", with changes that were not committed" } else { "" };
        fact("code", format!("commit {commit}{state}"))
    }));
    facts.push(fact("command", run.command.clone()));
    facts.push(fact("tool", format!("mlops {}", run.tool_version)));
    facts
}

/// What the model was made from, by id.
fn origin(card: &Card<'_>) -> Section {
    let of = &card.training;
    let mut rows: Vec<Vec<String>> = vec![vec!["package".to_owned(), card.label.clone(), card.package.clone()]];
    if let Some(dataset) = &of.dataset {
        rows.push(vec!["dataset".to_owned(), dataset.label.clone(), dataset.id.clone()]);
        rows.extend(
            dataset
                .sources
                .iter()
                .map(|(name, b3sum)| vec!["raw file (b3sum)".to_owned(), name.clone(), b3sum.clone()]),
        );
    }
    rows.extend(of.lineage.iter().map(|(what, id)| vec![(*what).to_owned(), String::new(), id.clone()]));
    Section {
        title: "Where it comes from",
        facts: of.run.as_ref().map(run_facts).unwrap_or_default(),
        headings: vec!["what", "name", "id"],
        rows,
        ..Section::default()
    }
}

fn commands(card: &Card<'_>) -> Section {
    let commands = card.commands.iter().map(|command| (command.about, command.command.clone())).collect();
    Section { title: "How to use and rebuild it", commands, ..Section::default() }
}
