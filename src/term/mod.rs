//! What a person or a program sees: the only printer.
//!
//! Lives here: standard output as data (lines, tables, one JSON envelope), standard error as talk (notes, hints,
//! errors, progress bars), and the rules for colour, width and quiet. Does not live here: what is said (`ops` makes
//! reports, `cli` arranges them).
//!
//! Always holds: standard output carries data only; colour never carries meaning alone; nothing moves on the screen
//! unless standard error is a terminal.

pub mod progress;
pub mod spark;
pub mod style;
pub mod table;
pub mod ui;

#[cfg(test)]
mod tests;
