//! Model cards by the binary: what they say, in three languages, and what is refused.

use serde_json::Value;

use crate::common::Sandbox;

const SCHEMA: &str = include_str!("../fixtures/reference/model_card/schema.json");

const WRITTEN: &str = "
[card]
description = \"Says who survives.\"
owner = \"team <sea> | rescue\"
intended_use = \"Teaching.\"
out_of_scope = \"Insurance.\"
limitations = \"One ship only.\"
risk_rating = \"low\"
risk_reason = \"Nobody is harmed any more.\"

[card.details]
ticket = \"SEA-1\"
";

/// A registered and judged model of the Titanic, with a card section in its project file.
fn registered() -> Sandbox {
    let sandbox = Sandbox::example("titanic");
    let project = sandbox.read("mlops.toml");
    let project = project.split("[evaluate]").next().unwrap_or_default();
    sandbox.write("mlops.toml", format!("{project}{WRITTEN}"));
    sandbox.run(&["ingest", "data/titanic.csv", "--target", "survived"]).ok();
    sandbox.run(&["train", "--model", "logistic"]).ok();
    sandbox.run(&["evaluate", "--by", "gender", "--gate", "roc_auc >= 0.7"]).ok();
    sandbox.run(&["register", "run:last", "titanic", "--promote", "champion", "--note", "first try"]).ok();
    sandbox
}

/// Everything that a card of SageMaker may not be.
fn faults(card: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    let schema = jsonschema::validator_for(&schema).expect("the schema is one");
    schema.iter_errors(card).map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
}

fn as_json(sandbox: &Sandbox, model: &str) -> Value {
    let text = sandbox.run(&["card", model, "--format", "json"]).ok().out;
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_card_says_what_is_known() {
    let sandbox = registered();
    let card = sandbox.run(&["card", "titanic@v1"]).ok().out;
    for part in [
        "# titanic&#64;",
        "## Overview",
        "Says who survives.",
        "**Note.** first try",
        "- owner: team &#60;sea&#62; &#124; rescue",
        "- aliases: champion",
        "**Intended use.** Teaching.",
        "**Risk.** Low",
        "## Columns that it reads",
        "| gender | text | male, female | no |",
        "## Training data",
        "## Values of the target",
        "## Evaluation",
        "Verdict **pass** (the one gate holds)",
        "## History",
        "mlops predict titanic@v1 new.csv -o scored.csv",
        "mlops reproduce titanic@v1",
        "raw file (b3sum)",
    ] {
        assert!(card.contains(part), "{part} is not in {card}");
    }
    assert_eq!(card, sandbox.run(&["card", "titanic@v1"]).ok().out, "the same twice");
    let page = sandbox.run(&["card", "titanic@v1", "-o", "card.html"]).ok();
    assert!(page.out.is_empty() && page.err.contains("wrote card.html"), "{}", page.err);
    let page = sandbox.read("card.html");
    assert!(page.contains("Model card") && page.contains("team &lt;sea&gt;") && page.contains("<h2 id=\"gates\">"));
    let report = sandbox.json(&["card", "titanic@champion"]);
    assert_eq!((&report["model"], &report["format"]), (&"titanic@v1".into(), &"md".into()));
    assert_eq!(report["text"].as_str().map(str::len), Some(card.len()), "what is printed");
}

#[test]
fn json_is_a_model_card_of_sagemaker() {
    let sandbox = registered();
    let card = as_json(&sandbox, "titanic@v1");
    assert_eq!(faults(&card), Vec::<String>::new());
    let overview = &card["model_overview"];
    assert_eq!((&overview["model_name"], &overview["model_version"]), (&"titanic".into(), &1.into()));
    assert_eq!((&overview["problem_type"], &overview["algorithm_type"]), (&"binary".into(), &"logistic".into()));
    assert_eq!(card["intended_uses"]["risk_rating"], "Low");
    assert_eq!(card["training_details"]["objective_function"]["function"]["facet"], "AUC");
    let groups = card["evaluation_details"][0]["metric_groups"].as_array().expect("groups");
    let named =
        |name: &str| groups.iter().find(|group| group["name"] == name).unwrap_or_else(|| panic!("{name}: {groups:?}"));
    assert_eq!(named("gates")["metric_data"][0]["value"], true);
    assert!(named("metrics")["metric_data"].as_array().is_some_and(|all| all.iter().any(|of| of["name"] == "roc_auc")));
    assert_eq!(named("diagrams")["metric_data"][0]["type"], "matrix");
    assert_eq!(card["additional_information"]["custom_details"]["ticket"], "SEA-1");
    let mut wrong = card.clone();
    wrong["model_overview"]["model_version"] = "one".into();
    assert_eq!(faults(&wrong).len(), 1, "the schema can refuse");
}

#[test]
fn every_model_has_a_card() {
    let sandbox = Sandbox::example("penguins");
    sandbox.write("mlops.toml", "[project]\nname = \"penguins\"\n");
    sandbox.run(&["ingest", "data/penguins.csv", "--target", "species"]).ok();
    sandbox.run(&["train", "--model", "tree"]).ok();
    let card = sandbox.run(&["card", "run:last"]).ok().out;
    assert!(card.contains("Nobody judged it yet") && card.contains("Nobody wrote down what it is for"), "{card}");
    assert!(card.contains("## Validation") && card.contains("| Adelie |"), "{card}");
    assert_eq!(faults(&as_json(&sandbox, "run:last")), Vec::<String>::new());
    sandbox.run(&["evaluate", "--by", "island"]).ok();
    let judged = as_json(&sandbox, "run:last");
    assert_eq!(faults(&judged), Vec::<String>::new());
    assert!(judged["evaluation_details"][0]["metric_groups"].to_string().contains("island=Dream"), "{judged}");
}

#[test]
fn slips_are_told() {
    let sandbox = registered();
    sandbox.run(&["card", "titanic@v9"]).code_is(2).says("v9");
    sandbox.run(&["card", "titanic@v1", "--format", "htm1"]).code_is(2).says("did you mean");
    sandbox.run(&["card", "titanic@v1", "-o", "card.pdf"]).code_is(2).says("pdf");
    sandbox.run(&["card", "titanic@v1", "-o", "no/such/card.md"]).code_is(3).says("cannot write");
    let project = sandbox.read("mlops.toml");
    sandbox.write("mlops.toml", project.replace("risk_rating = \"low\"", "risk_rating = \"lowish\""));
    sandbox.run(&["card", "titanic@v1"]).code_is(2).says("lowish");
    sandbox.write("mlops.toml", project.replace("owner =", "ownr ="));
    sandbox.run(&["card", "titanic@v1"]).code_is(2).says("did you mean `owner`");
}
