//! Files behind `http://` and `https://`.

use std::error::Error as _;
use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, RANGE,
};
use reqwest::redirect::Policy;
use reqwest::{Client, NoProxy, Proxy, RequestBuilder, Response, StatusCode, Url};
use tokio::time;

use crate::base::fail::{self, Failure};
use crate::base::limits;
use crate::base::talk::{Talk, Task, Unit};
use crate::base::units;
use crate::record::remote::{Remembered, Validators};
use crate::source::address::{self, redact};
use crate::source::spool::{self, Spool};
use crate::source::{Content, FetchOptions, Fetched};

/// Why an attempt did not bring the file to its end.
pub enum Trouble {
    /// Trying again would not help.
    Final(anyhow::Error),
    /// It may work the next time.
    Again(Failure),
}

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Trouble {
        Trouble::Final(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble::Final(failure.into())
    }
}

/// One file under way, over as many attempts as it takes.
struct Transfer<'a> {
    url: &'a Url,
    shown: String,
    budget: u64,
    options: &'a FetchOptions<'a>,
    talk: &'a dyn Talk,
    remembered: Option<Remembered>,
    /// What the server said of the file whose first bytes are in `spool`.
    said: Validators,
    spool: Option<Spool>,
    task: Option<Box<dyn Task>>,
}

/// Fetches the file at `url` into a temporary file; broken transfers are taken up where they broke.
///
/// Errors: the server's refusals, more than `budget` bytes, a transfer that stays broken.
pub async fn fetch(url: &Url, budget: u64, options: &FetchOptions<'_>, talk: &dyn Talk) -> Result<Fetched> {
    let shown = redact(url.as_str());
    let client = client(options)?;
    let remembered = (options.remembered)(&shown);
    let (said, spool, task) = (Validators::default(), None, None);
    let mut transfer = Transfer { url, shown, budget, options, talk, remembered, said, spool, task };
    let mut retries = Retries::new(options.retry_pause);
    loop {
        match transfer.attempt(&client).await {
            Ok(content) => {
                let origin = Some(transfer.shown);
                let mut fetched = Fetched::plain(transfer.said.name.clone(), origin, content);
                fetched.validators = Some(transfer.said);
                return Ok(fetched);
            }
            Err(Trouble::Final(error)) => return Err(error),
            Err(Trouble::Again(failure)) => {
                let bytes = transfer.spool.as_ref().map_or(0, Spool::bytes);
                retries.pause(failure, bytes, talk).await?;
            }
        }
    }
}

/// How often was tried again, and for how long to wait.
pub struct Retries {
    done: u32,
    pause: Duration,
}

impl Retries {
    /// None so far; the first pause lasts `pause`.
    pub fn new(pause: Duration) -> Retries {
        Retries { done: 0, pause }
    }

    /// Says why there is another attempt and waits for it; after [`limits::FETCH_RETRIES`] of them, fails with `failure`.
    pub async fn pause(&mut self, failure: Failure, bytes: u64, talk: &dyn Talk) -> Result<()> {
        if self.done == limits::FETCH_RETRIES {
            let what = format!("{}; given up after {} attempts", failure.what, limits::FETCH_RETRIES + 1);
            return Err(Failure { what, ..failure }.into());
        }
        self.done += 1;
        let so_far = if bytes > 0 { format!(" after {}", units::bytes(bytes)) } else { String::new() };
        talk.warn(&format!("{}{so_far}; trying again ({} of {})", failure.what, self.done, limits::FETCH_RETRIES));
        time::sleep(self.pause).await;
        self.pause *= 2;
        Ok(())
    }
}

