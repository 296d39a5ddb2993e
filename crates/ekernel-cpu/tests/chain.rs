//! The fused kernel against a literal recursion in twice the precision of float64.
mod literal;

use ekernel_core::Activation;
use ekernel_cpu::{
    chain::{Chain, Compiled, ConvLayer, First, Kind, Pack, Padding, Workspace, plane, sum_planes},
    simd::Isa,
};
use literal::{KINKED, Literal, SMOOTH, noise};

fn conv(window: [usize; 2], b_std: f64) -> ConvLayer {
    ConvLayer { window, strides: [1, 1], w_std: 1.3, b_std, activation: Activation::Relu }
}

/// Largest error of K and Θ on all planes, relative to the largest entry of each, over all instruction sets.
fn worst<T: Compiled>(
    shape: [usize; 3],
    padding: Padding,
    layers: &[ConvLayer],
    x: &[f64],
    seconds: &[Vec<f64>],
) -> (f64, f64) {
    let chain = Chain::new(shape, padding, layers).unwrap();
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
    let mut chains = vec![];
    chains.push(table);
    for family in [&KINKED[..], &SMOOTH] {
        for (at, &activation) in family.iter().enumerate() {
            let layers = if at % 2 == 0 { mixed } else { table };
            chains.push(layers.map(|layer| ConvLayer { activation, ..layer }));
            // Another one in each layer.
            let other = |layer: usize| family[(at + 2 * layer) % family.len()];
            chains.push([0, 1, 2].map(|layer| ConvLayer { activation: other(layer), ..table[layer] }));
        }
    }
    // Float32 of relu alone, and of all; where an activation is nearly linear, what is left of noise is small.
    let mut all = [0.0_f64; 3];
    for padding in [Padding::Valid, Padding::Same, Padding::Circular] {
        for layers in &chains {
            // Of relu more than a register of images.
            let relu = layers.iter().all(|layer| layer.activation == Activation::Relu);
            let seconds = if relu { &seconds[..] } else { &seconds[..2] };
            let single = worst::<f32>(shape, padding, layers, &centred(1), seconds);
            let double = worst::<f64>(shape, padding, layers, &centred(1), seconds);
            let [single, double] = [single, double].map(|(k, theta)| k.max(theta));
            println!("{padding:?} {:?} {single:e} {double:e}", layers.map(|layer| layer.activation));
            let errors = [if relu { single } else { 0.0 }, single, double];
            all = [0, 1, 2].map(|i| all[i].max(errors[i]));
        }
    }
    // Measured 3.5e-7, 2.7e-6 (erf, gelu, cos) and 1.5e-14. Here chains run in float32 however much they
    // amplify rounding; the backend computes those that amplify it more than 8 times in float64.
    assert!(all[0] < 1e-6 && all[1] < 3e-6 && all[2] < 2e-14, "{all:?}");
}

/// Images of five magnitudes, one of them black, as maps.
fn prepared<T: Compiled>(chain: &Chain) -> Vec<ekernel_cpu::chain::ImageMaps<T>> {
    (0..40)
        .map(|seed| {
            let scale = if seed == 3 { 0.0 } else { 10f64.powi(seed as i32 % 5) };
            chain.maps(&noise(seed, 300).iter().map(|x| T::of(x * scale)).collect::<Vec<_>>()).unwrap()
        })
        .collect()
}

#[test]
fn a_result_does_not_depend_on_its_lane() {
    for activation in [Activation::Relu, Activation::LeakyRelu { alpha: 0.2 }, Activation::Gelu] {
        no_result_depends_on_its_lane(activation);
    }
}

