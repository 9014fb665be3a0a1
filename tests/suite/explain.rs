//! `explain` by the binary: columns, single rows, documents, what is refused.

use serde_json::Value;

use crate::common::Sandbox;
use crate::common::tables::groups;

/// A folder with an example's data and a model of `kind`.
fn trained(example: &str, target: &str, words: &[&str]) -> Sandbox {
    let sandbox = Sandbox::example(example);
    sandbox.run(&["ingest", &format!("data/{example}.csv"), "--target", target]).ok();
    let mut all = vec!["train"];
    all.extend(words);
    sandbox.run(&all).ok();
    sandbox
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().map(|value| value.as_f64().expect("a number")).collect()
}

fn names(value: &Value) -> Vec<String> {
    let columns = value.as_array().into_iter().flatten();
    columns.filter_map(|column| column["name"].as_str().map(str::to_owned)).collect()
}

/// Demands that base and contributions of a row sum to its margin.
#[track_caller]
fn adds_up(row: &Value) -> Vec<f64> {
    let (mut sums, margin) = (numbers(&row["base"]), numbers(&row["margin"]));
    for part in row["contributions"].as_array().into_iter().flatten() {
        sums.iter_mut().zip(numbers(&part["contributions"])).for_each(|(sum, value)| *sum += value);
    }
    for (sum, margin) in sums.iter().zip(&margin) {
        assert!((sum - margin).abs() < 1e-9 * margin.abs().max(1.0), "{sums:?} {margin:?}");
    }
    margin
}

#[test]
fn boosted_trees_are_explained_in_raw_columns() {
    let sandbox = trained("titanic", "survived", &["--model", "boost", "--set", "trees=30"]);
    let found = sandbox.json(&["explain", "--row", "17", "--interactions", "--repeats", "4", "--rows", "200"]);
    assert_eq!((&found["rows_of"], &found["rows"], &found["rows_there"]), (&"test".into(), &200.into(), &441.into()));
    assert_eq!((&found["metric"]["name"], &found["metric"]["repeats"]), (&"roc_auc".into(), &4.into()));
    assert_eq!(found["contributions"]["method"], "exact_trees");
    assert_eq!((&found["contributions"]["margin"], &found["outputs"]), (&"score".into(), &serde_json::json!(["1"])));
    let columns = &found["columns"];
    assert_eq!(names(columns)[0], "gender", "{:?}", names(columns));
    assert_eq!(names(columns).len(), 7, "raw columns, not features: {:?}", names(columns));
    let first = &columns[0];
    let drop = &first["permutation"];
    assert!(drop["low"].as_f64() < drop["mean"].as_f64() && drop["mean"].as_f64() < drop["high"].as_f64(), "{drop}");
    assert_eq!(first["dependence"]["labels"], serde_json::json!(["male", "female"]));
    let average = numbers(&first["dependence"]["average"][0]);
    assert!(average[1] > average[0] + 0.2, "women were saved first: {average:?}");
    assert!(first["effects"].is_null() && first["effects_left_out"].is_string(), "{first}");
    let age = columns.as_array().into_iter().flatten().find(|column| column["name"] == "age").expect("it is read");
    assert_eq!(numbers(&age["effects"]["edges"]).len(), numbers(&age["effects"]["values"][0]).len());
    let pair = &found["interactions"][0];
    assert!(pair["h2"].as_f64().is_some_and(|h2| (0.0..1.5).contains(&h2)), "{pair}");
    let row = &found["explained"][0];
    assert_eq!((&row["row"], &row["part"], &row["truth"]), (&17.into(), &"train".into(), &"0".into()));
    let (margin, answer) = (adds_up(row)[0], numbers(&row["answers"])[0]);
    assert!((1.0 / (1.0 + (-margin).exp()) - answer).abs() < 1e-9, "{margin} {answer}");
    assert_eq!(sandbox.json(&["explain", "--repeats", "4", "--rows", "200"])["columns"][0]["permutation"], *drop);
}

#[test]
fn an_explanation_is_a_run_and_an_object() {
    let sandbox = trained("penguins", "species", &["--model", "tree"]);
    let found = sandbox.json(&["explain", "--repeats", "2"]);
    let id = found["explanation"].as_str().expect("an id");
    assert!(
        sandbox.json(&["log", "--runs"])["runs"]
            .as_array()
            .is_some_and(|runs| { runs.iter().any(|run| run["kind"] == "explain" && run["state"] == "finished") })
    );
    let chain = |reference: &str| -> Vec<String> {
        let chain = sandbox.json(&["why", reference]);
        let links = chain["chain"].as_array().into_iter().flatten();
        links.filter_map(|link| link["kind"].as_str().map(str::to_owned)).collect()
    };
    let of_model = chain(found["package"].as_str().expect("an id"));
    assert!(of_model.contains(&"explanation".to_owned()), "{of_model:?}");
    let of_object = chain(id);
    for kind in ["explanation", "run", "model", "dataset", "raw"] {
        assert!(of_object.contains(&kind.to_owned()), "{kind} is not in {of_object:?}");
    }
    sandbox.run(&["gc"]).ok();
    sandbox.run(&["fsck"]).ok();
    assert!(chain(id).contains(&"explanation".to_owned()));
}

