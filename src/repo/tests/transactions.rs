//! All or nothing, in any order, from any number of writers.

use std::collections::BTreeMap;
use std::fs;
use std::thread;

use anyhow::Result;

use crate::base::lock::FileLock;
use crate::base::{fail, hash};
use crate::repo::draft::draft;
use crate::repo::intent;
use crate::repo::refs::{AliasTarget, Change, Committed, RefMove};
use crate::repo::tests::{
    actor, add_dataset, alias_move, at, check_clean, commit, fresh, model_move, put_dataset, put_evaluation, put_model,
};
use crate::repo::{Repo, audit};

#[test]
fn versions_count_and_equal_content_is_the_same_version() -> Result<()> {
    let (_folder, repo) = fresh()?;
    let (a, b) = (put_dataset(&repo, "a")?, put_dataset(&repo, "b")?);
    let step = |id| RefMove::Dataset { name: "d".to_owned(), id };
    assert_eq!(commit(&repo, vec![step(a)], 1)?, [Committed::Dataset { version: 1, new: true }]);
    let before = fs::read(repo.layout().audit())?;
    assert_eq!(commit(&repo, vec![step(a)], 2)?, [Committed::Dataset { version: 1, new: false }]);
    assert_eq!(fs::read(repo.layout().audit())?, before, "nothing changed, so nothing is written");
    let both = commit(&repo, vec![step(b), step(a)], 3)?;
    assert_eq!(both, [Committed::Dataset { version: 2, new: true }, Committed::Dataset { version: 3, new: true }]);
    let ids: Vec<_> = repo.dataset_versions("d")?.into_iter().map(|version| (version.version, version.id)).collect();
    assert_eq!(ids, [(1, a), (2, b), (3, a)]);
    check_clean(&repo)
}

#[test]
fn a_model_its_evaluation_and_its_aliases_go_together() -> Result<()> {
    let (_folder, repo) = fresh()?;
    let (package, model) = put_model(&repo, "one")?;
    let evaluation = Some(put_evaluation(&repo, package)?);
    let register = RefMove::Model {
        name: "m".to_owned(),
        package,
        model,
        evaluation,
        note: Some("first".to_owned()),
        tags: BTreeMap::new(),
        reason: None,
    };
    let moves = vec![register.clone(), alias_move("m", "champion", AliasTarget::NewVersion)];
    let done = commit(&repo, moves, 1)?;
    assert_eq!(done, [Committed::Model { version: 1, new: true }, Committed::Alias { from: None, to: Some(1) }]);
    assert_eq!(commit(&repo, vec![register], 2)?, [Committed::Model { version: 1, new: false }]);
    let (package, model) = put_model(&repo, "two")?;
    commit(&repo, vec![model_move("m", package, model), alias_move("m", "champion", AliasTarget::NewVersion)], 3)?;
    commit(&repo, vec![alias_move("m", "previous", AliasTarget::Version(1))], 4)?;
    assert_eq!(repo.aliases("m")?.into_iter().collect::<Vec<_>>(), [("champion".into(), 2), ("previous".into(), 1)]);
    let removed = commit(&repo, vec![alias_move("m", "previous", AliasTarget::Remove)], 5)?;
    assert_eq!(removed, [Committed::Alias { from: Some(1), to: None }]);
    assert_eq!(repo.alias_moves("m")?.len(), 4);
    let told: Vec<String> =
        repo.audit()?.into_iter().map(|entry| format!("{} {}", entry.action, entry.subject)).collect();
    assert_eq!(
        told,
        [
            "model.register m@v1",
            "alias.move m@champion",
            "model.register m@v2",
            "alias.move m@champion",
            "alias.move m@previous",
            "alias.remove m@previous"
        ]
    );
    check_clean(&repo)
}

#[test]
fn one_bad_move_undoes_the_whole_change() -> Result<()> {
    let (_folder, repo) = fresh()?;
    let id = put_dataset(&repo, "a")?;
    let good = RefMove::Dataset { name: "d".to_owned(), id };
    let (package, model) = put_model(&repo, "one")?;
    let unknown = hash::hash(b"not there");
    let bad = [
        RefMove::Dataset { name: "bad/name".to_owned(), id },
        RefMove::Dataset { name: "e".to_owned(), id: unknown },
        RefMove::Dataset { name: "e".to_owned(), id: model },
        model_move("m", id, model),
        alias_move("m", "champion", AliasTarget::Version(1)),
        alias_move("m", "champion", AliasTarget::Remove),
        alias_move("m", "champion", AliasTarget::NewVersion),
        alias_move("m", "latest", AliasTarget::Remove),
        RefMove::Run { run: crate::repo::tests::run_id(1), record: model },
    ];
    for step in bad {
        assert!(commit(&repo, vec![good.clone(), step.clone()], 1).is_err(), "{step:?}");
    }
    assert!(repo.datasets()?.is_empty() && repo.models()?.is_empty() && repo.audit()?.is_empty());
    commit(&repo, vec![good, model_move("m", package, model)], 2)?;
    check_clean(&repo)
}

