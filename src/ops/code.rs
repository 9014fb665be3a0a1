//! The state of the code that a run was started from: commit, what differs from it, and files that git does not know.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::base::hash::hash;
use crate::base::id::ObjectId;
use crate::base::limits;
use crate::base::talk::Talk;
use crate::record::run::CodeState;
use crate::repo::Repo;

/// What this tool itself writes is no change of the code.
const PATHS: [&str; 4] = ["--", ":(top)", ":(top,exclude,glob)**/mlops.lock", ":(top,exclude,glob)**/.mlops/**"];
/// So that the patch is what `git apply` reads, whatever the person's settings are, and no program of theirs is run for it.
const DIFF: [&str; 13] = [
    "-c",
    "diff.relative=false",
    "diff",
    "HEAD",
    "--binary",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-renames",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--submodule=short",
    "--ignore-submodules=dirty",
];
/// Folders that git knows nothing of, named one by one when their files are listed; of more, everything is listed.
const FOLDERS_NAMED_MAX: usize = 500;

/// One file that git does not know and does not ignore, as the stored list has it, one a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Untracked {
    /// Path from the top of the checkout.
    pub path: String,
    /// Length in bytes; absent for what is no plain file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Hash of its bytes, as `b3sum` prints it; absent for large files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub b3sum: Option<ObjectId>,
}

/// What `git status` says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Status {
    commit: Option<String>,
    dirty: bool,
    untracked: Vec<String>,
}

/// Commit of the git checkout around the project folder, with what differs from it kept as objects; `None` outside of a
/// checkout, without git, or before the first commit.
///
/// Objects are durable when this returns. Untracked files are kept by name, size and hash, not by content. Cost: one
/// `git status`, one `git diff` more when tracked files differ; an fsync when the difference was not kept before.
pub fn code_state(repo: &Repo, talk: &dyn Talk) -> Result<Option<CodeState>> {
    let Some(top) = repo.root().ancestors().find(|folder| folder.join(".git").exists()) else {
        return Ok(None);
    };
    let words = ["status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal", "--ignore-submodules=dirty"];
    let said = git(repo.root(), &words, limits::CODE_STATUS_BYTES_MAX);
    let Some((text, _)) = said else {
        talk.info("git does not tell the state of the code here; `git status` says why");
        return Ok(None);
    };
    let status = Status::read(&text);
    let Some(commit) = status.commit else {
        return Ok(None);
    };
    let mut state = CodeState { commit, dirty: status.dirty, ..CodeState::default() };
    let mut new = false;
    if status.dirty
        && let Some((mut patch, cut)) = git(repo.root(), &DIFF, limits::CODE_PATCH_BYTES_MAX)
    {
        if cut {
            whole_files(&mut patch);
            talk.warn("what the code differs by from its commit is too long to be kept whole with the run");
        }
        if !patch.is_empty() {
            let put = repo.store().put(&patch).context("cannot keep the state of the code")?;
            new |= put.new;
            state.patch = Some(put.id);
        }
        state.patch_cut = cut;
    }
    let paths = expand(repo.root(), status.untracked);
    if !paths.is_empty() {
        let put = repo.store().put(&listed(top, &paths)?).context("cannot keep the state of the code")?;
        new |= put.new;
        (state.untracked, state.untracked_files) = (Some(put.id), paths.len() as u64);
    }
    if new {
        repo.store().sync()?;
    }
    Ok(Some(state))
}

impl Status {
    /// Reads `git status --porcelain=v2 --branch -z`.
    fn read(text: &[u8]) -> Status {
        let mut status = Status::default();
        let mut entries = text.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        while let Some(entry) = entries.next() {
            match entry.split_once(' ') {
                Some(("#", head)) => {
                    let oid = head.strip_prefix("branch.oid ").filter(|oid| !oid.starts_with('('));
                    status.commit = oid.map(str::to_owned).or(status.commit);
                }
                Some(("?", path)) => status.untracked.push(path.to_owned()),
                Some(("2", _)) => {
                    status.dirty = true;
                    // A renamed file is followed by its old name.
                    entries.next();
                }
                Some(("1" | "u", _)) => status.dirty = true,
                _ => {}
            }
        }
        status
    }
}

/// Answer of git in `root`, and whether it was cut at `limit` bytes; `None` when it cannot or will not answer.
fn git(root: &Path, words: &[&str], limit: u64) -> Option<(Vec<u8>, bool)> {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(["-c", "core.quotePath=false", "-c", "core.fsmonitor=false"]).args(words);
    command.args(PATHS);
    // Looking must not keep a `git commit` of the person waiting.
    command.env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let mut text = Vec::new();
    let read = child.stdout.take()?.take(limit + 1).read_to_end(&mut text);
    let cut = text.len() as u64 > limit;
    if cut || read.is_err() {
        // It may have ended by itself meanwhile.
        let _ = child.kill();
    }
    let status = child.wait().ok()?;
    text.truncate(limit as usize);
    (cut || (status.success() && read.is_ok())).then_some((text, cut))
}