#[test]
fn several_classes_have_contributions_of_their_own() {
    let sandbox = trained("penguins", "species", &["--model", "logistic"]);
    let found = sandbox.json(&["explain", "--row", "5", "--repeats", "2"]);
    assert_eq!(found["outputs"], serde_json::json!(["Adelie", "Chinstrap", "Gentoo"]));
    assert_eq!(found["contributions"]["method"], "exact_linear");
    let column = &found["columns"][0];
    assert_eq!(numbers(&column["contribution_by_output"]).len(), 3, "{column}");
    assert_eq!(column["dependence"]["average"].as_array().map(Vec::len), Some(3));
    let row = &found["explained"][0];
    assert_eq!((&row["prediction"], &row["output"]), (&"Adelie".into(), &0.into()));
    assert_eq!(adds_up(row).len(), 3);
    let mass = found["columns"].as_array().into_iter().flatten().find(|column| column["name"] == "body_mass_g");
    let slopes = numbers(&mass.expect("it is read")["linear"]["per_unit"]);
    assert!(slopes.len() == 3 && slopes[2] > 0.0, "Gentoos are heavy: {slopes:?}");
}

#[test]
fn other_kinds_are_sampled_and_say_so() {
    for words in [&["--model", "naive_bayes"][..], &["--model", "logistic", "--calibrate", "platt"]] {
        let sandbox = trained("titanic", "survived", words);
        let found = sandbox.json(&["explain", "--row", "3", "--rows", "40", "--repeats", "2"]);
        let method = &found["contributions"];
        assert_eq!((&method["method"], &method["margin"]), (&"sampled".into(), &"answer".into()));
        assert!(found["methods"].to_string().contains("sampled Shapley values"), "{}", found["methods"]);
        let row = &found["explained"][0];
        assert_eq!(adds_up(row), numbers(&row["answers"]));
        let errors = numbers(&row["contributions"][0]["errors"]);
        assert!(errors[0] > 0.0 && errors[0] < 0.5, "{errors:?}");
    }
}

#[test]
fn data_without_the_truth_has_no_permutation_importance() {
    let sandbox = trained("penguins", "species", &["--model", "tree"]);
    let text = sandbox.read("data/penguins.csv");
    let head = text.lines().next().unwrap_or_default().replace("species", "kind");
    let rows: Vec<&str> = text.lines().skip(1).take(30).collect();
    sandbox.write("new.csv", format!("{head}\n{}\n", rows.join("\n")));
    sandbox.run(&["ingest", "new.csv", "--name", "new"]).ok();
    let ran = sandbox.run(&["explain", "--on", "new", "--row", "2", "--json"]).ok().says("needs the truth");
    let found = ran.data();
    assert!(found["metric"].is_null() && found["columns"][0]["permutation"].is_null());
    assert_eq!((&found["rows_of"], &found["rows"]), (&"all".into(), &30.into()));
    assert!(found["explained"][0]["truth"].is_null() && found["explained"][0]["part"].is_null());
    assert!(found["columns"][0]["contribution"].as_f64().is_some_and(|size| size > 0.0));
    sandbox.write("few.csv", "island,sex\nBiscoe,male\nDream,female\n");
    sandbox.run(&["ingest", "few.csv", "--name", "few"]).ok();
    sandbox.run(&["explain", "--on", "few"]).code_is(2).says("lacks columns that the model reads");
}

#[test]
fn documents_are_one_file_each() {
    let sandbox = trained("penguins", "species", &["--model", "tree"]);
    let words = [
        "explain",
        "--row",
        "5",
        "--repeats",
        "2",
        "--report",
        "why.html",
        "--report",
        "why.md",
        "--report",
        "why.json",
    ];
    sandbox.run(&words).ok().says("wrote why.html");
    let page = sandbox.read("why.html");
    for part in ["Permutation importance", "Row 5", "How answers follow each column", "Which columns act together"] {
        assert!(page.contains(part), "{part}");
    }
    for word in ["http:", "https:", " src=", "url(", "@import", "<link", "NaN"] {
        assert!(!page.contains(word), "{word}");
    }
    let comment = sandbox.read("why.md");
    assert!(comment.contains("| column |") && comment.contains("### Row 5"), "{comment}");
    let record: Value = serde_json::from_str(&sandbox.read("why.json")).expect("JSON");
    assert_eq!(record["model"], "tree");
    let shown = sandbox.run(&["explain", "--row", "5"]).ok().out;
    assert!(shown.contains("(expected)") && shown.contains("row 5"), "{shown}");
    sandbox.run(&["explain", "--report", "why.xml"]).code_is(2).says(".html");
    sandbox.run(&["explain", "--report", "why.doc"]).code_is(2);
}

