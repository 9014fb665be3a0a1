//! What the repository still needs: everything that refs, open runs and given roots lead to.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::base::fail;
use crate::base::id::ObjectId;
use crate::record::Record;
use crate::record::run::CodeState;
use crate::repo::Repo;
use crate::repo::journal::JournalLine;
use crate::repo::journals;
use crate::repo::objects;

/// Objects named by refs and open runs, each with who names it: `penguins@v3`, `run:ID`.
pub fn named(repo: &Repo) -> Result<BTreeMap<ObjectId, String>> {
    let mut roots = BTreeMap::new();
    for name in repo.datasets()? {
        for version in repo.dataset_versions(&name)? {
            roots.entry(version.id).or_insert_with(|| format!("dataset {name}@v{}", version.version));
        }
    }
    for name in repo.models()? {
        for version in repo.model_versions(&name)? {
            let who = format!("model {name}@v{}", version.version);
            for id in [version.package, version.model].into_iter().chain(version.evaluation) {
                roots.entry(id).or_insert_with(|| who.clone());
            }
        }
    }
    for line in repo.runs()? {
        roots.entry(line.record).or_insert_with(|| format!("run:{}", line.run));
    }
    Ok(roots)
}

/// Objects that journals of open runs name, each with the run. These may not be there: a killed process may have
/// named what it had not yet made durable.
pub fn named_by_open_runs(repo: &Repo) -> Result<BTreeMap<ObjectId, String>> {
    let mut roots = BTreeMap::new();
    for journal in journals::all(repo.layout())? {
        let tail = journals::read(&journal.path, 0)?.unwrap_or_default();
        for line in tail.lines {
            let ids = match line {
                JournalLine::Input(link) | JournalLine::Output(link) | JournalLine::Artifact(link) => vec![link.id],
                JournalLine::Ended(record) => record.references(),
                JournalLine::Start(start) => start.code.iter().flat_map(CodeState::objects).collect(),
                _ => Vec::new(),
            };
            for id in ids {
                roots.entry(id).or_insert_with(|| format!("open run:{}", journal.run));
            }
        }
    }
    Ok(roots)
}

/// What was found on the way from some roots.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Objects that are there and needed, chunks included.
    pub reached: BTreeSet<ObjectId>,
    /// Objects that are needed and could not be read, with who needs them and why they could not.
    pub unreadable: BTreeMap<ObjectId, Unreadable>,
}

/// An object that is needed and could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Who needs it.
    pub needed_by: String,
    /// Whether it is simply not there.
    pub missing: bool,
    /// What happened.
    pub why: String,
}

/// Why an object is looked at.
#[derive(Clone)]
struct Need {
    root: String,
    via: Option<ObjectId>,
}

/// Follows `roots` to everything they lead to. Reads records whole and of each blob only its beginning.
pub fn reach(repo: &Repo, roots: BTreeMap<ObjectId, String>) -> Reach {
    let mut found = Reach::default();
    let mut open: Vec<(ObjectId, Need)> = roots.into_iter().map(|(id, root)| (id, Need { root, via: None })).collect();
    while let Some((id, need)) = open.pop() {
        if found.reached.contains(&id) || found.unreadable.contains_key(&id) {
            continue;
        }
        match present(repo, &id).and_then(|()| objects::references(repo.store(), &id)) {
            Ok(next) => {
                found.reached.insert(id);
                let need = Need { via: Some(id), ..need };
                open.extend(next.into_iter().map(|next| (next, need.clone())));
            }
            Err(error) => {
                let missing = matches!(repo.store().stat(&id), Ok(None));
                let Need { root, via } = need;
                let needed_by = via.map_or(root.clone(), |via| format!("{root}, through object {}", via.short()));
                found.unreadable.insert(id, Unreadable { needed_by, missing, why: error.to_string() });
            }
        }
    }
    found
}

fn present(repo: &Repo, id: &ObjectId) -> Result<()> {
    if repo.store().stat(id)?.is_none() {
        return Err(fail::world(format!("object {id} is not in the store")).into());
    }
    Ok(())
}
