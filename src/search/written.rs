//! Spaces as people write them: `[tune] space` of the project file, and `--space NAME=RANGE`.

use std::str::FromStr;

use crate::base::fail::{self, Failure};
use crate::base::suggest;
use crate::search::space::{Dimension, Range, Space};

const KEYS: [&str; 6] = ["low", "high", "log", "step", "float", "values"];
const FORM: &str =
    "write it like { low = 0.01, high = 0.3, log = true }, [\"leaf\", \"depth\"], or one value to fix it";
const TEXT_FORM: &str =
    "write it like learning_rate=0.01..0.3:log, leaves=7..127, l2=0..1:0.1, grow=leaf,depth or depth=6";

impl Space {
    /// Reads a table of parameters. Each is `{ low, high, log, step, float }`, a list of choices, or one value to fix it.
    /// Bounds that are both whole give whole numbers, unless `float = true`.
    ///
    /// Errors: a key that is unknown, and all of [`Range::check`] and [`Space::new`].
    pub fn from_toml(table: &toml::Table) -> Result<Space, Failure> {
        Space::new(table.iter().map(|(name, value)| dimension(name, value)).collect::<Result<_, _>>()?)
    }

    /// The table that [`Space::from_toml`] reads as this space.
    pub fn to_toml(&self) -> toml::Table {
        self.dimensions.iter().map(|dimension| (dimension.name.clone(), written(&dimension.range))).collect()
    }
}

fn dimension(name: &str, value: &toml::Value) -> Result<Dimension, Failure> {
    let range = match value {
        toml::Value::Table(table) => numbers(name, table)?,
        toml::Value::Array(values) => Range::Choice { values: values.clone() },
        toml::Value::Float(number) if !number.is_finite() => {
            return Err(fail::usage(format!("the space of `{name}`: {number}")).hint(FORM));
        }
        single => Range::Choice { values: vec![single.clone()] },
    };
    Dimension::new(name, range)
}

fn numbers(name: &str, table: &toml::Table) -> Result<Range, Failure> {
    let bad = |why: String| fail::usage(format!("the space of `{name}`: {why}")).hint(FORM);
    if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(suggest::unknown(&format!("key in the space of `{name}`:"), key, KEYS));
    }
    if let Some(values) = table.get("values") {
        return match values {
            toml::Value::Array(values) if table.len() == 1 => Ok(Range::Choice { values: values.clone() }),
            toml::Value::Array(_) => Err(bad("`values` stands alone".to_owned())),
            other => Err(bad(format!("`values` is {other}, not a list"))),
        };
    }
    let flag = |key: &str| match table.get(key) {
        None => Ok(false),
        Some(toml::Value::Boolean(flag)) => Ok(*flag),
        Some(other) => Err(bad(format!("`{key}` is {other}, not true or false"))),
    };
    let bound = |key: &str| table.get(key).ok_or_else(|| bad(format!("there is no `{key}`")));
    range(name, bound("low")?, bound("high")?, table.get("step"), flag("log")?, flag("float")?)
}

/// Whole numbers when both bounds and the step are, and `float` does not say otherwise.
fn range(
    name: &str,
    low: &toml::Value,
    high: &toml::Value,
    step: Option<&toml::Value>,
    log: bool,
    float: bool,
) -> Result<Range, Failure> {
    let bad = |why: String| fail::usage(format!("the space of `{name}`: {why}")).hint(FORM);
    let whole = |value: &toml::Value| value.as_integer();
    let step_is_whole = step.is_none_or(|step| whole(step).is_some());
    if let (Some(low), Some(high), true, false) = (whole(low), whole(high), step_is_whole, float) {
        if log && step.is_some() {
            return Err(bad("`log` and `step` do not go together".to_owned()));
        }
        return Ok(Range::Integer { low, high, log, step: step.and_then(whole).unwrap_or(1) });
    }
    let number = |key: &str, value: &toml::Value| {
        let found = value.as_float().or_else(|| whole(value).map(|number| number as f64));
        found.ok_or_else(|| bad(format!("`{key}` is {value}, not a number")))
    };
    let step = step.map(|step| number("step", step)).transpose()?;
    Ok(Range::Float { low: number("low", low)?, high: number("high", high)?, log, step })
}

fn written(range: &Range) -> toml::Value {
    let mut table = toml::Table::new();
    match range {
        // A table alone would be read as bounds, a list as choices.
        Range::Choice { values } if values.len() == 1 && !values[0].is_table() && !values[0].is_array() => {
            return values[0].clone();
        }
        Range::Choice { values } => return toml::Value::Array(values.clone()),
        Range::Integer { low, high, log, step } => {
            table.insert("low".to_owned(), (*low).into());
            table.insert("high".to_owned(), (*high).into());
            if *step != 1 {
                table.insert("step".to_owned(), (*step).into());
            }
            if *log {
                table.insert("log".to_owned(), true.into());
            }
        }
        Range::Float { low, high, log, step } => {
            table.insert("low".to_owned(), (*low).into());
            table.insert("high".to_owned(), (*high).into());
            if let Some(step) = step {
                table.insert("step".to_owned(), (*step).into());
            }
            if *log {
                table.insert("log".to_owned(), true.into());
            }
        }
    }
    toml::Value::Table(table)
}

impl FromStr for Dimension {
    type Err = Failure;

    /// Reads `learning_rate=0.01..0.3:log`, `leaves=7..127`, `l2=0..1:0.1`, `l2=0..10:float`, `grow=leaf,depth` or `depth=6`.
    fn from_str(text: &str) -> Result<Dimension, Failure> {
        let bad = |why: &str| fail::usage(format!("the space `{text}`: {why}")).hint(TEXT_FORM);
        let (name, written) = text.split_once('=').ok_or_else(|| bad("there is no `=`"))?;
        let (name, written) = (name.trim(), written.trim());
        if written.is_empty() {
            return Err(bad("there is nothing after `=`"));
        }
        let Some((low, rest)) = written.split_once("..").filter(|(low, _)| low.trim().parse::<f64>().is_ok()) else {
            return Dimension::new(name, Range::Choice { values: choices(written) });
        };
        let mut parts = rest.split(':').map(str::trim);
        let number = |text: &str| match value(text.trim()) {
            number @ (toml::Value::Integer(_) | toml::Value::Float(_)) => Ok(number),
            _ => text.trim().parse().map(toml::Value::Float).map_err(|_| bad(&format!("`{text}` is not a number"))),
        };
        let high = number(parts.next().unwrap_or(""))?;
        let (mut step, mut log, mut float) = (None, false, false);
        for part in parts {
            match part {
                "log" => log = true,
                "float" => float = true,
                _ => step = Some(number(part).map_err(|_| bad(&format!("`{part}` is not log, float or a step")))?),
            }
        }
        Dimension::new(name, range(name, &number(low)?, &high, step.as_ref(), log, float)?)
    }
}

/// Values between commas; a text that is one list or one string as TOML has it is not taken apart inside.
fn choices(text: &str) -> Vec<toml::Value> {
    let listed = format!("values = [{text}]").parse::<toml::Table>().ok().and_then(|mut table| table.remove("values"));
    match listed {
        Some(toml::Value::Array(values)) => values,
        _ => text.split(',').map(|part| value(part.trim())).collect(),
    }
}

/// A value as TOML has it, or else a text.
fn value(text: &str) -> toml::Value {
    let parsed = format!("value = {text}").parse::<toml::Table>().ok().and_then(|mut table| table.remove("value"));
    parsed.unwrap_or_else(|| toml::Value::String(text.to_owned()))
}