#[test]
fn a_name_never_points_at_less_than_all_of_it() -> Result<()> {
    let (_folder, repo) = fresh()?;
    let id = put_dataset(&repo, "a")?;
    repo.store().sync()?;
    repo.store().remove(&hash::hash(b"a"))?;
    let error =
        commit(&repo, vec![RefMove::Dataset { name: "d".to_owned(), id }], 1).expect_err("the raw file is gone");
    assert!(error.to_string().contains(&hash::hash(b"a").hex()), "{error}");
    assert!(repo.datasets()?.is_empty());
    Ok(())
}

/// Where a process dies, after the intent is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Death {
    BeforeIntent,
    AfterIntent,
    WithinRefs,
    AfterRefs,
    WithinAudit,
    AfterAudit,
}

#[test]
fn dying_at_any_step_leaves_all_or_nothing() -> Result<()> {
    use Death::{AfterAudit, AfterIntent, AfterRefs, BeforeIntent, WithinAudit, WithinRefs};
    for death in [BeforeIntent, AfterIntent, WithinRefs, AfterRefs, WithinAudit, AfterAudit] {
        let (folder, repo) = fresh()?;
        let old = add_dataset(&repo, "d", "old")?;
        let new = put_dataset(&repo, "new")?;
        let (package, model) = put_model(&repo, "one")?;
        repo.store().sync()?;
        let moves = vec![
            RefMove::Dataset { name: "d".to_owned(), id: new },
            model_move("m", package, model),
            alias_move("m", "champion", AliasTarget::NewVersion),
        ];
        let (_, intent) = draft(&repo, Change { moves }, &actor(), at(5))?;
        die_at(death, &repo, &intent.expect("there is something to write"))?;
        if death > BeforeIntent {
            // A reader that cannot recover (the lock is held, or the folder is read-only) sees the outcome already.
            let _held = FileLock::try_acquire(&repo.layout().lock())?;
            let reader = Repo::open(folder.path())?;
            assert_eq!(reader.dataset_versions("d")?.len(), 2, "{death:?}");
            assert_eq!(
                (reader.models()?.len(), reader.aliases("m")?.len(), reader.audit()?.len()),
                (1, 1, 4),
                "{death:?}"
            );
        }
        drop(repo);
        let repo = Repo::open(folder.path())?;
        assert!(!intent::is_pending(repo.layout()), "{death:?}");
        let versions: Vec<_> = repo.dataset_versions("d")?.into_iter().map(|version| version.id).collect();
        let expected = if death == BeforeIntent { vec![old] } else { vec![old, new] };
        assert_eq!(versions, expected, "{death:?}");
        assert_eq!(repo.models()?.len(), usize::from(death > BeforeIntent), "{death:?}");
        check_clean(&repo)?;
        add_dataset(&repo, "d", "newest")?;
        check_clean(&repo)?;
    }
    Ok(())
}

fn die_at(death: Death, repo: &Repo, intent: &intent::Intent) -> Result<()> {
    let layout = repo.layout();
    let part_of = |file: &str| -> Result<()> {
        let append = intent.appends.iter().find(|append| append.file == file).expect("the file is written to");
        let mut bytes = fs::read(layout.inside(file)).unwrap_or_default();
        bytes.extend_from_slice(&append.text.as_bytes()[..append.text.len() / 2]);
        Ok(fs::write(layout.inside(file), bytes)?)
    };
    if death >= Death::AfterIntent {
        intent.publish(layout)?;
    }
    if death == Death::WithinRefs {
        part_of("refs/datasets/d")?;
    }
    if death >= Death::AfterRefs {
        intent.apply_refs(layout)?;
    }
    if death == Death::WithinAudit {
        part_of("audit.jsonl")?;
    }
    if death >= Death::AfterAudit {
        intent.apply_audit(layout)?;
    }
    Ok(())
}

