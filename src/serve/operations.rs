//! What those who run the server ask: `/healthz`, `/readyz`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::base::id::ObjectId;
use crate::serve::schema::{SUSPICIONS, SchemaColumn};
use crate::serve::state::{Model, State};
use crate::spec::model::Task;

#[derive(Serialize)]
struct Health<'a> {
    status: &'static str,
    models: Vec<ModelHealth<'a>>,
}

#[derive(Serialize)]
struct ModelHealth<'a> {
    name: &'a str,
    version: Option<u32>,
    id: ObjectId,
    task: Task,
    /// Rows answered since the start.
    rows: u64,
    /// Values of columns that the model does not know.
    ignored: u64,
    /// Values that training never saw the like of: column, suspicion, number.
    suspicious: BTreeMap<&'a str, BTreeMap<&'static str, u64>>,
}

/// `GET /healthz`: the server answers; what it serves.
pub async fn healthz(Shared(state): Shared<Arc<State>>) -> Response {
    let status = if state.is_stopping() { "stopping" } else { "ok" };
    health(&state, status, StatusCode::OK)
}

/// `GET /readyz`: the same, with 503 once the server is stopping and should get no more requests.
pub async fn readyz(Shared(state): Shared<Arc<State>>) -> Response {
    match state.is_stopping() {
        true => health(&state, "stopping", StatusCode::SERVICE_UNAVAILABLE),
        false => health(&state, "ok", StatusCode::OK),
    }
}

fn health(state: &State, status: &'static str, code: StatusCode) -> Response {
    let models = state.models().iter().map(|model| model_health(model)).collect();
    (code, axum::Json(Health { status, models })).into_response()
}

fn model_health(model: &Model) -> ModelHealth<'_> {
    let suspicious = model.schema.columns().iter().map(|column| (&*column.name, suspicions(column)));
    ModelHealth {
        name: &model.served.name,
        version: model.served.version,
        id: model.served.id,
        task: model.served.package.header.task,
        rows: model.rows.load(Ordering::Relaxed),
        ignored: model.ignored.load(Ordering::Relaxed),
        suspicious: suspicious.filter(|(_, counts)| !counts.is_empty()).collect(),
    }
}

fn suspicions(column: &SchemaColumn) -> BTreeMap<&'static str, u64> {
    let counted = SUSPICIONS.iter().map(|suspicion| suspicion.name()).zip(column.tally());
    counted.filter(|(_, count)| *count > 0).collect()
}
