//! Stages, edges, order, refusals.

use std::path::PathBuf;

use anyhow::Result;
use proptest::prelude::{Strategy, any, prop};
use proptest::{prop_assert, proptest};

use crate::base::seed::Seed;
use crate::pipeline::graph::{Graph, StageKind, graph};
use crate::pipeline::paths;
use crate::pipeline::tests::{project, refusal};
use crate::spec::project::{ProjectSpec, StageSpec};

/// A command stage in TOML; lists are written `a, b`.
fn stage(name: &str, deps: &str, outs: &str) -> String {
    let list = |text: &str| {
        text.split(", ").filter(|item| !item.is_empty()).map(|item| format!("'{item}',")).collect::<String>()
    };
    format!("[[stage]]\nname = '{name}'\ncmd = 'true'\ndeps = [{}]\nouts = [{}]\n", list(deps), list(outs))
}

fn names(graph: &Graph) -> Vec<&str> {
    graph.stages().iter().map(|stage| stage.name.as_str()).collect()
}

/// Stages of a project with all sections and these commands, in order, each with what it needs.
fn shape(commands: &[String]) -> Result<String> {
    let graph = graph(&project(&commands.concat())?)?;
    let line = |stage: &crate::pipeline::graph::Stage| format!("{}({})", stage.name, stage.deps.join(" "));
    Ok(graph.stages().iter().map(line).collect::<Vec<_>>().join(" "))
}

#[test]
fn sections_make_a_chain() -> Result<()> {
    let full = "ingest() validate(ingest) transform(validate) train(transform) evaluate(train) register(evaluate)";
    assert_eq!(shape(&[])?, full);
    let graph = graph(&project("")?)?;
    assert_eq!(graph.stages()[0].files, [PathBuf::from("data/birds.csv")]);
    assert_eq!(graph.stages()[1].files, [PathBuf::from("schema.toml")]);
    Ok(())
}

#[test]
fn a_stage_without_its_section_is_not_there() -> Result<()> {
    let read = |text: &str| -> Result<Vec<String>> {
        let graph = graph(&toml::from_str(text)?)?;
        Ok(graph.stages().iter().map(|stage| format!("{}({})", stage.name, stage.deps.join(" "))).collect())
    };
    assert!(read("")?.is_empty());
    assert_eq!(read("data = { source = 'd.csv' }")?, ["ingest()"]);
    assert_eq!(
        read("data = { source = 'd.csv' }\ntrain = {}\nregister = {}")?,
        ["ingest()", "transform(ingest)", "train(transform)", "register(train)"]
    );
    for (text, wanted) in [
        ("train = {}", "[train] but no [data]"),
        ("validate = {}", "[validate] but no [data]"),
        ("data = { source = 'd.csv' }\nevaluate = {}", "[evaluate] but no [train]"),
        ("register = {}", "[register] but no [train]"),
    ] {
        assert!(refusal(read(text), text).contains(wanted), "{text}");
    }
    Ok(())
}

#[test]
fn sources_elsewhere_are_no_files_and_patterns_are_folders() -> Result<()> {
    for (source, wanted) in [
        ("https://example.org/d.csv", &[][..]),
        ("s3://bucket/d.csv", &[]),
        ("./data/../data//d.csv", &["data/d.csv"]),
        ("data/*.csv", &["data"]),
        ("data/20[0-9]?/x.csv", &["data"]),
        ("*.csv", &[""]),
        ("../shared/d.csv", &["../shared/d.csv"]),
    ] {
        let spec: ProjectSpec = toml::from_str(&format!("data = {{ source = '{source}' }}"))?;
        let wanted: Vec<PathBuf> = wanted.iter().map(PathBuf::from).collect();
        assert_eq!(graph(&spec)?.stages()[0].files, wanted, "{source}");
    }
    Ok(())
}

#[test]
fn files_make_edges() -> Result<()> {
    let tail = "transform(validate) train(transform) evaluate(train) register(evaluate)";
    // The source is made by a command, which runs first although it is written last.
    let made = shape(&[stage("fetch", "fetch.py", "./data/birds.csv")])?;
    assert_eq!(made, format!("fetch() ingest(fetch) validate(ingest) {tail}"));
    // A folder counts for all that is in it, from both sides; a name that begins alike is no folder.
    let out_folder = shape(&[stage("b", "plots/roc/a.svg", ""), stage("a", "", "plots"), stage("c", "plots2", "")])?;
    assert!(out_folder.ends_with("a() b(a) c()"), "{out_folder}");
    let dep_folder = shape(&[stage("b", "plots", ""), stage("a", "", "plots/roc/a.svg"), stage("c", "", "plots.txt")])?;
    assert!(dep_folder.ends_with("a() b(a) c()"), "{dep_folder}");
    let schema = shape(&[stage("s", "", "schema.toml")])?;
    assert!(schema.contains("validate(ingest s)") || schema.contains("validate(s ingest)"), "{schema}");
    Ok(())
}

