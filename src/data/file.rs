//! A typed table on disk: written once in batches of rows, read back column by column, so that memory does not grow with
//! the table.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context, Result};
use rayon::prelude::{IntoParallelIterator, ParallelExtend, ParallelIterator};
use tempfile::NamedTempFile;

use crate::base::limits::DESCRIBED_BYTES_MAX;
use crate::base::talk::Task;
use crate::data::format::parquet;
use crate::data::profile::{Room, column_profile_in, texts};
use crate::data::source::OpenTable;
use crate::data::table::Table;
use crate::record::dataset::ColumnRecord;
use crate::record::profile::{ColumnProfile, ProfileRecord};
use crate::spec::schema::ColumnType;

/// Bytes that describing a column takes for each of its rows: the column, its values in order, and a code or hash.
const DESCRIBED_BYTES_A_ROW: u64 = 24;

/// Rows of a text column that are held at once where that is enough.
const TEXT_ROWS_AT_ONCE: u64 = 4 << 20;

/// A Parquet file of our own in a temporary place; gone when dropped.
pub struct TableFile {
    file: NamedTempFile,
    columns: Vec<ColumnRecord>,
    rows: u64,
}

impl TableFile {
    /// Writes all rows of `open` to a file in `folder`; `task` counts the bytes read.
    ///
    /// Errors: those of [`OpenTable::each_batch`]; a full disk. Memory: one batch and one row group.
    pub fn write(open: &OpenTable, folder: &Path, task: &dyn Task) -> Result<TableFile> {
        let place = || format!("cannot write to {}", folder.display());
        let file = NamedTempFile::new_in(folder).with_context(place)?;
        let out = BufWriter::with_capacity(1 << 20, file.as_file().try_clone().with_context(place)?);
        let mut writer = parquet::Writer::new(out, &open.columns)?;
        open.each_batch(task, |batch| writer.push(batch))?;
        writer.finish().with_context(place)?;
        Ok(TableFile { file, columns: open.columns.clone(), rows: open.rows })
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Names and types in order.
    pub fn columns(&self) -> &[ColumnRecord] {
        &self.columns
    }

    /// The bytes from the start.
    pub fn open(&self) -> Result<File> {
        self.file.reopen().context("cannot open the typed table again")
    }

    /// One column as a table of its own.
    pub fn select(&self, name: &str) -> Result<Table> {
        Table::new(parquet::read_columns(self.file.path(), vec![name.to_owned()])?)
    }

    /// Describes every column; `task` counts them.
    ///
    /// Columns are read and described in groups of at most [`DESCRIBED_BYTES_MAX`], of one column at least.
    pub fn profile(&self, task: &dyn Task) -> Result<ProfileRecord> {
        let bytes = self.rows.saturating_mul(DESCRIBED_BYTES_A_ROW).max(1);
        let group = (DESCRIBED_BYTES_MAX / bytes).clamp(1, self.columns.len().max(1) as u64) as usize;
        // All columns share the room of one record, so a wide table keeps less of each.
        let room = Room::among(self.columns.len());
        let mut columns: Vec<ColumnProfile> = Vec::with_capacity(self.columns.len());
        for group in self.columns.chunks(group) {
            if let [only] = group
                && let Some(described) = self.text_in_parts(room, only)?
            {
                task.advance(1);
                columns.push(described);
                continue;
            }
            let names = group.iter().map(|column| column.name.clone()).collect();
            let read = parquet::read_columns(self.file.path(), names)?;
            let pairs: Vec<_> = read.columns().iter().zip(group).collect();
            columns.par_extend(pairs.into_par_iter().map(|(column, record)| {
                let described = column_profile_in(room, column, record.column_type);
                task.advance(1);
                described
            }));
        }
        Ok(ProfileRecord { rows: self.rows, columns })
    }

    /// Describes a long column of few different texts without holding all of it: sixteen bytes a row, as it would be in memory.
    /// `None` for a column of another kind.
    fn text_in_parts(&self, room: Room, column: &ColumnRecord) -> Result<Option<ColumnProfile>> {
        if column.column_type != ColumnType::Text || self.rows <= TEXT_ROWS_AT_ONCE {
            return Ok(None);
        }
        let mut parts = Vec::new();
        for start in (0..self.rows).step_by(TEXT_ROWS_AT_ONCE as usize) {
            let rows = Some((start as usize, TEXT_ROWS_AT_ONCE as usize));
            let read = parquet::read_rows(self.file.path(), vec![column.name.clone()], rows)?;
            let part = column_profile_in(room, read.column(&column.name)?, column.column_type);
            // The first part that does not list all of its values rules the rest out.
            if part.top.len() as u64 != part.unique {
                return Ok(None);
            }
            parts.push(part);
        }
        Ok(texts::joined(room, &parts))
    }
}
