//! `log --datasets --profile`: what a dataset version holds, from its stored profile, and what is made on demand.

use anyhow::Result;
use serde::Serialize;

use crate::base::seed::Seed;
use crate::base::suggest;
use crate::data::associate::{Associations, associate};
use crate::data::profile::slices::{Slices, profile_by};
use crate::data::profile::weighted::{WeightedProfile, weighted_profile};
use crate::drift::compare::{DriftOptions, compare};
use crate::drift::report::DriftReport;
use crate::ops::context::OpCtx;
use crate::ops::dataset;
use crate::record::profile::ProfileRecord;
use crate::repo::Repo;
use crate::spec::drift::DriftSpec;

/// What to show of which dataset.
#[derive(Clone, Debug, Default)]
pub struct ProfileOptions {
    /// The dataset version; the newest version of the dataset that came in last when absent.
    pub dataset: Option<String>,
    /// A column to profile each value of apart.
    pub by: Option<String>,
    /// A column of weights.
    pub weight: Option<String>,
    /// The column to relate all others to; the dataset's target when absent.
    pub target: Option<String>,
    /// A dataset version to hold it against.
    pub against: Option<String>,
    /// How the two are compared.
    pub drift: DriftSpec,
}

/// The profile of a dataset version.
#[derive(Clone, Debug, Serialize)]
pub struct ProfileReport {
    /// What a person calls the version.
    pub dataset: String,
    /// Statistics of every column.
    #[serde(flatten)]
    pub profile: ProfileRecord,
    /// How columns go together, and with the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub associations: Option<Associations>,
    /// A profile for each value of one column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Slices>,
    /// Another version, and how far the columns moved from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<ProfileAgainst>,
    /// Statistics by weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weighted: Option<WeightedProfile>,
}

/// The version that a profile is held against.
#[derive(Clone, Debug, Serialize)]
pub struct ProfileAgainst {
    /// What a person calls it.
    pub dataset: String,
    /// Its statistics.
    #[serde(skip)]
    pub profile: ProfileRecord,
    /// How far the columns moved.
    pub drift: DriftReport,
}

/// Reads the profile of a dataset version, and makes the rest from its table.
///
/// Errors: an unknown dataset or column; weights that are none. Cost: reading the table, and a pass over each pair of columns.
pub fn profile(repo: &Repo, options: &ProfileOptions, ctx: &OpCtx<'_>) -> Result<ProfileReport> {
    let found = dataset::find(repo, options.dataset.as_deref(), None)?;
    let names = || found.record.columns.iter().map(|column| column.name.as_str());
    for name in [&options.by, &options.weight, &options.target].into_iter().flatten() {
        if !names().any(|known| known == name) {
            return Err(suggest::unknown("column", name, names()).into());
        }
    }
    let target = options.target.as_deref().or(found.record.roles.target.as_deref());
    let table = dataset::table(repo, &found, ctx.talk)?;
    let profile = dataset::profile(repo, &found.record)?;
    let against = options.against.as_deref().map(|reference| -> Result<ProfileAgainst> {
        let older = dataset::find(repo, Some(reference), None)?;
        let how = DriftOptions { spec: options.drift.clone(), seed: Seed(ctx.seed) };
        let reference = dataset::profile(repo, &older.record)?;
        let drift = compare(&reference, &profile, &how)?;
        Ok(ProfileAgainst { dataset: older.label, profile: reference, drift })
    });
    Ok(ProfileReport {
        dataset: found.label.clone(),
        against: against.transpose()?,
        profile,
        associations: Some(associate(&table, target)?),
        by: options.by.as_deref().map(|by| profile_by(&table, by)).transpose()?,
        weighted: options.weight.as_deref().map(|weight| weighted_profile(&table, weight)).transpose()?,
    })
}
