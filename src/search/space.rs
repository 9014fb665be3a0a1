//! Spaces: which values each parameter may take, and points in them.

use std::fmt;

use crate::base::fail::{self, Failure};
use crate::base::limits;

/// Largest size of a whole number, so that it is exact as a float.
const INTEGER_MAX: i64 = 1 << 53;

/// The values that one parameter may take.
#[derive(Clone, Debug, PartialEq)]
pub enum Range {
    /// Whole numbers from `low` to `high`, both included.
    Integer {
        /// The lowest.
        low: i64,
        /// The highest; when `step` does not lead there, the last one below counts.
        high: i64,
        /// Whether equal ratios count as equally far, not equal differences; `low` is above 0 then.
        log: bool,
        /// From one value to the next, 1 or more; 1 when `log`.
        step: i64,
    },
    /// Numbers from `low` to `high`, both included.
    Float {
        /// The lowest.
        low: f64,
        /// The highest.
        high: f64,
        /// Whether equal ratios count as equally far, not equal differences; `low` is above 0 then.
        log: bool,
        /// From one value to the next, above 0; any number when absent, and when `log`.
        step: Option<f64>,
    },
    /// One of these, in no order.
    Choice {
        /// All of them, none twice. One alone is a parameter that is fixed.
        values: Vec<toml::Value>,
    },
}

/// One parameter and its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Dimension {
    /// The parameter's name.
    pub name: String,
    /// The values it may take.
    pub range: Range,
}

/// The parameters that are searched, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Space {
    /// One for each parameter; no name twice.
    pub dimensions: Vec<Dimension>,
}

/// One value for each dimension of a space: the number itself, or the position of a choice.
#[derive(Clone, Debug, PartialEq)]
pub struct Point(pub Vec<f64>);

impl Range {
    /// Checks the range. Errors: bounds that are no numbers or the wrong way round, `log` at or below 0 or with a step, a step
    /// that is not above 0 or leads nowhere, no choice, too many, or the same one twice.
    pub fn check(&self, name: &str) -> Result<(), Failure> {
        let bad = |why: String| Err(fail::usage(format!("the space of `{name}`: {why}")));
        match self {
            Range::Integer { low, high, .. } if low.unsigned_abs().max(high.unsigned_abs()) > INTEGER_MAX as u64 => {
                bad(format!("whole numbers end at {INTEGER_MAX}"))
            }
            Range::Integer { log: true, step, .. } if *step != 1 => {
                bad("`log` and `step` do not go together".to_owned())
            }
            Range::Integer { low, high, step, log } => {
                check_numbers(name, *low as f64, *high as f64, *log, *step as f64)
            }
            Range::Float { low, high, log, step } => {
                if step.is_some() && *log {
                    return bad("`log` and `step` do not go together".to_owned());
                }
                check_numbers(name, *low, *high, *log, step.unwrap_or(0.5 * (high - low)))
            }
            Range::Choice { values } if values.is_empty() => bad("there is nothing to choose from".to_owned()),
            Range::Choice { values } if values.len() > limits::SEARCH_CHOICES_MAX => {
                bad(format!("{} values to choose from, at most {}", values.len(), limits::SEARCH_CHOICES_MAX))
            }
            Range::Choice { values } => {
                let twice = values.iter().enumerate().find(|(at, value)| values[..*at].contains(value));
                twice.map_or(Ok(()), |(_, value)| bad(format!("{value} is there twice")))
            }
        }
    }

    /// How many values there are; `None` when they are not counted.
    pub fn count(&self) -> Option<u64> {
        match self {
            Range::Integer { low, high, step, .. } => Some(((high - low) / step) as u64 + 1),
            Range::Float { low, high, .. } if low == high => Some(1),
            // A hair more, so that 0..1 by 0.1 has its last value in spite of rounding.
            Range::Float { low, high, step: Some(step), .. } => Some(((high - low) / step + 1e-9) as u64 + 1),
            Range::Float { .. } => None,
            Range::Choice { values } => Some(values.len() as u64),
        }
    }

