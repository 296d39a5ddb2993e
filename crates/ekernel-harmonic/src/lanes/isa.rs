//! Which instructions the loops over lanes are compiled for, chosen once at run time.

/// An instruction set of the lane transforms.
///
/// The default target of a program knows only the oldest instructions of its architecture; the loops are compiled once
/// for each of these, and results differ between them in the last bits (fused multiply-add rounds once).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// What the program was compiled for.
    Portable,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512F.
    Avx512,
}

/// A loop nest that [`Isa::run`] compiles for every instruction set.
pub(super) trait Kernel {
    /// `FUSED`: there is a fused multiply-add instruction. Must be `#[inline(always)]`, and so must all it calls.
    fn run<const FUSED: bool>(self);
}

const BASELINE_FUSED: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));

impl Isa {
    /// The best one this machine has.
    pub fn detect() -> Self {
        Self::available().last().copied().unwrap_or(Isa::Portable)
    }

    /// All this machine has, the portable one first and the best one last.
    pub fn available() -> Vec<Self> {
        let mut found = vec![Isa::Portable];
        found.extend([Isa::Avx2, Isa::Avx512].into_iter().filter(|isa| isa.is_present()));
        found
    }

    #[cfg(target_arch = "x86_64")]
    fn is_present(self) -> bool {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        match self {
            Isa::Portable => true,
            Isa::Avx2 => avx2,
            Isa::Avx512 => avx2 && is_x86_feature_detected!("avx512f"),
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn is_present(self) -> bool {
        self == Isa::Portable
    }

    /// Runs `kernel` compiled for this instruction set, or for the portable one where the machine lacks it.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    pub(super) fn run<K: Kernel>(self, kernel: K) {
        #[target_feature(enable = "avx2,fma")]
        fn avx2<K: Kernel>(kernel: K) {
            kernel.run::<true>();
        }
        #[target_feature(enable = "avx512f,avx2,fma")]
        fn avx512<K: Kernel>(kernel: K) {
            kernel.run::<true>();
        }
        // The detection macro caches its answer, so asking again costs a load; it makes the calls below sound for any
        // value of `self`.
        match self {
            // SAFETY: the features of the callee were just detected.
            Isa::Avx512 if self.is_present() => unsafe { avx512(kernel) },
            // SAFETY: the features of the callee were just detected.
            Isa::Avx2 if self.is_present() => unsafe { avx2(kernel) },
            _ => kernel.run::<BASELINE_FUSED>(),
        }
    }

    /// Runs `kernel`.
    #[cfg(not(target_arch = "x86_64"))]
    #[inline]
    pub(super) fn run<K: Kernel>(self, kernel: K) {
        kernel.run::<BASELINE_FUSED>();
    }
}
