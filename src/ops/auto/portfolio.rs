//! The configurations that are tried first, in order: cheap ones and different ones early, so that a search that is stopped
//! has seen every family.
//!
//! After AutoGluon (Erickson et al. 2020) and its portfolios (Salinas and Erickson 2023): defaults of each family, then
//! variants in learning rate, size of trees and shares of rows and features. What is tried depends on the shape of the table
//! alone, never on a clock.

use crate::features::recipe::Family;
use crate::models::zoo::{self, Kind};
use crate::spec::model::Task;

/// One configuration.
#[derive(Clone)]
pub struct Config {
    /// What people read in the leaderboard.
    pub name: String,
    /// The kind.
    pub kind: &'static Kind,
    /// Parameters that differ from its defaults.
    pub params: toml::Table,
    /// Whose features it eats.
    pub family: Family,
}

/// What the choice depends on.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// What is predicted.
    pub task: Task,
    /// Rows that models may be fitted on.
    pub rows: usize,
    /// Number of classes, at least 1.
    pub outputs: usize,
    /// Features of the wider of the forms that tables come in.
    pub features: usize,
    /// Whether a numeric target is never negative.
    pub positive: bool,
}

/// Rows up to which each family is tried; all grow faster than the rows.
const SVM_ROWS_MAX: usize = 4_000;
const KNN_ROWS_MAX: usize = 20_000;
const KNN_FEATURES_MAX: usize = 200;
const BAYES_ROWS_MAX: usize = 200_000;
/// Rows up to which a variant more of every family is worth its time.
const SMALL_ROWS: usize = 3_000;
/// Rows from which leaves of one row only cost space.
const LEAF_ROWS_FROM: usize = 3_000;
/// Rows from which large trees are worth growing.
const LARGE_TREES_FROM: usize = 4_000;
/// Rows below which features are cut into few bins: more say nothing and cost time.
const FEW_BINS_BELOW: usize = 3_000;

/// A configuration of `kind` with parameters as TOML.
pub fn config(name: &str, kind: &str, family: Family, params: &str) -> Option<Config> {
    let params = params.parse().ok()?;
    Some(Config { name: name.to_owned(), kind: zoo::kind(kind).ok()?, params, family })
}

/// All configurations for a table of this shape, in the order in which they are tried.
pub fn portfolio(shape: &Shape) -> Vec<Config> {
    let mut all = Portfolio { shape, list: Vec::new() };
    all.first();
    match shape.task {
        Task::Regression => all.numbers(),
        _ => all.classes(),
    }
    all.list
}

struct Portfolio<'a> {
    shape: &'a Shape,
    list: Vec<Config>,
}

