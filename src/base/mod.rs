//! Vocabulary of the whole crate: identities, hashes, time, chance, failures, files, limits.
//!
//! Lives here: types and functions that every other folder may use and that know nothing of tables, models,
//! repositories or terminals. Does not live here: anything that reads the environment (`config`), prints (`term`)
//! or knows a path inside `.mlops/` (`repo`).
//!
//! Always holds: no module here imports another folder of this crate.

pub mod clock;
pub mod fail;
pub mod failpoint;
pub mod fs;
pub mod group;
pub mod guard;
pub mod hash;
pub mod host;
pub mod id;
pub mod json;
pub mod limits;
pub mod lock;
pub mod seed;
pub mod suggest;
pub mod talk;
pub mod units;

#[cfg(test)]
mod tests;
