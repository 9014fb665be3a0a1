//! Tests of the index on a truth made up here.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Result, bail};
use rusqlite::Connection;

use crate::base::clock::Timestamp;
use crate::base::hash::hash;
use crate::base::host::Usage;
use crate::base::id::{ObjectId, RunId};
use crate::index::source::{OpenLines, OpenRun, Prefix, SealedRun, SealedTail, Source};
use crate::index::{Index, RunFilter, schema};
use crate::record::remote::{Remembered, Validators};
use crate::record::run::{MetricPoint, RunRecord, RunStart, RunState};

/// A list of runs `0..count`, each of 32 bytes, whose records are computed; counts how many were asked for.
#[derive(Default)]
struct Made {
    count: u64,
    /// Part of the bytes of the list: another one is another list.
    salt: u8,
    asked: AtomicUsize,
}

impl Made {
    fn of(count: u64) -> Made {
        Made { count, ..Made::default() }
    }

    fn bytes(&self, count: u64) -> Vec<u8> {
        vec![self.salt; count as usize * 32]
    }
}

fn run_id(number: u64) -> RunId {
    RunId::new(number.to_be_bytes())
}

fn record(number: u64) -> RunRecord {
    let started = Timestamp::from_micros(number as i64);
    let point =
        |metric: u64| MetricPoint { name: format!("metric {metric}"), step: 0, value: (number * metric) as f64 };
    RunRecord {
        start: RunStart {
            id: run_id(number),
            kind: "train".to_owned(),
            stage: None,
            stage_key: Some(hash(&[(number % 2) as u8])),
            started,
            command: Vec::new(),
            code: None,
            seed: number,
            tool_version: "1".to_owned(),
            host: "h".to_owned(),
            user: "u".to_owned(),
        },
        state: RunState::Finished,
        ended: started,
        wall_seconds: 0.0,
        usage: Usage::default(),
        params: BTreeMap::new(),
        metrics: (0..3).map(point).collect(),
        tags: BTreeMap::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        output_text: None,
        exit_code: None,
        error: None,
    }
}

impl Source for Made {
    fn open_runs(&self) -> Result<Vec<OpenRun>> {
        Ok(Vec::new())
    }

    fn lines(&self, _run: &RunId, _offset: u64) -> Result<Option<OpenLines>> {
        bail!("there are no open runs")
    }

    fn sealed(&self, known: &Prefix, most: usize) -> Result<SealedTail> {
        let first = known.length / 32;
        if first > self.count || hash(&self.bytes(first)) != known.hash {
            return Ok(SealedTail::Changed);
        }
        let end = self.count.min(first + most as u64);
        let time = Timestamp::from_micros(0);
        let runs =
            (first..end).map(|number| SealedRun { run: run_id(number), record: hash(&number.to_be_bytes()), time });
        let prefix = Prefix { length: end * 32, hash: hash(&self.bytes(end)) };
        Ok(SealedTail::New { runs: runs.collect(), prefix })
    }

    fn records(&self, runs: &[SealedRun]) -> Vec<Result<RunRecord>> {
        self.asked.fetch_add(runs.len(), Ordering::Relaxed);
        let number = |run: &SealedRun| u64::from_str_radix(&run.run.hex(), 16);
        runs.iter().map(|run| Ok(record(number(run)?))).collect()
    }
}

#[test]
fn only_what_is_new_is_read() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("index.sqlite");
    let source = Made::of(2_500);
    let mut index = Index::open(&path)?;
    index.catch_up(&source)?;
    assert_eq!((index.runs(&RunFilter::default())?.len(), source.asked.load(Ordering::Relaxed)), (2_500, 2_500));
    drop(index);
    let source = Made::of(2_503);
    let mut index = Index::open(&path)?;
    index.catch_up(&source)?;
    index.catch_up(&source)?;
    assert_eq!((index.runs(&RunFilter::default())?.len(), source.asked.load(Ordering::Relaxed)), (2_503, 3));
    let newest = index.newest_run()?;
    assert_eq!(newest, Some(run_id(2_502)));
    let mut fresh = Index::in_memory()?;
    fresh.catch_up(&source)?;
    assert_eq!(fresh.dump()?, index.dump()?);
    let even = index.runs_of_stage_key(&hash(&[0]))?;
    assert_eq!((even.len(), even[0].run), (1_252, run_id(2_502)));
    assert!(index.notes().is_empty());
    Ok(())
}

