//! Executes the stages of a plan on planes, any ops in any order.
//!
//! Arrays are `[position][lane]`: lane l of a plane belongs to image l of the first [`Pack`] and image l of the second.
//! Every op is one file, named like the op; each runs on the rows of a plane ([`geometry::Run`]), compiled for the
//! instruction set chosen at run time.

mod affine;
mod beat;
mod box_mean;
mod compensated;
mod correlate;
mod dropout;
mod dual;
mod feed;
mod geometry;
mod normalize;
mod pack;
mod pool;
mod scalar;
mod smooth;
mod stage;
mod sum;

pub(crate) use beat::Beat;
#[cfg(test)]
pub(crate) use beat::counted;
pub(crate) use dual::kinked_element;
pub(crate) use feed::pooled_self;
pub(crate) use pack::Pack;
pub(crate) use scalar::{Scalar, polynomial};
pub(crate) use stage::{Lanes, Runner, SegmentImages};

use crate::simd::Aligned;

/// K (or the defect u) and Θ on one plane, `[row][col][lane]`; only the positions where the plane exists are defined.
/// Θ is empty where it is not asked for.
#[derive(Clone, Debug)]
pub(crate) struct Plane<T> {
    pub(crate) cov: Aligned<T>,
    pub(crate) ntk: Aligned<T>,
}

impl<T: Scalar> Plane<T> {
    pub(crate) fn zeros(len: usize, ntk: bool) -> Plane<T> {
        Plane { cov: Aligned::zeros(len), ntk: Aligned::zeros(if ntk { len } else { 0 }) }
    }
}
