//! The fused kernel against a literal recursion in twice the precision of float64.
mod literal;

use ekernel_cpu::{
    relu_chain::{ConvRelu, First, Kind, Pack, Padding, ReluChain, Workspace, plane},
    simd::{Isa, Real},
};
use literal::{Literal, noise};

fn conv(window: [usize; 2], b_std: f64) -> ConvRelu {
    ConvRelu { window, w_std: 1.3, b_std }
}

/// Largest error of K and Θ on all planes, relative to the largest entry of each, over all instruction sets.
fn worst<T: Real>(
    shape: [usize; 3],
    padding: Padding,
    layers: &[ConvRelu],
    x: &[f64],
    seconds: &[Vec<f64>],
) -> (f64, f64) {
    let chain = ReluChain::new(shape, padding, layers).unwrap();
    let of = |x: &[f64]| x.iter().map(|&x| T::of(x)).collect::<Vec<_>>();
    let wide = |x: &[f64]| x.iter().map(|&x| T::of(x).wide()).collect::<Vec<_>>();
    let literal = Literal { shape, padding, layers };
    let first = chain.maps(&of(x)).unwrap();
    let mut worst = (0f64, 0f64);
    for isa in Isa::available() {
        let lanes = isa.lanes::<T>();
        let mut workspace = Workspace::new(isa, &chain);
        for group in seconds.chunks(lanes) {
            let maps: Vec<_> = group.iter().map(|y| chain.maps(&of(y)).unwrap()).collect();
            let pack = Pack::new(lanes, &maps.iter().collect::<Vec<_>>());
            for (lane, y) in group.iter().enumerate() {
                let (mut errors, mut largest) = ((0f64, 0f64), (f64::MIN_POSITIVE, f64::MIN_POSITIVE));
                for d in chain.offsets() {
                    let exact = literal.plane(&wide(x), &wide(y), d);
                    let (k, theta) =
                        plane(isa, &chain, (First::Image(&first), &pack), d, Kind::NngpNtk, &mut workspace);
                    let [h, w] = chain.out();
                    let overlap = |axis: usize, n: usize| match padding {
                        Padding::Circular => (0, n),
                        _ => ((-d[axis]).max(0) as usize, n - d[axis].unsigned_abs()),
                    };
                    let ((top, rows), (left, columns)) = (overlap(0, h), overlap(1, w));
                    assert_eq!(k.len(), rows * columns * lanes);
                    for row in 0..rows {
                        for column in 0..columns {
                            let at = (row * columns + column) * lanes + lane;
                            let from = (top + row) * w + left + column;
                            let (a, b) = (exact.nngp.values[from], exact.ntk.values[from]);
                            assert!(k[at].is_finite() && theta[at].is_finite());
                            errors.0 = errors.0.max((k[at] - a).abs());
                            errors.1 = errors.1.max((theta[at] - b).abs());
                            largest = (largest.0.max(a.abs()), largest.1.max(b.abs()));
                        }
                    }
                }
                worst = (worst.0.max(errors.0 / largest.0), worst.1.max(errors.1 / largest.1));
            }
        }
    }
    worst
}

#[test]
fn agrees_with_the_literal_recursion() {
    let shape = [9, 8, 3];
    let centred = |seed| noise(seed, 216).iter().map(|x| x - 0.5).collect::<Vec<_>>();
    let seconds: Vec<_> = (2..21).map(centred).collect();
    let mixed = [conv([2, 3], 0.4), conv([3, 3], 0.0), conv([3, 1], 1.1)];
    let table = [conv([3, 3], 0.0), conv([3, 3], 0.0), conv([3, 3], 0.3)];
    for padding in [Padding::Valid, Padding::Same, Padding::Circular] {
        for layers in [&mixed, &table] {
            let (k, theta) = worst::<f32>(shape, padding, layers, &centred(1), &seconds);
            println!("f32 {padding:?} {k:e} {theta:e}");
            assert!(k < 1e-6 && theta < 1e-6);
            let (k, theta) = worst::<f64>(shape, padding, layers, &centred(1), &seconds);
            println!("f64 {padding:?} {k:e} {theta:e}");
            assert!(k < 1e-14 && theta < 1e-14);
        }
    }
}
