//! Temporary files that fill up within a limit, and standard input.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, Result};
use tempfile::{NamedTempFile, TempPath};

use crate::base::fail::{self, Failure};
use crate::base::talk::{Talk, Unit};
use crate::base::units;
use crate::source::{Content, FetchOptions, Fetched};

/// Bytes handed on at once.
const BLOCK_BYTES: usize = 1 << 16;

/// Letters of a file's name that are kept in the name of its copy.
const SUFFIX_LETTERS_MAX: usize = 100;

/// A temporary file under way.
pub struct Spool {
    file: NamedTempFile,
    bytes: u64,
    bytes_max: u64,
    /// What is fetched, without secrets.
    shown: String,
}

impl Spool {
    /// An empty file in `staging` whose name ends in `name`, so that its ending tells the format.
    pub fn new(staging: &Path, name: &str, shown: &str, bytes_max: u64) -> Result<Spool> {
        let last = name.rsplit('/').next().unwrap_or(name);
        let kept: Vec<char> =
            last.chars().map(|c| if c.is_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
        let suffix: String = kept[kept.len().saturating_sub(SUFFIX_LETTERS_MAX)..].iter().collect();
        let file = tempfile::Builder::new().prefix("fetch-").suffix(&format!("-{suffix}")).tempfile_in(staging);
        let file = file.with_context(|| format!("cannot stage a file in {}", staging.display()))?;
        Ok(Spool { file, bytes: 0, bytes_max, shown: shown.to_owned() })
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds `block` at the end. Errors: more bytes than allowed, a full disk.
    pub fn write(&mut self, block: &[u8]) -> Result<()> {
        self.check(self.bytes + block.len() as u64)?;
        self.file.write_all(block).with_context(|| format!("cannot keep {} for a while", self.shown))?;
        self.bytes += block.len() as u64;
        Ok(())
    }

    /// Refuses a file of `bytes` bytes that would be too large.
    pub fn check(&self, bytes: u64) -> Result<(), Failure> {
        if bytes > self.bytes_max { Err(too_large(&self.shown, self.bytes_max)) } else { Ok(()) }
    }

    /// Forgets everything written.
    pub fn restart(&mut self) -> Result<()> {
        let file: &mut File = self.file.as_file_mut();
        let emptied = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0)));
        self.bytes = 0;
        emptied.map(drop).context("cannot start a temporary file again")
    }

    /// The finished file.
    pub fn finish(self) -> TempPath {
        self.file.into_temp_path()
    }
}

impl Write for Spool {
    fn write(&mut self, block: &[u8]) -> std::io::Result<usize> {
        Spool::write(self, block).map_err(std::io::Error::other)?;
        Ok(block.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A source of more bytes than allowed.
pub fn too_large(shown: &str, bytes_max: u64) -> Failure {
    fail::usage(format!("{shown} has more than the {} that may be fetched", units::bytes(bytes_max)))
        .hint("fetch less, or raise the limit")
}

/// Reads standard input to its end into a temporary file.
pub fn standard_input(
    input: &mut dyn Read,
    bytes_max: u64,
    options: &FetchOptions<'_>,
    talk: &dyn Talk,
) -> Result<Fetched> {
    let mut spool = Spool::new(options.staging, "stdin", "standard input", bytes_max)?;
    let task = talk.start("reading standard input", None, Unit::Bytes);
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        let count = match input.read(&mut block) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error).context("cannot read standard input"),
        };
        spool.write(&block[..count])?;
        task.advance(count as u64);
    }
    if spool.bytes() == 0 {
        return Err(fail::usage("standard input is empty").hint("pipe a table into it, or name a file").into());
    }
    let content = Content::Temporary(spool.finish());
    Ok(Fetched::plain("stdin".to_owned(), Some("stdin".to_owned()), content))
}
