//! The stable binary form of predictors: named, typed, little-endian arrays, one after the other.
//!
//! One field is: length of its name (u8), name, type (u8), number of values (u64), values. Texts are each a length
//! (u32) and UTF-8 bytes. A reader asks for the fields in the order in which they were written; every length is
//! compared with the bytes that are left before anything is allocated, so reading costs at most a small multiple of
//! the input's size.

use anyhow::Result;
use serde::Serialize;

use crate::base::fail;

const U8: u8 = 1;
const U32: u8 = 2;
const U64: u8 = 3;
const F64: u8 = 4;
const TEXT: u8 = 5;
const F32: u8 = 6;

/// Writes fields.
#[derive(Debug, Default)]
pub struct FormWriter {
    bytes: Vec<u8>,
}

impl FormWriter {
    /// Starts with no field.
    pub fn new() -> FormWriter {
        FormWriter::default()
    }

    /// Writes bytes.
    pub fn u8s(&mut self, name: &'static str, values: &[u8]) {
        self.open(name, U8, values.len());
        self.bytes.extend_from_slice(values);
    }

    /// Writes numbers of 32 bits.
    pub fn u32s(&mut self, name: &'static str, values: &[u32]) {
        self.open(name, U32, values.len());
        self.bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }

    /// Writes numbers of 64 bits.
    pub fn u64s(&mut self, name: &'static str, values: &[u64]) {
        self.open(name, U64, values.len());
        self.bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }

    /// Writes floats of 32 bits, bit by bit.
    pub fn f32s(&mut self, name: &'static str, values: &[f32]) {
        self.open(name, F32, values.len());
        self.bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }

    /// Writes floats of 64 bits, bit by bit.
    pub fn f64s(&mut self, name: &'static str, values: &[f64]) {
        self.open(name, F64, values.len());
        self.bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }

    /// Writes texts.
    pub fn texts(&mut self, name: &'static str, values: &[String]) {
        self.open(name, TEXT, values.len());
        for value in values {
            self.bytes.extend_from_slice(&(value.len() as u32).to_le_bytes());
            self.bytes.extend_from_slice(value.as_bytes());
        }
    }

    /// Writes one number.
    pub fn u64(&mut self, name: &'static str, value: u64) {
        self.u64s(name, &[value]);
    }

    /// Writes one float.
    pub fn f64(&mut self, name: &'static str, value: f64) {
        self.f64s(name, &[value]);
    }

    /// Writes one text.
    pub fn text(&mut self, name: &'static str, value: &str) {
        self.texts(name, &[value.to_owned()]);
    }

    /// All bytes written.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    fn open(&mut self, name: &'static str, kind: u8, count: usize) {
        assert!(name.len() < 256, "field names are short literals");
        self.bytes.push(name.len() as u8);
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(kind);
        self.bytes.extend_from_slice(&(count as u64).to_le_bytes());
    }
}

/// Values of a field of any type.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum FieldValues {
    /// Whole numbers.
    Whole(Vec<u64>),
    /// Floats of 32 bits.
    Short(Vec<f32>),
    /// Floats.
    Numbers(Vec<f64>),
    /// Texts.
    Texts(Vec<String>),
}

/// Reads fields in the order in which they were written. Errors name the field.
#[derive(Debug)]
pub struct FormReader<'a> {
    rest: &'a [u8],
}

