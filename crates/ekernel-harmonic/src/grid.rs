//! Grids on the sphere and on the rotation group, with the volume each point stands for.

use std::f64::consts::{PI, TAU};

use ndarray::{ArrayView2, ArrayView3, Axis};

use crate::error::{HarmonicError, check_nodes, check_resolution, check_shape};
use crate::polar::PolarRule;

/// A grid on the sphere: rings of constant θ, equidistant points φ_p = 2πp/n_φ on each. Arrays are `[θ][φ]`.
///
/// ```text
///  t = 0      ·  ·  ·  ·  ·      θ small: close to the north pole
///  t = 1      ·  ·  ·  ·  ·      every ring has the same n_φ points,
///   ⋮                            the first of them at φ = 0 (the +x side)
///  t = n-1    ·  ·  ·  ·  ·      close to the south pole; no ring lies on a pole
///            p=0 1  …  n_φ-1
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SphereGrid {
    polar: PolarRule,
    n_phi: usize,
}

impl SphereGrid {
    /// The equidistant grid of Driscoll and Healy for `bandlimit` L: 2L rings of 2L-1 points.
    ///
    /// # Errors
    /// [`HarmonicError::Bandlimit`].
    pub fn driscoll_healy(bandlimit: usize) -> Result<Self, HarmonicError> {
        let polar = PolarRule::driscoll_healy(bandlimit)?;
        Ok(Self { polar, n_phi: 2 * bandlimit - 1 })
    }

    /// The Gauss-Legendre grid: `nodes` rings of 2·`nodes` points, exact for products of two functions of
    /// bandlimit `nodes`.
    ///
    /// # Errors
    /// [`HarmonicError::Nodes`].
    pub fn gauss_legendre(nodes: usize) -> Result<Self, HarmonicError> {
        check_nodes("sphere grid", "theta", nodes)?;
        check_nodes("sphere grid", "phi", 2 * nodes)?;
        Ok(Self { polar: PolarRule::gauss_legendre(nodes)?, n_phi: 2 * nodes })
    }

    /// The rings: angles θ_t and weights in θ alone.
    pub fn polar(&self) -> &PolarRule {
        &self.polar
    }

    /// The shape `[n_θ, n_φ]` of an array on this grid.
    pub fn shape(&self) -> [usize; 2] {
        [self.polar.len(), self.n_phi]
    }

    /// The azimuth φ_p of column `p`, in radians.
    pub fn phi(&self, p: usize) -> f64 {
        TAU * p as f64 / self.n_phi as f64
    }

    /// The area in steradians each point of ring `t` stands for; over the whole grid they add up to 4π.
    ///
    /// # Panics
    /// If `t` is not below the number of rings.
    pub fn area(&self, t: usize) -> f64 {
        self.polar.weights()[t] * TAU / self.n_phi as f64
    }

    /// ∫_{S²} f dx for the samples `[θ][φ]`; the area of the sphere is 4π.
    ///
    /// # Errors
    /// [`HarmonicError::Shape`].
    pub fn integrate(&self, samples: ArrayView2<'_, f64>) -> Result<f64, HarmonicError> {
        check_shape("the samples", samples.shape(), &self.shape())?;
        Ok(samples.axis_iter(Axis(0)).enumerate().map(|(t, ring)| self.area(t) * ring.sum()).sum())
    }

    pub(crate) fn check_bandlimit(&self, bandlimit: usize) -> Result<(), HarmonicError> {
        check_resolution(bandlimit, "theta", self.polar.len(), self.polar.nodes_for(bandlimit))?;
        check_resolution(bandlimit, "phi", self.n_phi, 2 * bandlimit - 1)
    }
}

/// A grid on SO(3): nodes in β, equidistant α_p = 2πp/n_α and γ_r = 2πr/n_γ. Arrays are `[β][α][γ]`.
///
/// The point `[j, p, r]` is the rotation Rz(α_p) Ry(β_j) Rz(γ_r). When n_α = n_γ is even, U → U⁻¹ maps the grid to
/// itself: `[j, p, r]` goes to `[j, (n/2 - r) mod n, (n/2 - p) mod n]`, because
/// (Rz(α)Ry(β)Rz(γ))⁻¹ = Rz(π-γ)Ry(β)Rz(π-α).
#[derive(Clone, Debug, PartialEq)]
pub struct RotationGrid {
    polar: PolarRule,
    n_alpha: usize,
    n_gamma: usize,
}

