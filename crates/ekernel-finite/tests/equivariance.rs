//! Finite networks are equivariant before pooling and invariant behind it, to rounding.

use ekernel_core::{
    Activation, Conv, Dense, Dropout, GlobalPool, Group, GroupConv, GroupElement, Input, Layer, LayerNorm,
    Lift, MaxPool, Molecule, Network, Padding, Pool, Samples,
};
use ekernel_finite::{FiniteNetwork, Name, Widths};
use ndarray::{Array2, Array4, Axis};

const NAME: Name = Name { seed: 3, member: 1 };

fn noise([n, height, width, channels]: [usize; 4]) -> Array4<f64> {
    let mut state = 17_u64;
    Array4::from_shape_simple_fn((n, height, width, channels), || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    })
}

fn turned(images: &Array4<f64>, element: GroupElement) -> Array4<f64> {
    let turned: Vec<_> = images.outer_iter().map(|image| element.apply(image)).collect();
    let views: Vec<_> = turned.iter().map(|image| image.view()).collect();
    ndarray::stack(Axis(0), &views).expect("equal shapes")
}

/// lift, relu, group_conv, relu, a local pool, layer_norm, group_pool, a head, on `extent` pixels.
fn network(
    group: Group,
    [height, width]: [usize; 2],
    padding: Padding,
    stride: usize,
    pool: Layer,
) -> Network {
    Network::builder(Input::Image { height, width, channels: 2 })
        .layer(Conv::new([1, 1]).b_std(0.2))
        .layer(Activation::Relu)
        .layer(Lift::new(group, [3, 3]).padding(padding).strides([stride, stride]).b_std(0.3))
        .layer(Activation::Relu)
        .layer(GroupConv::new([3, 3]).padding(padding).b_std(0.3))
        .layer(LayerNorm::over_all())
        .layer(Activation::Gelu)
        .layer(pool)
        .layer(GroupConv::new([1, 1]))
        .layer(LayerNorm::over_channels())
        .layer(Layer::GroupPool)
        .layer(Dropout::keep(0.5))
        .layer(Dense::new())
        .build()
        .expect("a network")
}

/// The layer whose output is compared: the last group_conv.
const BEFORE: usize = 8;

#[test]
fn group_networks_turn_with_their_input() {
    let pools = [Layer::from(MaxPool::new([2, 2])), Pool::mean([2, 2]).into(), Pool::sum([2, 2]).into()];
    let mut compared = 0;
    for group in Group::ALL {
        for (side, padding, stride) in
            [(6, Padding::Same, 1), (6, Padding::Circular, 1), (9, Padding::Valid, 2)]
        {
            for pool in pools.clone() {
                // 6×6: the pool sees 6×6. 9×9, stride 2, valid: 4×4, then 2×2.
                let flat = !group.swaps_axes() && stride == 1;
                let extent = [side, if flat { side + 2 } else { side }];
                let network = network(group, extent, padding, stride, pool);
                let finite = FiniteNetwork::<f64>::new(&network, Widths::all(5), 1).expect("compiled");
                let images = noise([2, extent[0], extent[1], 2]);
                let before = finite.values(NAME, &Samples::Images(images.clone()), BEFORE).expect("values");
                let output = finite.outputs(NAME, &Samples::Images(images.clone())).expect("outputs");
                let scale = before.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
                let elements = group.elements();
                let pixels = before.dim().1 / elements.len();
                let [rows, cols] = match network.nodes()[BEFORE].domain.extent() {
                    Some(extent) => extent,
                    None => panic!("a group grid"),
                };
                for &h in &elements {
                    let moved = Samples::Images(turned(&images, h));
                    let after = finite.values(NAME, &moved, BEFORE).expect("values");
                    // N(h·f)(hr, h·t) = N(f)(r, t), slot by slot: the slot of hr is that of r, turned.
                    for (slot, r) in elements.iter().enumerate() {
                        let to = elements.iter().position(|e| *e == h.compose(*r)).expect("closed");
                        for item in 0..2 {
                            let map = |values: &ndarray::Array3<f64>, slot: usize| {
                                let part = values.index_axis(Axis(0), item);
                                let part = part.slice(ndarray::s![slot * pixels..(slot + 1) * pixels, ..]);
                                part.to_shape((rows, cols, 5)).expect("a map").to_owned()
                            };
                            let expected = h.apply(map(&before, slot).view());
                            let worst =
                                (&expected - &map(&after, to)).iter().fold(0.0_f64, |m, x| m.max(x.abs()));
                            assert!(
                                worst < 1e-13 * scale.max(1.0) * 10.0,
                                "{group} {padding} {h}: {worst:e}"
                            );
                            compared += 1;
                        }
                    }
                    let worst = (&finite.outputs(NAME, &moved).expect("outputs") - &output)
                        .iter()
                        .fold(0.0_f64, |m, x| m.max(x.abs()));
                    assert!(worst < 1e-12, "{group} {padding} {h}: outputs differ by {worst:e}");
                }
            }
        }
    }
    assert!(compared > 1000, "{compared}");
}

