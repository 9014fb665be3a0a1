//! Rules over several columns: SQL conditions of rows, queries over the table and over its statistics (polars SQL).

use std::sync::LazyLock;

use anyhow::{Result, anyhow};
use polars::prelude::{
    Column, DataFrame, DataType, Expr, IdxSize, IntoLazy, LazyFrame, NamedFrom, PolarsError, PolarsResult, Series, col,
    len,
};
use polars::sql::{SQLContext, sql_expr};
use regex::Regex;

use crate::base::fail;
use crate::base::limits::FINDING_ROWS_MAX;
use crate::base::units;
use crate::data::table::Table;
use crate::quality::conditions::condition;
use crate::quality::found::{Found, Scope};
use crate::quality::report::{Finding, of_rows, percent};
use crate::quality::rows::Rows;
use crate::record::profile::{ColumnProfile, ProfileRecord};
use crate::spec::rule::RuleSpec;
use crate::spec::schema::SchemaSpec;

/// Name of the row number, counted from 1, in `data`.
const ROW: &str = "_row";

/// Every `[[rule]]` of the environment: `ROW_RULE` for conditions of rows, `TABLE_RULE` for queries.
///
/// A rule about a column that the schema knows and the table lacks is not checked, which is said (`RULE_NOT_CHECKED`).
/// Errors (usage): SQL that cannot be used, naming the rule. Cost: one pass over the columns named by each rule.
pub fn checks(table: &Table, profile: &ProfileRecord, schema: &SchemaSpec, scope: &Scope<'_>) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    let here =
        |rule: &&RuleSpec| rule.environments.is_empty() || rule.environments.iter().any(|e| e == scope.environment);
    for rule in schema.rules.iter().filter(here) {
        let text = format!(
            "{} {} {}",
            rule.sql.as_deref().unwrap_or(""),
            condition(rule).unwrap_or_default(),
            rule.when.as_deref().unwrap_or("")
        );
        let lacks = |name: &str| profile.column(name).is_none() && names(&text, name);
        if let Some(gone) = schema.columns.iter().find(|rules| lacks(&rules.name)) {
            found.push(not_checked(rule, &gone.name));
            continue;
        }
        let shown = profile.columns.iter().map(|column| &column.name).filter(|name| names(&text, name));
        found.extend(match &rule.sql {
            Some(query) => query_rule(table, profile, rule, query, scope),
            None => row_rule(table, profile, rule, scope).map(|found| found.map(|found| found.showing(shown.cloned()))),
        }?);
    }
    Ok(found)
}

/// Whether `text` holds `name` as a word.
fn names(text: &str, name: &str) -> bool {
    let part = |letter: char| letter.is_alphanumeric() || letter == '_';
    !name.is_empty()
        && text.match_indices(name).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + name.len()..].chars().next();
            !before.is_some_and(part) && !after.is_some_and(part)
        })
}

fn not_checked(rule: &RuleSpec, gone: &str) -> Found {
    let finding = Finding::new("RULE_NOT_CHECKED", rule.severity, None).of_rule(&rule.name).says(
        format!("rule `{}`", rule.name),
        format!("there is no column `{gone}`"),
        "the columns that it names".to_owned(),
    );
    finding.settled_by(&format!("remove rule `{}` or name its environments", rule.name)).into()
}

fn wrong(rule: &RuleSpec, error: &PolarsError) -> anyhow::Error {
    let text = error.to_string();
    let short: String = text.lines().next().unwrap_or("").chars().take(300).collect();
    fail::usage(format!("rule `{}`: its SQL cannot be used: {short}", rule.name))
        .hint("columns are named as in the data (\"in quotes\" when they have spaces); text stands 'in single quotes'")
        .into()
}

/// A condition as polars understands it. Errors: no SQL expression.
pub fn parse(text: &str) -> PolarsResult<Expr> {
    sql_expr(format!("({text})"))
}

