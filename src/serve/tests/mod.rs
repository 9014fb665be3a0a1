//! Tests of the server.

mod answers;
mod client;
mod csv_bodies;
mod endpoints;
mod fixture;
mod hostile;
mod json_bodies;
mod stopping;
