//! Lane transforms against the transforms of one signal.

mod support;

use ekernel_harmonic::{
    Complex, HarmonicError, Isa, LaneBuffer, LaneTransform, PolarRule, Real, RotationGrid, RotationTransform,
    cross_correlation, rotation_from_real, rotation_len, rotation_to_real, sphere_from_real, sphere_len,
    sphere_to_real,
};
use ndarray::{Array2, Array3, Axis};
use rustfft::num_complex::Complex64;
use support::{Noise, max_gap, real_rotation, real_sphere, within};

use std::f64::consts::PI;

fn grids() -> Vec<(usize, RotationGrid)> {
    let uneven = |nodes, alpha, gamma| {
        RotationGrid::with_circles(PolarRule::gauss_legendre(nodes).unwrap(), alpha, gamma).unwrap()
    };
    vec![
        (1, RotationGrid::driscoll_healy(1).unwrap()),
        (1, uneven(1, 2, 1)),
        (2, RotationGrid::gauss_legendre(2).unwrap()),
        (3, RotationGrid::driscoll_healy(3).unwrap()),
        (4, uneven(5, 10, 7)),
        (5, uneven(5, 9, 12)),
        (6, RotationGrid::fast(6).unwrap()),
        (9, RotationGrid::gauss_legendre(9).unwrap()),
    ]
}

/// Coefficients in the real basis of W signals, as lanes and as packed complex numbers.
fn signals<T: Real, const W: usize>(bandlimit: usize, seed: u64) -> (LaneBuffer<T, W>, Vec<Vec<Complex64>>) {
    let mut noise = Noise::new(seed);
    let mut lanes = LaneBuffer::zeros(rotation_len(bandlimit));
    let mut real = vec![0.0; rotation_len(bandlimit)];
    let complex: Vec<_> = (0..W)
        .map(|lane| {
            let f = real_rotation(bandlimit, &mut noise);
            rotation_to_real(bandlimit, &f, &mut real).unwrap();
            real.iter().zip(lanes.iter_mut()).for_each(|(&a, slot)| slot[lane] = T::of(a));
            f
        })
        .collect();
    (lanes, complex)
}

/// The largest differences of (values, coefficients) from the transform of one signal in f64.
fn gaps<T: Real, const W: usize>(bandlimit: usize, grid: &RotationGrid, isa: Isa) -> (f64, f64) {
    let plan = LaneTransform::<T>::with_isa(bandlimit, grid, isa).unwrap();
    let single = RotationTransform::<f64>::new(bandlimit, grid).unwrap();
    let mut scratch = single.scratch();
    let (lanes, signals) = signals::<T, W>(bandlimit, 21);
    let mut workspace = plan.workspace::<W>();
    let mut ring = LaneBuffer::<T, W>::zeros(plan.ring_len());
    plan.load(&lanes, &mut workspace).unwrap();
    let mut values = vec![Array3::zeros(grid.shape()); W];
    for j in 0..plan.rings() {
        plan.inverse_ring(j, &mut workspace, &mut ring).unwrap();
        for (lane, values) in values.iter_mut().enumerate() {
            let slots = values.index_axis_mut(Axis(0), j);
            slots.into_iter().zip(ring.iter()).for_each(|(slot, value)| *slot = value[lane].wide());
        }
    }
    let mut value_gap = 0.0f64;
    let mut expected = Array3::zeros(grid.shape());
    for (signal, values) in signals.iter().zip(&values) {
        single.inverse_real(signal, &mut scratch, expected.view_mut()).unwrap();
        value_gap = values.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(value_gap, f64::max);
    }

    // Forward, of samples that are no band-limited function.
    let mut noise = Noise::new(22);
    let rough: Vec<Array3<f64>> =
        (0..W).map(|_| Array3::from_shape_simple_fn(grid.shape(), || noise.real())).collect();
    plan.clear(&mut workspace).unwrap();
    for j in 0..plan.rings() {
        for (lane, samples) in rough.iter().enumerate() {
            let samples = samples.index_axis(Axis(0), j);
            ring.iter_mut().zip(samples).for_each(|(slot, &value)| slot[lane] = T::of(value));
        }
        plan.forward_ring(j, &ring, &mut workspace).unwrap();
    }
    let mut out = LaneBuffer::<T, W>::zeros(plan.coefficients_len());
    plan.store(&workspace, &mut out).unwrap();
    let mut coefficient_gap = 0.0f64;
    let mut expected = vec![Complex64::default(); plan.coefficients_len()];
    let mut ours = expected.clone();
    for (lane, samples) in rough.iter().enumerate() {
        single.forward_real(samples.view(), &mut scratch, &mut expected).unwrap();
        let real: Vec<f64> = out.iter().map(|a| a[lane].wide()).collect();
        rotation_from_real(bandlimit, &real, &mut ours).unwrap();
        coefficient_gap = coefficient_gap.max(max_gap(&ours, &expected));
    }
    (value_gap, coefficient_gap)
}

