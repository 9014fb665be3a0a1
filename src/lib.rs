//! One binary that takes a raw table to a served, monitored, reproducible model.
pub mod base;
pub mod config;
pub mod record;
pub mod spec;
pub mod term;
