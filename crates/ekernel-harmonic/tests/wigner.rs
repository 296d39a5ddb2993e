//! Wigner functions against their definition, the published tables and the group they represent.

mod support;

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use ekernel_harmonic::{Euler, HarmonicError, MAX_BANDLIMIT, WignerD, WignerTable};
use ndarray::{Ix1, Ix3, Ix4};
use support::{Noise, oracle, within};

const ANGLES: [f64; 9] = [0.0, 1e-3, 0.02, 0.4, 1.1, PI / 2.0, 2.3, 3.1, PI];

#[test]
fn low_degrees_are_the_textbook_ones() {
    let table = WignerTable::<f64>::new(3, &ANGLES).unwrap();
    for (j, beta) in ANGLES.into_iter().enumerate() {
        let (s, c) = beta.sin_cos();
        for (l, m, n, value) in [
            (0, 0, 0, 1.0),
            (1, 1, 1, (1.0 + c) / 2.0),
            (1, 1, 0, -s * FRAC_1_SQRT_2),
            (1, 1, -1, (1.0 - c) / 2.0),
            (1, 0, 1, s * FRAC_1_SQRT_2),
            (1, 0, 0, c),
            (1, -1, 0, s * FRAC_1_SQRT_2),
            (2, 2, 2, (1.0 + c) * (1.0 + c) / 4.0),
            (2, 2, 1, -s * (1.0 + c) / 2.0),
            (2, 2, 0, (3.0f64 / 8.0).sqrt() * s * s),
            (2, 2, -1, -s * (1.0 - c) / 2.0),
            (2, 1, 1, (2.0 * c * c + c - 1.0) / 2.0),
            (2, 1, 0, -(3.0f64 / 8.0).sqrt() * (2.0 * beta).sin()),
            (2, 1, -1, (-2.0 * c * c + c + 1.0) / 2.0),
            (2, 0, 0, (3.0 * c * c - 1.0) / 2.0),
        ] {
            // Measured: 3.3e-16.
            within("d", (table.get(j, l, m, n) - value).abs(), 1e-15);
        }
    }
}

#[test]
fn published_tables_are_met() {
    let betas = oracle::<f64, Ix1>("wigner_betas");
    let values = oracle::<f64, Ix4>("wigner_d_L8");
    let table = WignerTable::<f64>::new(8, betas.as_slice().unwrap()).unwrap();
    let mut worst = 0.0f64;
    for ((l, m, n, j), &value) in values.indexed_iter() {
        let (m, n) = (m as isize - 7, n as isize - 7);
        if m.unsigned_abs().max(n.unsigned_abs()) <= l {
            worst = worst.max((table.get(j, l, m, n) - value).abs());
        }
    }
    // Measured: 1.9e-15.
    within("degrees below 8", worst, 6e-15);

    let betas = oracle::<f64, Ix1>("wigner_betas_L24");
    let degrees = oracle::<i64, Ix1>("wigner_d_L24_degrees");
    let values = oracle::<f64, Ix4>("wigner_d_L24");
    let table = WignerTable::<f64>::new(24, betas.as_slice().unwrap()).unwrap();
    let mut worst = 0.0f64;
    for ((at, m, n, j), &value) in values.indexed_iter() {
        let (l, m, n) = (degrees[at] as usize, m as isize - 23, n as isize - 23);
        if m.unsigned_abs().max(n.unsigned_abs()) <= l {
            worst = worst.max((table.get(j, l, m, n) - value).abs());
        }
    }
    // Measured: 5.6e-15.
    within("degrees up to 23", worst, 2e-14);
}

/// The largest entry of d dᵀ - 1 at degree l.
fn orthogonality(table: &WignerTable<f64>, angle: usize, l: usize) -> f64 {
    let span = -(l as isize)..=l as isize;
    let dense: Vec<Vec<f64>> =
        span.clone().map(|m| span.clone().map(|n| table.get(angle, l, m, n)).collect()).collect();
    let mut worst = 0.0f64;
    for (m, row) in dense.iter().enumerate() {
        for (k, other) in dense.iter().enumerate() {
            let product: f64 = row.iter().zip(other).map(|(a, b)| a * b).sum();
            worst = worst.max((product - if m == k { 1.0 } else { 0.0 }).abs());
        }
    }
    worst
}

#[test]
fn matrices_are_orthogonal() {
    let table = WignerTable::<f64>::new(65, &ANGLES).unwrap();
    let mut worst = 0.0f64;
    for l in [0, 1, 2, 7, 31, 48, 63, 64] {
        for angle in 0..ANGLES.len() {
            worst = worst.max(orthogonality(&table, angle, l));
        }
    }
    // Measured: 1.1e-13.
    within("up to l = 64", worst, 1e-12);
}

#[test]
fn the_recursion_holds_to_the_largest_bandlimit() {
    for beta in [0.01, 1.2, 2.9] {
        let table = WignerTable::<f64>::new(MAX_BANDLIMIT, &[beta]).unwrap();
        // Measured: 7.7e-13.
        within("l = 255", orthogonality(&table, 0, MAX_BANDLIMIT - 1), 4e-12);
    }
}