#[test]
fn lanes_are_the_transforms_of_one_signal() {
    for isa in Isa::available() {
        for (bandlimit, grid) in grids() {
            let (values, coefficients) = gaps::<f64, 8>(bandlimit, &grid, isa);
            // Measured: 2.2e-15 and 7.1e-15.
            within("f64 inverse", values, 1e-14);
            within("f64 forward", coefficients, 3e-14);
            let (values, coefficients) = gaps::<f32, 16>(bandlimit, &grid, isa);
            // Measured: 6.6e-7 on values up to 2, 5.1e-6 on coefficients up to 20.
            within("f32 inverse", values, 2e-6);
            within("f32 forward", coefficients, 2e-5);
        }
    }
}

#[test]
fn any_number_of_lanes_will_do() {
    let grid = RotationGrid::gauss_legendre(4).unwrap();
    let isa = Isa::detect();
    for (values, coefficients) in
        [gaps::<f64, 1>(4, &grid, isa), gaps::<f64, 3>(4, &grid, isa), gaps::<f64, 32>(4, &grid, isa)]
    {
        // Measured: 2.2e-16 and 1.0e-15.
        within("inverse", values, 2e-15);
        within("forward", coefficients, 5e-15);
    }
}

#[test]
fn a_lane_does_not_see_its_neighbours() {
    let (bandlimit, grid) = (6, RotationGrid::fast(6).unwrap());
    let plan = LaneTransform::<f32>::new(bandlimit, &grid).unwrap();
    let mut workspace = plan.workspace::<16>();
    let (mut lanes, _) = signals::<f32, 16>(bandlimit, 23);
    let mut rings = [0; 2].map(|_| LaneBuffer::<f32, 16>::zeros(plan.ring_len()));
    plan.load(&lanes, &mut workspace).unwrap();
    plan.inverse_ring(7, &mut workspace, &mut rings[0]).unwrap();
    for a in lanes.iter_mut() {
        a.swap(2, 13);
        a[5] = f32::NAN;
    }
    plan.load(&lanes, &mut workspace).unwrap();
    plan.inverse_ring(7, &mut workspace, &mut rings[1]).unwrap();
    for (a, b) in rings[0].iter().zip(rings[1].iter()) {
        assert_eq!((a[2], a[13], a[0]), (b[13], b[2], b[0]));
        assert!(b[5].is_nan());
    }
}

