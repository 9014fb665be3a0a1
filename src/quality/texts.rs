//! Rules about single texts: lists, patterns, lengths, dates, JSON, kinds told by their form.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::LazyLock;

use anyhow::{Context, Result, anyhow};
use regex::Regex;

use crate::base::units;
use crate::data::calendar;
use crate::quality::checks::{RowCheck, SHOWN_MAX, Tolerance};
use crate::quality::rules::whole;
use crate::quality::scan::Test;
use crate::record::profile::ColumnProfile;
use crate::spec::rule::{Patterns, Scalar, Semantic};
use crate::spec::schema::{ColumnRules, Severity};

/// All rules about single texts that the profile does not already settle.
///
/// Errors: a pattern or JSON Schema that cannot be used (both are looked at before any data).
pub fn checks(profile: &ColumnProfile, rules: &ColumnRules) -> Result<Vec<RowCheck<'static>>> {
    let mut checks = lengths(profile, rules);
    checks.extend(lists(rules));
    checks.extend(patterns(rules)?);
    checks.extend(forms(rules)?);
    // The profile lists every value of a column that has few: then no row needs to be looked at.
    let complete = profile.top.len() as u64 == profile.unique;
    checks.retain(|check| !complete || profile.top.iter().any(|(value, _)| !check.test.text(value)));
    Ok(checks)
}

fn check(
    rules: &ColumnRules,
    code: &'static str,
    rule: String,
    says: &str,
    expected: String,
    edit: &str,
    test: impl Fn(&str) -> bool + Send + Sync + 'static,
) -> RowCheck<'static> {
    RowCheck {
        code,
        severity: rules.severity,
        rule,
        says: says.to_owned(),
        expected,
        edit: format!("{edit} of column `{}`", rules.name),
        test: Test::Text(Box::new(test)),
        tolerance: Tolerance::Alone,
    }
}

fn lists(rules: &ColumnRules) -> Vec<RowCheck<'static>> {
    let mut checks = Vec::new();
    if let Some(domain) = &rules.domain {
        let allowed: HashSet<String> = domain.iter().map(Scalar::text).collect();
        let shown: Vec<String> = domain.iter().take(SHOWN_MAX).map(|value| format!("{:?}", value.text())).collect();
        let more = if domain.len() > SHOWN_MAX { format!(", … ({} in all)", domain.len()) } else { String::new() };
        checks.push(check(
            rules,
            "ENUM_TYPE_UNEXPECTED_STRING_VALUES",
            format!("domain of {}", units::plural(domain.len() as u64, "value")),
            "not in the domain",
            format!("one of {}{more}", shown.join(", ")),
            "add the values to domain",
            move |text| allowed.contains(text),
        ));
    }
    if !rules.not_in.is_empty() {
        let forbidden: HashSet<String> = rules.not_in.iter().map(Scalar::text).collect();
        let shown: Vec<String> = rules.not_in.iter().map(|value| format!("{:?}", value.text())).collect();
        checks.push(check(
            rules,
            "VALUE_FORBIDDEN",
            format!("not_in = [{}]", shown.join(", ")),
            "are not allowed",
            "other values".to_owned(),
            "change not_in or raise outside_max",
            move |text| !forbidden.contains(text),
        ));
    }
    checks
}

fn lengths(profile: &ColumnProfile, rules: &ColumnRules) -> Vec<RowCheck<'static>> {
    let Some(texts) = &profile.texts else {
        return Vec::new();
    };
    let mut checks = Vec::new();
    if let Some(least) = rules.length_min.filter(|least| texts.length_min < *least) {
        checks.push(check(
            rules,
            "LENGTH_TOO_SHORT",
            format!("length_min = {least}"),
            &format!("are too short; shortest {}", units::plural(texts.length_min, "character")),
            format!("at least {}", units::plural(least, "character")),
            "lower length_min",
            move |text| text.chars().count() as u64 >= least,
        ));
    }
    if let Some(most) = rules.length_max.filter(|most| texts.length_max > *most) {
        checks.push(check(
            rules,
            "LENGTH_TOO_LONG",
            format!("length_max = {most}"),
            &format!("are too long; longest {}", units::plural(texts.length_max, "character")),
            format!("at most {}", units::plural(most, "character")),
            "raise length_max",
            move |text| text.chars().count() as u64 <= most,
        ));
    }
    checks
}

