//! A server process on a free port, and the least client that can talk to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::common::Sandbox;

/// A running `mlops serve`; stopped with SIGTERM when dropped.
pub struct Server {
    child: Child,
    /// `127.0.0.1:PORT`
    pub address: String,
    _out: BufReader<ChildStdout>,
}

/// An answer.
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Body.
    pub body: String,
}

impl Server {
    /// Starts a server on a free port and waits until it says where it is.
    pub fn start(sandbox: &Sandbox, words: &[&str]) -> Server {
        let mut all = vec!["serve", "--port", "0", "--json"];
        all.extend(words);
        let mut child = sandbox.start(&all);
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        out.read_line(&mut line).expect("the start line");
        let envelope: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|error| {
            let mut err = String::new();
            let _ = child.stderr.take().expect("piped").read_to_string(&mut err);
            panic!("no start line ({error}): {line}\n{err}")
        });
        let url = envelope["data"]["url"].as_str().expect("a url").to_owned();
        let address = url.trim_start_matches("http://").to_owned();
        Server { child, address, _out: out }
    }

    /// Sends one request and reads the whole answer.
    pub fn send(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(&self.address).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n",
            self.address
        );
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).expect("the request is sent");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("the answer arrives");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        Answer { status, body: body.to_owned() }
    }

    /// Posts JSON to `/invocations`.
    pub fn invoke(&self, body: &str) -> Answer {
        self.send("POST", "/invocations", "content-type: application/json\r\n", body.as_bytes())
    }

    /// Asks it to stop and waits; returns its exit code.
    pub fn stop(mut self) -> Option<i32> {
        let _ = kill(Pid::from_raw(self.child.id() as i32), Signal::SIGTERM);
        self.child.wait().ok().and_then(|status| status.code())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
