//! Texts taken apart into terms: words, n-grams of words or of characters. Shared by hashed text and tf-idf.

use std::sync::Arc;

use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};
use serde::{Deserialize, Serialize};

use crate::base::fail::{self, Failure};
use crate::base::limits;
use crate::data::frame::{TextValues, Values};
use crate::features::column::Working;
use crate::spec::steps::Analyzer;

/// Distinct texts up to which threads cost more than they save.
const SEQUENTIAL_TEXTS_MAX: usize = 256;

/// How a text becomes terms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Analysis {
    /// Words or characters.
    pub analyzer: Analyzer,
    /// Fewest and most of them in one term.
    pub ngrams: [usize; 2],
    /// Small letters and capitals are the same.
    pub lowercase: bool,
}

/// Values of one text in the columns made of it, by column, 0 left out.
pub type Sparse = Vec<(u32, f64)>;

impl Analysis {
    /// Refuses numbers out of range.
    pub fn check(&self, op: &str) -> Result<(), Failure> {
        let ([low, high], most) = (self.ngrams, limits::NGRAM_MAX);
        match 1 <= low && low <= high && high <= most {
            true => Ok(()),
            false => Err(fail::usage(format!("{op}: ngrams = [{low}, {high}] do not rise between 1 and {most}"))
                .hint("write [1, 1] for single words, [1, 2] for words and pairs")),
        }
    }

    /// Gives every term of `text` to `each`, repeats included.
    ///
    /// The analyzers of scikit-learn's `CountVectorizer` (1.9): `word` takes runs of two and more letters, digits and `_`
    /// (`\b\w\w+\b`) and joins neighbours by a space; `char` takes neighbouring characters, white space of several
    /// characters counting as one space; `char_wb` does so within words, with a space at both ends of each.
    pub fn terms(&self, text: &str, mut each: impl FnMut(&str)) {
        let lowered = self.lowercase.then(|| text.to_lowercase());
        let text = lowered.as_deref().unwrap_or(text);
        match self.analyzer {
            Analyzer::Word => self.words(text, &mut each),
            Analyzer::Char => {
                let text = collapsed(text);
                let ends = boundaries(&text);
                for size in self.ngrams[0]..=self.ngrams[1] {
                    for start in 0..ends.len().saturating_sub(size) {
                        each(&text[ends[start]..ends[start + size]]);
                    }
                }
            }
            Analyzer::CharWb => {
                for word in text.split_whitespace() {
                    let word = format!(" {word} ");
                    let ends = boundaries(&word);
                    for size in self.ngrams[0]..=self.ngrams[1] {
                        if size + 1 >= ends.len() {
                            // A word no longer than the term is one term, once for all sizes beyond it.
                            each(&word);
                            break;
                        }
                        for start in 0..ends.len() - size {
                            each(&word[ends[start]..ends[start + size]]);
                        }
                    }
                }
            }
        }
    }

    fn words(&self, text: &str, each: &mut impl FnMut(&str)) {
        let letter = |character: char| character.is_alphanumeric() || character == '_';
        let words = text.split(|character| !letter(character)).filter(|word| word.chars().nth(1).is_some());
        if self.ngrams == [1, 1] {
            words.for_each(each);
            return;
        }
        let words: Vec<&str> = words.collect();
        for size in self.ngrams[0]..=self.ngrams[1] {
            for run in words.windows(size) {
                each(&run.join(" "));
            }
        }
    }
}

/// White space of two characters or more as one space.
fn collapsed(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character.is_whitespace() && characters.next_if(|next| next.is_whitespace()).is_some() {
            while characters.next_if(|next| next.is_whitespace()).is_some() {}
            made.push(' ');
        } else {
            made.push(character);
        }
    }
    made
}

/// Where characters begin, and the end.
fn boundaries(text: &str) -> Vec<usize> {
    text.char_indices().map(|(at, _)| at).chain([text.len()]).collect()
}

/// Columns of numbers made of the texts of a column: `values` of each text, looked at once for each distinct text that rows
/// have, in parallel. 0 everywhere for a missing text. `None` for a column of another kind.
pub fn spread<'a>(
    column: &Working<'a>,
    names: &[Arc<str>],
    values: impl Fn(&str) -> Sparse + Sync,
) -> Option<Vec<Working<'a>>> {
    let Values::Text(text) = &*column.values else {
        return None;
    };
    let mut made = vec![vec![0.0; text.codes.len()]; names.len()];
    let mut put = |row: usize, sparse: &Sparse| {
        for &(position, value) in sparse {
            made[position as usize][row] = value;
        }
    };
    if text.levels.len() > text.codes.len() {
        for row in 0..text.codes.len() {
            if let Some(text) = text.get(row) {
                put(row, &values(text));
            }
        }
    } else {
        let table = each_level(text, values);
        for (row, &code) in text.codes.iter().enumerate() {
            if let Some(sparse) = table.get(code as usize) {
                put(row, sparse);
            }
        }
    }
    let columns = names.iter().zip(made).map(|(name, values)| column.made(name, Values::Number(values)));
    Some(columns.collect())
}

/// Something made of each distinct text, in their order.
pub fn each_level<T: Send>(text: &TextValues, make: impl Fn(&str) -> T + Sync) -> Vec<T> {
    match text.levels.len() <= SEQUENTIAL_TEXTS_MAX {
        true => text.levels.iter().map(|level| make(level)).collect(),
        false => text.levels.par_iter().map(|level| make(level)).collect(),
    }
}
