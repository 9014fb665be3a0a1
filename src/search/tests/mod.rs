//! Tests of the search.

mod functions;
mod parzen;
mod pruners;
mod quality;
mod samplers;
mod spaces;
mod study;
mod written;

use crate::search::space::Space;

/// The space that `text` writes.
fn space(text: &str) -> Space {
    Space::from_toml(&text.parse().unwrap_or_else(|error| panic!("{text}: {error}")))
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A space with every kind of range.
fn every_range() -> Space {
    space(
        "a = { low = 1e-4, high = 1.0, log = true }\nb = { low = -3, high = 12 }\nc = { low = 2, high = 256, log = true }\n\
         d = { low = 0.0, high = 1.0, step = 0.1 }\ne = ['x', 'y', 3]\nf = 6\ng = { low = -1.5, high = 2.5 }",
    )
}
