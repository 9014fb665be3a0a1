//! The verbs: one file each, `XOptions` in, `XReport` out.
//!
//! Lives here: what each verb does, step by step, in terms of the folders below. Does not live here: arguments and
//! printing (`cli`), arithmetic (the maths folders), paths and SQL (`repo`, `index`).
//!
//! Always holds: a verb that changes something is one recorded run and one transaction; destructive verbs plan first;
//! nothing is cached, guessed or skipped without a note.

pub mod auto;
pub mod check;
pub mod choices;
pub mod command;
pub mod context;
pub mod crossval;
pub mod dataset;
pub mod diff;
pub mod document;
pub mod drifted;
pub mod evaluate;
pub mod execute;
pub mod explain;
pub mod export;
pub mod files;
pub mod fit;
pub mod fsck;
pub mod gc;
pub mod hooks;
pub mod import;
pub mod ingest;
pub mod init;
pub mod intake;
pub mod lineage;
pub mod log;
pub mod mark;
pub mod predict;
pub mod prepare;
pub mod profile;
pub mod promote;
pub mod raw;
pub mod recorded;
pub mod register;
pub mod reproduce;
pub mod run;
pub mod stages;
pub mod status;
pub mod subject;
pub mod train;
pub mod training;
pub mod transform;
pub mod tune;
pub mod undo;
pub mod unsupervised;
pub mod validate;
pub mod why;

#[cfg(test)]
mod tests;