#[test]
fn a_writer_finishes_what_a_dead_one_committed_first() -> Result<()> {
    let (_folder, repo) = fresh()?;
    let (a, b) = (put_dataset(&repo, "a")?, put_dataset(&repo, "b")?);
    repo.store().sync()?;
    let step = |id| RefMove::Dataset { name: "d".to_owned(), id };
    let (_, intent) = draft(&repo, Change { moves: vec![step(a)] }, &actor(), at(1))?;
    intent.expect("there is something to write").publish(repo.layout())?;
    assert_eq!(commit(&repo, vec![step(b)], 2)?, [Committed::Dataset { version: 2, new: true }]);
    check_clean(&repo)
}

#[test]
fn a_change_that_cannot_be_written_is_taken_back() -> Result<()> {
    let (_folder, repo) = fresh()?;
    add_dataset(&repo, "d", "old")?;
    let (package, model) = put_model(&repo, "one")?;
    // A folder in place of the file: its lines cannot be written, whoever runs this.
    fs::create_dir(repo.layout().inside("refs/models/m"))?;
    let id = put_dataset(&repo, "new")?;
    let (_, intent) =
        draft(&repo, Change { moves: vec![RefMove::Dataset { name: "d".to_owned(), id }] }, &actor(), at(1))?;
    let mut intent = intent.expect("there is something to write");
    let blocked = intent::Append { file: "refs/models/m".to_owned(), offset: 0, text: "x\n".to_owned() };
    intent.appends.insert(1, blocked);
    let before = fs::read(repo.layout().inside("refs/datasets/d"))?;
    let guard = crate::repo::transaction::Guard::take(&repo, &actor())?;
    assert!(guard.commit(&intent).is_err());
    drop(guard);
    // The blocked file cannot be taken back either, as it is a folder: once it is gone, so is the change.
    fs::remove_dir(repo.layout().inside("refs/models/m"))?;
    intent.undo(repo.layout())?;
    assert_eq!(fs::read(repo.layout().inside("refs/datasets/d"))?, before);
    assert!(!intent::is_pending(repo.layout()));
    check_clean(&repo)?;
    commit(&repo, vec![model_move("m", package, model)], 3)?;
    check_clean(&repo)
}

#[test]
fn a_forged_intent_reaches_nothing_outside() -> Result<()> {
    let (folder, repo) = fresh()?;
    for file in ["../evil", "refs/../../evil", "/tmp/evil", "config.toml", "refs", "refs//x"] {
        let forged = serde_json::json!({"appends": [{"file": file, "offset": 0, "text": "x\n"}]});
        fs::write(repo.layout().intent(), forged.to_string())?;
        let error = Repo::open(folder.path()).err().expect("it is refused");
        assert!(fail::find(&error).is_some_and(|failure| failure.hint.is_some()), "{file}: {error}");
    }
    assert!(!folder.path().join("evil").exists());
    Ok(())
}

#[test]
fn eight_writers_lose_nothing() -> Result<()> {
    let (folder, repo) = fresh()?;
    let shared = &repo;
    let root = folder.path();
    thread::scope(|scope| -> Result<()> {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                scope.spawn(move || -> Result<Vec<u32>> {
                    // Half of them share one handle, half have their own, as other processes would.
                    let own = Repo::open(root)?;
                    let repo = if writer % 2 == 0 { shared } else { &own };
                    let mut versions = Vec::new();
                    for step in 0..10 {
                        let id = put_dataset(repo, &format!("{writer} {step}"))?;
                        let done = commit(repo, vec![RefMove::Dataset { name: "d".to_owned(), id }], step)?;
                        let Some(Committed::Dataset { version, new: true }) = done.first() else {
                            anyhow::bail!("{done:?}");
                        };
                        versions.push(*version);
                    }
                    Ok(versions)
                })
            })
            .collect();
        let mut numbers = Vec::new();
        for writer in writers {
            numbers.extend(writer.join().expect("no writer panics")?);
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=80).collect::<Vec<u32>>());
        Ok(())
    })?;
    assert_eq!(repo.dataset_versions("d")?.len(), 80);
    assert!(audit::breaks(&repo.audit()?).is_empty());
    check_clean(&repo)
}

#[test]
fn a_record_that_could_not_be_read_back_is_refused() -> Result<()> {
    let (_folder, repo) = fresh()?;
    let (package, record) = put_model(&repo, "one")?;
    let mut model: crate::record::model::ModelRecord = repo.record(&record)?;
    assert_eq!(model.package, package);
    model.metrics.insert("loss".to_owned(), f64::NAN);
    assert!(repo.put_record(&model).is_err());
    Ok(())
}
