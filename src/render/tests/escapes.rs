//! Text from data is only ever text.

use std::path::Path;

use crate::base::fail::Blame;
use crate::render::document::{DocumentKind, by_ending};
use crate::render::escape::{attribute, code_spans, command_message, command_property, markdown, markup, shortened};

#[test]
fn markup_is_harmless() {
    let cases = [
        ("plain äöü 漢字 🐧", "plain äöü 漢字 🐧"),
        ("<script>", "&lt;script&gt;"),
        ("a & \"b\" 'c'", "a &amp; &quot;b&quot; &#39;c&#39;"),
        ("&amp;", "&amp;amp;"),
        ("\0\u{1}\u{1b}[31m", "\\u{0}\\u{1}\\u{1b}[31m"),
        ("line\nline\tx\r", "line\nline\tx&#13;"),
        ("\u{202e}evil\u{2069}", "\\u{202e}evil\\u{2069}"),
        ("\u{85}\u{ffff}", "\\u{85}\\u{ffff}"),
        ("", ""),
    ];
    for (text, wanted) in cases {
        assert_eq!(markup(text), wanted);
    }
    assert_eq!(attribute("a\n\"b\""), "a&#10;&quot;b&quot;");
}

#[test]
fn markdown_is_harmless() {
    let cases = [
        ("snake_case_name", "snake_case_name"),
        ("_it_ *b*", "&#95;it&#95; &#42;b&#42;"),
        ("a|b\nc", "a&#124;b c"),
        ("`x` \\|", "&#96;x&#96; &#92;&#124;"),
        ("@team #12", "&#64;\u{200b}team &#35;\u{200b}12"),
        ("<img src=x>", "&#60;img src=x&#62;"),
        ("[a](b) ![c](d)", "&#91;a&#93;(b) &#33;&#91;c&#93;(d)"),
        ("https://evil.example www.evil.example", "https:&#47;/evil.example www&#46;evil.example"),
        ("\u{7}", "&#92;u7"),
    ];
    for (text, wanted) in cases {
        assert_eq!(markdown(text), wanted);
    }
}

#[test]
fn workflow_commands_are_harmless() {
    assert_eq!(command_message("50%\r\n::error::x, y"), "50%25%0D%0A::error::x, y");
    assert_eq!(command_property("a:b,c\n%"), "a%3Ab%2Cc%0A%25");
    assert_eq!(command_message("\u{1b}[2J"), "\\u{1b}[2J");
}

#[test]
fn code_in_fixes_is_paired() {
    assert_eq!(
        code_spans("raise `max` & run `x <y>`", markup),
        "raise <code>max</code> &amp; run <code>x &lt;y&gt;</code>"
    );
    assert_eq!(code_spans("a ` b", markup), "a ` b");
    assert_eq!(code_spans("`a` and `", markup), "<code>a</code> and `");
}

#[test]
fn long_text_is_cut_between_characters() {
    assert_eq!(shortened("äöüß", 4), "äöüß");
    assert_eq!(shortened("äöüßx", 4), "äöü…");
    assert_eq!(shortened("", 0), "");
}

#[test]
fn endings_say_the_kind() {
    let cases = [
        ("a.html", DocumentKind::Html),
        ("b/REPORT.MD", DocumentKind::Markdown),
        ("junit.xml", DocumentKind::Junit),
        ("r.json", DocumentKind::Json),
    ];
    for (path, wanted) in cases {
        assert_eq!(by_ending(Path::new(path)).ok(), Some(wanted), "{path}");
    }
    for path in ["report", "report.pdf", ".html"] {
        let failure = by_ending(Path::new(path)).expect_err(path);
        assert_eq!(failure.blame, Blame::Request);
        assert!(failure.hint.is_some_and(|hint| hint.contains("html")), "{path}");
    }
}
