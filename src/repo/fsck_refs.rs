//! The part of `fsck` that looks at refs and at the audit log.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;

use crate::base::fs;
use crate::repo::Repo;
use crate::repo::audit;
use crate::repo::fsck::FsckFinding;
use crate::repo::intent::{FILE_BYTES_MAX, is_pending};
use crate::repo::layout::{self, RefKind};
use crate::repo::lines as ref_lines;
use crate::repo::marks::VersionMark;
use crate::repo::refs::AliasMove;

const RESTORE: &str = "restore the file from a copy of the repository or pull it; the audit log says what was in it";

/// Checks every line of refs; also says whether all of them could be read.
pub fn lines(repo: &Repo) -> Result<(Vec<FsckFinding>, bool)> {
    let mut findings = Vec::new();
    let mut readable = true;
    let mut unreadable = |file: String, error: anyhow::Error| {
        readable = false;
        FsckFinding::new("bad_ref", file, error, RESTORE)
    };
    for name in repo.datasets()? {
        let file = RefKind::Dataset.file(&name);
        match repo.dataset_versions(&name) {
            Ok(versions) => findings.extend(numbering(&file, versions.iter().map(|version| version.version))),
            Err(error) => findings.push(unreadable(file, error)),
        }
    }
    for name in repo.models()? {
        let file = RefKind::Model.file(&name);
        match repo.model_versions(&name) {
            Ok(versions) => findings.extend(numbering(&file, versions.iter().map(|version| version.version))),
            Err(error) => findings.push(unreadable(file, error)),
        }
    }
    for name in ref_lines::all_names(repo.layout(), RefKind::Alias)? {
        match repo.alias_moves(&name) {
            Ok(moves) => findings.extend(aliases(repo, &name, &moves)),
            Err(error) => findings.push(unreadable(RefKind::Alias.file(&name), error)),
        }
    }
    for name in ref_lines::all_names(repo.layout(), RefKind::Mark)? {
        match repo.marks(&name) {
            Ok(marks) => findings.extend(marked(repo, &name, &marks)),
            Err(error) => findings.push(unreadable(RefKind::Mark.file(&name), error)),
        }
    }
    if let Err(error) = repo.runs() {
        findings.push(unreadable(layout::RUNS.to_owned(), error));
    }
    findings.extend(torn(repo)?);
    Ok((findings, readable))
}

/// Versions count from 1 without gaps.
fn numbering(file: &str, numbers: impl Iterator<Item = u32>) -> Option<FsckFinding> {
    let wrong = numbers.zip(1..).find(|(number, expected)| number != expected);
    wrong.map(|(number, expected)| {
        FsckFinding::new("bad_ref", file, format!("it has version {number} where {expected} should be"), RESTORE)
    })
}

fn aliases(repo: &Repo, model: &str, moves: &[AliasMove]) -> Vec<FsckFinding> {
    let versions = repo.model_versions(model).unwrap_or_default();
    let missing = |number: &u32| !versions.iter().any(|version| version.version == *number);
    let dangling = ref_lines::current(moves).into_iter().filter(|(_, number)| missing(number));
    let finding = |(alias, number): (String, u32)| {
        let what = format!("it points at v{number}, which does not exist");
        FsckFinding::new(
            "dangling_ref",
            format!("{model}@{alias}"),
            what,
            format!("move it: `mlops promote {model}@vN {alias}`"),
        )
    };
    dangling.map(finding).collect()
}

/// Marks on versions that are not there.
fn marked(repo: &Repo, model: &str, marks: &[VersionMark]) -> Vec<FsckFinding> {
    let versions = repo.model_versions(model).unwrap_or_default();
    let missing: BTreeSet<u32> = marks
        .iter()
        .map(|mark| mark.version)
        .filter(|number| !versions.iter().any(|version| version.version == *number))
        .collect();
    let finding = |number| {
        let what = format!("something is said of v{number}, which does not exist");
        FsckFinding::new("dangling_ref", RefKind::Mark.file(model), what, RESTORE)
    };
    missing.into_iter().map(finding).collect()
}

