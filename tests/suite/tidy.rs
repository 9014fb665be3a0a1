//! The order of the house: layers, doors, sizes and headers, read from the source itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Which folders of `src/` each folder may import. Add a folder here with the layer it belongs to.
const LAYERS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("spec", &["base"]),
    ("record", &["base", "spec"]),
    ("data", &["base", "spec", "record"]),
    ("quality", &["base", "spec", "record", "data"]),
    ("drift", &["base", "spec", "record", "data"]),
    ("render", &["base", "spec", "record", "quality", "drift"]),
    ("source", &["base", "spec", "record"]),
    ("features", &["base", "spec", "record", "data"]),
    ("metrics", &["base", "spec", "record", "data"]),
    ("models", &["base", "spec", "record", "data", "quality", "features", "metrics"]),
    ("search", &["base", "spec", "record"]),
    ("exchange", &["base", "spec", "record", "data", "features", "models"]),
    ("store", &["base", "spec", "record"]),
    ("index", &["base", "spec", "record", "store"]),
    ("pipeline", &["base", "spec", "record", "store", "index"]),
    ("repo", &["base", "spec", "record", "store", "index", "pipeline"]),
    (
        "ops",
        &[
            "base", "spec", "record", "data", "quality", "drift", "render", "source", "features", "metrics", "models",
            "search", "exchange", "store", "index", "pipeline", "repo",
        ],
    ),
    ("term", &["base"]),
    ("config", &["base", "spec", "term"]),
    (
        "serve",
        &[
            "base", "spec", "record", "data", "quality", "drift", "render", "source", "features", "metrics", "models",
            "search", "exchange", "store", "index", "pipeline", "repo", "ops", "term", "config",
        ],
    ),
    (
        "cli",
        &[
            "base", "spec", "record", "data", "quality", "drift", "render", "source", "features", "metrics", "models",
            "search", "exchange", "store", "index", "pipeline", "repo", "ops", "term", "config", "serve",
        ],
    ),
];

/// The only folders that may name a crate. A crate that is not here may be named anywhere.
const DOORS: &[(&str, &[&str])] = &[
    ("polars", &["data", "quality"]),
    ("smartcore", &["models"]),
    ("argmin", &["models"]),
    ("prost", &["exchange"]),
    ("tract_onnx", &["models"]),
    // Principal components are eigenvectors.
    ("faer", &["models", "features"]),
    ("jsonschema", &["quality"]),
    ("calamine", &["data"]),
    ("encoding_rs", &["data"]),
    ("flate2", &["data"]),
    ("zip", &["data"]),
    ("rusqlite", &["index", "source"]),
    ("reqwest", &["source"]),
    ("object_store", &["source"]),
    ("tokio_postgres", &["source"]),
    ("zstd", &["store", "data"]),
    ("fastcdc", &["store"]),
    ("axum", &["serve"]),
    ("hyper", &["serve"]),
    ("tokio", &["serve", "source"]),
    ("tower_http", &["serve"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("indicatif", &["term"]),
    ("tabled", &["term"]),
    ("toml", &["config", "spec", "pipeline", "models", "search", "ops", "quality", "cli", "serve"]),
    ("csv", &["data", "serve"]),
    ("nix", &["base", "serve"]),
    ("blake3", &["base", "store"]),
    ("jiff", &["base", "data", "features", "serve"]),
];

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

/// What may lie at the top of the repository.
const TOP: &[&str] = &[
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "benches",
    "examples",
    "mlops.toml.example",
    "src",
    "tests",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below `folder`, relative to the repository, with their text.
fn sources(folder: &str) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![root().join(folder)];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())).flatten() {
            let path = entry.path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                found.insert(path.strip_prefix(root()).unwrap_or(&path).to_owned(), text);
            }
        }
    }
    found
}

/// The folder of `src/` that a file belongs to; `None` for `lib.rs` and `main.rs`.
fn room(path: &Path) -> Option<String> {
    let mut parts = path.components().skip(1).map(|part| part.as_os_str().to_string_lossy().into_owned());
    let first = parts.next()?;
    parts.next().map(|_| first)
}

/// Lines of code, without comments and the text of strings that span lines.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")).map(|(at, line)| (at + 1, line))
}

/// Whether `line` names `word` as a whole path segment followed by `::`.
fn names_path(line: &str, word: &str) -> bool {
    let needle = format!("{word}::");
    line.match_indices(&needle).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_' || letter == ':')
    })
}

