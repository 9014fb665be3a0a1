//! Colour and weight for terminals (ECMA-48 select graphic rendition).

/// A way to set words apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Headings and names.
    Bold,
    /// What matters less.
    Dim,
    /// Done, yes, pass.
    Good,
    /// Suspicious.
    Warn,
    /// Failed, no.
    Bad,
    /// Commands to type.
    Code,
}

impl Style {
    /// `text` in this style, or as it is when `on` is false.
    pub fn paint(self, text: &str, on: bool) -> String {
        if !on {
            return text.to_owned();
        }
        let code = match self {
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Good => "32",
            Style::Warn => "33",
            Style::Bad => "31",
            Style::Code => "36",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}
