//! Runs as OpenLineage events (<https://openlineage.io>, specification 2-0-2), for catalogues such as Marquez and DataHub.
//!
//! Each run is a START event and, once it has ended, a COMPLETE, FAIL or ABORT event with all it read and made. Equal
//! histories give equal events: identities are derived from those of runs and objects.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::base::hash::hash;
use crate::base::id::{ObjectId, RunId};
use crate::index::{Edge, Index, RunRow, Side};
use crate::ops::context::TOOL_VERSION;
use crate::ops::lineage::facets::{Facets, facet};
use crate::ops::lineage::walk::registered;
use crate::ops::tune::trials::STUDY_TAG;
use crate::record::Record;
use crate::record::run::RunState;
use crate::record::training::TrainingRecord;
use crate::repo::Repo;
use crate::source;

/// The schema that every event follows.
const EVENT_SCHEMA: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";
/// Roles of what only this tool understands.
const LEFT_OUT: [&str; 4] = ["model_record", "study_begun", "rebuilt_record", TrainingRecord::KIND];

/// Which runs, and under which name.
#[derive(Clone, Debug)]
pub struct EventOptions {
    /// The runs.
    pub runs: Vec<RunId>,
    /// Namespace of jobs and things; `mlops://` and the name of the project folder when absent.
    pub namespace: Option<String>,
}

/// Events, oldest run first.
#[derive(Clone, Debug, Serialize)]
pub struct EventsReport {
    /// One entry an event.
    pub events: Vec<Value>,
}

/// The events of runs.
pub fn events(repo: &Repo, options: &EventOptions) -> Result<EventsReport> {
    let index = repo.index()?;
    let rows = options.runs.iter().map(|run| index.run(run)).collect::<Result<Vec<_>>>()?;
    let mut rows: Vec<RunRow> = rows.into_iter().flatten().collect();
    rows.sort_by_key(|row| (row.started, row.run));
    let namespace = options.namespace.clone().unwrap_or_else(|| default_namespace(repo.root()));
    let names = registered(repo)?;
    let events = Events {
        repo_url: repository_url(repo.root()),
        facets: Facets::new(repo, &namespace, &names),
        index: &index,
        namespace: &namespace,
    };
    let all = rows.iter().map(|row| events.of_run(row)).collect::<Result<Vec<_>>>()?;
    Ok(EventsReport { events: all.into_iter().flatten().collect() })
}

/// What all events share.
struct Events<'a> {
    facets: Facets<'a>,
    index: &'a Index,
    namespace: &'a str,
    repo_url: Option<String>,
}

impl Events<'_> {
    fn of_run(&self, row: &RunRow) -> Result<Vec<Value>> {
        let edges: Vec<Edge> = self
            .index
            .edges_of_run(&row.run)?
            .into_iter()
            .filter(|edge| !LEFT_OUT.contains(&edge.role.as_str()))
            .collect();
        let of = |side: Side| edges.iter().filter(move |edge| edge.side == side);
        let read: Vec<Value> = of(Side::Input).map(|edge| self.facets.name(edge)).collect();
        let start = self.event("START", &row.started.to_string(), row, self.run(row, false)?, (read, Vec::new()));
        let (Some(ended), Some(kind)) = (row.ended, end_of(row.state)) else {
            return Ok(vec![start]);
        };
        let inputs = of(Side::Input).map(|edge| self.facets.input(edge)).collect::<Result<Vec<_>>>()?;
        let outputs = of(Side::Output).map(|edge| self.facets.output(edge, &edges)).collect::<Result<Vec<_>>>()?;
        let end = self.event(kind, &ended.to_string(), row, self.run(row, true)?, (inputs, outputs));
        Ok(vec![start, end])
    }

    fn event(&self, kind: &str, time: &str, row: &RunRow, run: Value, things: (Vec<Value>, Vec<Value>)) -> Value {
        json!({
            "eventType": kind, "eventTime": time, "producer": producer(), "schemaURL": EVENT_SCHEMA,
            "run": run, "job": self.job(row), "inputs": things.0, "outputs": things.1,
        })
    }

    fn job(&self, row: &RunRow) -> Value {
        let mut facets = Map::new();
        let kind = json!({ "processingType": "BATCH", "integration": "MLOPS", "jobType": row.kind.to_uppercase() });
        facets.insert("jobType".to_owned(), facet("2-0-3", "JobTypeJobFacet", kind));
        if let (Some(url), Some(code)) = (&self.repo_url, &row.code) {
            let place = json!({ "type": "git", "url": url, "repoUrl": url, "version": code.commit });
            facets.insert("sourceCodeLocation".to_owned(), facet("1-0-1", "SourceCodeLocationJobFacet", place));
        }
        json!({ "namespace": self.namespace, "name": job_name(row), "facets": facets })
    }

    fn run(&self, row: &RunRow, ended: bool) -> Result<Value> {
        let mut facets = Map::new();
        let engine = json!({ "version": row.tool_version, "name": "mlops", "openlineageAdapterVersion": TOOL_VERSION });
        facets.insert("processing_engine".to_owned(), facet("1-1-1", "ProcessingEngineRunFacet", engine));
        if let Some(parent) = self.parent(row)? {
            facets.insert("parent".to_owned(), facet("1-1-0", "ParentRunFacet", parent));
        }
        if let Some(error) = row.error.as_ref().filter(|_| ended) {
            let message = json!({ "message": error, "programmingLanguage": "Rust" });
            facets.insert("errorMessage".to_owned(), facet("1-0-1", "ErrorMessageRunFacet", message));
        }
        let mut own = json!({
            "_producer": producer(), "_schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunFacet",
            "run": row.run, "kind": row.kind, "command": row.command, "code": row.code, "seed": row.seed,
            "host": row.host, "user": row.user,
        });
        if ended {
            own["params"] = json!(row.params);
            own["metrics"] = json!(row.metrics);
            own["tags"] = json!(row.tags);
            own["exitCode"] = json!(row.exit_code);
        }
        facets.insert("mlops_run".to_owned(), own);
        Ok(json!({ "runId": run_uuid(row), "facets": facets }))
    }

    /// The study of a trial.
    fn parent(&self, row: &RunRow) -> Result<Option<Value>> {
        let study = row.tags.get(STUDY_TAG).and_then(|text| text.parse::<RunId>().ok()).filter(|run| *run != row.run);
        let parent = study.map(|run| self.index.run(&run)).transpose()?.flatten();
        Ok(parent.map(|parent| {
            let job = json!({ "namespace": self.namespace, "name": job_name(&parent) });
            json!({ "run": { "runId": run_uuid(&parent) }, "job": job })
        }))
    }
}

