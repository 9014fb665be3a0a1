//! Is this table what it should be? Checks against the reviewed schema, and schemas drawn from data.
//!
//! Lives here: one small function for each check, the findings they give and the verdict; inferring, widening and writing
//! `schema.toml`.
//! Does not live here: the schema's own type (`spec::schema`), statistics of columns (`data::profile`), files (`ops`).
//!
//! Always holds: every finding is reported, never only the first; each names its rule, what was seen, sample rows and the
//! edit that settles it; the profile decides whether rows have to be looked at; same table, same findings, same order.

pub mod accept;
mod aggregates;
pub mod check;
mod checks;
pub mod codes;
mod columns;
mod conditions;
mod distribution;
mod duplicates;
pub mod edit;
pub mod found;
pub mod infer;
mod outliers;
pub mod quarantine;
mod ranges;
pub mod read;
pub mod report;
mod rows;
mod rules;
mod scan;
pub mod sense;
mod shape;
mod sql;
mod table;
mod texts;
mod values;
pub mod written;

#[cfg(test)]
mod tests;