impl<'a> FormReader<'a> {
    /// Starts at the first field of `bytes`.
    pub fn new(bytes: &'a [u8]) -> FormReader<'a> {
        FormReader { rest: bytes }
    }

    /// Reads bytes.
    pub fn u8s(&mut self, name: &str) -> Result<Vec<u8>> {
        Ok(self.array::<1>(name, U8)?.as_flattened().to_vec())
    }

    /// Reads numbers of 32 bits.
    pub fn u32s(&mut self, name: &str) -> Result<Vec<u32>> {
        Ok(self.array(name, U32)?.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect())
    }

    /// Reads numbers of 64 bits.
    pub fn u64s(&mut self, name: &str) -> Result<Vec<u64>> {
        Ok(self.array(name, U64)?.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect())
    }

    /// Reads floats of 32 bits.
    pub fn f32s(&mut self, name: &str) -> Result<Vec<f32>> {
        Ok(self.array(name, F32)?.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }

    /// Reads floats of 64 bits; NaN and infinities as they are.
    pub fn f64s(&mut self, name: &str) -> Result<Vec<f64>> {
        Ok(self.array(name, F64)?.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect())
    }

    /// Reads exactly `count` floats that must all be finite.
    pub fn finite(&mut self, name: &str, count: usize) -> Result<Vec<f64>> {
        let values = self.f64s(name)?;
        if values.len() != count {
            return Err(damaged(name, &format!("it has {} values, not {count}", values.len())));
        }
        match values.iter().position(|value| !value.is_finite()) {
            Some(place) => Err(damaged(name, &format!("value {place} is {}", values[place]))),
            None => Ok(values),
        }
    }

    /// Reads texts.
    pub fn texts(&mut self, name: &str) -> Result<Vec<String>> {
        let count = self.open(name, TEXT, 4)?;
        let mut texts = Vec::with_capacity(count);
        for _ in 0..count {
            let length = u32::from_le_bytes(*self.take::<4>(name)?) as usize;
            let (text, rest) = self.rest.split_at_checked(length).ok_or_else(|| cut_short(name))?;
            self.rest = rest;
            let text = std::str::from_utf8(text).map_err(|_| damaged(name, "a text is not UTF-8"))?;
            texts.push(text.to_owned());
        }
        Ok(texts)
    }

    /// Reads one number.
    pub fn u64(&mut self, name: &str) -> Result<u64> {
        only(name, &self.u64s(name)?)
    }

    /// Reads one number as a length, and refuses one above `max`.
    pub fn count(&mut self, name: &str, max: usize) -> Result<usize> {
        let value = self.u64(name)?;
        match usize::try_from(value) {
            Ok(count) if count <= max => Ok(count),
            _ => Err(damaged(name, &format!("{value} is more than {max}"))),
        }
    }

    /// Reads one float; NaN and infinities as they are.
    pub fn f64(&mut self, name: &str) -> Result<f64> {
        only(name, &self.f64s(name)?)
    }

    /// Reads one text.
    pub fn text(&mut self, name: &str) -> Result<String> {
        only(name, &self.texts(name)?)
    }

    /// Reads the next field, whatever it is; `None` after the last one. For who shows a form without knowing it.
    pub fn any(&mut self) -> Result<Option<(String, FieldValues)>> {
        let Some((&length, rest)) = self.rest.split_first() else { return Ok(None) };
        let name = rest.get(..usize::from(length)).ok_or_else(|| cut_short("name"))?;
        let name = String::from_utf8_lossy(name).into_owned();
        let kind = rest.get(usize::from(length)).copied().ok_or_else(|| cut_short(&name))?;
        let values = match kind {
            U8 => FieldValues::Whole(self.u8s(&name)?.into_iter().map(u64::from).collect()),
            U32 => FieldValues::Whole(self.u32s(&name)?.into_iter().map(u64::from).collect()),
            U64 => FieldValues::Whole(self.u64s(&name)?),
            F32 => FieldValues::Short(self.f32s(&name)?),
            F64 => FieldValues::Numbers(self.f64s(&name)?),
            TEXT => FieldValues::Texts(self.texts(&name)?),
            other => return Err(damaged(&name, &format!("it is of type {other}, which is not known"))),
        };
        Ok(Some((name, values)))
    }

    /// Whether the next field is called `name`: for fields that older versions did not write.
    pub fn next_is(&self, name: &str) -> bool {
        self.rest.split_first().is_some_and(|(&length, rest)| rest.get(..usize::from(length)) == Some(name.as_bytes()))
    }

    /// Checks that nothing is left.
    pub fn end(&self) -> Result<()> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(fail::world(format!("damaged model: {left} bytes are left after its last field")).into()),
        }
    }

    fn open(&mut self, name: &str, kind: u8, width: usize) -> Result<usize> {
        let length = usize::from(self.take::<1>(name)?[0]);
        let (found, rest) = self.rest.split_at_checked(length).ok_or_else(|| cut_short(name))?;
        if found != name.as_bytes() {
            let found = String::from_utf8_lossy(found);
            return Err(damaged(name, &format!("found field `{found}` in its place")));
        }
        self.rest = rest;
        let found = self.take::<1>(name)?[0];
        if found != kind {
            return Err(damaged(name, &format!("it is of type {found}, not {kind}")));
        }
        let count = u64::from_le_bytes(*self.take::<8>(name)?);
        let fits = (self.rest.len() / width) as u64;
        if count > fits {
            return Err(damaged(name, &format!("it claims {count} values where {fits} would fit")));
        }
        Ok(count as usize)
    }

    fn array<const N: usize>(&mut self, name: &str, kind: u8) -> Result<&'a [[u8; N]]> {
        let count = self.open(name, kind, N)?;
        let (values, rest) = self.rest.split_at_checked(count * N).ok_or_else(|| cut_short(name))?;
        self.rest = rest;
        Ok(values.as_chunks::<N>().0)
    }

    fn take<const N: usize>(&mut self, name: &str) -> Result<&'a [u8; N]> {
        let (first, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| cut_short(name))?;
        self.rest = rest;
        Ok(first)
    }
}

/// The error for a field whose content cannot be right.
pub fn damaged(name: &str, why: &str) -> anyhow::Error {
    fail::world(format!("damaged model: field `{name}`: {why}")).into()
}

fn cut_short(name: &str) -> anyhow::Error {
    damaged(name, "the data ends before it does")
}

fn only<T: Clone>(name: &str, values: &[T]) -> Result<T> {
    match values {
        [value] => Ok(value.clone()),
        _ => Err(damaged(name, &format!("it has {} values, not 1", values.len()))),
    }
}
