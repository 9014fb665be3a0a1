//! Sources beyond files, through the binary: a database file, a web server. The servers of objects and of PostgreSQL are
//! driven by the unit tests of `source`.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use rusqlite::Connection;

use crate::common::Sandbox;

const TABLE: &str = "a,b\n1,x\n2,y\n3,z\n";

/// A web server that knows one table under the ETag `"v1"` and any other path as 404; it answers `requests` requests.
fn server(requests: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        for stream in listener.incoming().take(requests) {
            let mut stream = stream.expect("a connection");
            let (mut request, mut part) = (Vec::new(), [0; 1024]);
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                let count = stream.read(&mut part).expect("a request");
                request.extend_from_slice(&part[..count]);
            }
            let request = String::from_utf8_lossy(&request).to_lowercase();
            let (status, body) = match request.contains(" /t.csv ") {
                false => ("404 Not Found", ""),
                true if request.contains("if-none-match: \"v1\"") => ("304 Not Modified", ""),
                true => ("200 OK", TABLE),
            };
            let length = body.len();
            let head =
                format!("HTTP/1.1 {status}\r\nETag: \"v1\"\r\nContent-Length: {length}\r\nConnection: close\r\n");
            stream.write_all(format!("{head}\r\n{body}").as_bytes()).expect("an answer");
        }
    });
    address.to_string()
}

#[test]
fn an_address_is_fetched_once_and_asked_again() {
    let (sandbox, address) = (Sandbox::with_repo(), server(3));
    let url = format!("http://ann:hunter2@{address}/t.csv");
    let report = sandbox.json(&["ingest", &url, "--name", "t"]);
    assert_eq!((&report["rows"], &report["unchanged"]), (&3.into(), &false.into()));
    assert_eq!(sandbox.json(&["ingest", &url, "--name", "t"])["unchanged"], true);
    let gone = sandbox.run(&["ingest", &format!("http://{address}/gone.csv"), "--name", "u"]).code_is(3);
    assert!(gone.err.contains("404"), "{}", gone.err);
    sandbox.run(&["ingest", &url, "--name", "t", "--offline"]).code_is(3);
    for file in sandbox.files(".mlops") {
        let kept = std::fs::read(sandbox.path(&file)).unwrap_or_default();
        assert!(!kept.windows(7).any(|part| part == b"hunter2"), "{file} holds the password");
    }
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn tables_and_queries_of_a_database_file() {
    let sandbox = Sandbox::with_repo();
    let database = Connection::open(sandbox.path("shop.db")).expect("a database");
    let rows = "CREATE TABLE orders (id INTEGER, code TEXT, price REAL);
        INSERT INTO orders VALUES (1, '007', 2.5), (2, 'NA', NULL), (3, '', 1.0);";
    database.execute_batch(rows).expect("sound statements");
    let report = sandbox.json(&["ingest", "sqlite://shop.db?table=orders"]);
    assert_eq!((&report["name"], &report["rows"]), (&"orders".into(), &3.into()));
    sandbox.run(&["predict", "none", "shop.db", "-o", "x.csv"]).code_is(2);
    let query = "sqlite://shop.db?query=SELECT code FROM orders WHERE price > 1";
    assert_eq!(sandbox.json(&["ingest", query, "--name", "dear"])["rows"], 1);
    let profile = sandbox.json(&["log", "--datasets", "orders", "--profile"]).to_string();
    assert!(profile.contains("\"007\"") && profile.contains("\"NA\""), "codes stay text, and NA is one: {profile}");
    sandbox.run(&["ingest", "sqlite://shop.db?table=nothing", "--name", "t"]).code_is(2);
    database.execute_batch("INSERT INTO orders VALUES (4, 'x', 9.0)").expect("sound");
    assert_eq!(sandbox.json(&["ingest", "sqlite://shop.db?table=orders"])["rows"], 4);
}
