//! Bodies and their types: read within limits of size, time and memory shared by all requests.

use std::future::poll_fn;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, header};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::base::limits;
use crate::serve::cell::shown;
use crate::serve::error::{Reason, ServeError};
use crate::serve::state::State;

/// How long the rest of a body that is too large is read and forgotten, so that its client gets to read the answer.
const DRAIN_WAIT: Duration = Duration::from_secs(1);

/// What a body holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// `application/json`.
    Json,
    /// `text/csv`.
    Csv,
}

/// A whole body. Large ones hold their share of the server's memory until they are dropped.
pub struct Bytes {
    data: Vec<u8>,
    share: Option<OwnedSemaphorePermit>,
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.data
    }
}

/// What the headers say the body is.
///
/// Errors: another content type, another character set than UTF-8, a compressed body.
pub fn media(headers: &HeaderMap) -> Result<Media, ServeError> {
    let known = "send application/json or text/csv, in UTF-8 and not compressed";
    let refuse = |what: String| Err(ServeError::new(Reason::UnknownMediaType, what).hint(known));
    let encoding = headers.get(header::CONTENT_ENCODING).map(|value| value.as_bytes());
    if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case(b"identity")) {
        return refuse("compressed bodies are not read".to_owned());
    }
    let Some(given) = headers.get(header::CONTENT_TYPE) else {
        return refuse("the request has no content-type".to_owned());
    };
    let given = String::from_utf8_lossy(given.as_bytes());
    let mut parts = given.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    for part in parts {
        let charset = part.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
        let set = charset.map(|(_, set)| set.trim().trim_matches('"').to_ascii_lowercase());
        if set.is_some_and(|set| set != "utf-8" && set != "utf8") {
            return refuse(format!("content-type `{}` is not in UTF-8", shown(&given)));
        }
    }
    match kind.as_str() {
        "application/json" => Ok(Media::Json),
        "text/csv" => Ok(Media::Csv),
        _ => refuse(format!("content-type `{}` is not understood", shown(&given))),
    }
}

/// Reads a whole body.
///
/// Errors: more than `limits::BODY_BYTES_MAX` bytes, told before any are read when the client gives their number; slower
/// than `limits::BODY_WAIT`; a connection that breaks; memory for bodies used up by other requests.
pub async fn read(state: &State, headers: &HeaderMap, mut body: Body) -> Result<Bytes, ServeError> {
    let read = match body.size_hint().lower() > limits::BODY_BYTES_MAX as u64 {
        true => Err(too_large()),
        false => match timeout(limits::BODY_WAIT, collect(state, &mut body)).await {
            Ok(read) => read,
            Err(_) => Err(too_slow()),
        },
    };
    let unread = matches!(&read, Err(error) if matches!(error.reason, Reason::BodyTooLarge | Reason::Busy));
    // A client that waits to be told to go on has sent nothing yet and needs no patience.
    if unread && !headers.contains_key(header::EXPECT) {
        let _ = timeout(DRAIN_WAIT, drain(&mut body)).await;
    }
    read
}

async fn collect(state: &State, body: &mut Body) -> Result<Bytes, ServeError> {
    let expected = body.size_hint().exact().unwrap_or(0) as usize;
    // What a client claims is believed up to what any request may cost.
    let mut bytes = Bytes { data: Vec::with_capacity(expected.min(limits::INLINE_BYTES_MAX)), share: None };
    while let Some(chunk) = next_chunk(body).await? {
        let length = bytes.data.len() + chunk.len();
        if length > limits::BODY_BYTES_MAX {
            return Err(too_large());
        }
        if length > limits::INLINE_BYTES_MAX {
            bytes.share(&state.bodies, length)?;
        }
        bytes.data.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

impl Bytes {
    /// Takes the share of `length` bytes, in KiB.
    fn share(&mut self, bodies: &Arc<Semaphore>, length: usize) -> Result<(), ServeError> {
        let held = self.share.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let wanted = length.div_ceil(1 << 10).saturating_sub(held);
        if wanted == 0 {
            return Ok(());
        }
        // Taken in steps of at least 64 KiB, so that the counter is not touched for every packet.
        let step = wanted.max(64) as u32;
        let Ok(more) = Arc::clone(bodies).try_acquire_many_owned(step) else {
            let error = ServeError::new(Reason::Busy, "too many large requests are under way");
            return Err(error.hint("try again in a moment, or send fewer rows a request"));
        };
        match &mut self.share {
            Some(share) => share.merge(more),
            None => self.share = Some(more),
        }
        Ok(())
    }
}

/// The next piece of data; trailers are passed over.
async fn next_chunk(body: &mut Body) -> Result<Option<axum::body::Bytes>, ServeError> {
    loop {
        match poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await {
            None => return Ok(None),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Some(Err(error)) => {
                let message = format!("the body broke off: {}", shown(&error.to_string()));
                return Err(ServeError::new(Reason::BodyBroken, message));
            }
        }
    }
}

async fn drain(body: &mut Body) {
    while let Ok(Some(_)) = next_chunk(body).await {}
}

fn too_large() -> ServeError {
    let message = format!("one body may have {} MiB", limits::BODY_BYTES_MAX >> 20);
    ServeError::new(Reason::BodyTooLarge, message).hint("send the rows in several requests")
}

fn too_slow() -> ServeError {
    let message = format!("the body took longer than {} s", limits::BODY_WAIT.as_secs());
    ServeError::new(Reason::BodyTooSlow, message)
}
