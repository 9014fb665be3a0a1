//! The frame of every page: one file with its style and its few lines of script, no network.

use crate::render::escape::markup;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A whole page. `head` and `body` are markup already.
///
/// The content policy forbids every request, so that a page that was tampered with cannot tell anybody what it shows.
pub fn page(title: &str, head: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"generator\" content=\"mlops\">\n<title>{title}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header class=\"head\"><div>\n{head}</div></header>\n{body}\
         <footer>Made by mlops. This page is one file and asks nothing of the network.</footer>\n\
         <script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        title = markup(title)
    )
}

/// One big number of the head of a page. Everything is text.
pub fn tile(name: &str, value: &str, note: &str) -> String {
    let note = if note.is_empty() { String::new() } else { format!("<small>{}</small>", markup(note)) };
    format!("<div class=\"tile\"><dt>{}</dt><dd>{}{note}</dd></div>\n", markup(name), markup(value))
}

/// One fact of a card, with what it was before when that is another. Everything is text.
pub fn fact(name: &str, value: &str, was: Option<&str>) -> String {
    let was = was.map_or_else(String::new, |was| format!("<small>was {}</small>", markup(was)));
    format!("<div><dt>{}</dt><dd>{}{was}</dd></div>", markup(name), markup(value))
}

/// The search field, filters (`(field, label, values)`) and orders (`(value, label)`) above a list; the script shows
/// them.
pub fn tools(what: &str, filters: &[(&str, &str, Vec<String>)], orders: &[(&str, &str)]) -> String {
    let mut text = format!(
        "<div class=\"tools\" hidden role=\"search\"><div>\n\
         <input type=\"search\" name=\"search\" placeholder=\"Find {what}\" aria-label=\"Find {what}\">\n"
    );
    for (field, label, values) in filters {
        text.push_str(&format!("<label>{label} <select data-filter=\"{field}\"><option value=\"\">all</option>"));
        for value in values {
            let value = markup(value);
            text.push_str(&format!("<option value=\"{value}\">{value}</option>"));
        }
        text.push_str("</select></label>\n");
    }
    if !orders.is_empty() {
        text.push_str("<label>Order <select name=\"sort\">");
        for (value, label) in orders {
            text.push_str(&format!("<option value=\"{value}\">{label}</option>"));
        }
        text.push_str("</select></label>\n");
    }
    text.push_str("<output aria-live=\"polite\"></output>\n</div></div>\n");
    text
}
