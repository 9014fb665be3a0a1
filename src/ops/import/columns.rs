//! What an imported model reads, column by column: from a schema, a dataset, or the file itself.

use std::collections::HashSet;

use anyhow::Result;

use crate::base::limits::DOMAIN_VALUES_MAX;
use crate::base::{fail, suggest};
use crate::features::category::KnownLevels;
use crate::features::passthrough::RawColumn;
use crate::models::package::InputColumn;
use crate::ops::import::formats::{FileColumn, Incoming, Wants};
use crate::record::dataset::Roles;
use crate::record::profile::ProfileRecord;
use crate::spec::schema::{ColumnType, SchemaSpec};

/// Names that a message lists.
const NAMED_MAX: usize = 5;

/// A column as it was declared.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// What a person declared or the data has.
    pub input: InputColumn,
    /// Values in the order in which they were declared.
    pub domain: Option<Vec<String>>,
}

/// Columns declared by a schema, without the target.
pub fn of_schema(schema: &SchemaSpec, target: Option<&str>) -> Vec<Declared> {
    let columns = schema.columns.iter().filter(|rules| Some(rules.name.as_str()) != target);
    let declared = columns.map(|rules| {
        let number =
            |bound: &Option<crate::spec::rule::Scalar>| bound.as_ref().and_then(|bound| bound.text().parse().ok());
        let domain: Option<Vec<String>> =
            rules.domain.as_ref().map(|domain| domain.iter().map(|value| value.text()).collect());
        let input = InputColumn {
            name: rules.name.clone(),
            column_type: rules.column_type,
            missing_seen: rules.missing_max > 0.0,
            domain: domain.clone().filter(|_| rules.column_type == ColumnType::Text),
            min: number(&rules.min),
            max: number(&rules.max),
        };
        Declared { input, domain }
    });
    declared.collect()
}

/// Columns of a dataset that may be features.
pub fn of_dataset(profile: &ProfileRecord, roles: &Roles, target: Option<&str>) -> Vec<Declared> {
    let is_feature = |name: &str| {
        Some(name) != target
            && roles.weight.as_deref() != Some(name)
            && !roles.key.iter().chain(&roles.ignore).any(|other| other == name)
    };
    let columns = profile.columns.iter().filter(|column| is_feature(&column.name));
    let declared = columns.map(|column| {
        let listed = column.top.len() as u64 == column.unique && column.unique <= DOMAIN_VALUES_MAX as u64;
        let domain = (column.texts.is_some() && listed).then(|| {
            let mut values: Vec<String> = column.top.iter().map(|(value, _)| value.clone()).collect();
            values.sort_unstable();
            values
        });
        let input = InputColumn {
            name: column.name.clone(),
            column_type: column.column_type,
            missing_seen: column.missing > 0,
            domain: domain.clone(),
            min: column.numbers.as_ref().and_then(|numbers| numbers.min),
            max: column.numbers.as_ref().and_then(|numbers| numbers.max),
        };
        Declared { input, domain }
    });
    declared.collect()
}

/// What the model reads.
pub struct Columns {
    /// For those who ask it.
    pub inputs: Vec<InputColumn>,
    /// For its recipe.
    pub raw: Vec<RawColumn>,
    /// What had to be guessed, in sentences.
    pub notes: Vec<String>,
}

impl Columns {
    /// Names of the levels of each column by code; none for numbers.
    pub fn level_names(&self) -> Vec<Vec<String>> {
        let names = |column: &RawColumn| match &column.levels {
            Some(KnownLevels::Text(names)) => names.clone(),
            Some(KnownLevels::Numbers(numbers)) => numbers.iter().map(f64::to_string).collect(),
            None => Vec::new(),
        };
        self.raw.iter().map(names).collect()
    }
}

