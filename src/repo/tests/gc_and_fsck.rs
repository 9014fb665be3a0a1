//! Finding what is wrong, and removing what is not needed.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::Result;

use crate::base::clock::{Clock, Timestamp};
use crate::base::hash::hash;
use crate::base::id::ObjectId;
use crate::base::limits;
use crate::repo::Repo;
use crate::repo::fsck::fsck;
use crate::repo::gc::{apply_gc, plan_gc};
use crate::repo::journal::RunJournal;
use crate::repo::refs::{AliasTarget, RefMove};
use crate::repo::tests::{
    actor, add_dataset, alias_move, check_clean, commit, fresh, link, model_move, put_dataset, put_model, run_start,
    sealed_run,
};

fn file_of(repo: &Repo, id: &ObjectId) -> PathBuf {
    let hex = id.hex();
    repo.layout().objects().join(&hex[..2]).join(&hex[2..])
}

/// Makes every object look two hours old.
fn age(repo: &Repo) -> Result<()> {
    for id in repo.store().list()? {
        let old = SystemTime::now() - Duration::from_secs(7200);
        let path = file_of(repo, &id);
        File::open(path)?.set_modified(old)?;
    }
    Ok(())
}

fn codes(repo: &Repo) -> Result<Vec<String>> {
    let findings = fsck(repo)?;
    assert!(findings.iter().all(|finding| !finding.fix.is_empty() && !finding.what.is_empty()));
    Ok(findings.into_iter().map(|finding| finding.code).collect())
}

fn now() -> Timestamp {
    Clock::System.now()
}

