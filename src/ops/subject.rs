//! The table that is judged: a stored dataset, or a raw file read in memory.

use std::path::Path;

use anyhow::{Context, Result};

use crate::base::id::ObjectId;
use crate::base::talk::Talk;
use crate::data::profile::profile;
use crate::data::source::{self, ReadOptions};
use crate::data::table::Table;
use crate::ops::dataset;
use crate::record::dataset::Roles;
use crate::record::profile::ProfileRecord;
use crate::repo::Repo;
use crate::spec::schema::{ColumnType, SchemaSpec};

/// Where a table comes from.
pub enum Origin<'a> {
    /// A dataset of the repository, named by the options.
    Stored(&'a Repo),
    /// A file that was not ingested.
    File(&'a Path),
}

/// A table, what is known about it, and what people call it.
pub struct Subject {
    /// `penguins@v3`, or the path.
    pub label: String,
    /// Id of the dataset; none for a raw file.
    pub id: Option<ObjectId>,
    /// The rows.
    pub table: Table,
    /// Their statistics.
    pub profile: ProfileRecord,
    /// What the columns mean; nothing is known of a raw file.
    pub roles: Roles,
}

impl Subject {
    /// A dataset; the one of `default_name`, else the newest, when `reference` is absent.
    pub fn stored(
        repo: &Repo,
        reference: Option<&str>,
        default_name: Option<&str>,
        talk: &dyn Talk,
    ) -> Result<Subject> {
        let dataset = dataset::find(repo, reference, default_name)?;
        let table = dataset::table(repo, &dataset, talk)?;
        let profile = dataset::profile(repo, &dataset.record)?;
        Ok(Subject { label: dataset.label, id: Some(dataset.id), table, profile, roles: dataset.record.roles })
    }

    /// A raw file. Columns that the schema calls text are read as text, whatever they look like: `007` stays a code.
    pub fn raw(path: &Path, schema: Option<&SchemaSpec>, talk: &dyn Talk) -> Result<Subject> {
        let read = |options: &ReadOptions| {
            let read = source::read(path, options, talk);
            read.with_context(|| format!("cannot read {} as a table", path.display()))
        };
        let mut options = ReadOptions::default();
        let mut found = read(&options)?;
        let columns = schema.map(|schema| schema.columns.as_slice()).unwrap_or_default();
        for rules in columns.iter().filter(|rules| rules.column_type == ColumnType::Text) {
            if found.table.type_of(&rules.name).is_ok_and(|kind| kind != ColumnType::Text) {
                options.types.insert(rules.name.clone(), ColumnType::Text);
            }
        }
        if !options.types.is_empty() {
            found = read(&options)?;
        }
        for guess in &found.guesses {
            talk.info(guess);
        }
        let profile = profile(&found.table);
        let label = path.display().to_string();
        Ok(Subject { label, id: None, table: found.table, profile, roles: Roles::default() })
    }
}
