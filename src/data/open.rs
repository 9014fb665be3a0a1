//! One raw file opened: unpacked, brought to UTF-8 where that is needed, and surveyed by its format.

use std::path::{Path, PathBuf};

use anyhow::Result;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use tempfile::TempPath;

use crate::base::fail;
use crate::base::talk::Task;
use crate::data::detect;
use crate::data::encode;
use crate::data::format::{csv, excel, ipc, json, parquet};
use crate::data::infer::Nulls;
use crate::data::source::{self, ReadOptions};
use crate::data::stream::{RawTable, Survey};
use crate::data::unpack::{self, Plain, UnpackOptions};
use crate::record::dataset::{Format, ParseOptions};

/// A raw file surveyed, and how it was read.
pub struct Opened {
    /// Its rows.
    pub table: Box<dyn RawTable>,
    /// With these, the same table is read again.
    pub parse: ParseOptions,
    /// What was guessed before its survey.
    pub notes: Vec<String>,
    /// Unpacked and recoded files that the table is read from; they vanish with this.
    _keep: Vec<TempPath>,
}

impl Opened {
    /// What the survey found.
    pub fn survey(&self) -> &Survey {
        self.table.survey()
    }
}

/// A file on its way to be surveyed.
struct Way<'a> {
    options: &'a ReadOptions,
    folder: PathBuf,
    /// Where the bytes to read are now.
    path: PathBuf,
    parse: ParseOptions,
    notes: Vec<String>,
    keep: Vec<TempPath>,
}

/// Opens the raw file at `path`. See [`source::open`] for errors.
pub fn file(path: &Path, options: &ReadOptions, task: &dyn Task) -> Result<Opened> {
    let folder = options.temp_folder.clone().unwrap_or_else(std::env::temp_dir);
    let asked = UnpackOptions {
        compression: options.compression,
        member: options.member.as_deref(),
        folder: &folder,
        bytes_max: options.unpacked_bytes_max,
    };
    let Plain { path, shown, ending, compression, member, notes, keep } = unpack::plain(path, &asked)?;
    let mut way = Way {
        options,
        folder,
        path,
        parse: ParseOptions { compression, member, types: options.types.clone(), ..ParseOptions::default() },
        notes,
        keep: keep.into_iter().collect(),
    };
    let mut first = detect::first_bytes(&way.path)?;
    if !detect::is_binary(&first) && way.recode_as_asked(&first)? {
        first = detect::first_bytes(&way.path)?;
    }
    let (format, note) = detect::format(&way.path, &shown, &ending, &first, options.format)?;
    way.parse.format = format;
    way.notes.extend(note);
    let table = way.survey(task)?;
    Ok(Opened { table, parse: way.parse, notes: way.notes, _keep: way.keep })
}

impl Way<'_> {
    /// Brings text to UTF-8 when another encoding is asked for or plain from the first bytes; whether it did.
    fn recode_as_asked(&mut self, first: &[u8]) -> Result<bool> {
        let (encoding, note) = match &self.options.encoding {
            Some(label) => (encode::named(label)?, None),
            None => match encode::look(first) {
                Some((encoding, note)) => (encoding, Some(note)),
                None => return Ok(false),
            },
        };
        if encoding == UTF_8 {
            return Ok(false);
        }
        self.recode(encoding)?;
        self.notes.extend(note);
        Ok(true)
    }

    fn recode(&mut self, encoding: &'static Encoding) -> Result<()> {
        let recoded = encode::recode(&self.path, encoding, &self.folder)?;
        self.path = recoded.to_path_buf();
        self.keep.push(recoded);
        self.parse.encoding = encode::label(encoding);
        Ok(())
    }

    fn survey(&mut self, task: &dyn Task) -> Result<Box<dyn RawTable>> {
        let options = self.options;
        Ok(match self.parse.format {
            Format::Csv => self.survey_csv(task)?,
            Format::Parquet => Box::new(parquet::survey(&self.path, task)?),
            Format::Ipc => Box::new(ipc::survey(&self.path, task)?),
            format @ (Format::Json | Format::Jsonl) => {
                // Which values are text is known here, so no word means "missing" unless it is given.
                let given = options.null_values.as_deref().filter(|values| !values.is_empty());
                self.parse.null_values = given.map(|given| source::null_values(Some(given))).unwrap_or_default();
                let nulls = given.map(|_| Nulls::new(&self.parse.null_values));
                Box::new(json::survey(&self.path, format == Format::Json, nulls, task)?)
            }
            Format::Excel => {
                self.parse.null_values = source::null_values(options.null_values.as_deref());
                self.parse.header = options.header.unwrap_or(true);
                let asked = excel::ExcelOptions {
                    sheet: options.sheet.as_deref(),
                    header: self.parse.header,
                    null_values: &self.parse.null_values,
                    bytes_max: options.unpacked_bytes_max,
                };
                let table = excel::survey(&self.path, &asked)?;
                self.parse.sheet = Some(table.sheet().to_owned());
                Box::new(table)
            }
        })
    }

    /// Text that turns out not to be UTF-8, wherever in the file, is read as Windows-1252 unless an encoding is given.
    fn survey_csv(&mut self, task: &dyn Task) -> Result<Box<dyn RawTable>> {
        self.parse.null_values = source::null_values(self.options.null_values.as_deref());
        let nulls = self.parse.null_values.clone();
        let asked = csv::CsvOptions {
            delimiter: self.options.delimiter,
            quote: self.options.quote,
            header: self.options.header,
            null_values: &nulls,
            quoted_values: self.options.quoted_values,
        };
        self.parse.quoted_values = self.options.quoted_values;
        let table = match csv::survey(&self.path, &asked, task) {
            Ok(table) => table,
            Err(error) => {
                let place = error.downcast_ref::<csv::NotUtf8>().map(|marker| marker.place.clone());
                let Some(place) = place.filter(|_| self.options.encoding.is_none()) else { return Err(error) };
                if encode::look_like_latin(&self.path)? {
                    self.recode(WINDOWS_1252)?;
                    self.notes.push(format!(
                        "the file is not UTF-8; it is read as Windows-1252, or Latin-1 (first: {place})"
                    ));
                    csv::survey(&self.path, &asked, task)?
                } else {
                    let found = fail::find(&error).map_or_else(|| place.clone(), |failure| failure.what.clone());
                    return Err(fail::usage(format!("{found}, and the rest does not look like Latin-1 either"))
                        .hint("say which encoding the file has, as encoding = \"shift_jis\"; or repair the bytes")
                        .into());
                }
            }
        };
        (self.parse.delimiter, self.parse.quote, self.parse.header) =
            (table.delimiter(), table.quote(), table.header());
        Ok(Box::new(table))
    }
}
