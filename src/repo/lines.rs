//! Reading refs: lines in small files, as of the last committed transaction.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::de::DeserializeOwned;

use crate::base::fail;
use crate::base::fs;
use crate::base::suggest;
use crate::repo::Repo;
use crate::repo::intent;
use crate::repo::layout::{self, Layout, RefKind};
use crate::repo::names;
use crate::repo::refs::{AliasMove, DatasetVersion, ModelVersion, RunRef};

impl Repo {
    /// Names of all datasets, sorted.
    pub fn datasets(&self) -> Result<Vec<String>> {
        all_names(self.layout(), RefKind::Dataset)
    }

    /// Versions of a dataset, oldest first.
    ///
    /// Errors: no dataset of that name; the hint has the nearest one.
    pub fn dataset_versions(&self, name: &str) -> Result<Vec<DatasetVersion>> {
        names::check("dataset", name)?;
        let versions = read(self.layout(), &RefKind::Dataset.file(name))?;
        self.known(RefKind::Dataset, name, versions)
    }

    /// Names of all registered models, sorted.
    pub fn models(&self) -> Result<Vec<String>> {
        all_names(self.layout(), RefKind::Model)
    }

    /// Versions of a registered model, oldest first.
    ///
    /// Errors: no model of that name; the hint has the nearest one.
    pub fn model_versions(&self, name: &str) -> Result<Vec<ModelVersion>> {
        names::check("model", name)?;
        let versions = read(self.layout(), &RefKind::Model.file(name))?;
        self.known(RefKind::Model, name, versions)
    }

    /// Where each alias of a model points now; empty for a model without aliases.
    pub fn aliases(&self, model: &str) -> Result<BTreeMap<String, u32>> {
        Ok(current(&self.alias_moves(model)?))
    }

    /// Every move of every alias of a model, oldest first.
    pub fn alias_moves(&self, model: &str) -> Result<Vec<AliasMove>> {
        names::check("model", model)?;
        read(self.layout(), &RefKind::Alias.file(model))
    }

    /// Every sealed run, in the order they were sealed.
    pub fn runs(&self) -> Result<Vec<RunRef>> {
        read(self.layout(), layout::RUNS)
    }

    fn known<T>(&self, kind: RefKind, name: &str, versions: Vec<T>) -> Result<Vec<T>> {
        if versions.is_empty() {
            let names = all_names(self.layout(), kind)?;
            return Err(suggest::unknown(kind.noun(), name, names.iter().map(String::as_str)).into());
        }
        Ok(versions)
    }
}

/// Where each alias points after all `moves`.
pub fn current(moves: &[AliasMove]) -> BTreeMap<String, u32> {
    let mut aliases = BTreeMap::new();
    for step in moves {
        match step.to {
            Some(version) => aliases.insert(step.alias.clone(), version),
            None => aliases.remove(&step.alias),
        };
    }
    aliases
}

/// Names that have a file of this kind, sorted; counts one that is only in a pending transaction.
pub fn all_names(layout: &Layout, kind: RefKind) -> Result<Vec<String>> {
    let files = fs::files_in(&layout.inside(kind.folder()))?;
    let on_disk = files.iter().filter_map(|path| path.file_name()?.to_str());
    let mut found: Vec<String> = on_disk.filter(|name| names::check("ref", name).is_ok()).map(str::to_owned).collect();
    let pending = intent::read(layout)?.unwrap_or_default().appends;
    let prefix = format!("{}/", kind.folder());
    found.extend(pending.iter().filter_map(|append| append.file.strip_prefix(&prefix)).map(str::to_owned));
    found.sort();
    found.dedup();
    Ok(found)
}

/// Reads all lines of one file of refs; none when there is no such file.
pub fn read<T: DeserializeOwned>(layout: &Layout, file: &str) -> Result<Vec<T>> {
    parse(&intent::read_committed(layout, file)?, file)
}

/// Parses lines of `file`.
///
/// Errors: a line that cannot be read; the message has its number.
pub fn parse<T: DeserializeOwned>(bytes: &[u8], file: &str) -> Result<Vec<T>> {
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    let filled = lines.filter(|(_, line)| !line.is_empty());
    let parsed = filled.map(|(position, line)| {
        serde_json::from_slice(line).map_err(|error| {
            fail::world(format!("line {} of .mlops/{file} cannot be read: {error}", position + 1))
                .hint("run `mlops fsck`; restore the file from a copy")
                .into()
        })
    });
    parsed.collect()
}
