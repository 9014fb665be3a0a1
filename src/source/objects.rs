//! Objects in buckets: Amazon S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use futures_util::StreamExt;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::client::ClientOptions;
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, ObjectStore, RetryConfig};
use reqwest::Url;
use tokio::time;

use crate::base::fail::{self, Failure};
use crate::base::limits;
use crate::base::talk::{Talk, Task, Unit};
use crate::base::units;
use crate::record::remote::{Remembered, Validators};
use crate::source::address::{ObjectPlace, Store, redact};
use crate::source::http::{Retries, Trouble};
use crate::source::partition::{self, Match, Pattern};
use crate::source::spool::{self, Spool};
use crate::source::{Content, FetchOptions, Fetched, listing};

/// Retries inside the client, of requests that were never answered; ours come on top and continue where it broke.
const CLIENT_RETRIES: usize = 1;

/// Fetches one object, all tables below a key that ends in `/`, or all objects that fit a pattern.
///
/// Credentials, region and endpoint come from the variables that the vendors' own tools read.
/// Errors: no credentials, the store's refusals, nothing that fits, more than `budget` bytes.
pub async fn fetch(
    place: &ObjectPlace,
    mut budget: u64,
    options: &FetchOptions<'_>,
    talk: &dyn Talk,
) -> Result<Vec<Fetched>> {
    let store = open(place, options)?;
    let keys = if place.key.is_empty() || place.key.ends_with('/') || partition::is_pattern(&place.key) {
        list(store.as_ref(), place, options, talk).await?
    } else {
        let name = place.key.rsplit('/').next().unwrap_or(&place.key).to_owned();
        vec![(name, parse_key(place, &place.key)?)]
    };
    if options.window.is_some() && !place.key.contains('{') {
        return Err(partition::no_partitions().into());
    }
    let mut fetched = Vec::with_capacity(keys.len());
    for (name, key) in keys {
        let shown = place.of(key.as_ref());
        let remembered = (options.remembered)(&shown);
        let (said, spool, task) = (Validators { name, ..Validators::default() }, None, None);
        let mut transfer =
            Transfer { place, store: store.as_ref(), key, shown, budget, options, talk, remembered, said, spool, task };
        let content = transfer.whole().await?;
        budget = budget.saturating_sub(if let Content::Temporary(_) = content { transfer.said.bytes } else { 0 });
        let mut file = Fetched::plain(transfer.said.name.clone(), Some(transfer.shown), content);
        file.validators = Some(transfer.said);
        fetched.push(file);
    }
    Ok(fetched)
}

fn parse_key(place: &ObjectPlace, key: &str) -> Result<Path> {
    Ok(Path::parse(key).map_err(|error| {
        fail::usage(format!("{} is not a key: {error}", place.shown()))
            .hint("write it like s3://bucket/folder/file.csv")
    })?)
}

/// Refuses to begin without credentials: the clients would look for them on the network, for minutes.
fn check_credentials(place: &ObjectPlace, options: &FetchOptions<'_>) -> Result<(), Failure> {
    let (enough, what, hint): (&[&str], _, _) = match place.store {
        Store::S3 => (
            &[
                "AWS_ACCESS_KEY_ID",
                "AWS_WEB_IDENTITY_TOKEN_FILE",
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                "AWS_METADATA_ENDPOINT",
                "AWS_SKIP_SIGNATURE",
            ],
            "there are no credentials",
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SKIP_SIGNATURE=true for a public bucket, \
             or AWS_METADATA_ENDPOINT=http://169.254.169.254 on a machine with a role",
        ),
        Store::Google => (
            &[
                "GOOGLE_APPLICATION_CREDENTIALS",
                "GOOGLE_SERVICE_ACCOUNT",
                "GOOGLE_SERVICE_ACCOUNT_PATH",
                "GOOGLE_SERVICE_ACCOUNT_KEY",
                "GOOGLE_SKIP_SIGNATURE",
            ],
            "there are no credentials",
            "set GOOGLE_APPLICATION_CREDENTIALS=FILE, or GOOGLE_SKIP_SIGNATURE=true for a public bucket",
        ),
        Store::Azure => (
            &["AZURE_STORAGE_ACCOUNT_NAME"],
            "the storage account is not known",
            "set AZURE_STORAGE_ACCOUNT_NAME, and AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN, \
             or AZURE_SKIP_SIGNATURE=true for a public container",
        ),
    };
    match enough.iter().any(|name| options.variable(name).is_some()) {
        true => Ok(()),
        false => Err(fail::usage(format!("{}: {what}", place.shown())).hint(hint)),
    }
}

