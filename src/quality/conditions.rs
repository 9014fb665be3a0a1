//! Ready-made rules over several columns, put into SQL.

use crate::quality::sql::{parse, query_fault};
use crate::spec::rule::{RuleSpec, Scalar};

/// The SQL condition that holds in every row; none for a query.
pub fn condition(rule: &RuleSpec) -> Option<String> {
    let chain = |columns: &[String], sign: &str| {
        let pairs = columns.windows(2).map(|pair| format!("{} {sign} {}", quoted(&pair[0]), quoted(&pair[1])));
        pairs.collect::<Vec<_>>().join(" AND ")
    };
    if let Some(check) = &rule.check {
        return Some(check.clone());
    }
    if !rule.equal.is_empty() {
        return Some(chain(&rule.equal, "="));
    }
    if !rule.greater.is_empty() {
        return Some(chain(&rule.greater, ">"));
    }
    if !rule.greater_or_equal.is_empty() {
        return Some(chain(&rule.greater_or_equal, ">="));
    }
    if !rule.distinct.is_empty() {
        let names = &rule.distinct;
        let pairs = (0..names.len()).flat_map(|a| (a + 1..names.len()).map(move |b| (a, b)));
        let all: Vec<String> = pairs.map(|(a, b)| format!("{} <> {}", quoted(&names[a]), quoted(&names[b]))).collect();
        return Some(balanced(&all, "AND"));
    }
    if let Some(tuples) = &rule.tuples {
        let one = |values: &Vec<Scalar>| {
            let same =
                tuples.columns.iter().zip(values).map(|(name, value)| format!("{} = {}", quoted(name), written(value)));
            format!("({})", same.collect::<Vec<_>>().join(" AND "))
        };
        return Some(balanced(&tuples.allowed.iter().map(one).collect::<Vec<_>>(), "OR"));
    }
    let sum = rule.sum.as_ref()?;
    let added: Vec<String> = sum.columns.iter().map(|name| quoted(name)).collect();
    let total = match &sum.equals {
        Scalar::Text(name) => quoted(name),
        number => written(number),
    };
    Some(format!("ABS({} - {total}) <= {:?}", added.join(" + "), sum.tolerance))
}

/// Joined in pairs, so that the depth of the expression is the logarithm of its length.
fn balanced(parts: &[String], word: &str) -> String {
    match parts {
        [] => "TRUE".to_owned(),
        [one] => one.clone(),
        _ => {
            let (left, right) = parts.split_at(parts.len() / 2);
            format!("({} {word} {})", balanced(left, word), balanced(right, word))
        }
    }
}

/// A name in SQL.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A value in SQL.
fn written(value: &Scalar) -> String {
    match value {
        Scalar::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Scalar::Float(value) => format!("{value:?}"),
        other => other.text(),
    }
}

/// What is wrong with a rule by itself.
pub fn faults(rule: &RuleSpec) -> Vec<String> {
    let mut faults = Vec::new();
    let given = [
        ("check", rule.check.is_some()),
        ("sql", rule.sql.is_some()),
        ("equal", !rule.equal.is_empty()),
        ("greater", !rule.greater.is_empty()),
        ("greater_or_equal", !rule.greater_or_equal.is_empty()),
        ("distinct", !rule.distinct.is_empty()),
        ("tuples", rule.tuples.is_some()),
        ("sum", rule.sum.is_some()),
    ];
    let kinds: Vec<&str> = given.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
    match kinds.as_slice() {
        [_] => {}
        [] => faults.push("says nothing; give one of check, sql, equal, greater, distinct, tuples, sum".to_owned()),
        several => faults.push(format!("says several things ({}); make one rule of each", several.join(", "))),
    }
    for columns in [&rule.equal, &rule.greater, &rule.greater_or_equal, &rule.distinct] {
        if columns.len() == 1 {
            faults.push(format!("compares `{}` with nothing", columns[0]));
        }
    }
    if let Some(tuples) = &rule.tuples
        && tuples.allowed.iter().any(|values| values.len() != tuples.columns.len())
    {
        faults.push("has tuples of another length than its columns".to_owned());
    }
    if !(0.0..=1.0).contains(&rule.mostly) {
        faults.push(format!("mostly = {:?} is not between 0 and 1", rule.mostly));
    }
    if let Some(query) = &rule.sql {
        faults.extend(query_fault(query));
        if rule.when.is_some() {
            faults.push("has `when` beside `sql`; write it into the query".to_owned());
        }
    }
    let conditions = rule.when.iter().chain(&rule.check);
    faults.extend(conditions.filter_map(|text| parse(text).err()).map(|error| format!("is no SQL: {error}")));
    faults
}
