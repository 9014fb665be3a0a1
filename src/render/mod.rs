//! Documents for people and other tools: HTML pages, Markdown, JUnit XML, annotations.
//!
//! Lives here: one module a kind of document (`profile`, `validation`, `explanation`, `evaluation`, `card`), the plots
//! in them (`plot`, `bins`, `strip`, `heat`), how text is made harmless in each language (`escape`) and how numbers are written
//! (`number`). Does not live here: what they say (`quality`, `drift`, `record`), writing files (`ops`), the terminal
//! (`term`).
//!
//! Always holds: a page is one file without network; every text from data is escaped; same input, same bytes.

mod bins;
pub mod card;
pub mod document;
pub mod escape;
pub mod evaluation;
pub mod explanation;
pub mod graph;
mod heat;
pub mod number;
mod page;
mod plot;
pub mod profile;
mod strip;
pub mod validation;

#[cfg(test)]
mod tests;
