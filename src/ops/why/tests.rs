//! Tests of what is said of a link.

use serde_json::{Value, json};

use crate::ops::why::{WhyEdge, WhyLink, WhyReport};

fn link(kind: &str, facts: Value) -> WhyLink {
    WhyLink { kind: kind.to_owned(), id: "ab".repeat(32), name: "n".to_owned(), facts }
}

#[track_caller]
fn says(kind: &str, facts: Value, headline: &str, details: &[&str]) {
    let link = link(kind, facts);
    assert_eq!(
        (link.headline().as_str(), link.details()),
        (headline, details.iter().map(|s| (*s).to_owned()).collect())
    );
}

#[test]
fn each_kind_of_link_says_what_matters() {
    let time = "2026-01-02T03:04:05.600Z";
    let moves = json!([{ "alias": "champion", "from": 2, "time": time, "by": "ann", "reason": "better" }]);
    says(
        "version",
        json!({ "time": time, "by": "ann", "aliases": ["champion"], "moves": moves, "note": null, "state": "approved",
            "marks": [{ "said": "state pending -> approved", "time": time, "by": "bob", "reason": "checked" }] }),
        "champion; approved; registered 2026-01-02 03:04:05 by ann",
        &[
            "champion since 2026-01-02 03:04:05 by ann (before at v2): better",
            "state pending -> approved, 2026-01-02 03:04:05 by bob: checked",
        ],
    );
    says(
        "model",
        json!({ "task": "binary", "validation": { "roc_auc": 0.9 } }),
        "binary, validation roc_auc 0.9000",
        &[],
    );
    says("model", json!({}), "", &[]);
    says(
        "evaluation",
        json!({ "rows": 1200, "rows_of": "test", "metrics": { "f1": 0.5 },
            "gates": [{ "expression": "f1 >= 0.4", "verdict": "pass", "reason": "0.5 is at least 0.4" }] }),
        "on 1,200 test rows: f1 0.5000",
        &["gate f1 >= 0.4: pass (0.5 is at least 0.4)"],
    );
    says(
        "run",
        json!({ "state": "finished", "started": time, "user": "ann", "seed": 42,
            "code": { "commit": "0123456789abcdef", "dirty": true }, "params": { "rate": 0.1, "trees": 200 } }),
        "finished 2026-01-02 03:04:05 by ann, code 0123456789 with changes not committed, seed 42",
        &["parameters rate 0.1, trees 200"],
    );
    says("recipe", json!({ "columns": ["a", "b"], "features": 1 }), "2 columns → 1 feature", &[]);
    says("dataset", json!({ "rows": 3, "columns": 1, "roles": { "target": "y" } }), "3 rows × 1 column, target y", &[]);
    says("raw", json!({ "bytes": 1536, "origin": "s3://b/k" }), "1.5 KiB, from s3://b/k", &[]);
    says(
        "study",
        json!({ "trials": 5, "metric": "rmse", "best": { "value": 1.5 } }),
        "5 trials by rmse, best 1.5000",
        &[],
    );
    says("anything", json!({}), "", &[]);
}

#[test]
fn arrows_of_the_picture_lead_from_origins_to_what_came_about() {
    let chain = vec![link("model", json!({})), link("run", json!({}))];
    let report = WhyReport { subject: "m".to_owned(), chain, edges: vec![WhyEdge { from: 0, to: 1, role: "made_by" }] };
    let graph = report.graph();
    assert_eq!((graph.arrows[0].from, graph.arrows[0].to, graph.arrows[0].label.as_str()), (1, 0, "made"));
    assert!(graph.nodes[0].is_subject && !graph.nodes[1].is_subject);
}
