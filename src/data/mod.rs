//! Tables: reading them, typing them, describing them, dividing them.
//!
//! Lives here: the only door to polars ([`table::Table`]), text and Parquet formats (`format`), whole-file type inference
//! (`infer`, `value`), statistics of columns (`profile`), the column to predict (`target`), the division of rows
//! (`split`), parts of the rows to be looked at apart (`divide`), two tables side by side (`diff`), and the plain form that
//! all further maths reads (`frame`, `matrix`).
//! Does not live here: whether values are acceptable (`quality`), features (`features`), where tables are kept (`repo`).
//!
//! Always holds: a table has only columns of the seven types of `spec::schema::ColumnType`; no value of a raw file is turned
//! into another or dropped without a sentence that says so; rows that are not for training cannot reach a fit, because
//! only [`split::Split::training`] makes a [`split::TrainSplit`].

pub mod associate;
pub mod build;
pub mod calendar;
mod detect;
pub mod diff;
pub mod divide;
mod encode;
pub mod expression;
pub mod file;
pub mod format;
pub mod frame;
pub mod infer;
pub mod labels;
pub mod matrix;
pub mod names;
mod open;
pub mod plain;
pub mod profile;
pub mod source;
pub mod split;
pub mod stream;
pub mod table;
pub mod target;
mod unpack;
pub mod value;
pub mod weights;

#[cfg(test)]
mod tests;
