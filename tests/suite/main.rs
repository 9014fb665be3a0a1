//! The whole suite in one binary: it drives the built `mlops` and never names the crate, so it links in seconds.

mod common;

mod examples;
mod journey;
mod pipeline;
mod tidy;
