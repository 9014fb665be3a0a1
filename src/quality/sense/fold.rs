//! Text without the differences that people overlook: case, spaces, width, invisible marks, composed accents.

use std::borrow::Cow;

/// Base letters and their composed forms, in pairs, for each combining accent of the Latin script.
const COMPOSED: [(char, &str); 13] = [
    ('\u{300}', "aàeèiìoòuùnǹ"),
    ('\u{301}', "aáeéiíoóuúyýcćlĺnńrŕsśzź"),
    ('\u{302}', "aâeêiîoôuûcĉgĝhĥjĵsŝwŵyŷ"),
    ('\u{303}', "aãnñoõiĩuũ"),
    ('\u{304}', "aāeēiīoōuū"),
    ('\u{306}', "aăgğuŭ"),
    ('\u{307}', "eėzżcċgġ"),
    ('\u{308}', "aäeëiïoöuüyÿ"),
    ('\u{30a}', "aåuů"),
    ('\u{30b}', "oőuű"),
    ('\u{30c}', "cčdďeěnňrřsšzžgǧ"),
    ('\u{327}', "cçsştţ"),
    ('\u{328}', "aąeęiįuų"),
];

/// `text` in lower case, without spaces at its ends, inner spaces as one, wide forms and ligatures as plain letters, accents
/// composed, invisible marks removed. A light form of Unicode's NFKC with case folding: exact for Latin text.
///
/// Borrows when nothing changes.
pub fn fold(text: &str) -> Cow<'_, str> {
    let settled = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase() && !byte.is_ascii_whitespace());
    if settled {
        return Cow::Borrowed(text);
    }
    let mut folded = String::with_capacity(text.len());
    let mut space = false;
    for letter in text.chars() {
        if is_invisible(letter) {
            continue;
        }
        if letter.is_whitespace() {
            space = true;
            continue;
        }
        if space && !folded.is_empty() {
            folded.push(' ');
        }
        space = false;
        if let Some(composed) = folded.chars().next_back().and_then(|last| compose(last, letter)) {
            folded.pop();
            folded.push(composed);
            continue;
        }
        match plain(letter) {
            Some(plain) => folded.push_str(plain),
            None => folded.extend(narrow(letter).to_lowercase()),
        }
    }
    Cow::Owned(folded)
}

/// Soft hyphens, joiners, marks of direction and of byte order.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}')
}

fn compose(base: char, mark: char) -> Option<char> {
    let (_, pairs) = COMPOSED.iter().find(|(known, _)| *known == mark)?;
    let mut letters = pairs.chars();
    while let (Some(plain), Some(composed)) = (letters.next(), letters.next()) {
        if plain == base {
            return Some(composed);
        }
    }
    None
}

/// Letters that are several plain ones.
fn plain(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ß' | 'ẞ' => "ss",
        'ﬁ' => "fi",
        'ﬂ' => "fl",
        'ﬀ' => "ff",
        'ﬃ' => "ffi",
        'ﬄ' => "ffl",
        '’' | '‘' => "'",
        '“' | '”' => "\"",
        '‐' | '‑' | '–' | '—' => "-",
        _ => return None,
    })
}

/// Full-width forms of ASCII as ASCII.
fn narrow(letter: char) -> char {
    match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(letter as u32 - 0xfee0).unwrap_or(letter),
        _ => letter,
    }
}