/// `ROW_RULE`: rows in which the condition is false; where it is unknown because a value is missing, it holds.
fn row_rule(table: &Table, profile: &ProfileRecord, rule: &RuleSpec, scope: &Scope<'_>) -> Result<Option<Found>> {
    let text = condition(rule).ok_or_else(|| anyhow!("rule `{}` has no condition", rule.name))?;
    let failing = || -> PolarsResult<(u64, DataFrame)> {
        let check = parse(&text)?;
        let when = rule.when.as_deref().map(parse).transpose()?;
        let data = numbered(table);
        let kind = data.clone().select([check.clone().alias("check")]).collect_schema()?;
        if kind.get("check") != Some(&DataType::Boolean) {
            return Err(PolarsError::SQLInterface("the condition is not true or false".into()));
        }
        let concerned = match &when {
            None => profile.rows,
            Some(when) => {
                let count = data.clone().filter(when.clone()).select([len().alias("count")]).collect()?;
                count.column("count")?.as_materialized_series().u32()?.get(0).map_or(0, u64::from)
            }
        };
        let broken = match when {
            None => check.not(),
            Some(when) => when.and(check.not()),
        };
        Ok((concerned, data.filter(broken).select([col(ROW)]).collect()?))
    };
    let (concerned, broken) = failing().map_err(|error| wrong(rule, &error))?;
    let rows = row_numbers(&broken, scope).map_err(|error| wrong(rule, &error))?.unwrap_or_default();
    let kept = 1.0 - rows.count as f64 / concerned.max(1) as f64;
    if rows.count == 0 || kept >= rule.mostly {
        return Ok(None);
    }
    let mut constraint = format!("rule `{}`: {text}", rule.name);
    if let Some(when) = &rule.when {
        constraint.push_str(&format!(" when {when}"));
    }
    let message = rule.message.as_ref().map_or_else(String::new, |message| format!("; {message}"));
    let expected = match rule.mostly {
        1.0 => "every row keeps it".to_owned(),
        share => format!("at least {} of the rows keep it", percent(share)),
    };
    let finding = Finding::new("ROW_RULE", rule.severity, None)
        .of_rule(&rule.name)
        .says(constraint, format!("{} break it{message}", of_rows(rows.count, concerned, "row")), expected)
        .settled_by(&format!("change rule `{}` or lower its mostly", rule.name));
    Ok(Some(Found::at(finding, rows)))
}

fn numbered(table: &Table) -> LazyFrame {
    table.polars().clone().lazy().with_row_index(ROW, Some(1))
}

/// The row numbers of a result in ascending order; none when it has lost them.
fn row_numbers(result: &DataFrame, scope: &Scope<'_>) -> PolarsResult<Option<Rows>> {
    let Ok(column) = result.column(ROW) else {
        return Ok(None);
    };
    let numbers = column.cast(&DataType::UInt64)?;
    let mut numbers: Vec<u64> =
        numbers.as_materialized_series().u64()?.iter().flatten().filter(|row| *row > 0).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let small = numbers.into_iter().filter(|row| *row <= u64::from(IdxSize::MAX));
    Ok(Some(Rows::keeping(scope.keep_rows, small.map(|row| row as usize - 1))))
}

/// Why a query is not one over the table alone; none when it is.
pub fn query_fault(query: &str) -> Option<String> {
    static READS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\bread_(csv|parquet|ipc|json)\s*\(").expect("a pattern that is written here")
    });
    let first = query.split_whitespace().next().unwrap_or("").to_lowercase();
    if first != "select" && first != "with" {
        return Some("is no query: it starts neither with SELECT nor with WITH".to_owned());
    }
    READS.is_match(query).then(|| "reads a file; a rule is about the table alone".to_owned())
}

