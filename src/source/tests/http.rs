//! Fetching over HTTP: whole, in parts, refused, remembered.

use std::sync::Mutex;

use crate::base::hash::hash;
use crate::record::remote::{Remembered, Validators};
use crate::source::Content;
use crate::source::tests::server::{Server, answer, cut};
use crate::source::tests::{Place, SECRET, files_below, text};

const BODY: &[u8] = b"a,b\n1,2\n3,4\n";

#[test]
fn a_file_is_fetched_with_its_name_and_what_the_server_said() {
    let cases: [(&str, &str, &str); 7] = [
        ("/data/trips.csv", "", "trips.csv"),
        ("/data/trips.csv?day=1", "", "trips.csv"),
        ("/my%20trips.csv", "", "my trips.csv"),
        ("/", "", "download"),
        ("/export", "Content-Disposition: attachment; filename=\"a b.csv\"\r\n", "a b.csv"),
        ("/export", "Content-Disposition: attachment; filename=x.csv; filename*=UTF-8''t%C3%A9.csv\r\n", "té.csv"),
        ("/export", "Content-Disposition: attachment; filename=\"../../.evil.csv\"\r\n", "evil.csv"),
    ];
    for (path, headers, name) in cases {
        let more = format!("ETag: \"v1\"\r\nLast-Modified: Wed, 21 Oct 2015 07:28:00 GMT\r\n{headers}");
        let server = Server::start(move |_, _| answer("200 OK", &more, BODY));
        let place = Place::new();
        let file = place.one(&server.url(path));
        assert_eq!((file.name.as_str(), text(&file).as_bytes()), (name, BODY), "{path}");
        assert_eq!(file.origin, Some(server.url(path)));
        let said = file.validators.clone().expect("a server told");
        assert_eq!((said.etag.as_deref(), said.bytes), (Some("\"v1\""), BODY.len() as u64));
        assert!(
            matches!(&file.content, Content::Temporary(at) if at.to_string_lossy().ends_with(&name.replace(' ', "_")))
        );
        drop(file);
        assert_eq!(files_below(place.staging.path()), 0, "the copy vanishes with its last owner");
    }
}

#[test]
fn a_broken_transfer_goes_on_where_it_broke() {
    // The first answer breaks off after 5 bytes; the second is asked for the rest.
    let server = Server::start(|number, _| match number {
        0 => cut("200 OK", "ETag: \"v1\"\r\n", &BODY[..5], BODY.len()),
        _ => answer("206 Partial Content", "ETag: \"v1\"\r\nContent-Range: bytes 5-11/12\r\n", &BODY[5..]),
    });
    let place = Place::new();
    let file = place.one(&server.url("/t.csv"));
    assert_eq!(text(&file).as_bytes(), BODY);
    let second = &server.seen()[1];
    assert_eq!((second.header("range"), second.header("if-range")), (Some("bytes=5-"), Some("\"v1\"")));
    assert!(place.notes().contains("after 5 B; trying again (1 of 4)"), "{}", place.notes());
}

#[test]
fn a_transfer_that_cannot_go_on_begins_again() {
    let half = || cut("200 OK", "ETag: \"v1\"\r\n", &BODY[..5], BODY.len());
    let whole = |headers: &str| answer("200 OK", headers, BODY);
    let other = answer("206 Partial Content", "ETag: \"v2\"\r\nContent-Range: bytes 5-11/12\r\n", b"another");
    let elsewhere = answer("206 Partial Content", "ETag: \"v1\"\r\nContent-Range: bytes 6-11/12\r\n", &BODY[6..]);
    let cases: Vec<(&str, Vec<Vec<u8>>)> = vec![
        ("the server ignores ranges", vec![half(), whole("ETag: \"v1\"\r\n")]),
        ("the file changed, and the server said so", vec![half(), whole("ETag: \"v2\"\r\n")]),
        ("the file changed, and the server went on all the same", vec![half(), other, whole("ETag: \"v2\"\r\n")]),
        ("the server sent another range", vec![half(), elsewhere, whole("")]),
        ("the range cannot be satisfied", vec![half(), answer("416 Range Not Satisfiable", "", b""), whole("")]),
        ("nothing tells versions apart", vec![cut("200 OK", "", &BODY[..5], 12), whole("")]),
        ("a weak ETag tells nothing about bytes", vec![cut("200 OK", "ETag: W/\"v\"\r\n", &BODY[..5], 12), whole("")]),
        ("the server is busy at first", vec![answer("503 Service Unavailable", "", b""), whole("")]),
        ("a connection closes without a word", vec![Vec::new(), whole("")]),
    ];
    for (what, answers) in cases {
        let server = Server::start(move |number, _| answers.get(number).cloned().unwrap_or_default());
        let place = Place::new();
        assert_eq!(text(&place.one(&server.url("/t.csv"))).as_bytes(), BODY, "{what}");
    }
}

