//! A small model whose answers depend on every column, and a server that runs it on a free port.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use tokio::sync::mpsc;

use crate::base::id::ObjectId;
use crate::base::talk::Recorder;
use crate::data::frame::{Frame, MISSING_TIME, Values};
use crate::models::package::{InputColumn, ModelPackage, PackageHeader};
use crate::models::predictor::Predictions;
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

fn logits(frame: &Frame) -> Result<Vec<f64>> {
    let mut sums = vec![0.0; frame.rows()];
    for (place, column) in frame.columns().iter().enumerate() {
        for (row, sum) in sums.iter_mut().enumerate() {
            let value = match &column.values {
                Values::Number(values) if values[row].is_nan() => -1.0,
                Values::Number(values) if values[row] == PANIC_AGE => panic!("asked to"),
                Values::Number(values) if values[row] == FAIL_AGE => anyhow::bail!("the disk is on fire"),
                Values::Number(values) => values[row] / 100.0,
                Values::Text(text) => {
                    text.get(row).map_or(-2.0, |text| text.bytes().map(f64::from).sum::<f64>() / 500.0)
                }
                Values::Time(values) if values[row] == MISSING_TIME => -3.0,
                Values::Time(values) => values[row] as f64 / 1e16,
                _ => anyhow::bail!("a column that no request has"),
            };
            *sum += value / (place + 1) as f64;
        }
    }
    Ok(sums)
}

fn classify(frame: &Frame) -> Result<Predictions> {
    let share = |sum: f64| 1.0 / (1.0 + (-sum).exp());
    let values = logits(frame)?.into_iter().flat_map(|sum| [1.0 - share(sum), share(sum)]).collect();
    Ok(Predictions::Probabilities { classes: 2, values })
}

fn regress(frame: &Frame) -> Result<Predictions> {
    Ok(Predictions::Numbers(logits(frame)?))
}

fn served(name: &str, task: Task, classes: &[&str], answer: fn(&Frame) -> Result<Predictions>) -> ServedModel {
    let header = PackageHeader {
        model: "probe".to_owned(),
        task,
        inputs: inputs(),
        classes: classes.iter().map(|class| (*class).to_owned()).collect(),
        target_type: Some(ColumnType::Integer),
        target: "left".to_owned(),
    };
    let package = ModelPackage { header, answer };
    ServedModel { name: name.to_owned(), version: Some(3), id: ObjectId::new([7; 32]), package }
}

/// A model of classes `0` and `1`, which are whole numbers.
pub fn classifier() -> ServedModel {
    served("churn", Task::Binary, &["0", "1"], classify)
}

/// A model of numbers.
pub fn regressor() -> ServedModel {
    served("price", Task::Regression, &[], regress)
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