#[test]
fn names_and_references_make_edges() -> Result<()> {
    let shape = shape(&[
        stage("report", "model:birds-model@champion, data:birds", ""),
        stage("other", "model:fish@champion, data:birds@v3, model:birds@latest", ""),
        stage("last", "stage:report, stage:train", ""),
    ])?;
    assert!(shape.ends_with("register(evaluate) report(ingest register) other() last(train report)"), "{shape}");
    let graph = graph(&project(&stage("report", "a.py, model:birds-model@champion", "r.html"))?)?;
    let report = graph.stages().last().expect("seven");
    assert_eq!(report.refs, ["model:birds-model@champion"]);
    assert_eq!((&report.files, &report.outs), (&vec!["a.py".into()], &vec!["r.html".into()]));
    assert!(matches!(&report.kind, StageKind::Command(spec) if spec.cmd == "true"));
    Ok(())
}

#[test]
fn mistakes_are_refused_with_their_place() -> Result<()> {
    for (case, commands, wanted) in [
        ("reserved", vec![stage("train", "", "")], "`train` is the name of a built-in stage"),
        ("twice", vec![stage("a", "", ""), stage("a", "", "")], "two stages are called `a`"),
        ("bad name", vec![stage("a b", "", "")], "`a b` cannot be the name of a stage"),
        ("dash", vec![stage("-a", "", "")], "`-a` cannot be the name"),
        ("one out", vec![stage("a", "", "x"), stage("b", "", "./x")], "`a` and `b` both write x"),
        ("nested out", vec![stage("a", "", "x"), stage("b", "", "x/y")], "`a` and `b` both write x/y"),
        ("nested out", vec![stage("b", "", "x/y"), stage("a", "", "x")], "`b` and `a` both write x"),
        ("out twice", vec![stage("a", "", "x, x")], "stage `a` lists x and x as outs"),
        ("unknown", vec![stage("report", "", ""), stage("b", "stage:reprot", "")], "did you mean `report`?"),
        ("outside", vec![stage("a", "", "../x")], "out `../x` is outside the project folder"),
        ("outside", vec![stage("a", "", "b/../../x")], "is outside the project folder"),
        ("root", vec![stage("a", "", "b/..")], "the project folder itself"),
        ("kept", vec![stage("a", "", ".mlops/x")], "out `.mlops/x` belongs to mlops"),
        ("kept", vec![stage("a", "", "./mlops.lock")], "belongs to mlops"),
        ("absolute", vec![stage("a", "", "/tmp/x")], "path `/tmp/x` is absolute"),
        ("absolute", vec![stage("a", "/etc/passwd", "")], "path `/etc/passwd` is absolute"),
        ("itself", vec![stage("a", "x", "x")], "stage `a` writes what it reads: x"),
        ("itself", vec![stage("a", ".", "x")], "stage `a` writes what it reads: ."),
        ("itself", vec![stage("a", "stage:a", "")], "`a` needs `a`"),
        ("kind", vec![stage("a", "modle:x", "")], "did you mean `model:`?"),
        ("kind", vec![stage("a", "https://x.org/y", "")], "unknown kind of dependency"),
        ("nameless", vec![stage("a", "model:@latest", "")], "`model:@latest` has no name"),
        (
            "circle",
            vec![stage("a", "y", "x"), stage("b", "x", "z"), stage("c", "z", "y")],
            "`a` needs `c` needs `b` needs `a`",
        ),
        (
            "circle",
            vec![stage("a", "model:birds-model", "data")],
            "`ingest` needs `a` needs `register` needs `evaluate`",
        ),
    ] {
        let message = refusal(shape(&commands), case);
        assert!(message.contains(wanted), "{case}: {message}");
    }
    let empty: ProjectSpec = toml::from_str("[[stage]]\nname = 'a'\ncmd = ' '")?;
    assert!(refusal(graph(&empty), "empty").contains("in [[stage]] `a` of mlops.toml: `cmd` is empty"));
    Ok(())
}

#[test]
fn a_pinned_version_breaks_a_circle() -> Result<()> {
    let shape = shape(&[stage("label", "model:birds-model@v2", "data")])?;
    assert!(shape.starts_with("label() ingest(label)"), "{shape}");
    Ok(())
}

