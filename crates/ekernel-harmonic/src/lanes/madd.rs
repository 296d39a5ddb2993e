use crate::real::Real;

/// ab + c, rounded once if `FUSED`.
#[inline(always)]
pub(super) fn madd<T: Real, const FUSED: bool>(a: T, b: T, c: T) -> T {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}
