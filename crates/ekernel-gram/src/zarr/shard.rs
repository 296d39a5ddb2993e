//! Which blocks each of several processes computes.

use std::{cmp::Reverse, collections::BinaryHeap, fmt, str::FromStr};

use super::layout::Layout;

/// One of several parts of the work, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    of: usize,
}

/// The blocks of every shard.
///
/// Blocks with more pairs go first, each to the shard with the fewest pairs so far: any two shards
/// differ by at most one block. The same layout and number of shards give the same division on
/// every machine.
#[derive(Clone, Debug)]
pub struct Division {
    /// The shard of each block, counted from 0.
    shards: Vec<usize>,
}

impl Shard {
    /// All of the work.
    pub const WHOLE: Shard = Shard { index: 1, of: 1 };

    /// Part `index` of `of`, counted from 1; `None` unless 1 ≤ `index` ≤ `of`.
    pub fn new(index: usize, of: usize) -> Option<Shard> {
        (1..=of).contains(&index).then_some(Shard { index, of })
    }

    /// The part, from 1.
    pub fn index(self) -> usize {
        self.index
    }

    /// The number of parts.
    pub fn of(self) -> usize {
        self.of
    }
}

impl Division {
    /// Divides the blocks of `layout` between `of` shards; 0 counts as 1.
    pub fn new(layout: &Layout, of: usize) -> Division {
        let pairs: Vec<u64> = (0..layout.len()).map(|index| layout.pairs_of(&layout.at(index))).collect();
        let mut order: Vec<usize> = (0..pairs.len()).collect();
        order.sort_by_key(|&index| Reverse(pairs[index]));
        // More shards than blocks stay empty, and need no place here.
        let busy = of.clamp(1, pairs.len().max(1));
        let mut least: BinaryHeap<Reverse<(u64, usize)>> =
            (0..busy).map(|shard| Reverse((0, shard))).collect();
        let mut shards = vec![0; pairs.len()];
        for index in order {
            let Reverse((load, shard)) = least.pop().expect("there is at least one shard");
            shards[index] = shard;
            least.push(Reverse((load + pairs[index], shard)));
        }
        Division { shards }
    }

    /// The numbers of the blocks of a shard, in order.
    pub fn blocks(&self, shard: Shard) -> Vec<usize> {
        (0..self.shards.len()).filter(|&block| self.shards[block] == shard.index - 1).collect()
    }

    /// The numbers, from 1, of the shards that have one of `blocks`, in order.
    pub fn holding(&self, blocks: &[usize]) -> Vec<usize> {
        let mut shards: Vec<usize> = blocks.iter().map(|&block| self.shards[block] + 1).collect();
        shards.sort_unstable();
        shards.dedup();
        shards
    }
}

impl FromStr for Shard {
    type Err = String;

    /// Reads "3/16".
    fn from_str(text: &str) -> Result<Shard, String> {
        let numbers =
            text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        numbers
            .and_then(|(index, of)| Shard::new(index, of))
            .ok_or_else(|| "give I/N, from 1/N to N/N, for example 3/16".to_owned())
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_lies_in_one_shard_and_shards_differ_by_a_block_at_most() {
        for (rows, cols, symmetric) in [(40, 40, true), (37, 37, true), (40, 7, false), (1, 1, true)] {
            for chunk in [1, 3, 8, 64] {
                let layout = Layout::new([rows, cols], symmetric, chunk);
                let most = (0..layout.len()).map(|index| layout.pairs_of(&layout.at(index))).max().unwrap();
                for of in 1..20 {
                    let division = Division::new(&layout, of);
                    let shards: Vec<Vec<usize>> =
                        (1..=of).map(|index| division.blocks(Shard::new(index, of).unwrap())).collect();
                    let mut all = shards.concat();
                    all.sort_unstable();
                    assert_eq!(all, (0..layout.len()).collect::<Vec<_>>());
                    let load = |blocks: &Vec<usize>| -> u64 {
                        blocks.iter().map(|&index| layout.pairs_of(&layout.at(index))).sum()
                    };
                    let loads: Vec<u64> = shards.iter().map(load).collect();
                    assert!(loads.iter().max().unwrap() - loads.iter().min().unwrap() <= most, "{loads:?}");
                    for (position, blocks) in shards.iter().enumerate().filter(|(_, b)| !b.is_empty()) {
                        assert_eq!(division.holding(blocks), [position + 1]);
                    }
                }
            }
        }
    }

    #[test]
    fn shards_are_counted_from_1() {
        assert_eq!("3/16".parse(), Ok(Shard { index: 3, of: 16 }));
        for wrong in ["0/16", "17/16", "3", "3/0", "", "/", "-1/2", "a/b", "1/2/3"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
