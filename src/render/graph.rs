//! Nodes and arrows as text that other tools draw: Graphviz' DOT and Mermaid.

use std::fmt::Write;

/// Characters of one line of a label; longer ones are cut.
const LINE_CHARACTERS_MAX: usize = 80;

/// Outline of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outline {
    /// A box: what has no outline of its own.
    #[default]
    Plain,
    /// A drum: data.
    Data,
    /// A box with round corners: work that was done.
    Work,
    /// A box with two sides: a model.
    Model,
    /// A six-sided box: a judgement.
    Judgement,
    /// A leaning box: a file.
    File,
    /// An ellipse or a box with round ends: a name.
    Name,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its outline.
    pub outline: Outline,
    /// What it says, a line each.
    pub lines: Vec<String>,
    /// Whether it is what was asked about.
    pub is_subject: bool,
}

/// An arrow, by the positions of its nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrow {
    /// Where it starts.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
    /// What it says; nothing when empty.
    pub label: String,
}

/// Nodes and arrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// The arrows; positions beyond the nodes are left out.
    pub arrows: Vec<Arrow>,
}

impl Graph {
    fn arrows(&self) -> impl Iterator<Item = &Arrow> {
        self.arrows.iter().filter(|arrow| arrow.from < self.nodes.len() && arrow.to < self.nodes.len())
    }

    /// The graph in Graphviz' DOT language.
    pub fn to_dot(&self) -> String {
        let mut text = "digraph lineage {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n".to_owned();
        for (at, node) in self.nodes.iter().enumerate() {
            let label: Vec<String> = node.lines.iter().map(|line| dot_text(line)).collect();
            let bold = if node.is_subject { ", penwidth=2" } else { "" };
            let line = format!("  n{at} [label=\"{}\"{}{bold}];\n", label.join("\\n"), dot_outline(node.outline));
            text.push_str(&line);
        }
        for arrow in self.arrows() {
            let label = match arrow.label.as_str() {
                "" => String::new(),
                label => format!(" [label=\"{}\"]", dot_text(label)),
            };
            writeln!(text, "  n{} -> n{}{label};", arrow.from, arrow.to).expect("writing to a String cannot fail");
        }
        text.push_str("}\n");
        text
    }

    /// The graph as a Mermaid flow chart, which code forges draw inside Markdown.
    pub fn to_mermaid(&self) -> String {
        let mut text = "flowchart LR\n".to_owned();
        for (at, node) in self.nodes.iter().enumerate() {
            let label: Vec<String> = node.lines.iter().map(|line| mermaid_text(line)).collect();
            let (open, close) = mermaid_outline(node.outline);
            // Nodes are numbered: one called `end` would end the chart.
            text.push_str(&format!("  n{at}{open}\"{}\"{close}\n", label.join("<br/>")));
            if node.is_subject {
                text.push_str(&format!("  style n{at} stroke-width:3px\n"));
            }
        }
        for arrow in self.arrows() {
            let label = match arrow.label.as_str() {
                "" => String::new(),
                label => format!("|\"{}\"|", mermaid_text(label)),
            };
            writeln!(text, "  n{} -->{label} n{}", arrow.from, arrow.to).expect("writing to a String cannot fail");
        }
        text
    }
}

fn dot_outline(outline: Outline) -> &'static str {
    match outline {
        Outline::Plain => "",
        Outline::Data => ", shape=cylinder",
        Outline::Work => ", style=rounded",
        Outline::Model => ", shape=box3d",
        Outline::Judgement => ", shape=hexagon",
        Outline::File => ", shape=note",
        Outline::Name => ", shape=ellipse",
    }
}

fn mermaid_outline(outline: Outline) -> (&'static str, &'static str) {
    match outline {
        Outline::Plain => ("[", "]"),
        Outline::Data => ("[(", ")]"),
        Outline::Work => ("(", ")"),
        Outline::Model => ("[[", "]]"),
        Outline::Judgement => ("{{", "}}"),
        Outline::File => ("[/", "/]"),
        Outline::Name => ("([", "])"),
    }
}

/// A line of text without what would not be seen, cut to a bearable length.
fn cut(text: &str) -> impl Iterator<Item = char> {
    let is_long = text.chars().nth(LINE_CHARACTERS_MAX).is_some();
    let seen = text.chars().map(|letter| if letter.is_control() || is_turning(letter) { ' ' } else { letter });
    seen.take(LINE_CHARACTERS_MAX).chain(is_long.then_some('…'))
}

/// Marks that turn the direction of the text around them.
fn is_turning(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text between the quotes of DOT, where a backslash begins an escape.
fn dot_text(text: &str) -> String {
    let mut out = String::new();
    for letter in cut(text) {
        if matches!(letter, '"' | '\\') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// Text between the quotes of Mermaid, where entities are written with `#` and Markdown and HTML have a meaning.
fn mermaid_text(text: &str) -> String {
    let mut out = String::new();
    for letter in cut(text) {
        match letter {
            '"' | '#' | '&' | '<' | '>' | '`' | '*' | '_' | '\\' | '{' | '}' | '[' | ']' | '|' | '~' | ';' | '%' => {
                write!(out, "#{};", u32::from(letter)).expect("writing to a String cannot fail");
            }
            letter => out.push(letter),
        }
    }
    out
}