#[test]
fn correlating_lanes_is_correlating_signals() {
    let (bandlimit, channels) = (5, 3);
    let mut noise = Noise::new(24);
    let mut signal = || {
        let rows: Vec<_> = (0..channels).flat_map(|_| real_sphere(bandlimit + 1, &mut noise)).collect();
        Array2::from_shape_vec((channels, sphere_len(bandlimit + 1)), rows).unwrap()
    };
    // `[lm][channel]` in the real basis.
    let real = |signal: &Array2<Complex64>| {
        let mut out = vec![0.0; signal.len()];
        let mut row = vec![0.0; signal.ncols()];
        for (c, f) in signal.rows().into_iter().enumerate() {
            sphere_to_real(bandlimit + 1, f.as_slice().unwrap(), &mut row).unwrap();
            row.iter().enumerate().for_each(|(at, &a)| out[at * channels + c] = a);
        }
        out
    };
    let first = signal();
    let others: Vec<_> = (0..4).map(|_| signal()).collect();
    let mut second = vec![[0.0; 4]; first.len()];
    for (lane, other) in others.iter().enumerate() {
        second.iter_mut().zip(real(other)).for_each(|(slot, a)| slot[lane] = a);
    }
    let plan = LaneTransform::<f64>::new(bandlimit, &RotationGrid::gauss_legendre(5).unwrap()).unwrap();
    let mut out = vec![[0.0; 4]; plan.coefficients_len()];
    let (gain, offset) = (0.7, 0.3);
    plan.correlate([gain, offset], channels, &real(&first), &second, &mut out).unwrap();
    let (mut expected, mut ours) =
        (vec![Complex64::default(); out.len()], vec![Complex64::default(); out.len()]);
    for (lane, other) in others.iter().enumerate() {
        cross_correlation(bandlimit, first.view(), other.view(), &mut expected).unwrap();
        expected.iter_mut().for_each(|f| *f *= gain);
        expected[0] += 8.0 * PI * PI * offset;
        let lane: Vec<f64> = out.iter().map(|a| a[lane]).collect();
        rotation_from_real(bandlimit, &lane, &mut ours).unwrap();
        // Measured: 1.6e-14 on coefficients up to 70.
        within("correlation", max_gap(&ours, &expected), 5e-14);
    }
}

#[test]
fn the_real_basis_is_orthonormal_and_back() {
    let bandlimit = 7;
    let mut noise = Noise::new(25);
    let f = real_sphere(bandlimit, &mut noise);
    let mut a = vec![0.0; f.len()];
    sphere_to_real(bandlimit, &f, &mut a).unwrap();
    let norms = (a.iter().map(|a| a * a).sum::<f64>(), f.iter().map(|f| f.norm_sqr()).sum::<f64>());
    // Measured: 7.1e-15, 2.5e-16, and below 5.7e-13, 2.5e-16.
    within("S² norm", (norms.0 - norms.1).abs(), 3e-14);
    let mut back = f.clone();
    sphere_from_real(bandlimit, &a, &mut back).unwrap();
    within("S²", max_gap(&back, &f), 1e-15);

    let f = real_rotation(bandlimit, &mut noise);
    let mut a = vec![0.0; f.len()];
    rotation_to_real(bandlimit, &f, &mut a).unwrap();
    let norms = (a.iter().map(|a| a * a).sum::<f64>(), f.iter().map(|f| f.norm_sqr()).sum::<f64>());
    within("SO(3) norm", (norms.0 - norms.1).abs(), 2e-12);
    let mut back = f.clone();
    rotation_from_real(bandlimit, &a, &mut back).unwrap();
    within("SO(3)", max_gap(&back, &f), 1e-15);
    assert_eq!(
        rotation_from_real(bandlimit, &a[1..], &mut back).unwrap_err(),
        HarmonicError::Length { what: "the real coefficients", length: 454, needed: 455 }
    );
    assert!(matches!(
        sphere_to_real::<f64>(0, &[], &mut []).unwrap_err(),
        HarmonicError::Bandlimit { bandlimit: 0, .. }
    ));
    assert_eq!(
        sphere_to_real(1, &[Complex::new(1.0f32, 0.0); 2], &mut [0.0; 2]).unwrap_err(),
        HarmonicError::Length { what: "the complex coefficients", length: 2, needed: 1 }
    );
}