/// A client that follows few redirects, never from `https` to `http`, and takes its proxies from the given variables.
fn client(options: &FetchOptions<'_>) -> Result<Client> {
    let policy = Policy::custom(|attempt| {
        let before = attempt.previous();
        let downgraded = attempt.url().scheme() == "http" && before.last().is_some_and(|last| last.scheme() == "https");
        if before.len() > limits::FETCH_REDIRECTS_MAX {
            attempt.error("too many redirects")
        } else if downgraded {
            attempt.error("a redirect from https to http is not followed")
        } else {
            attempt.follow()
        }
    });
    let mut builder = Client::builder()
        .user_agent(concat!("mlops/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(limits::FETCH_CONNECT_WAIT)
        .redirect(policy)
        .referer(false)
        .no_proxy();
    let variable = |name: &str| options.variable(name).or_else(|| options.variable(&name.to_lowercase()));
    let except = variable("NO_PROXY").and_then(NoProxy::from_string);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        let Some(url) = variable(name) else { continue };
        let proxy = match name {
            "HTTP_PROXY" => Proxy::http(url),
            "HTTPS_PROXY" => Proxy::https(url),
            _ => Proxy::all(url),
        };
        let proxy = proxy.map_err(|_| {
            fail::usage(format!("{name} is not the address of a proxy")).hint("write it like http://host:3128")
        })?;
        builder = builder.proxy(proxy.no_proxy(except.clone()));
    }
    builder.build().context("cannot prepare for talking HTTP")
}

impl Transfer<'_> {
    /// One request, and as much of its answer as comes.
    async fn attempt(&mut self, client: &Client) -> Result<Content, Trouble> {
        let from = self.spool.as_ref().map_or(0, Spool::bytes);
        let validator = self.range_validator().filter(|_| from > 0);
        let mut request = client.get(self.url.clone()).header(ACCEPT_ENCODING, "identity");
        if let Some(validator) = &validator {
            request = request.header(RANGE, format!("bytes={from}-")).header(IF_RANGE, validator);
        } else if let Some(Remembered { validators, .. }) = &self.remembered {
            let with = |request: RequestBuilder, name: HeaderName, value: &Option<String>| match value {
                Some(value) => request.header(name, value),
                None => request,
            };
            request = with(request, IF_NONE_MATCH, &validators.etag);
            request = with(request, IF_MODIFIED_SINCE, &validators.last_modified);
        }
        let answer = match time::timeout(limits::FETCH_STALL, request.send()).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(self.not_sent(&error)),
            Err(_) => return Err(Trouble::Again(self.broken("the server does not answer"))),
        };
        match (answer.status(), self.remembered.clone()) {
            (StatusCode::NOT_MODIFIED, Some(remembered)) => {
                self.said = remembered.validators.clone();
                return Ok(Content::NotModified(remembered));
            }
            (StatusCode::OK, _) => self.begin(&answer)?,
            (StatusCode::PARTIAL_CONTENT, _) if validator.is_some() && self.continues(&answer, from) => {}
            (StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE, _) if validator.is_some() => {
                // The file is another one now.
                self.said = Validators::default();
                return Err(Trouble::Again(self.broken("the server sent another part than was asked for")));
            }
            (status, _) => return Err(self.refused(status)),
        }
        self.receive(answer).await
    }

    /// A strong `ETag`, or the date of the last change: what `If-Range` may hold (RFC 9110, 13.1.5).
    fn range_validator(&self) -> Option<String> {
        let strong = self.said.etag.clone().filter(|etag| !etag.starts_with("W/"));
        strong.or_else(|| self.said.last_modified.clone())
    }

    /// Starts the file from its first byte.
    fn begin(&mut self, answer: &Response) -> Result<(), Trouble> {
        let headers = answer.headers();
        let length = answer.content_length();
        if length.is_some_and(|length| length > self.budget) {
            return Err(spool::too_large(&self.shown, self.budget).into());
        }
        let name = disposition_name(headers).or_else(|| path_name(self.url)).unwrap_or_else(|| "download".to_owned());
        self.said = Validators {
            name,
            etag: text(headers, ETAG),
            last_modified: text(headers, LAST_MODIFIED),
            bytes: length.unwrap_or(0),
        };
        match &mut self.spool {
            Some(spool) => {
                if spool.bytes() > 0 {
                    self.talk.info(&format!("{}: the server cannot continue; from the beginning again", self.shown));
                }
                spool.restart()?;
            }
            None => self.spool = Some(Spool::new(self.options.staging, &self.said.name, &self.shown, self.budget)?),
        }
        self.task = Some(self.talk.start(&format!("fetching {}", self.said.name), length, Unit::Bytes));
        if length.is_none() && text(headers, HeaderName::from_static("transfer-encoding")).is_none() {
            self.talk
                .warn(&format!("{}: the server does not say how long it is; an early end would go unseen", self.shown));
        }
        Ok(())
    }

    /// Whether a partial answer goes on exactly where the file broke off.
    fn continues(&self, answer: &Response, from: u64) -> bool {
        let range = text(answer.headers(), CONTENT_RANGE).unwrap_or_default();
        let (span, total) = range.strip_prefix("bytes ").and_then(|range| range.split_once('/')).unwrap_or_default();
        let starts = span.split('-').next().and_then(|start| start.parse().ok()) == Some(from);
        let same_total = self.said.bytes == 0 || total == "*" || total.parse() == Ok(self.said.bytes);
        let same = text(answer.headers(), ETAG).is_none_or(|etag| self.said.etag.as_ref() == Some(&etag));
        starts && same_total && same
    }

    /// Reads the answer to its end.
    async fn receive(&mut self, mut answer: Response) -> Result<Content, Trouble> {
        let web_page = text(answer.headers(), CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/html"));
        loop {
            let chunk = match time::timeout(limits::FETCH_STALL, answer.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => break,
                Ok(Err(error)) => return Err(Trouble::Again(self.broken(&cause(&error)))),
                Err(_) => return Err(Trouble::Again(self.broken("it stood still"))),
            };
            let spool = self.spool.as_mut().expect("an answer has begun");
            if spool.bytes() == 0 && web_page && chunk.trim_ascii_start().starts_with(b"<") {
                let what = format!("{} is a web page, not a table", self.shown);
                return Err(fail::world(what)
                    .hint("use the address of the raw file; perhaps it needs a sign-in")
                    .into());
            }
            spool.write(&chunk)?;
            if let Some(task) = &self.task {
                task.advance(chunk.len() as u64);
            }
        }
        let bytes = self.spool.as_ref().map_or(0, Spool::bytes);
        if self.said.bytes != 0 && bytes != self.said.bytes {
            let expected = units::bytes(self.said.bytes);
            return Err(Trouble::Again(self.broken(&format!("it ended at {} of {expected}", units::bytes(bytes)))));
        }
        if bytes == 0 {
            return Err(fail::world(format!("{} is empty", self.shown)).hint("check the address").into());
        }
        self.said.bytes = bytes;
        Ok(Content::Temporary(self.spool.take().expect("an answer has begun").finish()))
    }

    fn broken(&self, why: &str) -> Failure {
        fail::world(format!("the transfer of {} broke off: {why}", self.shown)).hint("try again later")
    }

    /// No answer at all.
    fn not_sent(&self, error: &reqwest::Error) -> Trouble {
        let why = cause(error);
        if error.is_redirect() {
            return fail::world(format!("cannot fetch {}: {why}", self.shown)).hint("use the final address").into();
        }
        let host = self.url.host_str().unwrap_or_default();
        if why.contains("lookup") || why.contains("resolve") {
            return fail::world(format!("cannot fetch {}: no host `{host}` is known: {why}", self.shown))
                .hint("check the name of the host and the network")
                .into();
        }
        if why.contains("certificate") {
            return fail::world(format!("cannot fetch {}: {why}", self.shown))
                .hint("the server is not who it says it is, or its authority is unknown here")
                .into();
        }
        if error.is_connect() {
            let what = format!("cannot fetch {}: no connection to {host}: {why}", self.shown);
            return Trouble::Again(fail::world(what).hint("check the address, the network and HTTPS_PROXY"));
        }
        Trouble::Again(self.broken(&why))
    }

    /// The server said no.
    fn refused(&self, status: StatusCode) -> Trouble {
        let reason = status.canonical_reason().unwrap_or("unknown");
        let what = format!("cannot fetch {}: the server answered {} {reason}", self.shown, status.as_u16());
        let again = status.is_server_error()
            || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY);
        let hint = match status.as_u16() {
            401 | 403 | 407 => {
                "check the credentials; user and password go into the address: https://USER:PASSWORD@host/…"
            }
            404 | 410 => "check the address; the file is not there",
            _ if again => "the server is in trouble or busy; try again later",
            _ => "check the address",
        };
        let failure = fail::world(what).hint(hint);
        if again { Trouble::Again(failure) } else { failure.into() }
    }
}

