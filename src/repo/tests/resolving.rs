//! What references mean.

use anyhow::Result;

use crate::base::fail;
use crate::repo::Repo;
use crate::repo::refs::AliasTarget;
use crate::repo::resolve::{DatasetRef, ModelRef, Resolved};
use crate::repo::tests::{
    add_dataset, alias_move, commit, fresh, link, model_move, put_dataset, put_model, sealed_run,
};

/// The message and the hint of what `resolved` failed with.
fn words<T>(resolved: Result<T>) -> String {
    let error = resolved.err().expect("it does not resolve");
    let hint = fail::find(&error).and_then(|failure| failure.hint.clone()).unwrap_or_default();
    format!("{error}: {hint}")
}

fn check_unknown<T>(resolved: Result<T>, expected: &str) {
    let text = words(resolved);
    assert!(text.contains(expected), "`{text}` does not say `{expected}`");
}

#[test]
fn datasets_resolve_by_name_version_id_and_run() -> Result<()> {
    let (_folder, repo) = fresh()?;
    let (one, two) = (add_dataset(&repo, "penguins", "a")?, add_dataset(&repo, "penguins", "b")?);
    let named = |version, id| DatasetRef { name: Some("penguins".to_owned()), version: Some(version), id };
    for text in ["penguins", "penguins@latest", "penguins@v2", "dataset:penguins", &two.hex()[..8], &two.hex()] {
        assert_eq!(repo.resolve_dataset(text)?, named(2, two), "{text}");
    }
    assert_eq!(repo.resolve_dataset("penguins@v1")?, named(1, one));
    assert_eq!(repo.resolve_dataset("penguins@v1")?.label(), "penguins@v1");
    let unnamed = put_dataset(&repo, "c")?;
    repo.store().sync()?;
    let found = repo.resolve_dataset(&unnamed.hex()[..10])?;
    assert_eq!((found.name.as_deref(), found.id, found.label()), (None, unnamed, unnamed.short()));
    let run = sealed_run(&repo, 1, &[link("dataset", "penguins", one)], &[])?;
    assert_eq!(repo.resolve_dataset("run:last")?, named(1, one));
    assert_eq!(repo.resolve_dataset(&format!("run:{run}"))?, named(1, one));
    check_unknown(repo.resolve_dataset("pengins"), "did you mean `penguins`?");
    check_unknown(repo.resolve_dataset("penguins@v9"), "its versions are v1 to v2");
    check_unknown(repo.resolve_dataset("penguins@champion"), "latest");
    check_unknown(repo.resolve_dataset("0123456789abcdef"), "whose id starts with it");
    check_unknown(repo.resolve_dataset("run:feedfeedfeedfeed"), "no run");
    Ok(())
}

#[test]
fn models_resolve_by_name_alias_id_and_run() -> Result<()> {
    let (_folder, repo) = fresh()?;
    let mut versions = Vec::new();
    for (number, content) in [(1, "one"), (2, "two")] {
        let (package, model) = put_model(&repo, content)?;
        commit(&repo, vec![model_move("m", package, model)], number)?;
        versions.push(ModelRef { name: Some("m".to_owned()), version: Some(number as u32), package, model });
    }
    commit(&repo, vec![alias_move("m", "champion", AliasTarget::Version(1))], 3)?;
    for text in ["m", "m@latest", "m@v2", "model:m", &versions[1].package.hex()[..9], &versions[1].model.hex()] {
        assert_eq!(repo.resolve_model(text)?, versions[1], "{text}");
    }
    assert_eq!(repo.resolve_model("m@champion")?, versions[0]);
    let (package, model) = put_model(&repo, "three")?;
    let outputs = [link("model", "tree", package), link("model_record", "tree", model)];
    let run = sealed_run(&repo, 0xabcd_0000_0000_0001, &[], &outputs)?;
    let unnamed = ModelRef { name: None, version: None, package, model };
    for text in ["run:last", "run:abcd", "abcd00000", &run.hex(), &package.hex()[..12], &model.hex()[..12]] {
        assert_eq!(repo.resolve_model(text)?, unnamed, "{text}");
    }
    assert_eq!(repo.newest_model()?, unnamed);
    check_unknown(repo.resolve_model("n"), "known: m");
    check_unknown(repo.resolve_model("m@chmpion"), "did you mean `champion`?");
    check_unknown(repo.resolve_model("m@v3"), "v1 to v2");
    let dataset = put_dataset(&repo, "x")?;
    repo.store().sync()?;
    check_unknown(repo.resolve_model(&dataset.hex()), "no model");
    Ok(())
}