fn no_result_depends_on_its_lane(activation: Activation) {
    let layer = ConvLayer { activation, ..conv([3, 3], 0.3) };
    let chain = Chain::new([10, 10, 3], Padding::Same, &[layer; 3]).unwrap();
    let images = prepared::<f32>(&chain);
    for isa in Isa::available() {
        let lanes = isa.lanes::<f32>();
        let mut workspace = Workspace::new(isa, &chain);
        let mut sums = |seconds: &[&_], kind| {
            let pack = Pack::new(lanes, seconds);
            sum_planes(isa, &chain, (First::Image(&images[39]), &pack), chain.offsets(), kind, &mut workspace)
        };
        let all: Vec<_> = images[..lanes].iter().collect();
        let together = sums(&all, Kind::NngpNtk);
        let backwards = sums(&all.iter().rev().copied().collect::<Vec<_>>(), Kind::NngpNtk);
        let nngp = sums(&all, Kind::Nngp);
        for (lane, image) in all.iter().enumerate() {
            let alone = sums(&[image], Kind::NngpNtk);
            assert_eq!(
                (together.nngp[lane], together.ntk[lane]),
                (alone.nngp[0], alone.ntk[0]),
                "{isa} {lane}"
            );
            assert_eq!(together.nngp[lane], backwards.nngp[lanes - 1 - lane]);
            assert_eq!((nngp.nngp[lane], nngp.ntk[lane]), (together.nngp[lane], 0.0));
        }
    }
}

/// Also after a wider plane has used the memory: a workspace carries nothing over.
#[test]
fn sums_are_those_of_the_planes() {
    let worst = [sums_against_planes::<f32>(), sums_against_planes::<f64>()];
    // Measured 1.9e-9 and 4e-16: runs of eight positions are added in the precision of the planes.
    assert!(worst[0] < 1e-8 && worst[1] < 2e-15, "{worst:?}");
}

fn sums_against_planes<T: Compiled>() -> f64 {
    let mut worst = 0.0_f64;
    for padding in [Padding::Valid, Padding::Same, Padding::Circular] {
        let layers = [conv([3, 3], 0.0), conv([4, 2], 0.3), conv([3, 3], 0.0)];
        let chain = Chain::new([10, 10, 3], padding, &layers).unwrap();
        let images = prepared::<T>(&chain);
        let isa = Isa::best();
        let lanes = isa.lanes::<T>();
        let pack = Pack::new(lanes, &[&images[0]]);
        let pair = (First::Image(&images[1]), &pack);
        let mut used = Workspace::new(isa, &chain);
        let sums = sum_planes(isa, &chain, pair, chain.offsets(), Kind::NngpNtk, &mut used);
        let mut total = [0.0; 2];
        for d in chain.offsets() {
            let (k, theta) = plane(isa, &chain, pair, d, Kind::NngpNtk, &mut Workspace::new(isa, &chain));
            total[0] += k.iter().step_by(lanes).sum::<f64>();
            total[1] += theta.iter().step_by(lanes).sum::<f64>();
        }
        for (sum, total) in [sums.nngp[0], sums.ntk[0]].into_iter().zip(total) {
            worst = worst.max((sum / total - 1.0).abs());
        }
    }
    worst
}

/// A chain for images without negative pixels gives the same kernels, and refuses others.
#[test]
fn nonnegative_images_are_no_special_case() {
    for activation in KINKED.into_iter().chain(SMOOTH) {
        nonnegative_images_are_none_behind(activation);
    }
}

fn nonnegative_images_are_none_behind(activation: Activation) {
    let layers = [ConvLayer { activation, ..conv([3, 3], 0.3) }; 3];
    let general = Chain::new([10, 10, 3], Padding::Same, &layers).unwrap();
    let special = general.clone().nonnegative(true);
    let image = |seed| noise(seed, 300);
    for isa in Isa::available() {
        let sums = |chain: &Chain| {
            let maps = |seed| chain.maps(&image(seed)).unwrap();
            let pack = Pack::new(isa.lanes::<f64>(), &[&maps(1)]);
            let mut workspace = Workspace::new(isa, chain);
            let sums = sum_planes(
                isa,
                chain,
                (First::Image(&maps(2)), &pack),
                chain.offsets(),
                Kind::NngpNtk,
                &mut workspace,
            );
            [sums.nngp[0], sums.ntk[0]]
        };
        assert_eq!(sums(&general), sums(&special), "{isa} {activation:?}");
    }
    let mut negative = image(1);
    negative[17] = -0.5;
    let refused = special.maps(&negative).unwrap_err();
    assert_eq!(refused, ekernel_cpu::chain::ChainError::Negative { index: 17, value: -0.5 });
}

