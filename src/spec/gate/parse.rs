//! Reading gates: one pass from left to right; errors name the place.
//!
//! Values in brackets may hold any sign, brackets too (`slice(port=(missing)).recall`). Where a bracket may end at several
//! places, the one that closes it is tried first, then the others: the first reading that fits the whole text is taken.

use crate::base::fail::{self, Failure};
use crate::base::limits::GATE_BYTES_MAX;
use crate::base::suggest;
use crate::spec::gate::{Bound, Comparison, Extreme, Formula, GateSpec, Offset, Operator, Scope, Term};

const FORM: &str = "write it like `accuracy >= 0.9`, `f1_macro >= champion.f1_macro - 0.01` or \
                    `slice(sex).recall.min >= 0.8`";
const SLICE_FORM: &str = "a slice is written `slice(COL=VALUE).METRIC` or `slice(COL).METRIC.min`, `.max`, `.gap` or \
                          `.each`; a group `facet(COL=VALUE).MEASURE`";
/// Most places tried as the end of one bracket.
const ENDS_MAX: usize = 16;
/// Signs of other languages, and what they are here.
const OTHER_SIGNS: [(&str, &str); 9] = [
    ("=>", ">="),
    ("=<", "<="),
    ("≥", ">="),
    ("≤", "<="),
    ("===", "=="),
    ("!=", "nothing: a gate cannot ask for a difference"),
    ("<>", "nothing: a gate cannot ask for a difference"),
    (">>", ">"),
    ("<<", "<"),
];

/// What is wrong, and where: a position in bytes.
struct Slip {
    at: usize,
    why: String,
    hint: String,
}

fn slip(at: usize, why: impl Into<String>) -> Slip {
    Slip { at, why: why.into(), hint: FORM.to_owned() }
}

impl Slip {
    fn hint(mut self, hint: impl Into<String>) -> Slip {
        self.hint = hint.into();
        self
    }
}

/// Ways to read something from a place on, the likeliest first, each with the place after it or what is wrong with it.
type Readings<T> = Vec<Result<(T, usize), Slip>>;

/// Reads one gate.
pub fn parse(text: &str) -> Result<GateSpec, Failure> {
    if text.len() > GATE_BYTES_MAX {
        let bytes = text.len();
        return Err(fail::usage(format!("a gate of {bytes} bytes is longer than {GATE_BYTES_MAX}")).hint(FORM));
    }
    let text = text.trim();
    if text.is_empty() {
        return Err(fail::usage("gate ``: there is nothing in it").hint(FORM));
    }
    Reader { text }.gate().map_err(|Slip { at, why, hint }| {
        let place = text.get(..at).unwrap_or(text).chars().count() + 1;
        fail::usage(format!("gate `{text}`, character {place}: {why}")).hint(hint)
    })
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    text: &'a str,
}

impl<'a> Reader<'a> {
    fn gate(self) -> Result<GateSpec, Slip> {
        let mut first_slip = None;
        for reading in self.formula(0) {
            match reading.and_then(|(left, at)| self.after(left, at)) {
                Ok(gate) => return Ok(gate),
                Err(found) => first_slip = first_slip.or(Some(found)),
            }
        }
        Err(first_slip.unwrap_or_else(|| slip(0, "there is no metric")))
    }

    /// Comparison and bound of a gate about `left`.
    fn after(self, left: Formula, at: usize) -> Result<GateSpec, Slip> {
        let (comparison, at) = self.comparison(at)?;
        let mut first_slip = None;
        let whole = |(bound, end)| {
            let end = self.skip(end);
            let rest = &self.text[end..];
            if !rest.is_empty() {
                return Err(slip(end, format!("`{rest}` stands after the bound")));
            }
            let gate = GateSpec { text: self.text.to_owned(), left: left.clone(), comparison, bound };
            check_each(&gate, at).map(|()| gate)
        };
        for reading in self.bounds(at) {
            match reading.and_then(whole) {
                Ok(gate) => return Ok(gate),
                Err(found) => first_slip = first_slip.or(Some(found)),
            }
        }
        Err(first_slip.unwrap_or_else(|| slip(at, "there is no bound")))
    }

