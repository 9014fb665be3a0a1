//! Tests of requests that mean harm.

use std::sync::Arc;

use anyhow::{Context, Result};
use proptest::prelude::{ProptestConfig, any, prop};
use proptest::strategy::Strategy;
use proptest::test_runner::{TestCaseError, TestRunner};

use crate::base::limits;
use crate::serve::server::Connections;
use crate::serve::tests::client::{Answer, Client, get};
use crate::serve::tests::fixture::{self, Running};

const BODIES: [&str; 5] = [
    r#"{"dataframe_records": [{"age": 30, "income": 5e4, "city": "Rome", "member": true, "joined": "2024-01-31"}]}"#,
    r#"{"dataframe_split": {"columns": ["age", "city", "member"], "data": [[30, "Rome", true], [31, "Oslo", false]]}}"#,
    r#"{"params": {"probabilities": true}, "instances": [[30, null, "Rome", true, "2024-01-31", "2024-02-01 10:00"]]}"#,
    r#"{"inputs": {"age": [30, 31], "city": ["Rome", "Ulm"], "member": [true, null]}}"#,
    "age,city,member,note\n30,Rome,true,\"a, b\"\n31,Oslo,,\n",
];
const PIECES: [&str; 16] = [
    "\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "NaN",
    "1e999",
    "-",
    "\\u0000",
    "\\ud800",
    "\n",
    "age",
    "99999999999999999999999",
];

/// One change of a body: where, what is cut, what is put in.
type Change = (prop::sample::Index, usize, usize);

fn mutate(body: &[u8], changes: &[Change], noise: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    for (index, cut, piece) in changes {
        let at = index.index(body.len() + 1);
        let end = (at + cut).min(body.len());
        let piece = PIECES.get(*piece).map_or(noise, |piece| piece.as_bytes());
        body.splice(at..end, piece.iter().copied());
    }
    body
}

fn sound(answer: Option<Answer>) -> Result<(), TestCaseError> {
    let answer = answer.ok_or_else(|| TestCaseError::fail("closed without an answer"))?;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    if answer.status == 200 {
        return Ok(());
    }
    let json = answer.json().map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
    let typed = json["reason"].is_string() && json["message"].is_string();
    match (400..500).contains(&answer.status) && typed {
        true => Ok(()),
        false => Err(TestCaseError::fail(format!("{} {text}", answer.status))),
    }
}

#[test]
fn mutated_requests_never_get_a_5xx() -> Result<()> {
    let server = Running::start(vec![fixture::classifier()])?;
    let changes = prop::collection::vec((any::<prop::sample::Index>(), 0_usize..6, 0..PIECES.len() + 1), 0..6);
    let noise = prop::collection::vec(any::<u8>(), 0..12);
    let media =
        prop::sample::select(vec!["application/json", "text/csv", "application/json;charset=utf-8", "text/plain", ""]);
    let paths =
        prop::sample::select(vec!["/invocations", "/invocations", "/invocations", "/invocations?a=b", "/ping", "/x"]);
    let strategy = (0..BODIES.len(), changes, noise, media, paths);
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() });
    let client = std::cell::RefCell::new(Client::connect(server.address)?);
    let ran = runner.run(&strategy.prop_map(|case| case), |(body, changes, noise, media, path)| {
        let body = mutate(BODIES[body].as_bytes(), &changes, &noise);
        let answer = client.borrow_mut().request("POST", path, Some(media), &body);
        sound(Some(answer.map_err(|error| TestCaseError::fail(format!("{error:#}")))?))
    });
    ran.map_err(|error| anyhow::anyhow!("{error}"))?;
    assert_eq!(server.talk.notes(), [], "nothing that a client sends is worth a note");
    Ok(())
}

