//! Which path is answered by whom, and what holds for every answer.

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::extract::State as Shared;
use axum::http::{HeaderValue, Method, Uri, header};
use axum::middleware;
use axum::response::Response;
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;

use crate::base::suggest;
use crate::serve::cell::shown;
use crate::serve::error::{Reason, ServeError};
use crate::serve::mlflow;
use crate::serve::operations;
use crate::serve::predict;
use crate::serve::state::State;

/// All paths, for hints.
const PATHS: [&str; 6] = ["/ping", "/health", "/version", "/invocations", "/healthz", "/readyz"];

/// The routes of a server.
pub fn router(state: Arc<State>) -> Router {
    let panicked = Arc::clone(&state);
    Router::new()
        .route("/ping", get(mlflow::ping))
        .route("/health", get(mlflow::ping))
        .route("/version", get(mlflow::version))
        .route("/invocations", post(mlflow::invocations))
        .route("/healthz", get(operations::healthz))
        .route("/readyz", get(operations::readyz))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::map_response_with_state(Arc::clone(&state), stamp))
        .layer(CatchPanicLayer::custom(move |panic: Box<dyn Any + Send>| caught(&panicked, &*panic)))
        .with_state(state)
}

/// A stopping server asks its clients to close, so that none of them finds a connection closed under its next request.
async fn stamp(Shared(state): Shared<Arc<State>>, mut response: Response) -> Response {
    if state.is_stopping() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn unknown_path(uri: Uri) -> Response {
    let unknown = suggest::unknown("path", &shown(uri.path()), PATHS);
    let error = ServeError::new(Reason::UnknownPath, unknown.what);
    mlflow::refuse(&ServeError { hint: unknown.hint, ..error })
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    let message = format!("{} is not answered by `{}`", shown(method.as_str()), shown(uri.path()));
    mlflow::refuse(&ServeError::new(Reason::WrongMethod, message))
}

fn caught(state: &State, panic: &(dyn Any + Send)) -> Response {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    state.note(format!("a request ended in a fault of the server: {}", text.unwrap_or("panic")));
    mlflow::refuse(&predict::internal())
}
