//! The lock file: written as read, strict, quiet when nothing changed.

use std::collections::BTreeMap;
use std::fs;

use anyhow::Result;
use proptest::prelude::{Strategy, any, prop};
use proptest::{prop_assert_eq, proptest};

use crate::base::fail::{self, Blame};
use crate::base::id::ObjectId;
use crate::pipeline::lockfile::{LockEntry, LockFile, VERSION};
use crate::pipeline::tests::refusal;

fn sample() -> LockFile {
    let id = |byte: u8| ObjectId::new([byte; 32]);
    let entry = |byte: u8, inputs: &[(&str, &str)], outputs: &[(&str, u8)]| LockEntry {
        key: id(byte),
        inputs: inputs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        outputs: outputs.iter().map(|(name, byte)| ((*name).to_owned(), id(*byte))).collect(),
    };
    let stages = [
        ("train", entry(1, &[("train.params.trees", "100"), ("mlops", "0.1.0")], &[("model", 3)])),
        ("ingest", entry(2, &[("file:data/d.csv", "ab"), ("cmd", "a \"b\"\nc")], &[("dataset", 4), ("raw", 5)])),
        ("empty", entry(6, &[], &[])),
    ];
    LockFile { version: VERSION, stages: stages.map(|(name, entry)| (name.to_owned(), entry)).into() }
}

#[test]
fn one_key_a_line_sorted() {
    let hex = |digit: &str| digit.repeat(32);
    let wanted = format!(
        "# What the last run of each stage used and made; `mlops run` writes it, git keeps it.\n\
         # Not for editing. After a merge conflict take either side and run `mlops run`.\n\
         version = 1\n\
         \n[[stage]]\nname = \"empty\"\nkey = \"{}\"\n\
         \n[[stage]]\nname = \"ingest\"\nkey = \"{}\"\n\
         [stage.inputs]\ncmd = \"a \\\"b\\\"\\nc\"\n\"file:data/d.csv\" = \"ab\"\n\
         [stage.outputs]\ndataset = \"{}\"\nraw = \"{}\"\n\
         \n[[stage]]\nname = \"train\"\nkey = \"{}\"\n\
         [stage.inputs]\nmlops = \"0.1.0\"\n\"train.params.trees\" = \"100\"\n\
         [stage.outputs]\nmodel = \"{}\"\n",
        hex("06"),
        hex("02"),
        hex("04"),
        hex("05"),
        hex("01"),
        hex("03"),
    );
    assert_eq!(sample().to_text(), wanted);
}

#[test]
fn it_is_written_only_when_it_says_something_new() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("mlops.lock");
    assert_eq!(LockFile::read(&path)?, LockFile::default());
    let mut lock = sample();
    assert!(lock.write(&path, folder.path())?);
    assert_eq!(LockFile::read(&path)?, lock);
    let time = fs::metadata(&path)?.modified()?;
    assert!(!lock.write(&path, folder.path())?);
    assert_eq!(fs::metadata(&path)?.modified()?, time);
    lock.stages.remove("empty");
    assert!(lock.write(&path, folder.path())?);
    assert_eq!(LockFile::read(&path)?, lock);
    assert_eq!(lock.objects().len(), 3);
    Ok(())
}

#[test]
fn an_unfinished_merge_is_named() {
    let text = sample().to_text();
    let merged = text.replacen("[[stage]]", "<<<<<<< HEAD\n[[stage]]", 1) + "=======\n>>>>>>> theirs\n";
    let message = refusal(LockFile::parse(&merged), "markers");
    assert!(message.contains("unfinished merge in line 5") && message.contains("mlops run"), "{message}");
    let sides = LockFile::parse("version = 1\n# =======\n").expect("a comment is no mark");
    assert_eq!(sides, LockFile::default());
}

#[test]
fn it_is_read_strictly() {
    let key = "00".repeat(32);
    for (text, wanted) in [
        (String::new(), "missing field `version`"),
        ("version = 1\nextra = 2\n".to_owned(), "unknown field `extra`"),
        (format!("version = 1\n[[stage]]\nname = 'a'\nkey = '{key}'\nwhen = 1\n"), "unknown field `when`"),
        ("version = 1\n[[stage]]\nname = 'a'\nkey = '12'\n".to_owned(), "is not an object id"),
        ("version = 1\n[[stage]]\nname = 'a'\n".to_owned(), "missing field `key`"),
        (
            format!("version = 1\n{}", format!("[[stage]]\nname = 'a'\nkey = '{key}'\n").repeat(2)),
            "two entries for stage `a`",
        ),
        ("version = 1\nversion = 1\n".to_owned(), "duplicate key"),
        ("not toml".to_owned(), "mlops.lock is damaged"),
    ] {
        let message = refusal(LockFile::parse(&text), &text);
        assert!(message.contains(wanted), "{text}: {message}");
    }
}

#[test]
fn a_newer_version_is_named() {
    let error = LockFile::parse("version = 7\n[[stages]]\nnew = true\n").expect_err("newer");
    assert_eq!(error.to_string(), "mlops.lock has version 7; this mlops reads versions up to 1");
    assert_eq!(fail::find(&error).map(|failure| failure.blame), Some(Blame::World));
}

fn any_lock() -> impl Strategy<Value = LockFile> {
    let id = || any::<[u8; 32]>().prop_map(ObjectId::new);
    let text = || prop::collection::vec(any::<char>(), 0..12).prop_map(String::from_iter);
    let inputs = prop::collection::btree_map(text(), text(), 0..5);
    let outputs = prop::collection::btree_map(text(), id(), 0..5);
    let entry = (id(), inputs, outputs).prop_map(|(key, inputs, outputs)| LockEntry { key, inputs, outputs });
    prop::collection::btree_map(text(), entry, 0..6).prop_map(|stages| LockFile { version: VERSION, stages })
}

proptest! {
    #[test]
    fn it_reads_back_as_written(lock in any_lock()) {
        let text = lock.to_text();
        prop_assert_eq!(LockFile::parse(&text).expect("just written"), lock.clone());
        let lines = |map: usize| if map == 0 { 0 } else { map + 1 };
        let entries: usize = lock.stages.values().map(|e| 4 + lines(e.inputs.len()) + lines(e.outputs.len())).sum();
        prop_assert_eq!(text.split('\n').count() - 1, 3 + entries);
    }

    #[test]
    fn any_bytes_are_an_answer_and_never_a_panic(text in ".{0,200}", stages in any::<BTreeMap<u8, u8>>()) {
        let _ = LockFile::parse(&text);
        let _ = LockFile::parse(&format!("version = 1\n{text}{stages:?}"));
    }
}
