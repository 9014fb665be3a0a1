//! What lies outside: fetching raw files from HTTP, object stores and databases into local files.
//!
//! Lives here: one module a kind of source, names of sources, patterns and windows over partitioned folders.
//! Does not live here: what the bytes mean (`data`), keeping them (`store`).
//!
//! Always holds: a source is read whole or not at all; sizes are limited; secrets never reach a name, a record or a message.
