//! Objects in buckets: of a real S3 server on this machine, and of one that breaks off.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};

use crate::base::hash::hash;
use crate::record::remote::Remembered;
use crate::source::partition::Window;
use crate::source::tests::server::{Server, answer, cut};
use crate::source::tests::{Place, SECRET, names, text};
use crate::source::{Content, block_on};

/// The program `moto_server`, of Python's package `moto[server]`: the variable `TEST_S3_SERVER` names it.
struct S3Server {
    process: Child,
    url: String,
}

impl S3Server {
    /// `None`, and a word about it, when there is none.
    fn start(test: &str, authorised_after: Option<&str>) -> Option<S3Server> {
        let program = env::var_os("TEST_S3_SERVER").map(PathBuf::from).filter(|path| path.is_file());
        let Some(program) = program else {
            // Written past the capture of the test harness, so that it is seen.
            let note = format!("skipped: {test}: TEST_S3_SERVER does not name the program moto_server\n");
            let _ = std::io::stderr().write_all(note.as_bytes());
            return None;
        };
        // The server ends with the test, however that ends.
        let mut command = Command::new("setpriv");
        command.arg("--pdeathsig=TERM").arg(program).args(["-H", "127.0.0.1", "-p", "0"]);
        if let Some(count) = authorised_after {
            command.env("INITIAL_NO_AUTH_ACTION_COUNT", count);
        }
        let mut process = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("the server starts");
        let log = BufReader::new(process.stderr.take().expect("it was piped"));
        let mut log = log.lines().map_while(Result::ok);
        let mut server = S3Server { process, url: String::new() };
        let line = log.by_ref().find(|line| line.contains("Running on http")).expect("the server says where it is");
        server.url = line.split_whitespace().last().unwrap_or_default().to_owned();
        thread::spawn(move || log.for_each(drop));
        Some(server)
    }

    fn place(&self) -> Place {
        place(&self.url)
    }

    fn put(&self, objects: &[(&str, &[u8])]) {
        let bucket = reqwest::Client::builder().no_proxy().build().expect("a client");
        block_on(async {
            bucket
                .put(format!("{}/bucket", self.url))
                .header("content-length", "0")
                .send()
                .await?
                .error_for_status()?;
            let store = self.store();
            for (key, bytes) in objects {
                store.put(&Path::parse(key)?, PutPayload::from(bytes.to_vec())).await?;
            }
            Ok(())
        })
        .expect("stored");
    }