impl Portfolio<'_> {
    fn add(&mut self, name: &str, kind: &str, params: &str) {
        if let Some(mut config) = config(name, kind, Family::Trees, params) {
            config.family = config.kind.family;
            self.list.push(config);
        }
    }

    /// A boosted ensemble that stops when the rows held out say so.
    fn boost(&mut self, name: &str, rate: f64, params: &str) {
        self.list.extend(config(name, "boost", Family::Trees, &patient(self.shape, rate, params)));
    }

    /// The same on the features of linear models: columns of 0 and 1 in place of categories.
    fn boost_dense(&mut self, name: &str, rate: f64, params: &str) {
        self.list.extend(config(name, "boost", Family::Linear, &patient(self.shape, rate, params)));
    }

    fn first(&mut self) {
        let small = if self.shape.rows < 400 { "leaf_rows = 5" } else { "" };
        // The default, without a look at the rows held out: whatever happens, there is a sound model.
        self.add("boost", "boost", small);
    }

    fn forests(&mut self) {
        let trees = forest_trees(self.shape);
        let leaf = if self.shape.rows < LEAF_ROWS_FROM { 1 } else { 3 };
        self.add("extra_trees", "extra_trees", &format!("trees = {trees}\nleaf_rows = {leaf}"));
        self.add("forest", "forest", &format!("trees = {trees}\nleaf_rows = {leaf}"));
    }

    fn machines(&mut self) {
        if self.shape.rows <= SVM_ROWS_MAX {
            self.add("svm", "svm", "");
        }
    }

    fn neighbours(&mut self) {
        if self.shape.rows <= KNN_ROWS_MAX && self.shape.features <= KNN_FEATURES_MAX && self.shape.rows >= 60 {
            self.add("knn_15", "knn", "neighbours = 15\nweights = \"distance\"");
        }
    }

    fn large_trees(&mut self) {
        if self.shape.rows >= LARGE_TREES_FROM {
            let leaves = if self.shape.rows < 20_000 { 63 } else { 127 };
            let more = format!("leaves = {leaves}\nleaf_rows = 20\nfeature_share = 0.6\nrow_share = 0.8\nl2 = 2.0");
            self.boost("boost_large", 0.05, &more);
        }
    }

    fn variants(&mut self) {
        let leaf = if self.shape.rows < 1_000 { 3 } else { 10 };
        let one = format!("leaves = 63\ndepth = 6\nleaf_rows = {leaf}\nfeature_share = 0.5\nl2 = 5.0");
        self.boost("boost_depth_6", 0.05, &one);
        self.boost("boost_fine", 0.03, "leaves = 24\nleaf_rows = 40\nfeature_share = 0.4\nrow_share = 0.7\nl2 = 1.0");
        self.boost_dense("boost_dense", 0.05, "leaves = 31\nleaf_rows = 20\nfeature_share = 0.6\nrow_share = 0.8");
        let node = format!("leaves = 16\nleaf_rows = {leaf}\nfeature_share_node = 0.4\nrow_share = 0.6\nl2 = 10.0");
        self.boost("boost_node_shares", 0.05, &node);
    }

    fn classes(&mut self) {
        self.add("logistic", "logistic", "");
        if self.shape.rows <= SMALL_ROWS {
            self.add("logistic_strong", "logistic", "l2 = 10.0");
            self.add("logistic_weak", "logistic", "l2 = 0.1");
            self.machines();
            self.neighbours();
        }
        self.small_trees();
        self.forests_early();
        self.boost("boost_slow", 0.05, "feature_share = 0.8\nrow_share = 0.8");
        self.large_trees();
        self.after();
        if self.shape.rows <= SMALL_ROWS {
            self.add("svm_linear", "svm", "kernel = \"linear\"\ncost = 0.3");
            self.add("svm_cost_5", "svm", "cost = 5.0");
        }
        self.variants();
        if self.shape.rows <= BAYES_ROWS_MAX {
            self.add("naive_bayes", "naive_bayes", "");
        }
        self.add("logistic_l1", "logistic", "penalty = \"l1\"\nl1 = 3.0");
        self.late();
    }

    fn numbers(&mut self) {
        self.add("ridge", "ridge", "");
        self.add("linear", "linear", "");
        if self.shape.rows <= SMALL_ROWS {
            self.add("elastic_net", "elastic_net", "");
            self.add("ridge_strong", "ridge", "l2 = 30.0");
            self.machines();
            self.neighbours();
        }
        self.small_trees();
        self.forests_early();
        self.boost("boost_slow", 0.05, "feature_share = 0.8\nrow_share = 0.8");
        if self.shape.positive {
            self.boost("boost_poisson", 0.05, "objective = \"poisson\"\nfeature_share = 0.8\nrow_share = 0.8");
        }
        self.large_trees();
        if self.shape.positive && self.shape.rows >= LARGE_TREES_FROM {
            let more = "objective = \"poisson\"\nleaves = 63\nleaf_rows = 20\nfeature_share = 0.6\nrow_share = 0.8";
            self.boost("boost_poisson_large", 0.05, more);
        }
        self.after();
        if self.shape.rows <= SMALL_ROWS {
            self.add("lasso", "lasso", "");
            self.add("svm_linear", "svm", "kernel = \"linear\"\ncost = 0.3");
            self.add("svm_cost_10", "svm", "cost = 10.0");
        }
        self.variants();
        self.late();
    }

    /// What is cheap on small tables and stands early there, on larger ones.
    fn after(&mut self) {
        if self.shape.rows > SMALL_ROWS {
            self.machines();
            self.forests();
            self.neighbours();
        }
    }

    /// Trees of few leaves: the best of boosting on small tables, cheap on all.
    fn small_trees(&mut self) {
        let leaf = if self.shape.rows < 1_000 { 5 } else { 20 };
        let more = format!("leaves = 6\nleaf_rows = {leaf}\nfeature_share = 0.7\nrow_share = 0.8");
        self.boost("boost_small_trees", 0.08, &more);
    }

    /// Forests stand early where they are cheap.
    fn forests_early(&mut self) {
        if self.shape.rows <= SMALL_ROWS {
            self.forests();
        }
    }

    fn late(&mut self) {
        let trees = forest_trees(self.shape);
        let leaf = if self.shape.rows < LEAF_ROWS_FROM { 4 } else { 10 };
        let wide = format!("trees = {trees}\nleaf_rows = {leaf}\nfeature_share = 0.6");
        self.add("extra_trees_wide", "extra_trees", &wide);
        self.add("forest_wide", "forest", &wide);
        if self.shape.rows <= KNN_ROWS_MAX && self.shape.features <= KNN_FEATURES_MAX && self.shape.rows >= 20 {
            self.add("knn_5", "knn", "neighbours = 5\nweights = \"distance\"");
        }
    }
}

/// Trees of one forest: of large tables, one of each fold together are many.
fn forest_trees(shape: &Shape) -> usize {
    match shape.rows {
        ..3_000 => 200,
        3_000..20_000 => 100,
        _ => 50,
    }
}

/// Parameters of boosting that ends where the rows held out say so: many rounds at most, fewer for many classes.
pub fn patient(shape: &Shape, rate: f64, params: &str) -> String {
    let rounds = (if shape.outputs > 3 { 500 } else { 1_500 }).min((60.0 / rate) as usize);
    // Rows held out that are few are a noisy voice.
    let patience = if shape.rows < 1_000 { 60 } else { 40 };
    let bins = if shape.rows < FEW_BINS_BELOW { 63 } else { 255 };
    format!("learning_rate = {rate:?}\ntrees = {rounds}\npatience = {patience}\nbins = {bins}\n{params}")
}
