//! Histograms of gradients over the bins of all columns, and the search through them, shared among threads by column.

use std::ops::Range;

use rayon::prelude::*;

use crate::models::trees::binned::{BinColumn, Binned, Codes};
use crate::models::trees::search::{Place, Search, Split};
use crate::models::trees::sums::{Sums, add, minus};

/// Rows whose words are gathered at a time: 16 KiB, so that they stay in the first-level cache for all columns.
const BLOCK_ROWS: usize = 1024;
/// Additions below which one thread is faster than a team.
const TEAM_WORK: usize = 40_000;

/// Columns and the features that read them, as far as a tree may use them.
pub struct Plan {
    /// Column numbers, ascending.
    columns: Vec<usize>,
    /// For each of them its features, ascending.
    features: Vec<Vec<usize>>,
}

/// A child whose histogram is wanted, and whether it may be split at all.
#[derive(Clone, Copy)]
pub struct Child<'a> {
    /// The node.
    pub place: Place<'a>,
    /// Whether a split of it should be searched.
    pub open: bool,
}

impl Plan {
    /// The columns that the features marked in `used` read.
    pub fn new(binned: &Binned, used: &[bool]) -> Plan {
        let mut by_column = vec![Vec::new(); binned.columns.len()];
        for (number, feature) in binned.features.iter().enumerate().filter(|(number, _)| used[*number]) {
            by_column[feature.column].push(number);
        }
        let columns = (0..by_column.len()).filter(|&column| !by_column[column].is_empty()).collect();
        by_column.retain(|features| !features.is_empty());
        Plan { columns, features: by_column }
    }

    /// The features that a tree may use, ascending by column.
    pub fn features(&self) -> impl Iterator<Item = usize> {
        self.features.iter().flatten().copied()
    }

    /// The histogram of the root and its best split.
    pub fn root(
        &self,
        search: &Search<'_>,
        rows: &[u32],
        words: &[Sums],
        root: Child<'_>,
    ) -> (Vec<Sums>, Option<Split>) {
        let mut bins = vec![[0; 2]; search.binned.bins];
        let work = rows.len() * self.columns.len();
        let splits = self.share(search.binned, work, &mut bins, &mut [], |columns, offset, bins, _| {
            self.fill(search.binned, columns.clone(), offset, rows, words, bins);
            [root.open.then(|| self.best(search, columns, offset, bins, &root.place)).flatten(), None]
        });
        let [split, _] = best_of(splits);
        (bins, split)
    }