/// A plain network is not invariant: the comparison would notice.
#[test]
fn a_plain_network_does_not_turn_with_its_input() {
    let network = Network::builder(Input::Image { height: 6, width: 6, channels: 2 })
        .layer(Conv::new([3, 3]))
        .layer(Activation::Relu)
        .layer(GlobalPool::mean())
        .layer(Dense::new())
        .build()
        .expect("a network");
    let finite = FiniteNetwork::<f64>::new(&network, Widths::all(5), 1).expect("compiled");
    let images = noise([2, 6, 6, 2]);
    let quarter = Group::C4.elements()[1];
    let [before, after] = [images.clone(), turned(&images, quarter)]
        .map(|images| finite.outputs(NAME, &Samples::Images(images)).expect("outputs"));
    assert!((&before - &after).iter().any(|x| x.abs() > 1e-3));
}

/// On SO(3) the outputs move by the quadrature error of the grid: measured 6e-4 of the largest output for erf.
#[test]
fn networks_on_molecules_do_not_notice_rotations() {
    let text = |activation: &str| {
        format!(
            "[input]\nspace = 'molecule'\nelements = [1, 6]\nbandlimit = 3\natoms = 'shared'\n\
             [[layers]]\nop = 's2_conv'\n[[layers]]\nop = '{activation}'\n\
             [[layers]]\nop = 'so3_conv'\nbandlimit = 3\nb_std = 0.2\n[[layers]]\nop = '{activation}'\n\
             [[layers]]\nop = 'so3_pool'\n[[layers]]\nop = 'atom_sum'\n[[layers]]\nop = 'dense'\n"
        )
    };
    let positions = ndarray::array![[0.0, 0.0, 0.0], [1.1, 0.1, 0.0], [-0.3, 1.0, 0.2], [0.2, -0.4, 1.2]];
    let (a, b) = (0.7_f64, 1.1_f64);
    let turn = ndarray::array![
        [a.cos() * b.cos(), -a.sin(), a.cos() * b.sin()],
        [a.sin() * b.cos(), a.cos(), a.sin() * b.sin()],
        [-b.sin(), 0.0, b.cos()]
    ];
    let molecule = |positions: Array2<f64>| Molecule { charges: vec![6, 1, 1, 6], positions };
    for (activation, allowed) in [("erf", 2e-3), ("relu", 5e-2)] {
        let network: Network = text(activation).parse().expect("a network");
        let finite = FiniteNetwork::<f64>::new(&network, Widths { hidden: Some(6), outputs: Some(4) }, 1)
            .expect("compiled");
        let [before, after] = [positions.clone(), positions.dot(&turn.t())].map(|positions| {
            finite.outputs(NAME, &Samples::Molecules(vec![molecule(positions)])).expect("outputs")
        });
        let largest = before.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        let worst = (&before - &after).iter().fold(0.0_f64, |m, x| m.max(x.abs())) / largest;
        eprintln!("{activation}: {worst:.1e}");
        assert!(worst < allowed, "{activation}: {worst:e}");
    }
}
