//! What one training was asked for: everything that its outcome depends on, so that it can be done again.

use serde::{Deserialize, Serialize};

use crate::base::id::ObjectId;
use crate::record::Record;
use crate::record::dataset::Roles;
use crate::spec::model::TrainSpec;
use crate::spec::recipe::TransformSpec;
use crate::spec::split::SplitSpec;

/// Everything that the outcome of one training depends on. Names no time, run, path or host: trainings that ask for the same
/// share one record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingRecord {
    /// Version of the engines that fitted it.
    pub engine: u32,
    /// The processor: architecture and vector units, as `x86_64 avx2 fma`.
    pub processor: String,
    /// The one source of chance.
    pub seed: u64,
    /// What the columns of the table mean, with the task settled.
    pub roles: Roles,
    /// How the rows are divided.
    pub split_spec: SplitSpec,
    /// How columns become features.
    pub transform: TransformSpec,
    /// The family of models that the recipe is meant for: `trees` or `linear`; that of the task's usual kind when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// Kind, parameters and what is decided around a fit. `from` is absent, as `from` below says it by id; an automatic search
    /// has the number of trials that counted and no time.
    pub train: TrainSpec,
    /// The dataset record.
    pub dataset: ObjectId,
    /// The split record.
    pub split: ObjectId,
    /// The fitted recipe record.
    pub recipe: ObjectId,
    /// Whether the recipe had been fitted before, by `transform` or `tune`, and was taken as it was.
    #[serde(default, skip_serializing_if = "is_no")]
    pub recipe_given: bool,
    /// The package that the fit went on from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<ObjectId>,
    /// Why the same training need not give the same model, in a sentence; absent when it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unrepeatable: Option<String>,
}

fn is_no(flag: &bool) -> bool {
    !flag
}

impl Record for TrainingRecord {
    const KIND: &'static str = "training";
    const VERSION: u32 = 1;

    fn references(&self) -> Vec<ObjectId> {
        let mut ids = vec![self.dataset, self.split, self.recipe];
        ids.extend(self.from);
        ids
    }
}
