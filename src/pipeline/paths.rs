//! Paths as stages write them: relative to the project folder, brought to one form without asking the disk.

use std::path::{Component, Path, PathBuf};

use crate::base::fail::{self, Failure};

/// One form for all spellings of a path relative to the project folder: `./a//b/../c/` is `a/c`, `.` is empty. May
/// begin with `..`. Links are not looked at.
///
/// Errors: an empty or an absolute path.
pub fn normal(text: &str) -> Result<PathBuf, Failure> {
    if text.is_empty() {
        return Err(fail::usage("a path is empty").hint("write `.` for the project folder"));
    }
    let mut normal = PathBuf::new();
    for component in Path::new(text).components() {
        match component {
            Component::Normal(part) => normal.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                if matches!(normal.components().next_back(), Some(Component::Normal(_))) {
                    normal.pop();
                } else {
                    normal.push("..");
                }
            }
            Component::RootDir | Component::Prefix(_) => {
                return Err(fail::usage(format!("path `{text}` is absolute"))
                    .hint("write it relative to the project folder, so that the project runs elsewhere too"));
            }
        }
    }
    Ok(normal)
}

/// A normal path that a command may write: inside the project folder, not the folder itself, and none of the files that
/// this tool keeps.
pub fn writable(text: &str) -> Result<PathBuf, Failure> {
    let path = normal(text)?;
    if path.starts_with("..") {
        return Err(fail::usage(format!("out `{text}` is outside the project folder"))
            .hint("let the command write inside the project folder"));
    }
    if path.as_os_str().is_empty() {
        return Err(fail::usage("the project folder itself cannot be an out").hint("name the files that are written"));
    }
    for kept in [".mlops", ".git", "mlops.toml", "mlops.lock"] {
        if path.starts_with(kept) {
            return Err(fail::usage(format!(
                "out `{text}` belongs to {}",
                if kept == ".git" { "git" } else { "mlops" }
            ))
            .hint("let the command write elsewhere"));
        }
    }
    Ok(path)
}

/// Whether one of two normal paths is, or lies inside, the other. The empty path is the project folder.
pub fn overlap(a: &Path, b: &Path) -> bool {
    a.starts_with(b) || b.starts_with(a)
}
