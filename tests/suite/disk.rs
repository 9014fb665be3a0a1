//! A disk that is full, read-only or damaged: said clearly, nothing lost, healed where it can be.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::Sandbox;
use crate::common::tables::loans;

fn ingested() -> Sandbox {
    let sandbox = Sandbox::with_repo();
    sandbox.write("loans.csv", loans(200));
    sandbox.run(&["ingest", "loans.csv", "--target", "label", "--key", "id"]).ok();
    sandbox
}

/// A mounted file system, unmounted when dropped.
struct Mount(PathBuf);

impl Mount {
    /// Mounts with these words, or says why the test is skipped.
    #[expect(clippy::print_stderr, reason = "a skipped test says why")]
    fn new(words: &[&str], place: &Path) -> Option<Mount> {
        let done = Command::new("mount").args(words).arg(place).output();
        match done {
            Ok(output) if output.status.success() => Some(Mount(place.to_owned())),
            other => {
                eprintln!("skipped: this test needs to mount a file system, and may not here: {other:?}");
                None
            }
        }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

/// Rows of two numbers that no compression makes small.
fn random_rows(count: usize) -> String {
    let mut state = 1_u64;
    let mut text = String::new();
    for _ in 0..count {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(&format!("{},{}\n", state >> 20, state >> 1));
    }
    text
}

/// The file of an object.
fn object(sandbox: &Sandbox, id: &str) -> PathBuf {
    sandbox.path(&format!(".mlops/objects/{}/{}", &id[..2], &id[2..]))
}

/// Flips one bit in the middle of a file, whatever its mode.
fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::remove_file(path).and_then(|()| fs::write(path, bytes)).expect("the object folder is writable");
}

#[test]
fn a_full_disk_is_said_and_leaves_the_repository_as_it_was() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("small")).expect("writable");
    let Some(_mount) = Mount::new(&["-t", "tmpfs", "-o", "size=3m", "tmpfs"], &sandbox.path("small")) else {
        return;
    };
    sandbox.write("loans.csv", loans(200));
    sandbox.write("big.csv", format!("a,b\n{}", random_rows(250_000)));
    sandbox.run(&["-C", "small", "init"]).ok();
    sandbox.run(&["-C", "small", "ingest", "../loans.csv", "--target", "label"]).ok();
    let before = sandbox.json(&["-C", "small", "log", "--datasets"]);
    let ran = sandbox.run(&["-C", "small", "ingest", "../big.csv"]).code_is(3);
    assert!(ran.err.to_lowercase().contains("no space left"), "{}", ran.err);
    assert_eq!(sandbox.json(&["-C", "small", "log", "--datasets"]), before);
    sandbox.run(&["-C", "small", "fsck"]).ok();
    sandbox.run(&["-C", "small", "train", "loans", "--model", "tree"]).ok();
}

#[test]
fn a_read_only_folder_can_be_read_and_says_so_when_written() {
    let sandbox = ingested();
    sandbox.run(&["train", "--model", "tree"]).ok();
    let root = sandbox.root().display().to_string();
    let Some(_bind) = Mount::new(&["--bind", &root], sandbox.root()) else {
        return;
    };
    let Some(_mount) = Mount::new(&["-o", "remount,bind,ro"], sandbox.root()) else {
        return;
    };
    assert_eq!(sandbox.json(&["log", "--kind", "train"])["runs"].as_array().map(Vec::len), Some(1));
    sandbox.run(&["ingest", "loans.csv"]).ok();
    sandbox.run(&["train", "--model", "tree"]).code_is(3).says("Read-only file system");
}

#[test]
fn things_in_the_place_of_other_things_are_named() {
    let sandbox = Sandbox::new();
    sandbox.write(".mlops", "a file");
    sandbox.run(&["log"]).code_is(3).says(".mlops");
    let sandbox = Sandbox::new();
    sandbox.run(&["log"]).code_is(3).says("mlops init");
    let sandbox = ingested();
    sandbox.write(".mlops/format", "99\n");
    sandbox.run(&["log"]).code_is(3).says("99");
}

