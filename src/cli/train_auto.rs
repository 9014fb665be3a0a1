//! Flags and leaderboard of `mlops train --auto`.

use anyhow::Result;
use clap::Args;

use crate::base::fail;
use crate::base::talk::Talk;
use crate::base::units;
use crate::cli::app::App;
use crate::ops::auto::report::{AutoReport, Entry};
use crate::spec::auto::AutoSpec;
use crate::spec::model::TrainSpec;
use crate::term::table::Table;
use crate::term::ui::Ui;

/// Trials shown beside those that are in the ensemble; --json has them all.
const TRIALS_SHOWN: usize = 10;

/// What a search may spend and choose from.
#[derive(Debug, Args)]
pub struct AutoArgs {
    /// Search for kind, parameters and an ensemble
    #[arg(long)]
    auto: bool,
    /// How long the search may take, as 60s or 10m
    #[arg(long, value_name = "DURATION")]
    time: Option<String>,
    /// How many configurations are tried at most
    #[arg(long, value_name = "N")]
    trials: Option<usize>,
    /// Kinds to choose from; all that suit the table when absent
    #[arg(long, value_name = "KIND,…", value_delimiter = ',')]
    models: Vec<String>,
    /// Fits side by side, 1 to 8; changes only how long it takes
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
}

impl AutoArgs {
    /// Whether a search is asked for on the command line.
    pub fn is_given(&self) -> bool {
        self.auto
    }

    /// Puts the flags over what the project file says. `names_model` says whether a kind or parameters are given, which
    /// take the place of a search that only the project file asks for.
    ///
    /// Errors: flags of a search without one.
    pub fn apply(&self, train: &mut TrainSpec, names_model: bool, app: &App) -> Result<()> {
        if !self.auto && names_model && train.auto.take().is_some() {
            app.ui.info("a model is named: the search that the project file asks for is left out");
        }
        if self.auto {
            train.auto.get_or_insert_default();
        }
        let given = [
            ("--time", self.time.is_some()),
            ("--trials", self.trials.is_some()),
            ("--models", !self.models.is_empty()),
            ("--jobs", self.jobs.is_some()),
        ];
        let Some(auto) = &mut train.auto else {
            return match given.iter().find(|(_, given)| *given) {
                Some((flag, _)) => {
                    Err(fail::usage(format!("{flag} is for a search, and none is asked for")).hint("add --auto").into())
                }
                None => Ok(()),
            };
        };
        if self.time.is_some() || self.trials.is_some() {
            // A budget of the command line takes the place of that of the project file as a whole.
            (auto.time, auto.trials) = (self.time.clone(), self.trials);
        }
        if !self.models.is_empty() {
            auto.models = self.models.iter().map(|name| name.trim().to_owned()).collect();
        }
        if self.jobs == Some(0) {
            return Err(fail::usage("no jobs do no work").hint("give --jobs 1 or more, or leave it out").into());
        }
        auto.jobs = self.jobs;
        Ok(AutoSpec::check(auto)?)
    }
}

/// The best trials and those of the ensemble.
pub fn show_auto(report: &AutoReport, ui: &Ui) -> std::io::Result<()> {
    let headings = ["trial", "name", "features", "#score", "#fit", "#answer", "#weight"];
    let metric = format!("#{}", report.metric);
    let headings: Vec<&str> =
        headings.iter().map(|name| if *name == "#score" { metric.as_str() } else { name }).collect();
    let mut table = Table::new(&headings);
    let shown = |(rank, entry): &(usize, &Entry)| *rank < TRIALS_SHOWN || entry.weight > 0.0;
    for (_, entry) in report.leaderboard.iter().enumerate().filter(shown) {
        let score = match entry.score {
            Some(score) => format!("{score:.4}"),
            None => entry.state.clone(),
        };
        let weight = if entry.weight > 0.0 { format!("{:.3}", entry.weight) } else { String::new() };
        table.row([
            entry.trial.to_string(),
            entry.name.clone(),
            entry.features.clone(),
            score,
            units::seconds(entry.fit_seconds),
            units::seconds(entry.predict_seconds),
            weight,
        ]);
    }
    ui.table(&table)?;
    ui.line(&format!("best first, by {}; seconds are those of all folds together", report.ranked_by))?;
    let count = |state: &str| report.leaderboard.iter().filter(|entry| entry.state == state).count();
    let (behind, failed) = (count("behind"), count("failed"));
    let how = match report.held_out.as_str() {
        "once" => "one part of the rows".to_owned(),
        _ => units::plural(report.folds as u64, "fold"),
    };
    ui.line(&format!(
        "{} on {how}, {behind} left behind, {failed} failed; together {} {:.4}",
        units::plural(report.trials as u64, "trial"),
        report.metric,
        report.score
    ))?;
    ui.line("")
}
