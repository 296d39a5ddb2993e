//! Transforms on the sphere against their definition, the published coefficients, and each other.

mod support;

use std::f64::consts::PI;

use ekernel_harmonic::{
    Complex, HarmonicError, SphereGrid, SphereTransform, add_zonal, sphere_index, sphere_len,
    spherical_harmonics, zonal_coefficients,
};
use ndarray::{Array2, Array3, Axis, Ix3};
use rustfft::num_complex::Complex64;
use support::{CASES, Noise, max_gap, naive, oracle, real_sphere, within};

fn grids() -> Vec<(usize, SphereGrid)> {
    vec![
        (1, SphereGrid::driscoll_healy(1).unwrap()),
        (2, SphereGrid::gauss_legendre(2).unwrap()),
        (4, SphereGrid::driscoll_healy(4).unwrap()),
        (3, SphereGrid::driscoll_healy(5).unwrap()),
        (6, SphereGrid::gauss_legendre(7).unwrap()),
        (7, SphereGrid::gauss_legendre(7).unwrap()),
    ]
}

#[test]
fn the_naive_sum_meets_the_published_coefficients() {
    for (case, bandlimit, ..) in CASES {
        let samples = oracle::<f64, Ix3>(&format!("{case}/x"));
        let published = oracle::<Complex64, Ix3>(&format!("{case}/xlm"));
        let grid = SphereGrid::driscoll_healy(bandlimit).unwrap();
        for channel in 0..samples.len_of(Axis(2)) {
            let samples = samples.index_axis(Axis(2), channel).mapv(Complex64::from);
            let ours = naive::sphere_forward(bandlimit, &grid, &samples);
            // Measured: 3.6e-15.
            within("naive", published_gap(&published, channel, &ours), 1e-14);
        }
    }
}

fn published_gap(published: &Array3<Complex64>, channel: usize, ours: &[Complex64]) -> f64 {
    let bandlimit = published.len_of(Axis(0));
    naive::sphere_orders(bandlimit)
        .zip(ours)
        .map(|((l, m), f)| (published[[l as usize, (bandlimit as i64 - 1 + m) as usize, channel]] - f).norm())
        .fold(0.0, f64::max)
}

#[test]
fn published_coefficients_are_met() {
    for (case, bandlimit, ..) in CASES {
        for (signal, coefficients) in [("x", "xlm"), ("y", "ylm")] {
            let samples = oracle::<f64, Ix3>(&format!("{case}/{signal}"));
            let published = oracle::<Complex64, Ix3>(&format!("{case}/{coefficients}"));
            let plan =
                SphereTransform::new(bandlimit, &SphereGrid::driscoll_healy(bandlimit).unwrap()).unwrap();
            let mut scratch = plan.scratch();
            let mut ours = vec![Complex64::default(); sphere_len(bandlimit)];
            for channel in 0..samples.len_of(Axis(2)) {
                let samples = samples.index_axis(Axis(2), channel);
                plan.forward_real(samples, &mut scratch, &mut ours).unwrap();
                // Measured: 4.2e-15.
                within("forward_real", published_gap(&published, channel, &ours), 1e-14);
            }
        }
    }
}

#[test]
fn complex_transforms_are_the_naive_sums() {
    let mut noise = Noise::new(1);
    for (bandlimit, grid) in grids() {
        let plan = SphereTransform::<f64>::new(bandlimit, &grid).unwrap();
        let mut scratch = plan.scratch();
        let f = noise.complexes(sphere_len(bandlimit));
        let mut samples = Array2::default(grid.shape());
        plan.inverse(&f, &mut scratch, samples.view_mut()).unwrap();
        let expected = naive::sphere_inverse(bandlimit, &grid, &f);
        // Measured: 7.3e-15, 1.1e-15, 2e-15.
        within("inverse", max_gap(&samples, &expected), 2e-14);

        let rough = Array2::from_shape_simple_fn(grid.shape(), || noise.complex());
        let mut back = vec![Complex64::default(); f.len()];
        plan.forward(rough.view(), &mut scratch, &mut back).unwrap();
        within("forward", max_gap(&back, &naive::sphere_forward(bandlimit, &grid, &rough)), 1e-14);

        plan.forward(samples.view(), &mut scratch, &mut back).unwrap();
        within("there and back", max_gap(&back, &f), 1e-14);
    }
}

