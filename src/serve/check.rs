//! The check that a server answers with a model as `predict` does: the real server, on a port of this machine, asked in
//! every form it understands.
//!
//! Answers are compared as text: numbers are written in the shortest form that reads back as the same float, so equal text
//! is equal bits. What is compared with is what the package says of the same rows as the table holds them, which is the way
//! that batch prediction takes.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use crate::base::fail;
use crate::base::limits::{CHECK_REQUESTS, CHECK_WAIT};
use crate::base::talk::Recorder;
use crate::data::frame::{Frame, MISSING_TIME, Values};
use crate::data::{source, value};
use crate::models::package::{InputColumn, ModelPackage, PackageHeader};
use crate::ops::check::{CheckReport, ProtocolCheck, rows};
use crate::ops::context::OpCtx;
use crate::repo::Repo;
use crate::repo::resolve::ModelRef;
use crate::serve::answer::{self, Label};
use crate::serve::client::Client;
use crate::serve::{ServeOptions, ServedModel, server};
use crate::spec::schema::ColumnType;

/// Threads of the server: as many as answer one client and let it be stopped.
const THREADS: usize = 2;
/// The path of predictions.
const INVOCATIONS: &str = "/invocations";
/// Bytes of an answer that are repeated when it is wrong.
const SHOWN_BYTES: usize = 200;

/// One request and what must come back.
struct Question {
    name: &'static str,
    media: &'static str,
    body: Vec<u8>,
    rows: usize,
    wanted: Vec<u8>,
}

/// Loads a model into a server and asks it about a few rows of its data.
///
/// A package that cannot be opened or answers wrongly is an answer, not an error. Errors: the package or its record is not
/// in the store or damaged there; no port on this machine. Cost: opening the package, reading a piece of its table, some
/// fifty answers.
pub fn check(repo: &Repo, found: &ModelRef, _ctx: &OpCtx<'_>) -> Result<CheckReport> {
    let started = Instant::now();
    let mut report = CheckReport::new(found);
    let bytes = repo.store().get(&found.package, u64::MAX)?;
    let package = match ModelPackage::open(&bytes) {
        Ok(package) => package,
        Err(error) => {
            let hint = fail::find(&error).and_then(|failure| failure.hint.clone());
            let hint = hint.map_or_else(String::new, |hint| format!(" ({hint})"));
            report.why = Some(format!("it cannot be loaded: {error:#}{hint}"));
            return Ok(report);
        }
    };
    drop(bytes);
    let (frame, rows_of) = rows(repo, found, &package)?;
    (report.rows, report.rows_of) = (frame.rows(), rows_of);
    let questions = match questions(&package, &frame) {
        Ok(questions) => questions,
        Err(error) => {
            report.why = Some(format!("it answers no rows: {error:#}"));
            return Ok(report);
        }
    };
    let name = found.name.clone().unwrap_or_else(|| "model".to_owned());
    let model = ServedModel { name, version: found.version, id: found.package, package };
    ask_server(model, &questions, started, &mut report)?;
    let wrong = report.protocols.iter().find(|protocol| !protocol.same);
    report.why = wrong.map(|wrong| format!("{}: {}", wrong.name, wrong.why.as_deref().unwrap_or("another answer")));
    report.passed = report.why.is_none();
    Ok(report)
}

/// Runs a server for as long as it takes to ask.
fn ask_server(model: ServedModel, questions: &[Question], started: Instant, report: &mut CheckReport) -> Result<()> {
    let (stop, stopped) = mpsc::channel(2);
    let (ready, is_ready) = std::sync::mpsc::channel::<SocketAddr>();
    let heard = Recorder::default();
    std::thread::scope(|scope| {
        let talk = &heard;
        let serving = scope.spawn(move || {
            let options = ServeOptions { port: 0, threads: Some(THREADS), ..ServeOptions::default() };
            let mut on_ready = |address| Ok(ready.send(address)?);
            server::run(vec![model], &options, talk, &mut on_ready, || Ok(stopped))
        });
        let asked = is_ready.recv_timeout(CHECK_WAIT).map(|address| ask(address, questions, started, report));
        // Ends the server, whatever became of the questions.
        drop(stop);
        let served = serving.join().map_err(|_| fail::world("the server ended in a fault of its own"))?;
        served.context("cannot start a server to check with")?;
        asked.map_err(|_| fail::world("the server did not get ready in time"))?
    })?;
    if let (Some(wrong), Some((_, note))) =
        (report.protocols.iter_mut().find(|protocol| !protocol.same), heard.notes().first())
    {
        // The server tells its clients less than whoever runs it.
        wrong.why = Some(format!("{}: {note}", wrong.why.as_deref().unwrap_or("no answer")));
    }
    Ok(())
}

