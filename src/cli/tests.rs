//! Tests of the command line itself.

use clap::CommandFactory;

use crate::cli::Cli;
use crate::cli::args::parse_setting;

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_verb_explains_itself_with_an_example() {
    for verb in Cli::command().get_subcommands() {
        let name = verb.get_name();
        assert!(verb.get_about().is_some_and(|about| !about.to_string().ends_with('.')), "{name}: first line");
        let examples = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(examples.contains(&format!("mlops {name}")), "{name}: no example that uses it");
    }
}

#[test]
fn settings_are_toml_where_they_can_be() -> anyhow::Result<()> {
    assert_eq!(parse_setting("trees=100")?, ("trees".to_owned(), toml::Value::Integer(100)));
    assert_eq!(parse_setting("weights=distance")?.1, toml::Value::String("distance".to_owned()));
    assert!(parse_setting("trees").is_err() && parse_setting("=3").is_err());
    Ok(())
}
