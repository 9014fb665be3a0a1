//! Tests of how a server stops.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::base::limits;
use crate::base::talk::Silent;
use crate::serve::tests::client::Client;
use crate::serve::tests::fixture::{self, Running};
use crate::serve::{ServeOptions, serve};

const BODY: &str = r#"{"instances": [{"age": 30, "city": "Rome", "member": true}]}"#;

#[test]
fn fifty_clients_in_parallel_get_their_own_answers() -> Result<()> {
    let server = Running::start(vec![fixture::regressor()])?;
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..50)
            .map(|number| {
                scope.spawn(move || {
                    let mut client = Client::connect(server.address)?;
                    for turn in 0..20 {
                        let age = number * 20 + turn;
                        let body = BODY.replace("30", &age.to_string());
                        let answer =
                            client.request("POST", "/invocations", Some("application/json"), body.as_bytes())?;
                        let got = answer.json()?["predictions"][0].as_f64().context("a number")?;
                        // Nothing but the age differs between these requests, and it adds a hundredth of itself.
                        let rest = got - f64::from(age) / 100.0;
                        ensure!((rest - REST).abs() < 1e-9, "client {number} turn {turn} got {got}");
                    }
                    Ok(())
                })
            })
            .collect();
        clients.into_iter().try_for_each(|client| client.join().map_err(|_| anyhow::anyhow!("a client panicked"))?)
    })
}

/// What the answer to `BODY` has beside the age: -1/2 + 2/100/3 + 1/100/4 - 1/5 - 1/6.
const REST: f64 = -0.5 + 0.02 / 3.0 + 0.0025 - 0.2 - 1.0 / 6.0;

#[test]
fn stopping_under_load_loses_no_request() -> Result<()> {
    let server = Running::start(vec![fixture::classifier()])?;
    let (answered, closed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let address = server.address;
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    while let Ok(mut client) = Client::connect(address) {
                        let mut turns = 0;
                        let mut last = Instant::now();
                        loop {
                            let silence = last.elapsed();
                            let answer =
                                client.request("POST", "/invocations", Some("application/json"), BODY.as_bytes());
                            last = Instant::now();
                            let answer = match answer {
                                Ok(answer) => answer,
                                // The system may take a connection in the instant before the listener closes; the server
                                // never saw it, and to its client it is as good as refused.
                                Err(_) if turns == 0 && closed.load(Ordering::SeqCst) => break,
                                // A client that the machine held up for longer than the linger was idle to the server.
                                Err(_) if silence >= limits::STOP_LINGER && closed.load(Ordering::SeqCst) => break,
                                Err(error) => return Err(error.context(format!("lost in turn {turns}"))),
                            };
                            ensure!(answer.status == 200, "status {}", answer.status);
                            answered.fetch_add(1, Ordering::SeqCst);
                            turns += 1;
                            if answer.header("connection") == Some("close") {
                                break;
                            }
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        while answered.load(Ordering::SeqCst) < 500 {
            std::thread::yield_now();
        }
        closed.store(true, Ordering::SeqCst);
        let before = Instant::now();
        server.ask_to_stop()?;
        server.join()?;
        ensure!(before.elapsed() < limits::STOP_LINGER + Duration::from_secs(5), "took {:?}", before.elapsed());
        clients.into_iter().try_for_each(|client| client.join().map_err(|_| anyhow::anyhow!("a client panicked"))?)
    })
}

#[test]
fn a_request_under_way_is_finished_and_silent_connections_are_not_waited_for() -> Result<()> {
    let server = Running::start(vec![fixture::classifier()])?;
    let mut slow = Client::connect(server.address)?;
    let head = format!(
        "POST /invocations HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        BODY.len()
    );
    slow.send(head.as_bytes())?;
    slow.send(&BODY.as_bytes()[..10])?;
    let mut silent = Client::connect(server.address)?;
    let mut idle = Client::connect(server.address)?;
    assert_eq!(idle.request("GET", "/ping", None, b"")?.status, 200);
    server.ask_to_stop()?;
    // Within the linger, open connections are still answered, and readiness says what is going on.
    // An error means that the machine held this client up until the linger was over.
    while let Ok(answer) = idle.request("GET", "/readyz", None, b"") {
        if answer.status == 503 {
            assert_eq!(answer.json()?["status"], json!("stopping"));
            assert_eq!(answer.header("connection"), Some("close"));
            break;
        }
    }
    assert_eq!(silent.receive()?, None);
    slow.send(&BODY.as_bytes()[10..])?;
    assert_eq!(slow.receive()?.context("no answer")?.status, 200);
    let before = Instant::now();
    server.join()?;
    assert!(before.elapsed() < Duration::from_secs(5));
    Ok(())
}

#[test]
fn an_idle_server_stops_at_once() -> Result<()> {
    // The machine may hold one of them up, hardly all.
    let mut quick = false;
    for _ in 0..5 {
        let server = Running::start(vec![fixture::classifier()])?;
        let before = Instant::now();
        server.ask_to_stop()?;
        server.join()?;
        quick |= before.elapsed() < limits::STOP_LINGER;
    }
    assert!(quick, "it lingers without a single connection");
    Ok(())
}

#[test]
fn a_signal_ends_the_server() -> Result<()> {
    let options = ServeOptions { port: 0, ..ServeOptions::default() };
    serve(vec![fixture::classifier()], &options, &Silent, &mut |_| {
        let process = std::process::id().to_string();
        let told = std::process::Command::new("kill").args(["-TERM", &process]).status()?;
        ensure!(told.success());
        Ok(())
    })
}

#[test]
fn an_error_when_ready_ends_the_server() {
    let options = ServeOptions { port: 0, ..ServeOptions::default() };
    let ended = serve(vec![fixture::classifier()], &options, &Silent, &mut |_| anyhow::bail!("not now"));
    assert!(ended.is_err_and(|error| error.to_string() == "not now"));
}
