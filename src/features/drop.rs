//! Leaving columns out.

use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::features::column::{ColumnStep, Shape, Working};

/// One column that is left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedDrop {
    column: Arc<str>,
}

/// Leaves `column` out, whatever it holds.
pub fn fit(column: &Working) -> FittedDrop {
    FittedDrop { column: Arc::clone(&column.name) }
}

impl ColumnStep for FittedDrop {
    fn column(&self) -> &Arc<str> {
        &self.column
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut []
    }

    fn shapes(&self, _input: &Shape) -> Result<Vec<Shape>> {
        Ok(Vec::new())
    }

    fn apply<'a>(&self, _column: Working<'a>) -> Vec<Working<'a>> {
        Vec::new()
    }
}
