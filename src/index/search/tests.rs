//! What conditions and orders find, among runs made up here.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::base::clock::Timestamp;
use crate::base::hash::hash;
use crate::base::host::Usage;
use crate::base::id::RunId;
use crate::index::Index;
use crate::index::search::RunSearch;
use crate::index::source::{OpenLines, OpenRun, Prefix, SealedRun, SealedTail, Source};
use crate::record::run::{CodeState, Link, MetricPoint, RunRecord, RunStart, RunState};
use crate::spec::query::{parse, parse_sort};

struct Made(Vec<RunRecord>);

impl Source for Made {
    fn open_runs(&self) -> Result<Vec<OpenRun>> {
        Ok(Vec::new())
    }

    fn lines(&self, _run: &RunId, _offset: u64) -> Result<Option<OpenLines>> {
        bail!("there are no open runs")
    }

    fn sealed(&self, known: &Prefix, _most: usize) -> Result<SealedTail> {
        let all = Prefix { length: 1, hash: hash(b"all") };
        let time = Timestamp::from_micros(0);
        let sealed = |run: &RunRecord| SealedRun { run: run.start.id, record: hash(&[run.start.seed as u8]), time };
        let runs = if known.length == 0 { self.0.iter().map(sealed).collect() } else { Vec::new() };
        Ok(SealedTail::New { runs, prefix: all })
    }

    fn records(&self, runs: &[SealedRun]) -> Vec<Result<RunRecord>> {
        let find = |run: &SealedRun| self.0.iter().find(|record| record.start.id == run.run).cloned();
        runs.iter().map(|run| Ok(find(run).expect("a run of the list"))).collect()
    }
}

/// Runs 1 to 6; 6 is of kind `tune` and has nothing.
fn made() -> Made {
    let run = |number: u64| {
        let started = Timestamp::from_micros(1_790_000_000_000_000 + number as i64 * 3_600_000_000);
        let text = |name: &str, value: Value| (name.to_owned(), value);
        let trees = if number == 4 { json!("100") } else { json!(number * 40) };
        let full = number < 6;
        let params = [text("trees", trees), text("model", json!(["boost", "forest"][number as usize % 2]))];
        let points = [("f1", number as f64 / 10.0), ("log loss", 1.0 / number as f64), ("tied", 1.0)];
        let point = |(name, value): (&str, f64)| MetricPoint { name: name.to_owned(), step: 0, value };
        let kind = if full { "train" } else { "tune" };
        RunRecord {
            start: RunStart {
                id: RunId::new((number << 60).to_be_bytes()),
                kind: kind.to_owned(),
                stage: (number == 2).then(|| "fit".to_owned()),
                stage_key: None,
                started,
                command: vec!["mlops".to_owned(), kind.to_owned()],
                code: full.then(|| CodeState {
                    commit: format!("{number}abcdef"),
                    dirty: number == 3,
                    ..CodeState::default()
                }),
                seed: if number == 5 { u64::MAX } else { number },
                tool_version: "1".to_owned(),
                host: "h".to_owned(),
                user: "ann".to_owned(),
            },
            state: if number == 1 { RunState::Failed } else { RunState::Finished },
            ended: started,
            wall_seconds: number as f64,
            usage: Usage::default(),
            params: if full { params.into() } else { BTreeMap::new() },
            metrics: if full { points.into_iter().map(point).collect() } else { Vec::new() },
            tags: if full { [("team".to_owned(), format!("Team {}", number % 2))].into() } else { BTreeMap::new() },
            inputs: vec![Link { role: "dataset".to_owned(), name: format!("d@v{}", number % 2 + 1), id: hash(b"d") }],
            outputs: Vec::new(),
            output_text: None,
            exit_code: Some(i32::from(number == 1)),
            error: (number == 1).then(|| "Out of memory".to_owned()),
        }
    };
    Made((1..=6).map(run).collect())
}

fn index() -> Index {
    let mut index = Index::in_memory().expect("memory");
    index.catch_up(&made()).expect("six runs");
    index
}

fn found(index: &Index, search: &RunSearch) -> Result<(Vec<u64>, u64)> {
    let found = index.search(search, &[])?;
    let number = |run: &RunId| u64::from_str_radix(&run.hex()[..1], 16).expect("a digit");
    Ok((found.runs.iter().map(|row| number(&row.run)).collect(), found.matched))
}

#[track_caller]
fn check(index: &Index, condition: &str, wanted: &[u64]) {
    let now = Timestamp::from_micros(1_790_021_600_000_000);
    let condition = Some(parse(condition, now).unwrap_or_else(|error| panic!("{condition}: {}", error.what)));
    let search = RunSearch { condition: condition.clone(), ..RunSearch::default() };
    let (mut runs, matched) = found(index, &search).unwrap_or_else(|error| panic!("{condition:?}: {error:#}"));
    runs.sort_unstable();
    assert_eq!((runs.as_slice(), matched), (wanted, wanted.len() as u64), "{condition:?}");
}

