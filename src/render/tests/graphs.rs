//! Tests of graphs as text, read back by small strict readers of both languages.

use crate::render::graph::{Arrow, Graph, Node, Outline};

const NASTY: &str = "a \"b\" \\ end #1; <b>&[x]{y}|z`*_%%\n\u{202e}";

fn graph() -> Graph {
    let outlines = [
        Outline::Plain,
        Outline::Data,
        Outline::Work,
        Outline::Model,
        Outline::Judgement,
        Outline::File,
        Outline::Name,
    ];
    let node = |(at, outline): (usize, Outline)| Node {
        outline,
        lines: vec![NASTY.to_owned(), "end".to_owned(), "x".repeat(300)],
        is_subject: at == 1,
    };
    let arrow =
        |from: usize| Arrow { from, to: from + 1, label: if from.is_multiple_of(2) { NASTY } else { "" }.to_owned() };
    // The last arrow leads nowhere and is left out.
    Graph { nodes: outlines.into_iter().enumerate().map(node).collect(), arrows: (0..7).map(arrow).collect() }
}

/// The text of a DOT string from its opening quote on, and what follows it.
fn dot_string(text: &str) -> (String, &str) {
    let mut out = String::new();
    let inside = text.strip_prefix('"').expect("an opening quote");
    let mut letters = inside.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (out, &inside[at + 1..]),
            '\\' => match letters.next().expect("something is escaped").1 {
                'n' => out.push('\n'),
                letter => out.push(letter),
            },
            letter => out.push(letter),
        }
    }
    panic!("a string without an end: {text}")
}

#[test]
fn dot_reads_back_and_shows_what_was_said() {
    let text = graph().to_dot();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("digraph lineage {"));
    assert_eq!(text.lines().last(), Some("}"));
    let (mut nodes, mut arrows) = (0, 0);
    for line in lines.filter(|line| line.starts_with("  n") && !line.starts_with("  node ")) {
        let body = line.trim().strip_suffix(';').expect("a statement ends");
        match body.split_once(" -> ") {
            Some((from, _)) if from.len() == 2 => arrows += 1,
            _ => {
                let (name, rest) = body.split_once(" [label=").expect("a label");
                assert_eq!(name, format!("n{nodes}"));
                let (label, rest) = dot_string(rest);
                assert!(label.starts_with("a \"b\" \\ end #1; <b>&[x]{y}|z`*_%%  \nend\n"), "{label}");
                assert!(rest.ends_with(']') && !rest.contains('"'), "{rest}");
                nodes += 1;
            }
        }
    }
    assert_eq!((nodes, arrows), (7, 6));
}

#[test]
fn mermaid_holds_no_letter_that_means_anything() {
    let text = graph().to_mermaid();
    assert!(text.starts_with("flowchart LR\n"));
    let closing = ["]", ")]", ")", "]]", "}}", "/]", "])"];
    let (mut nodes, mut arrows) = (0, 0);
    for line in text.lines().skip(1).map(str::trim) {
        if line.contains(" -->") {
            arrows += 1;
        } else if !line.starts_with("style ") {
            assert!(line.starts_with(&format!("n{nodes}")) && line.ends_with(closing[nodes]), "{line}");
            nodes += 1;
        }
        let quotes = line.matches('"').count();
        assert!(quotes == 0 || quotes == 2, "{line}");
        if let Some(inside) = line.split('"').nth(1) {
            let plain = inside.replace("<br/>", "");
            assert!(!plain.contains(['<', '>', '[', ']', '{', '}', '|', '`', '*', '_', '\\', '%']), "{plain}");
            // Every `#` begins a number that a `;` ends.
            for entity in plain.split('#').skip(1) {
                let (digits, _) = entity.split_once(';').expect("an entity ends");
                assert!(!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()), "{plain}");
            }
        }
    }
    assert_eq!((nodes, arrows), (7, 6));
}
