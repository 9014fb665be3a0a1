//! Pairs of columns: products of numbers, texts taken together.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};
use serde::{Deserialize, Serialize};

use crate::data::frame::{MISSING_CODE, TextValues, Values};
use crate::features::column::{Kind, Shape, Working};
use crate::features::fitted::damaged;
use crate::features::fitting::shared;
use crate::features::many::product::{FittedProduct, check_count};
use crate::features::many::{FittedMany, ManyStep};
use crate::features::recipe::StepForm;

/// Pairs of texts as one text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedCross {
    pub(crate) inputs: Vec<Arc<str>>,
    /// Positions in `inputs` of both texts of each pair.
    pub(crate) pairs: Vec<(u32, u32)>,
    pub(crate) columns: Vec<Arc<str>>,
}

/// Adds the product `a*b` of every two columns of numbers or indicators, and the text `a&b` of every two of text.
///
/// A crossed value is both texts with `&` between them, `\&` and `\\` standing for `&` and `\` inside them, so that
/// different pairs stay different; missing where either is. Errors (usage): more pairs than a table may have columns.
pub fn fit(columns: &[&Working]) -> Result<Vec<StepForm>> {
    let of = |kinds: &[Kind]| {
        let found = columns.iter().filter(|column| kinds.contains(&Kind::of(&column.values)));
        shared(found.map(|column| &*column.name))
    };
    let (numbers, texts) = (of(&[Kind::Number, Kind::Indicator]), of(&[Kind::Text]));
    let count = |names: &[Arc<str>]| (names.len() as u128 * (names.len() as u128).saturating_sub(1)) / 2;
    check_count("interact", count(&numbers) + count(&texts))?;
    let mut forms = Vec::new();
    if numbers.len() > 1 {
        let factors = pairs(numbers.len()).map(|(a, b)| vec![a, b]).collect();
        let name = |factors: &[u32]| format!("{}*{}", numbers[factors[0] as usize], numbers[factors[1] as usize]);
        forms.push(StepForm::Many(FittedMany::Product(FittedProduct::new(numbers.clone(), factors, name))));
    }
    if texts.len() > 1 {
        let pairs: Vec<(u32, u32)> = pairs(texts.len()).collect();
        let name = |&(a, b): &(u32, u32)| format!("{}&{}", texts[a as usize], texts[b as usize]).into();
        let columns = pairs.iter().map(name).collect();
        forms.push(StepForm::Many(FittedMany::Cross(FittedCross { inputs: texts, pairs, columns })));
    }
    Ok(forms)
}

fn pairs(count: usize) -> impl Iterator<Item = (u32, u32)> {
    let count = count as u32;
    (0..count).flat_map(move |a| (a + 1..count).map(move |b| (a, b)))
}

impl ManyStep for FittedCross {
    fn inputs(&self) -> &[Arc<str>] {
        &self.inputs
    }

    fn columns(&self) -> &[Arc<str>] {
        &self.columns
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut self.columns
    }

    fn kinds(&self, inputs: &[&Shape]) -> Result<Vec<Kind>> {
        for input in inputs {
            input.expect("cross", &[Kind::Text])?;
        }
        let sound = |&(a, b): &(u32, u32)| (a.max(b) as usize) < inputs.len();
        if self.columns.len() != self.pairs.len() || !self.pairs.iter().all(sound) {
            return Err(damaged("pairs of texts do not fit the columns that they are made of".to_owned()));
        }
        Ok(vec![Kind::Text; self.columns.len()])
    }

    fn apply(&self, inputs: &[&Working]) -> Result<Vec<Values>> {
        let cross = |&(a, b): &(u32, u32)| match (&*inputs[a as usize].values, &*inputs[b as usize].values) {
            (Values::Text(a), Values::Text(b)) => Values::Text(crossed(a, b)),
            (other, _) => Values::Text(TextValues { codes: vec![MISSING_CODE; other.len()], levels: Vec::new() }),
        };
        Ok(self.pairs.par_iter().map(cross).collect())
    }
}

/// Both texts of each row as one; values in the order of first appearance.
fn crossed(a: &TextValues, b: &TextValues) -> TextValues {
    let mut seen: HashMap<(u32, u32), u32> = HashMap::new();
    let mut levels: Vec<Arc<str>> = Vec::new();
    let both = a.codes.iter().zip(&b.codes).map(|(&first, &second)| {
        let (Some(one), Some(other)) = (a.levels.get(first as usize), b.levels.get(second as usize)) else {
            return MISSING_CODE;
        };
        *seen.entry((first, second)).or_insert_with(|| {
            levels.push(format!("{}&{}", escaped(one), escaped(other)).into());
            levels.len() as u32 - 1
        })
    });
    let codes = both.collect();
    TextValues { codes, levels }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('&', "\\&")
}
