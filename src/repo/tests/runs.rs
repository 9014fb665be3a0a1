//! Open runs, their end, and their death.

use std::fs::OpenOptions;
use std::io::Write;
use std::thread;

use anyhow::Result;

use crate::base::hash::hash;
use crate::index::RunFilter;
use crate::record::run::{MetricPoint, RunRecord, RunState, TRIAL};
use crate::repo::Repo;
use crate::repo::journal::{self, JournalLine, MANUAL, RunJournal, append_to_run, journal_state, start_manual};
use crate::repo::journals;
use crate::repo::killed::seal_dead_runs;
use crate::repo::refs::{Committed, RefMove};
use crate::repo::seal::RunContent;
use crate::repo::tests::{
    actor, at, check_clean, fresh, link, model_move, point, put_dataset, put_model, run_end, run_id, run_start,
};

fn metric(name: &str, step: i64, value: f64) -> JournalLine {
    JournalLine::Metric(point(name, step, value))
}

#[test]
fn a_run_is_sealed_with_everything_said_of_it() -> Result<()> {
    let (_folder, repo) = fresh()?;
    let dataset = put_dataset(&repo, "a")?;
    let (package, model) = put_model(&repo, "one")?;
    let mut open = RunJournal::start(&repo, &run_start(1, "train"))?;
    assert_eq!(journal_state(&repo, &open.id())?, Some(RunState::Running));
    open.points(&[point("loss", 0, 1.0), point("loss", 1, 0.1)])?;
    open.param("trees", serde_json::json!(10))?;
    open.param("trees", serde_json::json!(20))?;
    open.tag("who", "me")?;
    open.input(link("dataset", "d", dataset))?;
    open.input(link("dataset", "d", dataset))?;
    open.output(link("model", "tree", package))?;
    let note = repo.store().put(b"a note")?.id;
    append_to_run(&repo, open.id(), &[metric("loss", 2, 0.05), JournalLine::Artifact(link("x", "note.txt", note))])?;
    let id = open.id();
    let extra = vec![RefMove::Dataset { name: "d".to_owned(), id: dataset }, model_move("m", package, model)];
    let (record, committed) = open.seal(run_end(9), extra, &actor(), at(9))?;
    let expected =
        [Committed::Dataset { version: 1, new: true }, Committed::Model { version: 1, new: true }, Committed::Run];
    assert_eq!(committed, expected);
    assert_eq!(record.metrics, [point("loss", 0, 1.0), point("loss", 1, 0.1), point("loss", 2, 0.05)]);
    assert_eq!(record.params["trees"], 20);
    assert_eq!(record.inputs.len(), 1);
    assert_eq!(record.outputs, [link("model", "tree", package), link("artifact", "note.txt", note)]);
    let sealed = repo.runs()?;
    assert_eq!(sealed.len(), 1);
    assert_eq!(repo.record::<RunRecord>(&sealed[0].record)?, record);
    assert_eq!(journal_state(&repo, &id)?, None);
    let error = append_to_run(&repo, id, &[metric("loss", 3, 0.0)]).expect_err("it has ended");
    assert!(error.to_string().contains("has ended"), "{error}");
    let error = append_to_run(&repo, run_id(77), &[metric("loss", 3, 0.0)]).expect_err("it never was");
    assert!(error.to_string().contains("no open run"), "{error}");
    check_clean(&repo)
}

#[test]
fn a_run_whose_extra_moves_fail_changes_nothing_and_counts_as_killed() -> Result<()> {
    let (_folder, repo) = fresh()?;
    let mut open = RunJournal::start(&repo, &run_start(1, "train"))?;
    open.points(&[point("loss", 0, 1.0)])?;
    let bad = RefMove::Dataset { name: "d".to_owned(), id: hash(b"not there") };
    assert!(open.seal(run_end(9), vec![bad], &actor(), at(9)).is_err());
    assert!(repo.datasets()?.is_empty() && repo.runs()?.is_empty());
    assert_eq!(journal_state(&repo, &run_id(1))?, Some(RunState::Killed));
    assert_eq!(seal_dead_runs(&repo, &actor(), at(10))?, [run_id(1)]);
    check_clean(&repo)
}

