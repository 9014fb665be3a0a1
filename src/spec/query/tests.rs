//! What conditions mean, and what is said of those that mean nothing.

use crate::base::clock::Timestamp;
use crate::spec::query::{Condition, Field, Holds, Literal, parse, parse_fields, parse_moment, parse_sort};

fn now() -> Timestamp {
    "2026-11-25T12:00:00Z".parse().expect("a time")
}

fn shown(condition: &Condition) -> String {
    let joined = |parts: &[Condition], word: &str| parts.iter().map(shown).collect::<Vec<_>>().join(word);
    match condition {
        Condition::All(parts) => format!("({})", joined(parts, " & ")),
        Condition::Any(parts) => format!("({})", joined(parts, " | ")),
        Condition::Test(field, holds) => match holds {
            Holds::Compared(comparison, literal) => format!("{field}{}{}", comparison.symbol(), value(literal)),
            Holds::Among { values, not } => {
                let values: Vec<String> = values.iter().map(value).collect();
                format!("{field}{}in[{}]", if *not { "!" } else { "~" }, values.join(","))
            }
            Holds::Like { pattern, any_case, not } => {
                format!("{field}{}{}{pattern}", if *not { "!" } else { "~" }, if *any_case { "i" } else { "" })
            }
            Holds::Present => format!("{field}?"),
            Holds::Missing => format!("!{field}?"),
        },
    }
}

fn value(literal: &Literal) -> String {
    match literal {
        Literal::Integer(number) => number.to_string(),
        Literal::Real(number) => format!("{number:?}"),
        Literal::Text(text) => format!("'{text}'"),
        Literal::Time(time) => format!("@{}", time.as_micros() / 1_000_000),
        Literal::Flag(flag) => flag.to_string(),
    }
}

#[track_caller]
fn check(text: &str, wanted: &str) {
    let read = parse(text, now()).map(|condition| shown(&condition));
    assert_eq!(read.unwrap_or_else(|error| error.what), wanted, "{text}");
}

#[test]
fn conditions_are_read() {
    check("metrics.f1 > 0.9", "metrics.f1>0.9");
    check(
        "metrics.f1 > 0.9 and params.trees >= 100 or tags.team = 'fraud'",
        "((metrics.f1>0.9 & params.trees>=100) | tags.team='fraud')",
    );
    check("metrics.f1>0.9 AND (params.a=1 OR tags.b!='c')", "(metrics.f1>0.9 & (params.a=1 | tags.b<>'c'))");
    check("not (metrics.a > 1 and kind = 'train')", "(metrics.a<=1 | kind<>'train')");
    check("not not metrics.a == 1", "metrics.a=1");
    check("not (stage is null or not stage like 'a%')", "(stage? & stage~a%)");
    check("metrics.`a b` <> -1e-3", "metrics.a b<>-0.001");
    check("params.\"learning rate\" = '0.1'", "params.learning rate='0.1'");
    check("params.depth in (1, 2.5, 'x')", "params.depthin[1,2.5,'x']".replace("depthin", "depth~in").as_str());
    check("params.depth not in (1)", "params.depth!in[1]");
    check("tags.mlflow.source.name ilike '%a_%'", "tags.mlflow.source.name~i%a_%");
    check("tags.x not ilike 'a'", "tags.x!ia");
    check("metrics.a between 1 and 2 and metrics.b is not null", "((metrics.a>=1 & metrics.a<=2) & metrics.b?)");
    check("metrics.a not between 1 and 2", "(metrics.a<1 | metrics.a>2)");
    check("attributes.status = 'FINISHED' and attr.run_id = '9f3c'", "(state='finished' & run='9f3c')");
    check("run.start_time > 1664067852747", "started>@1664067852");
    check("started >= '2026-11-01' and started < 2026-11-02T10:30", "(started>=@1793491200 & started<@1793615400)");
    check("started > 7d", "started>@1795003200");
    check("ended < '2026-11-25 11:00'", "ended<@1795604400");
    check("seconds > 10m and memory >= 1GiB", "(seconds>600.0 & memory>=1073741824)");
    check("dirty = true and exit_code != 0", "(dirty=true & exit_code<>0)");
    check("metrics.recall(0.9) > '0.5'", "metrics.recall(0.9)>0.5");
    check("tags.who = 'it''s' or kind = train", "(tags.who='it's' | kind='train')");
    check("dataset = penguins@v3", "dataset='penguins@v3'");
    check("params.ok = true", "params.ok='true'");
    check("metrics.größe > 1", "metrics.größe>1");
}