#[test]
fn runs_resolve_by_age_and_prefix() -> Result<()> {
    let (_folder, repo) = fresh()?;
    check_unknown(repo.resolve_run("last"), "no run yet");
    let one = sealed_run(&repo, 0xaaaa_0000_0000_0001, &[], &[])?;
    let two = sealed_run(&repo, 0xaaaa_1000_0000_0002, &[], &[])?;
    assert_eq!(repo.resolve_run("aaaa0")?, one);
    assert_eq!(repo.resolve_run("run:aaaa1")?, two);
    assert_eq!(repo.resolve_run(&one.hex())?, one);
    check_unknown(repo.resolve_run("aaaa"), &format!("`aaaa` is ambiguous: run:{one}, run:{two}"));
    check_unknown(repo.resolve_run("aaa"), "at least 4 hex digits");
    check_unknown(repo.resolve_run("bbbb"), "no run");
    Ok(())
}

#[test]
fn anything_resolves_to_what_it_is() -> Result<()> {
    let (_folder, repo) = fresh()?;
    let dataset = add_dataset(&repo, "d", "a")?;
    let (package, model) = put_model(&repo, "one")?;
    commit(&repo, vec![model_move("d", package, model)], 2)?;
    let run = sealed_run(&repo, 0xdddd_0000_0000_0001, &[], &[])?;
    let raw = crate::base::hash::hash(b"a");
    let (as_dataset, as_model) = (repo.resolve_dataset("d")?, repo.resolve_model("d")?);
    let cases = [
        ("d".to_owned(), Resolved::Model(as_model.clone())),
        ("model:d@v1".to_owned(), Resolved::Model(as_model.clone())),
        ("dataset:d".to_owned(), Resolved::Dataset(as_dataset.clone())),
        (dataset.hex(), Resolved::Dataset(as_dataset)),
        (package.hex(), Resolved::Model(as_model.clone())),
        (model.hex()[..10].to_owned(), Resolved::Model(as_model)),
        ("run:last".to_owned(), Resolved::Run(run)),
        ("dddd0".to_owned(), Resolved::Run(run)),
        (raw.hex(), Resolved::Object(raw)),
    ];
    for (text, expected) in cases {
        assert_eq!(repo.resolve_any(&text)?, expected, "{text}");
    }
    check_unknown(repo.resolve_any("nothing"), "unknown dataset, model or run");
    check_unknown(repo.resolve_any("00112233445566"), "whose id starts with it");
    Ok(())
}

/// Two objects whose ids share the first four digits: found by trying, the same ones every time.
#[test]
fn an_ambiguous_prefix_lists_its_candidates() -> Result<()> {
    let (_folder, repo) = fresh()?;
    let (one, two, prefix) = twins(&repo)?;
    let text = words(repo.resolve_any(&prefix));
    assert!(text.contains(&one) && text.contains(&two) && text.contains("give more digits"), "{text}");
    Ok(())
}

fn twins(repo: &Repo) -> Result<(String, String, String)> {
    let mut seen = std::collections::BTreeMap::new();
    for number in 0..100_000_u32 {
        let bytes = number.to_le_bytes();
        let id = crate::base::hash::hash(&bytes);
        if let Some(other) = seen.insert(id.hex()[..4].to_owned(), bytes) {
            let other = repo.store().put(&other)?.id;
            repo.store().put(&bytes)?;
            repo.store().sync()?;
            return Ok((other.short(), id.short(), id.hex()[..4].to_owned()));
        }
    }
    anyhow::bail!("no two of 100,000 hashes share 16 bits")
}
