//! Tests of suspicions.