#[test]
fn wrong_requests_say_what_and_what_next() {
    let sandbox = trained("penguins", "species", &["--model", "tree"]);
    let refused: &[(&[&str], &str)] = &[
        (&["--columns", "iland"], "did you mean `island`?"),
        (&["--columns", "year"], "does not read column `year`"),
        (&["--row", "0"], "there is no row 0"),
        (&["--row", "9000"], "344 rows"),
        (&["--row", "a7f3"], "COLUMN=VALUE"),
        (&["--row", "island=Nowhere"], "no row of"),
        (&["--row", "island=Dream"], "not one"),
        (&["--row", "iland=Dream"], "island"),
        (&["--metric", "acuracy"], "accuracy"),
        (&["--metric", "rmse"], "rmse"),
        (&["--rows", "0"], "--rows 0"),
        (&["--repeats", "0"], "--repeats 0"),
        (&["--on", "nothing"], "nothing"),
    ];
    for (words, says) in refused {
        let mut all = vec!["explain"];
        all.extend(*words);
        sandbox.run(&all).code_is(2).says(says);
    }
    // Asking for columns leaves the others out.
    let found = sandbox.json(&["explain", "--columns", "sex,island", "--repeats", "2", "--top", "1"]);
    assert_eq!(found["columns"].as_array().map(Vec::len), Some(2));
    assert!(found["columns"][1]["dependence"].is_null());
}

#[test]
fn tasks_without_a_target() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("groups.csv", groups(300));
    sandbox.run(&["ingest", "groups.csv", "--key", "id", "--task", "clustering", "--ignore", "group,odd"]).ok();
    sandbox.run(&["train", "--set", "clusters=3"]).ok();
    sandbox.run(&["explain"]).code_is(2).says("a cluster is a name");
    let sandbox = Sandbox::with_repo();
    sandbox.write("groups.csv", groups(300));
    let words = ["ingest", "groups.csv", "--key", "id", "--task", "anomaly", "--target", "odd", "--ignore", "group"];
    sandbox.run(&words).ok();
    sandbox.run(&["train", "--set", "trees=20"]).ok();
    let found = sandbox.json(&["explain", "--row", "id=49", "--rows", "40", "--repeats", "2"]);
    assert_eq!((&found["answer"], &found["contributions"]["method"]), (&"anomaly score".into(), &"sampled".into()));
    let row = &found["explained"][0];
    assert_eq!((&row["row"], &row["key"][0][1]), (&50.into(), &"49".into()));
    assert_eq!(adds_up(row), numbers(&row["answers"]));
}

#[test]
fn columns_that_are_hardly_any_explain_nothing() {
    let sandbox = Sandbox::with_repo();
    let mut text = "x,twin,same,empty,word,y\n".to_owned();
    for row in 0..300 {
        let x = row * 37 % 53;
        text.push_str(&format!("{x},{},7,,{}{},{}\n", x * 2 + 1, "long words ".repeat(40), row % 3, x + row % 4));
    }
    sandbox.write("odd.csv", &text);
    sandbox.run(&["ingest", "odd.csv", "--target", "y"]).ok();
    sandbox.run(&["train", "--model", "boost", "--set", "trees=10"]).ok();
    let words = ["explain", "--repeats", "3", "--report", "odd.html", "--report", "odd.md"];
    let found = sandbox.json(&words);
    let group = &found["groups"][0];
    assert_eq!(group["columns"], serde_json::json!(["x", "twin"]), "{}", found["groups"]);
    let alone = found["columns"][0]["permutation"]["mean"].as_f64();
    assert!(group["permutation"]["mean"].as_f64() >= alone, "{group} {alone:?}");
    for column in found["columns"].as_array().into_iter().flatten().filter(|column| column["name"] == "same") {
        assert_eq!(column["permutation"]["mean"], 0.0);
    }
    // One row can be explained, and says that nothing can be shuffled.
    sandbox.write("one.csv", text.lines().take(2).map(|line| format!("{line}\n")).collect::<String>());
    sandbox.run(&["ingest", "one.csv", "--name", "one"]).ok();
    sandbox.run(&["explain", "--on", "one", "--metric", "mae", "--row", "1"]).ok().says("cannot be shuffled");
}

#[test]
fn wide_tables_are_cut_and_it_is_said() {
    let sandbox = Sandbox::with_repo();
    let mut text: String = (0..230).map(|column| format!("c{column},")).collect::<String>() + "y\n";
    for row in 0..60_u64 {
        let cells: Vec<String> = (0..230_u64).map(|column| (row * (2 * column + 3) % 61).to_string()).collect();
        text.push_str(&format!("{},{}\n", cells.join(","), row * 3 % 61));
    }
    sandbox.write("wide.csv", text);
    sandbox.run(&["ingest", "wide.csv", "--target", "y", "--task", "regression"]).ok();
    sandbox.run(&["train", "--model", "ridge"]).ok();
    let ran = sandbox.run(&["explain", "--repeats", "1", "--top", "2", "--json"]).ok();
    let ran = ran.says("the first 200 of 2").says("2 most important of 200 columns");
    assert_eq!(ran.data()["columns"].as_array().map(Vec::len), Some(200));
}
