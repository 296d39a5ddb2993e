//! Quadrature on SO(3) as a list of rings, with transforms by plain sums.

use std::f64::consts::{PI, TAU};

use ekernel_core::BackendError;
use ekernel_harmonic::{
    Complex64, Euler, HarmonicError, PolarRule, WignerTable, rotation_index, rotation_len,
};

/// Rings of points Rz(α + 2πp/n) Ry(β) Rz(γ + 2πr/n), p and r from 0 to n − 1. Values are `[ring][p][r]`.
pub(super) struct Rule {
    rings: Vec<Ring>,
    circle: usize,
}

struct Ring {
    start: Euler,
    /// The share of each of its points in the mean over SO(3); all points together have 1.
    share: f64,
}

impl Rule {
    /// Gauss-Legendre nodes in cosβ, twice as many equidistant α and γ.
    pub(super) fn gauss_legendre(nodes: usize) -> Result<Rule, HarmonicError> {
        let polar = PolarRule::gauss_legendre(nodes)?;
        let circle = 2 * nodes;
        let ring = |(&beta, &weight): (&f64, &f64)| Ring {
            start: Euler::new(0.0, beta, 0.0),
            share: weight / 2.0 / (circle * circle) as f64,
        };
        Ok(Rule { rings: polar.angles().iter().zip(polar.weights()).map(ring).collect(), circle })
    }

    /// R_i R_j⁻¹ for all pairs of points of the Driscoll-Healy grid of bandlimit L, 2L rings of (2L−1)² points:
    /// Rz(α_i) · Ry(β_i) Rz(γ_i − γ_j) Ry(−β_j) · Rz(−α_j).
    pub(super) fn pairs(bandlimit: usize) -> Result<Rule, HarmonicError> {
        let polar = PolarRule::driscoll_healy(bandlimit)?;
        let circle = 2 * bandlimit - 1;
        let mut rings = Vec::new();
        for (&beta, &weight) in polar.angles().iter().zip(polar.weights()) {
            for (&other, &other_weight) in polar.angles().iter().zip(polar.weights()) {
                for turn in 0..circle {
                    let angle = TAU * turn as f64 / circle as f64;
                    let start = Euler::new(0.0, beta, angle).after(&Euler::new(0.0, -other, 0.0));
                    let share = weight / 2.0 * other_weight / 2.0 / (circle * circle * circle) as f64;
                    rings.push(Ring { start, share });
                }
            }
        }
        Ok(Rule { rings, circle })
    }

    /// Number of points.
    pub(super) fn len(&self) -> usize {
        self.rings.len() * self.circle * self.circle
    }

    /// (1/8π²) ∫ f dU.
    pub(super) fn mean(&self, values: &[f64]) -> f64 {
        let rings = values.chunks_exact(self.circle * self.circle).zip(&self.rings);
        rings.map(|(values, ring)| ring.share * values.iter().sum::<f64>()).sum()
    }

    /// f = Σ (2l+1)/8π² F^l_mn conj(D^l_mn) at every point, of a real function.
    pub(super) fn evaluate(
        &self,
        bandlimit: usize,
        coefficients: &[Complex64],
    ) -> Result<Vec<f64>, BackendError> {
        let orders = Orders::new(bandlimit);
        let mut values = Vec::with_capacity(self.len());
        for ring in &self.rings {
            let table = table(bandlimit, ring)?;
            let mut sums = vec![Complex64::default(); orders.count * orders.count];
            for l in 0..bandlimit {
                let weight = (2 * l + 1) as f64 / (8.0 * PI * PI);
                for m in orders.of(l) {
                    for n in orders.of(l) {
                        let term = coefficients[rotation_index(l, m, n)] * table.get(0, l, m, n);
                        sums[orders.at(m, n)] += weight * term;
                    }
                }
            }
            for p in 0..self.circle {
                let alpha = ring.start.alpha + TAU * p as f64 / self.circle as f64;
                let mut along_gamma = vec![Complex64::default(); orders.count];
                for m in orders.all() {
                    let phase = Complex64::from_polar(1.0, m as f64 * alpha);
                    for n in orders.all() {
                        along_gamma[orders.index(n)] += sums[orders.at(m, n)] * phase;
                    }
                }
                for r in 0..self.circle {
                    let gamma = ring.start.gamma + TAU * r as f64 / self.circle as f64;
                    let term = |n: isize| {
                        along_gamma[orders.index(n)] * Complex64::from_polar(1.0, n as f64 * gamma)
                    };
                    values.push(orders.all().map(|n| term(n).re).sum());
                }
            }
        }
        Ok(values)
    }

    /// F^l_mn = ∫ f D^l_mn dU for l below the bandlimit.
    pub(super) fn project(&self, bandlimit: usize, values: &[f64]) -> Result<Vec<Complex64>, BackendError> {
        let orders = Orders::new(bandlimit);
        let mut coefficients = vec![Complex64::default(); rotation_len(bandlimit)];
        for (values, ring) in values.chunks_exact(self.circle * self.circle).zip(&self.rings) {
            let table = table(bandlimit, ring)?;
            let mut sums = vec![Complex64::default(); orders.count * orders.count];
            for (p, values) in values.chunks_exact(self.circle).enumerate() {
                let alpha = ring.start.alpha + TAU * p as f64 / self.circle as f64;
                let mut along_gamma = vec![Complex64::default(); orders.count];
                for (r, &value) in values.iter().enumerate() {
                    let gamma = ring.start.gamma + TAU * r as f64 / self.circle as f64;
                    for n in orders.all() {
                        along_gamma[orders.index(n)] +=
                            value * Complex64::from_polar(1.0, -(n as f64) * gamma);
                    }
                }
                for m in orders.all() {
                    let phase = Complex64::from_polar(1.0, -(m as f64) * alpha);
                    for n in orders.all() {
                        sums[orders.at(m, n)] += along_gamma[orders.index(n)] * phase;
                    }
                }
            }
            for l in 0..bandlimit {
                for m in orders.of(l) {
                    for n in orders.of(l) {
                        coefficients[rotation_index(l, m, n)] +=
                            8.0 * PI * PI * ring.share * table.get(0, l, m, n) * sums[orders.at(m, n)];
                    }
                }
            }
        }
        Ok(coefficients)
    }
}

fn table(bandlimit: usize, ring: &Ring) -> Result<WignerTable<f64>, BackendError> {
    WignerTable::new(bandlimit, &[ring.start.beta]).map_err(super::signals::failed)
}

/// The orders −(L−1)..=L−1 and pairs of them.
struct Orders {
    bandlimit: isize,
    count: usize,
}

impl Orders {
    fn new(bandlimit: usize) -> Orders {
        Orders { bandlimit: bandlimit as isize, count: 2 * bandlimit - 1 }
    }

    fn all(&self) -> std::ops::Range<isize> {
        1 - self.bandlimit..self.bandlimit
    }

    fn of(&self, l: usize) -> std::ops::RangeInclusive<isize> {
        -(l as isize)..=l as isize
    }

    fn index(&self, n: isize) -> usize {
        (n + self.bandlimit - 1) as usize
    }

    fn at(&self, m: isize, n: isize) -> usize {
        self.index(m) * self.count + self.index(n)
    }
}