fn ask(address: SocketAddr, questions: &[Question], started: Instant, report: &mut CheckReport) -> Result<()> {
    let mut client = Client::connect(address, CHECK_WAIT)?;
    for path in ["/ping", "/readyz", "/version"] {
        let answer = client.send("GET", path, "text/plain", b"")?;
        let why = (answer.status != 200).then(|| format!("status {}", answer.status));
        report.protocols.push(ProtocolCheck { name: path.to_owned(), rows: 0, same: why.is_none(), why });
    }
    report.start_ms = milliseconds(started.elapsed());
    for question in questions {
        let why = match client.send("POST", INVOCATIONS, question.media, &question.body) {
            Ok(answer) if answer.status == 200 && answer.body == question.wanted => None,
            Ok(answer) if answer.status == 200 => {
                Some(format!("answers {} where predict gives {}", start_of(&answer.body), start_of(&question.wanted)))
            }
            Ok(answer) => Some(format!("status {}: {}", answer.status, start_of(&answer.body))),
            Err(error) => {
                client = Client::connect(address, CHECK_WAIT)?;
                Some(format!("{error:#}"))
            }
        };
        let name = format!("{INVOCATIONS} {}", question.name);
        report.protocols.push(ProtocolCheck { name, rows: question.rows, same: why.is_none(), why });
    }
    if let (Some(one), true) = (questions.first(), report.protocols.iter().all(|protocol| protocol.same)) {
        let mut times = Vec::with_capacity(CHECK_REQUESTS);
        for _ in 0..CHECK_REQUESTS {
            let started = Instant::now();
            client.send("POST", INVOCATIONS, one.media, &one.body)?;
            times.push(milliseconds(started.elapsed()));
        }
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times.get(((times.len() - 1) as f64 * share).ceil() as usize).copied();
        (report.latency_p50_ms, report.latency_p99_ms) = (at(0.5), at(0.99));
    }
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn start_of(body: &[u8]) -> String {
    let cut = body.len().min(SHOWN_BYTES);
    let dots = if cut < body.len() { "…" } else { "" };
    format!("{}{dots}", String::from_utf8_lossy(&body[..cut]).trim_end())
}

/// Requests in every form that is understood; the first asks about one row.
///
/// Errors: the package cannot answer these rows.
fn questions(package: &ModelPackage, frame: &Frame) -> Result<Vec<Question>> {
    let header = &package.header;
    let labels: Vec<Label> = header.classes.iter().map(|class| Label::new(class, header.target_type)).collect();
    let probabilities = header.task.is_classification();
    let wanted = |frame: &Frame, probabilities| -> Result<Vec<u8>> {
        Ok(answer::to_json(&package.predict(frame)?, &labels, header.threshold, probabilities))
    };
    let asked = if probabilities { json!({ "probabilities": true }) } else { json!({}) };
    let json = "application/json";
    let form = |name, rows: &Frame, body: Value| -> Result<Question> {
        let body = serde_json::to_vec(&body).context("cannot write a request")?;
        Ok(Question { name, media: json, body, rows: rows.rows(), wanted: wanted(rows, probabilities)? })
    };
    let names: Vec<&str> = header.inputs.iter().map(|input| input.name.as_str()).collect();
    let one = frame.take(&[0]);
    let mut all = vec![
        form(
            "dataframe_records, one row",
            &one,
            json!({ "dataframe_records": records(header, &one)?, "params": asked }),
        )?,
        form("dataframe_records", frame, json!({ "dataframe_records": records(header, frame)?, "params": asked }))?,
        form(
            "dataframe_split",
            frame,
            json!({ "dataframe_split": { "columns": names, "data": lists(header, frame)? }, "params": asked }),
        )?,
        form("instances", frame, json!({ "instances": records(header, frame)?, "params": asked }))?,
        form("inputs", frame, json!({ "inputs": columns(header, frame)?, "params": asked }))?,
    ];
    let plain = plain_rows(header, frame)?;
    if !plain.is_empty() {
        let rows = frame.take(&plain);
        let (body, wanted) = (csv(header, &rows)?, wanted(&rows, false)?);
        all.push(Question { name: "CSV", media: "text/csv", body, rows: rows.rows(), wanted });
    }
    Ok(all)
}

/// One value as JSON; null when it is missing.
fn cell(values: &Values, input: &InputColumn, row: usize) -> Value {
    match values {
        Values::Number(values) if values[row].is_nan() => Value::Null,
        Values::Number(values) => match input.column_type {
            ColumnType::Boolean => json!(values[row] != 0.0),
            ColumnType::Time => json!(value::time_text((values[row] * 1e6).round() as i64)),
            _ => json!(values[row]),
        },
        Values::Time(values) if values[row] == MISSING_TIME => Value::Null,
        Values::Time(values) => json!(value::timestamp_text(values[row])),
        Values::Text(text) => json!(text.get(row)),
        Values::Indicator { .. } | Values::Category { .. } => Value::Null,
    }
}

fn column(header: &PackageHeader, frame: &Frame, place: usize) -> Result<Vec<Value>> {
    let input = &header.inputs[place];
    let values = &frame.column(&input.name)?.values;
    Ok((0..frame.rows()).map(|row| cell(values, input, row)).collect())
}

fn lists(header: &PackageHeader, frame: &Frame) -> Result<Vec<Vec<Value>>> {
    let columns = (0..header.inputs.len()).map(|place| column(header, frame, place)).collect::<Result<Vec<_>>>()?;
    Ok((0..frame.rows()).map(|row| columns.iter().map(|column| column[row].clone()).collect()).collect())
}

fn records(header: &PackageHeader, frame: &Frame) -> Result<Vec<Value>> {
    let names = header.inputs.iter().map(|input| input.name.clone());
    let record = |row: Vec<Value>| Value::Object(names.clone().zip(row).collect::<Map<String, Value>>());
    Ok(lists(header, frame)?.into_iter().map(record).collect())
}

fn columns(header: &PackageHeader, frame: &Frame) -> Result<Value> {
    let pairs = header.inputs.iter().enumerate();
    let pairs = pairs.map(|(place, input)| Ok((input.name.clone(), Value::Array(column(header, frame, place)?))));
    Ok(Value::Object(pairs.collect::<Result<Map<String, Value>>>()?))
}

/// Rows whose text means the same in CSV: a field cannot tell a word that stands for "missing" from the word itself.
fn plain_rows(header: &PackageHeader, frame: &Frame) -> Result<Vec<u32>> {
    let missing = source::null_values(None);
    let lists = lists(header, frame)?;
    let says_itself = |cell: &Value| {
        let Some(text) = cell.as_str() else { return true };
        text.trim() == text && !text.is_empty() && !missing.iter().any(|word| word == text)
    };
    // A line of one empty field is an empty line, which is no row.
    let is_row = |row: &[Value]| row.len() > 1 || row.iter().all(|cell| !cell.is_null());
    let rows = lists.iter().enumerate().filter(|(_, row)| row.iter().all(says_itself) && is_row(row));
    Ok(rows.map(|(row, _)| row as u32).collect())
}

fn csv(header: &PackageHeader, frame: &Frame) -> Result<Vec<u8>> {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let field = |cell: &Value| match cell {
        Value::Null => String::new(),
        Value::String(text) => quoted(text),
        other => other.to_string(),
    };
    let names: Vec<String> = header.inputs.iter().map(|input| quoted(&input.name)).collect();
    let mut text = names.join(",") + "\n";
    for row in lists(header, frame)? {
        text += &(row.iter().map(field).collect::<Vec<_>>().join(",") + "\n");
    }
    Ok(text.into_bytes())
}