#[test]
fn real_transforms_are_the_complex_ones() {
    let mut noise = Noise::new(2);
    for (bandlimit, grid) in grids() {
        let plan = SphereTransform::<f64>::new(bandlimit, &grid).unwrap();
        let mut scratch = plan.scratch();
        let f = real_sphere(bandlimit, &mut noise);
        let (mut real, mut complex) = (Array2::zeros(grid.shape()), Array2::default(grid.shape()));
        plan.inverse_real(&f, &mut scratch, real.view_mut()).unwrap();
        plan.inverse(&f, &mut scratch, complex.view_mut()).unwrap();
        // Measured: 4e-15 at most.
        within("inverse", max_gap(&real.mapv(Complex64::from), &complex), 1e-14);

        let rough = Array2::from_shape_simple_fn(grid.shape(), || noise.real());
        let (mut a, mut b) = (f.clone(), f.clone());
        plan.forward_real(rough.view(), &mut scratch, &mut a).unwrap();
        plan.forward(rough.mapv(Complex64::from).view(), &mut scratch, &mut b).unwrap();
        within("forward", max_gap(&a, &b), 1e-14);
    }
}

#[test]
fn single_precision_is_single_precision() {
    let (bandlimit, grid) = (16, SphereGrid::driscoll_healy(16).unwrap());
    let plan = SphereTransform::<f32>::new(bandlimit, &grid).unwrap();
    let mut noise = Noise::new(3);
    let f: Vec<Complex<f32>> =
        real_sphere(bandlimit, &mut noise).iter().map(|f| Complex::new(f.re as f32, f.im as f32)).collect();
    let mut scratch = plan.scratch();
    let mut samples = Array2::zeros(grid.shape());
    plan.inverse_real(&f, &mut scratch, samples.view_mut()).unwrap();
    let mut back = f.clone();
    plan.forward_real(samples.view(), &mut scratch, &mut back).unwrap();
    let gap = f.iter().zip(&back).map(|(a, b)| (a - b).norm()).fold(0.0, f32::max);
    // Measured: 2.7e-7.
    within("there and back", gap.into(), 1e-6);
}

#[test]
fn a_large_bandlimit_survives_there_and_back() {
    for (bandlimit, grid) in
        [(64, SphereGrid::driscoll_healy(64).unwrap()), (128, SphereGrid::gauss_legendre(129).unwrap())]
    {
        let plan = SphereTransform::<f64>::new(bandlimit, &grid).unwrap();
        let mut noise = Noise::new(4);
        let f = real_sphere(bandlimit, &mut noise);
        let mut scratch = plan.scratch();
        let mut samples = Array2::zeros(grid.shape());
        plan.inverse_real(&f, &mut scratch, samples.view_mut()).unwrap();
        let mut back = f.clone();
        plan.forward_real(samples.view(), &mut scratch, &mut back).unwrap();
        // Measured: 2.7e-14 and 1.4e-13.
        within("there and back", max_gap(&f, &back), 5e-13);
    }
}

#[test]
fn harmonics_at_a_direction_are_the_definition() {
    let bandlimit = 8;
    let mut ours = vec![Complex64::default(); sphere_len(bandlimit)];
    for (theta, phi, length) in
        [(0.3f64, 1.0f64, 1.0), (1.4, -2.2, 1e-200), (3.0, 3.1, 1e200), (0.0, 0.0, 2.0), (PI, 0.0, 1.0)]
    {
        let direction =
            [theta.sin() * phi.cos() * length, theta.sin() * phi.sin() * length, theta.cos() * length];
        spherical_harmonics(bandlimit, direction, &mut ours).unwrap();
        let expected: Vec<_> =
            naive::sphere_orders(bandlimit).map(|(l, m)| naive::harmonic(l, m, theta, phi)).collect();
        // Measured: 2.6e-15.
        within("Y_lm", max_gap(&ours, &expected), 1e-14);
    }
}

#[test]
fn zonal_functions_expand_by_their_profile() {
    // ∫ x² P_l = 2/3, 0, 4/15.
    let c = zonal_coefficients(4, 4, |x| x * x).unwrap();
    let exact = [4.0 * PI / 3.0, 0.0, 8.0 * PI / 15.0, 0.0];
    // Measured: 1.8e-15.
    within("x²", c.iter().zip(exact).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max), 1e-14);

    // A sharp bump in an oblique direction, against sampling on a fine grid.
    let bandlimit = 10;
    let bump = |x: f64| (-(x - 1.0) * (x - 1.0) / 0.03).exp();
    let profile = zonal_coefficients(bandlimit, 80, bump).unwrap();
    let doubled = zonal_coefficients(bandlimit, 160, bump).unwrap();
    // Measured: 6.7e-16.
    within("80 nodes", profile.iter().zip(&doubled).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max), 1e-14);
    let axis = [1.0, -2.0, 0.5];
    let mut expected = vec![Complex64::default(); sphere_len(bandlimit)];
    add_zonal(3.0, &profile, axis, &mut expected).unwrap();
    add_zonal(-1.0, &profile, axis, &mut expected).unwrap();

    let grid = SphereGrid::gauss_legendre(80).unwrap();
    let norm = axis.iter().map(|x| x * x).sum::<f64>().sqrt();
    let samples = Array2::from_shape_fn(grid.shape(), |(t, p)| {
        let (theta, phi) = (grid.polar().angles()[t], grid.phi(p));
        let x = [theta.sin() * phi.cos(), theta.sin() * phi.sin(), theta.cos()];
        2.0 * bump(x.iter().zip(axis).map(|(x, a)| x * a).sum::<f64>() / norm)
    });
    let plan = SphereTransform::new(bandlimit, &grid).unwrap();
    let mut ours = expected.clone();
    plan.forward_real(samples.view(), &mut plan.scratch(), &mut ours).unwrap();
    // Measured: 3.4e-16.
    within("f_lm = c_l conj(Y_lm)", max_gap(&ours, &expected), 2e-15);
}

