//! Tests of the server.

mod answers;
mod checking;
mod client;
mod csv_bodies;
mod endpoints;
mod fixture;
mod hostile;
mod json_bodies;
mod stopping;
