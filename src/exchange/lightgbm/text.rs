//! The lines of a model in LightGBM's text format, by name; nothing is believed yet.

use std::collections::HashMap;

use anyhow::Result;

use crate::base::fail;

/// Lines `name=value` of one part.
pub type Fields<'a> = HashMap<&'a str, &'a str>;

/// A file, cut up.
#[derive(Debug, Default)]
pub struct Parts<'a> {
    /// Before the first tree; lines without a value have an empty one.
    pub head: Fields<'a>,
    /// The trees.
    pub trees: Vec<Fields<'a>>,
    /// Parameters of the training, `[name: value]`.
    pub parameters: Fields<'a>,
    /// The levels of the categories of a pandas frame, as JSON.
    pub pandas: Option<&'a str>,
}

/// Cuts the text into its parts.
///
/// Errors: it does not begin as such a file, it ends before its trees do.
pub fn parts(text: &str) -> Result<Parts<'_>> {
    let mut lines = text.lines().map(str::trim_end).skip_while(|line| line.is_empty());
    if lines.next() != Some("tree") {
        return Err(fail::world("this is not a LightGBM model: its first line is not `tree`")
            .hint("write one with `booster.save_model(\"model.txt\")`")
            .into());
    }
    let mut parts = Parts::default();
    let mut is_over = false;
    for line in lines.by_ref() {
        if line == "end of trees" {
            is_over = true;
            break;
        }
        if let Some(number) = line.strip_prefix("Tree=") {
            if number.parse() != Ok(parts.trees.len()) {
                let place = parts.trees.len();
                return Err(fail::world(format!("tree `{number}` stands where tree {place} belongs")).into());
            }
            parts.trees.push(Fields::new());
        } else if !line.is_empty() {
            let (name, value) = line.split_once('=').unwrap_or((line, ""));
            parts.trees.last_mut().unwrap_or(&mut parts.head).insert(name, value);
        }
    }
    if !is_over {
        return Err(fail::world("the file is cut short: there is no line `end of trees`").into());
    }
    for line in lines {
        if let Some((name, value)) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')?.split_once(": ")) {
            parts.parameters.insert(name, value);
        } else if let Some(pandas) = line.strip_prefix("pandas_categorical:") {
            parts.pandas = Some(pandas);
        }
    }
    Ok(parts)
}

/// The value of a field. Errors: it is not there.
pub fn field<'a>(fields: &Fields<'a>, name: &str) -> Result<&'a str> {
    fields.get(name).copied().ok_or_else(|| fail::world(format!("field `{name}` is missing")).into())
}

/// A field that is one whole number. Errors: it is not there, or something else.
pub fn count(fields: &Fields<'_>, name: &str) -> Result<usize> {
    let value = field(fields, name)?;
    value.trim().parse().map_err(|_| fail::world(format!("field `{name}` is `{}`, no count", short(value))).into())
}

/// A field that is exactly `count` values. Errors: it is not there, another number of values, one that is none.
pub fn list<T: std::str::FromStr>(fields: &Fields<'_>, name: &str, count: usize) -> Result<Vec<T>> {
    let values = field(fields, name)?.split_ascii_whitespace().map(|word| {
        let wrong = || fail::world(format!("field `{name}` has the value `{}`", short(word))).into();
        word.parse::<T>().map_err(|_| wrong())
    });
    let values: Vec<T> = values.collect::<Result<_>>()?;
    match values.len() == count {
        true => Ok(values),
        false => Err(fail::world(format!("field `{name}` has {} values, not {count}", values.len())).into()),
    }
}

/// The beginning of a value, for a message.
pub fn short(value: &str) -> String {
    value.chars().take(40).collect()
}
