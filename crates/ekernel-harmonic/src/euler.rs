//! Rotations as Euler angles and as matrices.

use std::f64::consts::PI;

use crate::error::HarmonicError;

/// A rotation R = Rz(α) Ry(β) Rz(γ), active, in radians: first γ about z, then β about y, then α about z again.
///
/// The north pole goes to the direction with polar angle β and azimuth α.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Euler {
    /// The last turn, about z.
    pub alpha: f64,
    /// The middle turn, about y; in [0, π] when it comes from a matrix.
    pub beta: f64,
    /// The first turn, about z.
    pub gamma: f64,
}

impl Euler {
    /// The rotation that leaves everything where it is.
    pub const IDENTITY: Euler = Euler { alpha: 0.0, beta: 0.0, gamma: 0.0 };

    /// Rz(`alpha`) Ry(`beta`) Rz(`gamma`).
    pub fn new(alpha: f64, beta: f64, gamma: f64) -> Self {
        Self { alpha, beta, gamma }
    }

    /// The matrix, row by row: a column vector x goes to R x.
    pub fn matrix(&self) -> [[f64; 3]; 3] {
        let (sa, ca) = self.alpha.sin_cos();
        let (sb, cb) = self.beta.sin_cos();
        let (sg, cg) = self.gamma.sin_cos();
        [
            [ca * cb * cg - sa * sg, -ca * cb * sg - sa * cg, ca * sb],
            [sa * cb * cg + ca * sg, -sa * cb * sg + ca * cg, sa * sb],
            [-sb * cg, sb * sg, cb],
        ]
    }

    /// The angles of a rotation matrix, β in [0, π]. On the axis (β = 0 or π), where only α ± γ is determined, the
    /// whole turn is in γ.
    ///
    /// # Errors
    /// [`HarmonicError::NotARotation`] if R Rᵀ differs from 1 by more than 1e-9 in some entry, or det R is not 1, or
    /// an entry is not finite.
    pub fn from_matrix(matrix: &[[f64; 3]; 3]) -> Result<Self, HarmonicError> {
        let r = matrix;
        let mut defect = 0.0f64;
        for i in 0..3 {
            for j in 0..3 {
                let product: f64 = (0..3).map(|k| r[i][k] * r[j][k]).sum();
                let gap = (product - if i == j { 1.0 } else { 0.0 }).abs();
                defect = if gap.is_nan() { f64::INFINITY } else { defect.max(gap) };
            }
        }
        let minor = |a: usize, b: usize| r[1][a] * r[2][b] - r[1][b] * r[2][a];
        let determinant = r[0][0] * minor(1, 2) - r[0][1] * minor(0, 2) + r[0][2] * minor(0, 1);
        if !(defect <= 1e-9 && determinant > 0.0) {
            return Err(HarmonicError::NotARotation { defect, determinant });
        }
        let alpha = if r[0][2].hypot(r[1][2]) < 1e-15 { 0.0 } else { r[1][2].atan2(r[0][2]) };
        // Rz(-α) R = Ry(β) Rz(γ), whatever α is: its middle row is (sinγ, cosγ, 0), its last column (sinβ, 0, cosβ).
        let (sa, ca) = alpha.sin_cos();
        let beta = (ca * r[0][2] + sa * r[1][2]).atan2(r[2][2]);
        let gamma = (ca * r[1][0] - sa * r[0][0]).atan2(ca * r[1][1] - sa * r[0][1]);
        Ok(Self { alpha, beta, gamma })
    }

    /// R⁻¹ = Rz(π-γ) Ry(β) Rz(π-α), which keeps β in [0, π].
    pub fn inverse(&self) -> Self {
        Self { alpha: PI - self.gamma, beta: self.beta, gamma: PI - self.alpha }
    }

    /// The rotation "first `first`, then this one": the matrix product of this one and `first`.
    pub fn after(&self, first: &Euler) -> Self {
        let (a, b) = (self.matrix(), first.matrix());
        let product =
            std::array::from_fn(|i| std::array::from_fn(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum::<f64>()));
        // A product of two rotation matrices is one unless an angle was not finite, which stays visible as NaN.
        Self::from_matrix(&product).unwrap_or(Self { alpha: f64::NAN, beta: f64::NAN, gamma: f64::NAN })
    }

    /// R x.
    pub fn apply(&self, x: [f64; 3]) -> [f64; 3] {
        self.matrix().map(|row| row.iter().zip(x).map(|(r, x)| r * x).sum())
    }
}