#[test]
fn garbage_is_refused_and_the_server_lives() -> Result<()> {
    let server = Running::start(vec![fixture::classifier()])?;
    let cases: [&[u8]; 8] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\ncontent-length: -5\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        b"POST /invocations HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\ncontent-type: text/csv\r\n\r\nZZ\r\n",
        b"POST /invocations HTTP/9.9\r\n\r\n",
        b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\r\n\r\n",
    ];
    for bytes in cases {
        let mut client = Client::connect(server.address)?;
        client.send(bytes)?;
        client.finish_sending()?;
        if let Some(answer) = client.receive()? {
            assert!((400..500).contains(&answer.status), "{} for {:?}", answer.status, String::from_utf8_lossy(bytes));
        }
    }
    assert_eq!(get(server.address, "/ping")?.status, 200);
    Ok(())
}

#[test]
fn pipelined_requests_are_answered_in_order_up_to_the_garbage() -> Result<()> {
    let server = Running::start(vec![fixture::classifier()])?;
    let mut client = Client::connect(server.address)?;
    client.send(
        b"GET /ping HTTP/1.1\r\nhost: t\r\n\r\nGET /version HTTP/1.1\r\nhost: t\r\n\r\n\x01\x02garbage\r\n\r\n",
    )?;
    assert_eq!(client.receive()?.context("no answer")?.body, b"\n");
    assert_eq!(client.receive()?.context("no answer")?.body, env!("CARGO_PKG_VERSION").as_bytes());
    assert_eq!(client.receive()?.context("no answer")?.status, 400);
    assert_eq!(client.receive()?, None);
    Ok(())
}

#[test]
fn heads_beyond_the_limit_are_refused() -> Result<()> {
    let server = Running::start(vec![fixture::classifier()])?;
    let many: String = (0..200).map(|number| format!("x-{number}: 1\r\n")).collect();
    let large = format!("x-large: {}\r\n", "x".repeat(2 * limits::HEADER_BYTES_MAX));
    for (headers, always_told) in [(many, true), (large, false)] {
        let mut client = Client::connect(server.address)?;
        client.send(format!("GET /ping HTTP/1.1\r\nhost: t\r\n{headers}\r\n").as_bytes())?;
        // What was not read when the connection closes makes the system reset it, and the answer may be lost with it.
        match client.receive() {
            Ok(answer) => assert_eq!(answer.context("no answer")?.status, 431),
            Err(error) => assert!(!always_told, "{error:#}"),
        }
    }
    assert_eq!(get(server.address, "/ping")?.status, 200);
    Ok(())
}

#[test]
fn a_body_that_breaks_off_harms_nobody() -> Result<()> {
    let server = Running::start(vec![fixture::classifier()])?;
    for _ in 0..20 {
        let mut client = Client::connect(server.address)?;
        client.send(
            b"POST /invocations HTTP/1.1\r\nhost: t\r\ncontent-type: text/csv\r\ncontent-length: 1000\r\n\r\nage",
        )?;
    }
    assert_eq!(get(server.address, "/ping")?.status, 200);
    Ok(())
}

#[test]
fn connections_beyond_the_limit_find_no_room() {
    let connections = Arc::new(Connections::new(2));
    let (first, second) = (connections.slot(), connections.slot());
    assert!(first.is_some() && second.is_some());
    assert!(connections.slot().is_none());
    assert!(connections.slot().is_none());
    drop(first);
    assert!(connections.slot().is_some());
}

#[test]
fn a_million_columns_are_ignored_and_counted() -> Result<()> {
    let server = Running::start(vec![fixture::classifier()])?;
    let extra: String = (0..1_000_000).map(|number| format!("\"c{number}\":1,")).collect();
    let body = format!(r#"{{"instances": [{{{extra}"age": 30, "city": "Rome", "member": true}}]}}"#);
    let mut client = Client::connect(server.address)?;
    let answer = client.request("POST", "/invocations", Some("application/json"), body.as_bytes())?;
    assert_eq!(answer.status, 200);
    assert_eq!(get(server.address, "/healthz")?.json()?["models"][0]["ignored"], 1_000_000);
    Ok(())
}
