//! Gathering input positions into rows of matrices, and adding rows back.

use std::ops::Range;

use crate::{
    program::{Part, Step, Weights},
    scalar::Scalar,
    taps::Taps,
};

/// A part of a weighted step on some items of one label.
pub(crate) struct Block<'a, T> {
    pub(crate) rows: Rows<'a, T>,
    pub(crate) gain: T,
    /// Where its weights lie in the parameter.
    pub(crate) place: Range<usize>,
    pub(crate) items: Range<usize>,
}

impl<T: Scalar> Block<'_, T> {
    /// Rows of its matrices.
    pub(crate) fn count(&self) -> usize {
        self.items.len() * self.rows.per_item()
    }
}

/// The blocks of a weighted step whose parameter has `size` numbers, label by label, part by part; `items` are those of each label.
pub(crate) fn blocks<'a, T: Scalar>(
    weights: &'a Weights<T>,
    step: &Step<T>,
    input: [usize; 2],
    items: &'a [Range<usize>],
    size: usize,
) -> impl Iterator<Item = Block<'a, T>> {
    let output = [step.positions, step.channels];
    let size = size / items.len();
    items.iter().enumerate().flat_map(move |(label, range)| {
        weights.parts.iter().flat_map(move |part| {
            let rows = Rows::new(part, input, output);
            let [a, b] = rows.cols();
            let start = label * size + part.offset;
            let (place, at_once) = (start..start + a * b, rows.items_at_once());
            range.clone().step_by(at_once).map(move |first| Block {
                rows: rows.clone(),
                gain: part.gain,
                place: place.clone(),
                items: first..(first + at_once).min(range.end),
            })
        })
    })
}

/// Where the rows of a part of a layer lie in arrays `[item][position][channel]`.
#[derive(Clone)]
pub(crate) struct Rows<'a, T> {
    part: &'a Part<T>,
    /// Positions and channels of the input.
    input: [usize; 2],
    /// Positions and channels of the output.
    output: [usize; 2],
}

impl<'a, T: Scalar> Rows<'a, T> {
    pub(crate) fn new(part: &'a Part<T>, input: [usize; 2], output: [usize; 2]) -> Rows<'a, T> {
        Rows { part, input, output }
    }

    /// Rows of an item.
    pub(crate) fn per_item(&self) -> usize {
        self.part.taps.positions()
    }

    /// Columns of a row of inputs, and of outputs.
    pub(crate) fn cols(&self) -> [usize; 2] {
        [self.part.taps.per * self.input[1], self.part.multiplicity * self.output[1]]
    }

    /// Items whose gathered inputs and outputs stay in a cache of about a megabyte.
    fn items_at_once(&self) -> usize {
        let [a, b] = self.cols();
        (131_072 / (self.per_item() * (a + b)).max(1)).max(1)
    }

    /// The inputs of some items, a row for each output position.
    pub(crate) fn gather(&self, x: &[T], items: Range<usize>, rows: &mut Vec<T>) {
        let [positions, channels] = self.input;
        let taps = &self.part.taps;
        rows.clear();
        if taps.is_identity() && taps.positions() == positions {
            return rows.extend_from_slice(
                &x[items.start * positions * channels..][..items.len() * positions * channels],
            );
        }
        rows.reserve(items.len() * taps.table.len() * channels);
        for item in items {
            let x = &x[item * positions * channels..][..positions * channels];
            for tap in &taps.table {
                match *tap {
                    Taps::OUTSIDE => rows.resize(rows.len() + channels, T::default()),
                    tap => rows.extend_from_slice(&x[tap as usize * channels..][..channels]),
                }
            }
        }
    }

    /// Adds rows of input gradients to the positions that they were gathered from.
    pub(crate) fn scatter(&self, rows: &[T], items: Range<usize>, x: &mut [T]) {
        let [positions, channels] = self.input;
        let mut rows = rows.chunks_exact(channels);
        for item in items {
            let x = &mut x[item * positions * channels..][..positions * channels];
            for (tap, row) in self.part.taps.table.iter().zip(&mut rows) {
                if *tap != Taps::OUTSIDE {
                    let to = &mut x[*tap as usize * channels..][..channels];
                    to.iter_mut().zip(row).for_each(|(to, from)| *to += *from);
                }
            }
        }
    }

    /// The outputs of some items as rows.
    pub(crate) fn outputs(&self, y: &[T], items: Range<usize>, rows: &mut Vec<T>) {
        rows.clear();
        for item in items {
            rows.extend_from_slice(&y[self.output_range(item)]);
        }
    }

    /// Writes rows of outputs.
    pub(crate) fn write(&self, rows: &[T], items: Range<usize>, y: &mut [T]) {
        let size = self.per_item() * self.cols()[1];
        for (item, rows) in items.zip(rows.chunks_exact(size)) {
            y[self.output_range(item)].copy_from_slice(rows);
        }
    }

    /// The part's outputs of an item, which are contiguous.
    fn output_range(&self, item: usize) -> Range<usize> {
        let [positions, channels] = self.output;
        let start = (item * positions + self.part.start) * channels;
        start..start + self.per_item() * self.cols()[1]
    }
}
