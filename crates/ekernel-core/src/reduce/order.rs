//! Makes things after what they need: recursion as a loop, so that no depth of a network fills a thread's stack.

use crate::ArchError;

/// Something that is made piece by piece, each piece after those it needs.
pub(super) trait Make {
    /// Names a piece.
    type Key: Copy;

    fn is_made(&self, key: Self::Key) -> bool;

    /// The pieces that this one needs, in the order in which they are made.
    fn needs(&self, key: Self::Key) -> Vec<Self::Key>;

    /// Makes a piece whose needs are made.
    fn make(&mut self, key: Self::Key) -> Result<(), ArchError>;

    /// Makes a piece and all that it needs, each once: depth first, left to right.
    fn make_all(&mut self, root: Self::Key) -> Result<(), ArchError> {
        let mut open = vec![(root, false)];
        while let Some((key, ready)) = open.pop() {
            if self.is_made(key) {
                continue;
            }
            if ready {
                self.make(key)?;
            } else {
                open.push((key, true));
                open.extend(self.needs(key).into_iter().rev().map(|need| (need, false)));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// A ladder: piece i needs i − 1 twice and i − 2, so that there are more than 2ⁱ paths to it.
    struct Ladder {
        made: Vec<bool>,
        asked: Cell<usize>,
    }

    impl Make for Ladder {
        type Key = usize;

        fn is_made(&self, key: usize) -> bool {
            self.made[key]
        }

        fn needs(&self, key: usize) -> Vec<usize> {
            self.asked.set(self.asked.get() + 1);
            [1, 1, 2].into_iter().filter_map(|below| key.checked_sub(below)).collect()
        }

        fn make(&mut self, key: usize) -> Result<(), ArchError> {
            assert!(
                self.needs(key).into_iter().all(|need| self.made[need]),
                "{key} is made before what it needs"
            );
            self.made[key] = true;
            Ok(())
        }
    }

    /// Every piece is asked for its needs once (and once more by this test), whatever the number of paths.
    #[test]
    fn pieces_are_visited_once() {
        for pieces in [1, 100, 10_000] {
            let mut ladder = Ladder { made: vec![false; pieces], asked: Cell::new(0) };
            assert_eq!(ladder.make_all(pieces - 1), Ok(()));
            assert!(ladder.made.iter().all(|made| *made));
            assert_eq!(ladder.asked.get(), 2 * pieces);
        }
    }
}