/// `TABLE_RULE`: more rows than `rows_max` (none when absent) come back.
fn query_rule(
    table: &Table,
    profile: &ProfileRecord,
    rule: &RuleSpec,
    query: &str,
    scope: &Scope<'_>,
) -> Result<Option<Found>> {
    let run = || -> PolarsResult<(DataFrame, Option<Rows>)> {
        let mut context = SQLContext::new();
        context.register("data", numbered(table));
        context.register("stats", statistics(profile)?.lazy());
        let result = context.execute(query)?.collect()?;
        let rows = row_numbers(&result, scope)?;
        Ok((result, rows))
    };
    let (result, rows) = run().map_err(|error| wrong(rule, &error))?;
    let count = result.height() as u64;
    let most = rule.rows_max.unwrap_or(0);
    if count <= most {
        return Ok(None);
    }
    let samples: Vec<String> = (0..result.height().min(FINDING_ROWS_MAX)).map(|row| sample(&result, row)).collect();
    let message = rule.message.as_ref().map_or_else(String::new, |message| format!("; {message}"));
    let first = samples.first().map_or_else(String::new, |first| format!(", the first {first}"));
    let expected = if most == 0 { "none".to_owned() } else { format!("at most {}", units::plural(most, "row")) };
    let mut finding = Finding::new("TABLE_RULE", rule.severity, None)
        .of_rule(&rule.name)
        .says(
            format!("rule `{}`: {query}", rule.name),
            format!("{} unexpected{first}{message}", units::plural(count, "row")),
            expected,
        )
        .settled_by(&format!("change rule `{}` or raise its rows_max", rule.name));
    finding.count = count;
    let Some(rows) = rows.filter(|rows| rows.count == count) else {
        return Ok(Some(finding.into()));
    };
    // The result may be in any order; the samples of its rows are those of the table.
    let shown = table.columns().into_iter().map(|column| column.name);
    Ok(Some(Found::at(finding, rows).showing(shown)))
}

fn sample(result: &DataFrame, row: usize) -> String {
    let cell = |column: &Column| {
        let value = column.get(row).map_or_else(|_| String::new(), |value| value.str_value().into_owned());
        format!("{} = {value}", column.name())
    };
    result.columns().iter().take(6).map(cell).collect::<Vec<_>>().join(", ")
}

/// The profile as a table: one row a column.
fn statistics(profile: &ProfileRecord) -> PolarsResult<DataFrame> {
    let columns = &profile.columns;
    let whole = |name: &str, value: &dyn Fn(&ColumnProfile) -> Option<u64>| -> Column {
        let values: Vec<Option<i64>> = columns.iter().map(|column| value(column).map(|value| value as i64)).collect();
        Series::new(name.into(), values).into()
    };
    let real = |name: &str, value: &dyn Fn(&ColumnProfile) -> Option<f64>| -> Column {
        Series::new(name.into(), columns.iter().map(value).collect::<Vec<Option<f64>>>()).into()
    };
    let text = |name: &str, value: &dyn Fn(&ColumnProfile) -> Option<String>| -> Column {
        Series::new(name.into(), columns.iter().map(value).collect::<Vec<Option<String>>>()).into()
    };
    let numbers = |column: &ColumnProfile| column.numbers.clone();
    let at = |column: &ColumnProfile, place: usize| numbers(column).and_then(|n| n.quantiles.get(place).copied());
    let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
    let all = vec![
        text("column", &|c| Some(c.name.clone())),
        text("type", &|c| Some(c.column_type.name().to_owned())),
        whole("rows", &|c| Some(c.present + c.missing)),
        whole("present", &|c| Some(c.present)),
        whole("missing", &|c| Some(c.missing)),
        real("missing_share", &|c| share(c.missing, c.present + c.missing)),
        whole("unique_count", &|c| Some(c.unique)),
        real("unique_share", &|c| share(c.unique, c.present)),
        whole("zeros", &|c| numbers(c).map(|n| n.zeros)),
        whole("nan", &|c| numbers(c).map(|n| n.nan)),
        whole("infinite", &|c| numbers(c).map(|n| n.infinite)),
        real("min", &|c| numbers(c)?.min),
        real("max", &|c| numbers(c)?.max),
        real("mean", &|c| numbers(c)?.mean),
        real("std", &|c| numbers(c)?.std),
        real("q25", &|c| at(c, 4)),
        real("median", &|c| at(c, 5)),
        real("q75", &|c| at(c, 6)),
        whole("length_min", &|c| c.texts.as_ref().map(|t| t.length_min)),
        whole("length_max", &|c| c.texts.as_ref().map(|t| t.length_max)),
        real("length_mean", &|c| c.texts.as_ref().map(|t| t.length_mean)),
        text("top_value", &|c| c.top.first().map(|(value, _)| value.clone())),
        real("top_share", &|c| c.top.first().and_then(|(_, count)| share(*count, c.present))),
    ];
    DataFrame::new(columns.len(), all)
}
