//! Transforms on SO(3) against their definition, the published kernels, and each other.

mod support;

use ekernel_harmonic::{
    Complex, Euler, HarmonicError, PolarRule, RotationGrid, RotationTransform, WignerD, cross_correlation,
    rotation_index, rotation_len, sphere_index, sphere_len, value_at_identity,
};
use ndarray::{Array2, Array3, Axis, Ix1, Ix2, Ix3};
use rustfft::num_complex::Complex64;
use support::{CASES, Noise, max_gap, naive, oracle, real_rotation, real_sphere, within};

use std::f64::consts::PI;

fn grids() -> Vec<(usize, RotationGrid)> {
    let uneven = RotationGrid::with_circles(PolarRule::gauss_legendre(5).unwrap(), 9, 12).unwrap();
    vec![
        (1, RotationGrid::driscoll_healy(1).unwrap()),
        (2, RotationGrid::gauss_legendre(2).unwrap()),
        (3, RotationGrid::driscoll_healy(3).unwrap()),
        (4, RotationGrid::gauss_legendre(5).unwrap()),
        (5, uneven),
    ]
}

/// Published coefficients `[L-1+n][l][L-1+m]` in packed order.
fn packed(published: &Array3<Complex64>) -> Vec<Complex64> {
    let bandlimit = published.len_of(Axis(1));
    let at = |order: i64| (bandlimit as i64 - 1 + order) as usize;
    naive::rotation_orders(bandlimit).map(|(l, m, n)| published[[at(n), l as usize, at(m)]]).collect()
}

/// Published samples `[γ][β][α]` as `[β][α][γ]`.
fn turned(published: Array3<f64>) -> Array3<f64> {
    published.permuted_axes([1, 2, 0]).as_standard_layout().to_owned()
}

fn channels(case: &str, name: &str) -> Array2<Complex64> {
    let published = oracle::<Complex64, Ix3>(&format!("{case}/{name}"));
    let bandlimit = published.len_of(Axis(0));
    let mut rows = Array2::default((published.len_of(Axis(2)), sphere_len(bandlimit)));
    for ((channel, at), slot) in rows.indexed_iter_mut() {
        let (l, m) = naive::sphere_orders(bandlimit).nth(at).unwrap();
        *slot = published[[l as usize, (bandlimit as i64 - 1 + m) as usize, channel]];
    }
    rows
}

/// k^l_mn of a case, from the published coefficients of its two signals.
fn lift(case: &str, bandlimit: usize, w2: f64, b2: f64) -> Vec<Complex64> {
    let (x, y) = (channels(case, "xlm"), channels(case, "ylm"));
    let mut k = vec![Complex64::default(); rotation_len(bandlimit)];
    cross_correlation(bandlimit, x.view(), y.view(), &mut k).unwrap();
    k.iter_mut().for_each(|k| *k *= w2 / (4.0 * PI * x.nrows() as f64));
    k[0] += 8.0 * PI * PI * b2;
    k
}