#[test]
fn gc_removes_exactly_what_nothing_needs() -> Result<()> {
    let (_folder, repo) = fresh()?;
    let named = add_dataset(&repo, "d", "named")?;
    let (package, model) = put_model(&repo, "registered")?;
    commit(&repo, vec![model_move("m", package, model)], 1)?;
    let of_run = put_dataset(&repo, "of a run")?;
    sealed_run(&repo, 1, &[link("dataset", "x", of_run)], &[])?;
    let of_open_run = put_dataset(&repo, "of an open run")?;
    let mut open = RunJournal::start(&repo, &run_start(2, "train"))?;
    open.output(link("dataset", "x", of_open_run))?;
    open.output(link("dataset", "x", hash(b"named before it was put")))?;
    let of_lock = put_dataset(&repo, "of the lock file")?;
    let large: Vec<u8> = (0..1_300_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let chunked = repo.store().put(&large)?.id;
    let garbage = put_dataset(&repo, "garbage")?;
    repo.store().sync()?;
    let chunks = repo.store().parts(&chunked)?.len();
    assert!(chunks > 1);
    assert!(plan_gc(&repo, &[of_lock], Duration::ZERO, now())?.remove.is_empty(), "all of it is young");
    age(&repo)?;
    let later = plan_gc(&repo, &[of_lock], Duration::from_secs(8000), now())?;
    assert!(later.remove.is_empty(), "kept for longer than that");
    let plan = plan_gc(&repo, &[of_lock], Duration::ZERO, now())?;
    let doomed: Vec<ObjectId> = plan.remove.iter().map(|(id, _)| *id).collect();
    // The record, its raw file and table (its profile is shared); the manifest and its chunks.
    assert_eq!(doomed.len(), 3 + 1 + chunks);
    assert!(
        doomed.iter().position(|id| *id == chunked)
            < doomed.iter().position(|id| repo.store().parts(&chunked).is_ok_and(|parts| parts.contains(id)))
    );
    let done = apply_gc(&repo, plan.clone(), &[of_lock], &actor(), now())?;
    assert_eq!((done.removed, done.bytes), (doomed.len(), plan.bytes));
    for kept in [named, package, model, of_run, of_open_run, of_lock] {
        assert!(repo.store().contains(&kept)?, "{kept}");
    }
    assert!(!repo.store().contains(&garbage)? && !repo.store().contains(&chunked)?);
    assert_eq!(repo.audit()?.last().map(|entry| entry.action.clone()).as_deref(), Some("gc"));
    assert!(plan_gc(&repo, &[of_lock], Duration::ZERO, now())?.remove.is_empty());
    check_clean(&repo)
}

#[test]
fn gc_spares_what_was_named_or_put_again_since_the_plan() -> Result<()> {
    let (_folder, repo) = fresh()?;
    let named_later = put_dataset(&repo, "named later")?;
    let put_again = repo.store().put(b"put again")?.id;
    let garbage = repo.store().put(b"garbage")?.id;
    repo.store().sync()?;
    age(&repo)?;
    let plan = plan_gc(&repo, &[], Duration::ZERO, now())?;
    commit(&repo, vec![RefMove::Dataset { name: "d".to_owned(), id: named_later }], 1)?;
    repo.store().put(b"put again")?;
    let done = apply_gc(&repo, plan, &[], &actor(), now())?;
    assert_eq!(done.removed, 1);
    assert!(repo.store().contains(&put_again)? && !repo.store().contains(&garbage)?);
    assert_eq!(repo.resolve_dataset("d")?.id, named_later);
    check_clean(&repo)
}

#[test]
fn gc_killed_half_way_leaves_nothing_broken() -> Result<()> {
    let (_folder, repo) = fresh()?;
    let large: Vec<u8> = (0..1_300_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    repo.store().put(&large)?;
    put_dataset(&repo, "garbage")?;
    repo.store().sync()?;
    age(&repo)?;
    let plan = plan_gc(&repo, &[], Duration::ZERO, now())?;
    for (id, _) in &plan.remove {
        check_clean(&repo)?;
        repo.store().remove(id)?;
    }
    assert!(repo.store().list()?.is_empty());
    Ok(())
}

#[test]
fn gc_refuses_to_guess_about_what_it_cannot_read() -> Result<()> {
    let (_folder, repo) = fresh()?;
    let id = add_dataset(&repo, "d", "a")?;
    fs::remove_file(file_of(&repo, &id))?;
    let error = plan_gc(&repo, &[], Duration::ZERO, now()).expect_err("the record is missing");
    assert!(error.to_string().contains("dataset d@v1"), "{error}");
    Ok(())
}

#[test]
fn records_of_unknown_kinds_keep_what_they_mention() -> Result<()> {
    let (_folder, repo) = fresh()?;
    let mentioned = repo.store().put(b"mentioned")?.id;
    let later = format!("{{\"data\":{{\"of\":\"{mentioned}\"}},\"kind\":\"invented later\",\"version\":1}}");
    let unknown = repo.store().put(later.as_bytes())?.id;
    sealed_run(&repo, 1, &[link("study", "s", unknown)], &[])?;
    age(&repo)?;
    assert!(plan_gc(&repo, &[], Duration::ZERO, now())?.remove.is_empty());
    Ok(())
}

#[test]
fn fsck_finds_missing_damaged_and_misnamed_objects() -> Result<()> {
    let (_folder, repo) = fresh()?;
    add_dataset(&repo, "d", "a")?;
    add_dataset(&repo, "e", "b")?;
    check_clean(&repo)?;
    fs::remove_file(file_of(&repo, &hash(b"a")))?;
    let bad = file_of(&repo, &hash(b"b"));
    let mut bytes = fs::read(&bad)?;
    *bytes.last_mut().expect("it is not empty") ^= 1;
    fs::remove_file(&bad)?;
    fs::write(&bad, bytes)?;
    fs::write(repo.layout().objects().join("stray"), "x")?;
    let findings = fsck(&repo)?;
    let found: Vec<(&str, &str)> =
        findings.iter().map(|finding| (finding.code.as_str(), finding.subject.as_str())).collect();
    let (lost, rotten) = (hash(b"a").hex(), hash(b"b").hex());
    let expected = [("damaged_object", rotten.as_str()), ("misnamed_object", "stray"), ("missing_object", &lost)];
    assert_eq!(found, expected, "{findings:#?}");
    assert!(findings[2].what.contains("dataset d@v1"), "{}", findings[2].what);
    // Putting the bytes again is the cure.
    repo.store().put(b"a")?;
    repo.store().put(b"b")?;
    repo.store().sync()?;
    fs::remove_file(repo.layout().objects().join("stray"))?;
    check_clean(&repo)
}

#[test]
fn fsck_finds_tampering() -> Result<()> {
    let (folder, repo) = fresh()?;
    let (package, model) = put_model(&repo, "one")?;
    commit(&repo, vec![model_move("m", package, model), alias_move("m", "champion", AliasTarget::NewVersion)], 1)?;
    add_dataset(&repo, "d", "a")?;
    add_dataset(&repo, "d", "b")?;
    check_clean(&repo)?;
    let audit = repo.layout().audit();
    let told = fs::read_to_string(&audit)?;
    let lines: Vec<&str> = told.split_inclusive('\n').collect();
    let cases: [(String, &[&str]); 5] = [
        (told.replacen("because", "no reason", 1), &["audit_chain"]),
        (format!("{}{}{}", lines[0], lines[1], lines[3]), &["audit_chain", "unaudited_ref"]),
        (lines[..3].concat(), &["unaudited_ref"]),
        (told.replacen("\"seq\":2", "\"seq\":3", 1), &["audit_chain", "audit_chain"]),
        (format!("not JSON\n{told}"), &["audit_chain"]),
    ];
    for (text, expected) in cases {
        fs::write(&audit, &text)?;
        assert_eq!(codes(&repo)?, expected, "{text}");
    }
    fs::write(&audit, &told)?;
    let versions = repo.layout().inside("refs/datasets/d");
    let text = fs::read_to_string(&versions)?;
    let first: String = text.split_inclusive('\n').take(1).collect();
    fs::write(&versions, &first)?;
    assert_eq!(codes(&repo)?, ["lost_ref"]);
    fs::write(&versions, format!("{text}half a line"))?;
    assert_eq!(codes(&repo)?, ["bad_ref"]);
    let id = put_dataset(&repo, "c")?;
    assert!(commit(&repo, vec![RefMove::Dataset { name: "d".to_owned(), id }], 9).is_err(), "nobody writes after that");
    repo.store().sync()?;
    fs::write(&versions, "not JSON\n")?;
    assert_eq!(codes(&repo)?, ["bad_ref"]);
    fs::write(&versions, &text)?;
    fs::remove_file(repo.layout().inside("refs/models/m"))?;
    assert_eq!(codes(&repo)?, ["dangling_ref", "lost_ref"]);
    assert!(Repo::open(folder.path()).is_ok());
    Ok(())
}

#[test]
fn fsck_finds_an_index_that_disagrees() -> Result<()> {
    let (_folder, repo) = fresh()?;
    sealed_run(&repo, 1, &[], &[])?;
    sealed_run(&repo, 2, &[], &[])?;
    repo.index()?.tamper()?;
    assert_eq!(codes(&repo)?, ["index_disagrees"]);
    repo.rebuild_index()?;
    check_clean(&repo)
}

#[test]
fn stale_files_in_the_staging_folder_are_found_and_removed() -> Result<()> {
    let (_folder, repo) = fresh()?;
    let (young, old) = (repo.layout().staging().join("young"), repo.layout().staging().join("old"));
    fs::write(&young, "x")?;
    fs::write(&old, "xyz")?;
    File::options().write(true).open(&old)?.set_modified(SystemTime::now() - Duration::from_secs(90_000))?;
    assert_eq!(codes(&repo)?, ["stale_staging"]);
    let plan = plan_gc(&repo, &[], limits::GC_GRACE, now())?;
    assert_eq!(apply_gc(&repo, plan, &[], &actor(), now())?.bytes, 3);
    assert!(young.exists() && !old.exists());
    check_clean(&repo)
}