#[test]
fn wrong_arguments_are_refused() {
    let grid = SphereGrid::driscoll_healy(3).unwrap();
    let refused = |bandlimit| SphereTransform::<f64>::new(bandlimit, &grid).err().unwrap();
    assert!(matches!(refused(0), HarmonicError::Bandlimit { what: "sphere transform", bandlimit: 0, .. }));
    assert_eq!(refused(4), HarmonicError::GridTooSmall { bandlimit: 4, axis: "theta", count: 6, needed: 8 });
    let plan = SphereTransform::<f64>::new(3, &grid).unwrap();
    let mut scratch = plan.scratch();
    let mut samples = Array2::zeros([6, 5]);
    let mut f = vec![Complex64::default(); 9];
    assert_eq!(
        plan.forward_real(Array2::zeros([5, 6]).view(), &mut scratch, &mut f).unwrap_err(),
        HarmonicError::Shape { what: "the samples", shape: vec![5, 6], needed: vec![6, 5] }
    );
    assert_eq!(
        plan.inverse_real(&f[..8], &mut scratch, samples.view_mut()).unwrap_err(),
        HarmonicError::Length { what: "the coefficients", length: 8, needed: 9 }
    );
    let mut foreign =
        SphereTransform::<f64>::new(3, &SphereGrid::driscoll_healy(4).unwrap()).unwrap().scratch();
    assert_eq!(
        plan.inverse_real(&f, &mut foreign, samples.view_mut()).unwrap_err(),
        HarmonicError::Length { what: "the scratch space of the rings", length: 14, needed: 10 }
    );
    samples[[4, 2]] = f64::NEG_INFINITY;
    let at = HarmonicError::NotFinite { what: "the samples", index: vec![4, 2], value: f64::NEG_INFINITY };
    assert_eq!(plan.forward_real(samples.view(), &mut scratch, &mut f).unwrap_err(), at);
    assert_eq!(plan.forward(samples.mapv(Complex64::from).view(), &mut scratch, &mut f).unwrap_err(), at);
    samples.fill(f64::MAX);
    assert_eq!(
        plan.forward_real(samples.view(), &mut scratch, &mut f).unwrap_err(),
        HarmonicError::Overflow { what: "the samples", largest: f64::MAX }
    );
    f.fill(Complex64::default());
    f[sphere_index(1, 1)].im = f64::INFINITY;
    assert_eq!(
        plan.inverse_real(&f, &mut scratch, samples.view_mut()).unwrap_err(),
        HarmonicError::NotFinite { what: "the coefficients", index: vec![3], value: f64::INFINITY }
    );
}

#[test]
fn directions_that_point_nowhere_are_refused() {
    let mut out = vec![Complex64::default(); 4];
    assert_eq!(spherical_harmonics(2, [0.0; 3], &mut out).unwrap_err(), HarmonicError::ZeroDirection);
    assert!(matches!(
        add_zonal(1.0, &[1.0, 1.0], [0.0, f64::NAN, 1.0], &mut out).unwrap_err(),
        HarmonicError::NotFinite { what: "the direction", index, .. } if index == [1]
    ));
    assert!(matches!(
        add_zonal(f64::INFINITY, &[1.0, 1.0], [0.0, 0.0, 1.0], &mut out).unwrap_err(),
        HarmonicError::NotFinite { what: "the amplitude", .. }
    ));
    assert!(matches!(
        zonal_coefficients(2, 3, f64::ln).unwrap_err(),
        HarmonicError::NotFinite { what: "the profile of a zonal function", .. }
    ));
    assert!(matches!(
        zonal_coefficients(2, 0, |x| x).unwrap_err(),
        HarmonicError::Nodes { axis: "theta", count: 0, .. }
    ));
}
