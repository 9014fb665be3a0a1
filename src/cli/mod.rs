//! The command line: arguments in, exit code out.
//!
//! Lives here: one file a verb (`XArgs`, `run`, `show`), the global flags, the dispatch, exit codes, help texts. Does
//! not live here: the work of a verb (`ops`), how a table or a bar looks (`term`), settings (`config`).
//!
//! Always holds: exit 0 is yes, 1 is no, 2 is a wrong request, 3 is "could not", 70 is our own bug; a pipe closed by
//! its reader ends quietly with 0.

mod app;
mod args;
mod card;
mod completions;
mod diff;
mod diff_models;
mod evaluate;
mod evaluate_view;
mod explain;
mod export;
mod fsck;
mod gc;
mod import;
mod ingest;
mod init;
mod lineage;
mod log;
mod log_history;
mod log_runs;
mod mark;
mod metric_list;
mod predict;
mod profile_view;
mod promote;
mod register;
mod reproduce;
mod rollback;
mod run;
mod schema_help;
mod serve;
mod status;
mod train;
mod train_auto;
mod transform;
mod tree;
mod tune;
mod undo;
mod validate;
mod why;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io;
use std::panic;
use std::process::ExitCode;
use std::time::Instant;

use clap::{CommandFactory, Parser, Subcommand};

use crate::base::fail::{self, Blame};
use crate::base::guard;
use crate::base::host;
use crate::cli::app::{Answer, App};
use crate::cli::args::GlobalArgs;
use crate::config::environment::Environment;
use crate::term::ui::{Ui, UiOptions};

/// From a raw table to a served, monitored, reproducible model, in one binary
#[derive(Debug, Parser)]
#[command(name = "mlops", version, propagate_version = false, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "\
Start with a table and no configuration:
  mlops init
  mlops ingest penguins.csv --target species
  mlops train
  mlops serve

Or with a project file (mlops.toml):
  mlops run                  executes what changed, skips what did not
  mlops status --why         says what would run, and why

Exit codes: 0 yes; 1 no (invalid data, gate not met, damage found); 2 wrong request; 3 could not; 70 a bug of ours.";

#[derive(Debug, Subcommand)]
enum Verb {
    Init(init::InitArgs),
    Ingest(ingest::IngestArgs),
    Validate(validate::ValidateArgs),
    Transform(transform::TransformArgs),
    Train(train::TrainArgs),
    Tune(tune::TuneArgs),
    Evaluate(evaluate::EvaluateArgs),
    Explain(explain::ExplainArgs),
    Card(card::CardArgs),
    Register(register::RegisterArgs),
    Promote(promote::PromoteArgs),
    Rollback(rollback::RollbackArgs),
    Undo(undo::UndoArgs),
    Mark(mark::MarkArgs),
    Predict(predict::PredictArgs),
    Export(export::ExportArgs),
    Import(import::ImportArgs),
    Serve(serve::ServeArgs),
    Run(run::RunArgs),
    Status(status::StatusArgs),
    Log(log::LogArgs),
    Diff(diff::DiffArgs),
    Why(why::WhyArgs),
    Reproduce(reproduce::ReproduceArgs),
    Fsck(fsck::FsckArgs),
    Gc(gc::GcArgs),
    Completions(completions::CompletionsArgs),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    panic::set_hook(Box::new(|info| {
        if guard::is_caught() {
            return;
        }
        let place = info.location().map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
        let what = info.payload_as_str().unwrap_or("no message");
        Ui::new(UiOptions::default()).error(
            &format!("this is a bug in mlops {}: {what}{place}", env!("CARGO_PKG_VERSION")),
            &[],
            Some("please report it with the command line and, if you can, the data; nothing committed is lost"),
        );
    }));
    let words: Vec<OsString> = std::env::args_os().collect();
    panic::catch_unwind(|| ExitCode::from(command(words))).unwrap_or(ExitCode::from(70))
}

fn command(words: Vec<OsString>) -> u8 {
    let started = Instant::now();
    let spoken: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let parsed = match Cli::try_parse_from(words) {
        Ok(parsed) => parsed,
        Err(error) => {
            let is_help = !error.use_stderr();
            // A closed pipe is no reason to complain about help.
            let _ = error.print();
            return if is_help { 0 } else { 2 };
        }
    };
    let environment = Environment::read();
    let ui = Ui::new(parsed.global.ui_options(&environment));
    let outcome = App::new(ui.clone(), environment, &parsed.global, spoken).and_then(|app| dispatch(parsed.verb, &app));
    ui.cost(started.elapsed().as_secs_f64(), host::usage());
    match outcome {
        Ok(Answer::Yes) => 0,
        Ok(Answer::No) => 1,
        Ok(Answer::Could(Blame::Request)) => 2,
        Ok(Answer::Could(Blame::World)) => 3,
        Err(error) => complain(&ui, &error),
    }
}

fn dispatch(verb: Verb, app: &App) -> anyhow::Result<Answer> {
    match verb {
        Verb::Init(args) => init::run(&args, app),
        Verb::Ingest(args) => ingest::run(&args, app),
        Verb::Validate(args) => validate::run(&args, app),
        Verb::Transform(args) => transform::run(&args, app),
        Verb::Train(args) => train::run(&args, app),
        Verb::Tune(args) => tune::run(&args, app),
        Verb::Evaluate(args) => evaluate::run(&args, app),
        Verb::Explain(args) => explain::run(&args, app),
        Verb::Card(args) => card::run(&args, app),
        Verb::Register(args) => register::run(&args, app),
        Verb::Promote(args) => promote::run(&args, app),
        Verb::Rollback(args) => rollback::run(&args, app),
        Verb::Undo(args) => undo::run(&args, app),
        Verb::Mark(args) => mark::run(&args, app),
        Verb::Predict(args) => predict::run(&args, app),
        Verb::Export(args) => export::run(&args, app),
        Verb::Import(args) => import::run(&args, app),
        Verb::Serve(args) => serve::run(&args, app),
        Verb::Run(args) => run::run(&args, app),
        Verb::Status(args) => status::run(&args, app),
        Verb::Log(args) => log::run(&args, app),
        Verb::Diff(args) => diff::run(&args, app),
        Verb::Why(args) => why::run(&args, app),
        Verb::Reproduce(args) => reproduce::run(&args, app),
        Verb::Fsck(args) => fsck::run(&args, app),
        Verb::Gc(args) => gc::run(&args, app),
        Verb::Completions(args) => completions::run(&args, app, &mut Cli::command()),
    }
}

/// Prints an error and says which exit code it means.
fn complain(ui: &Ui, error: &anyhow::Error) -> u8 {
    let pipe = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    if pipe.into_iter().any(|cause| cause.kind() == io::ErrorKind::BrokenPipe) {
        return 0;
    }
    let failure = fail::find(error);
    let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
    ui.error(&error.to_string(), &causes, failure.and_then(|failure| failure.hint.as_deref()));
    match failure.map_or(Blame::World, |failure| failure.blame) {
        Blame::Request => 2,
        Blame::World => 3,
    }
}
