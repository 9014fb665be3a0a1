//! Tests of what a person sees.

use crate::term::spark::Bars;
use crate::term::style::Style;
use crate::term::table::Table;

#[test]
fn columns_line_up_and_numbers_go_right() {
    let mut table = Table::new(&["name", "#rows"]);
    table.row(["penguins".to_owned(), "344".to_owned()]);
    table.row(["x".to_owned(), "1,000,000".to_owned()]);
    insta::assert_snapshot!(table.render(None), @r"
    name           rows
    penguins        344
    x         1,000,000
    ");
}

#[test]
fn wide_tables_are_cut_with_a_mark() {
    let mut table = Table::new(&["text"]);
    table.row(["a very long sentence that does not fit".to_owned()]);
    let text = table.render(Some(12));
    assert!(text.lines().all(|line| line.chars().count() <= 12) && text.contains('…'), "{text}");
}

#[test]
fn colour_is_only_added_when_asked_for() {
    assert_eq!(Style::Good.paint("pass", false), "pass");
    assert_eq!(Style::Good.paint("pass", true), "\u{1b}[32mpass\u{1b}[0m");
}

#[test]
fn bars_show_proportions() {
    let draw = |bars: Bars, counts: &[f64]| bars.draw(counts.iter().copied());
    assert_eq!(draw(Bars::Blocks, &[0.0, 1.0, 50.0, 100.0]), " ▁▄█");
    assert_eq!(draw(Bars::Ascii, &[0.0, 1.0, 50.0, 100.0]), " .=@");
    assert_eq!(draw(Bars::Ascii, &[]), "");
}