    /// Fills `small` with the histogram of `rows`, the smaller child, and turns `large`, the histogram of the parent,
    /// into that of the other child; returns the best split of each that is open. `small` may hold anything before.
    pub fn children(
        &self,
        search: &Search<'_>,
        rows: &[u32],
        words: &[Sums],
        (small, small_child): (&mut [Sums], Child<'_>),
        (large, large_child): (&mut [Sums], Child<'_>),
    ) -> [Option<Split>; 2] {
        let work = rows.len() * self.columns.len() + search.binned.bins;
        let splits = self.share(search.binned, work, small, large, |columns, offset, small, large| {
            self.fill(search.binned, columns.clone(), offset, rows, words, small);
            for (large, small) in large.iter_mut().zip(small.iter()) {
                *large = minus(*large, *small);
            }
            let search_in = |bins: &[Sums], child: Child<'_>| {
                child.open.then(|| self.best(search, columns.clone(), offset, bins, &child.place)).flatten()
            };
            [search_in(small, small_child), search_in(large, large_child)]
        });
        best_of(splits)
    }

    /// Runs `work` over consecutive groups of columns, each with its own part of both histograms. How many groups there
    /// are changes nothing in the result: features do not know of each other, and groups are compared in order.
    fn share<F>(
        &self,
        binned: &Binned,
        size: usize,
        one: &mut [Sums],
        two: &mut [Sums],
        work: F,
    ) -> Vec<[Option<Split>; 2]>
    where
        F: Fn(Range<usize>, usize, &mut [Sums], &mut [Sums]) -> [Option<Split>; 2] + Sync,
    {
        let wanted = if size < TEAM_WORK { 1 } else { rayon::current_num_threads() };
        let groups = wanted.clamp(1, self.columns.len().max(1));
        if groups == 1 {
            return vec![work(0..self.columns.len(), 0, one, two)];
        }
        let (mut one, mut two) = (one, two);
        let mut parts = Vec::with_capacity(groups);
        let mut begin = 0;
        for group in 0..groups {
            let columns = group * self.columns.len() / groups..(group + 1) * self.columns.len() / groups;
            let end = match self.columns.get(columns.end) {
                Some(&next) => binned.columns[next].offset,
                None => binned.bins,
            };
            let (one_part, one_rest) = one.split_at_mut((end - begin).min(one.len()));
            let (two_part, two_rest) = two.split_at_mut((end - begin).min(two.len()));
            parts.push((columns, begin, one_part, two_part));
            (one, two, begin) = (one_rest, two_rest, end);
        }
        parts.into_par_iter().map(|(columns, offset, one, two)| work(columns, offset, one, two)).collect()
    }

    fn fill(
        &self,
        binned: &Binned,
        columns: Range<usize>,
        offset: usize,
        rows: &[u32],
        words: &[Sums],
        bins: &mut [Sums],
    ) {
        bins.fill([0; 2]);
        let mut gathered = [[0; 2]; BLOCK_ROWS];
        for block in rows.chunks(BLOCK_ROWS) {
            // Rows of a node ascend, so these two tell whether none is left out between them.
            let (first, last) = (block[0] as usize, block[block.len() - 1] as usize);
            debug_assert!(block.is_sorted(), "parts of a node keep the order of its rows");
            let is_whole = last - first + 1 == block.len();
            if !is_whole {
                for (place, &row) in gathered.iter_mut().zip(block) {
                    *place = words[row as usize];
                }
            }
            for &number in &self.columns[columns.clone()] {
                let column = &binned.columns[number];
                let begin = column.offset - offset;
                let bins = &mut bins[begin..begin + column.bins];
                match is_whole {
                    true => accumulate_whole(column, first, &words[first..=last], bins),
                    false => accumulate(column, block, &gathered[..block.len()], bins),
                }
            }
        }
    }

    fn best(
        &self,
        search: &Search<'_>,
        columns: Range<usize>,
        offset: usize,
        bins: &[Sums],
        place: &Place<'_>,
    ) -> Option<Split> {
        let mut best: Option<Split> = None;
        for number in columns {
            let column = &search.binned.columns[self.columns[number]];
            let begin = column.offset - offset;
            let bins = &bins[begin..begin + column.bins];
            for &feature in &self.features[number] {
                if place.allowed.is_none_or(|allowed| allowed[feature]) {
                    best = better(best, search.feature(feature, bins, place));
                }
            }
        }
        best
    }
}

fn best_of(splits: Vec<[Option<Split>; 2]>) -> [Option<Split>; 2] {
    splits.into_iter().fold([None, None], |[a, b], [c, d]| [better(a, c), better(b, d)])
}

/// The one with more gain; the first on a tie.
fn better(first: Option<Split>, second: Option<Split>) -> Option<Split> {
    match (&first, &second) {
        (Some(a), Some(b)) if b.gain > a.gain => second,
        (None, _) => second,
        _ => first,
    }
}

fn accumulate(column: &BinColumn, rows: &[u32], words: &[Sums], bins: &mut [Sums]) {
    match &column.codes {
        Codes::Narrow(codes) => {
            for (&row, &words) in rows.iter().zip(words) {
                add(&mut bins[usize::from(codes[row as usize])], words);
            }
        }
        Codes::Wide(codes) => {
            for (&row, &words) in rows.iter().zip(words) {
                add(&mut bins[usize::from(codes[row as usize])], words);
            }
        }
    }
}

/// The same for rows that follow each other from `first` on.
fn accumulate_whole(column: &BinColumn, first: usize, words: &[Sums], bins: &mut [Sums]) {
    let rows = first..first + words.len();
    match &column.codes {
        Codes::Narrow(codes) => {
            for (&code, &words) in codes[rows].iter().zip(words) {
                add(&mut bins[usize::from(code)], words);
            }
        }
        Codes::Wide(codes) => {
            for (&code, &words) in codes[rows].iter().zip(words) {
                add(&mut bins[usize::from(code)], words);
            }
        }
    }
}
