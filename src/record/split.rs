//! Which row of a dataset is for training, validation or test.

use serde::{Deserialize, Serialize};

use crate::base::id::ObjectId;
use crate::record::Record;
use crate::spec::split::SplitSpec;

/// A division of the rows of one dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SplitRecord {
    /// The dataset record.
    pub dataset: ObjectId,
    /// How it was made.
    pub spec: SplitSpec,
    /// Seed it was made with.
    pub seed: u64,
    /// Numbers of rows in each part: training, validation, test.
    pub rows: [u64; 3],
    /// Blob with one byte a row: 0 training, 1 validation, 2 test, 3 none of them.
    pub parts: ObjectId,
    /// Blob with one byte a row: the fold that the row is held out in, from 0 on; 255 for rows of no fold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folds: Option<ObjectId>,
}

impl Record for SplitRecord {
    const KIND: &'static str = "split";
    const VERSION: u32 = 1;

    fn references(&self) -> Vec<ObjectId> {
        let mut ids = vec![self.dataset, self.parts];
        ids.extend(self.folds);
        ids
    }
}
