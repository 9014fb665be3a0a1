//! The one table of model kinds.

use anyhow::Result;

use crate::base::fail;
use crate::base::suggest;
use crate::features::recipe::Family;
use crate::models::baseline;
use crate::models::blend;
use crate::models::form::FormReader;
use crate::models::isolation_forest;
use crate::models::kmeans;
use crate::models::knn;
use crate::models::linear::{fitted, lasso, least_squares, logistic, poisson};
use crate::models::naive_bayes;
use crate::models::onnx;
use crate::models::params;
use crate::models::predictor::{FitInput, Predictor};
use crate::models::svm;
use crate::models::trees::{boost, boosted, forest, forested};
use crate::spec::kinds::{IsolationForestParams, KMeansParams, SvmParams};
use crate::spec::model::{
    BaselineParams, BoostParams, ElasticNetParams, ForestParams, LassoParams, LinearParams, LogisticParams,
    NaiveBayesParams, NeighboursParams, Task,
};

/// Version of all engines together: raised whenever the same input would give other bytes, so that what older versions
/// made is recognised and is trained again when asked for.
pub const ENGINE_VERSION: u32 = 3;

/// One kind of model.
pub struct Kind {
    /// As written in the project file and on the command line.
    pub name: &'static str,
    /// One line for the help page.
    pub about: &'static str,
    /// What it can predict.
    pub tasks: &'static [Task],
    /// What the recipe `auto` should give it.
    pub family: Family,
    /// Whether a fit heeds [`FitInput::weights`].
    pub weights: bool,
    /// Fits it.
    pub fit: fn(&mut FitInput<'_>) -> Result<Box<dyn Predictor>>,
    /// Reads it back.
    pub read: fn(&mut FormReader<'_>) -> Result<Box<dyn Predictor>>,
    /// All parameters with their defaults.
    pub params: fn() -> toml::Table,
}

const ALL: &[Task] = &[Task::Binary, Task::Multiclass, Task::Regression];
const EVERY: &[Task] = &[Task::Binary, Task::Multiclass, Task::Regression, Task::Clustering, Task::Anomaly];
const CLASSES: &[Task] = &[Task::Binary, Task::Multiclass];
const NUMBERS: &[Task] = &[Task::Regression];

static KINDS: [Kind; 16] = [
    Kind {
        name: "boost",
        about: "gradient boosted trees; the best first choice for tables",
        tasks: ALL,
        family: Family::Trees,
        weights: true,
        fit: boost::fit,
        read: boosted::read,
        params: params::defaults::<BoostParams>,
    },
    Kind {
        name: "forest",
        about: "random forest; robust, little to tune, large on disk",
        tasks: ALL,
        family: Family::Trees,
        weights: true,
        fit: forest::fit_forest,
        read: forested::read,
        params: params::defaults::<ForestParams>,
    },
    Kind {
        name: "extra_trees",
        about: "extremely randomised trees; a forest with random thresholds, faster and smoother",
        tasks: ALL,
        family: Family::Trees,
        weights: true,
        fit: forest::fit_extra_trees,
        read: forested::read,
        params: || params::table(&forest::extra_trees_defaults()),
    },
    Kind {
        name: "tree",
        about: "one decision tree; readable when shallow (set depth)",
        tasks: ALL,
        family: Family::Trees,
        weights: true,
        fit: forest::fit_tree,
        read: forested::read,
        params: params::defaults::<ForestParams>,
    },
    Kind {
        name: "logistic",
        about: "logistic regression; fast, steady, easy to read",
        tasks: CLASSES,
        family: Family::Linear,
        weights: true,
        fit: logistic::fit,
        read: fitted::read,
        params: params::defaults::<LogisticParams>,
    },
    Kind {
        name: "linear",
        about: "ordinary least squares; fast and easy to read",
        tasks: NUMBERS,
        family: Family::Linear,
        weights: true,
        fit: least_squares::fit_linear,
        read: fitted::read,
        params: params::defaults::<LinearParams>,
    },
    Kind {
        name: "ridge",
        about: "least squares with a penalty; steady with many or related features",
        tasks: NUMBERS,
        family: Family::Linear,
        weights: true,
        fit: least_squares::fit_ridge,
        read: fitted::read,
        params: params::defaults::<LinearParams>,
    },
    Kind {
        name: "lasso",
        about: "least squares that leaves features out; chooses its own penalty",
        tasks: NUMBERS,
        family: Family::Linear,
        fit: lasso::fit_lasso,
        read: fitted::read,
        weights: true,
        params: params::defaults::<LassoParams>,
    },
    Kind {
        name: "elastic_net",
        about: "between lasso and ridge; keeps related features together",
        tasks: NUMBERS,
        family: Family::Linear,
        fit: lasso::fit_elastic_net,
        read: fitted::read,
        weights: true,
        params: params::defaults::<ElasticNetParams>,
    },
    Kind {
        name: "poisson",
        about: "Poisson regression, for counts and other targets that are never negative",
        tasks: NUMBERS,
        family: Family::Linear,
        fit: poisson::fit,
        read: fitted::read,
        weights: true,
        params: params::defaults::<LogisticParams>,
    },
    Kind {
        name: "knn",
        about: "nearest neighbours; no assumptions, for small tables",
        tasks: ALL,
        family: Family::Linear,
        weights: false,
        fit: knn::fit,
        read: knn::read,
        params: params::defaults::<NeighboursParams>,
    },
    Kind {
        name: "naive_bayes",
        about: "Gaussian naive Bayes; a quick second opinion",
        tasks: CLASSES,
        family: Family::Linear,
        weights: true,
        fit: naive_bayes::fit,
        read: naive_bayes::read,
        params: params::defaults::<NaiveBayesParams>,
    },
    Kind {
        name: "svm",
        about: "support vectors; smooth borders with kernels, for small tables",
        tasks: ALL,
        family: Family::Linear,
        weights: true,
        fit: svm::fit,
        read: svm::read,
        params: params::defaults::<SvmParams>,
    },
    Kind {
        name: "kmeans",
        about: "k-means; groups of rows around centers, no target needed",
        tasks: &[Task::Clustering],
        family: Family::Linear,
        weights: true,
        fit: kmeans::fit,
        read: kmeans::read,
        params: params::defaults::<KMeansParams>,
    },
    Kind {
        name: "isolation_forest",
        about: "isolation forest; rows that few random cuts set apart, no target needed",
        tasks: &[Task::Anomaly],
        family: Family::Linear,
        weights: false,
        fit: isolation_forest::fit,
        read: isolation_forest::read,
        params: params::defaults::<IsolationForestParams>,
    },
    Kind {
        name: "baseline",
        about: "one answer whatever the features (shares, mean, median, last); what every model has to beat",
        tasks: EVERY,
        family: Family::Trees,
        weights: true,
        fit: baseline::fit,
        read: baseline::read,
        params: params::defaults::<BaselineParams>,
    },
];

/// Kinds that are put together by a search or brought in from elsewhere: never fitted by name, read back like any other.
static READ_ONLY: [Kind; 2] = [
    Kind {
        name: blend::NAME,
        about: "a weighted mean of models; made by --auto",
        tasks: ALL,
        family: Family::Trees,
        weights: true,
        fit: blend::fit,
        read: blend::read,
        params: toml::Table::new,
    },
    Kind {
        name: "onnx",
        about: "a graph trained elsewhere and brought in with `mlops import`; cannot be trained here",
        tasks: ALL,
        family: Family::Trees,
        weights: false,
        fit: onnx::fit,
        read: onnx::read,
        params: toml::Table::new,
    },
];

/// All kinds that can be fitted, best known first.
pub fn kinds() -> &'static [Kind] {
    &KINDS
}

/// The kind called `name`. Errors: there is none, with a suggestion.
pub fn kind(name: &str) -> Result<&'static Kind> {
    let found = KINDS.iter().chain(&READ_ONLY).find(|kind| kind.name == name);
    found.ok_or_else(|| suggest::unknown("model", name, KINDS.iter().map(|kind| kind.name)).into())
}

