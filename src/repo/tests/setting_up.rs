//! Making, opening and moving a repository.

use std::fs;

use anyhow::Result;

use crate::base::fail::{self, Blame};
use crate::repo::Repo;
use crate::repo::names;
use crate::repo::tests::{add_dataset, check_clean, fresh, put_model, sealed_run};

#[test]
fn init_is_idempotent_and_ignores_the_folder_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join(".gitignore"), "target")?;
    assert!(Repo::init(folder.path())?.1);
    assert!(!Repo::init(folder.path())?.1);
    assert_eq!(fs::read_to_string(folder.path().join(".gitignore"))?, "target\n.mlops/\n");
    check_clean(&Repo::open(folder.path())?)
}

#[test]
fn gitignore_is_written_in_a_checkout_only() -> Result<()> {
    let (folder, _repo) = fresh()?;
    assert!(!folder.path().join(".gitignore").exists());
    let checkout = tempfile::tempdir()?;
    fs::create_dir(checkout.path().join(".git"))?;
    let project = checkout.path().join("project");
    fs::create_dir(&project)?;
    Repo::init(&project)?;
    assert_eq!(fs::read_to_string(project.join(".gitignore"))?, ".mlops/\n");
    Ok(())
}

#[test]
fn open_walks_up_and_says_what_to_do_when_there_is_nothing() -> Result<()> {
    let (folder, _repo) = fresh()?;
    let deep = folder.path().join("a/b");
    fs::create_dir_all(&deep)?;
    assert_eq!(Repo::open(&deep)?.root(), folder.path());
    let beside = folder.path().join("a/beside");
    Repo::init(&beside)?;
    assert_eq!(Repo::open(&beside.join(".."))?.root(), folder.path(), "`..` is not a folder of its own");
    let empty = tempfile::tempdir()?;
    let error = Repo::open(empty.path()).err().expect("there is no repository");
    let failure = fail::find(&error).expect("a failure for people");
    assert_eq!(
        (failure.blame, failure.hint.as_deref()),
        (Blame::World, Some("run `mlops init` in the project folder"))
    );
    Ok(())
}

#[test]
fn another_layout_version_is_refused_by_name() -> Result<()> {
    let (folder, repo) = fresh()?;
    fs::write(repo.layout().format(), "7\n")?;
    let error = Repo::open(folder.path()).err().expect("version 7 is unknown");
    assert!(error.to_string().contains("layout version 7"), "{error}");
    fs::write(repo.layout().format(), "nonsense")?;
    assert!(Repo::open(folder.path()).is_err());
    Ok(())
}

#[test]
fn a_folder_whose_init_was_interrupted_is_completed() -> Result<()> {
    let (folder, repo) = fresh()?;
    fs::remove_file(repo.layout().format())?;
    fs::remove_dir(repo.layout().traffic())?;
    assert!(Repo::open(folder.path()).is_err());
    assert!(Repo::init(folder.path())?.1);
    assert!(repo.layout().traffic().is_dir());
    Ok(())
}

#[test]
fn a_moved_folder_works_as_before() -> Result<()> {
    let (folder, repo) = fresh()?;
    let dataset = add_dataset(&repo, "d", "a")?;
    let (package, _) = put_model(&repo, "m")?;
    let run = sealed_run(&repo, 0xabcd_0001, &[], &[crate::repo::tests::link("model", "m", package)])?;
    let before = repo.index()?.dump()?;
    drop(repo);
    let elsewhere = tempfile::tempdir()?;
    let moved = elsewhere.path().join("moved");
    fs::rename(folder.path(), &moved)?;
    let repo = Repo::open(&moved)?;
    assert_eq!(repo.resolve_dataset("d")?.id, dataset);
    assert_eq!(repo.resolve_run("last")?, run);
    assert_eq!(repo.index()?.dump()?, before);
    check_clean(&repo)?;
    add_dataset(&repo, "d", "b")?;
    assert_eq!(repo.dataset_versions("d")?.len(), 2);
    Ok(())
}

#[test]
fn names_that_are_no_file_names_are_refused() {
    for name in ["", ".", "..", ".hidden", "a/b", "a b", "ä", "-x", "a@b", "a:b", &"x".repeat(101)] {
        assert!(names::check("dataset", name).is_err(), "{name}");
    }
    for name in ["a", "A-1_b.c", &"x".repeat(100)] {
        assert!(names::check("dataset", name).is_ok(), "{name}");
    }
    for alias in ["latest", "v3", "v"] {
        assert_eq!(names::check_alias(alias).is_ok(), alias == "v", "{alias}");
    }
}
