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