/// The client for a bucket.
fn open(place: &ObjectPlace, options: &FetchOptions<'_>) -> Result<Arc<dyn ObjectStore>> {
    check_credentials(place, options)?;
    let retry =
        RetryConfig { max_retries: CLIENT_RETRIES, retry_timeout: Duration::from_secs(30), ..RetryConfig::default() };
    // Every variable of the vendor, by the name that its client knows.
    let variables = |prefix: &'static str| {
        let ours =
            options.environment.iter().filter(move |(name, value)| name.starts_with(prefix) && !value.is_empty());
        ours.map(|(name, value)| (name.to_ascii_lowercase(), value))
    };
    let failed = |error: Error| {
        let why = scrub(&error.to_string(), options);
        fail::usage(format!("{}: {why}", place.shown())).hint("check the variables of the object store")
    };
    let endpoint = |names: &[&str]| names.iter().find_map(|name| options.variable(name));
    Ok(match place.store {
        Store::S3 => {
            let client = client(endpoint(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"]), options);
            let mut builder = AmazonS3Builder::new().with_retry(retry).with_client_options(client);
            for (name, value) in variables("AWS_") {
                if let Ok(key) = name.parse::<AmazonS3ConfigKey>() {
                    builder = builder.with_config(key, value);
                }
            }
            Arc::new(builder.with_bucket_name(&place.bucket).build().map_err(failed)?)
        }
        Store::Google => {
            let mut builder =
                GoogleCloudStorageBuilder::new().with_retry(retry).with_client_options(client(None, options));
            for (name, value) in variables("GOOGLE_") {
                if let Ok(key) = name.parse::<GoogleConfigKey>() {
                    builder = builder.with_config(key, value);
                }
            }
            Arc::new(builder.with_bucket_name(&place.bucket).build().map_err(failed)?)
        }
        Store::Azure => {
            let client = client(endpoint(&["AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"]), options);
            let mut builder = MicrosoftAzureBuilder::new().with_retry(retry).with_client_options(client);
            for (name, value) in variables("AZURE_") {
                if let Ok(key) = name.parse::<AzureConfigKey>() {
                    builder = builder.with_config(key, value);
                }
            }
            Arc::new(builder.with_container_name(&place.bucket).build().map_err(failed)?)
        }
    })
}

/// Plain HTTP is for servers on this machine only, unless `…_ALLOW_HTTP` says otherwise.
fn client(endpoint: Option<&str>, options: &FetchOptions<'_>) -> ClientOptions {
    let host = endpoint.and_then(|url| Url::parse(url).ok()).and_then(|url| url.host_str().map(str::to_owned));
    let here = host.is_some_and(|host| matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]"));
    let client = ClientOptions::new()
        .with_timeout_disabled()
        .with_connect_timeout(limits::FETCH_CONNECT_WAIT)
        .with_allow_http(here);
    let proxy = options.variable("HTTPS_PROXY").or_else(|| options.variable("https_proxy"));
    match proxy.filter(|_| !here) {
        Some(proxy) => client.with_proxy_url(proxy),
        None => client,
    }
}

/// Names and keys of all objects meant, in order.
async fn list(
    store: &dyn ObjectStore,
    place: &ObjectPlace,
    options: &FetchOptions<'_>,
    talk: &dyn Talk,
) -> Result<Vec<(String, Path)>> {
    let is_pattern = partition::is_pattern(&place.key);
    let pattern = Pattern::new(&place.key)?;
    let prefix = parse_key(place, &pattern.folder)?;
    let (mut plain, mut dated, mut skipped, mut odd, mut count) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), 0);
    let mut found = store.list(Some(&prefix).filter(|prefix| !prefix.as_ref().is_empty()));
    while let Some(object) = next(found.next()).await? {
        let object = object.map_err(|error| match refused(&error, place, options) {
            Trouble::Final(error) => error,
            Trouble::Again(failure) => failure.into(),
        })?;
        count += 1;
        if count > limits::SOURCE_FILES_MAX {
            let what =
                format!("{} has more than {} objects", place.shown(), units::count(limits::SOURCE_FILES_MAX as u64));
            return Err(fail::usage(what).hint("name a narrower pattern").into());
        }
        let below = object.location.as_ref().strip_prefix(pattern.folder.as_str()).unwrap_or_default().to_owned();
        // Stores show empty objects in place of folders.
        if below.is_empty() {
            continue;
        }
        match pattern.matches(&below) {
            _ if !is_pattern && !listing::is_table(&below) => skipped.push(below),
            _ if !is_pattern => plain.push((below, object.location)),
            Match::No => {}
            Match::NoSuchTime => odd.push(below),
            Match::Yes(None) => plain.push((below, object.location)),
            Match::Yes(Some(period)) => dated.push((period, below, object.location)),
        }
    }
    listing::say_skipped(&place.shown(), &skipped, talk);
    if !odd.is_empty() {
        let names = listing::some(&odd);
        talk.warn(&format!("{}: skipped, as there is no such day or hour: {names}", place.shown()));
    }
    match pattern.grain {
        Some(grain) => plain = partition::keep(dated, grain, options.window, &place.shown(), talk),
        None => plain.sort_by(|a, b| a.0.cmp(&b.0)),
    }
    if plain.is_empty() {
        let hint = format!("{} looked at below {}", units::plural(count as u64, "object"), place.of(&pattern.folder));
        return Err(fail::world(format!("nothing to read at {}", place.shown())).hint(hint).into());
    }
    Ok(plain)
}

