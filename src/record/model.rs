//! A trained model: its package and where it came from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::id::ObjectId;
use crate::record::Record;
use crate::spec::model::Task;

/// One trained model. The package alone predicts; this says where it came from.
///
/// Names no run, so that the same training twice gives the same record; the runs that made it name it instead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelRecord {
    /// The package blob; its id is the model's id.
    pub package: ObjectId,
    /// Name of the model kind.
    pub model: String,
    /// What it predicts.
    pub task: Task,
    /// The dataset record; for an imported model the one that described its columns, if any did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<ObjectId>,
    /// The split record; none for an imported model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<ObjectId>,
    /// The fitted recipe record; none for an imported model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<ObjectId>,
    /// Scores on the validation rows.
    pub metrics: BTreeMap<String, f64>,
    /// The package that the fit went on from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<ObjectId>,
    /// The file that it was imported from, as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<ObjectId>,
}

impl Record for ModelRecord {
    const KIND: &'static str = "model";
    const VERSION: u32 = 1;

    fn references(&self) -> Vec<ObjectId> {
        let made_from = [self.dataset, self.split, self.recipe, self.from, self.imported];
        std::iter::once(self.package).chain(made_from.into_iter().flatten()).collect()
    }
}
