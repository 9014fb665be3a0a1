//! A small model whose answers depend on every column, and a server that runs it on a free port.

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use tokio::sync::mpsc;

use crate::base::id::ObjectId;
use crate::base::seed::Seed;
use crate::base::talk::Recorder;
use crate::data::frame::{Column, Frame, TextValues, Values};
use crate::data::matrix::Matrix;
use crate::data::split::Split;
use crate::data::target::Target;
use crate::features::recipe::{Family, FittedRecipe, Recipe};
use crate::models::form::FormWriter;
use crate::models::package::{InputColumn, ModelPackage, PackageHeader};
use crate::models::predictor::{Predictions, Predictor};
use crate::record::profile::ProfileRecord;
use crate::serve::schema::InputSchema;
use crate::serve::{ServeOptions, ServedModel, server};
use crate::spec::model::Task;
use crate::spec::schema::ColumnType;

/// Age that makes the model panic.
pub const PANIC_AGE: f64 = -666.0;
/// Age that makes the model fail.
pub const FAIL_AGE: f64 = -667.0;

pub fn inputs() -> Vec<InputColumn> {
    let column = |name: &str, column_type, missing_seen| InputColumn {
        name: name.to_owned(),
        column_type,
        missing_seen,
        domain: None,
        min: None,
        max: None,
    };
    let cities = ["Oslo", "Paris", "Rome"].map(str::to_owned).to_vec();
    vec![
        InputColumn { min: Some(18.0), max: Some(90.0), ..column("age", ColumnType::Integer, false) },
        InputColumn { min: Some(0.0), max: Some(1e6), ..column("income", ColumnType::Float, true) },
        InputColumn { domain: Some(cities), ..column("city", ColumnType::Text, false) },
        column("member", ColumnType::Boolean, false),
        column("joined", ColumnType::Date, true),
        column("seen", ColumnType::Timestamp, true),
    ]
}

pub fn schema() -> InputSchema {
    InputSchema::new(&inputs())
}

/// Answers from every feature; panics or fails when its first feature, the age, asks it to.
struct Probe {
    classes: bool,
}

impl Predictor for Probe {
    fn predict(&self, matrix: &Matrix) -> Result<Predictions> {
        let mut sums = vec![0.0; matrix.rows()];
        for (place, feature) in matrix.features().iter().enumerate() {
            for (row, sum) in sums.iter_mut().enumerate() {
                let value = match feature.values.get(row) {
                    value if value.is_nan() => -1.0,
                    PANIC_AGE => panic!("asked to"),
                    FAIL_AGE => anyhow::bail!("the disk is on fire"),
                    value => value / 100.0,
                };
                *sum += value / (place + 1) as f64;
            }
        }
        if !self.classes {
            return Ok(Predictions::Numbers(sums));
        }
        let share = |sum: f64| 1.0 / (1.0 + (-sum).exp());
        let values = sums.into_iter().flat_map(|sum| [1.0 - share(sum), share(sum)]).collect();
        Ok(Predictions::Probabilities { classes: 2, values })
    }

    fn write(&self, _form: &mut FormWriter) {}

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A recipe that turns every input into one number.
fn recipe() -> Result<FittedRecipe> {
    let number = |values: [f64; 3]| Values::Number(values.to_vec());
    let city = TextValues::from_values([Some("Oslo"), Some("Paris"), Some("Rome")]);
    let frame = Frame::new(
        3,
        vec![
            Column::raw("age", number([18.0, 40.0, 90.0])),
            Column::raw("income", number([0.0, 5e5, 1e6])),
            Column::raw("city", Values::Text(city)),
            Column::raw("member", number([0.0, 1.0, 1.0])),
            Column::raw("joined", Values::Time(vec![0, 86_400_000_000, 172_800_000_000])),
            Column::raw("seen", Values::Time(vec![0, 1_000_000, 2_000_000])),
        ],
    )?;
    let spec = toml::from_str(
        "steps = [{ op = 'ordinal', columns = ['city'] }, { op = 'dates', columns = 'time', parts = ['epoch'] }]",
    )?;
    let target = Target::Numbers(vec![1.0, 2.0, 3.0]);
    let train = Split::from_parts(vec![0; 3])?.training(&frame, &target, &[0, 1, 2])?;
    Recipe::from_spec(&spec, Family::Linear)?.fit(&train, Seed(42))
}

fn served(name: &str, task: Task, classes: &[&str]) -> ServedModel {
    let recipe = recipe().expect("the recipe suits its table");
    let header = PackageHeader {
        target: "left".to_owned(),
        target_type: Some(ColumnType::Integer),
        classes: classes.iter().map(|class| (*class).to_owned()).collect(),
        inputs: inputs(),
        ..PackageHeader::new("probe", task, recipe.features().to_vec())
    };
    let baseline = ProfileRecord { rows: 3, columns: Vec::new() };
    let predictor = Box::new(Probe { classes: !classes.is_empty() });
    let package = ModelPackage::new(header, recipe, predictor, baseline);
    ServedModel { name: name.to_owned(), version: Some(3), id: ObjectId::new([7; 32]), package }
}

/// A model of classes `0` and `1`, which are whole numbers.
pub fn classifier() -> ServedModel {
    served("churn", Task::Binary, &["0", "1"])
}

/// A model of numbers.
pub fn regressor() -> ServedModel {
    served("price", Task::Regression, &[])
}

/// A server on a thread of its own; dropping it stops it.
pub struct Running {
    pub address: SocketAddr,
    pub talk: Arc<Recorder>,
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Running {
    pub fn start(models: Vec<ServedModel>) -> Result<Running> {
        let (stop, stopped) = mpsc::channel(2);
        let (ready, is_ready) = std::sync::mpsc::channel();
        let talk = Arc::new(Recorder::default());
        let heard = Arc::clone(&talk);
        let thread = std::thread::spawn(move || {
            let options = ServeOptions { port: 0, threads: Some(2), ..ServeOptions::default() };
            let mut on_ready = |address| Ok(ready.send(address)?);
            server::run(models, &options, &*heard, &mut on_ready, || Ok(stopped))
        });
        let address = is_ready.recv().context("the server never got ready")?;
        Ok(Running { address, talk, stop: Some(stop), thread: Some(thread) })
    }

    /// Asks the server to stop, and goes on.
    pub fn ask_to_stop(&self) -> Result<()> {
        Ok(self.stop.as_ref().context("stopped already")?.blocking_send(())?)
    }

    /// Waits for the end of a server that was asked to stop.
    pub fn join(mut self) -> Result<()> {
        let thread = self.thread.take().context("joined already")?;
        thread.join().map_err(|_| anyhow::anyhow!("the server panicked"))?
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A test that fails must not fail a second time here.
            let _ = thread.join();
        }
    }
}
