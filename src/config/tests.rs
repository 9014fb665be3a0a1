//! Tests of settings.

use crate::base::fail;
use crate::config::environment::Environment;
use crate::config::project::{PROJECT_FILE, Project, find_root};

fn environment(pairs: &[(&str, &str)]) -> Environment {
    Environment::from_variables(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

fn load(text: &str, pairs: &[(&str, &str)]) -> anyhow::Result<Project> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join(PROJECT_FILE), text)?;
    Project::load(folder.path(), &environment(pairs))
}

#[test]
fn variables_win_over_the_file() -> anyhow::Result<()> {
    let text = "[train]\nmodel = 'ridge'\n[serve]\nport = 1\n";
    let project = load(text, &[("MLOPS_TRAIN_MODEL", "forest"), ("MLOPS_SERVE_PORT", "9000"), ("MLOPS_SEED", "7")])?;
    assert_eq!(project.spec.train.and_then(|train| train.model).as_deref(), Some("forest"));
    assert_eq!((project.spec.serve.port, project.spec.project.seed), (9000, 7));
    Ok(())
}

#[test]
fn unknown_names_are_refused_with_a_suggestion() {
    let hint = |error: anyhow::Error| fail::find(&error).and_then(|failure| failure.hint.clone()).unwrap_or_default();
    let error = load("[data]\nsource = 'x'\ntarqet = 'y'\n", &[]).expect_err("`tarqet` is no key");
    assert!(error.to_string().contains("line 3"), "{error}");
    assert_eq!(hint(error), "did you mean `target`?");
    let error = load("", &[("MLOPS_TRIAN_MODEL", "x")]).expect_err("no such section");
    assert!(hint(error).contains("MLOPS_TRAIN_MODEL"));
    let error = load("", &[("MLOPS_TRAIN_MODLE", "x")]).expect_err("no such key");
    assert!(error.to_string().contains("modle"), "{error}");
}

#[test]
fn variables_that_are_handed_to_commands_mean_nothing_here() -> anyhow::Result<()> {
    load("", &[("MLOPS_PARAM_DEPTH", "3"), ("MLOPS_STAGE", "fit"), ("OTHER", "x")])?;
    Ok(())
}

#[test]
fn the_nearest_project_file_wins() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let inner = folder.path().join("a/b");
    std::fs::create_dir_all(&inner)?;
    assert_eq!(find_root(&inner), None);
    std::fs::write(folder.path().join("a").join(PROJECT_FILE), "")?;
    assert_eq!(find_root(&inner), Some(folder.path().join("a")));
    Ok(())
}
