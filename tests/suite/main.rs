//! The whole suite in one binary: it drives the built `mlops` and never names the crate, so it links in seconds.

mod common;

mod auto;
mod card;
mod certainty;
mod cli;
mod concurrent;
mod crash;
mod diff;
mod disk;
mod evaluate;
mod examples;
mod exchange;
mod explain;
mod findings;
mod formats;
mod gates;
mod import;
mod ingest;
mod journey;
mod metrics;
mod pipeline;
mod predictions;
mod query;
mod registry;
mod slices;
mod sources;
mod tasks;
mod tidy;
mod trace;
mod training;
mod tune;
mod validate;
