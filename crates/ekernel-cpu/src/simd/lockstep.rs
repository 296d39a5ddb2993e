use std::ops::{Add, Div, Mul, Neg, Sub};

use pulp::Simd;

use crate::simd::Real;

/// `N` registers that go through a formula together: one alone is a chain of dependent instructions, and a processor's scheduler
/// is too small to find the next one's behind it.
///
/// As for [`Real`], only for code that is itself inlined into [`super::Isa::run`].
#[derive(Clone, Copy)]
pub(crate) struct Lockstep<S: Simd, T: Real, const N: usize> {
    s: S,
    registers: [T::Lanes<S>; N],
}

impl<S: Simd, T: Real, const N: usize> Lockstep<S, T, N> {
    #[inline(always)]
    pub(crate) fn new(s: S, registers: [T::Lanes<S>; N]) -> Self {
        Self { s, registers }
    }

    #[inline(always)]
    pub(crate) fn registers(self) -> [T::Lanes<S>; N] {
        self.registers
    }

    /// The same number everywhere.
    #[inline(always)]
    pub(crate) fn splat(s: S, x: T) -> Self {
        Self { s, registers: [T::splat(s, x); N] }
    }

    /// The same number everywhere, in the instruction set of `self`.
    #[inline(always)]
    pub(crate) fn like(self, x: T) -> Self {
        Self::splat(self.s, x)
    }

    #[inline(always)]
    fn map(self, f: impl Fn(T::Lanes<S>) -> T::Lanes<S>) -> Self {
        let mut registers = self.registers;
        for register in &mut registers {
            *register = f(*register);
        }
        Self { registers, ..self }
    }

    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(T::Lanes<S>, T::Lanes<S>) -> T::Lanes<S>) -> Self {
        let mut registers = self.registers;
        for (register, other) in registers.iter_mut().zip(other.registers) {
            *register = f(*register, other);
        }
        Self { registers, ..self }
    }

    /// self · a + b
    #[inline(always)]
    pub(crate) fn times_plus(self, a: Self, b: Self) -> Self {
        let mut registers = self.registers;
        for (i, register) in registers.iter_mut().enumerate() {
            *register = T::fma(self.s, *register, a.registers[i], b.registers[i]);
        }
        Self { registers, ..self }
    }

    /// b - self · a
    #[inline(always)]
    pub(crate) fn times_from(self, a: Self, b: Self) -> Self {
        let mut registers = self.registers;
        for (i, register) in registers.iter_mut().enumerate() {
            *register = T::fnma(self.s, *register, a.registers[i], b.registers[i]);
        }
        Self { registers, ..self }
    }

    #[inline(always)]
    pub(crate) fn sqrt(self) -> Self {
        self.map(|a| T::sqrt(self.s, a))
    }

    /// [`Real::half_power`]
    #[inline(always)]
    pub(crate) fn half_power(self) -> Self {
        self.map(T::half_power::<S>)
    }

    /// `then` where self < `bound`, else `otherwise`.
    #[inline(always)]
    pub(crate) fn if_less(self, bound: Self, then: Self, otherwise: Self) -> Self {
        let mut registers = self.registers;
        for (i, register) in registers.iter_mut().enumerate() {
            let operands = (*register, bound.registers[i]);
            *register = T::select_less(self.s, operands, then.registers[i], otherwise.registers[i]);
        }
        Self { registers, ..self }
    }

    /// self, or `bound` where self is less; unlike a maximum it leaves what is no number as it is, on every instruction set.
    #[inline(always)]
    pub(crate) fn at_least(self, bound: Self) -> Self {
        self.if_less(bound, bound, self)
    }

    /// self, or `bound` where that is less.
    #[inline(always)]
    pub(crate) fn at_most(self, bound: Self) -> Self {
        bound.if_less(self, bound, self)
    }

    /// c₀ + c₁ self + …
    #[inline(always)]
    pub(crate) fn polynomial(self, coefficients: &'static [T]) -> Self {
        let degree = coefficients.len() - 1;
        let mut value = self.like(coefficients[degree]);
        for &c in coefficients[..degree].iter().rev() {
            value = value.times_plus(self, self.like(c));
        }
        value
    }
}

impl<S: Simd, T: Real, const N: usize> Add for Lockstep<S, T, N> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| T::add(self.s, a, b))
    }
}

impl<S: Simd, T: Real, const N: usize> Sub for Lockstep<S, T, N> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| T::sub(self.s, a, b))
    }
}

impl<S: Simd, T: Real, const N: usize> Mul for Lockstep<S, T, N> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| T::mul(self.s, a, b))
    }
}

impl<S: Simd, T: Real, const N: usize> Div for Lockstep<S, T, N> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| T::div(self.s, a, b))
    }
}

impl<S: Simd, T: Real, const N: usize> Neg for Lockstep<S, T, N> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.like(T::default()) - self
    }
}
