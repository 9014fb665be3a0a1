//! Codes of a fixed shape: `AB1234` is `[A-Z]{2}[0-9]{4}`.

use crate::quality::rows::View;

/// Values from which a common shape says something.
const VALUES_MIN: u64 = 100;
/// Characters of the longest code.
const CHARS_MAX: usize = 40;

/// What stands at one place of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Upper,
    Lower,
    Digit,
    Sign(char),
}

/// The regular expression of the one shape that every text of a column has; none for fewer than [`VALUES_MIN`] texts, for
/// words (letters alone), for text of different shapes. Stops at the first text that differs.
pub fn common_shape(view: View<'_>) -> Option<String> {
    let View::Text(values) = view else {
        return None;
    };
    let mut shape: Option<Vec<Place>> = None;
    let mut count = 0;
    for text in values.iter().flatten() {
        let known = match &shape {
            Some(shape) => shape,
            None => shape.insert(places(text)?),
        };
        let mut letters = text.chars();
        let same = known.iter().all(|place| letters.next().and_then(place_of) == Some(*place));
        if !same || letters.next().is_some() {
            return None;
        }
        count += 1;
    }
    let shape = shape.filter(|shape| count >= VALUES_MIN && shape.contains(&Place::Digit))?;
    Some(written(&shape))
}

fn places(text: &str) -> Option<Vec<Place>> {
    let places: Option<Vec<Place>> = text.chars().map(place_of).collect();
    places.filter(|places| !places.is_empty() && places.len() <= CHARS_MAX)
}

fn place_of(letter: char) -> Option<Place> {
    match letter {
        'A'..='Z' => Some(Place::Upper),
        'a'..='z' => Some(Place::Lower),
        '0'..='9' => Some(Place::Digit),
        '-' | '_' | '.' | '/' | ':' | '#' | ' ' | '+' => Some(Place::Sign(letter)),
        _ => None,
    }
}

fn written(shape: &[Place]) -> String {
    let mut pattern = String::new();
    for run in shape.chunk_by(|a, b| a == b) {
        match run[0] {
            Place::Upper => pattern.push_str("[A-Z]"),
            Place::Lower => pattern.push_str("[a-z]"),
            Place::Digit => pattern.push_str("[0-9]"),
            Place::Sign(sign) => {
                if matches!(sign, '.' | '+') {
                    pattern.push('\\');
                }
                pattern.push(sign);
            }
        }
        if run.len() > 1 {
            pattern.push_str(&format!("{{{}}}", run.len()));
        }
    }
    pattern
}
