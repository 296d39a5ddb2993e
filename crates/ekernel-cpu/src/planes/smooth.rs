//! The dual of a smooth activation, in float64 whatever the planes hold, in registers.
//!
//! A defect that comes of K is u_o = √(v_o v'_o) − K_o in float64. Where it comes of a defect, or planes are float64 themselves, the closed
//! form of `ekernel-core` is called: K = √(vv') − u before and u_o after, all from the same v and v', so that the difference keeps the
//! digits of u and is 0 where K = v = v'.

use ekernel_core::{geometric_mean, plan::Form};
use pulp::{Simd, WithSimd};

use super::{Plane, Scalar, geometry::Run, pack::SmoothMaps, scalar::nonnegative};
use crate::{
    duals::{Family, NUMBERS, Visitor},
    simd::{Lockstep, Real},
};

/// Numbers that are widened together, registers of every instruction set.
const BLOCK: usize = 64;

/// Registers that go together.
const TOGETHER: usize = 4;

#[repr(align(64))]
#[derive(Clone, Copy)]
struct Block([f64; BLOCK]);

impl Block {
    const ZERO: Block = Block([0.0; BLOCK]);

    /// Numbers `at..` of `map`, as many as there are.
    #[inline(always)]
    fn load(map: &[f64], at: usize) -> Block {
        let mut block = Block::ZERO;
        if let Some(map) = map.get(at..) {
            for (into, x) in block.0.iter_mut().zip(map) {
                *into = *x;
            }
        }
        block
    }

    #[inline(always)]
    fn registers<S: Simd>(&self, s: S, at: usize) -> Lockstep<S, f64, TOGETHER> {
        let lanes = <f64 as Real>::lanes::<S>();
        let registers: &[S::f64s] = bytemuck::cast_slice(&self.0[at * lanes..(at + TOGETHER) * lanes]);
        let mut all = [<f64 as Real>::splat(s, 0.0); TOGETHER];
        all.copy_from_slice(registers);
        Lockstep::new(s, all)
    }

    #[inline(always)]
    fn store<S: Simd>(&mut self, at: usize, values: Lockstep<S, f64, TOGETHER>) {
        let lanes = <f64 as Real>::lanes::<S>();
        let into: &mut [S::f64s] = bytemuck::cast_slice_mut(&mut self.0[at * lanes..(at + TOGETHER) * lanes]);
        into.copy_from_slice(&values.registers());
    }
}

/// What the dual works on.
pub(super) struct Values<'a, T> {
    pub(super) maps: [&'a SmoothMaps; 2],
    /// Forms of the input and of the output.
    pub(super) forms: [Form; 2],
    pub(super) lanes: usize,
    pub(super) runs: &'a [Run],
    pub(super) plane: &'a mut Plane<T>,
}

/// Every position of the runs.
#[inline(always)]
pub(super) fn smooth<S: Simd, T: Scalar>(s: S, values: Values<'_, T>) {
    let double = T::DIGITS == <f64 as Real>::DIGITS;
    if values.forms[0] == Form::Defect || (values.forms[1] == Form::Defect && double) {
        closed(values);
    } else {
        values.maps[0].smooth.visit(Runs { s, values });
    }
}

fn closed<T: Scalar>(values: Values<'_, T>) {
    let Values { maps: [one, two], forms, lanes, runs, plane } = values;
    let activation = one.smooth.activation();
    for run in runs {
        let (from, other) = (run.first * lanes, run.second * lanes);
        for i in 0..run.len * lanes {
            let (v, vp) = (one.variance.as_slice()[from + i], two.variance.as_slice()[other + i]);
            let cov = &mut plane.cov.as_mut_slice()[from + i];
            let k = match forms[0] {
                Form::Cov => cov.wide(),
                Form::Defect => geometric_mean(v, vp) - cov.wide(),
            };
            let dual = activation.dual(v, vp, k);
            *cov = T::new(match forms[1] {
                Form::Cov => dual.cov,
                Form::Defect => {
                    let bound = geometric_mean(activation.variance(v), activation.variance(vp));
                    nonnegative(bound - dual.cov)
                }
            });
            if let Some(ntk) = plane.ntk.as_mut_slice().get_mut(from + i) {
                *ntk = T::new(ntk.wide() * dual.dot);
            }
        }
    }
}