    /// The next place that is not blank.
    fn skip(self, at: usize) -> usize {
        self.text.len() - self.text[at..].trim_start().len()
    }

    fn formula(self, at: usize) -> Readings<Formula> {
        let mut all = Vec::new();
        for reading in self.term(at) {
            match reading {
                Ok((first, end)) => all.extend(self.joined(first, end)),
                Err(found) => all.push(Err(found)),
            }
        }
        all
    }

    /// A term that ends at `end` alone, or with the one that is put together with it.
    fn joined(self, first: Term, end: usize) -> Readings<Formula> {
        let next = self.skip(end);
        let sign = self.text[next..].chars().next();
        let operator = match sign {
            Some('-' | '−') => Operator::Minus,
            Some('/' | '÷') => Operator::Over,
            Some(sign @ ('+' | '*')) => {
                let why = format!("`{sign}` cannot put two terms together");
                return vec![Err(slip(next, why).hint("two terms are put together by `-` or `/`"))];
            }
            _ => return vec![Ok((Formula::of(first), end))],
        };
        let second = self.term(next + sign.map_or(0, char::len_utf8)).into_iter();
        let join = |(term, end)| (Formula { first: first.clone(), then: Some((operator, term)) }, end);
        second.map(|reading| reading.map(join)).collect()
    }

    fn term(self, at: usize) -> Readings<Term> {
        let at = self.skip(at);
        let rest = &self.text[at..];
        if rest.starts_with("champion.") {
            let why = "the champion stands after the comparison";
            return vec![Err(slip(at, why).hint("write it like `f1 >= champion.f1 - 0.01`"))];
        }
        let name = self.name(at);
        if name.is_empty() {
            let what = if number(rest).is_some() { "a number stands where" } else { "there is none where" };
            return vec![Err(slip(at, format!("{what} a metric belongs")))];
        }
        let end = at + name.len();
        if let Some(scope) = Scope::ALL.into_iter().find(|scope| scope.name() == name)
            && self.text[end..].starts_with('(')
        {
            return self.part(scope, at, end + 1);
        }
        vec![self.with_parameter(at).map(|(name, end)| (Term::Whole(name), end))]
    }

