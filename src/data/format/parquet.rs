//! Apache Parquet: foreign files read piece by piece, and our own tables written.
//!
//! A damaged file is an error, also where the reader below panics on it. One hole is left: polars trusts run lengths inside
//! data pages, so a page forged or flipped there can ask for more memory than there is, which ends the process. Bytes that
//! come from the store were verified by their hash before.

use std::fs::File;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use polars::io::parquet::metadata::FileMetadataRef;
use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{Column, DataFrame, Field, ParquetCompression, ParquetReader, ParquetWriter, Schema, SerReader};

use crate::base::fail;
use crate::base::talk::Task;
use crate::data::format::foreign::{self, ForeignTable, Pieces};
use crate::data::names;
use crate::data::table;
use crate::record::dataset::ColumnRecord;
use crate::spec::schema::ColumnType;

/// What the format is called in messages.
const KIND: &str = "Parquet";
/// Rows of one row group: large enough for compression, small enough that rows added at the end of a table of 200 MB
/// rewrite little of it (a row group of 20 columns has about 5 MB).
const ROW_GROUP_ROWS: usize = 1 << 16;

/// Most rows of one piece of a foreign file, and most values where it has many columns.
const PIECE_ROWS: usize = 1 << 18;
const PIECE_VALUES: usize = 1 << 24;

/// A Parquet file, read by row groups and parts of them.
pub struct ParquetPieces {
    path: PathBuf,
    metadata: FileMetadataRef,
    names: Vec<String>,
    /// First row and number of rows of each piece; none crosses a row group.
    pieces: Vec<(usize, usize)>,
    bytes: u64,
}

/// Surveys the Parquet file at `path`. Memory: one piece of it.
///
/// Errors: a damaged file, a nested or otherwise unsupported column (named).
pub fn survey(path: &Path, task: &dyn Task) -> Result<ForeignTable<ParquetPieces>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let bytes = file.metadata().with_context(|| format!("cannot read {}", path.display()))?.len();
    let (metadata, names) = foreign::guarded(KIND, || {
        let mut reader = ParquetReader::new(file);
        let names = reader.schema()?.iter_names().map(|name| name.to_string()).collect::<Vec<_>>();
        Ok((reader.get_metadata()?.clone(), names))
    })?;
    let rows_max = (PIECE_VALUES / names.len().max(1)).clamp(1, PIECE_ROWS);
    let mut pieces = Vec::new();
    let mut start = 0;
    for group in &metadata.row_groups {
        let mut left = group.num_rows();
        while left > 0 {
            let rows = left.min(rows_max);
            pieces.push((start, rows));
            (start, left) = (start + rows, left - rows);
        }
    }
    foreign::survey(ParquetPieces { path: path.to_owned(), metadata, names, pieces, bytes }, task)
}

impl Pieces for ParquetPieces {
    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn count(&self) -> usize {
        self.pieces.len()
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn read(&self, piece: usize) -> Result<DataFrame> {
        let file = File::open(&self.path).with_context(|| format!("cannot open {}", self.path.display()))?;
        let rows = self.pieces[piece].1;
        let read = foreign::guarded(KIND, || {
            let mut reader = ParquetReader::new(file).with_slice(Some(self.pieces[piece])).set_rechunk(true);
            reader.set_metadata(self.metadata.clone());
            reader.finish()
        })?;
        match read.height() == rows && read.width() == self.names.len() {
            true => Ok(read),
            false => Err(fail::usage("this Parquet file cannot be read: a row group is shorter than it says")
                .hint("is it damaged? write or copy it again")
                .into()),
        }
    }
}

/// Reads a Parquet file that is in memory; see [`survey`].
pub fn from_bytes(bytes: Vec<u8>) -> Result<(DataFrame, Vec<String>)> {
    normal(&foreign::guarded(KIND, || ParquetReader::new(Cursor::new(bytes)).set_rechunk(true).finish())?)
}

/// Reads the first `rows` rows of some columns of a Parquet file that is in memory.
pub fn start_of(bytes: Vec<u8>, rows: usize, columns: &[&str]) -> Result<(DataFrame, Vec<String>)> {
    let columns = columns.iter().map(|name| (*name).to_owned()).collect();
    let read = || {
        let reader = ParquetReader::new(Cursor::new(bytes)).with_columns(Some(columns));
        reader.with_slice(Some((0, rows))).set_rechunk(true).finish()
    };
    normal(&foreign::guarded(KIND, read)?)
}

/// Writes Parquet from batches of any size; the same rows give the same bytes, however they are cut into batches.
///
/// LZ4, measured on 1,000,000 rows of 20 columns (132 MB as CSV): 0.50 s of processor time and 73 MB; zstd 0.77 s and
/// 49 MB; Snappy 0.46 s and 78 MB; none 0.28 s and 114 MB. The file is derived and can be made again, so time counts more
/// than size.
pub struct Writer<W: Write> {
    batched: BatchedWriter<W>,
    pending: Option<DataFrame>,
}

impl<W: Write> Writer<W> {
    /// Starts a file of `columns`.
    pub fn new(out: W, columns: &[ColumnRecord]) -> Result<Writer<W>> {
        let fields =
            columns.iter().map(|column| Field::new(column.name.as_str().into(), table::data_type(column.column_type)));
        let schema = Schema::from_iter(fields);
        let writer = ParquetWriter::new(out).with_compression(ParquetCompression::Lz4Raw).set_parallel(true);
        let batched = writer.batched(&schema).context("cannot start a Parquet file")?;
        Ok(Writer { batched, pending: None })
    }