    /// Whether one value alone is possible.
    pub fn is_fixed(&self) -> bool {
        self.count() == Some(1)
    }

    /// The number at `unit` in `[0, 1]`: each counted value has a part of the unit to itself, as long as those of the others
    /// (as its share of the logarithm when `log`). Floats keep about seven digits, so that people can read them.
    pub fn decode(&self, unit: f64) -> f64 {
        let unit = unit.clamp(0.0, 1.0);
        match self {
            Range::Integer { low, high, log: true, .. } => {
                let (a, b) = log_edges(*low, *high);
                (a + unit * (b - a)).exp().round().clamp(*low as f64, *high as f64)
            }
            Range::Integer { low, step, .. } => (*low + self.cell(unit) as i64 * step) as f64,
            Range::Float { low, step: Some(step), high, .. } => {
                readable(low + self.cell(unit) as f64 * step, *step).clamp(*low, *high)
            }
            Range::Float { low, high, .. } if low == high => *low,
            Range::Float { low, high, log: true, .. } => {
                let (a, b) = (low.ln(), high.ln());
                let value = (a + unit * (b - a)).exp();
                readable(value, value).clamp(*low, *high)
            }
            Range::Float { low, high, .. } => {
                // In two parts, so that bounds near the ends of floats do not overflow.
                readable(low * (1.0 - unit) + high * unit, high * 0.5 - low * 0.5).clamp(*low, *high)
            }
            Range::Choice { .. } => self.cell(unit) as f64,
        }
    }

    /// Where `number` lies in `[0, 1]`: the middle of its part when values are counted. Numbers outside count as at the end.
    pub fn encode(&self, number: f64) -> f64 {
        let cells = |at: f64, count: Option<u64>| (at + 0.5) / count.unwrap_or(1).max(1) as f64;
        let unit = match self {
            Range::Integer { low, high, log: true, .. } => {
                let (a, b) = log_edges(*low, *high);
                (number.max(*low as f64).ln() - a) / (b - a)
            }
            Range::Integer { low, step, .. } => cells(((number - *low as f64) / *step as f64).round(), self.count()),
            Range::Float { low, step: Some(step), .. } => cells(((number - low) / step).round(), self.count()),
            Range::Float { low, high, .. } if low == high => 0.5,
            Range::Float { low, high, log: true, .. } => {
                let (a, b) = (low.ln(), high.ln());
                (number.max(*low).ln() - a) / (b - a)
            }
            Range::Float { low, high, .. } => (number * 0.5 - low * 0.5) / (high * 0.5 - low * 0.5),
            Range::Choice { .. } => cells(number, self.count()),
        };
        // Bounds a few bits apart may have the same logarithm.
        if unit.is_nan() { 0.5 } else { unit.clamp(0.0, 1.0) }
    }

    /// The value as it is handed to what is tuned.
    pub fn value(&self, number: f64) -> toml::Value {
        match self {
            Range::Integer { .. } => toml::Value::Integer(number as i64),
            Range::Float { .. } => toml::Value::Float(number),
            Range::Choice { values } => values[(number as usize).min(values.len() - 1)].clone(),
        }
    }

    /// The number nearest to `value`; the middle of the range when `value` is none of its type, as `"auto"`.
    pub fn locate(&self, value: Option<&toml::Value>) -> f64 {
        if let Range::Choice { values } = self {
            return values.iter().position(|known| Some(known) == value).unwrap_or(0) as f64;
        }
        let number = match value {
            Some(toml::Value::Integer(number)) => *number as f64,
            Some(toml::Value::Float(number)) if number.is_finite() => *number,
            _ => return self.decode(0.5),
        };
        match self {
            Range::Float { low, high, step: None, .. } => number.clamp(*low, *high),
            _ => self.decode(self.encode(number)),
        }
    }

