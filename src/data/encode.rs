//! Text in other encodings than UTF-8: telling which, and writing it anew as UTF-8.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;

use anyhow::{Context, Result};
use encoding_rs::{DecoderResult, Encoding, UTF_8};
use tempfile::TempPath;

use crate::base::fail::{self, Failure};
use crate::base::units;

/// Bytes read at a time.
const PIECE_BYTES: usize = 256 << 10;
/// Bytes at the start of a file that show UTF-16 without a byte order mark.
const LOOK_BYTES: usize = 4 << 10;

/// An encoding by one of its labels in the WHATWG Encoding Standard: `utf-8`, `latin1`, `windows-1251`, `shift_jis`, …
/// As browsers have it, Latin-1 is read as Windows-1252, which has letters where Latin-1 has control characters.
pub fn named(name: &str) -> Result<&'static Encoding, Failure> {
    Encoding::for_label(name.trim().as_bytes()).ok_or_else(|| {
        fail::usage(format!("unknown encoding `{name}`"))
            .hint("known: utf-8, utf-16le, utf-16be, latin1, windows-1252 and the other names that browsers know")
    })
}

/// The name of an encoding as it is recorded; [`named`] finds it again.
pub fn label(encoding: &'static Encoding) -> String {
    encoding.name().to_ascii_lowercase()
}

/// The encoding that the first bytes of a text show, if it is not to be read as UTF-8, and a sentence about it.
///
/// UTF-16 is told by its byte order mark, or by zero bytes: nine of ten at odd places (little endian) or even places (big
/// endian), as letters, digits and delimiters have them, and next to none at the others.
pub fn look(first: &[u8]) -> Option<(&'static Encoding, String)> {
    if let Some((encoding, _)) = Encoding::for_bom(first) {
        let said = format!("the file is {}, by its byte order mark", encoding.name());
        return (encoding != UTF_8).then_some((encoding, said));
    }
    let head = &first[..first.len().min(LOOK_BYTES)];
    let pairs = head.len() / 2;
    let zeros = |parity: usize| head.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let clear = |most: usize, least: usize| pairs >= 4 && most * 10 >= pairs * 9 && least * 50 <= pairs;
    let encoding = match (clear(odd, even), clear(even, odd)) {
        (true, _) => encoding_rs::UTF_16LE,
        (_, true) => encoding_rs::UTF_16BE,
        _ => return None,
    };
    Some((encoding, format!("the file is {} without a byte order mark, by its zero bytes", encoding.name())))
}

/// Whether text that is not UTF-8 may be Latin-1 or Windows-1252: it has no byte that means nothing there, and is not
/// UTF-8 with some damage. One pass.
pub fn look_like_latin(path: &Path) -> Result<bool> {
    let mut file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut buffer = vec![0; PIECE_BYTES];
    let (mut whole, mut broken) = (0_u64, 0_u64);
    loop {
        let count = file.read(&mut buffer).with_context(|| format!("cannot read {}", path.display()))?;
        if count == 0 {
            return Ok(whole <= broken);
        }
        let piece = &buffer[..count];
        for chunk in piece.utf8_chunks() {
            whole += chunk.valid().bytes().filter(|byte| *byte >= 0xC0).count() as u64;
            broken += u64::from(!chunk.invalid().is_empty());
            if chunk.invalid().iter().any(|byte| matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D)) {
                return Ok(false);
            }
        }
    }
}

/// Writes the text of `path`, which is in `encoding`, as UTF-8 into a file in `folder`. A byte order mark is dropped.
///
/// Errors: bytes that mean nothing in `encoding` (usage, by line); reading or writing fails.
pub fn recode(path: &Path, encoding: &'static Encoding, folder: &Path) -> Result<TempPath> {
    let mut source = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let cannot_write = || format!("cannot write the text as UTF-8 into {}", folder.display());
    let temporary = tempfile::Builder::new().prefix("mlops-text-").tempfile_in(folder).with_context(cannot_write)?;
    let (file, kept) = temporary.into_parts();
    let mut out = BufWriter::with_capacity(PIECE_BYTES, file);
    let mut decoder = encoding.new_decoder_with_bom_removal();
    let mut input = vec![0; PIECE_BYTES];
    let mut text = vec![0; 3 * PIECE_BYTES];
    let mut lines = 0_u64;
    loop {
        let count = source.read(&mut input).with_context(|| format!("cannot read {}", path.display()))?;
        let mut rest = &input[..count];
        loop {
            let (result, read, written) = decoder.decode_to_utf8_without_replacement(rest, &mut text, count == 0);
            out.write_all(&text[..written]).with_context(cannot_write)?;
            lines += memchr::memchr_iter(b'\n', &text[..written]).count() as u64;
            rest = &rest[read..];
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    let (line, name) = (units::count(lines + 1), encoding.name());
                    return Err(fail::usage(format!("line {line} holds bytes that mean nothing in {name}"))
                        .hint("is that the right encoding? name another, or repair the bytes")
                        .into());
                }
            }
        }
        if count == 0 {
            break;
        }
    }
    out.flush().with_context(cannot_write)?;
    Ok(kept)
}
