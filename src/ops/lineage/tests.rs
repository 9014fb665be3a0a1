//! Tests of lineages of many runs, made up here.

use std::time::Instant;

use anyhow::Result;
use tempfile::TempDir;

use crate::base::clock::Timestamp;
use crate::base::hash::hash;
use crate::base::host::Usage;
use crate::base::id::{ObjectId, RunId};
use crate::index::Direction;
use crate::ops::lineage::{LineageOptions, LineageReport, lineage};
use crate::record::run::{Link, RunRecord, RunStart, RunState};
use crate::repo::Repo;
use crate::repo::refs::Actor;

/// A repository with runs of these kinds, inputs and outputs; objects are called by letters and numbers.
fn repo(runs: &[(&str, Vec<String>, Vec<String>)]) -> Result<(TempDir, Repo)> {
    let folder = tempfile::tempdir()?;
    let (repo, _) = Repo::init(folder.path())?;
    let link = |name: &String| -> Result<Link> {
        let id = repo.store().put(name.as_bytes())?.id;
        Ok(Link { role: "output".to_owned(), name: name.clone(), id })
    };
    let mut records = Vec::new();
    for (number, (kind, read, made)) in runs.iter().enumerate() {
        let started = Timestamp::from_micros(number as i64);
        let start = RunStart {
            id: RunId::new((number as u64).to_be_bytes()),
            kind: (*kind).to_owned(),
            stage: None,
            stage_key: None,
            started,
            command: Vec::new(),
            code: None,
            seed: 0,
            tool_version: "0".to_owned(),
            host: "h".to_owned(),
            user: "u".to_owned(),
        };
        records.push(RunRecord {
            start,
            state: RunState::Finished,
            ended: started,
            wall_seconds: 0.0,
            usage: Usage::default(),
            params: Default::default(),
            metrics: Vec::new(),
            tags: Default::default(),
            inputs: read.iter().map(link).collect::<Result<_>>()?,
            outputs: made.iter().map(link).collect::<Result<_>>()?,
            output_text: None,
            exit_code: Some(0),
            error: None,
        });
    }
    let actor = Actor { user: "u".to_owned(), host: "h".to_owned(), command: String::new() };
    repo.seal_ended(&records, &actor, Timestamp::from_micros(0))?;
    Ok((folder, repo))
}

fn names(all: &[&str]) -> Vec<String> {
    all.iter().map(|name| (*name).to_owned()).collect()
}

fn of(name: &str) -> ObjectId {
    hash(name.as_bytes())
}

fn follow(
    repo: &Repo,
    name: &str,
    directions: &[Direction],
    change: impl FnOnce(&mut LineageOptions),
) -> Result<LineageReport> {
    let mut options = LineageOptions {
        reference: of(name).hex(),
        directions: directions.to_vec(),
        depth: None,
        nodes_max: 1_000,
        trials: false,
    };
    change(&mut options);
    lineage(repo, &options, std::path::Path::new("/"))
}

fn shown(report: &LineageReport) -> Vec<&str> {
    report.nodes.iter().map(|node| node.name.as_str()).collect()
}

#[test]
fn both_ways_over_any_depth_and_circles_end() -> Result<()> {
    let (_folder, repo) = repo(&[
        ("one", names(&["a"]), names(&["b"])),
        ("two", names(&["b", "x"]), names(&["c"])),
        // What goes round comes back.
        ("three", names(&["c"]), names(&["a", "c"])),
        ("trial", names(&["b"]), Vec::new()),
    ])?;
    let up = follow(&repo, "c", &[Direction::Up], |_| ())?;
    assert_eq!(shown(&up), ["c", "three", "two", "b", "x", "one", "a"]);
    assert!(!up.cut && up.edges.len() == 8, "{up:#?}");
    let down = follow(&repo, "b", &[Direction::Down], |_| ())?;
    assert_eq!((shown(&down), down.trials_left_out), (vec!["b", "two", "c", "three", "a", "one"], 1));
    let trials = follow(&repo, "b", &[Direction::Down], |options| options.trials = true)?;
    assert_eq!(shown(&trials)[1..3], ["trial", "two"]);
    let both = follow(&repo, "b", &[Direction::Up, Direction::Down], |_| ())?;
    assert_eq!((both.direction, both.edges_up < both.edges.len()), ("both", true));
    let near = follow(&repo, "c", &[Direction::Up], |options| options.depth = Some(1))?;
    assert_eq!((shown(&near), near.cut), (vec!["c", "three", "two", "b", "x"], true));
    let few = follow(&repo, "c", &[Direction::Up], |options| options.nodes_max = 3)?;
    assert_eq!((few.nodes.len(), few.cut), (3, true));
    Ok(())
}

#[test]
fn thousands_of_runs_are_followed_fast() -> Result<()> {
    let step =
        |number: usize| ("step", vec![format!("t{number}"), "base".to_owned()], vec![format!("t{}", number + 1)]);
    let (_folder, repo) = repo(&(0..3_000).map(step).collect::<Vec<_>>())?;
    repo.index()?;
    let started = Instant::now();
    let report = follow(&repo, "t3000", &[Direction::Up], |options| options.nodes_max = 100_000)?;
    assert_eq!((report.nodes.len(), report.cut), (6_002, false));
    // 0.2 s where nothing else runs; the bound is for a machine that does much else.
    assert!(started.elapsed().as_secs_f64() < 10.0, "{:?}", started.elapsed());
    let down = follow(&repo, "base", &[Direction::Down], |_| ())?;
    assert_eq!((down.nodes.len(), down.cut), (1_000, true));
    Ok(())
}