/// Shortens a patch that was cut to the files that it has whole, so that it can still be applied.
fn whole_files(patch: &mut Vec<u8>) {
    const START: &[u8] = b"\ndiff --git ";
    let last = patch.windows(START.len()).rposition(|window| window == START);
    patch.truncate(last.map_or(0, |at| at + 1));
}

/// Untracked paths with the files of folders in place of the folders, sorted; at most [`limits::CODE_UNTRACKED_MAX`].
fn expand(root: &Path, paths: Vec<String>) -> Vec<String> {
    let (folders, mut files): (Vec<String>, Vec<String>) = paths.into_iter().partition(|path| path.ends_with('/'));
    if !folders.is_empty() {
        let mut words: Vec<String> =
            ["ls-files", "--others", "--exclude-standard", "--full-name", "-z"].map(str::to_owned).to_vec();
        if folders.len() <= FOLDERS_NAMED_MAX {
            words.push("--".to_owned());
            words.extend(folders.iter().map(|folder| format!(":(top,literal){}", folder.trim_end_matches('/'))));
        }
        files.extend(list(root, &words));
    }
    files.sort();
    files.dedup();
    files.truncate(limits::CODE_UNTRACKED_MAX);
    files
}

fn list(root: &Path, words: &[String]) -> Vec<String> {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(words).env("GIT_OPTIONAL_LOCKS", "0");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else {
        return Vec::new();
    };
    let mut text = Vec::new();
    if let Some(out) = child.stdout.take() {
        // What could not be read is missing from the list, which is a help, not a proof.
        let _ = out.take(limits::CODE_STATUS_BYTES_MAX).read_to_end(&mut text);
    }
    let _ = child.kill();
    let _ = child.wait();
    let whole = text.iter().rposition(|byte| *byte == 0).map_or(0, |end| end + 1);
    let paths = text[..whole].split(|byte| *byte == 0).filter(|path| !path.is_empty());
    paths.map(|path| String::from_utf8_lossy(path).into_owned()).filter(|path| !is_ours(path)).collect()
}

fn is_ours(path: &str) -> bool {
    path.split('/').any(|part| part == ".mlops") || path.rsplit('/').next() == Some("mlops.lock")
}

/// The list of `paths` below `top`, one JSON object a line.
fn listed(top: &Path, paths: &[String]) -> Result<Vec<u8>> {
    let mut left = limits::CODE_HASHED_BYTES_MAX;
    let mut text = Vec::new();
    for path in paths {
        let full = top.join(path);
        let plain = std::fs::symlink_metadata(&full).ok().filter(|metadata| metadata.is_file());
        let bytes = plain.map(|metadata| metadata.len());
        let small = bytes.filter(|bytes| *bytes <= left);
        left -= small.unwrap_or(0);
        let content = small.and_then(|_| std::fs::read(&full).ok());
        let line = Untracked { path: path.clone(), bytes, b3sum: content.map(|content| hash(&content)) };
        serde_json::to_writer(&mut text, &line).context("cannot write the list of untracked files")?;
        text.push(b'\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::{Status, whole_files};

    fn check(text: &str, commit: Option<&str>, dirty: bool, untracked: &[&str]) {
        let status = Status::read(text.replace('|', "\0").as_bytes());
        let wanted = Status {
            commit: commit.map(str::to_owned),
            dirty,
            untracked: untracked.iter().map(|path| (*path).to_owned()).collect(),
        };
        assert_eq!(status, wanted, "{text}");
    }

    #[test]
    fn what_git_says_is_understood() {
        check("", None, false, &[]);
        check("# branch.oid (initial)|# branch.head main|? a.py|", None, false, &["a.py"]);
        check("# branch.oid 0a1b|# branch.head main|", Some("0a1b"), false, &[]);
        check("# branch.oid 0a|1 .M N... 100644 100644 100644 0a 0b a b.py|", Some("0a"), true, &[]);
        check("# branch.oid 0a|2 R. N... 1 1 1 0a 0b R100 new|? old|? x y/|", Some("0a"), true, &["x y/"]);
        check("# branch.oid 0a|u UU N... 1 1 1 1 0a 0b 0c f|? \u{fffd}|", Some("0a"), true, &["\u{fffd}"]);
    }

    #[test]
    fn a_patch_that_was_cut_has_whole_files() {
        let mut patch = b"diff --git a/x b/x\n+1\ndiff --git a/y b/y\n+".to_vec();
        whole_files(&mut patch);
        assert_eq!(patch, b"diff --git a/x b/x\n+1\n");
        whole_files(&mut patch);
        assert_eq!(patch, b"");
    }
}
