//! The empirical NTK of one network: products of the gradients of all pairs of samples, layer by layer.

use std::ops::Range;

use crate::{
    backward::{Sink, backward},
    batch::Batch,
    forward::{Tape, ranges},
    parameters::Parameters,
    program::{Program, Step, Weights},
    rows::Rows,
    scalar::{Matrix, Scalar},
};

/// Numbers of a block of gradients of all samples: 64 MiB in f64.
pub(crate) const BLOCK: usize = 1 << 23;

/// Θ(x, x') = Σ over parameters of ∂N(x)·∂N(x'), the mean over outputs, `[sample][sample]`.
pub(crate) fn empirical_ntk<T: Scalar>(
    program: &Program<T>,
    parameters: &Parameters<T>,
    batch: &Batch<T>,
    tape: &Tape<T>,
) -> Vec<f64> {
    let samples = batch.samples;
    let mut contraction = Contraction { batch, ntk: vec![0.0; samples * samples] };
    let outputs = program.outputs();
    for output in 0..outputs {
        let mut delta = vec![T::default(); samples * outputs];
        delta.iter_mut().skip(output).step_by(outputs).for_each(|d| *d = T::of(1.0));
        backward(program, parameters, batch, tape, delta, &mut contraction);
    }
    let mut ntk = contraction.ntk;
    ntk.iter_mut().for_each(|theta| *theta /= program.fan);
    ntk
}

struct Contraction<'a, T> {
    batch: &'a Batch<T>,
    ntk: Vec<f64>,
}

impl<T: Scalar> Contraction<'_, T> {
    /// The sample of an item.
    fn owner(&self, step: &Step<T>, item: usize) -> usize {
        if step.per_atom { self.batch.owners[item] } else { item }
    }

    /// Adds scale²·⟨Σ_r a_r ⊗ d_r, Σ_r' a_r' ⊗ d_r'⟩ over the rows r, r' of all pairs of samples; `items` is the sample of each
    /// item, whose `per` rows of `a` and `d` follow one another.
    fn add(
        &mut self,
        owners: &[usize],
        per: usize,
        [a, d]: [&[T]; 2],
        [cols_a, cols_d]: [usize; 2],
        scale: f64,
    ) {
        let rows = owners.len() * per;
        let samples = self.batch.samples;
        let present = {
            let mut present = owners.to_vec();
            present.sort_unstable();
            present.dedup();
            present
        };
        let direct = rows * cols_a * cols_d + present.len() * present.len() * cols_a * cols_d;
        if rows * rows * (cols_a + cols_d) < direct && rows * rows <= BLOCK {
            let mut grams = [Vec::new(), Vec::new()];
            for (gram, (entries, cols)) in grams.iter_mut().zip([(a, cols_a), (d, cols_d)]) {
                gram.resize(rows * rows, T::default());
                let matrix = Matrix::new(entries, rows, cols);
                T::product(gram, matrix, matrix.t(), T::of(1.0), true);
            }
            for r in 0..rows {
                for s in 0..rows {
                    let at = owners[r / per] * samples + owners[s / per];
                    self.ntk[at] +=
                        scale * scale * grams[0][r * rows + s].wide() * grams[1][r * rows + s].wide();
                }
            }
            return;
        }
        // Gradients of all samples by the weights of some output columns.
        let width = (BLOCK / (present.len() * cols_a)).clamp(1, cols_d);
        let (mut gradients, mut columns) = (Vec::new(), Vec::new());
        for start in (0..cols_d).step_by(width) {
            let width = width.min(cols_d - start);
            let size = cols_a * width;
            gradients.clear();
            gradients.resize(present.len() * size, T::default());
            for (item, owner) in owners.iter().enumerate() {
                let slot = present.binary_search(owner).expect("every owner is present");
                let a = &a[item * per * cols_a..][..per * cols_a];
                columns.clear();
                for row in d[item * per * cols_d..][..per * cols_d].chunks_exact(cols_d) {
                    columns.extend_from_slice(&row[start..start + width]);
                }
                let to = &mut gradients[slot * size..][..size];
                let a = Matrix::new(a, per, cols_a).t();
                T::product(to, a, Matrix::new(&columns, per, width), T::of(1.0), false);
            }
            let mut gram = vec![T::default(); present.len() * present.len()];
            let gradients = Matrix::new(&gradients, present.len(), size);
            T::product(&mut gram, gradients, gradients.t(), T::of(1.0), true);
            for (i, row) in present.iter().zip(gram.chunks_exact(present.len())) {
                for (j, value) in present.iter().zip(row) {
                    self.ntk[i * samples + j] += scale * scale * value.wide();
                }
            }
        }
    }

    fn owners(&self, step: &Step<T>, range: Range<usize>) -> Vec<usize> {
        range.map(|item| self.owner(step, item)).collect()
    }
}

impl<T: Scalar> Sink<T> for Contraction<'_, T> {
    fn weights(&mut self, weights: &Weights<T>, step: &Step<T>, below: [usize; 2], x: &[T], delta: &[T]) {
        let (mut a, mut d) = (Vec::new(), Vec::new());
        for range in ranges(self.batch, step.per_atom) {
            if range.is_empty() {
                continue;
            }
            for part in &weights.parts {
                let rows = Rows::new(part, below, [step.positions, step.channels]);
                rows.gather(x, range.clone(), &mut a);
                rows.outputs(delta, range.clone(), &mut d);
                let owners = self.owners(step, range.clone());
                self.add(&owners, rows.per_item(), [&a, &d], rows.cols(), part.gain.wide());
            }
        }
    }

    fn bias(&mut self, _: usize, gain: T, step: &Step<T>, delta: &[T]) {
        for range in ranges(self.batch, step.per_atom) {
            if range.is_empty() {
                continue;
            }
            let size = step.positions * step.channels;
            let delta = &delta[range.start * size..range.end * size];
            let ones = vec![T::of(1.0); range.len() * step.positions];
            let owners = self.owners(step, range);
            self.add(&owners, step.positions, [&ones, delta], [1, step.channels], gain.wide());
        }
    }
}
