//! Columns under another name.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::fail::{self, Failure};
use crate::features::column::{ColumnStep, Kind, Shape, Working};
use crate::features::step::{Action, ColumnAction, FittedColumn, Learned};
use crate::spec::steps::RenameSpec;

/// The new name of each column.
#[derive(Clone, Debug, PartialEq)]
pub struct RenameOptions {
    /// By old name.
    pub names: BTreeMap<String, String>,
}

/// One column's new name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedRename {
    pub(crate) column: Arc<str>,
    pub(crate) name: Arc<str>,
}

/// Checks what was written: names that are not empty, do not repeat, and change something.
pub fn check(spec: &RenameSpec) -> Result<Action, Failure> {
    if spec.names.is_empty() {
        return Err(fail::usage("rename: names is empty").hint("write names = { old = \"new\" }"));
    }
    let mut seen = std::collections::BTreeSet::new();
    for (old, new) in &spec.names {
        if new.is_empty() || new == old {
            return Err(fail::usage(format!("rename: `{old}` is given the name `{new}`, which is no other name")));
        }
        if !seen.insert(new) {
            return Err(fail::usage(format!("rename: two columns are given the name `{new}`")));
        }
    }
    Ok(Action::each(RenameOptions { names: spec.names.clone() }))
}

/// Gives a column its new name; its values and its origin stay. A name that a column has already gets a number, with a note.
impl ColumnAction for RenameOptions {
    fn name(&self) -> &'static str {
        "rename"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Number, Kind::Text, Kind::Time, Kind::Indicator, Kind::Category]
    }

    fn learn(&self, column: &Working) -> Result<Learned> {
        let name = self.names.get(&*column.name).map_or_else(|| Arc::clone(&column.name), |name| name.as_str().into());
        Ok((FittedColumn::Rename(FittedRename { column: Arc::clone(&column.name), name }), Vec::new()))
    }
}

impl ColumnStep for FittedRename {
    fn column(&self) -> &Arc<str> {
        &self.column
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        std::slice::from_mut(&mut self.name)
    }

    fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        Ok(vec![input.made(&self.name, input.kind)])
    }

    fn apply<'a>(&self, column: Working<'a>) -> Vec<Working<'a>> {
        vec![Working { name: Arc::clone(&self.name), ..column }]
    }
}