    /// Counted value number `at`.
    pub fn nth(&self, at: u64) -> f64 {
        match self {
            Range::Integer { low, step, .. } => (*low + at as i64 * step) as f64,
            _ => self.decode((at as f64 + 0.5) / self.count().unwrap_or(1) as f64),
        }
    }

    /// The values that a grid has of it: all of a choice, all when there is a step or no more than `most`, else `most` from end
    /// to end.
    pub fn grid(&self, most: u64) -> Vec<f64> {
        let all = |count: u64| (0..count).map(|at| self.nth(at)).collect();
        let stepped = match self {
            Range::Integer { step, .. } => *step != 1,
            Range::Float { step, .. } => step.is_some(),
            Range::Choice { .. } => true,
        };
        match self.count() {
            // More than a grid may have is refused by who asks; it need not be listed in full.
            Some(count) if stepped || count <= most => all(count.min(limits::GRID_POINTS_MAX as u64 + 1)),
            _ => {
                let ends = most.max(2) - 1;
                let mut values: Vec<f64> = (0..=ends).map(|at| self.decode(at as f64 / ends as f64)).collect();
                values.dedup();
                values
            }
        }
    }

    /// Which of the counted values `unit` falls on.
    fn cell(&self, unit: f64) -> u64 {
        let count = self.count().unwrap_or(1);
        ((unit * count as f64) as u64).min(count - 1)
    }
}

impl Dimension {
    /// A checked dimension. Errors: as of [`Range::check`], or a name that is empty or holds `=` or blanks.
    pub fn new(name: impl Into<String>, range: Range) -> Result<Dimension, Failure> {
        let name = name.into();
        if name.is_empty() || name.contains(['=', ' ', '\t', '\n']) {
            return Err(fail::usage(format!("`{name}` is not the name of a parameter"))
                .hint("write a dimension like learning_rate=0.01..0.3:log"));
        }
        range.check(&name)?;
        Ok(Dimension { name, range })
    }
}

impl Space {
    /// A space of these dimensions, in the order of their names. Errors: a name twice, or more than
    /// [`limits::SEARCH_DIMENSIONS_MAX`] that are not fixed.
    pub fn new(dimensions: Vec<Dimension>) -> Result<Space, Failure> {
        let mut dimensions = dimensions;
        dimensions.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(pair) = dimensions.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(fail::usage(format!("the space names `{}` twice", pair[0].name)).hint("leave one of them out"));
        }
        let free = dimensions.iter().filter(|dimension| !dimension.range.is_fixed()).count();
        if free > limits::SEARCH_DIMENSIONS_MAX {
            return Err(fail::usage(format!("{free} parameters to search, at most {}", limits::SEARCH_DIMENSIONS_MAX))
                .hint("fix some of them, as depth = 6"));
        }
        Ok(Space { dimensions })
    }

    /// The same space with `dimension` added, or in place of the one of that name. Errors: as of [`Space::new`].
    pub fn with(mut self, dimension: Dimension) -> Result<Space, Failure> {
        self.dimensions.retain(|old| old.name != dimension.name);
        self.dimensions.push(dimension);
        Space::new(self.dimensions)
    }

    /// The dimension of that name.
    pub fn dimension(&self, name: &str) -> Option<&Dimension> {
        self.dimensions.iter().find(|dimension| dimension.name == name)
    }

    /// How many points there are; `None` when they are not counted, or more than fit.
    pub fn count(&self) -> Option<u64> {
        self.dimensions.iter().try_fold(1_u64, |product, dimension| product.checked_mul(dimension.range.count()?))
    }

    /// Point number `at` of those counted, in the order of their numbers, the last dimension first.
    pub fn nth(&self, at: u64) -> Point {
        let mut rest = at;
        let mut numbers = vec![0.0; self.dimensions.len()];
        for (number, dimension) in numbers.iter_mut().zip(&self.dimensions).rev() {
            let count = dimension.range.count().unwrap_or(1);
            *number = dimension.range.nth(rest % count);
            rest /= count;
        }
        Point(numbers)
    }

    /// The point at `unit`, one number in `[0, 1]` for each dimension.
    pub fn decode(&self, unit: &[f64]) -> Point {
        Point(self.dimensions.iter().zip(unit).map(|(dimension, unit)| dimension.range.decode(*unit)).collect())
    }

    /// Where `point` lies in the unit cube.
    pub fn encode(&self, point: &Point) -> Vec<f64> {
        self.dimensions.iter().zip(&point.0).map(|(dimension, number)| dimension.range.encode(*number)).collect()
    }

    /// The point nearest to `params`; parameters that are absent, or of another type, lie in the middle.
    pub fn locate(&self, params: &toml::Table) -> Point {
        Point(self.dimensions.iter().map(|dimension| dimension.range.locate(params.get(&dimension.name))).collect())
    }
}

