//! Text from data made harmless in each language that documents are written in.

use std::fmt::Write;

/// Characters that a page or an XML file may hold: not the control characters, which XML 1.0 forbids even when escaped.
fn is_plain(letter: char) -> bool {
    let control = letter.is_control() && !matches!(letter, '\t' | '\n' | '\r');
    // Marks that turn the direction of the text around them (Unicode TR 36) can make one value look like another.
    let turns = matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !control && !turns && !matches!(letter, '\u{fffe}' | '\u{ffff}')
}

/// A character that has no place in a document, spelt out: `\u{1}`.
fn spelt(out: &mut String, letter: char) {
    write!(out, "\\u{{{:x}}}", u32::from(letter)).expect("writing to a String cannot fail");
}

/// `text` for element content and quoted attributes of HTML and XML alike.
pub fn markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\r' => out.push_str("&#13;"),
            letter if is_plain(letter) => out.push(letter),
            letter => spelt(&mut out, letter),
        }
    }
    out
}

/// [`markup`] for an attribute whose line breaks matter: a reader of XML makes plain ones into spaces.
pub fn attribute(text: &str) -> String {
    markup(text).replace('\n', "&#10;").replace('\t', "&#9;")
}

/// `text` for one cell of a Markdown table or a line of Markdown: nothing in it is formatting, a link, a mention or a
/// new line.
///
/// Punctuation that Markdown reads becomes character references; a zero-width mark after `@` and `#` keeps hosts from
/// turning names and numbers into mentions. An underscore between letters means nothing to Markdown and stays.
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut letters = text.chars().peekable();
    let mut before = ' ';
    while let Some(letter) = letters.next() {
        let inside = before.is_alphanumeric() && letters.peek().is_some_and(|next| next.is_alphanumeric());
        match letter {
            '\n' | '\r' | '\t' => out.push(' '),
            '_' if inside => out.push('_'),
            '@' | '#' => out.push_str(&format!("&#{};\u{200b}", u32::from(letter))),
            '&' | '<' | '>' | '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '!' | '$' | '{' | '}' => {
                out.push_str(&format!("&#{};", u32::from(letter)));
            }
            letter if is_plain(letter) => out.push(letter),
            letter => out.push_str(&format!("&#92;u{:x}", u32::from(letter))),
        }
        before = letter;
    }
    // A scheme or `www.` alone is enough for a host to make a link.
    out.replace("://", ":&#47;/").replace("www.", "www&#46;")
}

/// Words between backticks as code, each part made harmless by `escape`: how fixes are written.
pub fn code_spans(text: &str, escape: fn(&str) -> String) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let mut out = String::new();
    for (index, part) in parts.iter().enumerate() {
        match index % 2 == 1 {
            true if index + 1 < parts.len() => out.push_str(&format!("<code>{}</code>", escape(part))),
            // A last backtick without a partner opens nothing.
            true => out.push_str(&escape(&format!("`{part}"))),
            false => out.push_str(&escape(part)),
        }
    }
    out
}

/// `text` as the message of a workflow command of GitHub Actions (`@actions/core`, `escapeData`).
pub fn command_message(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '%' => out.push_str("%25"),
            '\r' => out.push_str("%0D"),
            '\n' => out.push_str("%0A"),
            letter if is_plain(letter) => out.push(letter),
            letter => spelt(&mut out, letter),
        }
    }
    out
}

/// `text` as a property of a workflow command of GitHub Actions (`@actions/core`, `escapeProperty`).
pub fn command_property(text: &str) -> String {
    command_message(text).replace(':', "%3A").replace(',', "%2C")
}

/// At most `most` characters of `text`, with an ellipsis when some were cut.
pub fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}
