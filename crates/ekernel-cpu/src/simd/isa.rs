use std::fmt;

use pulp::{Arch, WithSimd};

/// An instruction set that this processor has.
#[derive(Clone, Copy, Debug)]
pub struct Isa(Arch);

impl Isa {
    /// The widest one.
    pub fn best() -> Self {
        Self(Arch::new())
    }

    /// Every one that can be chosen here, the widest first and the scalar fallback last.
    pub fn available() -> Vec<Self> {
        let mut all = vec![];
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(pulp::x86::V4::try_new().map(|isa| Self(Arch::V4(isa))));
            all.extend(pulp::x86::V3::try_new().map(|isa| Self(Arch::V3(isa))));
        }
        #[cfg(target_arch = "aarch64")]
        all.extend(pulp::aarch64::Neon::try_new().map(|isa| Self(Arch::Neon(isa))));
        all.push(Self(Arch::Scalar));
        all
    }

    /// Runs `op` compiled for this instruction set.
    pub fn run<Op: WithSimd>(self, op: Op) -> Op::Output {
        self.0.dispatch(op)
    }

    /// The same for the transforms on SO(3).
    pub(crate) fn harmonic(self) -> ekernel_harmonic::Isa {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Arch::V4(_) => ekernel_harmonic::Isa::Avx512,
            #[cfg(target_arch = "x86_64")]
            Arch::V3(_) => ekernel_harmonic::Isa::Avx2,
            _ => ekernel_harmonic::Isa::Portable,
        }
    }

    /// Real numbers of type `T` in one register: the number of second images that are worked on together.
    pub fn lanes<T: super::Real>(self) -> usize {
        struct Lanes<T>(std::marker::PhantomData<T>);
        impl<T: super::Real> WithSimd for Lanes<T> {
            type Output = usize;
            #[inline(always)]
            fn with_simd<S: pulp::Simd>(self, _: S) -> usize {
                T::lanes::<S>()
            }
        }
        self.run(Lanes::<T>(std::marker::PhantomData))
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            #[cfg(target_arch = "x86_64")]
            Arch::V4(_) => "avx512",
            #[cfg(target_arch = "x86_64")]
            Arch::V3(_) => "avx2",
            #[cfg(target_arch = "aarch64")]
            Arch::Neon(_) => "neon",
            _ => "scalar",
        })
    }
}
