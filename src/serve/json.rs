//! JSON bodies of the MLflow protocol: one of `dataframe_records`, `dataframe_split`, `instances`, `inputs`, and `params`
//! beside it. Parsed straight into columns; no tree is made of the rows.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;

use crate::base::suggest;
use crate::serve::cell;
use crate::serve::columns::{self, Columns};
use crate::serve::error::{Reason, ServeError};
use crate::serve::rows::{ColumnsSeed, RowShape, RowsSeed, Sink};
use crate::serve::schema::InputSchema;

/// The keys that carry rows.
const DATA_KEYS: [&str; 4] = ["dataframe_records", "dataframe_split", "instances", "inputs"];
/// What parameters may be given.
const PARAMETERS: [&str; 1] = ["probabilities"];
/// Number tokens that some writers produce and JSON does not have.
const NO_NUMBERS: [&[u8]; 3] = [b"NaN", b"Infinity", b"nan"];

/// What a client may ask for beside predictions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params {
    /// Whether to answer with the probability of every class.
    pub probabilities: bool,
}

struct Reading<'s> {
    sink: Sink<'s>,
    params: Params,
    found: Option<&'static str>,
    unknown: Option<String>,
    /// Where the values of a split row go; known once `columns` was read.
    positions: Option<Vec<Option<usize>>>,
    /// `data` came before `columns`: the body has to be read once more.
    again: bool,
}