impl RotationGrid {
    /// Gauss-Legendre in cosβ with `nodes` rings, and n_α = n_γ = 2·`nodes`: exact for products of two functions of
    /// bandlimit `nodes`, closed under inversion.
    ///
    /// # Errors
    /// [`HarmonicError::Nodes`].
    pub fn gauss_legendre(nodes: usize) -> Result<Self, HarmonicError> {
        check_nodes("rotation grid", "beta", nodes)?;
        Self::with_circles(PolarRule::gauss_legendre(nodes)?, 2 * nodes, 2 * nodes)
    }

    /// The grid for kernels k(U) lifted at `bandlimit` L before pointwise nonlinearities: Gauss-Legendre with
    /// max(12, 4L) nodes. Means of smooth duals of cross kernels are then good to 1e-9, of self kernels to 1e-6.
    ///
    /// # Errors
    /// [`HarmonicError::Nodes`].
    pub fn production(bandlimit: usize) -> Result<Self, HarmonicError> {
        Self::gauss_legendre(bandlimit.saturating_mul(4).max(12))
    }

    /// The coarser, eight times cheaper grid with 2L nodes: 4e-5 on cross kernels, 1e-4 on self kernels.
    ///
    /// # Errors
    /// [`HarmonicError::Nodes`].
    pub fn fast(bandlimit: usize) -> Result<Self, HarmonicError> {
        Self::gauss_legendre(bandlimit.saturating_mul(2))
    }

    /// The equidistant grid of Driscoll and Healy for `bandlimit` L: 2L rings of (2L-1)² points. It is the grid of the
    /// published code; the odd circles are not closed under inversion.
    ///
    /// # Errors
    /// [`HarmonicError::Bandlimit`].
    pub fn driscoll_healy(bandlimit: usize) -> Result<Self, HarmonicError> {
        let polar = PolarRule::driscoll_healy(bandlimit)?;
        Self::with_circles(polar, 2 * bandlimit - 1, 2 * bandlimit - 1)
    }

    /// Any rule in β with any numbers of equidistant α and γ.
    ///
    /// # Errors
    /// [`HarmonicError::Nodes`].
    pub fn with_circles(polar: PolarRule, n_alpha: usize, n_gamma: usize) -> Result<Self, HarmonicError> {
        check_nodes("rotation grid", "alpha", n_alpha)?;
        check_nodes("rotation grid", "gamma", n_gamma)?;
        Ok(Self { polar, n_alpha, n_gamma })
    }

    /// The rings: angles β_j and weights in β alone.
    pub fn polar(&self) -> &PolarRule {
        &self.polar
    }

    /// The shape `[n_β, n_α, n_γ]` of an array on this grid.
    pub fn shape(&self) -> [usize; 3] {
        [self.polar.len(), self.n_alpha, self.n_gamma]
    }

    /// α_p in radians.
    pub fn alpha(&self, p: usize) -> f64 {
        TAU * p as f64 / self.n_alpha as f64
    }

    /// γ_r in radians.
    pub fn gamma(&self, r: usize) -> f64 {
        TAU * r as f64 / self.n_gamma as f64
    }

    /// The volume each point of ring `j` stands for; over the whole grid they add up to 8π².
    ///
    /// # Panics
    /// If `j` is not below the number of rings.
    pub fn volume(&self, j: usize) -> f64 {
        self.polar.weights()[j] * TAU / self.n_alpha as f64 * TAU / self.n_gamma as f64
    }

    /// ∫_{SO(3)} f dU for the samples `[β][α][γ]`; the volume of the group is 8π².
    ///
    /// # Errors
    /// [`HarmonicError::Shape`].
    pub fn integrate(&self, samples: ArrayView3<'_, f64>) -> Result<f64, HarmonicError> {
        check_shape("the samples", samples.shape(), &self.shape())?;
        Ok(samples.axis_iter(Axis(0)).enumerate().map(|(j, ring)| self.volume(j) * ring.sum()).sum())
    }

    /// (1/8π²) ∫_{SO(3)} f dU: the mean over the group, which is the readout of an SO(3) kernel.
    ///
    /// # Errors
    /// [`HarmonicError::Shape`].
    pub fn mean(&self, samples: ArrayView3<'_, f64>) -> Result<f64, HarmonicError> {
        Ok(self.integrate(samples)? / (8.0 * PI * PI))
    }

    pub(crate) fn check_bandlimit(&self, bandlimit: usize) -> Result<(), HarmonicError> {
        check_resolution(bandlimit, "beta", self.polar.len(), self.polar.nodes_for(bandlimit))?;
        check_resolution(bandlimit, "alpha", self.n_alpha, 2 * bandlimit - 1)?;
        check_resolution(bandlimit, "gamma", self.n_gamma, 2 * bandlimit - 1)
    }
}
