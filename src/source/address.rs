//! What a person typed, taken apart; and the same without its secrets.

use anyhow::Result;
use reqwest::Url;

use crate::base::fail::{self, Failure};
use crate::base::suggest;

/// The beginnings of addresses that are understood.
const SCHEMES: [&str; 9] = ["http", "https", "s3", "gs", "az", "sqlite", "postgres", "postgresql", "file"];

/// A source by its kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Address {
    /// `-`
    Stdin,
    /// A path of a file or folder, or a pattern.
    Local(String),
    /// `http://` and `https://`; may hold a password.
    Http(Url),
    /// `s3://`, `gs://`, `az://`
    Object(ObjectPlace),
    /// `sqlite://`
    Sqlite(SqlitePlace),
    /// `postgres://` and `postgresql://`
    Postgres(PostgresPlace),
}

/// Whose object store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// Amazon S3 and everything that speaks its protocol.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage.
    Azure,
}

/// A key, or a pattern of keys, in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectPlace {
    /// Whose.
    pub store: Store,
    /// Bucket or container.
    pub bucket: String,
    /// Key; one that ends in `/` is a folder, one with `*`, `?`, `[` or `{` a pattern.
    pub key: String,
}

/// What is read of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Select {
    /// A whole table.
    Table(String),
    /// The answer to a query.
    Query(String),
    /// It was not said.
    Nothing,
}

/// A table or query of an SQLite file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlitePlace {
    /// Path of the file.
    pub file: String,
    /// What is read of it.
    pub select: Select,
}

/// A table or query of a PostgreSQL server.
#[derive(Clone, PartialEq)]
pub struct PostgresPlace {
    /// User, password, host, port and database; without a query part. Holds secrets.
    pub server: Url,
    /// What is read of it.
    pub select: Select,
    /// `sslmode=`
    pub ssl_mode: Option<String>,
    /// `sslrootcert=`
    pub ssl_root: Option<String>,
    /// The address without secrets.
    pub shown: String,
}

impl std::fmt::Debug for PostgresPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Address {
    /// Whether fetching it needs a network.
    pub fn is_remote(&self) -> bool {
        matches!(self, Address::Http(_) | Address::Object(_) | Address::Postgres(_))
    }

    /// The address without secrets.
    pub fn shown(&self) -> String {
        match self {
            Address::Stdin => "standard input".to_owned(),
            Address::Local(path) => path.clone(),
            Address::Http(url) => redact(url.as_str()),
            Address::Object(place) => place.shown(),
            Address::Sqlite(place) => format!("sqlite://{}", place.file),
            Address::Postgres(place) => place.shown.clone(),
        }
    }
}

impl ObjectPlace {
    /// The address of this place.
    pub fn shown(&self) -> String {
        self.of(&self.key)
    }

    /// The address of another key in the same bucket.
    pub fn of(&self, key: &str) -> String {
        let scheme = match self.store {
            Store::S3 => "s3",
            Store::Google => "gs",
            Store::Azure => "az",
        };
        format!("{scheme}://{}/{key}", self.bucket)
    }
}

/// Takes `source` apart.
///
/// Errors: an unknown scheme, an address that makes no sense; none of them repeats a secret.
pub fn parse(source: &str) -> Result<Address> {
    if source == "-" {
        return Ok(Address::Stdin);
    }
    if source.is_empty() {
        return Err(fail::usage("a source is empty").hint("name a file, a folder, a pattern or an address").into());
    }
    let Some((scheme, rest)) = split_scheme(source) else {
        return Ok(Address::Local(source.to_owned()));
    };
    let nonsense = |hint: &str| {
        fail::usage(format!("{} is not an address that makes sense", redact(source))).hint(hint.to_owned())
    };
    match scheme.to_ascii_lowercase().as_str() {
        "file" => Ok(Address::Local(decode(rest)?)),
        "http" | "https" => {
            let hint =
                "write it like https://host/path; in user names and passwords write @ as %40, / as %2F, ? as %3F";
            let mut url = Url::parse(source).map_err(|_| nonsense(hint))?;
            url.set_fragment(None);
            Ok(Address::Http(url))
        }
        "s3" => {
            Ok(Address::Object(object_place(Store::S3, rest).ok_or_else(|| nonsense("write it like s3://bucket/key"))?))
        }
        "gs" => Ok(Address::Object(
            object_place(Store::Google, rest).ok_or_else(|| nonsense("write it like gs://bucket/key"))?,
        )),
        "az" => Ok(Address::Object(
            object_place(Store::Azure, rest).ok_or_else(|| nonsense("write it like az://container/key"))?,
        )),
        "sqlite" => Ok(Address::Sqlite(sqlite_place(rest)?)),
        "postgres" | "postgresql" => Ok(Address::Postgres(postgres_place(source, rest)?)),
        other => {
            let near = suggest::nearest(other, SCHEMES).map(|near| format!("did you mean `{near}://`? "));
            let hint = format!("{}known: {}://, a path, or `-`", near.unwrap_or_default(), SCHEMES.join("://, "));
            Err(fail::usage(format!("`{other}://` is not a kind of source")).hint(hint).into())
        }
    }
}

/// The scheme and what follows `://`.
fn split_scheme(source: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = source.split_once("://")?;
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(letters);
    is_scheme.then_some((scheme, rest))
}

fn object_place(store: Store, rest: &str) -> Option<ObjectPlace> {
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    let sound = !bucket.is_empty() && bucket.chars().all(|c| c.is_ascii_alphanumeric() || "._-$".contains(c));
    sound.then(|| ObjectPlace { store, bucket: bucket.to_owned(), key: key.to_owned() })
}

