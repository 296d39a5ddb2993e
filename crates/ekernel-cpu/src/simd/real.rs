use bytemuck::Pod;
use pulp::Simd;

/// f32 or f64, alone and in the lanes of a register of the instruction set `S`.
///
/// The methods on lanes are thin names for those of [`pulp::Simd`], so that one kernel serves both widths. They
/// are `inline(always)` and must only be called from code that is itself inlined into [`super::Isa::run`].
pub trait Real: Pod + Default + PartialOrd + Send + Sync + std::fmt::Debug + 'static {
    /// A register.
    type Lanes<S: Simd>: Pod;
    /// Bits of the significand: 24 or 53.
    const DIGITS: i32;
    /// Standard deviations below this fraction of an image's largest one are treated as zero by the
    /// nonlinearity: there the rounding of u, about `NEGLIGIBLE`² of the largest ss', is as large as ss' itself.
    const NEGLIGIBLE: f64;
    /// Standard deviations are renormalised when they leave 2^(±`RANGE`).
    const RANGE: i32;
    /// Q(d) = θ / (π √d), θ = acos(1 - d), lowest power first; see `chain/arc_cosine.rs`.
    const ANGLE: &'static [Self];
    /// R(d) = (sin θ - θ cos θ) / (π d^(3/2)), lowest power first.
    const SECTOR: &'static [Self];

    /// A(z) = atan(√z)/√z, lowest power first; see `duals/coefficients.rs`.
    const ARC_TANGENT: &'static [Self];
    /// E(r) = (e^r - 1 - r)/r², lowest power first.
    const EXPONENTIAL: &'static [Self];
    /// The number whose addition rounds to an integer n and leaves n + bias - 1 in the lowest bits of the sum, the bias that of
    /// this type's exponents.
    const INTEGER: Self;
    /// ln 2 in two parts, of which the first times a small integer is exact.
    const LN_2: [Self; 2];
    /// Arguments of an exponential below and above which it is 0 and infinite but for a factor of e.
    const EXPONENTS: [Self; 2];

    /// The nearest number of this type.
    fn of(x: f64) -> Self;
    /// The same number in f64.
    fn wide(self) -> f64;

    /// Numbers in a register.
    fn lanes<S: Simd>() -> usize;
    /// The same number in every lane.
    fn splat<S: Simd>(s: S, x: Self) -> Self::Lanes<S>;
    /// a + b
    fn add<S: Simd>(s: S, a: Self::Lanes<S>, b: Self::Lanes<S>) -> Self::Lanes<S>;
    /// a - b
    fn sub<S: Simd>(s: S, a: Self::Lanes<S>, b: Self::Lanes<S>) -> Self::Lanes<S>;
    /// a · b
    fn mul<S: Simd>(s: S, a: Self::Lanes<S>, b: Self::Lanes<S>) -> Self::Lanes<S>;
    /// a · b + c, rounded once where the hardware has it, otherwise twice.
    fn fma<S: Simd>(s: S, a: Self::Lanes<S>, b: Self::Lanes<S>, c: Self::Lanes<S>) -> Self::Lanes<S>;
    /// c - a · b, rounded like [`Real::fma`].
    fn fnma<S: Simd>(s: S, a: Self::Lanes<S>, b: Self::Lanes<S>, c: Self::Lanes<S>) -> Self::Lanes<S>;
    /// a · b - c, rounded once everywhere: what rounding a · b to c left over.
    fn residual<S: Simd>(s: S, a: Self::Lanes<S>, b: Self::Lanes<S>, c: Self::Lanes<S>) -> Self::Lanes<S>;
    /// a / b
    fn div<S: Simd>(s: S, a: Self::Lanes<S>, b: Self::Lanes<S>) -> Self::Lanes<S>;
    /// The lowest bits of `a` as the exponent of a number: 2^(n-1) of [`Real::INTEGER`] + n.
    fn half_power<S: Simd>(a: Self::Lanes<S>) -> Self::Lanes<S>;
    /// √a
    fn sqrt<S: Simd>(s: S, a: Self::Lanes<S>) -> Self::Lanes<S>;
    /// The smaller one.
    fn min<S: Simd>(s: S, a: Self::Lanes<S>, b: Self::Lanes<S>) -> Self::Lanes<S>;
    /// The larger one.
    fn max<S: Simd>(s: S, a: Self::Lanes<S>, b: Self::Lanes<S>) -> Self::Lanes<S>;
    /// `then` in the lanes where the first operand is less, `otherwise` in the others.
    fn select_less<S: Simd>(
        s: S,
        operands: (Self::Lanes<S>, Self::Lanes<S>),
        then: Self::Lanes<S>,
        otherwise: Self::Lanes<S>,
    ) -> Self::Lanes<S>;
}

