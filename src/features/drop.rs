//! Leaving columns out.

use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::features::column::{ColumnStep, Kind, Shape, Working};
use crate::features::step::{ColumnAction, FittedColumn, Learned};

/// Leaving out has no options.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DropOptions;

/// One column that is left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedDrop {
    pub(crate) column: Arc<str>,
}

impl FittedDrop {
    /// Leaves `column` out.
    pub fn new(column: Arc<str>) -> FittedDrop {
        FittedDrop { column }
    }
}

impl ColumnAction for DropOptions {
    fn name(&self) -> &'static str {
        "drop"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Number, Kind::Text, Kind::Time, Kind::Indicator, Kind::Category]
    }

    fn learn(&self, column: &Working) -> Result<Learned> {
        Ok((FittedColumn::Drop(FittedDrop { column: Arc::clone(&column.name) }), Vec::new()))
    }
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
