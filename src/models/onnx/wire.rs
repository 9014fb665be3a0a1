//! The bytes of an ONNX file before they are decoded: how many messages they hold, and how deep.
//!
//! Decoding makes a structure of up to 2 kB of a message of two bytes, so that a small file could ask for all memory
//! there is. This walk allocates nothing.

use anyhow::Result;

use crate::base::limits::{ONNX_DEPTH_MAX, ONNX_MESSAGES_MAX};
use crate::base::units;
use crate::models::onnx::refuse::{damaged, unsupported};

/// Kinds of messages, as far as they hold other messages.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    SparseTensor,
    ValueInfo,
    Type,
    TensorType,
    Shape,
    Leaf,
}

/// The message that `field` of `message` holds; `None` for numbers, texts and bytes, and for fields that are not
/// decoded.
fn inside(message: Message, field: u64) -> Option<Message> {
    use Message::{Attribute, Graph, Leaf, Model, Node, Shape, SparseTensor, Tensor, TensorType, Type, ValueInfo};
    Some(match (message, field) {
        (Model, 7) => Graph,
        (Graph, 1) => Node,
        (Node, 5) => Attribute,
        (Graph | Attribute | SparseTensor, 5) | (Attribute, 10) | (SparseTensor, 1 | 2) => Tensor,
        (Attribute, 6 | 11) => Graph,
        (Graph, 15) | (Attribute, 22 | 23) => SparseTensor,
        (Graph, 11..=13) => ValueInfo,
        (ValueInfo, 2) | (Attribute, 15) => Type,
        (Type, 1) => TensorType,
        (TensorType, 2) => Shape,
        (Model, 8 | 14) | (Graph, 14) | (Tensor, 3 | 13) | (Shape, 1) => Leaf,
        _ => return None,
    })
}

/// Whether `bytes` begin as an ONNX model does: fields of a model, a graph among them.
pub fn looks_like_onnx(bytes: &[u8]) -> bool {
    let (mut rest, mut graph) = (bytes, false);
    while !rest.is_empty() {
        match field(&mut rest) {
            Ok((7, Some(_))) => graph = true,
            Ok((1..=6 | 8 | 14 | 20 | 25 | 26, _)) => {}
            _ => return false,
        }
    }
    graph
}

/// Checks that `bytes` are well-formed and not too many messages.
///
/// Errors: cut short, more messages or deeper ones than the limits, functions, training graphs.
pub fn check(bytes: &[u8]) -> Result<()> {
    let mut left = ONNX_MESSAGES_MAX;
    walk(bytes, Message::Model, ONNX_DEPTH_MAX, &mut left)
}

fn walk(mut rest: &[u8], message: Message, depth: usize, left: &mut usize) -> Result<()> {
    while !rest.is_empty() {
        let (number, body) = field(&mut rest)?;
        match (message, number) {
            (Message::Model, 20) => return Err(unsupported("it is a graph to train, not to predict with")),
            (Message::Model, 25) => return Err(unsupported("it has functions of its own")),
            _ => {}
        }
        let (Some(body), Some(kind)) = (body, inside(message, number)) else { continue };
        if depth == 0 {
            return Err(damaged(&format!("its parts lie more than {ONNX_DEPTH_MAX} deep inside each other")));
        }
        let Some(fewer) = left.checked_sub(1) else {
            let most = units::count(ONNX_MESSAGES_MAX as u64);
            return Err(unsupported(&format!("it has more than {most} parts")));
        };
        *left = fewer;
        walk(body, kind, depth - 1, left)?;
    }
    Ok(())
}

/// Takes one field: its number, and its bytes when it has a length.
fn field<'a>(rest: &mut &'a [u8]) -> Result<(u64, Option<&'a [u8]>)> {
    let key = varint(rest)?;
    let body = match key & 7 {
        0 => varint(rest).map(|_| None)?,
        1 => take(rest, 8).map(|_| None)?,
        2 => {
            let length = usize::try_from(varint(rest)?).unwrap_or(usize::MAX);
            Some(take(rest, length)?)
        }
        5 => take(rest, 4).map(|_| None)?,
        kind => return Err(damaged(&format!("a field has the unknown wire type {kind}"))),
    };
    Ok((key >> 3, body))
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(length).ok_or_else(|| damaged("it is cut short"))?;
    *rest = after;
    Ok(taken)
}

fn varint(rest: &mut &[u8]) -> Result<u64> {
    let mut value = 0_u64;
    for place in 0..10 {
        let byte = take(rest, 1)?[0];
        value |= u64::from(byte & 0x7f).checked_shl(7 * place).unwrap_or(0);
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(damaged("a number has more than ten bytes"))
}