#[test]
fn what_cannot_be_read_is_named_with_its_place() {
    let place = |at: usize, what: &str| format!("cannot read the condition at character {at}: {what}");
    let fails = |text: &str, at: usize, what: &str| check(text, &place(at, what));
    fails("", 1, "a field belongs here, not the end");
    fails("metrics.f1 >", 13, "a value belongs here, not the end");
    fails("metrics.f1 0.9", 12, "`0.9` does not compare metrics.f1");
    fails("metrics.f1 > 'high'", 14, "metrics.f1 is a number, and `high` is not");
    fails("metrics.a > metrics.b", 13, "`metrics.b` is a field where a value belongs");
    fails("metrics.a > 1 metrics.b > 1", 15, "`and` or `or` belongs before `metrics.b`");
    fails("(kind = 'a'", 12, "`)` belongs before the end");
    fails("kind = 'a", 8, "this ' is not closed");
    fails("kind ; 1", 6, "`;` means nothing here");
    fails("kin = 'a'", 1, "unknown field `kin`");
    fails("metric_s.a = 1", 1, "unknown field `metric_s.a`");
    fails("attributes.stat = 'a'", 1, "unknown field `stat`");
    fails("state = 'done'", 9, "unknown state `done`");
    fails("started > 'soon'", 11, "started is a time, and `soon` is not");
    fails("metrics.a like 'x'", 11, "metrics.a is no text that a pattern could match");
    fails("dirty > true", 7, "dirty has no order: compare it with = or !=");
    fails("kind in 'a'", 9, "a list in brackets belongs behind `in`, as ('a', 'b')");
    fails("kind is empty", 9, "`null` belongs behind `is`");
    fails("metrics. > 1", 8, "a name belongs behind `metrics.`");
    fails("metrics.a > inf", 13, "metrics.a is a number, and `inf` is not");
    fails("metrics.a > 1e999", 13, "metrics.a is a number, and `1e999` is not");
    let deep = format!("{}kind = 'a'{}", "(".repeat(100), ")".repeat(100));
    fails(&deep, 66, "too many brackets inside each other");
    let long = vec!["kind = 'a'"; 1_001].join(" or ");
    assert!(parse(&long, now()).is_err_and(|error| error.what.contains("too many tests")));
    let hint = parse("kin = 'a'", now()).expect_err("a slip").hint;
    assert_eq!(hint.as_deref(), Some("did you mean `kind`?"));
    let hint = parse("f1 > 0.9", now()).expect_err("no entity").hint;
    assert_eq!(hint.as_deref(), Some("write `metrics.f1`, `params.f1` or `tags.f1`"));
}

#[test]
fn orders_and_columns_are_read() {
    let order = |text: &str| -> String {
        match parse_sort(text) {
            Ok(keys) => keys.iter().map(|key| format!("{}:{:?} ", key.field, key.descending)).collect(),
            Err(error) => error.what,
        }
    };
    assert_eq!(order("f1"), "metrics.f1:None ");
    assert_eq!(order("-log_loss"), "metrics.log_loss:Some(false) ");
    assert_eq!(
        order("metrics.f1 desc, params.trees asc,started"),
        "metrics.f1:Some(true) params.trees:Some(false) started:None "
    );
    assert_eq!(order("recall(0.9)"), "metrics.recall(0.9):None ");
    assert_eq!(order("f1 down"), "`down` is no order");
    assert_eq!(order("model"), "runs cannot be sorted by model: one may have several");
    let columns = parse_fields("run,kind, metrics.`a,b`,params.trees,f1,metrics.*").expect("columns");
    let names: Vec<String> = columns.iter().map(Field::to_string).collect();
    assert_eq!(names, ["run", "kind", "metrics.a,b", "params.trees", "metrics.f1", "metrics.*"]);
    assert!(parse_fields("a b").is_err());
}

#[test]
fn moments_are_read() {
    let at = |text: &str| parse_moment(text, now()).ok().map(|time| time.to_string());
    assert_eq!(at("now").as_deref(), Some("2026-11-25T12:00:00.000000Z"));
    assert_eq!(at("90s").as_deref(), Some("2026-11-25T11:58:30.000000Z"));
    assert_eq!(at("-2h").as_deref(), Some("2026-11-25T10:00:00.000000Z"));
    assert_eq!(at("7d ago").as_deref(), Some("2026-11-18T12:00:00.000000Z"));
    assert_eq!(at("2026-11-01T12:00:00+02:00").as_deref(), Some("2026-11-01T10:00:00.000000Z"));
    assert_eq!(at("2026-13-01"), None);
    assert_eq!(at("soon"), None);
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[a-z.`'\"()<>=!0-9, \\-é]{0,40}") {
        let _ = parse(&text, now());
        let _ = parse_sort(&text);
        let _ = parse_fields(&text);
    }
}