/// The kind called `name`, if it can do `task`. Errors: unknown, or unable; the hint names the kinds that are able.
pub fn kind_for(name: &str, task: Task) -> Result<&'static Kind> {
    let kind = kind(name)?;
    if kind.tasks.contains(&task) {
        return Ok(kind);
    }
    let able: Vec<&str> = KINDS.iter().filter(|kind| kind.tasks.contains(&task)).map(|kind| kind.name).collect();
    Err(fail::usage(format!("`{name}` cannot do a {} task", task.name()))
        .hint(format!("these can: {}", able.join(", ")))
        .into())
}

/// Checks that `kind` heeds weights when there are some. Errors: it does not; the hint names kinds of the task that do.
pub fn check_weights(kind: &Kind, task: Task, weighted: bool) -> Result<()> {
    if kind.weights || !weighted {
        return Ok(());
    }
    let able = KINDS.iter().filter(|kind| kind.weights && kind.tasks.contains(&task));
    let able: Vec<&str> = able.map(|kind| kind.name).collect();
    Err(fail::usage(format!("`{}` cannot weigh rows", kind.name))
        .hint(format!("these can: {}; or leave the weights out", able.join(", ")))
        .into())
}

/// Kinds whose fit can go on from an earlier model.
const GOING_ON: [&str; 1] = ["boost"];

/// Checks that a fit of `kind` can go on from an earlier model. Errors: it cannot; the hint names the kinds that can.
pub fn check_from(kind: &Kind) -> Result<()> {
    if GOING_ON.contains(&kind.name) {
        return Ok(());
    }
    Err(fail::usage(format!("`{}` cannot go on from an earlier model", kind.name))
        .hint(format!("these can: {}; or train it anew, without --from", GOING_ON.join(", ")))
        .into())
}

/// What `auto` means.
pub fn default_kind(task: Task) -> &'static str {
    match task {
        Task::Clustering => "kmeans",
        Task::Anomaly => "isolation_forest",
        Task::Binary | Task::Multiclass | Task::Regression => "boost",
    }
}