/// The innermost reason; the outer ones repeat the address with its secrets.
fn cause(error: &reqwest::Error) -> String {
    let mut inner: Option<&dyn std::error::Error> = error.source();
    while let Some(next) = inner.and_then(|error| error.source()) {
        inner = Some(next);
    }
    inner.map_or_else(|| "the request failed".to_owned(), ToString::to_string)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// `filename*=UTF-8''…` or `filename="…"` (RFC 6266), without folders.
fn disposition_name(headers: &HeaderMap) -> Option<String> {
    let value = text(headers, CONTENT_DISPOSITION)?;
    let part = |wanted: &str| {
        value.split(';').find_map(|part| part.trim().strip_prefix(wanted).map(|rest| rest.trim().to_owned()))
    };
    let extended = part("filename*=").and_then(|value| {
        let (charset, rest) = value.split_once('\'')?;
        let encoded = rest.split_once('\'')?.1;
        charset.eq_ignore_ascii_case("utf-8").then(|| address::decode(encoded).ok()).flatten()
    });
    clean_name(&extended.or_else(|| part("filename=").map(|name| name.trim_matches('"').to_owned()))?)
}

fn path_name(url: &Url) -> Option<String> {
    clean_name(&address::decode(url.path_segments()?.next_back()?).ok()?)
}

/// The last part of a path without what has no place in a file name.
fn clean_name(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next()?;
    let kept: String = last.chars().filter(|c| !c.is_control()).take(255).collect();
    let kept = kept.trim().trim_start_matches('.');
    (!kept.is_empty()).then(|| kept.to_owned())
}
