//! The scoring protocol of MLflow, which SageMaker containers speak too: `/ping`, `/health`, `/version`, `/invocations`.
//!
//! Follows the scoring server of MLflow 2 (`mlflow/pyfunc/scoring_server`); answers carry more fields than it has.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::serve::answer;
use crate::serve::body::{self, Media};
use crate::serve::columns::Columns;
use crate::serve::csv;
use crate::serve::error::{Reason, ServeError};
use crate::serve::json::{self, Params};
use crate::serve::predict;
use crate::serve::state::{Model, State};

/// Names the model that answered.
const MODEL_HEADER: HeaderName = HeaderName::from_static("x-mlops-model");

/// An error as MLflow writes it, with fields of our own after its two.
#[derive(Serialize)]
struct Refusal<'a> {
    error_code: &'static str,
    message: &'a str,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

/// `GET /ping`, `GET /health`: alive.
pub async fn ping() -> Response {
    plain("\n")
}

/// `GET /version`: version of this tool.
pub async fn version() -> Response {
    plain(env!("CARGO_PKG_VERSION"))
}

/// `POST /invocations`: predictions of the default model.
pub async fn invocations(Shared(state): Shared<Arc<State>>, request: Request) -> Response {
    match invoke(&state, request).await {
        Ok((tag, answer)) => {
            let json = HeaderValue::from_static("application/json");
            ([(header::CONTENT_TYPE, json), (MODEL_HEADER, tag)], answer).into_response()
        }
        Err(error) => refuse(&error),
    }
}

/// An error in this protocol's form.
pub fn refuse(error: &ServeError) -> Response {
    let status = error.reason.status();
    let refusal = Refusal {
        error_code: error_code(status),
        message: &error.message,
        reason: error.reason.name(),
        column: error.column.as_deref(),
        row: error.row,
        hint: error.hint.as_deref(),
    };
    let mut response = (status, axum::Json(refusal)).into_response();
    if error.reason == Reason::Busy {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

async fn invoke(state: &Arc<State>, request: Request<Body>) -> Result<(HeaderValue, Vec<u8>), ServeError> {
    let (head, body) = request.into_parts();
    let media = body::media(&head.headers)?;
    let body = body::read(state, &head.headers, body).await?;
    let model = Arc::clone(state.default_model());
    predict::on_body(state, body, move |state, body| {
        let (columns, params) = columns(&model, media, predict::text(body)?)?;
        let task = model.served.package.header.task;
        if params.probabilities && !task.is_classification() {
            let message = format!("this model is of a {} task, which has no probabilities", task.name());
            let error = ServeError::new(Reason::WrongParameter, message);
            return Err(error.hint("leave `probabilities` out"));
        }
        let predictions = predict::predict(state, &model, columns)?;
        Ok((
            model.tag.clone(),
            answer::to_json(&predictions, &model.labels, model.served.package.header.threshold, params.probabilities),
        ))
    })
    .await
}

fn columns<'m>(model: &'m Model, media: Media, body: &str) -> Result<(Columns<'m>, Params), ServeError> {
    match media {
        Media::Json => json::read(body, &model.schema),
        Media::Csv => Ok((csv::read(body, &model.schema)?, Params::default())),
    }
}

/// Names of `mlflow.protos.databricks_pb2.ErrorCode` where it has one.
fn error_code(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "ENDPOINT_NOT_FOUND",
        StatusCode::METHOD_NOT_ALLOWED => "METHOD_NOT_ALLOWED",
        StatusCode::PAYLOAD_TOO_LARGE => "REQUEST_LIMIT_EXCEEDED",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "UNSUPPORTED_MEDIA_TYPE",
        StatusCode::REQUEST_TIMEOUT => "DEADLINE_EXCEEDED",
        StatusCode::SERVICE_UNAVAILABLE => "TEMPORARILY_UNAVAILABLE",
        StatusCode::INTERNAL_SERVER_ERROR => "INTERNAL_ERROR",
        _ => "BAD_REQUEST",
    }
}

fn plain(text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))], text).into_response()
}