#[test]
fn another_list_of_runs_means_starting_again() -> Result<()> {
    let mut index = Index::in_memory()?;
    index.catch_up(&Made::of(10))?;
    index.catch_up(&Made { count: 4, salt: 1, ..Made::default() })?;
    assert_eq!(index.runs(&RunFilter::default())?.len(), 4);
    assert!(index.notes()[0].contains("built again"), "{:?}", index.notes());
    Ok(())
}

#[test]
fn a_file_of_another_version_is_built_again() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("index.sqlite");
    for version in [schema::VERSION + 1, 0] {
        let mut index = Index::open(&path)?;
        index.catch_up(&Made::of(10))?;
        drop(index);
        let other = Connection::open(&path)?;
        other.execute_batch("CREATE TABLE \"of the \"\"future\" (x); DROP TABLE metric;")?;
        other.pragma_update(None, "user_version", version)?;
        drop(other);
        let mut index = Index::open(&path)?;
        assert!(index.notes()[0].contains(&format!("version {version}")), "{:?}", index.notes());
        index.catch_up(&Made::of(10))?;
        assert_eq!(index.runs(&RunFilter::default())?.len(), 10);
    }
    assert!(Index::open(&path)?.notes().is_empty());
    Ok(())
}

#[test]
fn eight_readers_of_a_new_file_all_see_everything() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("index.sqlite");
    thread::scope(|scope| {
        let readers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    let mut index = Index::open(&path)?;
                    index.catch_up(&Made::of(1_500))?;
                    assert_eq!(index.runs(&RunFilter::default())?.len(), 1_500);
                    assert!(index.notes().is_empty(), "{:?}", index.notes());
                    Ok(())
                })
            })
            .collect();
        readers.into_iter().try_for_each(|reader| reader.join().expect("no reader panics"))
    })
}

#[test]
fn a_file_stamp_counts_only_when_it_can_be_trusted() -> Result<()> {
    let index = Index::in_memory()?;
    let (object, second) = (hash(b"x"), 1_000_000_000);
    let put = |mtime: i64, ctime: i64, now: i64| index.stat_put("a", (3, mtime, ctime, 7), object, now);
    let get = |mtime: i64, ctime: i64| -> Result<Option<ObjectId>> { index.stat_get("a", 3, mtime, ctime, 7) };
    put(second, second, second + 10_000_001)?;
    assert_eq!(get(second, second)?, Some(object));
    assert_eq!(index.stat_get("a", 4, second, second, 7)?, None, "another length");
    assert_eq!(index.stat_get("a", 3, second, second, 8)?, None, "another file");
    assert_eq!(index.stat_get("b", 3, second, second, 7)?, None, "another path");
    assert_eq!(get(second + 1, second)?, None, "changed");
    assert_eq!(get(second, second + 1)?, None, "changed, and its time set back");
    put(second, second, second + 10_000_000)?;
    assert_eq!(get(second, second)?, None, "hashed within a tick of its change");
    put(0, second, second + 5)?;
    assert_eq!(get(0, second)?, None, "its attributes changed within a tick");
    Ok(())
}

#[test]
fn a_download_is_remembered_until_it_is_fetched_again() -> Result<()> {
    let index = Index::in_memory()?;
    let said = |etag: Option<&str>| Validators {
        name: "trips.csv".to_owned(),
        etag: etag.map(str::to_owned),
        last_modified: Some("Wed, 21 Oct 2015 07:28:00 GMT".to_owned()),
        bytes: 5_000_000_000,
    };
    let first = Remembered { validators: said(Some("\"a\"")), raw: hash(b"a") };
    index.remember_remote("https://example.org/trips.csv", &first)?;
    assert_eq!(index.remembered_remote("https://example.org/trips.csv")?, Some(first));
    assert_eq!(index.remembered_remote("https://example.org/other.csv")?, None);
    let second = Remembered { validators: said(None), raw: hash(b"b") };
    index.remember_remote("https://example.org/trips.csv", &second)?;
    assert_eq!(index.remembered_remote("https://example.org/trips.csv")?, Some(second));
    Ok(())
}