impl Point {
    /// The parameters as they are handed to what is tuned.
    pub fn to_toml(&self, space: &Space) -> toml::Table {
        let named = space.dimensions.iter().zip(&self.0);
        named.map(|(dimension, number)| (dimension.name.clone(), dimension.range.value(*number))).collect()
    }
}

impl fmt::Display for Dimension {
    /// As written on the command line: `learning_rate=0.01..0.3:log`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=", self.name)?;
        match &self.range {
            Range::Integer { low, high, log, step } => {
                write!(f, "{low}..{high}")?;
                if *step != 1 {
                    write!(f, ":{step}")?;
                }
                if *log { f.write_str(":log") } else { Ok(()) }
            }
            Range::Float { low, high, log, step } => {
                // With a decimal point, so that it is not read as a range of whole numbers.
                write!(f, "{low:?}..{high:?}")?;
                if let Some(step) = step {
                    write!(f, ":{step:?}")?;
                }
                if *log { f.write_str(":log") } else { Ok(()) }
            }
            Range::Choice { values } => {
                let values: Vec<String> = values.iter().map(toml::Value::to_string).collect();
                f.write_str(&values.join(","))
            }
        }
    }
}

fn check_numbers(name: &str, low: f64, high: f64, log: bool, step: f64) -> Result<(), Failure> {
    let bad = |why: String, hint: &str| Err(fail::usage(format!("the space of `{name}`: {why}")).hint(hint));
    if !(low.is_finite() && high.is_finite()) {
        return bad(format!("bounds of {low} and {high}"), "write finite numbers");
    }
    if low > high {
        return bad(format!("low is {low} and high is {high}"), "swap them");
    }
    if log && low <= 0.0 {
        return bad(format!("`log` from {low}"), "a logarithm needs bounds above 0: raise low, or leave `log` out");
    }
    if low == high {
        return Ok(());
    }
    if step.is_nan() || step <= 0.0 {
        return bad(format!("a step of {step}"), "it must be above 0");
    }
    if step > high - low {
        return bad(format!("a step of {step} from {low} leads past {high}"), "make it smaller, or fix the parameter");
    }
    // Beyond it, neighbours would be the same float.
    if (high - low) / step > INTEGER_MAX as f64 {
        return bad(format!("a step of {step} from {low} to {high}"), "make it larger, or leave it out");
    }
    Ok(())
}

/// Logarithms of the ends of the first and last part: half a number beyond the first and last whole number.
fn log_edges(low: i64, high: i64) -> (f64, f64) {
    ((low as f64 - 0.5).ln(), (high as f64 + 0.5).ln())
}

/// `value` with about seven digits counted from the size of `width`, the shortest float that reads so. Hides the last bits,
/// in which machines' logarithms may differ.
fn readable(value: f64, width: f64) -> f64 {
    let more = (value.abs() / width.abs()).log10().ceil();
    if !more.is_finite() || more > 10.0 {
        return value;
    }
    let digits = (6.0 + more.max(-6.0)) as usize;
    format!("{value:.digits$e}").parse().unwrap_or(value)
}