fn sqlite_place(rest: &str) -> Result<SqlitePlace> {
    let (file, asked) = rest.split_once('?').unwrap_or((rest, ""));
    if file.is_empty() {
        let hint = "write it like sqlite://data/app.db?table=trips";
        return Err(fail::usage("`sqlite://` names no file").hint(hint).into());
    }
    let mut select = Select::Nothing;
    for (name, value) in parameters(asked)? {
        take_select(&mut select, &name, value, &["table", "query"])?;
    }
    Ok(SqlitePlace { file: decode(file)?, select })
}

fn postgres_place(source: &str, rest: &str) -> Result<PostgresPlace> {
    let (server, asked) = rest.split_once('?').unwrap_or((rest, ""));
    let server = Url::parse(&format!("postgres://{server}")).map_err(|_| {
        fail::usage("the postgres:// address makes no sense").hint(
            "write it like postgres://user@host:5432/database?table=trips; \
             in passwords write @ as %40, / as %2F, ? as %3F, # as %23, or give them as PGPASSWORD",
        )
    })?;
    let (mut select, mut ssl_mode, mut ssl_root) = (Select::Nothing, None, None);
    for (name, value) in parameters(asked)? {
        match name.as_str() {
            "sslmode" => ssl_mode = Some(value),
            "sslrootcert" => ssl_root = Some(value),
            "password" => {
                let what = "a password is not taken from the query part of an address";
                return Err(fail::usage(what).hint("set the variable PGPASSWORD").into());
            }
            _ => take_select(&mut select, &name, value, &["table", "query", "sslmode", "sslrootcert"])?,
        }
    }
    Ok(PostgresPlace { server, select, ssl_mode, ssl_root, shown: redact(source) })
}

fn take_select(select: &mut Select, name: &str, value: String, known: &[&str]) -> Result<()> {
    if *select != Select::Nothing && matches!(name, "table" | "query") {
        let hint = "give one `table=` or one `query=`; within a query write & as %26";
        return Err(fail::usage("the address asks for more than one table or query").hint(hint).into());
    }
    *select = match name {
        "table" | "query" if value.trim().is_empty() => {
            let hint = "write it like ?table=trips or ?query=SELECT …";
            return Err(fail::usage(format!("`{name}=` is empty")).hint(hint).into());
        }
        "table" => Select::Table(value),
        "query" => Select::Query(value),
        odd => return Err(unknown_parameter(odd, known)),
    };
    Ok(())
}

/// An unknown name may be the rest of a password with a `?` in it, so that only harmless ones are repeated.
fn unknown_parameter(odd: &str, known: &[&str]) -> anyhow::Error {
    if odd.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && odd.len() <= 20 {
        return suggest::unknown("part of the address", odd, known.iter().copied()).into();
    }
    let hint = format!("known: {}; within a query write & as %26, within a password ? as %3F", known.join(", "));
    fail::usage("the address has an unknown part after its `?`").hint(hint).into()
}

/// `a=1&b=2`, decoded. `+` stays a plus, as it is one in SQL.
fn parameters(text: &str) -> Result<Vec<(String, String)>, Failure> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let read = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Ok((decode(name)?, decode(value)?))
    };
    pairs.map(read).collect()
}

/// Undoes percent encoding; a `%` without two hexadecimal digits stays.
pub fn decode(text: &str) -> Result<String, Failure> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digit = |offset: usize| bytes.get(at + offset).and_then(|byte| (*byte as char).to_digit(16));
        match (bytes[at], digit(1), digit(2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).map_err(|_| {
        fail::usage("the percent signs of an address do not encode UTF-8").hint("write a percent sign itself as %25")
    })
}

/// The address without passwords, tokens and keys; other text as it is.
///
/// User names stay for PostgreSQL only: elsewhere tokens are given as user names. Of the query part, values whose names
/// sound secret become `***`. An address that cannot be taken apart safely keeps its scheme alone.
pub fn redact(text: &str) -> String {
    let Some((scheme, rest)) = split_scheme(text) else { return text.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let lower = scheme.to_ascii_lowercase();
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    // `user:pass/word@host`: what looks like a port is the beginning of a password.
    let port = host.rsplit_once(':').map_or("", |(_, port)| port);
    let odd_port = !host.ends_with(']') && !port.chars().all(|c| c.is_ascii_digit());
    if lower != "sqlite" && (odd_port || (user.is_none() && !port.is_empty() && path.contains('@'))) {
        return format!("{scheme}://…");
    }
    let user = user.filter(|_| lower.starts_with("postgres")).map(|user| user.split(':').next().unwrap_or_default());
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    let path = path.split('#').next().unwrap_or_default();
    let Some((path, query)) = path.split_once('?') else {
        return format!("{scheme}://{user}{host}{path}");
    };
    let query: Vec<String> = query.split('&').map(redact_pair).collect();
    format!("{scheme}://{user}{host}{path}?{}", query.join("&"))
}

fn redact_pair(pair: &str) -> String {
    const PARTS: [&str; 12] = [
        "token",
        "secret",
        "password",
        "passwd",
        "pwd",
        "signature",
        "credential",
        "apikey",
        "api_key",
        "api-key",
        "auth",
        "session",
    ];
    const WHOLE: [&str; 5] = ["sig", "key", "code", "pass", "access_key"];
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let lower = name.to_lowercase();
    let secret = PARTS.iter().any(|part| lower.contains(part)) || WHOLE.contains(&lower.as_str());
    if secret && !value.is_empty() { format!("{name}=***") } else { pair.to_owned() }
}
