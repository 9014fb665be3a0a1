//! `mlops completions`

use anyhow::{Context, Result};
use clap::{Args, Command};
use clap_complete::Shell;

use crate::cli::app::{Answer, App};

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  mlops completions bash > ~/.local/share/bash-completion/completions/mlops")]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Runs the verb.
pub fn run(args: &CompletionsArgs, app: &App, command: &mut Command) -> Result<Answer> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "mlops", &mut script);
    let text = String::from_utf8_lossy(&script);
    app.ui.line(text.trim_end()).context("cannot write to standard output")?;
    Ok(Answer::Yes)
}