struct Runs<'a, S, T> {
    s: S,
    values: Values<'a, T>,
}

impl<S: Simd, T: Scalar> Visitor<f64> for Runs<'_, S, T> {
    type Output = ();

    #[inline(always)]
    fn visit(self, family: impl Family<f64>) {
        self.s.vectorize(OfFamily { values: self.values, family });
    }
}

struct OfFamily<'a, T, F> {
    values: Values<'a, T>,
    family: F,
}

impl<T: Scalar, F: Family<f64>> WithSimd for OfFamily<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Self { values: Values { maps: [one, two], forms, lanes, runs, plane }, family } = self;
        let units = family.units();
        let has_ntk = !plane.ntk.as_slice().is_empty();
        for run in runs {
            let (from, other) = (run.first * lanes, run.second * lanes);
            let cov = &mut plane.cov.as_mut_slice()[from..][..run.len * lanes];
            let mut ntk =
                if has_ntk { &mut plane.ntk.as_mut_slice()[from..][..run.len * lanes] } else { &mut [] };
            for (block, cov) in cov.chunks_mut(BLOCK).enumerate() {
                let (from, other) = (from + block * BLOCK, other + block * BLOCK);
                let load = |maps: &SmoothMaps, at: usize| {
                    [Block::load(maps.numbers[0].as_slice(), at), Block::load(maps.numbers[1].as_slice(), at)]
                };
                let (first, second) = (load(one, from), load(two, other));
                let mut k = Block::ZERO;
                for (k, x) in k.0.iter_mut().zip(&*cov) {
                    *k = x.wide();
                }
                let mut dot = Block::ZERO;
                duals(s, family, units.rate, &mut k, &mut dot, [&first, &second]);
                for i in 0..BLOCK {
                    k.0[i] *= units.scale;
                    dot.0[i] *= units.slope;
                }
                if forms[1] == Form::Defect {
                    let bounds =
                        [Block::load(one.std.as_slice(), from), Block::load(two.std.as_slice(), other)];
                    for i in 0..BLOCK {
                        k.0[i] = bounds[0].0[i] * bounds[1].0[i] - k.0[i];
                    }
                    for (x, u) in cov.iter_mut().zip(&k.0) {
                        *x = nonnegative(T::new(*u));
                    }
                } else {
                    for (x, k) in cov.iter_mut().zip(&k.0) {
                        *x = T::new(*k);
                    }
                }
                if has_ntk {
                    let (now, later) = ntk.split_at_mut(cov.len());
                    for (x, dot) in now.iter_mut().zip(&dot.0) {
                        *x = T::new(x.wide() * *dot);
                    }
                    ntk = later;
                }
            }
        }
    }
}

/// k ← k̂(rate · k), and κ̂.
#[inline(always)]
fn duals<S: Simd, F: Family<f64>>(
    s: S,
    family: F,
    rate: f64,
    k: &mut Block,
    dot: &mut Block,
    [first, second]: [&[Block; NUMBERS]; 2],
) {
    let count = BLOCK / <f64 as Real>::lanes::<S>();
    for at in (0..count).step_by(TOGETHER) {
        let argument = k.registers(s, at);
        let a = [first[0].registers(s, at), first[1].registers(s, at)];
        let b = [second[0].registers(s, at), second[1].registers(s, at)];
        let [cov, slope] = family.dual(argument * argument.like(rate), a, b);
        k.store(at, cov);
        dot.store(at, slope);
    }
}
