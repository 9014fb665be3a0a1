//! Tables and queries of PostgreSQL servers, as one read-only snapshot.

use std::error::Error as _;
use std::path::PathBuf;
use std::pin::pin;

use anyhow::Result;
use futures_util::StreamExt;
use tokio::time;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::{ErrorPosition, SqlState};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, CopyOutStream, Error, NoTls};

use crate::base::fail::{self, Failure};
use crate::base::host;
use crate::base::limits;
use crate::base::suggest;
use crate::base::talk::{Talk, Unit};
use crate::source::address::{self, PostgresPlace, Select};
use crate::source::objects::scrub;
use crate::source::snapshot::{Claim, Column, LONELY_NULL, Snapshot};
use crate::source::spool::Spool;
use crate::source::tls::{self, Trust};
use crate::source::{FetchOptions, Fetched};
use crate::spec::schema::ColumnType;

/// Everything is read as of one moment, nothing is written, and texts do not depend on the server's settings.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
    SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL timezone = 'UTC'; SET LOCAL intervalstyle = 'iso_8601';
    SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1";

/// Modes of `sslmode=`.
const SSL_MODES: [&str; 4] = ["disable", "prefer", "require", "verify-full"];

/// Where to connect, and how.
struct Target {
    config: Config,
    /// `host:port/database`, for messages.
    shown: String,
    host: String,
    mode: String,
    root: Option<PathBuf>,
}

/// Writes a table, or the answer to a query, into a temporary CSV file by `COPY … TO STDOUT`.
///
/// A table with a primary key comes in its order. Errors: no connection, a wrong password, a faulty query, more than
/// `budget` bytes.
pub async fn fetch(place: &PostgresPlace, budget: u64, options: &FetchOptions<'_>, talk: &dyn Talk) -> Result<Fetched> {
    let target = target(place, options)?;
    if place.select == Select::Nothing {
        let what = format!("{} does not say which table", place.shown);
        return Err(fail::usage(what).hint("add ?table=NAME or ?query=SELECT …").into());
    }
    let client = connect(&target, talk).await.map_err(|error| scrubbed(error, place, options))?;
    let fetched = read(&client, place, budget, options, talk).await;
    fetched.map_err(|error| scrubbed(error, place, options))
}

/// A server repeats what it was told; passwords are taken out again.
fn scrubbed(error: anyhow::Error, place: &PostgresPlace, options: &FetchOptions<'_>) -> anyhow::Error {
    let Some(failure) = fail::find(&error) else { return error };
    let password = place.server.password().map(|text| address::decode(text).unwrap_or_default()).unwrap_or_default();
    let clean = |text: &str| {
        let text = scrub(text, options);
        if password.len() < 4 { text } else { text.replace(&password, "***") }
    };
    Failure { blame: failure.blame, what: clean(&failure.what), hint: failure.hint.as_deref().map(clean) }.into()
}

/// The parts of the address; what it leaves open comes from libpq's variables (`PGHOST`, `PGPASSWORD`, …).
fn target(place: &PostgresPlace, options: &FetchOptions<'_>) -> Result<Target> {
    let url = &place.server;
    let part = |text: &str, variable: &str| -> Result<Option<String>, Failure> {
        let given = address::decode(text)?;
        Ok(Some(given).filter(|text| !text.is_empty()).or_else(|| options.variable(variable).map(str::to_owned)))
    };
    let host = part(url.host_str().unwrap_or_default(), "PGHOST")?.unwrap_or_else(|| "localhost".to_owned());
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = match (url.port(), options.variable("PGPORT")) {
        (Some(port), _) => port,
        (None, Some(text)) => text.parse().map_err(|_| fail::usage("PGPORT is not a port"))?,
        (None, None) => 5432,
    };
    let user = part(url.username(), "PGUSER")?.unwrap_or_else(host::user_name);
    let database = part(url.path().trim_start_matches('/'), "PGDATABASE")?.unwrap_or_else(|| user.clone());
    let password = part(url.password().unwrap_or_default(), "PGPASSWORD")?;
    let mode = place.ssl_mode.as_deref().or_else(|| options.variable("PGSSLMODE")).unwrap_or("prefer").to_owned();
    if !SSL_MODES.contains(&mode.as_str()) {
        return Err(suggest::unknown("sslmode", &mode, SSL_MODES).into());
    }
    let root = place.ssl_root.as_deref().or_else(|| options.variable("PGSSLROOTCERT"));
    let root = root.filter(|path| *path != "system").map(|path| options.root.join(path));
    let mut config = Config::new();
    config.host(&host).port(port).user(&user).dbname(&database).application_name("mlops");
    config.connect_timeout(limits::FETCH_CONNECT_WAIT).ssl_mode(match mode.as_str() {
        "disable" => SslMode::Disable,
        "prefer" => SslMode::Prefer,
        _ => SslMode::Require,
    });
    if let Some(password) = password {
        config.password(password);
    }
    Ok(Target { config, shown: format!("{host}:{port}/{database} as {user}"), host, mode, root })
}

