//! Failures that a person reads: what happened, where, and what to do next.
//!
//! A [`Failure`] travels inside `anyhow::Error`; context added on the way names the file, id or column. The command
//! line finds it again, prints its hint and turns its [`Blame`] into the exit code. Errors without a `Failure` count
//! as [`Blame::World`].

use std::fmt;

/// Who has to act, and so which exit code the process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The request or the configuration is wrong: exit 2.
    Request,
    /// It could not be done here and now (missing, busy, input or output, network, corrupt): exit 3.
    World,
}

/// One failure: a sentence, an optional hint, and who has to act.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Who has to act.
    pub blame: Blame,
    /// What happened and where, without a full stop.
    pub what: String,
    /// What to do next.
    pub hint: Option<String>,
}

/// A failure of the request: unknown name, bad value, contradiction. Exit code 2.
pub fn usage(what: impl Into<String>) -> Failure {
    Failure { blame: Blame::Request, what: what.into(), hint: None }
}

/// A failure of the world: missing, busy, damaged, full. Exit code 3.
pub fn world(what: impl Into<String>) -> Failure {
    Failure { blame: Blame::World, what: what.into(), hint: None }
}

impl Failure {
    /// Adds what the person can do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    /// What happened with the hint in brackets, for places that can hold one text only.
    pub fn in_words(self) -> String {
        match self.hint {
            Some(hint) => format!("{} ({hint})", self.what),
            None => self.what,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Failure {}

/// The failure inside an error, if one was put there.
pub fn find(error: &anyhow::Error) -> Option<&Failure> {
    error.chain().find_map(|cause| cause.downcast_ref::<Failure>())
}
