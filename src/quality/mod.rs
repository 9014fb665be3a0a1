//! Is this table what it should be? Checks against the reviewed schema, and schemas drawn from data.
//!
//! Lives here: one small function for each check, the findings they give and the verdict; inferring, widening and writing
//! `schema.toml`.
//! Does not live here: the schema's own type (`spec::schema`), statistics of columns (`data::profile`), files (`ops`).
//!
//! Always holds: every finding is reported, never only the first; each names its rule, what was seen, sample rows and the
//! edit that settles it; the profile decides whether rows have to be looked at; same table, same findings, same order.

pub mod accept;
pub mod check;
mod columns;
mod duplicates;
pub mod infer;
mod outliers;
pub mod report;
mod rows;
mod rules;
mod table;
mod values;
pub mod written;

#[cfg(test)]
mod tests;
