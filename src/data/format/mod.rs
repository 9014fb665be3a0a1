//! Formats of raw files.
//!
//! Lives here: one module a format, each turning a file into a [`crate::data::table::Table`] and sentences about what was
//! guessed. Does not live here: which format a file has (`source`), how types are inferred from values (`infer`).
//!
//! Always holds: a file that does not have the promised form is a usage failure that names row and column; memory for
//! reading is bounded by the table plus a few blocks, except that a sheet of a workbook is held whole.

pub mod csv;
pub mod excel;
mod foreign;
pub mod ipc;
pub mod json;
pub mod parquet;