#[test]
fn damage_is_found_named_and_moved_aside() {
    let sandbox = ingested();
    let raw = sandbox.json(&["ingest", "loans.csv"])["raw_id"].as_str().expect("an id").to_owned();
    damage(&object(&sandbox, &raw));
    let report = sandbox.run(&["fsck", "--json"]).code_is(1).data();
    assert!(report["findings"].to_string().contains(&raw[..12]), "{report:#}");
    assert!(sandbox.files(".mlops/quarantine").iter().any(|name| name.contains(&raw[..12])));
    // Ingesting the file again heals it.
    sandbox.write("loans.csv", loans(200));
    sandbox.run(&["ingest", "loans.csv", "--name", "again"]).ok();
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn a_damaged_table_is_rebuilt_from_the_raw_file() {
    let sandbox = Sandbox::with_repo();
    let rows: Vec<String> = random_rows(2_000).lines().map(|row| format!("{row},{}", row.len() % 2)).collect();
    sandbox.write("t.csv", format!("a,b,y\n{}\n", rows.join("\n")));
    sandbox.run(&["ingest", "t.csv", "--target", "y"]).ok();
    let before = sandbox.json(&["train", "--model", "tree", "--set", "depth=3"])["model"].clone();
    // No compression makes these numbers smaller, so the object holds the Parquet file as it is, after its header.
    let is_table = |name: &&String| fs::read(sandbox.path(name)).is_ok_and(|bytes| bytes[24..].starts_with(b"PAR1"));
    let objects = sandbox.files(".mlops/objects");
    damage(&sandbox.path(objects.iter().find(is_table).expect("a table")));
    let ran = sandbox
        .run(&["train", "--model", "tree", "--set", "depth=3", "--json"])
        .ok()
        .says("rebuilding it from the raw file");
    assert_eq!(ran.data()["model"], before, "the same model from the rebuilt table");
}

#[test]
fn a_broken_index_is_built_again() {
    let sandbox = ingested();
    let before = sandbox.json(&["log"]);
    for name in ["index.sqlite-wal", "index.sqlite-shm"] {
        let _ = fs::remove_file(sandbox.path(".mlops").join(name));
    }
    sandbox.write(".mlops/index.sqlite", "this is no database at all, and long enough to be read as one");
    assert_eq!(sandbox.json(&["log"]), before);
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn a_forged_audit_log_is_found() {
    let sandbox = ingested();
    let text = sandbox.read(".mlops/audit.jsonl");
    assert!(text.contains("loans"));
    sandbox.write(".mlops/audit.jsonl", text.replacen("loans", "lemon", 1));
    let report = sandbox.run(&["fsck", "--json"]).code_is(1).data();
    assert!(report["findings"].to_string().to_lowercase().contains("audit"), "{report:#}");
}

#[test]
fn conflict_markers_in_the_lock_file_are_said() {
    let sandbox = Sandbox::example("penguins");
    sandbox.run(&["run"]).ok();
    let text = sandbox.read("mlops.lock");
    sandbox.write("mlops.lock", format!("<<<<<<< ours\n{text}=======\n{text}>>>>>>> theirs\n"));
    sandbox.run(&["status"]).code_is(2).says("unfinished merge");
}

#[test]
fn gc_removes_what_nothing_names_and_keeps_the_rest() {
    let sandbox = ingested();
    sandbox.run(&["train", "--model", "tree"]).ok();
    // Stored for a run, and then the process died before the run could name it.
    sandbox.write("lost.bin", "nobody names this");
    sandbox.run_with(&["log", "artifact", "lost.bin"], &[("MLOPS_FAIL_POINT", "store.synced")]);
    let listed = sandbox.json(&["log"]);
    // Ages are those of the files, so what counts as now must lie after the test's own hour.
    let later = [("MLOPS_NOW", "2100-01-01T00:00:00Z")];
    let plan = sandbox.run_with(&["gc", "--dry-run", "--keep", "0", "--json"], &later).ok().data();
    assert!(plan["removed"].as_u64() > Some(0), "{plan:#}");
    assert_eq!(sandbox.json(&["gc", "--dry-run"])["removed"], 0, "the grace period keeps what is young");
    let done = sandbox.run_with(&["gc", "--keep", "0", "--json"], &later).ok().data();
    assert_eq!(done["removed"], plan["removed"]);
    sandbox.run(&["fsck"]).ok();
    assert_eq!(sandbox.json(&["log"])["runs"][0]["run"], listed["runs"][0]["run"]);
    sandbox.run(&["evaluate"]).ok();
}
