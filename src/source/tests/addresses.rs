//! What a person may type, and what of it may be shown.

use std::io;

use crate::source::tests::{Place, SECRET, text};
use crate::source::{FetchOptions, is_plain_path, is_remote, redact, spool, wants_variable};

#[test]
fn secrets_are_not_shown() {
    let cases = [
        ("data/trips.csv", "data/trips.csv"),
        ("-", "-"),
        ("https://host/a.csv", "https://host/a.csv"),
        ("https://ann:PW@host:8443/a.csv?x=1", "https://host:8443/a.csv?x=1"),
        ("https://PW@host/a.csv", "https://host/a.csv"),
        ("https://host/a.csv?token=PW&x=1#PW", "https://host/a.csv?token=***&x=1"),
        (
            "https://host/a?X-Amz-Credential=PW&X-Amz-Signature=PW",
            "https://host/a?X-Amz-Credential=***&X-Amz-Signature=***",
        ),
        (
            "https://host/a?sig=PW&key=PW&api_key=PW&Access_Token=PW",
            "https://host/a?sig=***&key=***&api_key=***&Access_Token=***",
        ),
        ("https://ann:P/PW@host/a.csv", "https://…"),
        ("https://ann:P?PW@host/a.csv", "https://…"),
        ("s3://KEY:PW@bucket/a.csv", "s3://bucket/a.csv"),
        ("postgres://ann:PW@host:5432/db?table=t", "postgres://ann@host:5432/db?table=t"),
        ("postgres://ann:12/PW@host/db?table=t", "postgres://…"),
        ("postgres://host/db?table=t&password=PW", "postgres://host/db?table=t&password=***"),
        ("sqlite://a:b/x.db?table=t", "sqlite://a:b/x.db?table=t"),
        ("http://[::1]:8000/a.csv", "http://[::1]:8000/a.csv"),
    ];
    for (typed, shown) in cases {
        assert_eq!(redact(&typed.replace("PW", SECRET)), shown, "{typed}");
    }
}

#[test]
fn nonsense_is_refused_without_repeating_secrets() {
    let cases: [(&str, &[&str]); 18] = [
        ("", &["empty"]),
        ("htps://host/a.csv", &["`htps://` is not a kind of source", "did you mean `https://`", "postgres://"]),
        ("s3a://bucket/key", &["did you mean `s3://`"]),
        ("ftp://host/a", &["not a kind of source", "known: http://"]),
        ("https://", &["makes sense"]),
        ("https://ann:P/PW@host/a.csv", &["makes sense", "%2F"]),
        ("s3://", &["s3://bucket/key"]),
        ("gs:///key", &["gs://bucket/key"]),
        ("az://con tainer/key", &["az://container/key"]),
        ("sqlite://?table=t", &["names no file"]),
        ("sqlite://x.db?tabel=t", &["did you mean `table`"]),
        ("sqlite://x.db?table=a&query=b", &["more than one"]),
        ("sqlite://x.db?query=", &["is empty"]),
        ("sqlite://x.db?query=%ff", &["UTF-8", "%25"]),
        ("postgres://ann:P/PW@host/db?table=t", &["makes no sense", "%2F"]),
        ("postgres://ann:5?PW@host/db?table=t", &["unknown part", "?"]),
        ("postgres://ann@host/db?table=t&password=PW", &["PGPASSWORD"]),
        ("postgres://ann@host/db", &["does not say which table"]),
    ];
    for (typed, parts) in cases {
        Place::new().check_fault(&typed.replace("PW", SECRET), parts);
    }
}

#[test]
fn kinds_are_told_apart() {
    let cases = [
        ("a.csv", false, true),
        ("data", false, true),
        ("data/*.csv", false, false),
        ("data/{YYYY}.csv", false, false),
        ("-", false, false),
        ("file:///tmp/a.csv", false, true),
        ("sqlite://x.db?table=t", false, false),
        ("http://host/a.csv", true, false),
        ("s3://bucket/a.csv", true, false),
        ("postgresql://host/db?table=t", true, false),
    ];
    for (source, remote, plain) in cases {
        assert_eq!((is_remote(source), is_plain_path(source)), (remote, plain), "{source}");
    }
    for name in
        ["AWS_ACCESS_KEY_ID", "GOOGLE_SERVICE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME", "PGPASSWORD", "https_proxy"]
    {
        assert!(wants_variable(name), "{name}");
    }
    assert!(!wants_variable("HOME") && !wants_variable("PATH"));
}

#[test]
fn standard_input_is_kept_whole_within_its_limit() {
    let place = Place::new();
    let options = FetchOptions::new(place.root.path(), place.staging.path(), &place.environment);
    let read = |bytes: &[u8], limit: u64| {
        spool::standard_input(&mut io::Cursor::new(bytes.to_vec()), limit, &options, &place.talk)
    };
    let file = read(b"a\n1\n", 4).expect("it fits");
    assert_eq!((file.name.as_str(), file.origin.as_deref(), text(&file).as_str()), ("stdin", Some("stdin"), "a\n1\n"));
    assert!(read(b"a\n1\n2", 4).is_err_and(|error| error.to_string().contains("more than the 4 B")));
    assert!(read(b"", 4).is_err_and(|error| error.to_string().contains("empty")));
}
