//! What servers said of files that were fetched, so that unchanged ones are not fetched again. Lost without harm.

use anyhow::{Context, Result};
use rusqlite::OptionalExtension;

use crate::index::{Index, row};
use crate::record::remote::{Remembered, Validators};

impl Index {
    /// What was remembered of the remote file at `url`, which holds no secrets. Whether its bytes are still stored is
    /// for the caller to look up.
    pub fn remembered_remote(&self, url: &str) -> Result<Option<Remembered>> {
        let query = "SELECT object, name, etag, last_modified, length FROM remote WHERE url = ?1";
        let found = self.connection.prepare_cached(query).and_then(|mut query| {
            let read = |row: &rusqlite::Row<'_>| {
                let validators = Validators {
                    name: row.get(1)?,
                    etag: row.get(2)?,
                    last_modified: row.get(3)?,
                    bytes: row.get::<_, i64>(4)? as u64,
                };
                Ok(Remembered { validators, raw: row::id(row, 0)? })
            };
            query.query_row([url], read).optional()
        });
        found.context("cannot read remembered downloads from the index")
    }

    /// Remembers what the server at `url` (without secrets) said of the bytes it sent; replaces what was known before.
    pub fn remember_remote(&self, url: &str, remembered: &Remembered) -> Result<()> {
        let insert = "INSERT OR REPLACE INTO remote (url, object, name, etag, last_modified, length)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let Remembered { validators: said, raw } = remembered;
        let values = (url, raw.hex(), &said.name, &said.etag, &said.last_modified, said.bytes as i64);
        let put = self.connection.prepare_cached(insert).and_then(|mut insert| insert.execute(values));
        put.map(drop).context("cannot keep a download in the index")
    }
}
