//! The whole suite in one binary: it drives the built `mlops` and never names the crate, so it links in seconds.

mod common;

mod cli;
mod concurrent;
mod crash;
mod disk;
mod examples;
mod formats;
mod journey;
mod pipeline;
mod tidy;
mod validate;
