//! Tables and queries of a real PostgreSQL server, started on a free port of this machine and stopped at the end.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;
use tokio_postgres::NoTls;

use crate::source::block_on;
use crate::source::tests::{Place, SECRET, text};

/// A server of its own data folder; the account `ann` has the password [`SECRET`].
struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
    server: Child,
    encrypted: bool,
}

/// Where the server's programs are: Debian keeps them out of the search path.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path().join("bin"));
    versions.filter(|path| path.join("initdb").is_file() && path.join("postgres").is_file()).max()
}

/// `program` as the system's user `postgres` when this is root: the server refuses to run as root.
fn as_postgres(program: &Path) -> Command {
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if !root {
        return Command::new(program);
    }
    // The server ends with the test, however that ends.
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--pdeathsig=INT"]).arg(program);
    command
}

fn must(command: &mut Command) {
    let output = command.output().expect("the program starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Cluster {
    fn start(programs: PathBuf) -> Cluster {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("password"), SECRET).expect("written");
        fs::create_dir(at("data")).expect("a folder");
        let encrypted = certificates(folder.path());
        // Fails harmlessly when this is not root: the folder then belongs to the right user already.
        let _ = Command::new("chown").args(["-R", "postgres:"]).arg(folder.path()).output();
        let data = at("data");
        let mut initdb = as_postgres(&programs.join("initdb"));
        initdb.args(["-U", "ann", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync", "--pwfile"]);
        must(initdb.arg(at("password")).arg("-D").arg(&data).current_dir("/"));
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let mut postgres = as_postgres(&programs.join("postgres"));
        postgres.arg("-D").arg(&data).arg("-k").arg(folder.path()).args(["-p", &port.to_string()]);
        for setting in ["listen_addresses=127.0.0.1", "fsync=off", "DateStyle=SQL,DMY", "TimeZone=Asia/Tokyo"] {
            postgres.args(["-c", setting]);
        }
        if encrypted {
            postgres.args(["-c", "ssl=on"]);
            for (setting, name) in [("ssl_cert_file", "server.crt"), ("ssl_key_file", "server.key")] {
                postgres.arg("-c").arg(format!("{setting}={}", at(name).display()));
            }
        }
        let mut server = postgres.current_dir("/").stderr(Stdio::piped()).spawn().expect("the server starts");
        let mut log = BufReader::new(server.stderr.take().expect("it was piped")).lines().map_while(Result::ok);
        let mut said = Vec::new();
        let ready = log.by_ref().any(|line| {
            said.push(line);
            said.last().is_some_and(|line| line.contains("ready to accept connections"))
        });
        thread::spawn(move || log.for_each(drop));
        let cluster = Cluster { folder, programs, port, server, encrypted };
        assert!(ready, "the server did not start: {said:?}");
        cluster
    }

    fn execute(&self, statements: &str) {
        let config = format!("host=127.0.0.1 port={} user=ann dbname=postgres password={SECRET}", self.port);
        block_on(async {
            let (client, connection) = tokio_postgres::connect(&config, NoTls).await?;
            tokio::spawn(connection);
            client.batch_execute(statements).await?;
            Ok(())
        })
        .expect("sound statements");
    }

    fn url(&self, rest: &str) -> String {
        format!("postgres://ann:{SECRET}@127.0.0.1:{}/postgres?{rest}", self.port)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut stop = as_postgres(&self.programs.join("pg_ctl"));
        let _ =
            stop.args(["-m", "immediate", "stop", "-D"]).arg(self.folder.path().join("data")).current_dir("/").output();
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// An authority and a certificate for this machine; no when there is no `openssl`.
fn certificates(folder: &Path) -> bool {
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let run = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).current_dir(folder).output();
        output.is_ok_and(|output| output.status.success())
    };
    fs::write(folder.join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").expect("written");
    let authority =
        ["req", "-x509", "-days", "30000", "-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.crt"];
    let request = ["req", "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"];
    let sign = ["x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"];
    run(&[authority.as_slice(), &key].concat())
        && run(&[request.as_slice(), &key].concat())
        && run(&[sign.as_slice(), &["-days", "30000", "-extfile", "names", "-out", "server.crt"]].concat())
}

const TABLES: &str = "
CREATE TABLE trips (id int PRIMARY KEY, name text, share float8, fare numeric(8,2), paid bool, day date,
  at timestamp, seen timestamptz, took time, tags text[], extra jsonb, small real);
INSERT INTO trips VALUES
  (2, 'say \"hi\",\nthere', 0.1, 12.50, true, '2024-02-29', '2024-01-31 23:59:59.25', '2024-01-31 09:00:00+09', '10:00',
   '{a,b}', '{\"a\": 1}', 0.1),
  (1, '', 'NaN', NULL, false, NULL, NULL, NULL, NULL, NULL, NULL, '-Infinity'),
  (3, NULL, 1e300, 0.10, NULL, '0099-01-01', NULL, NULL, NULL, NULL, NULL, NULL),
  (4, 'NA', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE SCHEMA other; CREATE TABLE other.\"Odd Name\" (\"B\" int, a int, PRIMARY KEY (a, \"B\"));
INSERT INTO other.\"Odd Name\" VALUES (2, 1), (1, 1), (0, 2);
CREATE TABLE loose (a int); INSERT INTO loose VALUES (1), (NULL);
CREATE TABLE bare (a int);
CREATE TABLE long (v numeric, d date, t timestamptz);
INSERT INTO long VALUES (12345678901234567.25, 'infinity', '-infinity'), (1, '2024-01-01', '12024-01-01 00:00:00+00');
CREATE SEQUENCE numbers;
CREATE ROLE eve LOGIN PASSWORD 'hunter2-eve';
";

#[test]
fn tables_and_queries_of_a_real_server() {
    let Some(programs) = programs() else {
        // Written past the capture of the test harness, so that it is seen.
        let note = "skipped: tables_and_queries_of_a_real_server: no PostgreSQL server below /usr/lib/postgresql\n";
        let _ = std::io::Write::write_all(&mut std::io::stderr(), note.as_bytes());
        return;
    };
    let cluster = Cluster::start(programs);
    cluster.execute(TABLES);
    whole_tables(&cluster);
    queries(&cluster);
    faults(&cluster);
    connections(&cluster);
}

/// Compares the snapshot, its types and the notes.
fn check(cluster: &Cluster, rest: &str, expected: &str, types: &str, note: &str) {
    let place = Place::new();
    let file = place.one(&cluster.url(rest));
    assert_eq!(text(&file), expected, "{rest}");
    let found: Vec<String> = file.types.iter().map(|(name, kind)| format!("{name}={}", kind.name())).collect();
    assert_eq!(found.join(" "), types, "{rest}");
    assert!(place.notes().contains(note), "{rest}: {}", place.notes());
}

fn whole_tables(cluster: &Cluster) {
    check(
        cluster,
        "table=trips",
        "\"id\",\"name\",\"share\",\"fare\",\"paid\",\"day\",\"at\",\"seen\",\"took\",\"tags\",\"extra\",\"small\"\n\
         1,\"\",NaN,,false,,,,,,,-Infinity\n\
         2,\"say \"\"hi\"\",\nthere\",0.1,12.50,true,2024-02-29,2024-01-31 23:59:59.25,2024-01-31 00:00:00+00,\"10:00:00\",\
         \"{a,b}\",\"{\"\"a\"\": 1}\",0.1\n\
         3,,1e+300,0.10,,0099-01-01,,,,,,\n\
         4,\"NA\",,,,,,,,,,\n",
        "at=timestamp day=date extra=text fare=float id=integer name=text paid=boolean seen=timestamp share=float small=float \
         tags=text took=text",
        "column `fare` is numeric",
    );
    let odd = "\"B\",\"a\"\n1,1\n2,1\n0,2\n";
    check(cluster, "table=other.Odd%20Name", odd, "B=integer a=integer", "");
    check(cluster, "table=loose", "\"a\"\n1\n\\N\n", "a=integer", "no primary key");
    check(
        cluster,
        "query=SELECT * FROM long ORDER BY v DESC",
        "\"v\",\"d\",\"t\"\n12345678901234567.25,infinity,-infinity\n1,2024-01-01,12024-01-01 00:00:00+00\n",
        "d=text t=text v=text",
        "more than 15 digits",
    );
    let place = Place::new();
    let file = place.one(&cluster.url("table=trips"));
    assert_eq!(file.name, "trips.csv");
    assert_eq!(file.null_values, Some(vec![String::new()]));
    let origin = format!("postgres://ann@127.0.0.1:{}/postgres?table=trips", cluster.port);
    assert_eq!(file.origin, Some(origin));
}

fn queries(cluster: &Cluster) {
    check(
        cluster,
        "query=SELECT 1 AS \"a b\", 'x' AS t",
        "\"a b\",\"t\"\n1,\"x\"\n",
        "a b=integer t=text",
        "no ORDER BY",
    );
    check(cluster, "query=SELECT id FROM trips ORDER BY id DESC -- the end;", "\"id\"\n4\n3\n2\n1\n", "id=integer", "");
    check(cluster, "query=WITH w AS (SELECT 7 AS n) SELECT n %25 4 AS n FROM w ;", "\"n\"\n3\n", "n=integer", "");
    check(
        cluster,
        "query=VALUES (true, '2 days'::interval)",
        "\"column1\",\"column2\"\ntrue,\"P2D\"\n",
        "column1=boolean column2=text",
        "",
    );
    let place = Place { bytes_max: 1 << 30, ..Place::new() };
    let many =
        place.one(&cluster.url("query=SELECT n, 'row ' || n AS name FROM generate_series(1, 200000) AS n ORDER BY n"));
    let lines = text(&many);
    assert_eq!(lines.lines().count(), 200_001);
    assert_eq!(lines.lines().last(), Some("200000,\"row 200000\""));
}

fn faults(cluster: &Cluster) {
    let cases: [(&str, &[&str]); 14] = [
        ("table=tripz", &["unknown table `tripz`", "did you mean `trips`"]),
        ("table=bare", &["has no rows"]),
        ("query=SELEC 1", &["syntax error", "near character 1 "]),
        ("query=SELECT nothing FROM trips", &["column \"nothing\" does not exist"]),
        ("query=SELECT * FROM nowhere", &["relation \"nowhere\" does not exist", "near character 15"]),
        ("query=SELECT 1; SELECT 2", &["multiple commands"]),
        ("query=DELETE FROM trips", &["gives no table"]),
        ("query=DELETE FROM trips RETURNING id", &["syntax error"]),
        ("query=SELECT 1 AS a, 2 AS a", &["two columns named `a`"]),
        ("query=SELECT $1::int AS a", &["parameters"]),
        ("query=SELECT 1/0 AS a", &["division by zero"]),
        ("query=SELECT nextval('numbers') AS a", &["read-only transaction", "would write"]),
        ("query=SELECT 1 AS a&sslmode=maybe", &["unknown sslmode", "prefer"]),
        ("query=SELECT repeat('x', 2000000) AS a", &["more than the 1.0 MiB"]),
    ];
    for (rest, parts) in cases {
        Place::new().check_fault(&cluster.url(rest), parts);
    }
    Place::new().fetch(&[&cluster.url("table=trips")]).expect("nothing was deleted");
}

fn connections(cluster: &Cluster) {
    let port = cluster.port;
    let ask = "query=SELECT count(*) AS n FROM trips";
    let wrong = |user: &str, database: &str| format!("postgres://{user}@127.0.0.1:{port}/{database}?{ask}");
    let cases: [(String, &[&str]); 6] = [
        (wrong("ann:hunter2-wrong", "postgres"), &["password authentication failed", "PGPASSWORD"]),
        (wrong("ann", "postgres"), &["password", "PGPASSWORD"]),
        (wrong(&format!("ann:{SECRET}"), "nowhere"), &["database \"nowhere\" does not exist", "path of the address"]),
        (format!("postgres://ann:{SECRET}@nowhere.invalid/db?{ask}"), &["no host `nowhere.invalid`"]),
        (format!("postgres://ann:{SECRET}@127.0.0.1:1/db?{ask}"), &["cannot connect", "check host and port"]),
        (wrong("eve:hunter2-eve", "postgres"), &["permission denied", "GRANT SELECT"]),
    ];
    for (source, parts) in cases {
        Place::new().check_fault(&source, parts);
    }
    // Everything but the query from the variables, over the socket in a folder.
    let socket = cluster.folder.path().display().to_string();
    let place = Place::new().set("PGHOST", &socket).set("PGPORT", &port.to_string()).set("PGUSER", "ann");
    let place = place.set("PGPASSWORD", SECRET).set("PGDATABASE", "postgres");
    assert_eq!(text(&place.one(&format!("postgres://?{ask}"))), "\"n\"\n4\n");
    let encoded = socket.replace('/', "%2F");
    let by_socket = format!("postgres://ann:{SECRET}@{encoded}:{port}/postgres?{ask}");
    assert_eq!(text(&Place::new().one(&by_socket)), "\"n\"\n4\n");

    let shown = "query=SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    check(cluster, &format!("{shown}&sslmode=disable"), "\"ssl\"\nfalse\n", "ssl=boolean", "");
    if !cluster.encrypted {
        Place::new().check_fault(&cluster.url(&format!("{ask}&sslmode=require")), &["sslmode=disable"]);
        return;
    }
    check(cluster, &format!("{shown}&sslmode=prefer"), "\"ssl\"\ntrue\n", "ssl=boolean", "");
    check(cluster, &format!("{shown}&sslmode=require"), "\"ssl\"\ntrue\n", "ssl=boolean", "certificate not checked");
    let root = cluster.folder.path().join("ca.crt");
    let verified = format!("{shown}&sslmode=verify-full&sslrootcert={}", root.display());
    check(cluster, &verified, "\"ssl\"\ntrue\n", "ssl=boolean", "");
    let unknown = cluster.url(&format!("{shown}&sslmode=verify-full&sslrootcert=/etc/passwd"));
    Place::new().check_fault(&unknown, &["certificate"]);
}
