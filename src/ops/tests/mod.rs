//! Tests of what verbs are made of that no folder below can see whole.

mod spaces;