fn complain(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn layers_hold() {
    let mut faults = Vec::new();
    for (path, text) in sources("src") {
        let Some(room) = room(&path) else { continue };
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == room) else {
            faults.push(format!("{}: folder `{room}` has no layer; add it to LAYERS", path.display()));
            continue;
        };
        for (number, line) in code_lines(&text) {
            for (at, _) in line.match_indices("crate::") {
                let rest: String =
                    line[at + 7..].chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
                if rest != room && LAYERS.iter().any(|(name, _)| *name == rest) && !allowed.contains(&rest.as_str()) {
                    faults.push(format!("{}:{number}: `{room}` may not import `{rest}`", path.display()));
                }
            }
        }
    }
    complain(faults);
}

#[test]
fn doors_are_shut() {
    let mut faults = Vec::new();
    for (path, text) in sources("src") {
        let Some(room) = room(&path) else { continue };
        for (number, line) in code_lines(&text) {
            for (name, rooms) in DOORS {
                if names_path(line, name) && !line.contains("crate::") && !rooms.contains(&room.as_str()) {
                    let rooms = rooms.join(", ");
                    faults.push(format!("{}:{number}: `{name}` may be named in {rooms} only", path.display()));
                }
            }
        }
    }
    complain(faults);
}

#[test]
fn files_and_functions_fit_their_limits() {
    let mut faults = Vec::new();
    for (path, text) in sources("src").into_iter().chain(sources("tests")) {
        let count = text.lines().count();
        if count > FILE_LINES_MAX {
            faults.push(format!("{}: {count} lines, at most {FILE_LINES_MAX}; split it by idea", path.display()));
        }
        let lines: Vec<&str> = text.lines().collect();
        for (start, line) in lines.iter().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let head = line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
            if line.ends_with("{}")
                || !(head.starts_with("fn ") || head.starts_with("async fn ") || head.starts_with("const fn "))
            {
                continue;
            }
            let close = format!("{}}}", &line[..indent]);
            let Some(length) = lines[start..].iter().position(|line| *line == close) else { continue };
            if length + 1 > FUNCTION_LINES_MAX {
                let place = format!("{}:{}", path.display(), start + 1);
                faults.push(format!("{place}: {} lines, at most {FUNCTION_LINES_MAX}", length + 1));
            }
        }
    }
    complain(faults);
}

#[test]
fn every_folder_says_what_lives_there() {
    let mut faults = Vec::new();
    for (path, text) in sources("src") {
        if !text.starts_with("//! ") {
            faults.push(format!("{}: starts without a `//!` header", path.display()));
        }
        let top = path.components().count() == 3;
        let says = |words: &str| text.contains(words);
        if top && path.ends_with("mod.rs") && !(says("Lives here:") && says("not live here") && says("Always holds:")) {
            faults.push(format!("{}: say what lives here, what does not, and what always holds", path.display()));
        }
    }
    complain(faults);
}

#[test]
fn nothing_else_lies_at_the_top() {
    let entries = fs::read_dir(root()).expect("the repository is readable").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let odd: Vec<String> = names
        .filter(|name| {
            !name.starts_with('.') && !TOP.contains(&name.as_str()) && name != "target" && name != "mlops.lock"
        })
        .collect();
    complain(odd);
}

#[test]
fn tests_are_neither_skipped_nor_asleep() {
    let mut faults = Vec::new();
    // Spelt in two parts, so that this file does not find itself.
    let banned =
        [concat!("#[ig", "nore"), concat!("todo", "!("), concat!("unimpl", "emented!("), concat!("#[al", "low(")];
    for (path, text) in sources("src").into_iter().chain(sources("tests")) {
        for (number, line) in code_lines(&text) {
            for word in banned.iter().filter(|word| line.contains(**word)) {
                faults.push(format!("{}:{number}: `{word}` is not used here", path.display()));
            }
        }
    }
    complain(faults);
}

#[test]
fn every_verb_has_its_three_rooms() {
    let mut faults = Vec::new();
    let dispatch = fs::read_to_string(root().join("src/cli/mod.rs")).expect("the dispatch is there");
    for line in dispatch.lines().filter(|line| line.trim_start().starts_with("Verb::")) {
        let verb = line.trim_start().trim_start_matches("Verb::").split('(').next().unwrap_or("").to_lowercase();
        if !root().join(format!("src/cli/{verb}.rs")).is_file() {
            faults.push(format!("verb `{verb}` has no src/cli/{verb}.rs"));
        }
    }
    complain(faults);
}
