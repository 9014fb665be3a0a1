//! Things that hang together as an indented tree, each thing once.

/// The lines of each thing and what hangs below it, by position.
pub struct Forest {
    /// Lines of each thing: the first one stands at its branch, the others below.
    pub lines: Vec<Vec<String>>,
    /// What hangs below each thing, in order.
    pub below: Vec<Vec<usize>>,
}

/// The pieces that branches are drawn with.
struct Pieces {
    branch: &'static str,
    last: &'static str,
    pass: &'static str,
    above: &'static str,
}

const LINES: Pieces = Pieces { branch: "├─ ", last: "└─ ", pass: "│  ", above: " (above)" };
const ASCII: Pieces = Pieces { branch: "|- ", last: "`- ", pass: "|  ", above: " (above)" };

impl Forest {
    /// Draws what hangs below `roots`. A thing that was drawn before is named once more, without what hangs below it, so that
    /// circles end.
    pub fn draw(&self, roots: &[usize], ascii: bool) -> Vec<String> {
        let pieces = if ascii { &ASCII } else { &LINES };
        let mut seen = vec![false; self.lines.len()];
        let mut out = Vec::new();
        // What is left to draw, deepest first: position, what stands before it, and whether it is the last of its kind; a
        // stack of our own, as chains may be long.
        let mut open: Vec<(usize, String, Option<bool>)> =
            roots.iter().rev().map(|root| (*root, String::new(), None)).collect();
        while let Some((at, before, last)) = open.pop() {
            let Some(lines) = self.lines.get(at) else {
                continue;
            };
            let (piece, rest) = match last {
                None => ("", String::new()),
                Some(true) => (pieces.last, format!("{before}   ")),
                Some(false) => (pieces.branch, format!("{before}{}", pieces.pass)),
            };
            let first = lines.first().map_or("", String::as_str);
            if std::mem::replace(&mut seen[at], true) {
                out.push(format!("{before}{piece}{first}{}", pieces.above));
                continue;
            }
            out.push(format!("{before}{piece}{first}"));
            let hangs = &self.below[at];
            let bar = if hangs.is_empty() { "   " } else { pieces.pass };
            out.extend(lines.iter().skip(1).map(|line| format!("{rest}{bar}{line}")));
            for (place, child) in hangs.iter().enumerate().rev() {
                open.push((*child, rest.clone(), Some(place + 1 == hangs.len())));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::Forest;

    fn forest() -> Forest {
        let line = |name: &str| vec![name.to_owned(), format!("more of {name}")];
        Forest { lines: ["a", "b", "c", "d"].map(line).to_vec(), below: vec![vec![1, 2], vec![3], vec![3], vec![0]] }
    }

    #[test]
    fn each_thing_is_drawn_once_and_circles_end() {
        let text = forest().draw(&[0], false).join("\n");
        let wanted = "a\n│  more of a\n├─ b\n│  │  more of b\n│  └─ d\n│     │  more of d\n│     └─ a (above)\n└─ c\n   │  more of c\n   └─ d (above)";
        assert_eq!(text, wanted);
        assert_eq!(forest().draw(&[3], true)[..2], ["d".to_owned(), "|  more of d".to_owned()]);
        assert!(forest().draw(&[9], true).is_empty());
    }
}
