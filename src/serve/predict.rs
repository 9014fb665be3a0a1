//! From a body to an answer: the one path that every protocol takes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::base::fail::{self, Blame};
use crate::base::limits;
use crate::models::predictor::Predictions;
use crate::serve::body::Bytes;
use crate::serve::columns::{self, Columns};
use crate::serve::error::{Reason, ServeError};
use crate::serve::state::{Model, State};

/// Runs `work` on a body: here when it is small, on a thread of its own kind when it would hold up other requests.
///
/// Errors: those of `work`; a panic in it is an internal error.
pub async fn on_body<T: Send + 'static>(
    state: &Arc<State>,
    body: Bytes,
    work: impl FnOnce(&State, &[u8]) -> Result<T, ServeError> + Send + 'static,
) -> Result<T, ServeError> {
    if body.len() <= limits::INLINE_BYTES_MAX {
        return work(state, &body);
    }
    let shared = Arc::clone(state);
    let done = tokio::task::spawn_blocking(move || work(&shared, &body)).await;
    done.unwrap_or_else(|error| {
        state.note(format!("a request ended in a fault of the server: {error}"));
        Err(internal())
    })
}

/// Text of a body.
///
/// Errors: not UTF-8.
pub fn text(body: &[u8]) -> Result<&str, ServeError> {
    std::str::from_utf8(body).map_err(|error| {
        let message = format!("the body is not UTF-8 from byte {} on", error.valid_up_to());
        ServeError::new(Reason::NotUtf8, message).hint("send the body in UTF-8")
    })
}

/// Predicts for columns that were read, and counts them.
///
/// Errors: rows that the model refuses; a fault of the model, which is noted with its cause and answered without it.
pub fn predict(state: &State, model: &Model, columns: Columns<'_>) -> Result<Predictions, ServeError> {
    let (columns, rows, ignored) = columns.finish();
    if ignored > 0 {
        model.ignored.fetch_add(ignored, Ordering::Relaxed);
    }
    if rows == 0 {
        return Ok(Predictions::none(model.served.package.header.task, model.labels.len()));
    }
    let frame = columns::frame(columns, rows)?;
    let predictions = model.served.package.predict(&frame).map_err(|error| match fail::find(&error) {
        Some(failure) if failure.blame == Blame::Request => {
            let refused = ServeError::new(Reason::RefusedRows, failure.what.clone());
            ServeError { hint: failure.hint.clone(), ..refused }
        }
        _ => {
            state.note(format!("model {} could not answer: {error:#}", model.served.name));
            internal()
        }
    })?;
    model.rows.fetch_add(rows as u64, Ordering::Relaxed);
    Ok(predictions)
}

/// The error for a fault of the server: clients learn that it is not theirs, and no more.
pub fn internal() -> ServeError {
    ServeError::new(Reason::Internal, "the server could not answer this request")
}
