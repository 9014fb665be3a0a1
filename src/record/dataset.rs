//! One version of a dataset: raw bytes, how they were read, the typed table, its profile.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::id::ObjectId;
use crate::record::Record;
use crate::spec::model::Task;
use crate::spec::schema::ColumnType;

/// Content of one dataset version. Holds no time and no absolute path, so that equal content is the same version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetRecord {
    /// Raw files in order.
    pub sources: Vec<SourceFile>,
    /// How the raw files were read; with them, rebuilds the table.
    pub parse: ParseOptions,
    /// The typed table, a Parquet blob; derived.
    pub table: ObjectId,
    /// Number of rows.
    pub rows: u64,
    /// Columns in order.
    pub columns: Vec<ColumnRecord>,
    /// The profile record.
    pub profile: ObjectId,
    /// What the table means to a model.
    pub roles: Roles,
}

/// One raw file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceFile {
    /// File name without its folder.
    pub name: String,
    /// Blob of its bytes; equals `b3sum FILE`.
    pub raw: ObjectId,
    /// Length in bytes.
    pub bytes: u64,
    /// How this file was read, where that differs from the dataset's `parse`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parse: Option<ParseOptions>,
    /// Where it came from, without secrets, when that is not a file of the project: `https://…`, `s3://…`, `stdin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}

/// Formats of raw files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Delimited text.
    #[default]
    Csv,
    /// Apache Parquet.
    Parquet,
    /// JSON objects, one a line.
    Jsonl,
    /// A JSON array of objects.
    Json,
    /// Apache Arrow IPC: a file (Feather) or a stream.
    Ipc,
    /// A sheet of an Excel or OpenDocument workbook.
    Excel,
}

impl Format {
    /// As people call it.
    pub fn title(self) -> &'static str {
        match self {
            Format::Csv => "CSV",
            Format::Parquet => "Parquet",
            Format::Jsonl => "JSON lines",
            Format::Json => "JSON",
            Format::Ipc => "Arrow",
            Format::Excel => "Excel",
        }
    }
}

/// How a raw file is packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// gzip, one member or several.
    Gzip,
    /// Zstandard.
    Zstd,
    /// A zip archive, of which one member is the table.
    Zip,
}

/// All that decides what table a raw file becomes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParseOptions {
    /// Format of the raw files.
    pub format: Format,
    /// Field delimiter; CSV.
    pub delimiter: char,
    /// Whether the first line holds the names; CSV.
    pub header: bool,
    /// Texts that mean "missing"; CSV.
    pub null_values: Vec<String>,
    /// Columns whose type was given, not inferred.
    pub types: BTreeMap<String, ColumnType>,
    /// What stands around a field that holds delimiters or line ends; CSV.
    #[serde(default = "double_quote", skip_serializing_if = "is_double_quote")]
    pub quote: char,
    /// How text is written as bytes, a label of the WHATWG Encoding Standard; CSV and JSON.
    #[serde(default = "utf_8", skip_serializing_if = "is_utf_8")]
    pub encoding: String,
    /// How the raw file is packed.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub compression: Compression,
    /// The sheet read; Excel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The member read; zip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// Whether a field in quotes is a value whatever it says; CSV made from a database.
    #[serde(default, skip_serializing_if = "is_no")]
    pub quoted_values: bool,
}

fn is_no(flag: &bool) -> bool {
    !flag
}

fn double_quote() -> char {
    '"'
}

fn is_double_quote(quote: &char) -> bool {
    *quote == '"'
}

fn utf_8() -> String {
    "utf-8".to_owned()
}

fn is_utf_8(encoding: &String) -> bool {
    encoding == "utf-8"
}

fn is_plain(compression: &Compression) -> bool {
    *compression == Compression::None
}

impl Default for ParseOptions {
    fn default() -> ParseOptions {
        ParseOptions {
            format: Format::Csv,
            delimiter: ',',
            header: true,
            null_values: Vec::new(),
            types: BTreeMap::new(),
            quote: double_quote(),
            encoding: utf_8(),
            compression: Compression::None,
            sheet: None,
            member: None,
            quoted_values: false,
        }
    }
}

/// Name and type of one column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnRecord {
    /// Name in the data.
    pub name: String,
    /// Type of its values.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
}

/// What the columns of a table mean to a model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roles {
    /// The column to predict.
    pub target: Option<String>,
    /// What kind of prediction.
    pub task: Option<Task>,
    /// Columns that identify a row; never features.
    pub key: Vec<String>,
    /// Columns never used as features.
    pub ignore: Vec<String>,
    /// Column that says how much each row counts in a fit; never a feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
}

impl DatasetRecord {
    /// Total length of the raw files in bytes.
    pub fn bytes(&self) -> u64 {
        self.sources.iter().map(|source| source.bytes).sum()
    }
}

impl Record for DatasetRecord {
    const KIND: &'static str = "dataset";
    const VERSION: u32 = 1;

    fn references(&self) -> Vec<ObjectId> {
        let mut ids: Vec<ObjectId> = self.sources.iter().map(|source| source.raw).collect();
        ids.extend([self.table, self.profile]);
        ids
    }
}