#[test]
fn conditions_find_runs() {
    let index = index();
    let check = |condition: &str, wanted: &[u64]| check(&index, condition, wanted);
    check("metrics.f1 > 0.3", &[4, 5]);
    check("metrics.f1 >= 0.3 and metrics.f1 != 0.4", &[3, 5]);
    check("metrics.f1 > 0.4 or params.trees <= 40 or tags.team = 'Team 9'", &[1, 5]);
    check("not metrics.f1 > 0.3", &[1, 2, 3]);
    check("metrics.f1 is null", &[6]);
    check("metrics.f1 is not null and metrics.`log loss` < 0.5", &[3, 4, 5]);
    check("not (metrics.f1 is null or metrics.f1 between 0.2 and 0.4)", &[1, 5]);
    check("params.trees >= 100", &[3, 4, 5]);
    check("params.trees = 100", &[4]);
    check("params.trees = '100' or params.trees = '80'", &[2, 4]);
    check("params.trees in (40, '80')", &[1, 2]);
    check("params.trees not in (40, '80')", &[3, 4, 5]);
    check("params.model like 'f%'", &[1, 3, 5]);
    check("params.model not like 'f%'", &[2, 4]);
    check("tags.team ilike 'team 0' or tags.team like 'team 1'", &[2, 4]);
    check("kind = 'tune' or stage = 'fit'", &[2, 6]);
    check("stage is null and kind != 'tune'", &[1, 3, 4, 5]);
    check("state in ('failed', 'killed')", &[1]);
    check("attributes.status != 'FINISHED' and exit_code > 0", &[1]);
    check("error ilike '%MEMORY%'", &[1]);
    check("error is null", &[2, 3, 4, 5, 6]);
    check("seconds > 4s", &[5, 6]);
    check("seconds between 2 and 3.5", &[2, 3]);
    check("seed = 3 or seed > 1e19", &[3, 5]);
    check("dirty = true", &[3]);
    check("dirty != true", &[1, 2, 4, 5]);
    check("commit = '4abc' or run = '5000'", &[4, 5]);
    check("run = '5'", &[]);
    check("dataset = 'd'", &[1, 2, 3, 4, 5, 6]);
    check("dataset = 'd@v1'", &[2, 4, 6]);
    check("dataset != 'd@v1' and not dataset like '%v1'", &[1, 3, 5]);
    check(&format!("dataset = '{}'", &hash(b"d").hex()[..8]), &[1, 2, 3, 4, 5, 6]);
    check("model is null and dataset is not null and user = 'ann' and host like '_'", &[1, 2, 3, 4, 5, 6]);
    check("command like 'mlops%tune'", &[6]);
    check("command = 'mlops train'", &[1, 2, 3, 4, 5]);
    check("started >= 2h", &[4, 5, 6]);
    check("started < '2026-09-21T14:40:00Z'", &[]);
    check("memory = 0 and cpu_seconds < 1ms", &[1, 2, 3, 4, 5, 6]);
}

#[test]
fn orders_settle_ties_by_the_newest_start() -> Result<()> {
    let index = index();
    let check = |sort: &str, offset: usize, limit: Option<usize>, wanted: &[u64]| -> Result<()> {
        let search = RunSearch { sort: parse_sort(sort)?, offset, limit, condition: None };
        assert_eq!(found(&index, &search)?, (wanted.to_vec(), 6), "{sort}");
        Ok(())
    };
    check("", 0, None, &[6, 5, 4, 3, 2, 1])?;
    check("", 1, Some(2), &[5, 4])?;
    check("", 9, None, &[])?;
    check("f1", 0, None, &[5, 4, 3, 2, 1, 6])?;
    check("-f1", 0, Some(3), &[1, 2, 3])?;
    check("metrics.f1 asc", 4, None, &[5, 6])?;
    check("tied", 0, Some(2), &[5, 4])?;
    check("tied, metrics.`log loss` desc", 0, None, &[1, 2, 3, 4, 5, 6])?;
    check("params.trees", 0, None, &[1, 2, 4, 3, 5, 6])?;
    check("params.model desc, params.trees desc", 0, None, &[5, 3, 1, 4, 2, 6])?;
    check("kind desc, seconds", 0, Some(3), &[6, 5, 4])?;
    check("started asc", 0, Some(2), &[1, 2])?;
    check("seed", 0, Some(2), &[5, 6])?;
    check("f1", 0, Some(0), &[])
}

#[test]
fn names_that_no_run_has_are_refused_with_the_nearest() {
    let index = index();
    let refused = |condition: &str, what: &str, hint: &str| {
        let now = Timestamp::from_micros(0);
        let search = RunSearch { condition: Some(parse(condition, now).expect("it reads")), ..RunSearch::default() };
        let error = found(&index, &search).expect_err(condition);
        let failure = crate::base::fail::find(&error).expect("a failure");
        assert_eq!((failure.what.as_str(), failure.hint.as_deref()), (what, Some(hint)));
    };
    refused("metrics.f2 > 1", "no run has a metric `f2`", "known: f1, log loss, tied");
    refused("params.tree = 1", "no run has a parameter `tree`", "did you mean `trees`?");
    refused("not tags.teams is null", "no run has a tag `teams`", "did you mean `team`?");
    refused("kind = 'trian'", "unknown kind of run `trian`", "did you mean `train`?");
    let none = Index::in_memory().expect("memory");
    let search = RunSearch {
        condition: Some(parse("metrics.f1 > 1", Timestamp::from_micros(0)).expect("it reads")),
        ..RunSearch::default()
    };
    assert_eq!(none.search(&search, &[]).expect("nothing is there to know names from").matched, 0);
}

#[test]
fn many_runs_are_filled_in_as_few_are() -> Result<()> {
    let index = index();
    let keys = [6, 2, 1];
    let few = index.rows_of(&keys)?;
    let mut many: Vec<_> = few.clone();
    for row in &mut many {
        (row.params, row.metrics, row.tags) = Default::default();
    }
    crate::index::bulk::fill(&index.connection, &keys, &mut many)?;
    assert_eq!(many, few);
    Ok(())
}
