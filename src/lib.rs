//! From a raw table to a served, monitored, reproducible model, in one binary. This is the map.
//!
//! # What flows
//!
//! raw file → `Dataset` → findings → `TrainSplit` → `FittedRecipe` + `Matrix` → `Box<dyn Predictor>` → `Evaluation` →
//! `ModelPackage` → `ModelVersion` → HTTP answer. Each arrow is one verb in [`ops`], each noun one record in [`record`] or
//! one type in the maths folders.
//!
//! # Layers, each may import only what is above it (`tests/suite/tidy.rs`)
//!
//! | layer | folders |
//! | --- | --- |
//! | 0 vocabulary | [`base`] ids, time, chance, files; [`spec`] what people write; [`record`] what the tool writes |
//! | 1 maths, pure | [`data`] tables; [`quality`] checks; [`drift`] comparison; [`features`] recipes; [`metrics`] scores and gates; [`models`] engines and packages; [`search`] of parameters |
//! | 1 borders | [`exchange`] models in the formats of others |
//! | 1 edges of data | [`source`] what lies outside; [`render`] documents |
//! | 1 disk | [`store`] objects; [`index`] SQL; [`pipeline`] graph, keys, lock file; [`repo`] refs, transactions, history |
//! | 2 verbs | [`ops`] one file a verb |
//! | 3 edges | [`term`] the only printer; [`config`] the only reader of the environment; [`serve`] HTTP; [`cli`] the command line |
//!
//! # What always holds
//!
//! Nothing is lost: objects are durable before anything names them. Everything is traceable and repeats: same inputs,
//! same seed, same bytes. Training and serving run one recipe. Nothing executes on load. Gates end in an exit code.
//! Nothing is cached, skipped or guessed in silence.
//!
//! # Files on disk and who owns them
//!
//! `mlops.toml` → `config`, `spec`; `mlops.lock` → `pipeline`; `schema.toml` → `quality`; everything in `.mlops/` → `repo`
//! (drawn in `repo/layout.rs`), object files → `store`, `index.sqlite` → `index`.

pub mod base;
pub mod cli;
pub mod config;
pub mod data;
pub mod drift;
pub mod exchange;
pub mod features;
pub mod index;
pub mod metrics;
pub mod models;
pub mod ops;
pub mod pipeline;
pub mod quality;
pub mod record;
pub mod render;
pub mod repo;
pub mod search;
pub mod serve;
pub mod source;
pub mod spec;
pub mod store;
pub mod term;
