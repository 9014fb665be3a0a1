//! Gates: what a model must hold before it may go further, judged one by one and together.
//!
//! Semantics of TensorFlow Model Analysis' thresholds (its code, where the guide differs): bounds belong to what passes; a
//! change is `value - champion`, a relative one `(value - champion) / champion`, and a champion of 0 fails it. Two differences
//! are said aloud: nothing is skipped in silence, and no gates at all is the verdict `none`.

mod check;
mod each;
mod lookup;
mod sure;
mod words;

pub use check::{COSTS, Needs, check};
pub use each::same_slice;
pub use lookup::{Leaf, Measured};
pub use sure::{Drawn, Sure};

use crate::metrics::gate::sure::Judged;
use crate::metrics::gate::words::{show, show_apart, wanted};
use crate::record::evaluation::{GateResult, Interval, Verdict};
use crate::spec::gate::{Bound, GateSpec, Offset, Term};

/// Judges one gate on what was measured of the model and of the champion, `None` when there is no champion yet. With `sure`,
/// the whole interval has to hold too.
///
/// A metric that is missing or not finite fails; one that the champion lacks fails too. A gate against a champion that
/// does not exist yet passes, and the reason says so. Equality passes `>=` and `<=`: a champion's value plus an
/// offset is taken as on paper, so that 0.52 - 0.05 is 0.47.
pub fn judge(gate: &GateSpec, ours: &Measured, champion: Option<&Measured>, sure: Option<&Sure>) -> GateResult {
    if gate.is_each() {
        return each::judge(gate, ours, champion, sure);
    }
    let value = match ours.formula(&gate.left) {
        Ok(value) => value,
        Err(reason) => return result(gate, None, None, false, reason),
    };
    let against = match (&gate.bound, champion) {
        (Bound::Value(bound), _) => Against::Number(*bound),
        (Bound::Champion { term, .. }, None) => {
            let reason = format!("there is no champion yet to compare {term} with; it is {}", show(value));
            return result(gate, Some(value), None, true, reason);
        }
        (Bound::Champion { term, offset }, Some(champion)) => match champion.term(term) {
            Ok(theirs) => Against::Champion(theirs, *offset),
            Err(reason) => return result(gate, Some(value), None, false, of_the_champion(term, &reason)),
        },
    };
    let drawn = sure.map(|sure| sure.judged(gate, &against, ours, champion));
    let outcome = compare(gate, value, &against, drawn);
    let left_out = ours.left_out(&gate.left);
    let note = if left_out.is_empty() { String::new() } else { format!(" (no value for {})", left_out.join(", ")) };
    let judged = result(gate, Some(value), outcome.bound, outcome.passed, outcome.reason + &note);
    GateResult { interval: outcome.interval, ..judged }
}

/// Judges all gates, also after one has failed.
pub fn judge_all(
    gates: &[GateSpec],
    ours: &Measured,
    champion: Option<&Measured>,
    sure: Option<&Sure>,
) -> Vec<GateResult> {
    gates.iter().map(|gate| judge(gate, ours, champion, sure)).collect()
}

/// Fail if one failed, pass if all passed, none if there are no gates.
pub fn verdict(results: &[GateResult]) -> Verdict {
    match results {
        [] => Verdict::None,
        _ if results.iter().all(|result| result.verdict == Verdict::Pass) => Verdict::Pass,
        _ => Verdict::Fail,
    }
}

/// What a value is held against.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Against {
    Number(f64),
    Champion(f64, Offset),
}

/// How one comparison went.
#[derive(Debug)]
struct Outcome {
    bound: Option<f64>,
    passed: bool,
    reason: String,
    interval: Option<Interval>,
}

fn result(gate: &GateSpec, value: Option<f64>, bound: Option<f64>, passed: bool, reason: String) -> GateResult {
    let verdict = if passed { Verdict::Pass } else { Verdict::Fail };
    GateResult { expression: gate.text.clone(), value, bound, verdict, reason, interval: None }
}

fn of_the_champion(term: &Term, reason: &str) -> String {
    match reason.split_once(": ") {
        Some((_, why)) => format!("the champion has no value of `{term}`: {why}"),
        None => format!("the champion has no value of `{term}`"),
    }
}

/// Holds one value against its bound, and with `drawn` its interval too.
fn compare(gate: &GateSpec, value: f64, against: &Against, drawn: Option<Judged>) -> Outcome {
    let (bound, comparison, origin) = match *against {
        Against::Number(bound) => (bound, gate.comparison, String::new()),
        Against::Champion(theirs, Offset::Absolute(offset)) => {
            (shifted(theirs, offset), gate.comparison, words::origin(theirs, offset))
        }
        Against::Champion(0.0, Offset::Relative(_)) => {
            let reason = "the champion's value is 0, so there is no relative change of it".to_owned();
            return Outcome { bound: None, passed: false, reason, interval: None };
        }
        Against::Champion(theirs, Offset::Relative(share)) => {
            // (value - theirs) / theirs against the share, with the bound as on paper; a negative champion turns it round.
            let comparison = if theirs < 0.0 { gate.comparison.mirrored() } else { gate.comparison };
            (paper(theirs * (1.0 + share)), comparison, words::relative_origin(theirs, share))
        }
    };
    let holds = comparison.holds(value, bound);
    let (value_text, bound_text) = show_apart(value, bound);
    let joint = if holds { "is" } else { "is not" };
    let plain = format!("{value_text} {joint} {} {bound_text}{origin}", wanted(comparison));
    let Some(judged) = drawn else {
        return Outcome { bound: Some(bound), passed: holds, reason: plain, interval: None };
    };
    let (passed, said) = judged.said(holds);
    Outcome { bound: Some(bound), passed, reason: plain + &said, interval: judged.interval() }
}

/// `value + offset` as a person would get it on paper.
fn shifted(value: f64, offset: f64) -> f64 {
    if offset == 0.0 { value } else { paper_sum(value, offset) }
}

/// A sum to the 15th digit of the larger of its two numbers: what lies beyond is the noise of binary fractions, and a difference
/// of numbers that are nearly equal is full of it.
fn paper_sum(a: f64, b: f64) -> f64 {
    let (sum, largest) = (a + b, a.abs().max(b.abs()));
    let places = 14 - largest.log10().floor() as i32;
    match (sum.is_finite() && largest > 0.0, usize::try_from(places)) {
        // Adding zero makes one value of -0.0 and 0.0.
        (true, Ok(places)) if places < 300 => format!("{sum:.places$}").parse().map_or(sum, |sum: f64| sum + 0.0),
        _ => sum,
    }
}

/// 15 significant digits.
fn paper(value: f64) -> f64 {
    format!("{value:.14e}").parse().unwrap_or(value)
}
