//! Files, folders and patterns on this machine.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use walkdir::WalkDir;

use crate::base::fail;
use crate::base::limits;
use crate::base::suggest;
use crate::base::talk::Talk;
use crate::base::units;
use crate::source::partition::{self, Match, Pattern};
use crate::source::{FetchOptions, Fetched, listing};

/// Whether `path` has wildcards or placeholders; a file may bear such a name all the same.
pub fn is_pattern(path: &str) -> bool {
    partition::is_pattern(path)
}

/// The files that `path` stands for: itself, all tables of a folder, or all that fit a pattern.
///
/// Errors: nothing there, nothing that fits, a window over something without dates.
pub fn files(path: &str, options: &FetchOptions<'_>, talk: &dyn Talk) -> Result<Vec<Fetched>> {
    let full = options.root.join(path);
    let meta = match fs::metadata(&full) {
        Ok(meta) => meta,
        Err(_) if is_pattern(path) => return matching(path, options, talk),
        Err(error) => return Err(absent(path, &full, &error)),
    };
    if options.window.is_some() {
        return Err(partition::no_partitions().into());
    }
    if meta.is_dir() {
        return folder(path, &full, talk);
    }
    refuse_database(path, &full)?;
    let name = full.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(vec![Fetched::local(full, name)])
}

fn absent(path: &str, full: &Path, error: &std::io::Error) -> anyhow::Error {
    let failure = fail::world(format!("cannot open {path}: {error}"));
    let siblings: Vec<String> =
        full.parent().and_then(|folder| fs::read_dir(folder).ok()).map_or(Vec::new(), |entries| {
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        });
    let name = full.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let hint = match suggest::nearest(&name, siblings.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{}`?", Path::new(path).with_file_name(near).display()),
        None => "check the path; it is relative to the project folder".to_owned(),
    };
    failure.hint(hint).into()
}

/// A database is read with its own kind of address.
fn refuse_database(path: &str, full: &Path) -> Result<()> {
    let mut first = Vec::new();
    let file = File::open(full).map_err(|error| fail::world(format!("cannot open {path}: {error}")))?;
    file.take(16).read_to_end(&mut first).with_context(|| format!("cannot read {path}"))?;
    if first == b"SQLite format 3\0" {
        let hint = format!("name a table in it: 'sqlite://{path}?table=NAME', or 'sqlite://{path}?query=SELECT …'");
        return Err(fail::usage(format!("{path} is an SQLite database")).hint(hint).into());
    }
    Ok(())
}

/// All tables below a folder, in order of their paths.
fn folder(path: &str, full: &Path, talk: &dyn Talk) -> Result<Vec<Fetched>> {
    let (mut tables, mut skipped) = (Vec::new(), Vec::new());
    for (below, file) in walk(path, full, None)? {
        if listing::is_table(&below) { tables.push(Fetched::local(file, below)) } else { skipped.push(below) }
    }
    listing::say_skipped(path, &skipped, talk);
    if tables.is_empty() {
        let what = format!("no tables in the folder {path}");
        let slash = if path.ends_with('/') { "" } else { "/" };
        return Err(match skipped.is_empty() {
            true => fail::usage(format!("{what}: it has no files")).hint("check the path"),
            false => fail::usage(format!("{what}, but {}", units::plural(skipped.len() as u64, "other file")))
                .hint(format!("name the files yourself: '{path}{slash}*' ({})", listing::some(&skipped))),
        }
        .into());
    }
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tables)
}

/// All files that fit a pattern, in order of their periods and paths.
fn matching(path: &str, options: &FetchOptions<'_>, talk: &dyn Talk) -> Result<Vec<Fetched>> {
    let pattern = Pattern::new(path)?;
    if options.window.is_some() && pattern.grain.is_none() {
        return Err(partition::no_partitions().into());
    }
    let base = options.root.join(&pattern.folder);
    let base = if base.as_os_str().is_empty() { PathBuf::from(".") } else { base };
    if !base.is_dir() {
        let what = format!("nothing fits `{path}`: there is no folder {}", pattern.folder);
        return Err(fail::world(what).hint("check the path; it is relative to the project folder").into());
    }
    let (mut plain, mut dated, mut odd, mut count) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for (below, file) in walk(path, &base, pattern.depth)? {
        count += 1;
        match pattern.matches(&below) {
            Match::No => {}
            Match::NoSuchTime => odd.push(below),
            Match::Yes(None) => plain.push((below, file)),
            Match::Yes(Some(period)) => dated.push((period, below, file)),
        }
    }
    if !odd.is_empty() {
        talk.warn(&format!("{path}: skipped, as there is no such day or hour: {}", listing::some(&odd)));
    }
    if let Some(grain) = pattern.grain {
        plain = partition::keep(dated, grain, options.window, path, talk);
    }
    if plain.is_empty() {
        let looked = if pattern.folder.is_empty() { "the project folder" } else { &pattern.folder };
        let hint = format!(
            "{} looked at in {looked}; folders need a pattern for their files: '…/*.csv'",
            units::plural(count, "file")
        );
        return Err(fail::world(format!("nothing fits `{path}`")).hint(hint).into());
    }
    Ok(plain.into_iter().map(|(name, file)| Fetched::local(file, name)).collect())
}

/// The regular files below `base` and their paths from there with `/`, sorted; links are followed.
fn walk(shown: &str, base: &Path, depth: Option<usize>) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    let walk = WalkDir::new(base).min_depth(1).max_depth(depth.unwrap_or(usize::MAX)).follow_links(true);
    let hidden = |entry: &walkdir::DirEntry| {
        entry.depth() > 0 && entry.file_type().is_dir() && entry.file_name().to_string_lossy().starts_with('.')
    };
    for entry in walk.sort_by_file_name().into_iter().filter_entry(|entry| !hidden(entry)) {
        let entry = entry.with_context(|| format!("cannot look through {shown}"))?;
        if !entry.file_type().is_file() {
            continue;
        }
        if found.len() == limits::SOURCE_FILES_MAX {
            let what = format!("{shown} has more than {} files", units::count(limits::SOURCE_FILES_MAX as u64));
            return Err(fail::usage(what).hint("name a narrower pattern").into());
        }
        let below = entry.path().strip_prefix(base).unwrap_or(entry.path());
        let Some(below) = below.to_str() else {
            let what = format!("the name {} is not UTF-8", entry.path().display());
            return Err(fail::usage(what).hint("rename the file").into());
        };
        found.push((below.to_owned(), entry.path().to_owned()));
    }
    found.sort();
    Ok(found)
}
