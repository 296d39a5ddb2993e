//! Ops and what each reads.

use std::ops::{Deref, DerefMut};

use super::{Op, Pointwise};

/// One op in its graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Node<Op, At = ()> {
    /// What it does.
    pub op: Op,
    /// The nodes of the graph that it reads.
    pub inputs: Vec<usize>,
    /// Where its values live.
    pub at: At,
    /// The layer it comes from.
    pub label: String,
}

/// Ops of one kind, each after those it reads; the last one is the result.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph<Op, At = ()>(Vec<Node<Op, At>>);

impl<Op, At> Graph<Op, At> {
    /// Appends a node and returns its index.
    pub fn push(&mut self, node: Node<Op, At>) -> usize {
        debug_assert!(node.inputs.iter().all(|input| *input < self.0.len()), "an op reads earlier ones");
        self.0.push(node);
        self.0.len() - 1
    }

    /// For every node the last one that reads it; none reads the result.
    pub fn last_readers(&self) -> Vec<Option<usize>> {
        let mut last = vec![None; self.0.len()];
        for (i, node) in self.0.iter().enumerate() {
            node.inputs.iter().for_each(|&input| last[input] = Some(i));
        }
        last
    }

    /// The largest number of nodes whose values are alive at once.
    pub fn most_alive(&self) -> usize {
        let last_readers = self.last_readers();
        let mut ends = vec![0; self.0.len()];
        last_readers.iter().flatten().for_each(|&reader| ends[reader] += 1);
        let (mut alive, mut most) = (0, 0);
        for ends in ends {
            alive += 1;
            most = most.max(alive);
            alive -= ends;
        }
        most
    }
}

impl<O: Op, At> Graph<O, At> {
    /// Its ops that act at each position alone.
    pub fn pointwise(&self) -> impl Iterator<Item = &Pointwise> {
        self.0.iter().filter_map(|node| node.op.pointwise())
    }
}

impl<Op, At> Default for Graph<Op, At> {
    fn default() -> Graph<Op, At> {
        Graph(Vec::new())
    }
}

impl<Op, At> Deref for Graph<Op, At> {
    type Target = [Node<Op, At>];

    fn deref(&self) -> &[Node<Op, At>] {
        &self.0
    }
}

impl<Op, At> DerefMut for Graph<Op, At> {
    fn deref_mut(&mut self) -> &mut [Node<Op, At>] {
        &mut self.0
    }
}

impl<'a, Op, At> IntoIterator for &'a Graph<Op, At> {
    type Item = &'a Node<Op, At>;
    type IntoIter = std::slice::Iter<'a, Node<Op, At>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
