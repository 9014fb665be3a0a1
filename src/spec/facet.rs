//! Groups of people whose treatment is measured, as people write them: `sex=F`, `age >= 60`, or a column alone.

use crate::base::fail::{self, Failure};
use crate::base::suggest;
use crate::spec::gate::Comparison;

const FORM: &str = "write COLUMN=VALUE, COLUMN>=NUMBER, or a column alone for each of its values";

/// Which rows of a column are of the group.
#[derive(Clone, Debug, PartialEq)]
pub enum FacetTest {
    /// Those with this value.
    Value(String),
    /// Those with a number that compares so with this one.
    Bound(Comparison, f64),
    /// Each value is a group in turn.
    Every,
}

/// A group as written and as understood.
#[derive(Clone, Debug, PartialEq)]
pub struct FacetSpec {
    /// The column that tells groups apart.
    pub column: String,
    /// Which rows are of the group.
    pub test: FacetTest,
}

impl FacetSpec {
    /// Reads a group of a table with `columns`, whose names may themselves hold signs of comparison.
    ///
    /// Errors (usage): a column that is not there, with the nearest one; a bound that is no number.
    pub fn parse(text: &str, columns: &[&str]) -> Result<FacetSpec, Failure> {
        let text = text.trim();
        let quoted = text.strip_prefix('"').and_then(|rest| rest.split_once('"'));
        let split = |column: &&str| match quoted {
            Some((name, rest)) if name == *column => Some(rest.trim_start()),
            _ => text.strip_prefix(column).map(str::trim_start),
        };
        let fits = |rest: &str| rest.is_empty() || rest.starts_with(['=', '<', '>']);
        let found = columns.iter().filter_map(|column| Some((*column, split(column).filter(|rest| fits(rest))?)));
        let Some((column, rest)) = found.max_by_key(|(column, _)| column.len()) else {
            let column = text.split(['=', '<', '>']).next().unwrap_or_default().trim();
            let Failure { blame, what, hint } = suggest::unknown("column", column, columns.iter().copied());
            return Err(Failure { blame, what: format!("facet `{text}`: {what}"), hint });
        };
        let test = test(rest).map_err(|why| fail::usage(format!("facet `{text}`: {why}")).hint(FORM))?;
        Ok(FacetSpec { column: column.to_owned(), test })
    }
}

impl FacetTest {
    /// What the group is called beside its column: `F`, `>= 60`; nothing for each value in turn.
    pub fn name(&self) -> String {
        match self {
            FacetTest::Value(value) => value.clone(),
            FacetTest::Bound(comparison, bound) => format!("{} {bound}", comparison.symbol()),
            FacetTest::Every => String::new(),
        }
    }
}

fn test(rest: &str) -> Result<FacetTest, String> {
    if rest.is_empty() {
        return Ok(FacetTest::Every);
    }
    let bounds = [Comparison::AtLeast, Comparison::AtMost, Comparison::Above, Comparison::Below];
    if let Some(comparison) = bounds.into_iter().find(|comparison| rest.starts_with(comparison.symbol())) {
        let number = rest[comparison.symbol().len()..].trim();
        let bound = number.parse().ok().filter(|bound: &f64| bound.is_finite());
        return bound.map(|bound| FacetTest::Bound(comparison, bound)).ok_or(format!("`{number}` is no number"));
    }
    let value = rest.trim_start_matches('=').trim();
    let bare = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\'')).unwrap_or(value);
    if bare.is_empty() { Err("the value is missing".to_owned()) } else { Ok(FacetTest::Value(bare.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_read() {
        let columns = ["sex", "age", "age=x", "a b"];
        let read = |text: &str| {
            let spec = FacetSpec::parse(text, &columns).unwrap_or_else(|error| panic!("{text}: {error}"));
            (spec.column, spec.test.name())
        };
        for (text, column, name) in [
            ("sex=F", "sex", "F"),
            (" sex == 'F' ", "sex", "F"),
            ("age>=60", "age", ">= 60"),
            ("age < 1.50", "age", "< 1.5"),
            ("age=x=3", "age=x", "3"),
            ("\"a b\"=c d", "a b", "c d"),
            ("sex", "sex", ""),
            ("sex=(missing)", "sex", "(missing)"),
        ] {
            assert_eq!(read(text), (column.to_owned(), name.to_owned()), "{text}");
        }
        for (text, what, hint) in [
            ("sexx=F", "unknown column `sexx`", "did you mean `sex`?"),
            ("age>=old", "`old` is no number", "COLUMN>=NUMBER"),
            ("age>=inf", "`inf` is no number", "COLUMN>=NUMBER"),
            ("sex=", "the value is missing", "COLUMN=VALUE"),
            ("", "unknown column ``", "known: sex"),
        ] {
            let error = FacetSpec::parse(text, &columns).expect_err(text);
            let said = error.hint.clone().unwrap_or_default();
            assert!(error.what.contains(what) && said.contains(hint), "{text}: {error} ({said})");
        }
    }
}