/// Connects; the connection lives on the runtime until the client is dropped.
async fn connect(target: &Target, talk: &dyn Talk) -> Result<Client> {
    let failed = |error: Error| not_connected(&error, target);
    if target.mode == "disable" {
        let (client, connection) = target.config.connect(NoTls).await.map_err(failed)?;
        tokio::spawn(connection);
        return Ok(client);
    }
    // As in libpq: a file of authorities means that they are to be believed and nobody else.
    let trust = match (target.mode.as_str(), &target.root) {
        (_, Some(path)) => Trust::File(path),
        ("verify-full", None) => Trust::System,
        _ => Trust::Anybody,
    };
    if let ("require", Trust::Anybody) = (target.mode.as_str(), &trust) {
        let host = &target.host;
        talk.info(&format!(
            "the connection to {host} is encrypted, its certificate not checked; sslmode=verify-full does"
        ));
    }
    let (client, connection) = target.config.connect(tls::connector(&trust)?).await.map_err(failed)?;
    tokio::spawn(connection);
    Ok(client)
}

fn not_connected(error: &Error, target: &Target) -> Failure {
    let shown = &target.shown;
    let why = inner(error);
    let Some(code) = error.code() else {
        let lookup = why.contains("lookup") || why.contains("resolve");
        let hint = match () {
            () if lookup => format!("no host `{}` is known: check its name and the network", target.host),
            () if why.contains("certificate") => {
                "the certificate of the server is not signed by a known authority; name one with sslrootcert=FILE"
                    .to_owned()
            }
            () if why.contains("password missing") => "put it into PGPASSWORD, or into the address".to_owned(),
            () if why.contains("TLS") => "the server does not encrypt; add sslmode=disable if that is fine".to_owned(),
            () => "check host and port, and that the server runs and listens there".to_owned(),
        };
        return fail::world(format!("cannot connect to PostgreSQL at {shown}: {why}")).hint(hint);
    };
    let hint = match *code {
        SqlState::INVALID_PASSWORD => "the password is wrong or missing; give it as PGPASSWORD",
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => "check the user, and the server's pg_hba.conf",
        SqlState::INVALID_CATALOG_NAME => "there is no such database; check the path of the address",
        SqlState::TOO_MANY_CONNECTIONS => "the server has no place left; try again later",
        _ => "check the address and the server's log",
    };
    fail::world(format!("cannot connect to PostgreSQL at {shown}: {why}")).hint(hint)
}

/// What the server or the network said, without the frame around it.
fn inner(error: &Error) -> String {
    if let Some(said) = error.as_db_error() {
        return said.message().to_owned();
    }
    let cause = error.source().map(ToString::to_string);
    match cause {
        Some(cause) => format!("{error}: {cause}").trim_end_matches(": ").to_owned(),
        None => error.to_string(),
    }
}