/// Files that end within a line: readers ignore such an end, writers refuse to go on.
fn torn(repo: &Repo) -> Result<Vec<FsckFinding>> {
    let mut files: Vec<String> = vec![layout::AUDIT.to_owned(), layout::RUNS.to_owned()];
    for kind in [RefKind::Dataset, RefKind::Model, RefKind::Alias, RefKind::Mark] {
        files.extend(ref_lines::all_names(repo.layout(), kind)?.iter().map(|name| kind.file(name)));
    }
    let mut findings = Vec::new();
    for file in files.into_iter().filter(|_| !is_pending(repo.layout())) {
        if ends_within_a_line(&repo.layout().inside(&file))? {
            let fix = "remove the unfinished last line, or restore the file from a copy";
            findings.push(FsckFinding::new("bad_ref", file, "its last line has no end", fix));
        }
    }
    Ok(findings)
}

fn ends_within_a_line(path: &Path) -> Result<bool> {
    let bytes = fs::read_optional(path, FILE_BYTES_MAX)?.unwrap_or_default();
    Ok(bytes.last().is_some_and(|last| *last != b'\n'))
}

/// Checks the chain, and that refs and the audit log tell the same story.
pub fn audit(repo: &Repo, refs_readable: bool) -> Result<Vec<FsckFinding>> {
    let entries = match repo.audit() {
        Ok(entries) => entries,
        Err(error) => return Ok(vec![FsckFinding::new("audit_chain", layout::AUDIT, error, RESTORE)]),
    };
    let broken = audit::breaks(&entries).into_iter().map(|(line, what)| {
        let subject = format!("{} line {line}", layout::AUDIT);
        FsckFinding::new("audit_chain", subject, what, "somebody changed history: compare with a copy of the file")
    });
    let mut findings: Vec<FsckFinding> = broken.collect();
    if !refs_readable {
        return Ok(findings);
    }
    // How often refs tell each change, less how often the audit log does.
    let mut balance = told_by_refs(repo)?;
    for entry in entries.into_iter().filter(|entry| entry.action != "gc") {
        *balance.entry((entry.subject, entry.to.unwrap_or_default())).or_default() -= 1;
    }
    for ((subject, to), count) in balance {
        if count > 0 {
            let what = format!("it was set to `{to}`, and the audit log does not say so");
            let fix = "somebody changed refs or the audit log by hand: compare with a copy";
            findings.push(FsckFinding::new("unaudited_ref", subject, what, fix));
        } else if count < 0 {
            let what = format!("the audit log says that it was set to `{to}`, and refs do not have it");
            findings.push(FsckFinding::new("lost_ref", subject, what, RESTORE));
        }
    }
    Ok(findings)
}

/// Every change that refs tell, as (subject, state after), the way the audit log writes it.
fn told_by_refs(repo: &Repo) -> Result<BTreeMap<(String, String), i64>> {
    let mut told = Vec::new();
    for name in repo.datasets()? {
        let versions = repo.dataset_versions(&name)?;
        told.extend(versions.iter().map(|version| (format!("{name}@v{}", version.version), version.id.hex())));
    }
    for name in repo.models()? {
        let versions = repo.model_versions(&name)?;
        told.extend(versions.iter().map(|version| (format!("{name}@v{}", version.version), version.package.hex())));
    }
    for name in ref_lines::all_names(repo.layout(), RefKind::Alias)? {
        let shown = |step: &AliasMove| step.to.map(|version| format!("v{version}")).unwrap_or_default();
        let moves = repo.alias_moves(&name)?;
        told.extend(moves.iter().map(|step| (format!("{name}@{}", step.alias), shown(step))));
    }
    for name in ref_lines::all_names(repo.layout(), RefKind::Mark)? {
        let said = |mark: &VersionMark| (format!("{name}@v{}", mark.version), mark.fact.ends().1.unwrap_or_default());
        told.extend(repo.marks(&name)?.iter().map(said));
    }
    told.extend(repo.runs()?.iter().map(|line| (format!("run:{}", line.run), line.record.hex())));
    let mut counts = BTreeMap::new();
    for (subject, to) in told {
        *counts.entry((subject, to)).or_default() += 1;
    }
    Ok(counts)
}