    /// Adds rows; whole row groups are written at once, the rest waits.
    pub fn push(&mut self, batch: DataFrame) -> Result<()> {
        let mut rows = match self.pending.take() {
            None => batch,
            Some(mut rows) => {
                rows.vstack_mut_owned(batch).context("cannot join batches of rows")?;
                rows
            }
        };
        let mut start = 0;
        if rows.height() >= ROW_GROUP_ROWS {
            rows.rechunk_mut_par();
        }
        while rows.height() - start >= ROW_GROUP_ROWS {
            self.batched.write_batch(&rows.slice(start as i64, ROW_GROUP_ROWS)).context("cannot write Parquet")?;
            start += ROW_GROUP_ROWS;
        }
        if start > 0 {
            rows = rows.slice(start as i64, rows.height() - start);
        }
        self.pending = (rows.height() > 0).then_some(rows);
        Ok(())
    }

    /// Writes what waits and the end of the file.
    pub fn finish(mut self) -> Result<()> {
        if let Some(mut rows) = self.pending.take() {
            rows.rechunk_mut_par();
            self.batched.write_batch(&rows).context("cannot write Parquet")?;
        }
        self.batched.finish().context("cannot end the Parquet file")?;
        Ok(())
    }
}

/// Writes `table`; equal tables give equal bytes, those of [`Writer`].
pub fn write(table: &DataFrame, out: &mut dyn Write) -> Result<()> {
    let column = |column: &Column| ColumnRecord {
        name: column.name().to_string(),
        column_type: table::column_type(column.dtype()).unwrap_or(ColumnType::Text),
    };
    let columns: Vec<ColumnRecord> = table.columns().iter().map(column).collect();
    let mut writer = Writer::new(out, &columns)?;
    writer.push(table.clone())?;
    writer.finish()
}

/// Some columns of our own Parquet file at `path`, in the order of `names`.
pub fn read_columns(path: &Path, names: Vec<String>) -> Result<DataFrame> {
    read_rows(path, names, None)
}

/// As [`read_columns`], but only the rows from `rows.0` on, `rows.1` at most.
pub fn read_rows(path: &Path, names: Vec<String>, rows: Option<(usize, usize)>) -> Result<DataFrame> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let wanted = Some(names.clone());
    // A column in pieces takes half the memory of one that is being put into one piece.
    let read = || ParquetReader::new(file).with_columns(wanted).with_slice(rows).finish();
    foreign::guarded(KIND, read)?.select(names).context("the Parquet file lacks a column")
}

fn normal(frame: &DataFrame) -> Result<(DataFrame, Vec<String>)> {
    let names: Vec<String> = frame.get_column_names().iter().map(|name| name.to_string()).collect();
    if names.is_empty() {
        return Err(fail::usage("the Parquet file has no columns").into());
    }
    let mut guesses = names::check(&names)?;
    let columns = frame.columns().iter().map(|column| foreign::normal(column, &mut guesses)).collect::<Result<_>>()?;
    Ok((DataFrame::new(frame.height(), columns)?, guesses))
}