fn patterns(rules: &ColumnRules) -> Result<Vec<RowCheck<'static>>> {
    let mut checks = Vec::new();
    let compile = |patterns: &Patterns, as_whole: bool| {
        let each = patterns.all().iter().map(|pattern| if as_whole { whole(pattern) } else { pattern.clone() });
        let compiled: Result<Vec<Regex>, regex::Error> = each.map(|pattern| Regex::new(&pattern)).collect();
        compiled.with_context(|| format!("a pattern of column `{}`", rules.name))
    };
    if let Some(patterns) = &rules.pattern {
        let compiled = compile(patterns, true)?;
        checks.push(check(
            rules,
            "PATTERN_MISMATCH",
            format!("pattern = {}", written(patterns)),
            "do not match",
            format!("text that {} matches as a whole", patterns.all().join(" or ")),
            "change pattern or raise outside_max",
            move |text| compiled.iter().any(|pattern| pattern.is_match(text)),
        ));
    }
    if let Some(patterns) = &rules.not_pattern {
        let compiled = compile(patterns, false)?;
        checks.push(check(
            rules,
            "PATTERN_FORBIDDEN",
            format!("not_pattern = {}", written(patterns)),
            "match what must not match",
            format!("text in which {} matches nowhere", patterns.all().join(" or ")),
            "change not_pattern or raise outside_max",
            move |text| !compiled.iter().any(|pattern| pattern.is_match(text)),
        ));
    }
    Ok(checks)
}

fn written(patterns: &Patterns) -> String {
    match patterns {
        Patterns::One(pattern) => format!("{pattern:?}"),
        Patterns::Several(patterns) => format!("{patterns:?}"),
    }
}

/// Dates, JSON and kinds told by their form.
fn forms(rules: &ColumnRules) -> Result<Vec<RowCheck<'static>>> {
    let mut checks = Vec::new();
    if let Some(format) = rules.date_format.clone() {
        let expected = format!("a date or time written as {format}");
        let rule = format!("date_format = {format:?}");
        let edit = "change date_format or raise outside_max";
        let test = move |text: &str| calendar::is_written(&format, text);
        checks.push(check(rules, "DATE_FORMAT_MISMATCH", rule, "are not written so", expected, edit, test));
    }
    if rules.json || rules.json_schema.is_some() {
        let test = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        let (rule, edit) = ("json = true".to_owned(), "remove json or raise outside_max");
        checks.push(check(rules, "JSON_INVALID", rule, "are no JSON", "JSON".to_owned(), edit, test));
    }
    if let Some(schema) = &rules.json_schema {
        let validator = jsonschema::validator_for(schema)
            .map_err(|error| anyhow!("json_schema of column `{}`: {error}", rules.name))?;
        // Text that is no JSON has a finding of its own.
        let test = move |text: &str| serde_json::from_str(text).map_or(true, |value| validator.is_valid(&value));
        let (rule, edit) = ("json_schema".to_owned(), "change json_schema or raise outside_max");
        let expected = "JSON that the schema allows".to_owned();
        checks.push(check(rules, "JSON_SCHEMA_MISMATCH", rule, "break the JSON Schema", expected, edit, test));
    }
    if let Some(kind) = rules.semantic {
        let (rule, edit) = (format!("semantic = {:?}", kind.name()), "change semantic or raise outside_max");
        let test = move |text: &str| is(kind, text);
        let says = format!("are no {}", kind.name());
        checks.push(check(
            rules,
            "SEMANTIC_MISMATCH",
            rule,
            &says,
            format!("text of kind {}", kind.name()),
            edit,
            test,
        ));
    }
    Ok(checks)
}

/// Whether text is of a kind, by its form alone.
pub fn is(kind: Semantic, text: &str) -> bool {
    static EMAIL: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\A[^@\s]+@[^@\s.]+(\.[^@\s.]+)+\z").expect("a pattern that is written here"));
    static URL: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\Ahttps?://[^\s/$.?#][^\s]*\z").expect("a pattern that is written here"));
    static UUID: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\A[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\z").expect("a pattern that is written here")
    });
    match kind {
        Semantic::Email => EMAIL.is_match(text),
        Semantic::Url => URL.is_match(text),
        Semantic::Uuid => UUID.is_match(text),
        Semantic::Ip => text.parse::<IpAddr>().is_ok(),
    }
}

/// `ENUM_TYPE_INVALID_UTF8`: text with control characters or the replacement character, a sign of a wrong encoding.
pub fn invalid(profile: &ColumnProfile, rules: &ColumnRules) -> Option<RowCheck<'static>> {
    profile.texts.as_ref().filter(|texts| texts.invalid > 0)?;
    let odd =
        |letter: char| letter == char::REPLACEMENT_CHARACTER || (letter.is_control() && !"\t\n\r".contains(letter));
    Some(RowCheck {
        code: "ENUM_TYPE_INVALID_UTF8",
        severity: rules.severity.min(Severity::Warning),
        rule: "readable text".to_owned(),
        says: "hold characters that cannot be read".to_owned(),
        expected: "text in the encoding that it was read in".to_owned(),
        edit: format!(
            "correct the source or its encoding; else set the code off in severities of column `{}`",
            rules.name
        ),
        test: Test::Text(Box::new(move |text| !text.contains(odd))),
        tolerance: Tolerance::Never,
    })
}
