//! `init`: makes a repository, and a project file filled in from data when asked.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::base::fail;
use crate::base::suggest;
use crate::base::talk::Talk;
use crate::data::source::{self, ReadOptions};
use crate::data::target;
use crate::repo::Repo;
use crate::spec::model::Task;

/// Where to make a repository, and from what to fill in its project file.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// Folder of the project.
    pub root: PathBuf,
    /// Data to fill in the project file from.
    pub from: Option<PathBuf>,
    /// The column to predict.
    pub target: Option<String>,
    /// What kind of prediction; inferred from the target when absent.
    pub task: Option<Task>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct InitReport {
    /// The repository folder.
    pub path: PathBuf,
    /// Whether it was made now.
    pub created: bool,
    /// The project file, if it was written now.
    pub project_file: Option<PathBuf>,
}

/// Makes `.mlops/` and, if there is none yet, a commented project file.
pub fn init(options: &InitOptions, project_file: &str, talk: &dyn Talk) -> Result<InitReport> {
    let path = options.root.join(project_file);
    let text = match &options.from {
        Some(source) => Some(from_data(options, source, talk)?),
        None if path.exists() => None,
        None => Some(TEMPLATE.to_owned()),
    };
    if options.from.is_some() && path.exists() {
        return Err(fail::usage(format!("{} exists", path.display())).hint("move it away, or leave out --from").into());
    }
    let (repo, created) = Repo::init(&options.root)?;
    if let Some(text) = &text {
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let folder = repo.root().join(".mlops");
    Ok(InitReport { path: folder, created, project_file: text.map(|_| path) })
}

fn from_data(options: &InitOptions, source: &Path, talk: &dyn Talk) -> Result<String> {
    let read = source::read(source, &ReadOptions::default(), talk)
        .with_context(|| format!("cannot read {} as a table", source.display()))?;
    let columns = read.table.columns();
    let names = || columns.iter().map(|column| column.name.as_str());
    let target = options.target.as_deref();
    if let Some(target) = target.filter(|target| !names().any(|name| name == *target)) {
        return Err(suggest::unknown("column", target, names()).into());
    }
    let task = match (options.task, target) {
        (Some(task), Some(target)) => {
            drop(target::read_target(&read.table, target, task)?);
            task
        }
        (Some(task), None) if !task.is_supervised() => task,
        (None, Some(target)) => {
            let (task, why) = target::infer_task(&read.table, target)?;
            talk.info(&format!("task {}: {why}", task.name()));
            task
        }
        (_, None) => {
            let columns = names().collect::<Vec<_>>().join(", ");
            let hint = format!("add --target COLUMN, or --task clustering or anomaly; columns: {columns}");
            return Err(fail::usage("which column is to be predicted?").hint(hint).into());
        }
    };
    let full = std::path::absolute(source)?;
    let root = std::path::absolute(&options.root)?;
    let relative = full.strip_prefix(&root).unwrap_or(&full).display().to_string();
    let name = source.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(project_text(&name, &relative, target, task))
}

fn project_text(name: &str, source: &str, target: Option<&str>, task: Task) -> String {
    let quote = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let (metrics, gate) = match task {
        Task::Regression => (r#"["rmse", "mae", "r2"]"#, "r2 >= 0.0"),
        Task::Binary => (r#"["roc_auc", "accuracy", "log_loss"]"#, "roc_auc >= 0.5"),
        Task::Multiclass => (r#"["accuracy", "f1_macro", "log_loss"]"#, "accuracy >= 0.5"),
        Task::Clustering => (r#"["silhouette", "davies_bouldin", "clusters"]"#, "silhouette >= 0.1"),
        Task::Anomaly => (r#"["flagged_share", "score_p99"]"#, "flagged_share <= 0.5"),
    };
    let target = match target {
        Some(target) => format!("target = {}", quote(target)),
        None => "# target = \"COLUMN\"      # known labels, which only judge".to_owned(),
    };
    let models = match task {
        Task::Clustering => "kmeans, baseline",
        Task::Anomaly => "isolation_forest, baseline",
        _ => "boost, forest, extra_trees, tree, linear, ridge, logistic, svm, knn, naive_bayes, baseline",
    };
    format!(
        r#"# One file describes the whole pipeline: `mlops run` executes it, `mlops status --why` says what would run.

[project]
name = {name}
seed = 42

[data]
source = {source}
{target}
task = "{task}"
# ignore = []              # columns never used as features
# key = []                 # columns that identify a row

[split]
test = 0.2
validation = 0.2

# [validate]               # after `mlops validate --init` and your review
# schema = "schema.toml"

[transform]
recipe = "auto"

[train]
model = "auto"             # or: {models}

[evaluate]
metrics = {metrics}
gates = ["{gate}"]          # raise the bound to what you need

[register]
promote = "champion"       # moved when every gate passes
"#,
        name = quote(name),
        source = quote(source),
        task = task.name(),
    )
}

const TEMPLATE: &str = r#"# One file describes the whole pipeline: `mlops run` executes it, `mlops status --why` says what would run.
# Fill in [data], take away the leading #, and run `mlops run`.

[project]
# name = "penguins"
seed = 42

# [data]
# source = "data/penguins.csv"
# target = "species"

# [train]
# model = "auto"

# [evaluate]
# gates = ["accuracy >= 0.9"]

# [register]
# promote = "champion"
"#;