#[test]
fn a_dead_run_is_sealed_as_killed_once() -> Result<()> {
    let (folder, repo) = fresh()?;
    let mut dead = RunJournal::start(&repo, &run_start(1, "train"))?;
    let kept = repo.store().put(b"kept")?.id;
    repo.store().sync()?;
    dead.points(&[point("loss", 0, 1.0)])?;
    dead.output(link("output", "kept", kept))?;
    dead.output(link("output", "lost", hash(b"never made durable")))?;
    let alive = RunJournal::start(&repo, &run_start(2, "train"))?;
    start_manual(&repo, &run_start(3, MANUAL))?;
    assert!(seal_dead_runs(&repo, &actor(), at(5))?.is_empty(), "all of them live");
    drop(dead);
    assert_eq!(journal_state(&repo, &run_id(1))?, Some(RunState::Killed));
    // Two commands notice at once: exactly one seals.
    let root = folder.path();
    let sealed: Vec<_> = thread::scope(|scope| {
        let one = || scope.spawn(|| seal_dead_runs(&Repo::open(root)?, &actor(), at(6)));
        let both = [one(), one()];
        both.into_iter().map(|side| side.join().expect("no panic")).collect::<Result<Vec<_>>>()
    })?;
    assert_eq!(sealed.concat(), [run_id(1)]);
    assert!(seal_dead_runs(&repo, &actor(), at(7))?.is_empty());
    let record: RunRecord = repo.record(&repo.runs()?[0].record)?;
    assert_eq!((record.state, record.metrics.len(), record.ended), (RunState::Killed, 1, at(6)));
    assert_eq!(record.outputs, [link("output", "kept", kept)]);
    assert_eq!(journal_state(&repo, &alive.id())?, Some(RunState::Running));
    assert_eq!(journal_state(&repo, &run_id(3))?, Some(RunState::Finished));
    check_clean(&repo)
}

/// Runs that ended inside run 1, with what they read.
fn ended(repo: &Repo, numbers: std::ops::Range<u64>) -> Result<Vec<RunRecord>> {
    let dataset = put_dataset(repo, "read by all")?;
    repo.store().sync()?;
    let record = |number: u64| {
        let lines = [JournalLine::Input(link("dataset", "d", dataset)), metric("loss", 0, 1.0 / (number as f64 + 1.0))];
        RunContent::of(lines).into_record(run_start(number, TRIAL), run_end(number as i64))
    };
    Ok(numbers.map(record).collect())
}

#[test]
fn many_runs_are_sealed_in_one_commit() -> Result<()> {
    let (_folder, repo) = fresh()?;
    let records = ended(&repo, 10..310)?;
    repo.seal_ended(&records, &actor(), at(400))?;
    repo.seal_ended(&[], &actor(), at(401))?;
    let sealed = repo.runs()?;
    assert_eq!(sealed.iter().map(|line| line.run).collect::<Vec<_>>(), (10..310).map(run_id).collect::<Vec<_>>());
    assert_eq!(repo.record::<RunRecord>(&sealed[7].record)?, records[7]);
    let index = repo.index()?;
    let trials = RunFilter { kind: Some(TRIAL.to_owned()), ..RunFilter::default() };
    assert_eq!(index.runs(&trials)?.len(), 300);
    assert_eq!(index.newest_run()?, None, "a trial is never the newest run");
    // Nothing of a batch is sealed when one of its runs is sealed already.
    let again = [ended(&repo, 400..402)?, records[..1].to_vec()].concat();
    assert!(repo.seal_ended(&again, &actor(), at(402)).is_err());
    assert_eq!(repo.runs()?.len(), 300);
    check_clean(&repo)
}

#[test]
fn runs_that_ended_inside_a_dead_one_are_sealed_as_they_ended() -> Result<()> {
    let (_folder, repo) = fresh()?;
    let records = ended(&repo, 10..16)?;
    let mut outer = RunJournal::start(&repo, &run_start(1, "tune"))?;
    records.iter().try_for_each(|record| outer.ended(record))?;
    // The first ones had been sealed before the process died.
    repo.seal_ended(&records[..2], &actor(), at(20))?;
    assert!(repo.index()?.run(&run_id(12))?.is_none());
    drop(outer);
    assert_eq!(seal_dead_runs(&repo, &actor(), at(30))?, [run_id(1)]);
    let index = repo.index()?;
    let state = |number| index.run(&run_id(number)).map(|row| row.map(|row| row.state));
    assert_eq!((state(12)?, state(15)?), (Some(RunState::Finished), Some(RunState::Finished)));
    assert_eq!((state(1)?, repo.runs()?.len()), (Some(RunState::Killed), 7));
    let bad = MetricPoint { value: f64::NAN, ..point("loss", 0, 0.0) };
    let mut next = RunJournal::start(&repo, &run_start(2, "tune"))?;
    assert!(next.ended(&RunRecord { metrics: vec![bad], ..records[0].clone() }).is_err());
    // One that ended well leaves out what it did not seal.
    next.ended(&RunRecord { start: run_start(50, TRIAL), ..records[0].clone() })?;
    next.seal(run_end(40), Vec::new(), &actor(), at(40))?;
    assert_eq!(repo.runs()?.len(), 8);
    check_clean(&repo)
}

