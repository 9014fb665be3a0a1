//! The whole suite in one binary: it drives the built `mlops` and never names the crate, so it links in seconds.

mod common;

mod cli;
mod concurrent;
mod crash;
mod diff;
mod disk;
mod examples;
mod explain;
mod findings;
mod formats;
mod ingest;
mod journey;
mod pipeline;
mod sources;
mod tasks;
mod tidy;
mod training;
mod validate;