/// The two grids of the fixture for a lifted kernel of bandlimit L.
fn published_grids(bandlimit: usize) -> [(&'static str, RotationGrid); 2] {
    let gauss = PolarRule::gauss_legendre(2 * bandlimit).unwrap();
    let circle = 4 * bandlimit - 1;
    [
        ("lift_k_dh", RotationGrid::driscoll_healy(bandlimit).unwrap()),
        ("lift_k_gl2B", RotationGrid::with_circles(gauss, circle, circle).unwrap()),
    ]
}

#[test]
fn the_naive_sum_meets_the_published_kernels() {
    for (case, _, bandlimit, ..) in CASES {
        let f = packed(&oracle(&format!("{case}/lift_F")));
        for (name, grid) in published_grids(bandlimit) {
            let published = turned(oracle::<f64, Ix3>(&format!("{case}/{name}"))).mapv(Complex64::from);
            // Measured: 1.6e-15.
            within(name, max_gap(&naive::rotation_inverse(bandlimit, &grid, &f), &published), 2e-14);
        }
    }
}

#[test]
fn published_kernels_are_met() {
    for (case, _, bandlimit, w2, b2) in CASES {
        let published = packed(&oracle(&format!("{case}/lift_F")));
        let f = lift(case, bandlimit, w2, b2);
        // Measured: 2.0e-15 on coefficients up to 13.
        within("lift_F", max_gap(&f, &published), 1e-14);
        for (name, grid) in published_grids(bandlimit) {
            let published = turned(oracle::<f64, Ix3>(&format!("{case}/{name}")));
            let plan = RotationTransform::new(bandlimit, &grid).unwrap();
            let mut scratch = plan.scratch();
            let mut samples = Array3::zeros(grid.shape());
            plan.inverse_real(&f, &mut scratch, samples.view_mut()).unwrap();
            assert_eq!(samples.shape(), published.shape());
            // Measured: 1.1e-15, and 1.4e-14 back to the coefficients.
            within(name, max_gap(&samples.mapv(Complex64::from), &published.mapv(Complex64::from)), 1e-14);
            let mut back = f.clone();
            plan.forward_real(published.view(), &mut scratch, &mut back).unwrap();
            within("and back", max_gap(&back, &f), 5e-14);
        }
        let euler = oracle::<f64, Ix2>(&format!("{case}/U_euler"));
        let values = oracle::<f64, Ix1>(&format!("{case}/k_at_U"));
        for (u, &value) in euler.columns().into_iter().zip(&values) {
            let at = WignerD::new(bandlimit, Euler::new(u[0], u[1], u[2])).unwrap();
            // Measured: 2.2e-16.
            within("k_at_U", (at.evaluate(&f).unwrap() - value).norm(), 2e-15);
        }
    }
}

#[test]
fn the_value_at_the_identity_is_the_variance() {
    for (case, _, bandlimit, w2, b2) in CASES {
        let variances = oracle::<f64, Ix1>(&format!("{case}/lift_q"));
        for (name, published) in ["xlm", "ylm"].into_iter().zip(variances) {
            let x = channels(case, name);
            let mut k = vec![Complex64::default(); rotation_len(bandlimit)];
            cross_correlation(bandlimit, x.view(), x.view(), &mut k).unwrap();
            let q = value_at_identity(bandlimit, &k).unwrap() * w2 / (4.0 * PI * x.nrows() as f64) + b2;
            // Measured: 8.9e-16.
            within("lift_q", (q - published).norm(), 5e-15);
        }
    }
}

#[test]
fn complex_transforms_are_the_naive_sums() {
    let mut noise = Noise::new(11);
    for (bandlimit, grid) in grids() {
        let plan = RotationTransform::<f64>::new(bandlimit, &grid).unwrap();
        let mut scratch = plan.scratch();
        let f = noise.complexes(rotation_len(bandlimit));
        let mut samples = Array3::default(grid.shape());
        plan.inverse(&f, &mut scratch, samples.view_mut()).unwrap();
        // Measured: 1.7e-15, 5.5e-15, 3.0e-15.
        within("inverse", max_gap(&samples, &naive::rotation_inverse(bandlimit, &grid, &f)), 1e-14);

        let rough = Array3::from_shape_simple_fn(grid.shape(), || noise.complex());
        let mut back = vec![Complex64::default(); f.len()];
        plan.forward(rough.view(), &mut scratch, &mut back).unwrap();
        within("forward", max_gap(&back, &naive::rotation_forward(bandlimit, &grid, &rough)), 3e-14);

        plan.forward(samples.view(), &mut scratch, &mut back).unwrap();
        within("there and back", max_gap(&back, &f), 1e-14);
    }
}

#[test]
fn real_transforms_are_the_complex_ones() {
    let mut noise = Noise::new(12);
    for (bandlimit, grid) in grids() {
        let plan = RotationTransform::<f64>::new(bandlimit, &grid).unwrap();
        let mut scratch = plan.scratch();
        let f = real_rotation(bandlimit, &mut noise);
        let (mut real, mut complex) = (Array3::zeros(grid.shape()), Array3::default(grid.shape()));
        plan.inverse(&f, &mut scratch, complex.view_mut()).unwrap();
        plan.inverse_real(&f, &mut scratch, real.view_mut()).unwrap();
        // Measured: 9.1e-16, both.
        within("inverse", max_gap(&real.mapv(Complex64::from), &complex), 1e-14);

        let rough = Array3::from_shape_simple_fn(grid.shape(), || noise.real());
        let (mut a, mut b) = (f.clone(), f.clone());
        plan.forward_real(rough.view(), &mut scratch, &mut a).unwrap();
        plan.forward(rough.mapv(Complex64::from).view(), &mut scratch, &mut b).unwrap();
        within("forward", max_gap(&a, &b), 1e-14);
    }
}

#[test]
fn keeping_a_prefix_is_keeping_the_low_degrees() {
    let mut noise = Noise::new(13);
    let grid = RotationGrid::gauss_legendre(6).unwrap();
    let (wide, narrow) =
        (RotationTransform::<f64>::new(6, &grid).unwrap(), RotationTransform::<f64>::new(3, &grid).unwrap());
    let f = real_rotation(6, &mut noise);
    let mut samples = Array3::zeros(grid.shape());
    wide.inverse_real(&f, &mut wide.scratch(), samples.view_mut()).unwrap();
    let mut low = vec![Complex64::default(); rotation_len(3)];
    narrow.forward_real(samples.view(), &mut narrow.scratch(), &mut low).unwrap();
    // Measured: 1.3e-15.
    within("prefix", max_gap(&low, &f), 1e-14);
}

#[test]
fn large_bandlimits_survive_there_and_back() {
    let mut noise = Noise::new(14);
    for (bandlimit, grid) in
        [(24, RotationGrid::gauss_legendre(24).unwrap()), (17, RotationGrid::driscoll_healy(20).unwrap())]
    {
        let f = real_rotation(bandlimit, &mut noise);
        let plan = RotationTransform::<f64>::new(bandlimit, &grid).unwrap();
        let mut scratch = plan.scratch();
        let mut samples = Array3::zeros(grid.shape());
        plan.inverse_real(&f, &mut scratch, samples.view_mut()).unwrap();
        let mut back = f.clone();
        plan.forward_real(samples.view(), &mut scratch, &mut back).unwrap();
        // Measured: 1.6e-14, and 1.0e-6 in f32.
        within("f64", max_gap(&back, &f), 5e-14);

        let plan = RotationTransform::<f32>::new(bandlimit, &grid).unwrap();
        let single: Vec<_> = f.iter().map(|f| Complex::new(f.re as f32, f.im as f32)).collect();
        let mut scratch = plan.scratch();
        let mut samples = Array3::zeros(grid.shape());
        plan.inverse_real(&single, &mut scratch, samples.view_mut()).unwrap();
        let mut back = single.clone();
        plan.forward_real(samples.view(), &mut scratch, &mut back).unwrap();
        let gap = back.iter().zip(&single).map(|(a, b)| (a - b).norm()).fold(0.0, f32::max);
        within("f32", gap.into(), 4e-6);
    }
}

#[test]
fn the_correlation_is_an_inner_product_with_the_rotated_signal() {
    let bandlimit = 5;
    let mut noise = Noise::new(15);
    let [f, g] = std::array::from_fn(|_| {
        let rows: Vec<_> = (0..3).flat_map(|_| real_sphere(bandlimit, &mut noise)).collect();
        Array2::from_shape_vec((3, sphere_len(bandlimit)), rows).unwrap()
    });
    let mut c = vec![Complex64::default(); rotation_len(bandlimit)];
    cross_correlation(bandlimit, f.view(), g.view(), &mut c).unwrap();
    let at = WignerD::new(bandlimit, Euler::new(0.3, 2.0, -1.0)).unwrap();
    let mut rotated = vec![Complex64::default(); sphere_len(bandlimit)];
    let mut inner = Complex64::default();
    for (f, g) in f.rows().into_iter().zip(g.rows()) {
        at.rotate(g.as_slice().unwrap(), &mut rotated).unwrap();
        inner += f.iter().zip(&rotated).map(|(f, g)| f * g.conj()).sum::<Complex64>();
    }
    // Measured: 1.4e-15.
    within("⟨f, U g⟩", (at.evaluate(&c).unwrap() - inner).norm(), 1e-14);
}

#[test]
fn rotating_coefficients_rotates_the_function() {
    let bandlimit = 6;
    let f = real_sphere(bandlimit, &mut Noise::new(16));
    let rotation = Euler::new(-0.8, 1.3, 2.9);
    let mut rotated = f.clone();
    WignerD::new(bandlimit, rotation).unwrap().rotate(&f, &mut rotated).unwrap();
    let value = |f: &[Complex64], [x, y, z]: [f64; 3]| {
        naive::sphere_orders(bandlimit)
            .map(|(l, m)| {
                f[sphere_index(l as usize, m as isize)] * naive::harmonic(l, m, z.acos(), y.atan2(x))
            })
            .sum::<Complex64>()
    };
    for x in [[0.6, 0.0, 0.8], [-0.48, 0.64, 0.6], [0.0, -0.8, -0.6]] {
        let gap = value(&rotated, rotation.apply(x)) - value(&f, x);
        // Measured: 1.1e-15.
        within("(R f)(R x) = f(x)", gap.norm(), 1e-14);
    }
}

#[test]
fn even_circles_are_closed_under_inversion() {
    let grid = RotationGrid::gauss_legendre(3).unwrap();
    let n = 6;
    for ((j, p, r), _) in Array3::<u8>::zeros(grid.shape()).indexed_iter() {
        let [alpha, beta, gamma] = naive::euler(&grid, (j, p, r));
        let opposite = (j, (n / 2 + n - r) % n, (n / 2 + n - p) % n);
        let [a, b, g] = naive::euler(&grid, opposite);
        let product = Euler::new(alpha, beta, gamma).after(&Euler::new(a, b, g)).matrix();
        let identity = Euler::IDENTITY.matrix();
        let gap = product.iter().flatten().zip(identity.iter().flatten());
        // Measured: 8.1e-16.
        within("U U⁻¹", gap.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max), 3e-15);
    }
}