/// Reads a body.
///
/// Errors: every way in which it can be wrong, by [`Reason`]. Cost: one pass; two when `dataframe_split` gives its `data`
/// before its `columns`.
pub fn read<'s>(body: &str, schema: &'s InputSchema) -> Result<(Columns<'s>, Params), ServeError> {
    let mut reading = Reading::new(schema, None);
    reading.run(body)?;
    if reading.again {
        reading = Reading::new(schema, reading.positions);
        reading.run(body)?;
    }
    if reading.found.is_none() {
        let error = ServeError::new(Reason::DataKeys, format!("the body has none of {}", DATA_KEYS.join(", ")));
        let near = reading.unknown.as_deref().and_then(|unknown| suggest::nearest(unknown, DATA_KEYS));
        return Err(match near {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(r#"send {"dataframe_records": [{"column": value, …}, …]}"#),
        });
    }
    Ok((reading.sink.columns, reading.params))
}

impl<'s> Reading<'s> {
    fn new(schema: &'s InputSchema, positions: Option<Vec<Option<usize>>>) -> Reading<'s> {
        let sink = Sink { columns: Columns::new(schema), refused: None };
        Reading { sink, params: Params::default(), found: None, unknown: None, positions, again: false }
    }

    fn run(&mut self, body: &str) -> Result<(), ServeError> {
        let mut deserializer = serde_json::Deserializer::from_str(body);
        let read = deserializer.deserialize_any(Body(self)).and_then(|()| deserializer.end());
        read.map_err(|error| self.sink.refused.take().unwrap_or_else(|| not_read(&error, body)))
    }

    fn begin_data(&mut self, key: &str) -> Result<&'static str, ServeError> {
        let key = DATA_KEYS.into_iter().find(|known| *known == key).unwrap_or(DATA_KEYS[0]);
        match self.found.replace(key) {
            None => Ok(key),
            Some(before) if before == key => {
                Err(ServeError::new(Reason::DataKeys, format!("the body has `{key}` twice")))
            }
            Some(before) => {
                let error = ServeError::new(Reason::DataKeys, format!("the body has both `{before}` and `{key}`"));
                Err(error.hint("send one of them"))
            }
        }
    }

    /// Finds out where the values of split rows go.
    fn begin_split(&mut self, names: &[String]) -> Result<(), ServeError> {
        let schema = self.sink.columns.schema();
        let mut given = vec![false; schema.columns().len()];
        let mut positions = Vec::with_capacity(names.len());
        for (place, name) in names.iter().enumerate() {
            let position = schema.position(name, place);
            match position {
                None => self.sink.columns.ignore(name),
                Some(position) if std::mem::replace(&mut given[position], true) => {
                    return Err(columns::duplicate(name));
                }
                Some(_) => {}
            }
            positions.push(position);
        }
        self.positions = Some(positions);
        self.sink.columns.check_given(&given)
    }
}

/// The error for a body that the parser gave up on.
fn not_read(error: &serde_json::Error, body: &str) -> ServeError {
    if error.classify() == Category::Data {
        return ServeError::new(Reason::WrongShape, error.to_string());
    }
    let refused = ServeError::new(Reason::NotJson, format!("the body is not JSON: {error}"));
    let line = body.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default().as_bytes();
    let place = error.column().saturating_sub(1);
    let around = &line[place.saturating_sub(2).min(line.len())..(place + 8).min(line.len())];
    match NO_NUMBERS.iter().any(|word| around.windows(word.len()).any(|window| window == *word)) {
        true => refused.hint("JSON has no NaN and no Infinity: send null for a missing value"),
        false => refused,
    }
}

struct Body<'a, 's>(&'a mut Reading<'s>);

struct Split<'a, 's>(&'a mut Reading<'s>);

struct ParamsSeed<'a, 's>(&'a mut Reading<'s>);

impl<'de> Visitor<'de> for Body<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with one of {}", DATA_KEYS.join(", "))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let reading = self.0;
        while let Some(key) = fields.next_key::<String>()? {
            if key == "params" {
                fields.next_value_seed(ParamsSeed(reading))?;
                continue;
            }
            if !DATA_KEYS.contains(&key.as_str()) {
                reading.unknown.get_or_insert(key);
                fields.next_value::<IgnoredAny>()?;
                continue;
            }
            let begun = reading.begin_data(&key);
            let sink = &mut reading.sink;
            match sink.check(begun)? {
                "dataframe_split" => fields.next_value_seed(Split(reading))?,
                "inputs" => fields.next_value_seed(ColumnsSeed(sink))?,
                "instances" => fields.next_value_seed(RowsSeed { sink, shape: RowShape::Any })?,
                _ => fields.next_value_seed(RowsSeed { sink, shape: RowShape::Records })?,
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Split<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Split<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `columns` and `data`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let reading = self.0;
        let (mut columns, mut data) = (false, false);
        while let Some(key) = fields.next_key::<String>()? {
            let twice = match key.as_str() {
                "columns" => std::mem::replace(&mut columns, true),
                "data" => std::mem::replace(&mut data, true),
                _ => false,
            };
            if twice {
                let error = ServeError::new(Reason::WrongShape, format!("`dataframe_split` has `{key}` twice"));
                return reading.sink.check(Err(error));
            }
            match (key.as_str(), &reading.positions) {
                ("columns", None) => {
                    let names: Vec<String> = fields.next_value()?;
                    let begun = reading.begin_split(&names);
                    reading.sink.check(begun)?;
                }
                ("data", Some(positions)) => {
                    let shape = RowShape::Lists(positions);
                    fields.next_value_seed(RowsSeed { sink: &mut reading.sink, shape })?;
                }
                ("data", None) => {
                    reading.again = true;
                    fields.next_value::<IgnoredAny>()?;
                }
                _ => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        if columns && data {
            return Ok(());
        }
        let absent = if columns { "data" } else { "columns" };
        let error = ServeError::new(Reason::WrongShape, format!("`dataframe_split` has no `{absent}`"));
        reading.sink.check(Err(error.hint(r#"send {"columns": ["a", "b"], "data": [[1, 2], [3, 4]]}"#)))
    }
}

impl<'de> DeserializeSeed<'de> for ParamsSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ParamsSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of parameters")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(key) = fields.next_key::<String>()? {
            if !PARAMETERS.contains(&key.as_str()) {
                let unknown = suggest::unknown("parameter", &cell::shown(&key), PARAMETERS);
                let error = ServeError::new(Reason::WrongParameter, unknown.what);
                let error = ServeError { hint: unknown.hint, ..error };
                return self.0.sink.check(Err(error));
            }
            self.0.params.probabilities = fields.next_value()?;
        }
        Ok(())
    }
}
