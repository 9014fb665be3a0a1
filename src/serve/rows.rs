//! Rows and columns of a JSON body, handed value by value to [`Columns`] while the text is parsed.

use std::fmt;

use serde::Deserializer;
use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::serve::cell::Cell;
use crate::serve::columns::{self, Columns};
use crate::serve::error::{Reason, ServeError};

/// Columns being filled, and the first error, which a JSON error cannot carry.
pub struct Sink<'s> {
    /// The columns.
    pub columns: Columns<'s>,
    /// Why reading stopped, when it was not for bad JSON.
    pub refused: Option<ServeError>,
}

/// How rows are written.
#[derive(Clone, Copy)]
pub enum RowShape<'a> {
    /// Objects.
    Records,
    /// Lists, whose values stand in these columns; `None` is a column that the model does not know.
    Lists(&'a [Option<usize>]),
    /// Objects, or lists in the order of the model's inputs, or bare values when there is one input.
    Any,
}

/// A list of rows.
pub struct RowsSeed<'a, 's> {
    /// Where values go.
    pub sink: &'a mut Sink<'s>,
    /// How each row is written.
    pub shape: RowShape<'a>,
}

/// An object of columns, each a list of values.
pub struct ColumnsSeed<'a, 's>(pub &'a mut Sink<'s>);

struct RowSeed<'a, 's> {
    sink: &'a mut Sink<'s>,
    shape: RowShape<'a>,
}

struct NameSeed<'a, 's> {
    sink: &'a mut Sink<'s>,
    guess: usize,
}

struct ValuesSeed<'a, 's> {
    sink: &'a mut Sink<'s>,
    position: usize,
}

struct CellSeed<'a, 's> {
    sink: &'a mut Sink<'s>,
    position: usize,
    by_row: bool,
}

impl Sink<'_> {
    /// Remembers an error and turns it into one that stops the parser.
    pub fn check<T, E: de::Error>(&mut self, result: Result<T, ServeError>) -> Result<T, E> {
        result.map_err(|error| {
            self.refused = Some(error);
            E::custom("refused")
        })
    }

    /// Stops the parser because a row has another shape than promised.
    fn not_a_row<T, E: de::Error>(&mut self, shape: RowShape<'_>, got: &str) -> Result<T, E> {
        let row = self.columns.rows();
        let wanted = match shape {
            RowShape::Records => "an object of column: value",
            RowShape::Lists(_) => "a list of values",
            RowShape::Any => "an object of column: value, or a list of values",
        };
        let message = format!("row {row} is {got}, not {wanted}");
        self.check(Err(ServeError::new(Reason::WrongShape, message).row(row)))
    }
}

impl<'de> DeserializeSeed<'de> for RowsSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RowsSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while rows.next_element_seed(RowSeed { sink: self.sink, shape: self.shape })?.is_some() {}
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let started = self.sink.columns.begin_row();
        self.sink.check(started)?;
        deserializer.deserialize_any(self)
    }
}

impl RowSeed<'_, '_> {
    fn end<E: de::Error>(self) -> Result<(), E> {
        let ended = self.sink.columns.end_row();
        self.sink.check(ended)
    }

    /// A row that is one bare value.
    fn bare<E: de::Error>(self, cell: Cell<'_>, got: &str) -> Result<(), E> {
        let single = matches!(self.shape, RowShape::Any) && self.sink.columns.schema().columns().len() == 1;
        if !single {
            return self.sink.not_a_row(self.shape, got);
        }
        let put = self.sink.columns.put(0, cell);
        self.sink.check(put)?;
        self.end()
    }
}

impl<'de> Visitor<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        if matches!(self.shape, RowShape::Lists(_)) {
            return self.sink.not_a_row(self.shape, "an object");
        }
        let mut guess = 0;
        while let Some(position) = fields.next_key_seed(NameSeed { sink: self.sink, guess })? {
            match position {
                Some(position) => {
                    guess = position + 1;
                    fields.next_value_seed(CellSeed { sink: self.sink, position, by_row: true })?;
                }
                None => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        self.end()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        let positions = match self.shape {
            RowShape::Lists(positions) => positions,
            RowShape::Any => self.sink.columns.schema().in_order(),
            RowShape::Records => return self.sink.not_a_row(self.shape, "a list"),
        };
        let mut width = 0;
        for position in positions {
            let next = match position {
                Some(position) => {
                    let (sink, position) = (&mut *self.sink, *position);
                    values.next_element_seed(CellSeed { sink, position, by_row: true })?
                }
                None => values.next_element::<IgnoredAny>()?.map(|_| ()),
            };
            if next.is_none() {
                break;
            }
            width += 1;
        }
        while values.next_element::<IgnoredAny>()?.is_some() {
            width += 1;
        }
        if width != positions.len() {
            let row = self.sink.columns.rows();
            let message = format!("row {row} has {width} values, not {}", positions.len());
            return self.sink.check(Err(ServeError::new(Reason::Ragged, message).row(row)));
        }
        self.end()
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.bare(Cell::Boolean(value), "a boolean")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.bare(Cell::Number(value as f64), "a number")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        self.bare(Cell::Number(value as f64), "a number")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        self.bare(Cell::Number(value), "a number")
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        self.bare(Cell::Text(value), "text")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.bare(Cell::Null, "null")
    }
}

impl<'de> DeserializeSeed<'de> for NameSeed<'_, '_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed<'_, '_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a column name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Option<usize>, E> {
        let position = self.sink.columns.schema().position(name, self.guess);
        if position.is_none() {
            self.sink.columns.ignore(name);
        }
        Ok(position)
    }
}

impl<'de> DeserializeSeed<'de> for ColumnsSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ColumnsSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of column: list of values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut given = vec![false; self.0.columns.schema().columns().len()];
        let mut guess = 0;
        while let Some(position) = fields.next_key_seed(NameSeed { sink: self.0, guess })? {
            let Some(position) = position else {
                fields.next_value::<IgnoredAny>()?;
                continue;
            };
            if std::mem::replace(&mut given[position], true) {
                let twice = columns::duplicate(&self.0.columns.schema().columns()[position].name);
                return self.0.check(Err(twice));
            }
            guess = position + 1;
            fields.next_value_seed(ValuesSeed { sink: self.0, position })?;
        }
        let ended = self.0.columns.end_columns(&given);
        self.0.check(ended)
    }
}

impl<'de> DeserializeSeed<'de> for ValuesSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValuesSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.sink.columns.schema().columns()[self.position].name;
        write!(f, "a list of the values of column `{name}`")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        let position = self.position;
        while values.next_element_seed(CellSeed { sink: self.sink, position, by_row: false })?.is_some() {}
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for CellSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl CellSeed<'_, '_> {
    fn take<E: de::Error>(self, cell: Cell<'_>) -> Result<(), E> {
        let taken = match self.by_row {
            true => self.sink.columns.put(self.position, cell),
            false => self.sink.columns.push(self.position, cell),
        };
        self.sink.check(taken)
    }
}

impl<'de> Visitor<'de> for CellSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.take(Cell::Boolean(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.take(Cell::Number(value as f64))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        self.take(Cell::Number(value as f64))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        self.take(Cell::Number(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        self.take(Cell::Text(value))
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.take(Cell::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _values: A) -> Result<(), A::Error> {
        self.take(Cell::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, _fields: A) -> Result<(), A::Error> {
        self.take(Cell::Object)
    }
}