#[test]
fn wrong_arguments_are_refused() {
    let grid = RotationGrid::gauss_legendre(3).unwrap();
    assert!(matches!(
        LaneTransform::<f32>::new(0, &grid).unwrap_err(),
        HarmonicError::Bandlimit { what: "lane transform", bandlimit: 0, .. }
    ));
    assert_eq!(
        LaneTransform::<f32>::new(4, &grid).unwrap_err(),
        HarmonicError::GridTooSmall { bandlimit: 4, axis: "beta", count: 3, needed: 4 }
    );
    let plan = LaneTransform::<f32>::new(3, &grid).unwrap();
    let mut workspace = plan.workspace::<4>();
    let mut ring = vec![[0.0; 4]; plan.ring_len()];
    let mut out = vec![[0.0; 4]; plan.coefficients_len()];
    let length = |what, length, needed| HarmonicError::Length { what, length, needed };
    assert_eq!(
        plan.inverse_ring(3, &mut workspace, &mut ring).unwrap_err(),
        HarmonicError::Ring { ring: 3, rings: 3 }
    );
    assert_eq!(
        plan.inverse_ring(0, &mut workspace, &mut ring[1..]).unwrap_err(),
        length("the values of a ring", 35, 36)
    );
    assert_eq!(
        plan.forward_ring(0, &ring[2..], &mut workspace).unwrap_err(),
        length("the values of a ring", 34, 36)
    );
    assert_eq!(plan.load(&out[1..], &mut workspace).unwrap_err(), length("the coefficients", 34, 35));
    assert_eq!(plan.store(&workspace, &mut out[1..]).unwrap_err(), length("the coefficients", 34, 35));
    let other = LaneTransform::<f32>::new(2, &grid).unwrap();
    assert_eq!(other.clear(&mut workspace).unwrap_err(), length("the workspace (spectrum)", 35, 10));
    assert_eq!(
        plan.correlate([1.0, 0.0], 2, &[0.0; 17], &[[0.0; 4]; 18], &mut out).unwrap_err(),
        length("the first signal", 17, 18)
    );
}

/// The lines of a ring, summed up by hand along γ, are the ring.
#[test]
fn lines_sum_up_to_the_ring() {
    for (bandlimit, grid) in grids() {
        let plan = LaneTransform::<f64>::new(bandlimit, &grid).unwrap();
        let (lanes, _) = signals::<f64, 8>(bandlimit, 23);
        let mut workspace = plan.workspace::<8>();
        let mut ring = LaneBuffer::<f64, 8>::zeros(plan.ring_len());
        plan.load(&lanes, &mut workspace).unwrap();
        let orders = |sine: bool, odd: usize| {
            (usize::from(sine)..bandlimit).filter(move |n| n % 2 == odd).map(move |n| (sine, n))
        };
        let classes = [(false, 0), (false, 1), (true, 0), (true, 1)];
        let terms: Vec<(bool, usize)> = classes.iter().flat_map(|&(sine, odd)| orders(sine, odd)).collect();
        assert_eq!(terms.len(), plan.line_len());
        for j in 0..plan.rings() {
            plan.inverse_ring(j, &mut workspace, &mut ring).unwrap();
            let lines = plan.inverse_lines(j, &mut workspace).unwrap();
            let n_gamma = grid.shape()[2];
            let mut gap = 0.0f64;
            for (line, row) in lines.chunks(plan.line_len()).zip(ring.chunks(n_gamma)) {
                for (r, values) in row.iter().enumerate() {
                    for (lane, value) in values.iter().enumerate() {
                        let term = |(&(sine, n), c): (&(bool, usize), &[f64; 8])| {
                            let (sin, cos) = (n as f64 * grid.gamma(r)).sin_cos();
                            c[lane] * if sine { sin } else { cos }
                        };
                        let sum: f64 = terms.iter().zip(line).map(term).sum();
                        gap = gap.max((sum - value).abs());
                    }
                }
            }
            // Measured: 1.4e-14.
            assert!(gap < 1e-13, "L = {bandlimit}, ring {j}: {gap:e}");
        }
    }
}
