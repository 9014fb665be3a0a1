//! Tables of text: columns that line up, numbers to the right, cut to the width of the terminal.

use tabled::builder::Builder;
use tabled::settings::object::{Columns, Rows};
use tabled::settings::peaker::PriorityMax;
use tabled::settings::{Alignment, Modify, Padding, Style as Frame, Width};

/// Rows of text under headings.
#[derive(Clone, Debug, Default)]
pub struct Table {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
    right: Vec<usize>,
}

impl Table {
    /// A table with these headings; one that starts with `#` loses it and is set to the right, as numbers are.
    pub fn new(headings: &[&str]) -> Table {
        let right = headings.iter().enumerate().filter(|(_, h)| h.starts_with('#')).map(|(at, _)| at).collect();
        let headings = headings.iter().map(|heading| heading.trim_start_matches('#').to_owned()).collect();
        Table { headings, rows: Vec::new(), right }
    }

    /// Adds a row; missing cells stay empty.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) -> &mut Table {
        let mut row: Vec<String> = cells.into_iter().collect();
        row.resize(self.headings.len(), String::new());
        self.rows.push(row);
        self
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as comma-separated values with a heading, as RFC 4180 has them.
    pub fn csv(&self) -> String {
        let quoted = |cell: &String| match cell.contains(['"', ',', '\n', '\r']) {
            true => format!("\"{}\"", cell.replace('"', "\"\"")),
            false => cell.clone(),
        };
        let line = |cells: &Vec<String>| cells.iter().map(quoted).collect::<Vec<_>>().join(",");
        std::iter::once(&self.headings).chain(&self.rows).map(line).collect::<Vec<_>>().join("\n")
    }

    /// The table as GitHub's Markdown.
    pub fn markdown(&self) -> String {
        let plain = |cell: &String| {
            let text = cell.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;");
            text.replace(['\n', '\r'], " ")
        };
        let line = |cells: &Vec<String>| format!("| {} |", cells.iter().map(plain).collect::<Vec<_>>().join(" | "));
        let rules = (0..self.headings.len()).map(|at| if self.right.contains(&at) { "---:" } else { "---" });
        let rules = format!("| {} |", rules.collect::<Vec<_>>().join(" | "));
        let rows = self.rows.iter().map(line);
        [line(&self.headings), rules].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
    }

    /// The table as lines, at most `width` characters wide when given.
    pub fn render(&self, width: Option<usize>) -> String {
        let mut builder = Builder::default();
        builder.push_record(self.headings.clone());
        for row in &self.rows {
            builder.push_record(row.clone());
        }
        let mut table = builder.build();
        table.with(Frame::blank()).with(Padding::new(0, 1, 0, 0));
        for &column in &self.right {
            table.with(Modify::new(Columns::one(column)).with(Alignment::right()));
        }
        table.with(Modify::new(Rows::first()).with(Alignment::left()));
        for &column in &self.right {
            table.with(Modify::new((0, column)).with(Alignment::right()));
        }
        if let Some(width) = width {
            table.with(Width::truncate(width).priority(PriorityMax::left()).suffix("…"));
        }
        let text = table.to_string();
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }
}
