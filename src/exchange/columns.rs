//! What an exported file reads: the features of the model, and how to make them.
//!
//! Where the recipe only chooses columns and numbers the values of categories, a file reads *raw* columns: those of a data
//! frame, with categories named. Else it reads what `mlops predict --features` writes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::{Value, json};

use crate::data::frame::{Column, Frame, TextValues, Values};
use crate::data::matrix::{FeatureValues, Matrix};
use crate::features::column::Kind;
use crate::models::package::{InputColumn, ModelPackage};
use crate::spec::schema::ColumnType;

/// One column that an exported file reads.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportColumn {
    /// Its name in the file.
    pub name: String,
    /// Name of the feature here.
    pub feature: String,
    /// The raw column that the feature comes from.
    pub from: String,
    /// `number`, `indicator` or `category`.
    pub kind: String,
    /// Type of the raw column, where the file reads it raw.
    pub raw: Option<ColumnType>,
    /// Values of a category in the order of their codes in the file, where it reads raw columns.
    pub levels: Option<Vec<Value>>,
    /// Number of codes of a category in the file; 0 for others.
    pub codes: usize,
    /// Code here of each code in the file, where they differ.
    recode: Option<Vec<u32>>,
    /// Smallest and largest value seen, of a raw column.
    pub range: Option<(f64, f64)>,
}

impl ExportColumn {
    /// Our code for a code of the file.
    pub fn own_code(&self, code: usize) -> u32 {
        self.recode.as_ref().map_or(code as u32, |codes| codes[code])
    }
}

/// All columns that an exported file reads, in its order.
#[derive(Clone, Debug, PartialEq)]
pub struct Columns {
    /// The columns.
    pub all: Vec<ExportColumn>,
    /// Features that the recipe makes from more than one plain column; empty where raw columns are read.
    pub made: Vec<String>,
}

impl Columns {
    /// Looks at the recipe of a package. Letters that `forbidden` names become `_` in the names of the file.
    ///
    /// Errors: the recipe does not apply to no rows.
    pub fn of(package: &ModelPackage, forbidden: fn(char) -> bool) -> Result<Columns> {
        let recipe = package.recipe.to_json();
        let touched = touched(&recipe);
        let nothing = features_of_nothing(package)?;
        let mut names = BTreeSet::new();
        let mut all = Vec::with_capacity(nothing.features().len());
        let mut made = Vec::new();
        for (feature, record) in nothing.features().iter().zip(package.recipe.features()) {
            let codes = match feature.values {
                FeatureValues::Category { levels, .. } => levels as usize,
                _ => 0,
            };
            let mut column = ExportColumn {
                name: clean(&record.name, forbidden, &mut names),
                feature: record.name.clone(),
                from: record.from.clone(),
                kind: record.feature_type.clone(),
                raw: None,
                levels: None,
                codes,
                recode: None,
                range: None,
            };
            let input = package.header.inputs.iter().find(|input| input.name == record.from);
            if !input.is_some_and(|input| as_raw(&mut column, input, &touched)) {
                made.push(record.name.clone());
            }
            all.push(column);
        }
        if !made.is_empty() {
            // Names of levels would not fit the codes that are written as features.
            all.iter_mut().for_each(|column| {
                (column.raw, column.levels, column.range) = (None, None, None);
                if let Some(codes) = column.recode.take() {
                    column.codes = codes.iter().max().map_or(0, |largest| *largest as usize + 1);
                }
            });
        }
        Ok(Columns { all, made })
    }

    /// Whether the file reads raw columns.
    pub fn is_raw(&self) -> bool {
        self.made.is_empty()
    }

    /// Columns whose name in the file is another than here.
    pub fn renamed(&self) -> impl Iterator<Item = &ExportColumn> {
        self.all.iter().filter(|column| column.name != column.feature)
    }

    /// As JSON: a list of `{"name", "feature", "from", "type", "raw_type"?, "levels"?, "codes"?}`.
    pub fn to_json(&self) -> Value {
        let one = |column: &ExportColumn| {
            let mut object = json!({
                "name": column.name, "feature": column.feature, "from": column.from, "type": column.kind,
            });
            if let Some(raw) = column.raw {
                object["raw_type"] = json!(raw);
            }
            if let Some(levels) = &column.levels {
                object["levels"] = json!(levels);
            }
            if column.codes > 0 {
                object["codes"] = json!(column.codes);
            }
            object
        };
        self.all.iter().map(one).collect()
    }
}

/// Steps by the column they work on; a step over several columns touches all it names.
fn touched(recipe: &Value) -> BTreeMap<String, Vec<&Value>> {
    let mut touched: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    let steps = recipe.get("steps").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for step in steps {
        match step.as_array() {
            Some(columns) => {
                for one in columns {
                    let name = one.get("column").and_then(Value::as_str).unwrap_or_default();
                    touched.entry(name.to_owned()).or_default().push(one);
                }
            }
            None => {
                let texts = step.as_object().into_iter().flat_map(|step| step.values());
                let names = texts.filter_map(Value::as_array).flatten().filter_map(Value::as_str);
                names.for_each(|name| touched.entry(name.to_owned()).or_default().push(step));
            }
        }
    }
    touched
}

/// Makes `column` one that is read raw, if the recipe leaves it as it is or only numbers its values.
fn as_raw(column: &mut ExportColumn, input: &InputColumn, touched: &BTreeMap<String, Vec<&Value>>) -> bool {
    let steps = touched.get(&column.from).map_or(&[][..], Vec::as_slice);
    // A time of day is read as seconds, which no data frame does by itself.
    if column.feature != column.from || input.column_type == ColumnType::Time {
        return false;
    }
    match steps {
        [] if column.kind == "number" => {
            column.range = input.min.zip(input.max).filter(|(min, max)| min.is_finite() && max.is_finite());
        }
        [step] if column.kind == "category" && step.get("op").and_then(Value::as_str) == Some("category") => {
            let Some((levels, codes)) = levels_of(step) else { return false };
            column.codes = levels.len();
            column.levels = Some(levels);
            column.recode = Some(codes);
        }
        _ => return false,
    }
    column.raw = Some(input.column_type);
    true
}

fn levels_of(step: &Value) -> Option<(Vec<Value>, Vec<u32>)> {
    let map = step.get("levels")?.as_object()?.values().next()?;
    let levels = map.get("levels")?.as_array()?.clone();
    let codes: Vec<u32> =
        map.get("codes")?.as_array()?.iter().map(|code| code.as_u64()?.try_into().ok()).collect::<Option<_>>()?;
    (levels.len() == codes.len()).then_some((levels, codes))
}

fn clean(name: &str, forbidden: fn(char) -> bool, taken: &mut BTreeSet<String>) -> String {
    let mut clean: String = name.chars().map(|letter| if forbidden(letter) { '_' } else { letter }).collect();
    while clean.is_empty() || !taken.insert(clean.clone()) {
        clean.push('_');
    }
    clean
}

/// The features of no rows: their shapes.
fn features_of_nothing(package: &ModelPackage) -> Result<Matrix> {
    let columns = package.recipe.inputs().iter().map(|input| {
        let values = match input.kind {
            Kind::Text => Values::Text(TextValues::default()),
            Kind::Time => Values::Time(Vec::new()),
            Kind::Number | Kind::Indicator | Kind::Category => Values::Number(Vec::new()),
        };
        Column::raw(&input.name, values)
    });
    package.recipe.apply(&Frame::new(0, columns.collect())?)
}