macro_rules! impl_real {
    ($ty:ident, $lanes:ident, $count:ident, $splat:ident, $add:ident, $sub:ident, $mul:ident, $fma:ident,
     $exact_fma:ident, $fnma:ident, $neg:ident, $div:ident, $sqrt:ident, $min:ident, $max:ident, $less:ident, $select:ident,
     $bits:ident, $($constants:tt)*) => {
        impl Real for $ty {
            type Lanes<S: Simd> = S::$lanes;
            $($constants)*

            fn of(x: f64) -> Self {
                x as $ty
            }
            fn wide(self) -> f64 {
                self.into()
            }
            #[inline(always)]
            fn lanes<S: Simd>() -> usize {
                S::$count
            }
            #[inline(always)]
            fn splat<S: Simd>(s: S, x: Self) -> S::$lanes {
                s.$splat(x)
            }
            #[inline(always)]
            fn add<S: Simd>(s: S, a: S::$lanes, b: S::$lanes) -> S::$lanes {
                s.$add(a, b)
            }
            #[inline(always)]
            fn sub<S: Simd>(s: S, a: S::$lanes, b: S::$lanes) -> S::$lanes {
                s.$sub(a, b)
            }
            #[inline(always)]
            fn mul<S: Simd>(s: S, a: S::$lanes, b: S::$lanes) -> S::$lanes {
                s.$mul(a, b)
            }
            #[inline(always)]
            fn fma<S: Simd>(s: S, a: S::$lanes, b: S::$lanes, c: S::$lanes) -> S::$lanes {
                s.$fma(a, b, c)
            }
            #[inline(always)]
            fn fnma<S: Simd>(s: S, a: S::$lanes, b: S::$lanes, c: S::$lanes) -> S::$lanes {
                s.$fnma(a, b, c)
            }
            #[inline(always)]
            fn residual<S: Simd>(s: S, a: S::$lanes, b: S::$lanes, c: S::$lanes) -> S::$lanes {
                s.$exact_fma(a, b, s.$neg(c))
            }
            #[inline(always)]
            fn div<S: Simd>(s: S, a: S::$lanes, b: S::$lanes) -> S::$lanes {
                s.$div(a, b)
            }
            #[inline(always)]
            fn half_power<S: Simd>(a: S::$lanes) -> S::$lanes {
                let mut power = [a];
                for bits in bytemuck::cast_slice_mut::<_, $bits>(&mut power) {
                    *bits <<= <Self as Real>::DIGITS - 1;
                }
                power[0]
            }
            #[inline(always)]
            fn sqrt<S: Simd>(s: S, a: S::$lanes) -> S::$lanes {
                s.$sqrt(a)
            }
            #[inline(always)]
            fn min<S: Simd>(s: S, a: S::$lanes, b: S::$lanes) -> S::$lanes {
                s.$min(a, b)
            }
            #[inline(always)]
            fn max<S: Simd>(s: S, a: S::$lanes, b: S::$lanes) -> S::$lanes {
                s.$max(a, b)
            }
            #[inline(always)]
            fn select_less<S: Simd>(
                s: S,
                (a, b): (S::$lanes, S::$lanes),
                then: S::$lanes,
                otherwise: S::$lanes,
            ) -> S::$lanes {
                s.$select(s.$less(a, b), then, otherwise)
            }
        }
    };
}

impl_real! {
    f32, f32s, F32_LANES, splat_f32s, add_f32s, sub_f32s, mul_f32s, mul_add_e_f32s, mul_add_f32s,
    negate_mul_add_e_f32s, neg_f32s, div_f32s, sqrt_f32s, min_f32s, max_f32s, less_than_f32s, select_f32s, u32,
    const DIGITS: i32 = 24;
    const NEGLIGIBLE: f64 = 1.0 / (1u64 << 22) as f64;
    const RANGE: i32 = 20;
    const ANGLE: &'static [f32] = &crate::chain::arc_cosine::ANGLE_F32;
    const SECTOR: &'static [f32] = &crate::chain::arc_cosine::SECTOR_F32;
    const ARC_TANGENT: &'static [f32] = &crate::duals::coefficients::ARC_TANGENT_F32;
    const EXPONENTIAL: &'static [f32] = &crate::duals::coefficients::EXPONENTIAL_F32;
    const INTEGER: f32 = 12_582_912.0 + 126.0;
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    const EXPONENTS: [f32; 2] = [-86.0, 89.0];
}

impl_real! {
    f64, f64s, F64_LANES, splat_f64s, add_f64s, sub_f64s, mul_f64s, mul_add_e_f64s, mul_add_f64s,
    negate_mul_add_e_f64s, neg_f64s, div_f64s, sqrt_f64s, min_f64s, max_f64s, less_than_f64s, select_f64s, u64,
    const DIGITS: i32 = 53;
    const NEGLIGIBLE: f64 = 1.0 / (1u64 << 50) as f64;
    const RANGE: i32 = 200;
    const ANGLE: &'static [f64] = &crate::chain::arc_cosine::ANGLE_F64;
    const SECTOR: &'static [f64] = &crate::chain::arc_cosine::SECTOR_F64;
    const ARC_TANGENT: &'static [f64] = &crate::duals::coefficients::ARC_TANGENT_F64;
    const EXPONENTIAL: &'static [f64] = &crate::duals::coefficients::EXPONENTIAL_F64;
    const INTEGER: f64 = 6_755_399_441_055_744.0 + 1022.0;
    const LN_2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];
    const EXPONENTS: [f64; 2] = [-707.0, 710.0];
}