    /// The letters, digits and low lines from `at` on, the first of them no digit.
    fn name(self, at: usize) -> &'a str {
        let rest = &self.text[at..];
        let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
        let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
        if rest.starts_with(|letter: char| letter.is_numeric()) { "" } else { &rest[..end] }
    }

    /// A metric with or without a parameter in brackets.
    fn with_parameter(self, at: usize) -> Result<(String, usize), Slip> {
        let name = self.name(at);
        let end = at + name.len();
        if !self.text[end..].starts_with('(') {
            return Ok((name.to_owned(), end));
        }
        let Some(close) = closing(&self.text[end..]) else {
            return Err(slip(end, "this bracket is not closed"));
        };
        let parameter = self.text[end + 1..end + close].trim();
        Ok((format!("{name}({parameter})"), end + close + 1))
    }

    /// `slice(INNER).METRIC.EXTREME` from the start of INNER on.
    fn part(self, scope: Scope, start: usize, inside: usize) -> Readings<Term> {
        let ends = self.ends(inside);
        if ends.is_empty() {
            let name = scope.name();
            return vec![Err(slip(start, format!("this is no `{name}(…).METRIC`")).hint(SLICE_FORM))];
        }
        ends.into_iter().map(|close| self.part_until(scope, inside, close)).collect()
    }

    /// Places of brackets that may close the one before `inside`: one that does, then all that a dot follows.
    fn ends(self, inside: usize) -> Vec<usize> {
        let rest = &self.text[inside - 1..];
        let balanced = closing(rest).map(|close| inside - 1 + close);
        let is_end = |at: &usize| self.text[*at..].starts_with(").");
        let others = self.text[inside..].match_indices(").").map(|(at, _)| inside + at);
        let others = others.filter(|at| Some(*at) != balanced).take(ENDS_MAX);
        balanced.filter(is_end).into_iter().chain(others).collect()
    }

    fn part_until(self, scope: Scope, inside: usize, close: usize) -> Result<(Term, usize), Slip> {
        let inner = self.text[inside..close].trim();
        if inner.is_empty() {
            return Err(slip(inside, "there is nothing in the brackets").hint(SLICE_FORM));
        }
        let at = close + 2;
        if self.name(at).is_empty() {
            return Err(slip(at, "a metric is missing after the dot").hint(SLICE_FORM));
        }
        let (metric, mut end) = self.with_parameter(at)?;
        let mut extreme = None;
        if self.text[end..].starts_with('.') {
            let word = self.name(end + 1);
            extreme = Extreme::ALL.into_iter().find(|extreme| extreme.name() == word);
            if extreme.is_none() {
                let names = Extreme::ALL.map(Extreme::name);
                let near = suggest::nearest(word, names).map(|near| format!("did you mean `.{near}`?"));
                let known = "known: `.min`, `.max`, `.gap`, `.each`".to_owned();
                return Err(slip(end, format!("`.{word}` of slices is unknown")).hint(near.unwrap_or(known)));
            }
            end += 1 + word.len();
        }
        Ok((Term::Part { scope, inner: inner.to_owned(), metric, extreme }, end))
    }

    fn comparison(self, at: usize) -> Result<(Comparison, usize), Slip> {
        let at = self.skip(at);
        let rest = &self.text[at..];
        let other = OTHER_SIGNS.iter().find(|(sign, _)| rest.starts_with(sign));
        if let Some((sign, here)) = other {
            return Err(slip(at, format!("`{sign}` is no comparison")).hint(
                match Comparison::ALL.iter().any(|known| known.symbol() == *here) {
                    true => format!("did you mean `{here}`?"),
                    false => format!("`{sign}` is {here}"),
                },
            ));
        }
        if let Some(found) = Comparison::ALL.into_iter().find(|known| rest.starts_with(known.symbol())) {
            return Ok((found, at + found.symbol().len()));
        }
        if rest.starts_with('=') {
            return Err(slip(at, "`=` is no comparison").hint("did you mean `==`, or `>=`?"));
        }
        let word = rest.split_whitespace().next().unwrap_or_default();
        let why = if word.is_empty() {
            "there is no comparison".to_owned()
        } else {
            format!("there is no comparison, but `{word}`")
        };
        Err(slip(at, why).hint(format!("compare with >=, >, <=, < or ==; {FORM}")))
    }

    fn bounds(self, at: usize) -> Readings<Bound> {
        let at = self.skip(at);
        let rest = &self.text[at..];
        if let Some((value, length)) = number(rest) {
            if rest[length..].trim_start().starts_with('%') {
                let why = "a percentage stands only after a champion's metric";
                return vec![Err(slip(at, why).hint(format!("write {} for {value} %", value / 100.0)))];
            }
            return vec![Ok((Bound::Value(value), at + length))];
        }
        if rest.starts_with("champion.") {
            let start = at + "champion.".len();
            if self.name(start).is_empty() {
                return vec![Err(slip(start, "a metric of the champion is missing"))];
            }
            let readings = self.term(start).into_iter();
            return readings.map(|reading| reading.and_then(|(term, end)| self.offset(term, end))).collect();
        }
        let why = match rest.split_whitespace().next() {
            Some("champion") => "which metric of the champion?".to_owned(),
            Some(word) => format!("`{word}` is neither a number nor champion.METRIC"),
            None => "there is no bound".to_owned(),
        };
        vec![Err(slip(at, why))]
    }

    /// A champion's term with what is added to it.
    fn offset(self, term: Term, end: usize) -> Result<(Bound, usize), Slip> {
        let at = self.skip(end);
        let rest = &self.text[at..];
        let sign = match rest.chars().next() {
            Some('+') => 1.0,
            Some('-' | '−') => -1.0,
            Some(letter @ ('*' | '/')) => {
                let why = format!("`{letter}` cannot follow a champion's metric");
                return Err(slip(at, why).hint("write a share of it as `champion.f1 - 1%`"));
            }
            _ => return Ok((Bound::Champion { term, offset: Offset::Absolute(0.0) }, end)),
        };
        let start = self.skip(at + rest.chars().next().map_or(0, char::len_utf8));
        let rest = &self.text[start..];
        let unsigned = number(rest).filter(|_| !rest.starts_with(['+', '-']));
        let Some((value, length)) = unsigned else {
            return Err(slip(start, "a number or a percentage belongs here"));
        };
        let value = sign * value;
        let after = self.skip(start + length);
        Ok(match self.text[after..].starts_with('%') {
            true => (Bound::Champion { term, offset: Offset::Relative(value / 100.0) }, after + 1),
            false => (Bound::Champion { term, offset: Offset::Absolute(value) }, start + length),
        })
    }
}

