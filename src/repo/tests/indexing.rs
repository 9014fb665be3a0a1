//! The index as derived from a repository.

use std::fs;

use anyhow::Result;

use crate::base::hash::hash;
use crate::index::{Direction, RunFilter, RunSort};
use crate::record::run::RunState;
use crate::repo::Repo;
use crate::repo::journal::{JournalLine, MANUAL, RunJournal, append_to_run, start_manual};
use crate::repo::killed::seal_dead_runs;
use crate::repo::layout;
use crate::repo::tests::{
    actor, at, check_clean, fresh, link, point, put_dataset, put_model, run_id, run_start, sealed_run,
};

fn listing(repo: &Repo) -> Result<String> {
    Ok(serde_json::to_string(&repo.index()?.runs(&RunFilter::default())?)?)
}

fn filled() -> Result<(tempfile::TempDir, Repo)> {
    let (folder, repo) = fresh()?;
    let dataset = put_dataset(&repo, "a")?;
    for number in 1..=5 {
        sealed_run(&repo, number, &[link("dataset", "d", dataset)], &[])?;
    }
    let run = start_manual(&repo, &run_start(6, MANUAL))?;
    append_to_run(&repo, run, &[JournalLine::Metric(point("by hand", 0, 1.0))])?;
    Ok((folder, repo))
}

#[test]
fn without_its_file_every_listing_is_identical() -> Result<()> {
    let (_folder, repo) = filled()?;
    let (before, dump) = (listing(&repo)?, repo.index()?.dump()?);
    assert!(before.contains("by hand"), "{before}");
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(repo.layout().inside(&format!("index.sqlite{suffix}")));
    }
    assert_eq!(listing(&repo)?, before);
    assert_eq!(repo.index()?.dump()?, dump);
    assert!(repo.index()?.notes().is_empty());
    repo.rebuild_index()?;
    assert_eq!(listing(&repo)?, before);
    Ok(())
}

#[test]
fn a_damaged_file_is_built_again_and_said_so() -> Result<()> {
    let (_folder, repo) = filled()?;
    let before = listing(&repo)?;
    let path = repo.layout().index();
    let mut half_bad = fs::read(&path)?;
    half_bad.truncate(4096 + 17);
    for damaged in [b"this is not SQLite at all, whatever its name says".to_vec(), half_bad] {
        fs::write(&path, damaged)?;
        let index = repo.index()?;
        assert!(index.notes().iter().any(|note| note.contains("damaged")), "{:?}", index.notes());
        drop(index);
        assert_eq!(listing(&repo)?, before);
    }
    assert!(repo.index()?.notes().is_empty());
    Ok(())
}

#[test]
fn where_nothing_can_be_written_the_index_is_in_memory() -> Result<()> {
    let (_folder, repo) = filled()?;
    let before = listing(&repo)?;
    let path = repo.layout().index();
    fs::remove_file(&path)?;
    fs::create_dir(&path)?;
    let index = repo.index()?;
    assert!(index.notes()[0].contains("in memory"), "{:?}", index.notes());
    drop(index);
    assert_eq!(listing(&repo)?, before);
    Ok(())
}

#[test]
fn a_list_of_runs_from_a_copy_is_indexed_afresh() -> Result<()> {
    let (_folder, repo) = filled()?;
    listing(&repo)?;
    let path = repo.layout().inside(layout::RUNS);
    let text = fs::read_to_string(&path)?;
    let shorter: String = text.split_inclusive('\n').take(3).collect();
    fs::write(&path, shorter)?;
    let index = repo.index()?;
    assert!(index.notes()[0].contains("built again"), "{:?}", index.notes());
    assert_eq!(index.runs(&RunFilter::default())?.len(), 4);
    Ok(())
}

#[test]
fn an_open_run_is_followed_until_its_end() -> Result<()> {
    let (_folder, repo) = fresh()?;
    let mut open = RunJournal::start(&repo, &run_start(1, "train"))?;
    open.points(&[point("loss", 0, 1.0)])?;
    let row = repo.index()?.run(&run_id(1))?.expect("it is listed");
    assert_eq!((row.state, row.metrics["loss"], row.ended, row.seed), (RunState::Running, 1.0, None, u64::MAX));
    open.points(&[point("loss", 1, 0.5)])?;
    open.tag("a", "b")?;
    let row = repo.index()?.run(&run_id(1))?.expect("it is listed");
    assert_eq!((row.metrics["loss"], row.tags["a"].as_str()), (0.5, "b"));
    drop(open);
    let row = repo.index()?.run(&run_id(1))?.expect("it is listed");
    assert_eq!(row.state, RunState::Killed, "shown as killed before anyone seals it");
    seal_dead_runs(&repo, &actor(), at(50))?;
    let row = repo.index()?.run(&run_id(1))?.expect("it is listed");
    assert_eq!((row.state, row.ended, row.metrics["loss"]), (RunState::Killed, Some(at(50)), 0.5));
    assert_eq!(repo.index()?.history(&run_id(1), Some("loss"))?.len(), 2);
    check_clean(&repo)
}