/// Settles every column that the file reads.
///
/// Errors (usage): columns that were not declared, another number of them, two of one name, the target among them, a
/// type that the model cannot read, levels that are not told.
pub fn settle(
    incoming: &Incoming,
    declared: Option<&[Declared]>,
    source: &str,
    target: Option<&str>,
) -> Result<Columns> {
    let mut columns = Columns { inputs: Vec::new(), raw: Vec::new(), notes: Vec::new() };
    let matched = match declared {
        Some(declared) => matched(incoming, declared, source, &mut columns.notes)?,
        None => vec![None; incoming.columns.len()],
    };
    let mut guessed = 0;
    for (file, declared) in incoming.columns.iter().zip(&matched) {
        let (input, levels) = match declared {
            Some(declared) => declared_column(file, declared, &mut columns.notes)?,
            None => {
                guessed += usize::from(file.levels.is_none());
                own_column(file)
            }
        };
        columns.raw.push(RawColumn { name: input.name.clone(), levels });
        columns.inputs.push(input);
    }
    if guessed > 0 {
        let what = format!(
            "no types are declared: {guessed} of {} columns are taken as the file reads them",
            columns.inputs.len()
        );
        columns.notes.push(format!("{what}; declare them with --schema FILE.toml or --data DATASET"));
    }
    let mut names = HashSet::new();
    if let Some(twice) = columns.inputs.iter().find(|input| !names.insert(input.name.as_str())) {
        return Err(fail::usage(format!("the model reads two columns called `{}`", twice.name))
            .hint("name its columns apart in the tool that made it")
            .into());
    }
    if let Some(target) = target.filter(|target| names.contains(target)) {
        return Err(fail::usage(format!("the model reads `{target}`, so it cannot be what it predicts"))
            .hint("name another column with --target")
            .into());
    }
    Ok(columns)
}

/// The declaration of each column: by name, or by place where the file has no names of its own.
fn matched<'a>(
    incoming: &Incoming,
    declared: &'a [Declared],
    source: &str,
    notes: &mut Vec<String>,
) -> Result<Vec<Option<&'a Declared>>> {
    let find = |name: &str| declared.iter().find(|declared| declared.input.name == name);
    let missing: Vec<&str> =
        incoming.columns.iter().map(|column| column.name.as_str()).filter(|name| find(name).is_none()).collect();
    let count = incoming.columns.len();
    if missing.is_empty() {
        if declared.len() > count {
            notes.push(format!("the model does not read {} of the columns of {source}", declared.len() - count));
        }
        return Ok(incoming.columns.iter().map(|column| find(&column.name)).collect());
    }
    if !incoming.is_named {
        if declared.len() == count {
            notes.push(format!("the file has no names of columns: they are those of {source}, in its order"));
            return Ok(declared.iter().map(Some).collect());
        }
        let what = format!("the model reads {count} columns without names; {source} has {}", declared.len());
        return Err(fail::usage(what).hint("declare exactly those that it was trained on, in their order").into());
    }
    let listed: Vec<&str> = missing.iter().take(NAMED_MAX).copied().collect();
    let more =
        if missing.len() > NAMED_MAX { format!(" and {} more", missing.len() - NAMED_MAX) } else { String::new() };
    let failure = fail::usage(format!("{source} lacks columns that the model reads: {}{more}", listed.join(", ")));
    let near = suggest::nearest(missing[0], declared.iter().map(|declared| declared.input.name.as_str()));
    Err(match near {
        Some(near) => failure.hint(format!("it has a column `{near}`: is that the one?")),
        None => failure.hint("declare them under the names that the file has"),
    }
    .into())
}

type Settled = (InputColumn, Option<KnownLevels>);

