//! Sets of keys of runs, one bit a key.

/// Keys, which are small whole numbers from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySet {
    words: Vec<u64>,
}

fn place(key: i64) -> (usize, u64) {
    let key = key.max(0) as usize;
    (key / 64, 1 << (key % 64))
}

impl KeySet {
    /// Adds a key.
    pub fn insert(&mut self, key: i64) {
        let (word, bit) = place(key);
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= bit;
    }

    /// Whether the key is in it.
    pub fn has(&self, key: i64) -> bool {
        let (word, bit) = place(key);
        self.words.get(word).is_some_and(|found| found & bit != 0)
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Keys that are in both.
    pub fn and(mut self, other: &KeySet) -> KeySet {
        self.words.truncate(other.words.len());
        self.words.iter_mut().zip(&other.words).for_each(|(word, with)| *word &= with);
        self
    }

    /// Keys that are in one of the two.
    pub fn or(self, other: KeySet) -> KeySet {
        let (mut long, short) = if self.words.len() < other.words.len() { (other, self) } else { (self, other) };
        long.words.iter_mut().zip(&short.words).for_each(|(word, with)| *word |= with);
        long
    }

    /// Keys that are not in `other`.
    pub fn without(mut self, other: &KeySet) -> KeySet {
        self.words.iter_mut().zip(&other.words).for_each(|(word, with)| *word &= !with);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::KeySet;

    fn of(keys: &[i64]) -> KeySet {
        let mut set = KeySet::default();
        keys.iter().for_each(|key| set.insert(*key));
        set
    }

    #[test]
    fn sets_add_up() {
        let (small, large) = (of(&[1, 63, 64]), of(&[64, 65, 1_000]));
        let keys = |set: KeySet| (0..2_000).filter(|key| set.has(*key)).collect::<Vec<_>>();
        assert_eq!(keys(small.clone().and(&large)), [64]);
        assert_eq!(keys(large.clone().and(&small)), [64]);
        assert_eq!(keys(small.clone().or(large.clone())), [1, 63, 64, 65, 1_000]);
        assert_eq!(keys(large.clone().without(&small)), [65, 1_000]);
        assert_eq!((small.len(), large.has(1_000), large.has(1_001), large.has(9_999)), (3, true, false, false));
        assert_eq!(KeySet::default().len(), 0);
    }
}
