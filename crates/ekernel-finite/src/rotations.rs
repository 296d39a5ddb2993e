//! SO(3) as a grid: from harmonic coefficients to values and back, as matrices.

use std::f64::consts::PI;

use ekernel_harmonic::{
    Complex64, Euler, HarmonicError, RotationGrid, WignerD, rotation_index, rotation_len, rotation_to_real,
};

/// A grid on SO(3).
///
/// The quadrature of `nodes` nodes is exact for products of two functions of bandlimit `nodes`; what a nonlinearity adds beyond
/// is aliased, which is the quadrature error of a finite network on SO(3).
pub(crate) struct Rotations {
    /// The part of the volume 8π² that each point stands for; the parts add up to 1.
    pub(crate) mass: Vec<f64>,
    /// D^l_mn of each point in the real basis, `[point][packed lmn]`, up to `bandlimit`.
    wigner: Vec<f64>,
    bandlimit: usize,
}

impl Rotations {
    pub(crate) fn new(nodes: usize, bandlimit: usize) -> Result<Rotations, HarmonicError> {
        let grid = RotationGrid::gauss_legendre(nodes)?;
        let [rings, alphas, gammas] = grid.shape();
        let len = rotation_len(bandlimit);
        let (mut mass, mut wigner) = (Vec::new(), Vec::new());
        let (mut complex, mut real) = (vec![Complex64::default(); len], vec![0.0; len]);
        for j in 0..rings {
            for p in 0..alphas {
                for r in 0..gammas {
                    let euler = Euler::new(grid.alpha(p), grid.polar().angles()[j], grid.gamma(r));
                    let d = WignerD::new(bandlimit, euler)?;
                    for l in 0..bandlimit {
                        let orders = || -(l as isize)..=l as isize;
                        for (m, n) in orders().flat_map(|m| orders().map(move |n| (m, n))) {
                            complex[rotation_index(l, m, n)] = d.get(l, m, n);
                        }
                    }
                    rotation_to_real(bandlimit, &complex, &mut real)?;
                    wigner.extend_from_slice(&real);
                    mass.push(grid.volume(j) / (8.0 * PI * PI));
                }
            }
        }
        Ok(Rotations { mass, wigner, bandlimit })
    }

    /// Number of points.
    pub(crate) fn points(&self) -> usize {
        self.mass.len()
    }

    /// The matrix from coefficients a_lmn, l < L, to the values Σ a_lmn D^l_mn(R): `[point][lmn]`.
    pub(crate) fn evaluate(&self, bandlimit: usize) -> Vec<f64> {
        let (all, len) = (rotation_len(self.bandlimit), rotation_len(bandlimit));
        self.wigner.chunks_exact(all).flat_map(|row| &row[..len]).copied().collect()
    }

    /// The matrix from values h(R) to √(2l+1)·(1/8π²) ∫ h(R) D^l_mn(R) dR, l < L, which are coefficients in a basis of
    /// mean square 1: `[lmn][point]`.
    pub(crate) fn analyse(&self, bandlimit: usize) -> Vec<f64> {
        let (all, len) = (rotation_len(self.bandlimit), rotation_len(bandlimit));
        let mut matrix = vec![0.0; len * self.points()];
        let degree = (0..bandlimit).flat_map(|l| vec![l; (2 * l + 1) * (2 * l + 1)]);
        for (at, l) in degree.enumerate() {
            let root = f64::from(2 * l as u32 + 1).sqrt();
            for (point, mass) in self.mass.iter().enumerate() {
                matrix[at * self.points() + point] = root * mass * self.wigner[point * all + at];
            }
        }
        matrix
    }
}
