//! A recipe fitted on training rows: all that is needed to make features from raw columns.

use serde::{Deserialize, Serialize};

use crate::base::id::ObjectId;
use crate::record::Record;

/// A fitted recipe and what it was fitted on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecipeRecord {
    /// The dataset record.
    pub dataset: ObjectId,
    /// The split record whose training rows it saw.
    pub split: ObjectId,
    /// The column that is predicted, which steps may have learned from; unknown to older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The fitted recipe as `features` writes it.
    pub fitted: serde_json::Value,
    /// Features that come out, in order.
    pub features: Vec<FeatureRecord>,
    /// Parquet blob of the features of all rows with a column `split`; derived, absent when not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<ObjectId>,
}

/// One feature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureRecord {
    /// Name of the feature.
    pub name: String,
    /// `number`, `indicator` or `category`.
    #[serde(rename = "type")]
    pub feature_type: String,
    /// The raw column it comes from.
    pub from: String,
}

impl Record for RecipeRecord {
    const KIND: &'static str = "recipe";
    const VERSION: u32 = 1;

    fn references(&self) -> Vec<ObjectId> {
        let mut ids = vec![self.dataset, self.split];
        ids.extend(self.table);
        ids
    }
}
