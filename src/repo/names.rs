//! Which names datasets, models and aliases may have.

use anyhow::Result;

use crate::base::fail;

/// The alias that gates compare with and that serving follows; it never points at an archived version.
pub const CHAMPION: &str = "champion";

/// Longest name in bytes; leaves room in the 255 that file systems allow.
const NAME_BYTES_MAX: usize = 100;

/// Checks a name of a dataset or model: 1 to 100 of `A-Z a-z 0-9 . _ -`, not starting with a dot or a dash, so that it
/// is a file name on every system, needs no quoting in a shell and cannot be taken for a flag or a reference.
pub fn check(kind: &str, name: &str) -> Result<()> {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || b"._-".contains(&c);
    let first_fits = name.bytes().next().is_some_and(|first| first != b'.' && first != b'-');
    if first_fits && name.len() <= NAME_BYTES_MAX && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(fail::usage(format!("`{}` cannot name a {kind}", name.escape_debug()))
        .hint(format!(
            "use 1 to {NAME_BYTES_MAX} letters, digits, `.`, `_` or `-`, not starting with a dot or a dash, for \
             example `{}`",
            suggestion(name)
        ))
        .into())
}

/// Checks a name of an alias: as [`check`], and nothing that already means something after `@`.
pub fn check_alias(alias: &str) -> Result<()> {
    check("model alias", alias)?;
    if alias == "latest" || version_number(alias).is_some() {
        return Err(fail::usage(format!("`{alias}` cannot name an alias: `NAME@{alias}` already names a version"))
            .hint("choose another word, for example `champion`")
            .into());
    }
    Ok(())
}

/// The number in `v3`.
pub fn version_number(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('v')?;
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

fn suggestion(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let replaced: String = name.chars().map(|c| if fits(c) { c } else { '-' }).take(NAME_BYTES_MAX).collect();
    let trimmed = replaced.trim_matches(|c| c == '.' || c == '-');
    if trimmed.is_empty() { "data".to_owned() } else { trimmed.to_owned() }
}