/// The next of a stream, unless it stands still.
async fn next<T>(item: impl Future<Output = T>) -> Result<T, Failure> {
    time::timeout(limits::FETCH_STALL, item).await.map_err(|_| fail::world("the object store does not answer"))
}

/// One object under way.
struct Transfer<'a> {
    place: &'a ObjectPlace,
    store: &'a dyn ObjectStore,
    key: Path,
    shown: String,
    budget: u64,
    options: &'a FetchOptions<'a>,
    talk: &'a dyn Talk,
    remembered: Option<Remembered>,
    said: Validators,
    spool: Option<Spool>,
    task: Option<Box<dyn Task>>,
}

impl Transfer<'_> {
    /// As many attempts as it takes.
    async fn whole(&mut self) -> Result<Content> {
        let mut retries = Retries::new(self.options.retry_pause);
        loop {
            match self.attempt().await {
                Ok(content) => return Ok(content),
                Err(Trouble::Final(error)) => return Err(error),
                Err(Trouble::Again(failure)) => {
                    let bytes = self.spool.as_ref().map_or(0, Spool::bytes);
                    retries.pause(failure, bytes, self.talk).await?;
                }
            }
        }
    }

    async fn attempt(&mut self) -> Result<Content, Trouble> {
        // Without an ETag nothing says that the rest belongs to the same object.
        let from = self.spool.as_ref().map_or(0, Spool::bytes);
        let from = if self.said.etag.is_some() { from } else { 0 };
        let asked = GetOptions {
            range: (from > 0).then_some(GetRange::Offset(from)),
            if_match: self.said.etag.clone().filter(|_| from > 0),
            if_none_match: self
                .remembered
                .as_ref()
                .and_then(|known| known.validators.etag.clone())
                .filter(|_| from == 0),
            ..GetOptions::default()
        };
        let answer = match next(self.store.get_opts(&self.key, asked)).await.map_err(Trouble::Again)? {
            Ok(answer) => answer,
            Err(Error::NotModified { .. }) if self.remembered.is_some() => {
                let remembered = self.remembered.clone().expect("looked at just above");
                self.said = Validators { name: self.said.name.clone(), ..remembered.validators.clone() };
                return Ok(Content::NotModified(remembered));
            }
            Err(Error::Precondition { .. }) => {
                self.said.etag = None;
                return Err(Trouble::Again(self.broken("the object was replaced meanwhile")));
            }
            Err(error) => return Err(refused(&error, self.place, self.options)),
        };
        if from == 0 {
            self.begin(&answer.meta)?;
        }
        let spool = self.spool.as_mut().expect("begun above or before");
        let mut stream = answer.into_stream();
        loop {
            let block = match time::timeout(limits::FETCH_STALL, stream.next()).await {
                Ok(Some(Ok(block))) => block,
                Ok(None) => break,
                Ok(Some(Err(error))) => {
                    let why = scrub(&error.to_string(), self.options);
                    return Err(Trouble::Again(self.broken(&why)));
                }
                Err(_) => return Err(Trouble::Again(self.broken("it stood still"))),
            };
            spool.write(&block)?;
            if let Some(task) = &self.task {
                task.advance(block.len() as u64);
            }
        }
        let bytes = spool.bytes();
        if bytes != self.said.bytes {
            let expected = units::bytes(self.said.bytes);
            return Err(Trouble::Again(self.broken(&format!("it ended at {} of {expected}", units::bytes(bytes)))));
        }
        if bytes == 0 {
            return Err(fail::usage(format!("{} is empty", self.shown)).hint("check the key").into());
        }
        Ok(Content::Temporary(self.spool.take().expect("begun above or before").finish()))
    }

    fn begin(&mut self, meta: &object_store::ObjectMeta) -> Result<(), Trouble> {
        if meta.size > self.budget {
            return Err(spool::too_large(&self.shown, self.budget).into());
        }
        self.said.etag = meta.e_tag.clone();
        self.said.bytes = meta.size;
        match &mut self.spool {
            Some(spool) => spool.restart()?,
            None => self.spool = Some(Spool::new(self.options.staging, &self.said.name, &self.shown, self.budget)?),
        }
        self.task = Some(self.talk.start(&format!("fetching {}", self.said.name), Some(meta.size), Unit::Bytes));
        Ok(())
    }

    fn broken(&self, why: &str) -> Failure {
        fail::world(format!("the transfer of {} broke off: {why}", self.shown)).hint("try again later")
    }
}