fn declared_column(file: &FileColumn, declared: &Declared, notes: &mut Vec<String>) -> Result<Settled> {
    let (input, kind) = (declared.input.clone(), declared.input.column_type);
    let name = &input.name;
    let cannot = |reads: &str| {
        fail::usage(format!("the model reads {reads} in column `{name}`, which is {}", kind.name()))
            .hint("declare the type that the column had where the model was trained")
    };
    if matches!(kind, ColumnType::Date | ColumnType::Timestamp | ColumnType::Time) {
        return Err(cannot("numbers or levels").into());
    }
    let levels = match (file.wants, kind) {
        (Wants::Text, ColumnType::Text) => match file.levels.as_ref().or(declared.domain.as_ref()) {
            Some(levels) => Some(KnownLevels::Text(levels.clone())),
            None => return Err(no_levels(name)),
        },
        (Wants::Text, _) => return Err(cannot("text").into()),
        (Wants::Level(codes), _) => Some(levels_of(file, codes, kind, declared, notes)?),
        (Wants::Number, ColumnType::Text) => match &declared.domain {
            Some(domain) => {
                notes.push(format!("`{name}` is text: its values count as 0, 1, 2… in the order of their declaration"));
                Some(KnownLevels::Text(domain.clone()))
            }
            None => return Err(cannot("numbers").into()),
        },
        (Wants::Whole, ColumnType::Integer | ColumnType::Boolean) | (Wants::Boolean, ColumnType::Boolean) => None,
        (Wants::Whole | Wants::Boolean, ColumnType::Text) => return Err(cannot("whole numbers").into()),
        (Wants::Number | Wants::Whole | Wants::Boolean, _) => None,
    };
    Ok((input, levels))
}

fn levels_of(
    file: &FileColumn,
    codes: usize,
    kind: ColumnType,
    declared: &Declared,
    notes: &mut Vec<String>,
) -> Result<KnownLevels> {
    let name = &declared.input.name;
    match (&file.levels, kind) {
        (Some(levels), ColumnType::Text) => Ok(KnownLevels::Text(levels.clone())),
        (Some(levels), _) => as_numbers(levels).ok_or_else(|| {
            let what =
                format!("the model reads levels like `{}` in column `{name}`, which is {}", levels[0], kind.name());
            fail::usage(what).hint("declare it as text").into()
        }),
        (None, ColumnType::Text) => match &declared.domain {
            Some(domain) => {
                notes.push(format!(
                    "the file does not name the levels of `{name}`: they are those declared, in their order"
                ));
                Ok(KnownLevels::Text(domain.clone()))
            }
            None => Err(no_levels(name)),
        },
        (None, _) => Ok(KnownLevels::Numbers((0..codes).map(|code| code as f64).collect())),
    }
}

fn no_levels(name: &str) -> anyhow::Error {
    fail::usage(format!("the levels of column `{name}` are not known"))
        .hint("list them with `domain` in a schema, in the order that the model was trained with")
        .into()
}

/// A column of which only the file tells.
fn own_column(file: &FileColumn) -> Settled {
    let levels = match (file.wants, &file.levels) {
        (Wants::Level(codes), None) => Some(KnownLevels::Numbers((0..codes).map(|code| code as f64).collect())),
        (Wants::Level(_), Some(levels)) => {
            Some(as_numbers(levels).unwrap_or_else(|| KnownLevels::Text(levels.clone())))
        }
        (_, levels) => levels.clone().map(KnownLevels::Text),
    };
    let column_type = match (&levels, file.wants) {
        (Some(KnownLevels::Text(_)), _) | (None, Wants::Text) => ColumnType::Text,
        (_, Wants::Boolean) => ColumnType::Boolean,
        (Some(KnownLevels::Numbers(numbers)), _) if numbers.iter().all(|number| number.fract() == 0.0) => {
            ColumnType::Integer
        }
        (_, Wants::Whole) => ColumnType::Integer,
        _ => ColumnType::Float,
    };
    let domain = match &levels {
        Some(KnownLevels::Text(names)) => Some(names.clone()),
        _ => None,
    };
    let input = InputColumn { name: file.name.clone(), column_type, missing_seen: true, domain, min: None, max: None };
    (input, levels)
}

/// Levels that are numbers or booleans, as numbers; `None` when one is neither.
fn as_numbers(levels: &[String]) -> Option<KnownLevels> {
    let number = |level: &String| match level.as_str() {
        "true" | "True" => Some(1.0),
        "false" | "False" => Some(0.0),
        text => text.parse().ok().filter(|number: &f64| number.is_finite()),
    };
    levels.iter().map(number).collect::<Option<Vec<f64>>>().map(KnownLevels::Numbers)
}
