//! Tests of the envelope.

use crate::base::fail;
use crate::base::hash::hash;
use crate::record::dataset::ParseOptions;
use crate::record::model::ModelRecord;
use crate::record::profile::ProfileRecord;
use crate::record::{decode, encode, peek, references};

fn profile() -> ProfileRecord {
    ProfileRecord { rows: 3, columns: Vec::new() }
}

#[test]
fn records_read_back_as_written() -> anyhow::Result<()> {
    let bytes = encode(&profile())?;
    assert_eq!(String::from_utf8_lossy(&bytes), r#"{"data":{"columns":[],"rows":3},"kind":"profile","version":1}"#);
    assert_eq!(decode::<ProfileRecord>(&bytes)?, profile());
    assert_eq!(peek(&bytes), Some(("profile".to_owned(), 1)));
    Ok(())
}

#[test]
fn a_newer_version_names_the_version_needed() {
    let bytes = br#"{"data":{"columns":[],"rows":3},"kind":"profile","version":7}"#;
    let error = decode::<ProfileRecord>(bytes).expect_err("version 7 is not known");
    assert!(error.to_string().contains("version 7"), "{error}");
    let hint = fail::find(&error).and_then(|failure| failure.hint.clone());
    assert_eq!(hint.as_deref(), Some("use an mlops that reads profile records of version 7"));
}

#[test]
fn another_kind_is_refused() -> anyhow::Result<()> {
    let bytes = encode(&profile())?;
    assert!(decode::<ModelRecord>(&bytes).is_err());
    assert!(decode::<ProfileRecord>(b"PAR1").is_err());
    Ok(())
}

#[test]
fn references_are_found_without_knowing_the_kind() -> anyhow::Result<()> {
    let split = crate::record::split::SplitRecord {
        dataset: hash(b"d"),
        spec: Default::default(),
        seed: 1,
        rows: [1, 1, 1],
        parts: hash(b"p"),
        folds: None,
    };
    assert_eq!(references(&encode(&split)?)?, vec![hash(b"d"), hash(b"p")]);
    let folded = crate::record::split::SplitRecord { folds: Some(hash(b"f")), ..split };
    assert_eq!(references(&encode(&folded)?)?, vec![hash(b"d"), hash(b"p"), hash(b"f")]);
    assert!(references(b"anything else")?.is_empty());
    Ok(())
}

#[test]
fn models_that_were_trained_keep_their_bytes_and_imported_ones_name_their_file() -> anyhow::Result<()> {
    let id = |text: &str| format!("\"{}\"", hash(text.as_bytes()).hex());
    let old = format!(
        r#"{{"data":{{"dataset":{},"metrics":{{}},"model":"tree","package":{},"recipe":{},"split":{},"task":"binary"}},"kind":"model","version":1}}"#,
        id("d"),
        id("p"),
        id("r"),
        id("s")
    );
    let trained: ModelRecord = decode(old.as_bytes())?;
    assert_eq!(String::from_utf8(encode(&trained)?)?, old);
    assert_eq!(references(old.as_bytes())?, ["p", "d", "s", "r"].map(|text| hash(text.as_bytes())));
    let file = Some(hash(b"file"));
    let imported = ModelRecord { dataset: None, split: None, recipe: None, imported: file, ..trained };
    assert_eq!(decode::<ModelRecord>(&encode(&imported)?)?, imported);
    assert_eq!(references(&encode(&imported)?)?, vec![hash(b"p"), hash(b"file")]);
    Ok(())
}

#[test]
fn plain_parse_options_keep_their_bytes() -> anyhow::Result<()> {
    let old = r#"{"format":"csv","delimiter":",","header":true,"null_values":[],"types":{}}"#;
    let read: ParseOptions = serde_json::from_str(old)?;
    assert_eq!(read, ParseOptions::default());
    assert_eq!(serde_json::to_string(&read)?, old);
    Ok(())
}