/// Makes sure that slices that have to hold each by itself are compared with something that each has.
fn check_each(gate: &GateSpec, bound_at: usize) -> Result<(), Slip> {
    let is_each = |term: &Term| matches!(term, Term::Part { extreme: Some(Extreme::Each), .. });
    if gate.left.then.is_some() && gate.left.terms().any(is_each) {
        return Err(slip(0, "`.each` cannot be part of a difference or ratio").hint("use `.min`, `.max` or `.gap`"));
    }
    let Some(theirs) = gate.of_champion() else {
        return Ok(());
    };
    let fits = match (&gate.left.first, theirs) {
        (Term::Part { scope, inner, .. }, Term::Part { scope: same, inner: other, extreme, .. }) if gate.is_each() => {
            scope == same && inner == other && matches!(extreme, None | Some(Extreme::Each))
        }
        _ => gate.is_each() || !is_each(theirs),
    };
    let why = "`.each` compares every slice with the same slice of the champion";
    let hint = "write it like `slice(sex).recall.each >= champion.recall - 0.02`";
    if fits { Ok(()) } else { Err(slip(bound_at, why).hint(hint)) }
}

/// The number at the start of `text` and its length: digits with or without sign, point and exponent; finite.
fn number(text: &str) -> Option<(f64, usize)> {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let sign = usize::from(text.starts_with(['+', '-']));
    let whole = digits(sign);
    let mut end = sign + whole;
    let mut fraction = 0;
    if text[end..].starts_with('.') {
        fraction = digits(end + 1);
        end += 1 + fraction;
    }
    if whole + fraction == 0 {
        return None;
    }
    if text[end..].starts_with(['e', 'E']) {
        let start = end + 1 + usize::from(text[end + 1..].starts_with(['+', '-']));
        let exponent = digits(start);
        end = if exponent > 0 { start + exponent } else { end };
    }
    text[..end].parse().ok().filter(|value: &f64| value.is_finite()).map(|value| (value, end))
}

/// Place of the bracket that closes the one at the start of `text`; brackets in quotes do not count, unless a quote is left
/// open.
fn closing(text: &str) -> Option<usize> {
    let find = |heeds_quotes: bool| {
        let (mut depth, mut quoted) = (0_usize, false);
        text.char_indices().find_map(|(at, letter)| {
            match letter {
                '\'' if heeds_quotes => quoted = !quoted,
                '(' if !quoted => depth += 1,
                ')' if !quoted => {
                    depth -= 1;
                    return (depth == 0).then_some(at);
                }
                _ => {}
            }
            None
        })
    };
    find(true).or_else(|| find(false))
}
