//! Named places where a test may stop the process dead, as a power cut would.
//!
//! Debug builds only: in a release build [`hit`] is empty. The command line arms one point from the environment.

#[cfg(debug_assertions)]
use std::sync::OnceLock;

/// Every point, so that a test can visit them all and none is forgotten.
pub const POINTS: &[&str] = &[
    "store.staged",
    "store.synced",
    "tx.before-intent",
    "tx.after-intent",
    "tx.after-refs",
    "tx.after-audit",
    "ingest.parsed",
    "train.fitted",
    "run.journal-open",
    "tune.trial-kept",
    "tune.trials-sealed",
    "tune.searched",
    "gc.planned",
    "gc.half-removed",
];

#[cfg(debug_assertions)]
static ARMED: OnceLock<String> = OnceLock::new();

/// Arms `point`: the next [`hit`] of that name kills the process. Without effect in release builds.
pub fn arm(point: &str) {
    #[cfg(debug_assertions)]
    {
        let _ = ARMED.set(point.to_owned());
    }
    #[cfg(not(debug_assertions))]
    let _ = point;
}

/// Kills the process with SIGKILL if `point` is armed.
pub fn hit(point: &'static str) {
    debug_assert!(POINTS.contains(&point), "fail point `{point}` is not listed in POINTS");
    #[cfg(debug_assertions)]
    if ARMED.get().is_some_and(|armed| armed == point) {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::Signal::SIGKILL);
    }
}
