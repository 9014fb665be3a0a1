//! The graph as a picture, in two languages that other tools draw.

use crate::pipeline::graph::{Graph, StageKind};

impl Graph {
    /// The graph in Graphviz' DOT language: built-in stages as boxes, commands as rounded boxes, arrows from what is
    /// needed to what needs it.
    pub fn to_dot(&self) -> String {
        let mut text = "digraph pipeline {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
        for (position, stage) in self.stages().iter().enumerate() {
            // Names of stages are letters, digits, `_`, `-` and `.`: nothing to escape.
            let style = if matches!(stage.kind, StageKind::Command(_)) { " [style=rounded]" } else { "" };
            text += &format!("  \"{}\"{style};\n", stage.name);
            for &other in self.needs(position) {
                text += &format!("  \"{}\" -> \"{}\";\n", self.stages()[other].name, stage.name);
            }
        }
        text + "}\n"
    }

    /// The graph as a Mermaid flow chart, which code forges draw inside Markdown.
    pub fn to_mermaid(&self) -> String {
        let mut text = "flowchart LR\n".to_owned();
        for (position, stage) in self.stages().iter().enumerate() {
            // Nodes are numbered: a stage called `end` would end the chart.
            let (open, close) = if matches!(stage.kind, StageKind::Command(_)) { ("(", ")") } else { ("[", "]") };
            text += &format!("  s{position}{open}\"{}\"{close}\n", stage.name);
            for &other in self.needs(position) {
                text += &format!("  s{other} --> s{position}\n");
            }
        }
        text
    }
}
