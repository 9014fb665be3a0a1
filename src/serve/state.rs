//! What all requests share: the models being served, how much is under way, and whether the server is stopping.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::Result;
use axum::http::HeaderValue;
use tokio::sync::{Semaphore, mpsc};

use crate::base::fail;
use crate::base::limits;
use crate::serve::ServedModel;
use crate::serve::answer::Label;
use crate::serve::schema::InputSchema;

/// Notes kept for a listener that is late; more are dropped, as answers never wait.
const NOTES_MAX: usize = 64;

/// A model, and what is prepared once so that no request pays for it.
pub struct Model {
    /// The model.
    pub served: ServedModel,
    /// Its inputs.
    pub schema: InputSchema,
    /// Its classes as they are written in answers.
    pub labels: Vec<Label>,
    /// `name@v3`, for the header of every answer.
    pub tag: HeaderValue,
    /// Rows answered.
    pub rows: AtomicU64,
    /// Values of columns that the model does not know.
    pub ignored: AtomicU64,
}

/// The server's state.
pub struct State {
    models: Vec<Arc<Model>>,
    stopping: AtomicBool,
    notes: mpsc::Sender<String>,
    /// KiB that large bodies may still take.
    pub bodies: Arc<Semaphore>,
}

impl Model {
    /// Prepares a model.
    pub fn new(served: ServedModel) -> Model {
        let header = &served.package.header;
        let schema = InputSchema::new(&header.inputs);
        let labels = header.classes.iter().map(|class| Label::new(class, header.target_type)).collect();
        let tag = match served.version {
            Some(version) => format!("{}@v{version}", served.name),
            None => served.name.clone(),
        };
        // A name that no header can hold is told by the id alone.
        let tag = HeaderValue::from_str(&tag).or_else(|_| HeaderValue::from_str(&served.id.hex()));
        let tag = tag.unwrap_or(HeaderValue::from_static("unnamed"));
        Model { schema, labels, tag, rows: AtomicU64::new(0), ignored: AtomicU64::new(0), served }
    }
}

impl State {
    /// The state of a server that starts, and where its notes come out.
    ///
    /// Errors: no model.
    pub fn new(models: Vec<ServedModel>) -> Result<(State, mpsc::Receiver<String>)> {
        if models.is_empty() {
            return Err(fail::usage("no model to serve").hint("name one: mlops serve NAME").into());
        }
        let (notes, said) = mpsc::channel(NOTES_MAX);
        let models = models.into_iter().map(|model| Arc::new(Model::new(model))).collect();
        let bodies = Arc::new(Semaphore::new(limits::BODIES_BYTES_MAX >> 10));
        Ok((State { models, stopping: AtomicBool::new(false), notes, bodies }, said))
    }

    /// The model that answers where no name is given: the first.
    pub fn default_model(&self) -> &Arc<Model> {
        &self.models[0]
    }

    /// All models, the default one first.
    pub fn models(&self) -> &[Arc<Model>] {
        &self.models
    }

    /// Whether the server finishes what it has and takes no more.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// From now on every answer asks its client to close the connection.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Says one sentence to the person who runs the server; dropped when too many wait.
    pub fn note(&self, text: String) {
        // Nobody is told of notes beyond the first few: they repeat, and an answer must not wait for them.
        let _ = self.notes.try_send(text);
    }
}
