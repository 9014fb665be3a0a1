//! How `mlops log` shows failures, the audit log and the code of a run.

use anyhow::{Context, Result};

use crate::base::talk::Talk;
use crate::base::units;
use crate::cli::app::{Answer, App};
use crate::cli::log_runs::{moment, paint_state};
use crate::ops::audit::{self, AuditCheckReport, AuditOptions, AuditReport};
use crate::ops::runs::{self, CodeReport, ErrorsReport, RunsOptions};
use crate::repo::Repo;
use crate::term::style::Style;
use crate::term::table::Table;
use crate::term::ui::Ui;

/// Last lines of what a failed run printed; all of them with -v.
const LINES_SHOWN: usize = 20;

/// Lists failed and killed runs.
pub fn errors(repo: &Repo, options: &RunsOptions, app: &App) -> Result<Answer> {
    let report = runs::errors(repo, options, &app.ctx(0))?;
    app.print("errors", &report, |ui| show_errors(&report, ui))?;
    if (report.errors.len() as u64) < report.matched {
        let (shown, all) = (units::count(report.errors.len() as u64), units::count(report.matched));
        app.ui.info(&format!("{shown} of {all} failures; the others with -n and --offset"));
    }
    Ok(Answer::Yes)
}

fn show_errors(report: &ErrorsReport, ui: &Ui) -> std::io::Result<()> {
    for row in &report.errors {
        let run = &row.run;
        let stage = run.stage.as_deref().unwrap_or(&run.kind);
        let code = run.exit_code.map_or_else(String::new, |code| format!(" exit code {code}"));
        let state = paint_state(run.state, ui);
        ui.line(&format!("{} {stage} {state}{code} {}", run.run, moment(&run.started.to_string())))?;
        for line in row.run.error.iter().flat_map(|error| error.lines()) {
            ui.line(&format!("    {line}"))?;
        }
        let lines: Vec<&str> = row.output.iter().flat_map(|output| output.lines()).collect();
        let left_out = if ui.verbose() { 0 } else { lines.len().saturating_sub(LINES_SHOWN) };
        if left_out > 0 {
            ui.line(&format!("    | … {} before this, all with -v", units::plural(left_out as u64, "line")))?;
        }
        for line in &lines[left_out..] {
            ui.line(&format!("    | {line}"))?;
        }
        ui.line(&format!("    again: {}", row.again))?;
    }
    Ok(())
}

/// Lists changes of names, or says whether their history is whole.
pub fn audit(repo: &Repo, options: &AuditOptions, verify: bool, app: &App) -> Result<Answer> {
    if verify {
        let report = audit::verify(repo)?;
        app.print("audit_check", &report, |ui| show_check(&report, ui))?;
        return Ok(if report.findings.is_empty() { Answer::Yes } else { Answer::No });
    }
    let report = audit::audit(repo, options)?;
    app.print("audit", &report, |ui| show_audit(&report, ui))?;
    if (report.audit.len() as u64) < report.matched {
        app.ui.info(&format!("the last {} of {} changes", report.audit.len(), units::count(report.matched)));
    }
    Ok(Answer::Yes)
}

fn show_audit(report: &AuditReport, ui: &Ui) -> std::io::Result<()> {
    let mut table = Table::new(&["#seq", "time", "user", "action", "subject", "from", "to", "reason"]);
    for entry in &report.audit {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        table.row([
            entry.seq.to_string(),
            moment(&entry.time.to_string()),
            entry.actor.user.clone(),
            entry.action.to_string(),
            entry.subject.clone(),
            text(&entry.from),
            text(&entry.to),
            text(&entry.reason),
        ]);
    }
    ui.table(&table)
}

fn show_check(report: &AuditCheckReport, ui: &Ui) -> std::io::Result<()> {
    for finding in &report.findings {
        ui.line(&format!("{} {}: {}", ui.paint(Style::Bad, &finding.code), finding.subject, finding.what))?;
        ui.line(&format!("    {}", finding.fix))?;
    }
    let style = if report.findings.is_empty() { Style::Good } else { Style::Bad };
    let verdict = ui.paint(style, report.verdict);
    let lines = units::plural(report.lines, "line");
    ui.line(&format!("history: {verdict}; {lines}, the last with hash {}", report.head))
}

/// Prints the patch of a run's code, and says the rest.
pub fn code(repo: &Repo, reference: &str, app: &App) -> Result<Answer> {
    let report = runs::code(repo, reference)?;
    if app.ui.json() {
        app.ui.envelope("code", &report).context("cannot write to standard output")?;
        return Ok(Answer::Yes);
    }
    app.ui.raw(&report.patch_bytes).context("cannot write to standard output")?;
    say_code(&report, app);
    Ok(Answer::Yes)
}

fn say_code(report: &CodeReport, app: &App) {
    let CodeReport { run, code, untracked, .. } = report;
    let state = match (&code.patch, code.dirty) {
        (Some(_), _) => "and these changes",
        (None, true) => "with changes that were not kept",
        (None, false) => "without changes",
    };
    app.ui.info(&format!("run {run}: commit {} {state}", code.commit));
    if code.patch_cut {
        app.ui.warn("the changes were too long to be kept whole: this patch has only some of their files");
    }
    for file in untracked {
        let bytes = file.bytes.map_or_else(String::new, units::bytes);
        let hash = file.b3sum.map_or_else(String::new, |hash| hash.short());
        app.ui.info(format!("untracked: {} {bytes} {hash}", file.path).trim_end());
    }
}
