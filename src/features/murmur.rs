//! The hash that decides which column a text falls into. Kept recipes rely on it: it never changes.

/// MurmurHash3 of `bytes`, 32 bits for x86, seed 0, as a signed number.
///
/// Source: Appleby, smhasher, `MurmurHash3_x86_32`; the hash of scikit-learn's `FeatureHasher`. Blocks of four bytes are read
/// with the lowest byte first on any machine.
pub fn hash(bytes: &[u8]) -> i32 {
    let mut state = 0_u32;
    let blocks = bytes.chunks_exact(4);
    let rest = blocks.remainder();
    for block in blocks {
        state ^= scrambled(u32::from_le_bytes([block[0], block[1], block[2], block[3]]));
        state = state.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    if !rest.is_empty() {
        let tail = rest.iter().rev().fold(0_u32, |tail, &byte| tail << 8 | u32::from(byte));
        state ^= scrambled(tail);
    }
    // Texts end before 4 GiB.
    state ^= bytes.len() as u32;
    state ^= state >> 16;
    state = state.wrapping_mul(0x85eb_ca6b);
    state ^= state >> 13;
    state = state.wrapping_mul(0xc2b2_ae35);
    (state ^ state >> 16).cast_signed()
}

fn scrambled(block: u32) -> u32 {
    block.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}

/// The column of `0..width` that a text falls into, and its sign: |hash| mod width, and -1 for hashes below 0.
///
/// Equals scikit-learn's `FeatureHasher`, its treatment of -2³¹, which has no opposite, included. `width` is at least 1.
pub fn place(text: &str, width: usize) -> (u32, f64) {
    let hash = hash(text.as_bytes());
    let position = match hash.checked_abs() {
        Some(size) => size as usize % width,
        None => (i32::MAX as usize - (width - 1)) % width,
    };
    (position as u32, if hash >= 0 { 1.0 } else { -1.0 })
}

#[cfg(test)]
mod tests {
    use super::{hash, place};

    /// `sklearn.utils.murmurhash3_32(text, seed=0)`, scikit-learn 1.9.1.
    #[test]
    fn hashes_never_change() {
        let cases = [
            ("", 0),
            ("a", 1_009_084_850),
            ("ab", -1_681_926_305),
            ("abc", -1_277_324_294),
            ("abcd", 1_139_631_978),
            ("hello", 613_153_351),
            ("hello, world", 345_750_399),
            ("é", 269_551_495),
            ("漢字", 1_467_002_891),
            ("The quick brown fox jumps over the lazy dog", 776_992_547),
        ];
        for (text, expected) in cases {
            assert_eq!(hash(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(place("", 7), (0, 1.0));
        assert_eq!(place("ab", 7), (1_681_926_305 % 7, -1.0));
        assert_eq!(place("hello", 1), (0, 1.0));
    }
}
