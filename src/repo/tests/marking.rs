//! States, notes, tags, expectations, and changes taken back.

use std::collections::BTreeMap;
use std::fs;
use std::thread;

use anyhow::{Context, Result};

use crate::base::fail;
use crate::repo::Repo;
use crate::repo::draft_marks::is_conflict;
use crate::repo::layout::RefKind;
use crate::repo::marks::{Expectation, Fact, VersionState};
use crate::repo::refs::{AliasTarget, Committed, MarkedVersion, RefMove};
use crate::repo::tests::{alias_move, check_clean, commit, fresh, model_move, put_model};
use crate::repo::undo::{self, ModelChange};

/// A repository with `count` versions of model `m`.
fn with_versions(count: u32) -> Result<(tempfile::TempDir, Repo)> {
    let (folder, repo) = fresh()?;
    for number in 1..=count {
        let (package, model) = put_model(&repo, &format!("content {number}"))?;
        commit(&repo, vec![model_move("m", package, model)], i64::from(number))?;
    }
    Ok((folder, repo))
}

fn mark(version: u32, fact: Fact) -> RefMove {
    let reason = Some("because".to_owned());
    RefMove::Mark { model: "m".to_owned(), version: MarkedVersion::Number(version), fact, reason }
}

fn state(version: u32, to: VersionState) -> RefMove {
    mark(version, Fact::state(to))
}

fn tag(name: &str, to: Option<&str>) -> Fact {
    Fact::Tag { name: name.to_owned(), from: None, to: to.map(str::to_owned) }
}

fn champion(version: u32) -> RefMove {
    alias_move("m", "champion", AliasTarget::Version(version))
}

fn expect_champion(at: Option<u32>) -> RefMove {
    RefMove::Expect(Expectation::Alias { model: "m".to_owned(), alias: "champion".to_owned(), at })
}

fn next(repo: &Repo, redo: bool) -> Result<Option<ModelChange>> {
    Ok(undo::next(&undo::changes(&repo.alias_moves("m")?, &repo.marks("m")?), redo).cloned())
}

fn take_back(repo: &Repo, redo: bool, seconds: i64) -> Result<Vec<Committed>> {
    let change = next(repo, redo)?.context("something to take back")?.number;
    commit(repo, vec![RefMove::Undo { model: "m".to_owned(), change, redo, reason: None }], seconds)
}

#[test]
fn what_is_said_of_a_version_is_the_last_word() -> Result<()> {
    let (_folder, repo) = with_versions(2)?;
    assert_eq!(repo.version_state("m", 1)?, VersionState::Pending);
    let note = |text: &str| Fact::Note { from: None, to: Some(text.to_owned()) };
    commit(&repo, vec![state(1, VersionState::Approved), mark(1, note("first")), mark(1, tag("team", Some("a")))], 5)?;
    commit(&repo, vec![state(1, VersionState::Rejected), mark(1, note("second")), mark(1, tag("team", None))], 6)?;
    let said = repo.version_facts("m")?;
    assert_eq!((said[&1].state, said[&1].note.as_deref()), (VersionState::Rejected, Some("second")));
    assert_eq!((said[&1].tags.len(), &said[&2].state), (0, &VersionState::Pending));
    // The version itself is what it was.
    assert_eq!(repo.model_versions("m")?[0].note, None);
    let told: Vec<String> = repo
        .audit()?
        .into_iter()
        .filter(|entry| entry.subject == "m@v1" && entry.action != "model.register")
        .map(|e| format!("{} {} {}", e.action, e.from.unwrap_or_default(), e.to.unwrap_or_default()))
        .collect();
    let wanted = [
        "model.state pending approved",
        "model.note  first",
        "model.tag  team=a",
        "model.state approved rejected",
        "model.note first second",
        "model.tag team=a ",
    ];
    assert_eq!(told, wanted);
    check_clean(&repo)
}