#[test]
fn a_run_whose_record_is_lost_is_still_listed_and_heals() -> Result<()> {
    let (_folder, repo) = filled()?;
    let whole = listing(&repo)?;
    let record = repo.runs()?[2].record;
    let bytes = repo.store().get(&record, 1 << 20)?;
    repo.store().remove(&record)?;
    repo.rebuild_index()?;
    let row = repo.index()?.run(&run_id(3))?.expect("it is listed");
    assert_eq!(row.state, RunState::Failed);
    assert!(row.error.is_some_and(|error| error.contains("cannot be read")));
    assert_eq!(repo.index()?.runs(&RunFilter::default())?.len(), 6);
    repo.store().put(&bytes)?;
    repo.store().sync()?;
    assert_eq!(listing(&repo)?, whole);
    Ok(())
}

#[test]
fn lineage_is_followed_both_ways() -> Result<()> {
    let (_folder, repo) = fresh()?;
    let raw = repo.store().put(b"a")?.id;
    let dataset = put_dataset(&repo, "a")?;
    let (package, _) = put_model(&repo, "one")?;
    sealed_run(&repo, 1, &[link("raw", "d.csv", raw)], &[link("dataset", "d", dataset)])?;
    sealed_run(&repo, 2, &[link("dataset", "d", dataset)], &[link("model", "tree", package)])?;
    let index = repo.index()?;
    let runs = |edges: Vec<crate::index::Edge>| {
        let mut runs: Vec<_> = edges.into_iter().map(|edge| (edge.run, edge.object)).collect();
        runs.dedup();
        runs
    };
    let up = runs(index.lineage(&package, Direction::Up)?);
    assert_eq!(up, [(run_id(2), package), (run_id(2), dataset), (run_id(1), dataset), (run_id(1), raw)]);
    let down = runs(index.lineage(&raw, Direction::Down)?);
    assert_eq!(down, [(run_id(1), raw), (run_id(1), dataset), (run_id(2), dataset), (run_id(2), package)]);
    assert!(index.lineage(&hash(b"unknown"), Direction::Up)?.is_empty());
    assert_eq!(index.objects_with_prefix(&raw.hex()[..7])?, [raw]);
    assert_eq!(index.runs_with_prefix("0000")?.len(), 2);
    Ok(())
}

#[test]
fn listings_filter_sort_and_stop() -> Result<()> {
    let (_folder, repo) = filled()?;
    let index = repo.index()?;
    let ids = |filter: &RunFilter| -> Result<Vec<u64>> {
        let rows = index.runs(filter)?;
        rows.iter().map(|row| Ok(u64::from_str_radix(&row.run.hex(), 16)?)).collect()
    };
    assert_eq!(ids(&RunFilter::default())?, [6, 5, 4, 3, 2, 1]);
    let kind = |kind: &str| RunFilter { kind: Some(kind.to_owned()), ..RunFilter::default() };
    assert_eq!(ids(&kind("manual"))?, [6]);
    assert_eq!(ids(&RunFilter { limit: Some(2), ..kind("train") })?, [5, 4]);
    assert_eq!(ids(&RunFilter { state: Some(RunState::Running), ..RunFilter::default() })?, [] as [u64; 0]);
    let by = |name: &str, descending| RunSort::Metric { name: name.to_owned(), descending };
    assert_eq!(ids(&RunFilter { sort: by("accuracy", false), ..RunFilter::default() })?, [1, 2, 3, 4, 5, 6]);
    assert_eq!(ids(&RunFilter { sort: by("accuracy", true), ..RunFilter::default() })?, [5, 4, 3, 2, 1, 6]);
    let error = index.runs(&RunFilter { sort: by("acuracy", true), ..RunFilter::default() }).expect_err("a slip");
    let hint = crate::base::fail::find(&error).and_then(|failure| failure.hint.clone());
    assert_eq!(hint.as_deref(), Some("did you mean `accuracy`?"));
    Ok(())
}
