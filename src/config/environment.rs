//! The environment, read once when the process starts.

use std::collections::BTreeMap;
use std::env;
use std::time::Duration;

use crate::base::clock::{Clock, Timestamp};
use crate::base::fail::{self, Failure};
use crate::base::limits::{HOOK_WAIT, HOOK_WAIT_MAX};
use crate::base::{suggest, units};

/// Sections of the project file that variables may set: `MLOPS_TRAIN_MODEL=forest` is `[train] model = "forest"`.
pub const SECTIONS: [&str; 11] =
    ["PROJECT", "DATA", "SPLIT", "VALIDATE", "TRANSFORM", "TRAIN", "TUNE", "EVALUATE", "REGISTER", "SERVE", "MONITOR"];

/// What hooks are told by variables.
const HANDED_TO_HOOKS: [&str; 9] = [
    "MLOPS_HOOK_COMMAND",
    "MLOPS_HOOK_NAME",
    "MLOPS_HOOK_VERSION",
    "MLOPS_HOOK_ALIAS",
    "MLOPS_HOOK_FROM",
    "MLOPS_HOOK_TO",
    "MLOPS_HOOK_REASON",
    "MLOPS_HOOK_VERDICT",
    "MLOPS_HOOK_STATE",
];

/// What the environment says.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `MLOPS_<SECTION>_<KEY>`: lower-case section and key, value as text.
    pub settings: BTreeMap<(String, String), String>,
    /// `MLOPS_RUN`: the run that `log` writes to.
    pub run: Option<String>,
    /// `MLOPS_NOW`: the present, for tests and reproductions.
    pub now: Option<String>,
    /// `MLOPS_FAIL_POINT`: where a debug build stops dead.
    pub fail_point: Option<String>,
    /// `NO_COLOR` is set to anything but the empty text (no-color.org).
    pub no_color: bool,
    /// `TERM` is `dumb`.
    pub dumb_terminal: bool,
    /// The first of `LC_ALL`, `LC_CTYPE` and `LANG` that is set; it names the letters that the terminal knows.
    pub locale: Option<String>,
    /// All variables that do not start with `MLOPS_`: credentials, endpoints and proxies of sources are among them.
    pub variables: BTreeMap<String, String>,
    /// `MLOPS_HOOK`: the hook that this command was called by.
    pub hook: Option<String>,
    /// `MLOPS_HOOK_TIMEOUT`: how long a hook may take.
    pub hook_timeout: Option<String>,
    /// Variables that start with `MLOPS_` and mean nothing.
    pub unknown: Vec<String>,
}

impl Environment {
    /// Reads the variables of this process.
    pub fn read() -> Environment {
        Environment::from_variables(env::vars_os().filter_map(|(name, value)| {
            // A variable that is not Unicode cannot be one of ours.
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }))
    }

    /// Sorts out variables given as name and value.
    pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Environment {
        let mut found = Environment::default();
        let mut locales: [Option<String>; 3] = [None, None, None];
        for (name, value) in variables {
            match name.as_str() {
                "LC_ALL" => locales[0] = Some(value),
                "LC_CTYPE" => locales[1] = Some(value),
                "LANG" => locales[2] = Some(value),
                "NO_COLOR" => found.no_color = !value.is_empty(),
                "TERM" => found.dumb_terminal = value == "dumb",
                "MLOPS_RUN" => found.run = Some(value).filter(|run| !run.is_empty()),
                "MLOPS_NOW" => found.now = Some(value),
                "MLOPS_FAIL_POINT" => found.fail_point = Some(value),
                "MLOPS_SEED" => drop(found.settings.insert(("project".to_owned(), "seed".to_owned()), value)),
                "MLOPS_HOOK" => found.hook = Some(value).filter(|hook| !hook.is_empty()),
                "MLOPS_HOOK_TIMEOUT" => found.hook_timeout = Some(value),
                // Handed to the commands of stages and to hooks, not read back.
                "MLOPS_STAGE" => {}
                name if HANDED_TO_HOOKS.contains(&name) => {}
                other => found.sort_out(other, value),
            }
        }
        found.locale = locales.into_iter().flatten().find(|locale| !locale.is_empty());
        found
    }

    /// Whether only letters of ASCII are sure to be shown: a dumb terminal, or a locale that is set and not UTF-8.
    pub fn ascii(&self) -> bool {
        let utf8 = |locale: &String| ["utf-8", "utf8"].iter().any(|end| locale.to_lowercase().contains(end));
        self.dumb_terminal || self.locale.as_ref().is_some_and(|locale| !utf8(locale))
    }

    fn sort_out(&mut self, name: &str, value: String) {
        let Some(rest) = name.strip_prefix("MLOPS_") else {
            self.variables.insert(name.to_owned(), value);
            return;
        };
        if rest.starts_with("PARAM_") {
            return;
        }
        let section = SECTIONS.iter().find_map(|section| {
            let key = rest.strip_prefix(section)?.strip_prefix('_')?;
            Some((section.to_lowercase(), key.to_lowercase()))
        });
        match section {
            Some(place) => drop(self.settings.insert(place, value)),
            None => self.unknown.push(name.to_owned()),
        }
    }

    /// Refuses variables that start with `MLOPS_` and mean nothing: a slip there would go unseen.
    pub fn check(&self) -> Result<(), Failure> {
        let known = [
            "MLOPS_RUN",
            "MLOPS_SEED",
            "MLOPS_NOW",
            "MLOPS_TRAIN_MODEL",
            "MLOPS_SERVE_PORT",
            "MLOPS_DATA_SOURCE",
            "MLOPS_HOOK_TIMEOUT",
        ];
        match self.unknown.first() {
            Some(name) => Err(suggest::unknown("environment variable", name, known)),
            None => Ok(()),
        }
    }

    /// How long a hook may take.
    ///
    /// Errors: no duration, none at all, or more than [`HOOK_WAIT_MAX`].
    pub fn hook_wait(&self) -> Result<Duration, Failure> {
        let Some(text) = &self.hook_timeout else {
            return Ok(HOOK_WAIT);
        };
        let wait = units::parse_duration(text)?;
        if wait.is_zero() || wait > HOOK_WAIT_MAX {
            let most = HOOK_WAIT_MAX.as_secs() / 3600;
            return Err(fail::usage(format!("MLOPS_HOOK_TIMEOUT={text} is not above 0 and at most {most}h"))
                .hint("write it like 60s or 10m"));
        }
        Ok(wait)
    }

    /// Where the present comes from.
    pub fn clock(&self) -> Result<Clock, Failure> {
        match &self.now {
            None => Ok(Clock::System),
            Some(text) => Ok(Clock::Fixed(text.parse::<Timestamp>()?)),
        }
    }
}
