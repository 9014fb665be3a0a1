//! Panics of code that is not ours, as errors.
//!
//! A last resort around engines that run what others wrote: what they are given is checked before, and this is for what
//! the checks did not foresee. Our own code returns errors.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Does `work`; the message of its panic when it has one. What `work` was changing must not be used after that.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    DEPTH.set(DEPTH.get() + 1);
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    DEPTH.set(DEPTH.get() - 1);
    outcome.map_err(|payload| {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
    })
}

/// Whether a panic of this thread would be caught by [`caught`], and so is not to be told to anybody.
pub fn is_caught() -> bool {
    DEPTH.get() > 0
}