/// The event that ends a run in this state.
fn end_of(state: RunState) -> Option<&'static str> {
    match state {
        RunState::Running => None,
        RunState::Finished => Some("COMPLETE"),
        RunState::Failed => Some("FAIL"),
        RunState::Killed => Some("ABORT"),
    }
}

fn job_name(row: &RunRow) -> &str {
    row.stage.as_deref().unwrap_or(&row.kind)
}

/// Who made the events.
pub fn producer() -> String {
    format!("urn:mlops:{TOOL_VERSION}")
}

/// A UUID of version 7 (RFC 9562): the start of the run in milliseconds, then bits of the hash of its id.
fn run_uuid(row: &RunRow) -> String {
    let mut bytes = [0_u8; 16];
    let millis = row.started.as_micros().max(0) as u64 / 1000;
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    bytes[6..].copy_from_slice(&hash(format!("mlops run {}", row.run).as_bytes()).as_bytes()[..10]);
    bytes[6] = bytes[6] & 0x0f | 0x70;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn default_namespace(root: &Path) -> String {
    let name = root.file_name().map_or_else(|| "project".to_owned(), |name| name.to_string_lossy().into_owned());
    format!("mlops://{}", percent(&name))
}

/// `text` as part of a URI: letters, digits and a few marks stay, other bytes become `%20` and the like.
pub fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b':' | b'@' => {
                out.push(char::from(byte));
            }
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Where the code of the project comes from, as a URL without a password; none outside of git or without `origin`.
fn repository_url(root: &Path) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(root).args(["remote", "get-url", "origin"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    web_address(&source::redact(text.trim()))
}

/// `git@host:path` as `https://host/path`; nothing for a folder.
fn web_address(text: &str) -> Option<String> {
    if text.contains("://") {
        return Some(percent(text));
    }
    let (host, path) = text.split_once(':')?;
    let host = host.rsplit('@').next()?;
    (!host.is_empty() && !host.contains('/')).then(|| percent(&format!("https://{host}/{path}")))
}

/// Registered names by object.
pub type Names = BTreeMap<ObjectId, String>;

#[cfg(test)]
mod tests {
    use super::{percent, web_address};

    #[test]
    fn addresses_are_uris() {
        assert_eq!(percent("a b/ü%"), "a%20b/%C3%BC%25");
        assert_eq!(web_address("git@example.org:team/code.git").as_deref(), Some("https://example.org/team/code.git"));
        assert_eq!(web_address("ssh://git@example.org/x").as_deref(), Some("ssh://git@example.org/x"));
        assert_eq!(web_address("/srv/code"), None);
    }
}
