//! Tests of every route, against a real server.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::base::fail::{self, Blame};
use crate::base::limits;
use crate::base::talk::Silent;
use crate::serve::tests::client::{self, Client, get, invoke};
use crate::serve::tests::fixture::{self, FAIL_AGE, PANIC_AGE, Running};
use crate::serve::{ServeOptions, serve};

const RECORD: &str =
    r#"{"age": 30, "income": 5e4, "city": "Rome", "member": true, "joined": "2024-01-31", "seen": null}"#;

fn start() -> Result<Running> {
    Running::start(vec![fixture::classifier(), fixture::regressor()])
}

/// Checks the status and some fields of a refusal.
fn check(answer: &client::Answer, status: u16, fields: Value) -> Result<()> {
    let body = answer.json()?;
    assert_eq!(answer.status, status, "{body}");
    assert!(body["message"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
    for (name, value) in fields.as_object().context("fields are an object")? {
        assert_eq!(&body[name], value, "{name} of {body}");
    }
    Ok(())
}

#[test]
fn ping_version_and_health_answer() -> Result<()> {
    let server = start()?;
    for path in ["/ping", "/health"] {
        let answer = get(server.address, path)?;
        assert_eq!((answer.status, answer.body.as_slice()), (200, &b"\n"[..]));
    }
    assert_eq!(get(server.address, "/version")?.body, env!("CARGO_PKG_VERSION").as_bytes());
    invoke(server.address, r#"{"instances": [{"age": 5, "city": "Ulm", "member": true, "more": 1}]}"#)?;
    for path in ["/healthz", "/readyz"] {
        let answer = get(server.address, path)?;
        let id = "07".repeat(32);
        let expected = json!({"status": "ok", "models": [
            {"name": "churn", "version": 3, "id": id, "task": "binary", "rows": 1, "ignored": 1, "suspicious": {
                "age": {"out_of_range": 1}, "city": {"unseen_category": 1}, "income": {"absent_column": 1},
                "joined": {"absent_column": 1}, "seen": {"absent_column": 1}}},
            {"name": "price", "version": 3, "id": id, "task": "regression", "rows": 0, "ignored": 0, "suspicious": {}}]});
        assert_eq!((answer.status, answer.json()?), (200, expected));
    }
    Ok(())
}

#[test]
fn every_shape_gives_the_same_answer() -> Result<()> {
    let server = Running::start(vec![fixture::regressor()])?;
    let names = r#"["age", "income", "city", "member", "joined", "seen"]"#;
    let list = r#"[30, 5e4, "Rome", true, "2024-01-31", null]"#;
    let mut client = Client::connect(server.address)?;
    let mut ask = |media: &str, body: &str| {
        let answer = client.request("POST", "/invocations", Some(media), body.as_bytes())?;
        assert_eq!(answer.status, 200, "{body}");
        assert_eq!(answer.header("x-mlops-model"), Some("price@v3"));
        assert_eq!(answer.header("content-type"), Some("application/json"));
        answer.json()
    };
    let first = ask("application/json", &format!(r#"{{"dataframe_records": [{RECORD}]}}"#))?;
    let number = first["predictions"][0].as_f64().context("a number")?;
    // 30/100 + 5e4/100/2 + 2/100/3 + 0.01/4 + 1706659200/100/5 - 1/6
    let expected = 0.3 + 250.0 + 0.02 / 3.0 + 0.0025 + 17_066_592.0 / 5.0 - 1.0 / 6.0;
    assert!((number - expected).abs() < 1e-9, "{number} is not {expected}");
    for (media, body) in [
        ("application/json; charset=utf-8", format!(r#"{{"instances": [{RECORD}]}}"#)),
        ("application/json", format!(r#"{{"instances": [{list}]}}"#)),
        ("Application/JSON", format!(r#"{{"dataframe_split": {{"columns": {names}, "data": [{list}]}}}}"#)),
        (
            "application/json",
            r#"{"inputs": {"age": [30], "income": [5e4], "city": ["Rome"], "member": [true],
            "joined": ["2024-01-31"]}}"#
                .to_owned(),
        ),
        ("text/csv", "joined,member,city,income,age\n2024-01-31,true,Rome,50000,30\n".to_owned()),
    ] {
        assert_eq!(ask(media, &body)?, first, "{body}");
    }
    Ok(())
}

#[test]
fn probabilities_come_on_request() -> Result<()> {
    let server = start()?;
    let answer =
        invoke(server.address, &format!(r#"{{"instances": [{RECORD}], "params": {{"probabilities": true}}}}"#))?;
    let body = answer.json()?;
    assert_eq!(body["predictions"], json!([1]));
    let sum = body["probabilities"][0]["0"].as_f64().zip(body["probabilities"][0]["1"].as_f64());
    assert!(sum.is_some_and(|(no, yes)| yes > no && (no + yes - 1.0).abs() < 1e-12), "{body}");
    let server = Running::start(vec![fixture::regressor()])?;
    let answer = invoke(server.address, r#"{"instances": [], "params": {"probabilities": true}}"#)?;
    check(&answer, 400, json!({"reason": "wrong_parameter"}))
}

#[test]
fn many_rows_and_no_rows_are_answered() -> Result<()> {
    let server = start()?;
    assert_eq!(invoke(server.address, r#"{"dataframe_records": []}"#)?.json()?, json!({"predictions": []}));
    let rows = 20_000;
    let answer = invoke(server.address, &format!(r#"{{"instances": [{}]}}"#, vec![RECORD; rows].join(",")))?;
    let one = invoke(server.address, &format!(r#"{{"instances": [{RECORD}]}}"#))?.json()?;
    let all = answer.json()?;
    let all = all["predictions"].as_array().context("a list")?;
    assert_eq!(all.len(), rows);
    assert!(all.iter().all(|value| *value == one["predictions"][0]));
    Ok(())
}

#[test]
fn refusals_have_mlflow_form_and_name_the_column() -> Result<()> {
    let server = start()?;
    let wrong = RECORD.replace("30", r#""30""#);
    let answer = invoke(server.address, &format!(r#"{{"instances": [{RECORD}, {wrong}]}}"#))?;
    check(
        &answer,
        400,
        json!({"error_code": "BAD_REQUEST", "reason": "wrong_type", "column": "age", "row": 1,
        "message": "column `age` is integer, row 1 holds the text \"30\"", "hint": "send numbers without quotes: 30"}),
    )?;
    let answer = invoke(server.address, r#"{"instances": [{"age": 1}]}"#)?;
    check(&answer, 400, json!({"reason": "missing_column", "column": "city", "row": 0}))?;
    check(&invoke(server.address, "{")?, 400, json!({"reason": "not_json"}))?;
    let post = |media, body: &[u8]| client::request(server.address, "POST", "/invocations", media, body);
    check(&post(Some("application/json"), b"{\"\xff\": 1}")?, 400, json!({"reason": "not_utf8"}))?;
    for media in [None, Some("application/x-www-form-urlencoded"), Some("text/csv; charset=latin1"), Some("\u{e9}")] {
        check(&post(media, b"{}")?, 415, json!({"reason": "unknown_media_type"}))?;
    }
    let answer = get(server.address, "/invocation")?;
    check(&answer, 404, json!({"reason": "unknown_path", "hint": "did you mean `/invocations`?"}))?;
    let answer = get(server.address, "/invocations")?;
    check(&answer, 405, json!({"reason": "wrong_method"}))?;
    assert_eq!(answer.header("allow"), Some("POST"));
    check(&client::request(server.address, "DELETE", "/ping", None, b"")?, 405, json!({"reason": "wrong_method"}))?;
    Ok(())
}

#[test]
fn a_body_over_the_limit_is_refused_before_it_is_read() -> Result<()> {
    let server = start()?;
    let head =
        |length: String| format!("POST /invocations HTTP/1.1\r\nhost: t\r\ncontent-type: text/csv\r\n{length}\r\n\r\n");
    let mut client = Client::connect(server.address)?;
    client.send(head("content-length: 1000000000\r\nexpect: 100-continue".to_owned()).as_bytes())?;
    check(&client.receive()?.context("no answer")?, 413, json!({"reason": "body_too_large"}))?;
    let mut client = Client::connect(server.address)?;
    client.send(head("transfer-encoding: chunked".to_owned()).as_bytes())?;
    let chunk = vec![b'x'; 1 << 20];
    for _ in 0..=limits::BODY_BYTES_MAX >> 20 {
        client.send(b"100000\r\n")?;
        client.send(&chunk)?;
        client.send(b"\r\n")?;
    }
    client.send(b"0\r\n\r\n")?;
    check(&client.receive()?.context("no answer")?, 413, json!({"reason": "body_too_large"}))?;
    Ok(())
}

#[test]
fn a_fault_of_the_model_is_a_500_that_tells_no_more_and_is_noted() -> Result<()> {
    let server = start()?;
    for (age, said) in [(PANIC_AGE, "asked to"), (FAIL_AGE, "the disk is on fire")] {
        let record = RECORD.replace("30", &age.to_string());
        for rows in [1, 1_000] {
            let answer =
                invoke(server.address, &format!(r#"{{"instances": [{}]}}"#, vec![record.as_str(); rows].join(",")))?;
            check(&answer, 500, json!({"error_code": "INTERNAL_ERROR", "reason": "internal"}))?;
            assert!(!String::from_utf8_lossy(&answer.body).contains(said));
        }
        assert_eq!(invoke(server.address, &format!(r#"{{"instances": [{RECORD}]}}"#))?.status, 200);
    }
    let talk = std::sync::Arc::clone(&server.talk);
    server.ask_to_stop()?;
    server.join()?;
    let notes: Vec<String> = talk.notes().into_iter().map(|(_, text)| text).collect();
    assert!(notes.iter().any(|note| note.contains("asked to")), "{notes:?}");
    assert!(notes.iter().any(|note| note.contains("the disk is on fire")), "{notes:?}");
    Ok(())
}

#[test]
fn an_address_that_cannot_be_listened_on_is_explained() -> Result<()> {
    let refused = |options: &ServeOptions, models| {
        let error = serve(models, options, &Silent, &mut |_| Ok(())).err().context("it listens")?;
        let failure = fail::find(&error).context("no failure")?;
        Ok::<_, anyhow::Error>((
            failure.blame,
            format!("{} {}", failure.what, failure.hint.clone().unwrap_or_default()),
        ))
    };
    let server = start()?;
    let taken = ServeOptions { port: server.address.port(), ..ServeOptions::default() };
    let (blame, text) = refused(&taken, vec![fixture::regressor()])?;
    assert!(blame == Blame::World && text.contains("--port 0"), "{text}");
    for host in ["0.0.0.0", "::", "192.0.2.1"] {
        let open = ServeOptions { host: host.to_owned(), port: 0, ..ServeOptions::default() };
        let (blame, text) = refused(&open, vec![fixture::regressor()])?;
        assert!(blame == Blame::Request && text.contains("--insecure"), "{text}");
    }
    let nowhere = ServeOptions { host: "no host".to_owned(), ..ServeOptions::default() };
    assert_eq!(refused(&nowhere, vec![fixture::regressor()])?.0, Blame::Request);
    assert_eq!(refused(&ServeOptions { port: 0, ..ServeOptions::default() }, vec![])?.0, Blame::Request);
    Ok(())
}