/// A statement that did not work.
fn not_answered(error: &Error, place: &PostgresPlace) -> Failure {
    let failure = |hint: String| fail::usage(format!("{}: {}", place.shown, inner(error))).hint(hint);
    let Some(said) = error.as_db_error() else {
        return fail::world(format!("{}: {}", place.shown, inner(error))).hint("the connection broke; try again");
    };
    let at = match said.position() {
        Some(ErrorPosition::Original(at)) => format!(" near character {at} of the query"),
        _ => String::new(),
    };
    match *said.code() {
        SqlState::SYNTAX_ERROR => failure(format!("the query is not SQL{at}; percent-encode & as %26 and # as %23")),
        SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_COLUMN | SqlState::UNDEFINED_FUNCTION => {
            failure(said.hint().map_or_else(|| format!("check the names{at}"), str::to_owned))
        }
        SqlState::INSUFFICIENT_PRIVILEGE => failure("this user may not read it: GRANT SELECT to it".to_owned()),
        SqlState::READ_ONLY_SQL_TRANSACTION => failure("the query would write; give one SELECT".to_owned()),
        _ => failure(said.hint().map_or_else(|| format!("check the query{at}"), str::to_owned)),
    }
}

async fn read(
    client: &Client,
    place: &PostgresPlace,
    budget: u64,
    options: &FetchOptions<'_>,
    talk: &dyn Talk,
) -> Result<Fetched> {
    let failed = |error: Error| not_answered(&error, place);
    client.batch_execute(BEGIN).await.map_err(failed)?;
    let (sql, name) = match &place.select {
        Select::Table(table) => (table_query(client, table, place, talk).await?, format!("{table}.csv")),
        Select::Query(query) => {
            if !query.to_lowercase().contains("order by") {
                talk.info("the query has no ORDER BY: its rows come as the server sends them, which may change");
            }
            (query.trim().trim_end_matches(';').to_owned(), "query.csv".to_owned())
        }
        Select::Nothing => return Err(fail::usage("nothing was asked of the database").into()),
    };
    let statement = client.prepare(&sql).await.map_err(failed)?;
    if !statement.params().is_empty() {
        return Err(fail::usage("the query has parameters ($1)").hint("write their values into it").into());
    }
    let types: Vec<Type> = statement.columns().iter().map(|column| column.type_().clone()).collect();
    let columns: Vec<Column> =
        statement.columns().iter().map(|column| Column::new(column.name(), claim(column.type_()))).collect();
    let watched: Vec<bool> = types.iter().map(|kind| claim(kind) != Claim::Type(ColumnType::Text)).collect();
    let spool = Spool::new(options.staging, &name, &place.shown, budget)?;
    let mut snapshot = Snapshot::new(spool, columns)?;
    let stream = client.copy_out(&copy_statement(&sql, &types)).await.map_err(failed)?;
    receive(stream, &mut snapshot, &watched, place, talk).await?;
    snapshot.finish(true, name, place.shown.clone(), talk)
}

/// All of a table, in order of its primary key.
async fn table_query(client: &Client, table: &str, place: &PostgresPlace, talk: &dyn Talk) -> Result<String> {
    let failed = |error: Error| not_answered(&error, place);
    let quoted: Vec<String> = table.split('.').map(|part| format!("\"{}\"", part.replace('"', "\"\""))).collect();
    let quoted = quoted.join(".");
    let known = "SELECT to_regclass($1)::oid";
    let row = client.query_one(known, &[&quoted]).await.map_err(failed)?;
    if row.get::<_, Option<u32>>(0).is_none() {
        let all =
            "SELECT CASE WHEN schemaname = current_schema() THEN tablename ELSE schemaname || '.' || tablename END
            FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1 LIMIT 1000";
        let rows = client.query(all, &[]).await.map_err(failed)?;
        let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        return Err(suggest::unknown("table", table, names.iter().map(String::as_str)).into());
    }
    let key =
        "SELECT a.attname::text FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(number, place)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
        WHERE i.indrelid = to_regclass($1) AND i.indisprimary ORDER BY k.place";
    let rows = client.query(key, &[&quoted]).await.map_err(failed)?;
    let key: Vec<String> =
        rows.iter().map(|row| format!("\"{}\"", row.get::<_, String>(0).replace('"', "\"\""))).collect();
    if key.is_empty() {
        talk.info(&format!("`{table}` has no primary key: its rows come as the server sends them, which may change"));
        return Ok(format!("SELECT * FROM {quoted}"));
    }
    Ok(format!("SELECT * FROM {quoted} ORDER BY {}", key.join(", ")))
}

