//! The least HTTP client that can ask our own server: one connection that stays open, answers with their length.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::base::fail;
use crate::base::limits::BODY_BYTES_MAX;

/// Most bytes of the head of an answer.
const HEAD_BYTES_MAX: u64 = 64 << 10;

/// One open connection to a server on this machine.
pub struct Client {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
}

/// An answer.
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Body.
    pub body: Vec<u8>,
}

impl Client {
    /// Connects.
    ///
    /// Errors: nobody listens there.
    pub fn connect(address: SocketAddr, wait: Duration) -> Result<Client> {
        let shown = || format!("cannot reach the server at {address}");
        let stream = TcpStream::connect_timeout(&address, wait).with_context(shown)?;
        stream.set_read_timeout(Some(wait)).with_context(shown)?;
        stream.set_write_timeout(Some(wait)).with_context(shown)?;
        stream.set_nodelay(true).with_context(shown)?;
        Ok(Client { address, stream: BufReader::new(stream) })
    }

    /// Sends one request and reads the whole answer; `media` is the type of the body.
    ///
    /// Errors: a connection that breaks or stands still; an answer that is none.
    pub fn send(&mut self, method: &str, path: &str, media: &str, body: &[u8]) -> Result<Answer> {
        let (address, length) = (self.address, body.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: {media}\r\ncontent-length: {length}\r\n\r\n"
        );
        let request = [head.as_bytes(), body].concat();
        self.stream.get_mut().write_all(&request).with_context(|| format!("cannot send a request to {path}"))?;
        self.answer().with_context(|| format!("no answer from {path}"))
    }

    fn answer(&mut self) -> Result<Answer> {
        let mut head = (&mut self.stream).take(HEAD_BYTES_MAX);
        let mut line = String::new();
        head.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| fail::world(format!("`{}` is no HTTP", line.trim_end())))?;
        let mut length = 0;
        loop {
            line.clear();
            if head.read_line(&mut line)? == 0 {
                return Err(fail::world("the answer was cut short").into());
            }
            if line.trim_end().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().context("a content-length that is no number")?;
            }
        }
        if length > BODY_BYTES_MAX {
            return Err(fail::world(format!("the answer has {length} bytes")).into());
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Answer { status, body })
    }
}
