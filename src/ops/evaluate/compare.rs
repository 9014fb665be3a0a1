//! The same rows answered by another model.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::base::id::ObjectId;
use crate::metrics;
use crate::models::package::ModelPackage;
use crate::ops::context::OpCtx;
use crate::ops::evaluate::judged::Judged;
use crate::ops::evaluate::{EvaluateOptions, champion, open_package};
use crate::record::evaluation::{ModelComparison, SliceResult};
use crate::repo::Repo;
use crate::spec::gate::{Bound, GateSpec};
use crate::spec::project::EvaluateSpec;

/// The model compared with.
pub struct Other {
    /// What a person calls it.
    pub name: String,
    /// Id of its package.
    pub id: ObjectId,
    /// It, opened.
    pub package: ModelPackage,
}

impl Other {
    /// The model compared with, when a gate or the person asks for one.
    pub fn find(
        repo: &Repo,
        options: &EvaluateOptions,
        gates: &[GateSpec],
        package: ObjectId,
    ) -> Result<Option<Other>> {
        let asked = gates.iter().any(|gate| matches!(gate.bound, Bound::Champion { .. }));
        let other = match (&options.against, &options.name) {
            (Some(reference), _) => Some(repo.resolve_model(reference)?),
            (None, Some(name)) if asked => champion(repo, name, package)?,
            _ => None,
        };
        let open = |found: crate::repo::resolve::ModelRef| {
            let package = open_package(repo, &found.package)?;
            Ok(Other { name: found.label(), id: found.package, package })
        };
        other.map(open).transpose()
    }
}

/// Both models on the rows of `judged`.
pub fn compare(
    judged: &Judged<'_>,
    other: &Other,
    _spec: &EvaluateSpec,
    _headline: &str,
    _slices: &[SliceResult],
    _ctx: &OpCtx<'_>,
) -> Result<ModelComparison> {
    let theirs = Judged::ask(judged.jury, &other.package)?;
    Ok(ModelComparison {
        against: other.id,
        name: other.name.clone(),
        metrics: BTreeMap::new(),
        other_metrics: metrics::measure(None, &theirs.sample()?)?,
        wins: 0,
        losses: 0,
        ties: 0,
        flip_rate: None,
        other_slices: Vec::new(),
        worse_slices: Vec::new(),
    })
}