/// The store said no, or nothing.
fn refused(error: &Error, place: &ObjectPlace, options: &FetchOptions<'_>) -> Trouble {
    let shown = place.shown();
    let failure = |what: &str, hint: &str| fail::world(format!("cannot fetch {shown}: {what}")).hint(hint).into();
    match error {
        Error::NotFound { .. } if error.to_string().contains("NoSuchBucket") => {
            failure("there is no such bucket", "check its name, the region and AWS_ENDPOINT_URL")
        }
        Error::NotFound { .. } => {
            failure("there is no such object", "check the key; one that ends in / stands for all tables below it")
        }
        Error::Unauthenticated { .. } => {
            failure("the credentials are wrong", "check keys and tokens in the environment")
        }
        Error::PermissionDenied { .. } => {
            failure("these credentials may not read it", "check the keys, and what they are allowed")
        }
        other => {
            let why = scrub(&other.to_string(), options);
            let what = format!("cannot fetch {shown}: {why}");
            Trouble::Again(fail::world(what).hint("check the endpoint, the region and the network"))
        }
    }
}

/// A message of the client without secrets: addresses are redacted, values of secret variables replaced.
pub fn scrub(text: &str, options: &FetchOptions<'_>) -> String {
    const SECRET: [&str; 6] = ["SECRET", "KEY", "TOKEN", "PASSWORD", "SAS", "CREDENTIAL"];
    let words = text.split(' ').map(|word| {
        let at = word.find("http").unwrap_or(0);
        format!("{}{}", &word[..at], redact(&word[at..]))
    });
    let mut clean = words.collect::<Vec<_>>().join(" ");
    for (name, value) in options.environment {
        if value.len() >= 4 && SECRET.iter().any(|part| name.contains(part)) {
            clean = clean.replace(value.as_str(), "***");
        }
    }
    clean
}
