//! "Did you mean": the nearest known name to one that is unknown.

use crate::base::fail::{self, Failure};

/// Names listed in full when nothing is near; beyond it the list stops with its length.
const LISTED_MAX: usize = 12;

/// The known name nearest to `unknown`, if near enough to be a slip (Jaro-Winkler at least 0.8, or a shared prefix).
pub fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = unknown.to_lowercase();
    let scored = known.into_iter().map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= 0.8).then_some(best.1)
}

/// A usage failure for an unknown `kind` (say "column") with the nearest known name, or all names, as its hint.
pub fn unknown<'a>(kind: &str, name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Failure {
    let failure = fail::usage(format!("unknown {kind} `{name}`"));
    if let Some(near) = nearest(name, known.clone()) {
        return failure.hint(format!("did you mean `{near}`?"));
    }
    let all: Vec<&str> = known.into_iter().collect();
    match all.len() {
        0 => failure.hint(format!("there is no {kind} yet")),
        count if count <= LISTED_MAX => failure.hint(format!("known: {}", all.join(", "))),
        count => failure.hint(format!("known: {}, … ({count} in all)", all[..LISTED_MAX].join(", "))),
    }
}
