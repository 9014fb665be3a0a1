//! Settings: what the environment and the project file say. The only reader of the environment.
//!
//! Lives here: the `MLOPS_*` variables, `mlops.toml` from disk to a checked spec, and the order in which they win:
//! flags (which `cli` applies), then variables, then the file, then defaults. Does not live here: flags (`cli`), the
//! types of the file (`spec`).
//!
//! Always holds: an unknown variable or key is an error that names it.

pub mod environment;
pub mod project;

#[cfg(test)]
mod tests;