#[test]
fn wrong_arguments_are_refused() {
    let grid = RotationGrid::gauss_legendre(3).unwrap();
    let refused =
        |bandlimit, grid: &RotationGrid| RotationTransform::<f64>::new(bandlimit, grid).err().unwrap();
    assert!(matches!(
        refused(0, &grid),
        HarmonicError::Bandlimit { what: "rotation transform", bandlimit: 0, .. }
    ));
    let too_small = |axis, count, needed| HarmonicError::GridTooSmall { bandlimit: 4, axis, count, needed };
    assert_eq!(refused(4, &grid), too_small("beta", 3, 4));
    assert_eq!(refused(4, &RotationGrid::driscoll_healy(3).unwrap()), too_small("beta", 6, 8));
    let polar = PolarRule::gauss_legendre(4).unwrap();
    let circles = |a, g| RotationGrid::with_circles(polar.clone(), a, g).unwrap();
    assert_eq!(refused(4, &circles(6, 7)), too_small("alpha", 6, 7));
    assert_eq!(refused(4, &circles(7, 6)), too_small("gamma", 6, 7));
    assert!(matches!(
        refused(200, &RotationGrid::gauss_legendre(800).unwrap()),
        HarmonicError::TableTooLarge { bandlimit: 200, angles: 400, .. }
    ));

    let plan = RotationTransform::<f64>::new(3, &grid).unwrap();
    let mut scratch = plan.scratch();
    let mut f = vec![Complex64::default(); rotation_len(3)];
    let mut samples = Array3::zeros(grid.shape());
    let length = |length| HarmonicError::Length { what: "the coefficients", length, needed: 35 };
    assert_eq!(plan.inverse_real(&f[1..], &mut scratch, samples.view_mut()).unwrap_err(), length(34));
    assert_eq!(plan.forward_real(samples.view(), &mut scratch, &mut f[2..]).unwrap_err(), length(33));
    assert_eq!(
        plan.inverse_real(&f, &mut scratch, Array3::zeros([3, 6, 5]).view_mut()).unwrap_err(),
        HarmonicError::Shape { what: "the samples", shape: vec![3, 6, 5], needed: vec![3, 6, 6] }
    );
    let other = RotationTransform::<f64>::new(3, &RotationGrid::gauss_legendre(4).unwrap()).unwrap();
    assert_eq!(
        plan.inverse_real(&f, &mut other.scratch(), samples.view_mut()).unwrap_err(),
        HarmonicError::Length { what: "the scratch space of the columns", length: 80, needed: 60 }
    );
    samples[[1, 2, 3]] = f64::INFINITY;
    let at = HarmonicError::NotFinite { what: "the samples", index: vec![1, 2, 3], value: f64::INFINITY };
    assert_eq!(plan.forward_real(samples.view(), &mut scratch, &mut f).unwrap_err(), at);
    assert_eq!(plan.forward(samples.mapv(Complex64::from).view(), &mut scratch, &mut f).unwrap_err(), at);
    f.fill(Complex64::default());
    f[rotation_index(1, 0, 1)].re = f64::INFINITY;
    let at = HarmonicError::NotFinite { what: "the coefficients", index: vec![6], value: f64::INFINITY };
    assert_eq!(plan.inverse_real(&f, &mut scratch, samples.view_mut()).unwrap_err(), at);

    let signal = Array2::<Complex64>::default((2, 4));
    let mut out = vec![Complex64::default(); rotation_len(3)];
    assert_eq!(
        cross_correlation(3, signal.view(), signal.view(), &mut out).unwrap_err(),
        HarmonicError::Length { what: "the first signal, per channel,", length: 4, needed: 9 }
    );
    let fewer = Array2::<Complex64>::default((1, 4));
    assert_eq!(
        cross_correlation(2, signal.view(), fewer.view(), &mut out[..10]).unwrap_err(),
        HarmonicError::Length { what: "the channels of the second signal", length: 1, needed: 2 }
    );
}