#[test]
fn selections_hold_what_is_needed() -> Result<()> {
    let graph = graph(&project(
        &[stage("fetch", "", "data"), stage("report", "stage:train", ""), stage("x", "", "")].concat(),
    )?)?;
    let select = |wanted: &[&str]| -> Result<Vec<&str>> {
        let wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
        Ok(graph.select(&wanted)?.into_iter().map(|index| graph.stages()[index].name.as_str()).collect())
    };
    assert_eq!(select(&[])?, names(&graph));
    assert_eq!(select(&["x"])?, ["x"]);
    assert_eq!(select(&["x", "transform"])?, ["fetch", "ingest", "validate", "transform", "x"]);
    assert!(refusal(select(&["trian"]), "trian").contains("did you mean `train`?"));
    let position = |name: &str| names(&graph).iter().position(|other| *other == name).expect("declared");
    let below = |name: &str| graph.downstream(position(name)).into_iter().map(|i| names(&graph)[i]).collect::<Vec<_>>();
    assert_eq!(below("transform"), ["train", "evaluate", "register", "report"]);
    assert_eq!(below("x"), [""; 0]);
    assert_eq!(below("fetch").len(), 7);
    Ok(())
}

#[test]
fn pictures() -> Result<()> {
    let spec: ProjectSpec =
        toml::from_str(&format!("data = {{ source = 'd.csv' }}\n{}", stage("end", "data:x, stage:ingest", "")))?;
    let graph = graph(&spec)?;
    let dot = "digraph pipeline {\n  rankdir=LR;\n  node [shape=box];\n  \"ingest\";\n  \"end\" [style=rounded];\n  \
               \"ingest\" -> \"end\";\n}\n";
    assert_eq!(graph.to_dot(), dot);
    assert_eq!(graph.to_mermaid(), "flowchart LR\n  s0[\"ingest\"]\n  s1(\"end\")\n  s0 --> s1\n");
    Ok(())
}

#[test]
fn paths_have_one_form() -> Result<()> {
    for (text, wanted) in
        [(".", ""), ("a/./b//c/", "a/b/c"), ("a/../b", "b"), ("a/../../b", "../b"), ("../..", "../..")]
    {
        assert_eq!(paths::normal(text)?, PathBuf::from(wanted), "{text}");
    }
    assert!(paths::normal("").is_err() && paths::normal("/").is_err());
    Ok(())
}

/// Commands without circles: number `i` writes `o<i>` and reads outs of lower numbers only.
fn acyclic() -> impl Strategy<Value = Vec<StageSpec>> {
    prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..4), 1..25).prop_map(|lists| {
        let one = |(number, list): (usize, &Vec<prop::sample::Index>)| {
            let lower = list.iter().filter(|_| number > 0).map(|index| index.index(number));
            let deps =
                lower.map(|other| if other % 2 == 0 { format!("o{other}/part") } else { format!("stage:s{other}") });
            StageSpec {
                name: format!("s{number}"),
                cmd: "true".to_owned(),
                deps: deps.collect(),
                outs: vec![format!("o{number}")],
                params: toml::Table::new(),
                always: false,
            }
        };
        lists.iter().enumerate().map(one).collect()
    })
}

proptest! {
    #[test]
    fn any_order_of_entries_gives_a_valid_order_and_the_same_edges(stages in acyclic(), seed in any::<u64>()) {
        let plain = graph(&ProjectSpec { stages: stages.clone(), ..ProjectSpec::default() }).expect("no circle");
        let mut shuffled = stages.clone();
        Seed(seed).rng().shuffle(&mut shuffled);
        let graph = graph(&ProjectSpec { stages: shuffled, ..ProjectSpec::default() }).expect("no circle");
        prop_assert!(graph.stages().len() == stages.len());
        for (position, stage) in graph.stages().iter().enumerate() {
            let spec = stages.iter().find(|spec| spec.name == stage.name).expect("one of them");
            for dep in &spec.deps {
                let number: String = dep.trim_end_matches("/part").chars().filter(char::is_ascii_digit).collect();
                let before = names(&graph).iter().position(|name| *name == format!("s{number}"));
                prop_assert!(before.is_some_and(|before| before < position), "{dep} of {}", stage.name);
            }
            let twin = plain.stages().iter().find(|twin| twin.name == stage.name).expect("same stages");
            let sorted = |deps: &[String]| { let mut deps = deps.to_vec(); deps.sort(); deps };
            prop_assert!(sorted(&stage.deps) == sorted(&twin.deps));
        }
    }

    #[test]
    fn a_selection_is_closed_and_minimal(stages in acyclic(), pick in any::<prop::sample::Index>()) {
        let graph = graph(&ProjectSpec { stages, ..ProjectSpec::default() }).expect("no circle");
        let wanted = pick.index(graph.stages().len());
        let chosen = graph.select(&[graph.stages()[wanted].name.clone()]).expect("known");
        for &position in &chosen {
            prop_assert!(graph.needs(position).iter().all(|other| chosen.contains(other)));
            prop_assert!(position == wanted || graph.downstream(position).contains(&wanted));
        }
    }
}
