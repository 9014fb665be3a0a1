//! The whole suite in one binary: it drives the built `mlops` and never names the crate, so it links in seconds.

mod common;

mod auto;
mod cli;
mod concurrent;
mod crash;
mod diff;
mod disk;
mod examples;
mod exchange;
mod explain;
mod findings;
mod formats;
mod import;
mod ingest;
mod journey;
mod metrics;
mod pipeline;
mod sources;
mod tasks;
mod tidy;
mod training;
mod tune;
mod validate;
