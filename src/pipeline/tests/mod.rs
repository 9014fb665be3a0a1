//! Tests of the graph, keys, the lock file and hashes of inputs.

mod files;
mod graphs;
mod keys;
mod locks;

use anyhow::Result;

use crate::base::fail::{self, Blame};
use crate::spec::project::ProjectSpec;

/// A project file with all sections, after which `more` stands.
pub fn project(more: &str) -> Result<ProjectSpec> {
    let sections = "\
        project = { name = 'birds' }\n\
        data = { source = 'data/birds.csv', target = 'kind' }\n\
        validate = {}\ntrain = { model = 'forest', params = { trees = 100 } }\n\
        evaluate = {}\nregister = { name = 'birds-model' }\n";
    Ok(toml::from_str(&format!("{sections}{more}"))?)
}

/// A failed request, with its sentences and its hint in one text.
pub fn refusal<T>(result: Result<T>, case: &str) -> String {
    let error = result.err().expect(case);
    let failure = fail::find(&error).expect("made for people");
    assert_eq!(failure.blame, Blame::Request, "{case}");
    format!("{error:#}; {}", failure.hint.as_deref().unwrap_or("no hint"))
}