#[test]
fn the_same_again_writes_nothing_and_nonsense_is_refused() -> Result<()> {
    let (_folder, repo) = with_versions(1)?;
    commit(&repo, vec![state(1, VersionState::Approved)], 2)?;
    let before = fs::read(repo.layout().audit())?;
    assert_eq!(commit(&repo, vec![state(1, VersionState::Approved)], 3)?, [Committed::Mark { new: false }]);
    assert_eq!(fs::read(repo.layout().audit())?, before);
    let long = "x".repeat(2_000);
    for fact in [tag("no spaces", Some("a")), tag("long", Some(&long))] {
        assert!(commit(&repo, vec![mark(1, fact)], 4).is_err());
    }
    assert!(commit(&repo, vec![state(9, VersionState::Approved)], 4).is_err(), "no such version");
    let many = (0..101).map(|number| mark(1, tag(&format!("t{number}"), Some("v")))).collect();
    assert!(commit(&repo, many, 4).is_err(), "too many tags");
    check_clean(&repo)
}

#[test]
fn a_champion_is_never_archived() -> Result<()> {
    let (_folder, repo) = with_versions(2)?;
    commit(&repo, vec![champion(1)], 3)?;
    let says = |moves: Vec<RefMove>| commit(&repo, moves, 4).expect_err("it is refused").to_string();
    assert!(says(vec![state(1, VersionState::Archived)]).contains("archived and champion at once"));
    commit(&repo, vec![state(2, VersionState::Archived)], 5)?;
    assert!(says(vec![champion(2)]).contains("m@v2 would be archived"));
    assert_eq!(repo.aliases("m")?["champion"], 1);
    check_clean(&repo)
}

#[test]
fn what_others_changed_meanwhile_refuses_the_whole_change() -> Result<()> {
    let (_folder, repo) = with_versions(3)?;
    commit(&repo, vec![expect_champion(None), champion(1)], 4)?;
    let stale = vec![state(3, VersionState::Approved), expect_champion(None), champion(2)];
    let error = commit(&repo, stale, 5).expect_err("the champion is v1");
    assert!(is_conflict(&error) && error.to_string().contains("m@champion was changed meanwhile"), "{error:#}");
    assert!(fail::find(&error).is_some_and(|failure| failure.what.contains("it points at v1 now")), "{error:#}");
    assert_eq!((repo.aliases("m")?["champion"], repo.marks("m")?.len()), (1, 0));
    let state_of = |version, state| RefMove::Expect(Expectation::State { model: "m".to_owned(), version, state });
    assert!(commit(&repo, vec![state_of(1, VersionState::Rejected)], 6).is_err());
    let newest = |version| RefMove::Expect(Expectation::Newest { model: "m".to_owned(), version });
    assert!(commit(&repo, vec![newest(Some(2)), champion(2)], 6).is_err());
    commit(&repo, vec![newest(Some(3)), state_of(1, VersionState::Pending), champion(3)], 7)?;
    check_clean(&repo)
}

#[test]
fn of_many_that_decide_at_once_each_follows_from_the_one_before() -> Result<()> {
    let (_folder, repo) = with_versions(8)?;
    let outcomes: Vec<Result<Vec<Committed>>> = thread::scope(|scope| {
        let start = |version: u32| {
            let repo = &repo;
            scope.spawn(move || {
                let at = repo.aliases("m")?.get("champion").copied();
                commit(repo, vec![expect_champion(at), champion(version)], 20)
            })
        };
        let threads: Vec<_> = (1..=8).map(start).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).all(is_conflict));
    let moves = repo.alias_moves("m")?;
    assert_eq!(moves.len(), outcomes.iter().filter(|outcome| outcome.is_ok()).count());
    let froms: Vec<Option<u32>> = moves.iter().map(|step| step.from).collect();
    let before: Vec<Option<u32>> = std::iter::once(None).chain(moves.iter().map(|step| step.to)).collect();
    assert_eq!(froms, before[..moves.len()]);
    check_clean(&repo)
}