    fn store(&self) -> AmazonS3 {
        let builder = AmazonS3Builder::new().with_endpoint(&self.url).with_allow_http(true).with_bucket_name("bucket");
        builder.with_access_key_id("ann").with_secret_access_key(SECRET).build().expect("a client")
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A place whose object store is at `url`.
fn place(url: &str) -> Place {
    Place::new().set("AWS_ENDPOINT_URL", url).set("AWS_ACCESS_KEY_ID", "ann").set("AWS_SECRET_ACCESS_KEY", SECRET)
}

#[test]
fn objects_of_a_real_server() {
    let Some(server) = S3Server::start("objects_of_a_real_server", None) else { return };
    let large: Vec<u8> = (0..3_000_000_u32).flat_map(|number| number.to_le_bytes()).collect();
    server.put(&[
        ("trips.csv", b"a,b\n1,2\n"),
        ("my trips+more.csv", b"a\n1\n"),
        ("large.parquet", &large),
        ("d/day=2024-01-30/a.csv", b"30"),
        ("d/day=2024-01-31/a.csv", b"31"),
        ("d/day=2024-02-02/a.csv", b"02"),
        ("d/README.md", b"notes"),
        ("d/_SUCCESS", b""),
        ("empty.csv", b""),
    ]);
    let place = server.place();
    let file = place.one("s3://bucket/trips.csv");
    assert_eq!((file.name.as_str(), text(&file).as_str()), ("trips.csv", "a,b\n1,2\n"));
    assert_eq!(file.origin.as_deref(), Some("s3://bucket/trips.csv"));
    assert_eq!(text(&place.one("s3://bucket/my trips+more.csv")), "a\n1\n");

    let all = place.fetch(&["s3://bucket/d/"]).expect("there are tables");
    assert_eq!(names(&all), ["day=2024-01-30/a.csv", "day=2024-01-31/a.csv", "day=2024-02-02/a.csv"]);
    assert!(place.notes().contains("2 files skipped: README.md, _SUCCESS"), "{}", place.notes());
    let some = place.fetch(&["s3://bucket/d/*/a.csv"]).expect("there are tables");
    assert_eq!(some.len(), 3);
    let windowed = Place { window: Some(Window::Hours(72)), ..server.place() };
    let kept = windowed.fetch(&["s3://bucket/d/day={YYYY}-{MM}-{DD}/*.csv"]).expect("there are tables");
    assert_eq!(names(&kept), ["day=2024-01-31/a.csv", "day=2024-02-02/a.csv"]);
    assert!(windowed.notes().contains("no partition for 2024-02-01"));
    let roomy = Place { bytes_max: 1 << 30, ..server.place() };
    let whole = roomy.one("s3://bucket/large.parquet");
    assert!(std::fs::read(whole.path().expect("fetched")).expect("readable") == large);

    place.check_fault("s3://bucket/large.parquet", &["more than the 1.0 MiB"]);
    place.check_fault("s3://bucket/no.csv", &["there is no such object", "check the key"]);
    place.check_fault("s3://bucket/d", &["there is no such object", "ends in /"]);
    place.check_fault("s3://bucket/empty.csv", &["is empty"]);
    place.check_fault("s3://bucket/e/", &["nothing to read", "0 objects"]);
    place.check_fault("s3://bucket/d/*.parquet", &["nothing to read"]);
    place.check_fault("s3://nowhere/a.csv", &["no such bucket"]);
    place.check_fault("s3://bucket/a//b.csv", &["is not a key"]);

    let remembered =
        Remembered { validators: file.validators.clone().expect("a server told"), raw: hash(b"a,b\n1,2\n") };
    let mut again = server.place();
    again.remembered.insert("s3://bucket/trips.csv".to_owned(), remembered);
    assert!(matches!(again.one("s3://bucket/trips.csv").content, Content::NotModified(_)));
    server.put(&[("trips.csv", b"a,b\n3,4\n")]);
    assert_eq!(text(&again.one("s3://bucket/trips.csv")), "a,b\n3,4\n");
}

#[test]
fn wrong_keys_are_refused_by_a_real_server() {
    // The bucket is made without authorisation; from then on keys are checked, and ours are unknown.
    let Some(server) = S3Server::start("wrong_keys_are_refused_by_a_real_server", Some("1")) else { return };
    server.put(&[]);
    server.place().check_fault("s3://bucket/trips.csv", &["may not read it", "check the keys"]);
}

#[test]
fn a_broken_object_goes_on_where_it_broke() {
    let said = "ETag: \"v1\"\r\nLast-Modified: Wed, 21 Oct 2015 07:28:00 GMT\r\n";
    let server = Server::start(move |number, request| match (number, request.header("range")) {
        (0, _) => cut("200 OK", said, b"a,b\n1", 12),
        (_, Some(range)) => {
            let from: usize =
                range.trim_start_matches("bytes=").split('-').next().and_then(|at| at.parse().ok()).unwrap_or(0);
            let headers = format!("{said}Content-Range: bytes {from}-11/12\r\n");
            answer("206 Partial Content", &headers, &b"a,b\n1,2\n3,4\n"[from..])
        }
        _ => answer("200 OK", said, b"a,b\n1,2\n3,4\n"),
    });
    let place = place(&server.url(""));
    assert_eq!(text(&place.one("s3://bucket/t.csv")), "a,b\n1,2\n3,4\n");
    assert_eq!(server.seen()[1].header("range").map(|range| range.starts_with("bytes=5-")), Some(true));
}

#[test]
fn refusals_of_stores_are_explained_without_secrets() {
    let cases: [(&str, &[&str]); 4] = [
        ("403 Forbidden", &["may not read it"]),
        ("401 Unauthorized", &["credentials are wrong"]),
        ("404 Not Found", &["no such object"]),
        ("400 Bad Request", &["5 attempts", "check the endpoint"]),
    ];
    for (status, parts) in cases {
        let body = format!("<Error><Message>{SECRET}</Message></Error>");
        let server = Server::start(move |_, _| answer(status, "", body.as_bytes()));
        place(&server.url("")).check_fault("s3://bucket/t.csv", parts);
    }
    let bare = Place::new();
    bare.check_fault("s3://bucket/t.csv", &["no credentials", "AWS_ACCESS_KEY_ID", "AWS_SKIP_SIGNATURE"]);
    bare.check_fault("gs://bucket/t.csv", &["no credentials", "GOOGLE_APPLICATION_CREDENTIALS"]);
    bare.check_fault("az://container/t.csv", &["storage account", "AZURE_STORAGE_ACCOUNT_NAME"]);
}

#[test]
fn public_buckets_need_no_keys() {
    let said = "ETag: \"v1\"\r\nLast-Modified: Wed, 21 Oct 2015 07:28:00 GMT\r\n";
    let server = Server::start(move |_, _| answer("200 OK", said, b"a\n1\n"));
    let place = Place::new().set("AWS_ENDPOINT_URL", &server.url("")).set("AWS_SKIP_SIGNATURE", "true");
    assert_eq!(text(&place.one("s3://bucket/d/t.csv")), "a\n1\n");
    let seen = &server.seen()[0];
    assert_eq!((seen.path.as_str(), seen.header("authorization")), ("/bucket/d/t.csv", None));
}
