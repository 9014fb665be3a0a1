//! The graph behind `mlops run` and `mlops status`: what there is to do, in which order, and what is still good.
//!
//! Lives here: stages and their order (`graph`, `declare`, `paths`, `draw`), the key of a stage (`key`), hashes of
//! files and folders that stages read (`inputs`), the lock file (`lockfile`), reasons to run again (`staleness`). Does
//! not live here: executing a stage (`ops`), what references resolve to (`repo`), any arithmetic on data.
//!
//! Always holds: two stages never write the same file; the order is topological and depends on the project file alone;
//! a stage with an unchanged key need not run again.

pub mod declare;
pub mod draw;
pub mod graph;
pub mod inputs;
pub mod key;
pub mod lockfile;
pub mod paths;
pub mod staleness;

#[cfg(test)]
mod tests;
