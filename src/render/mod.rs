//! Documents for people and other tools: HTML pages, Markdown, JUnit XML, annotations.
//!
//! Lives here: one module a kind of document, and the plots in them. Does not live here: what they say (`quality`, `drift`,
//! `record`), writing files (`ops`), the terminal (`term`).
//!
//! Always holds: a page is one file without network; every text from data is escaped; same input, same bytes.