#[test]
fn a_pair_with_itself_is_a_pair() {
    for activation in [Activation::Relu, Activation::LeakyRelu { alpha: 0.2 }, Activation::Gelu] {
        pairs_with_themselves_are_pairs(activation);
    }
}

fn pairs_with_themselves_are_pairs(activation: Activation) {
    let layer = ConvLayer { activation, ..conv([3, 3], 0.3) };
    let chain = Chain::new([10, 10, 3], Padding::Valid, &[layer; 2]).unwrap();
    let images = prepared::<f32>(&chain);
    for isa in Isa::available() {
        let lanes = isa.lanes::<f32>();
        let pack = Pack::new(lanes, &images[..lanes].iter().collect::<Vec<_>>());
        let mut workspace = Workspace::new(isa, &chain);
        let mut sums =
            |first| sum_planes(isa, &chain, (first, &pack), chain.offsets(), Kind::NngpNtk, &mut workspace);
        let itself = sums(First::Itself);
        for (lane, image) in images[..lanes].iter().enumerate() {
            let other = sums(First::Image(image));
            assert_eq!(
                (itself.nngp[lane], itself.ntk[lane]),
                (other.nngp[lane], other.ntk[lane]),
                "{isa} {lane}"
            );
        }
    }
}

#[test]
fn sizes_and_work_are_as_documented() {
    let conv = ConvLayer { w_std: 1.0, ..conv([3, 3], 0.0) };
    let chain = Chain::new([32, 32, 3], Padding::Valid, &[conv; 5]).unwrap();
    assert_eq!(chain.out(), [22, 22]);
    assert_eq!(chain.map_len(), 3 * (32 * 32 + 30 * 30 + 28 * 28 + 26 * 26 + 24 * 24 + 22 * 22));
    assert_eq!((chain.work().elements, chain.work().input), (2_225_640, 835_396));
    assert_eq!(chain.offsets().count(), 43 * 43);
    let chain = Chain::new([32, 32, 3], Padding::Same, &[conv; 5]).unwrap();
    assert_eq!(chain.work().elements, 5 * 1024 * 1024);
    let chain = Chain::new([8, 6, 1], Padding::Circular, &[conv; 2]).unwrap();
    assert_eq!((chain.offsets().count(), chain.map_len()), (48, 2 * 48 * 7));
}

#[test]
fn impossible_chains_are_refused() {
    use ekernel_cpu::chain::ChainError as Error;
    let of = |shape, padding, layers: &[ConvLayer]| Chain::new(shape, padding, layers).unwrap_err();
    let fine = conv([3, 3], 0.0);
    assert_eq!(of([8, 8, 3], Padding::Same, &[]), Error::Empty { shape: [8, 8, 3], layers: 0 });
    assert_eq!(of([8, 8, 0], Padding::Same, &[fine]), Error::Empty { shape: [8, 8, 0], layers: 1 });
    let error = of([4, 8, 1], Padding::Valid, &[fine, fine]);
    assert_eq!(error, Error::Window { layer: 1, window: [3, 3], domain: [2, 6] });
    for w_std in [0.0, f64::NAN, f64::INFINITY, -1.0] {
        let error = of([8, 8, 3], Padding::Same, &[ConvLayer { w_std, ..fine }]);
        assert!(matches!(error, Error::Std { layer: 0, name: "w_std", .. }), "{error}");
    }
    let error = of([8, 8, 3], Padding::Same, &[ConvLayer { b_std: f64::NAN, ..fine }]);
    assert!(matches!(error, Error::Std { layer: 0, name: "b_std", .. }), "{error}");
    for (activation, name) in [
        (Activation::Gelu, "gelu"),
        (Activation::Sign, "sign"),
        (Activation::LeakyRelu { alpha: 1e160 }, "leaky_relu"),
        (Activation::Erf { a: 0.0, b: 1.0, c: 0.0 }, "erf"),
    ] {
        let error = of([8, 8, 3], Padding::Same, &[fine, ConvLayer { activation, ..fine }]);
        assert_eq!(error, Error::Activation { layer: 1, name });
    }
    let chain = Chain::new([8, 8, 3], Padding::Same, &[fine]).unwrap();
    assert_eq!(chain.maps(&[0f32; 64]).unwrap_err(), Error::Image { expected: 192, got: 64 });
}