#[test]
fn dying_while_sealing_ends_in_one_record() -> Result<()> {
    let (_folder, repo) = fresh()?;
    // Died after the journal was set aside: nothing is committed, so the run was killed.
    let open = RunJournal::start(&repo, &run_start(1, "train"))?;
    journals::begin_seal(&journals::open_path(repo.layout(), &run_id(1)))?;
    drop(open);
    assert!(append_to_run(&repo, run_id(1), &[metric("loss", 0, 1.0)]).is_err());
    assert_eq!(seal_dead_runs(&repo, &actor(), at(2))?, [run_id(1)]);
    // Died after the commit: the journal is only left over.
    let open = RunJournal::start(&repo, &run_start(2, "train"))?;
    let copy = std::fs::read(journals::open_path(repo.layout(), &run_id(2)))?;
    open.seal(run_end(3), Vec::new(), &actor(), at(3))?;
    std::fs::write(journals::sealing_path(repo.layout(), &run_id(2)), copy)?;
    assert!(seal_dead_runs(&repo, &actor(), at(4))?.is_empty());
    assert!(journals::all(repo.layout())?.is_empty());
    assert_eq!(repo.runs()?.len(), 2);
    check_clean(&repo)
}

#[test]
fn many_writers_of_one_run_do_not_mix() -> Result<()> {
    let (folder, repo) = fresh()?;
    let run = start_manual(&repo, &run_start(1, MANUAL))?;
    let root = folder.path();
    thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                scope.spawn(move || -> Result<()> {
                    let repo = Repo::open(root)?;
                    (0..50).try_for_each(|step| {
                        append_to_run(&repo, run, &[metric("a", step, f64::from(writer)), metric("b", step, 0.5)])
                    })
                })
            })
            .collect();
        writers.into_iter().try_for_each(|writer| writer.join().expect("no panic"))
    })?;
    let tail = journals::read(&journals::open_path(repo.layout(), &run), 0)?.expect("it is open");
    assert_eq!((tail.lines.len(), tail.damaged), (801, 0));
    let row = repo.index()?.run(&run)?.expect("it is listed");
    assert_eq!((row.state, row.metrics["b"]), (RunState::Finished, 0.5));
    assert_eq!(repo.index()?.history(&run, Some("a"))?.len(), 400);
    check_clean(&repo)
}

#[test]
fn a_torn_line_costs_only_itself() -> Result<()> {
    let (_folder, repo) = fresh()?;
    let run = start_manual(&repo, &run_start(1, MANUAL))?;
    append_to_run(&repo, run, &[metric("a", 0, 1.0)])?;
    let path = journals::open_path(repo.layout(), &run);
    OpenOptions::new().append(true).open(&path)?.write_all(b"{\"metric\":{\"name\":\"a\",\"st")?;
    assert_eq!(repo.index()?.history(&run, None)?, [point("a", 0, 1.0)]);
    append_to_run(&repo, run, &[metric("a", 1, 2.0)])?;
    assert_eq!(repo.index()?.history(&run, None)?, [point("a", 0, 1.0), point("a", 1, 2.0)]);
    let findings = crate::repo::fsck::fsck(&repo)?;
    assert_eq!(findings.iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>(), ["damaged_journal"]);
    Ok(())
}

#[test]
fn what_json_cannot_name_is_refused_at_the_door() -> Result<()> {
    let (_folder, repo) = fresh()?;
    let mut open = RunJournal::start(&repo, &run_start(1, "train"))?;
    for value in [f64::NAN, f64::INFINITY] {
        let error = open.points(&[point("loss", 3, value)]).expect_err("not finite");
        assert!(error.to_string().contains("loss") && error.to_string().contains("step 3"), "{error}");
    }
    assert!(RunJournal::start(&repo, &run_start(1, "train")).is_err(), "the run exists");
    assert!(start_manual(&repo, &run_start(2, "train")).is_err(), "not a manual run");
    let full = OpenOptions::new().write(true).open(journals::open_path(repo.layout(), &run_id(1)))?;
    full.set_len(journal::JOURNAL_BYTES_MAX)?;
    let error = open.points(&[point("loss", 0, 1.0)]).expect_err("more than a journal may have");
    assert!(error.to_string().contains(&journal::JOURNAL_BYTES_MAX.to_string()), "{error}");
    Ok(())
}