#[test]
fn matrices_multiply_as_rotations_do() {
    let bandlimit = 6;
    let mut noise = Noise::new(5);
    for _ in 0..5 {
        let [a, b] = std::array::from_fn(|_| {
            Euler::new(PI * noise.real(), PI * (0.5 + 0.5 * noise.real()), PI * noise.real())
        });
        let matrices = |e: Euler| WignerD::new(bandlimit, e).unwrap();
        let (da, db, dab) = (matrices(a), matrices(b), matrices(a.after(&b)));
        let inverse = matrices(a.inverse());
        let mut worst = 0.0f64;
        for l in 0..bandlimit {
            let span = -(l as isize)..=l as isize;
            for m in span.clone() {
                for n in span.clone() {
                    let product: rustfft::num_complex::Complex64 =
                        span.clone().map(|k| da.get(l, m, k) * db.get(l, k, n)).sum();
                    worst = worst.max((product - dab.get(l, m, n)).norm());
                    worst = worst.max((inverse.get(l, m, n) - da.get(l, n, m).conj()).norm());
                }
            }
        }
        // Measured: 2.4e-15.
        within("D(a)D(b) = D(ab), D(a⁻¹) = D(a)†", worst, 8e-15);
    }
}

#[test]
fn euler_angles_and_matrices_agree_with_the_published_rotations() {
    for case in support::CASES {
        let euler = oracle::<f64, ndarray::Ix2>(&format!("{}/U_euler", case.0));
        let matrices = oracle::<f64, Ix3>(&format!("{}/U_matrix", case.0));
        for (at, angles) in euler.columns().into_iter().enumerate() {
            let rotation = Euler::new(angles[0], angles[1], angles[2]);
            let published: [[f64; 3]; 3] =
                std::array::from_fn(|i| std::array::from_fn(|j| matrices[[at, i, j]]));
            // Measured: 1.1e-16 and 2.2e-16.
            within("matrix", gap(&rotation.matrix(), &published), 5e-16);
            let back = Euler::from_matrix(&published).unwrap();
            within("angles and back", gap(&back.matrix(), &published), 1e-15);
        }
    }
}

fn gap(a: &[[f64; 3]; 3], b: &[[f64; 3]; 3]) -> f64 {
    a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn angles_survive_the_poles() {
    for beta in [0.0, 1e-17, 1e-12, 1e-8, 0.3, PI - 1e-8, PI - 1e-12, PI] {
        let rotation = Euler::new(0.7, beta, -2.1);
        let back = Euler::from_matrix(&rotation.matrix()).unwrap();
        // Measured: 2.2e-16, and 9.1e-16 for the product.
        within("matrix", gap(&back.matrix(), &rotation.matrix()), 1e-15);
        assert!((0.0..=PI).contains(&back.beta));
        let unit = rotation.after(&rotation.inverse());
        within("R R⁻¹", gap(&unit.matrix(), &Euler::IDENTITY.matrix()), 3e-15);
    }
    let turn = Euler::from_matrix(&Euler::new(0.7, 0.0, 0.2).matrix()).unwrap();
    assert_eq!(turn.alpha, 0.0);
    within("γ", (turn.gamma - 0.9).abs(), 1e-15);
}

#[test]
fn the_pole_goes_where_beta_and_alpha_say() {
    let [x, y, z] = Euler::new(0.4, 1.1, 2.0).apply([0.0, 0.0, 1.0]);
    within("β", (z.acos() - 1.1).abs(), 1e-15);
    within("α", (y.atan2(x) - 0.4).abs(), 1e-15);
}

#[test]
fn what_is_not_a_rotation_is_refused() {
    let mirror = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]];
    assert_eq!(
        Euler::from_matrix(&mirror).unwrap_err(),
        HarmonicError::NotARotation { defect: 0.0, determinant: -1.0 }
    );
    let stretched = [[2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    assert_eq!(
        Euler::from_matrix(&stretched).unwrap_err(),
        HarmonicError::NotARotation { defect: 3.0, determinant: 2.0 }
    );
    let broken = [[f64::NAN, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    assert!(matches!(Euler::from_matrix(&broken), Err(HarmonicError::NotARotation { .. })));
}

#[test]
fn impossible_tables_are_refused() {
    let refused =
        |bandlimit| HarmonicError::Bandlimit { what: "Wigner functions", bandlimit, max: MAX_BANDLIMIT };
    assert_eq!(WignerTable::<f64>::new(0, &[1.0]).unwrap_err(), refused(0));
    assert_eq!(WignerTable::<f32>::new(usize::MAX, &[1.0]).unwrap_err(), refused(usize::MAX));
    let angles = vec![1.0; 100];
    assert_eq!(
        WignerTable::<f64>::new(MAX_BANDLIMIT, &angles).unwrap_err(),
        HarmonicError::TableTooLarge {
            bandlimit: 256,
            angles: 100,
            bytes: 256 * 257 * 513 / 6 * 800,
            limit: WignerTable::<f64>::MAX_BYTES
        }
    );
    let error = WignerTable::<f64>::new(4, &[1.0, f64::INFINITY]).unwrap_err();
    assert_eq!(error, HarmonicError::NotFinite { what: "the angles", index: vec![1], value: f64::INFINITY });
    assert_eq!(
        WignerD::new(4, Euler::new(0.0, 0.0, f64::INFINITY)).unwrap_err(),
        HarmonicError::NotFinite { what: "the Euler angles", index: vec![2], value: f64::INFINITY }
    );
}