/// `COPY` of the query with its columns renamed, so that they can be cast, and texts be quoted, whatever they are called.
fn copy_statement(sql: &str, types: &[Type]) -> String {
    let names: Vec<String> = (1..=types.len()).map(|number| format!("c{number}")).collect();
    let mut selected = Vec::new();
    let mut texts = Vec::new();
    for (name, kind) in names.iter().zip(types) {
        let cast = if *kind == Type::BOOL { "::text" } else { "" };
        selected.push(format!("{name}{cast} AS {name}"));
        if claim(kind) == Claim::Type(ColumnType::Text) {
            texts.push(name.as_str());
        }
    }
    let quote = if texts.is_empty() { String::new() } else { format!(", FORCE_QUOTE ({})", texts.join(", ")) };
    let null = if types.len() == 1 { LONELY_NULL } else { "" };
    // The line ends keep a comment at the end of the query from swallowing the bracket.
    format!(
        "COPY (SELECT {} FROM (\n{sql}\n) AS t({})) TO STDOUT WITH (FORMAT csv, NULL '{null}'{quote})",
        selected.join(", "),
        names.join(", ")
    )
}

/// What a type of PostgreSQL is to us. Times of day, JSON, UUIDs, arrays and everything else are texts.
fn claim(kind: &Type) -> Claim {
    let known = match *kind {
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID => ColumnType::Integer,
        Type::FLOAT4 | Type::FLOAT8 => ColumnType::Float,
        Type::BOOL => ColumnType::Boolean,
        Type::DATE => ColumnType::Date,
        Type::TIMESTAMP | Type::TIMESTAMPTZ => ColumnType::Timestamp,
        Type::NUMERIC => return Claim::Decimal,
        _ => ColumnType::Text,
    };
    Claim::Type(known)
}

/// Copies rows as they come, looking at the values whose type may not fit.
async fn receive(
    stream: CopyOutStream,
    snapshot: &mut Snapshot,
    watched: &[bool],
    place: &PostgresPlace,
    talk: &dyn Talk,
) -> Result<()> {
    let task = talk.start(&format!("reading {}", place.shown), None, Unit::Bytes);
    let mut stream = pin!(stream);
    let mut pending: Vec<u8> = Vec::new();
    loop {
        // A server may compute for long before the first row comes, so that only the client's side is limited.
        let Some(block) = time::timeout(limits::QUERY_WAIT, stream.next()).await.map_err(|_| {
            fail::world(format!("{}: no row came for an hour", place.shown)).hint("make the query cheaper")
        })?
        else {
            break;
        };
        let block = block.map_err(|error| not_answered(&error, place))?;
        task.advance(block.len() as u64);
        pending.extend_from_slice(&block);
        let mut start = 0;
        while let Some(length) = row_length(&pending[start..]) {
            let line = &pending[start..start + length];
            look(line, snapshot, watched);
            snapshot.row(line)?;
            start += length;
        }
        pending.drain(..start);
    }
    if !pending.is_empty() {
        return Err(fail::world(format!("{}: the answer ended within a row", place.shown)).hint("try again").into());
    }
    Ok(())
}

/// Length of the first row with its line end; line ends within quotes belong to a value.
fn row_length(bytes: &[u8]) -> Option<usize> {
    let mut quoted = false;
    bytes
        .iter()
        .position(|byte| {
            quoted ^= *byte == b'"';
            *byte == b'\n' && !quoted
        })
        .map(|at| at + 1)
}

/// Shows the values of watched columns, which are never quoted, to their columns.
fn look(line: &[u8], snapshot: &mut Snapshot, watched: &[bool]) {
    let (mut quoted, mut start, mut index) = (false, 0, 0);
    for (at, byte) in line.iter().enumerate() {
        quoted ^= *byte == b'"';
        if quoted || !matches!(byte, b',' | b'\n') {
            continue;
        }
        let value = std::str::from_utf8(&line[start..at]).unwrap_or_default();
        if watched.get(index) == Some(&true) && !value.is_empty() && value != LONELY_NULL {
            snapshot.columns[index].see_written(value);
        }
        (start, index) = (at + 1, index + 1);
    }
}
