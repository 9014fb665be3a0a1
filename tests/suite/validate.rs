//! `mlops validate` through the binary: exit codes, fields, environments, quarantine, accepting, raw files.

use crate::common::Sandbox;

const TABLE: &str = "id,kind,size,label\n1,x,5,0\n2,y,7,1\n3,x,6,1\n4,q,99,0\n";
const SCHEMA: &str = "# ours\nversion = 1\n\n[table]\nkey = ['id'] # the register's number\n\
                      [[column]]\nname = 'id'\ntype = 'integer'\n\
                      [[column]]\nname = 'kind' # two kinds\ntype = 'text'\ndomain = ['x', 'y']\n\
                      [[column]]\nname = 'size'\ntype = 'integer'\nmax = 9\n\
                      [[column]]\nname = 'label'\ntype = 'integer'\nenvironments = ['training']\n";

/// A folder with a raw table and a schema, and no repository.
fn raw(table: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("t.csv", table);
    sandbox.write("schema.toml", SCHEMA);
    sandbox
}

#[test]
fn a_raw_file_is_checked_without_a_repository_or_a_trace() {
    let sandbox = raw(TABLE);
    let ran = sandbox.run(&["validate", "t.csv", "--json"]).code_is(1);
    let data = ran.data();
    assert_eq!(data["verdict"], "fail");
    assert_eq!(data["counts"], serde_json::json!({ "error": 2, "warning": 0, "info": 0 }));
    assert_eq!((data["rows"].as_u64(), data["columns"].as_u64()), (Some(4), Some(4)));
    let first = &data["findings"][0];
    assert_eq!(first["code"], "ENUM_TYPE_UNEXPECTED_STRING_VALUES");
    assert_eq!((&first["rows"], &first["samples"]), (&serde_json::json!([4]), &serde_json::json!(["q"])));
    assert_eq!(data["findings"][1]["samples"], serde_json::json!(["99"]));
    assert!(!sandbox.path(".mlops").exists());
    let human = sandbox.run(&["validate", "t.csv"]).code_is(1);
    assert!(human.out.contains("error    INT_TYPE_BIG_INT  size\n"), "{}", human.out);
    assert!(human.out.contains("rows      4 (99)\n"), "{}", human.out);
    assert!(human.out.lines().all(|line| line.chars().count() <= 80), "{}", human.out);
    sandbox.write("good.csv", TABLE.replace("4,q,99", "4,y,9"));
    sandbox.run(&["validate", "good.csv"]).code_is(0);
    sandbox.run(&["validate", "gone.csv"]).code_is(3);
}

#[test]
fn the_target_is_for_training_only() {
    let sandbox = raw("id,kind,size\n1,x,5\n2,y,7\n");
    let code = |words: &[&str]| {
        let ran = sandbox.run(&[&["validate", "t.csv", "--json"], words].concat());
        (ran.code, ran.data()["findings"][0]["code"].as_str().map(str::to_owned))
    };
    assert_eq!(code(&[]), (Some(1), Some("SCHEMA_MISSING_COLUMN".to_owned())));
    assert_eq!(code(&["--environment", "serving"]), (Some(0), None));
    let ran = sandbox.run(&["validate", "t.csv", "--environment", "srving"]).code_is(2);
    assert!(ran.err.contains("did you mean `serving`?"), "{}", ran.err);
    sandbox.write("mlops.toml", "[validate]\nenvironment = 'serving'\n");
    assert_eq!(code(&[]), (Some(0), None));
}

#[test]
fn failing_rows_are_put_aside() {
    let sandbox = raw(TABLE);
    let ran = sandbox.run(&["validate", "t.csv", "--split", "good.csv", "bad.csv", "--json"]).code_is(1);
    let split = &ran.data()["split"];
    assert_eq!((split["rows_good"].as_u64(), split["rows_bad"].as_u64()), (Some(3), Some(1)));
    assert_eq!(sandbox.read("good.csv"), "id,kind,size,label\n1,x,5,0\n2,y,7,1\n3,x,6,1\n");
    let bad = "id,kind,size,label,_findings\n4,q,99,0,ENUM_TYPE_UNEXPECTED_STRING_VALUES:kind INT_TYPE_BIG_INT:size\n";
    assert_eq!(sandbox.read("bad.csv"), bad);
    sandbox.run(&["validate", "good.csv"]).code_is(0);
    let ran = sandbox.run(&["validate", "t.csv", "--split", "good.txt", "bad.csv"]).code_is(2);
    assert!(ran.err.contains(".parquet"), "{}", ran.err);
}

#[test]
fn accepting_keeps_what_people_wrote() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("t.csv", TABLE);
    sandbox.write("schema.toml", SCHEMA);
    sandbox.run(&["ingest", "t.csv"]).ok();
    sandbox.run(&["validate"]).code_is(1);
    sandbox.run(&["validate", "--accept", "INT_TYPE_BIG_INT:size"]).ok();
    assert_eq!(sandbox.read("schema.toml"), SCHEMA.replace("max = 9", "max = 99"));
    sandbox.run(&["validate"]).code_is(1);
    let accepted = sandbox.json(&["validate", "--accept"]);
    assert_eq!(accepted["accepted"], serde_json::json!(["ENUM_TYPE_UNEXPECTED_STRING_VALUES:kind"]));
    assert!(sandbox.read("schema.toml").contains("name = 'kind' # two kinds"));
    sandbox.run(&["validate"]).code_is(0);
    let ran = sandbox.run(&["validate", "--accept", "OUTLIERS"]).code_is(2);
    assert!(ran.err.contains("there is no finding"), "{}", ran.err);
}

#[test]
fn a_schema_is_drawn_once_and_replaced_when_forced() {
    let sandbox = Sandbox::new();
    sandbox.write("t.csv", TABLE);
    sandbox.run(&["validate", "t.csv", "--init"]).ok();
    sandbox.run(&["validate", "t.csv"]).code_is(0);
    sandbox.write("schema.toml", "version = 1\n");
    sandbox.run(&["validate", "t.csv", "--init"]).code_is(2);
    sandbox.run(&["validate", "t.csv", "--init", "--force"]).ok();
    assert!(sandbox.read("schema.toml").contains("name = \"kind\""));
    sandbox.write("schema.toml", "version = 1\n[[column]]\nname = 'id'\ntype = 'integer'\nuniqe = true\n");
    let ran = sandbox.run(&["validate", "t.csv"]).code_is(2);
    assert!(ran.err.contains("did you mean `unique`?"), "{}", ran.err);
}

#[test]
fn the_help_explains_every_key() {
    let help = Sandbox::new().run(&["validate", "--help"]).ok();
    for word in ["date_format", "mostly", "expect_column_kl_divergence_to_be_less_than", "[[rule]]", "--environment"] {
        assert!(help.out.contains(word), "{word}");
    }
}
