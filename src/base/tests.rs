//! Tests of the vocabulary.

use std::time::Duration;

use crate::base::clock::{Clock, Timestamp};
use crate::base::fail::{self, Blame};
use crate::base::fs::{append_durable, read_optional, write_atomic};
use crate::base::guard;
use crate::base::hash::{hash, hash_reader};
use crate::base::id::{ObjectId, RunId};
use crate::base::json::canonical;
use crate::base::lock::FileLock;
use crate::base::seed::Seed;
use crate::base::{suggest, units};

#[test]
fn object_id_equals_the_published_test_vector() {
    // BLAKE3 test vectors: the empty input.
    let expected = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
    assert_eq!(hash(b"").hex(), expected);
    assert_eq!(expected.parse::<ObjectId>().map(|id| id.hex()).ok().as_deref(), Some(expected));
    assert_eq!(hash_reader(&mut &b"abc"[..]).ok(), Some((hash(b"abc"), 3)));
}

#[test]
fn ids_refuse_what_is_not_lower_case_hex() {
    for text in ["", "af", "AF1349b9f5f9a1a6", "zz1349b9f5f9a1a6", "af1349b9f5f9a1a60"] {
        assert!(text.parse::<RunId>().is_err(), "{text}");
    }
    assert!("af1349b9f5f9a1a6".parse::<RunId>().is_ok());
}

#[test]
fn canonical_json_sorts_keys_and_keeps_floats() -> serde_json::Result<()> {
    let value = serde_json::json!({"b": [1, 0.1, 1e300], "a": {"z": null, "y": "é\n"}});
    let text = String::from_utf8_lossy(&canonical(&value)?).into_owned();
    assert_eq!(text, r#"{"a":{"y":"é\n","z":null},"b":[1,0.1,1e+300]}"#);
    let tricky = 9_007_199_254_740_993.0_f64 / 3.0;
    let back: f64 = serde_json::from_slice(&canonical(&tricky)?)?;
    assert_eq!(back.to_bits(), tricky.to_bits());
    Ok(())
}

#[test]
fn seeds_repeat_and_differ_by_name() {
    let draw = |seed: Seed| seed.rng().bits();
    assert_eq!(draw(Seed(1)), draw(Seed(1)));
    assert_ne!(draw(Seed(1).derive("split")), draw(Seed(1).derive("model")));
    assert_ne!(draw(Seed(1).nth(0)), draw(Seed(1).nth(1)));
    // First output of xoshiro256++ seeded by SplitMix64 from 0, as in the authors' reference code.
    assert_eq!(draw(Seed(0)), 0x53175d61490b23df);
}

#[test]
fn uniform_numbers_are_uniform() {
    let mut rng = Seed(7).rng();
    let mut counts = [0_u32; 10];
    for _ in 0..100_000 {
        counts[rng.below(10) as usize] += 1;
    }
    // Five standard deviations of a binomial with p = 0.1.
    assert!(counts.iter().all(|&count| (count as f64 - 10_000.0).abs() < 475.0), "{counts:?}");
    let mean = (0..100_000).map(|_| rng.normal()).sum::<f64>() / 1e5;
    assert!(mean.abs() < 0.016, "{mean}");
}

#[test]
fn times_are_written_in_utc_and_read_back() {
    let time = Timestamp::from_micros(1_767_225_600_123_456);
    assert_eq!(time.to_string(), "2026-01-01T00:00:00.123456Z");
    assert_eq!("2026-01-01T01:00:00.123456+01:00".parse::<Timestamp>().ok(), Some(time));
    assert_eq!(Clock::Fixed(time).now(), time);
}

#[test]
fn sizes_and_durations_are_read_and_written() {
    assert_eq!(units::bytes(1_536), "1.5 KiB");
    assert_eq!(units::count(1_234_567), "1,234,567");
    assert_eq!(units::seconds(125.0), "2 min 05 s");
    assert_eq!(units::parse_bytes("64MiB").ok(), Some(64 << 20));
    assert_eq!(units::parse_duration("7d").ok(), Some(Duration::from_secs(604_800)));
    for bad in ["", "x", "5 parsecs", "-3s", "nan"] {
        assert!(units::parse_duration(bad).is_err(), "{bad}");
    }
}

#[test]
fn unknown_names_get_a_suggestion() {
    let failure = suggest::unknown("column", "speceis", ["species", "island"]);
    assert_eq!(failure.hint.as_deref(), Some("did you mean `species`?"));
    assert_eq!(failure.blame, Blame::Request);
    let far = suggest::unknown("column", "qq", ["species", "island"]);
    assert_eq!(far.hint.as_deref(), Some("known: species, island"));
}

#[test]
fn a_failure_survives_context() {
    let error = anyhow::Error::from(fail::usage("inner")).context("outer");
    assert_eq!(fail::find(&error).map(|failure| failure.what.as_str()), Some("inner"));
}

#[test]
fn files_are_replaced_whole_and_appended() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("deep/er/file");
    write_atomic(&path, folder.path(), b"one")?;
    write_atomic(&path, folder.path(), b"two")?;
    append_durable(&path, b"!")?;
    assert_eq!(read_optional(&path, 10)?.as_deref(), Some(&b"two!"[..]));
    assert!(read_optional(&path, 3).is_err());
    assert_eq!(read_optional(&folder.path().join("none"), 10)?, None);
    Ok(())
}

#[test]
fn a_held_lock_names_its_holder() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("lock");
    let held = FileLock::acquire(&path, Duration::ZERO, "process 42 (mlops train)")?;
    let error = FileLock::acquire(&path, Duration::from_millis(20), "second").expect_err("the lock is held");
    assert!(error.to_string().contains("process 42 (mlops train)"), "{error}");
    assert!(FileLock::try_acquire(&path)?.is_none());
    drop(held);
    assert!(FileLock::try_acquire(&path)?.is_some());
    Ok(())
}

#[test]
fn panics_of_engines_are_told_and_caught() {
    assert_eq!(guard::caught(|| 7), Ok(7));
    assert_eq!(guard::caught(|| usize::from(guard::is_caught())), Ok(1));
    let inner: Result<(), String> = guard::caught(|| panic!("odd {}", 1));
    assert_eq!((inner, guard::is_caught()), (Err("odd 1".to_owned()), false));
}