#[test]
fn changes_are_taken_back_in_order_and_done_once_more() -> Result<()> {
    use VersionState::{Approved, Pending, Rejected};
    let (_folder, repo) = with_versions(2)?;
    assert_eq!(next(&repo, false)?, None);
    commit(&repo, vec![champion(1), state(1, Approved)], 3)?;
    let second = vec![alias_move("m", "previous", AliasTarget::Version(1)), champion(2), state(2, Approved)];
    // The same moment: changes are told apart by their number, not by the clock.
    commit(&repo, second, 3)?;
    commit(&repo, vec![state(1, Rejected)], 3)?;
    let now = |repo: &Repo| -> Result<(BTreeMap<String, u32>, VersionState, VersionState)> {
        Ok((repo.aliases("m")?, repo.version_state("m", 1)?, repo.version_state("m", 2)?))
    };
    let both = BTreeMap::from([("champion".to_owned(), 2), ("previous".to_owned(), 1)]);
    let one = BTreeMap::from([("champion".to_owned(), 1)]);
    assert_eq!(now(&repo)?, (both.clone(), Rejected, Approved));
    take_back(&repo, false, 4)?;
    assert_eq!(now(&repo)?, (both.clone(), Approved, Approved));
    take_back(&repo, false, 5)?;
    assert_eq!(now(&repo)?, (one.clone(), Approved, Pending));
    take_back(&repo, true, 6)?;
    assert_eq!(now(&repo)?, (both, Approved, Approved));
    take_back(&repo, false, 7)?;
    take_back(&repo, false, 8)?;
    assert_eq!(now(&repo)?, (BTreeMap::new(), Pending, Pending));
    assert_eq!(next(&repo, false)?, None);
    for seconds in 9..=11 {
        take_back(&repo, true, seconds)?;
    }
    assert_eq!(now(&repo)?.1, Rejected);
    assert_eq!(next(&repo, true)?, None);
    // Something new forgets what could be done once more.
    take_back(&repo, false, 12)?;
    commit(&repo, vec![alias_move("m", "staging", AliasTarget::Version(1))], 13)?;
    assert_eq!(next(&repo, true)?, None);
    assert_eq!(next(&repo, false)?.map(|change| change.steps.len()), Some(1));
    check_clean(&repo)
}

#[test]
fn taking_back_what_is_not_the_last_change_is_refused() -> Result<()> {
    let (_folder, repo) = with_versions(2)?;
    commit(&repo, vec![champion(1)], 3)?;
    let change = next(&repo, false)?.context("a change")?.number;
    commit(&repo, vec![champion(2)], 4)?;
    let undo = |change| RefMove::Undo { model: "m".to_owned(), change, redo: false, reason: None };
    let error = commit(&repo, vec![undo(change)], 5).expect_err("another change came later");
    assert!(is_conflict(&error), "{error:#}");
    assert!(commit(&repo, vec![undo(999)], 5).is_err());
    assert_eq!(repo.aliases("m")?["champion"], 2);
    check_clean(&repo)
}

#[test]
fn lines_of_older_versions_are_read_and_taken_back() -> Result<()> {
    let (_folder, repo) = with_versions(2)?;
    commit(&repo, vec![champion(1)], 3)?;
    commit(&repo, vec![alias_move("m", "previous", AliasTarget::Version(1)), champion(2)], 4)?;
    // As they were written before changes had numbers.
    let path = repo.layout().inside(&RefKind::Alias.file("m"));
    let mut old = String::new();
    for line in fs::read_to_string(&path)?.lines() {
        let mut line: serde_json::Value = serde_json::from_str(line)?;
        line.as_object_mut().context("an object")?.remove("change").context("a number")?;
        old += &format!("{line}\n");
    }
    fs::write(&path, old)?;
    take_back(&repo, false, 5)?;
    assert_eq!(repo.aliases("m")?, BTreeMap::from([("champion".to_owned(), 1)]));
    take_back(&repo, false, 6)?;
    assert!(repo.aliases("m")?.is_empty() && next(&repo, false)?.is_none());
    check_clean(&repo)
}

#[test]
fn a_mark_on_no_version_is_found() -> Result<()> {
    let (_folder, repo) = with_versions(1)?;
    commit(&repo, vec![state(1, VersionState::Approved)], 2)?;
    let path = repo.layout().inside(&RefKind::Mark.file("m"));
    fs::write(&path, fs::read_to_string(&path)?.replace("\"version\":1", "\"version\":7"))?;
    let found = crate::repo::fsck::fsck(&repo)?;
    let codes: Vec<&str> = found.iter().map(|finding| finding.code.as_str()).collect();
    assert!(codes.contains(&"dangling_ref"), "{codes:?}");
    Ok(())
}