#[test]
fn refusals_say_what_where_and_what_next() {
    let long = vec![b'x'; 2 << 20];
    let cases: Vec<(Vec<u8>, usize, &[&str])> = vec![
        (answer("404 Not Found", "", b"no"), 1, &["404 Not Found", "/t.csv", "check the address"]),
        (answer("401 Unauthorized", "", b""), 1, &["401", "USER:PASSWORD@host"]),
        (answer("403 Forbidden", "", b""), 1, &["403", "credentials"]),
        (answer("500 Internal Server Error", "", b""), 5, &["500", "5 attempts", "try again later"]),
        (answer("304 Not Modified", "", b""), 1, &["304"]),
        (answer("206 Partial Content", "Content-Range: bytes 0-3/12\r\n", b"a,b\n"), 1, &["206"]),
        (answer("204 No Content", "", b""), 1, &["204"]),
        (answer("200 OK", "", b""), 1, &["is empty"]),
        (cut("200 OK", "", b"a,b\n1", 12), 5, &["broke off", "5 attempts"]),
        (Vec::new(), 5, &["broke off", "5 attempts"]),
        (b"not HTTP at all\r\n\r\n".to_vec(), 5, &["broke off"]),
        (
            answer("200 OK", "Content-Type: text/html; charset=utf-8\r\n", b"\n<!doctype html>"),
            1,
            &["is a web page", "sign-in"],
        ),
        (cut("200 OK", "", b"a,b\n", 2 << 20), 1, &["more than the 1.0 MiB"]),
        (answer("200 OK", "Transfer-Encoding: identity\r\n", &long), 1, &["more than the 1.0 MiB"]),
        (
            [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".as_slice(), &long].concat(),
            1,
            &["more than the 1.0 MiB", "raise the limit"],
        ),
        (answer("302 Found", "Location: /t.csv\r\n", b""), 11, &["too many redirects"]),
    ];
    for (bytes, requests, parts) in cases {
        let server = Server::start(move |_, _| bytes.clone());
        let place = Place::new();
        place.check_fault(&server.url(&format!("/t.csv?token={SECRET}")), parts);
        assert_eq!(server.seen().len(), requests, "{parts:?}");
    }
}

#[test]
fn an_early_end_that_cannot_be_seen_is_said_to_be_possible() {
    let server = Server::start(|_, _| [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".as_slice(), BODY].concat());
    let place = Place::new();
    assert_eq!(text(&place.one(&server.url("/t.csv"))).as_bytes(), BODY);
    assert!(place.notes().contains("an early end would go unseen"));
}

#[test]
fn a_chunked_answer_that_stops_early_is_not_whole() {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    let server = Server::start(move |number, _| match number {
        0 => [head.as_slice(), b"4\r\na,b\n\r\n"].concat(),
        _ => [head.as_slice(), b"4\r\na,b\n\r\n4\r\n1,2\n\r\n0\r\n\r\n"].concat(),
    });
    let place = Place::new();
    assert_eq!(text(&place.one(&server.url("/t.csv"))), "a,b\n1,2\n");
    assert!(!place.notes().contains("unseen"), "chunks tell their end");
}

#[test]
fn an_unchanged_file_is_not_sent_again() {
    let server = Server::start(|_, request| match request.header("if-none-match") {
        Some("\"v1\"") => answer("304 Not Modified", "", b""),
        _ => answer("200 OK", "ETag: \"v2\"\r\n", BODY),
    });
    let mut place = Place::new();
    let url = server.url("/t.csv");
    let remembered = |etag: &str| Remembered {
        validators: Validators {
            name: "told.csv".to_owned(),
            etag: Some(etag.to_owned()),
            last_modified: Some("Wed, 21 Oct 2015 07:28:00 GMT".to_owned()),
            bytes: 12,
        },
        raw: hash(BODY),
    };
    place.remembered.insert(url.clone(), remembered("\"v1\""));
    let file = place.one(&url);
    assert!(matches!(&file.content, Content::NotModified(known) if known.raw == hash(BODY)));
    assert_eq!((file.name.as_str(), file.path()), ("told.csv", None));
    assert_eq!(server.seen()[0].header("if-modified-since"), Some("Wed, 21 Oct 2015 07:28:00 GMT"));
    place.remembered.insert(url.clone(), remembered("\"v0\""));
    let file = place.one(&url);
    assert_eq!(file.validators.as_ref().and_then(|said| said.etag.as_deref()), Some("\"v2\""));
    assert_eq!(text(&file).as_bytes(), BODY);
}

#[test]
fn a_password_goes_to_its_server_and_nowhere_else() {
    let elsewhere = Server::start(|_, _| answer("200 OK", "", BODY));
    let target = Mutex::new(elsewhere.url("/other.csv").replace("127.0.0.1", "localhost"));
    let server = Server::start(move |_, _| {
        let target = target.lock().expect("no test panics here").clone();
        answer("302 Found", &format!("Location: {target}\r\n"), b"")
    });
    let place = Place::new();
    let url = server.url(&format!("/t.csv?sig={SECRET}&day=1"));
    let file = place.one(&url.replace("http://", &format!("http://ann:{SECRET}@")));
    assert_eq!(file.origin, Some(server.url("/t.csv?sig=***&day=1")));
    assert_eq!(file.name, "t.csv");
    // base64 of "ann:hunter2-swordfish"
    assert_eq!(server.seen()[0].header("authorization"), Some("Basic YW5uOmh1bnRlcjItc3dvcmRmaXNo"));
    let there = &elsewhere.seen()[0];
    assert_eq!((there.header("authorization"), there.header("referer")), (None, None));
}

#[test]
fn no_connection_and_no_network_are_told_apart() {
    let place = Place::new();
    // A port that was free a moment ago.
    let gone = Server::start(|_, _| Vec::new()).url("/t.csv");
    place.check_fault(&gone, &["no connection to 127.0.0.1", "check the address"]);
    place.check_fault(&format!("http://ann:{SECRET}@nowhere.invalid/t.csv"), &["nowhere.invalid", "check"]);
    let offline = Place { offline: true, ..Place::new() };
    for source in ["https://example.org/t.csv", "s3://bucket/t.csv", "postgres://host/db?table=t"] {
        offline.check_fault(source, &["working offline", "--offline"]);
    }
}
