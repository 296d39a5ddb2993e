//! Acting on the images acts on the kernel: K(h·f, h'·f')_{g,g'} = K(f, f')_{h⁻¹g, h'⁻¹g'}.

use ekernel_core::{
    Backend, Control, Domain, Group, GroupElement, KernelSet, Kernels, Network, Padding, Pairs, Samples,
};
use ekernel_reference::{Field, ReferenceBackend, cross_fields};
use ndarray::{Array2, Array4, Axis};

/// Relative to the largest entry; sums run in another order. Measured: 7e-16, orbits 1.1e-15.
const EXACT: f64 = 1e-14;

fn network(group: Group, padding: Padding, [height, width]: [usize; 2], pool: &str) -> Network {
    let text = format!(
        "[input]\nspace = 'image'\nshape = [{height}, {width}, 2]\n\
         [[layers]]\nop = 'lift'\ngroup = '{group}'\nfilter = [3, 3]\npadding = '{padding}'\nw_std = 1.3\nb_std = 0.2\n\
         [[layers]]\nop = 'relu'\n{pool}\
         [[layers]]\nop = 'group_conv'\nfilter = [3, 3]\npadding = '{padding}'\nw_std = 1.1\n\
         [[layers]]\nop = 'erf'\n[[layers]]\nop = 'group_pool'\n"
    );
    text.parse().unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// The plain network of which the group network is an orbit.
fn plain(network: &Network) -> Network {
    let text: String = network
        .to_toml()
        .lines()
        .filter(|line| !line.starts_with("group ="))
        .map(|line| {
            let line = line.replace("\"lift\"", "\"conv\"").replace("\"group_conv\"", "\"conv\"");
            line.replace("\"group_pool\"", "\"global_avg_pool\"") + "\n"
        })
        .collect();
    text.parse().unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// Noise, deterministic.
fn image(seed: usize, [height, width]: [usize; 2]) -> Array4<f64> {
    Array4::from_shape_fn((1, height, width, 2), |(_, y, x, c)| {
        let n = (seed * 1009 + y * 101 + x * 11 + c) as f64;
        2.0 * (1e4 * (n * 0.7123).sin()).fract()
    })
}

fn acted(h: GroupElement, image: &Array4<f64>) -> Samples {
    Samples::Images(h.apply(image.index_axis(Axis(0), 0)).insert_axis(Axis(0)))
}

/// The position h·(r, t) = (h·r, h·t), t measured from the centre.
fn act(h: GroupElement, p: usize, group: Group, [height, width]: [usize; 2]) -> usize {
    let elements = group.elements();
    let (slot, y, x) = (p / (height * width), p % (height * width) / width, p % width);
    let image = h.compose(elements[slot]);
    let slot = elements.iter().position(|e| *e == image).expect("the group is closed");
    let doubled = |i: usize, n: usize| 2 * i as isize - (n as isize - 1);
    let pixel = |p: isize, n: usize| ((p + n as isize - 1) / 2) as usize;
    let [y, x] = h.act([doubled(y, height), doubled(x, width)]);
    slot * height * width + pixel(y, height) * width + pixel(x, width)
}

/// Largest difference between `acted` at (p, p') and `field` at the positions given by `moved`.
fn difference(
    acted: &Array2<f64>,
    field: &Array2<f64>,
    moved: impl Fn(usize, usize) -> (usize, usize),
) -> f64 {
    let largest = field.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
    assert!(largest > 0.0);
    let error = |((p, pp), value): ((usize, usize), &f64)| (value - field[moved(p, pp)]).abs() / largest;
    acted.indexed_iter().map(error).fold(0.0, f64::max)
}

fn pair(network: &Network, f: &Samples, fp: &Samples) -> Vec<Field> {
    cross_fields(network, (f, 0), (fp, 0)).expect("computed")
}

fn cases() -> Vec<(Group, [usize; 2], Network)> {
    let mut cases = Vec::new();
    for group in Group::ALL {
        for padding in Padding::ALL {
            let extent = match (group.swaps_axes(), padding) {
                (true, Padding::Valid) => [5, 5],
                (true, _) => [4, 4],
                (false, Padding::Valid) => [5, 6],
                (false, _) => [3, 4],
            };
            cases.push((group, extent, network(group, padding, extent, "")));
        }
        let pool = "[[layers]]\nop = 'avg_pool'\nwindow = [2, 2]\n";
        cases.push((group, [4, 4], network(group, Padding::Same, [4, 4], pool)));
    }
    cases
}

#[test]
fn kernels_move_with_the_images() {
    let mut worst = 0.0_f64;
    for (group, extent, network) in cases() {
        let [f, fp] = [image(1, extent), image(2, extent)];
        let still = pair(&network, &acted(GroupElement::IDENTITY, &f), &acted(GroupElement::IDENTITY, &fp));
        let elements = group.elements();
        for (i, &h) in elements.iter().enumerate() {
            let hp = elements[(3 * i + 1) % elements.len()];
            let moved = pair(&network, &acted(h, &f), &acted(hp, &fp));
            for (before, after) in still.iter().zip(&moved).skip(1) {
                let Domain::GroupGrid { height, width, .. } = before.domain else { continue };
                let back = |h: GroupElement, p| act(h.inverse(), p, group, [height, width]);
                for (after, before) in [(&after.nngp, &before.nngp), (&after.ntk, &before.ntk)] {
                    worst = worst.max(difference(after, before, |p, pp| (back(h, p), back(hp, pp))));
                }
            }
            // After the pooling nothing moves.
            let [before, after] = [still.last(), moved.last()].map(|field| field.expect("an output"));
            worst = worst.max(difference(&after.nngp, &before.nngp, |p, pp| (p, pp)));
            worst = worst.max(difference(&after.ntk, &before.ntk, |p, pp| (p, pp)));
        }
    }
    eprintln!("equivariance {worst:.1e}");
    assert!(worst < EXACT, "{worst:.1e}");
}

/// The check above tells h⁻¹g from hg and from gh⁻¹, and K_{g,g'} from K_{g',g}.
#[test]
fn wrong_actions_are_noticed() {
    for group in [Group::C4, Group::D4] {
        let extent = [4, 4];
        let network = network(group, Padding::Same, extent, "");
        let [f, fp] = [image(1, extent), image(2, extent)];
        let elements = group.elements();
        let (h, hp) = (elements[1], elements[elements.len() - 1]);
        let still = pair(&network, &acted(GroupElement::IDENTITY, &f), &acted(GroupElement::IDENTITY, &fp));
        let moved = pair(&network, &acted(h, &f), &acted(hp, &fp));
        // (h, r, t) ↦ (r·h⁻¹, h⁻¹·t): the slots moved from the wrong side.
        let right = |h: GroupElement, p: usize| {
            let slot = elements[p / 16].compose(h.inverse());
            let slot = elements.iter().position(|e| *e == slot).expect("the group is closed");
            16 * slot + act(h.inverse(), p % 16, group, extent) % 16
        };
        for (before, after) in still[1..5].iter().zip(&moved[1..5]) {
            let left = |h: GroupElement, p| act(h, p, group, extent);
            let wrong = [
                difference(&after.nngp, &before.nngp, |p, pp| (left(h, p), left(hp, pp))),
                difference(&after.nngp, &before.nngp, |p, pp| (right(h, p), left(hp.inverse(), pp))),
                difference(&after.nngp.t().to_owned(), &before.nngp, |p, pp| {
                    (left(h.inverse(), p), left(hp.inverse(), pp))
                }),
            ];
            // C4 is commutative: there both sides are one.
            let noticed = |i: usize| wrong[i] > 1e-3;
            assert!(noticed(0) && noticed(2) && noticed(1) == (group == Group::D4), "{group}: {wrong:?}");
        }
    }
}

/// Theorem 7: up to the pooling a group network is the mean of a plain one over the orbit of the second image.
#[test]
fn a_group_network_is_an_orbit_of_a_plain_one() {
    let mut worst = 0.0_f64;
    for (group, extent, network) in cases() {
        let [f, fp] = [image(3, extent), image(4, extent)];
        let whole =
            kernels(&network, &acted(GroupElement::IDENTITY, &f), &acted(GroupElement::IDENTITY, &fp));
        let plain = plain(&network);
        let mut mean = [0.0; 2];
        for delta in group.elements() {
            let part = kernels(&plain, &acted(GroupElement::IDENTITY, &f), &acted(delta.inverse(), &fp));
            for (mean, part) in mean.iter_mut().zip(part) {
                *mean += part / group.order() as f64;
            }
        }
        for (mean, whole) in mean.iter().zip(whole) {
            worst = worst.max((mean - whole).abs() / whole.abs());
        }
    }
    eprintln!("orbit {worst:.1e}");
    assert!(worst < EXACT, "{worst:.1e}");
}

fn kernels(network: &Network, f: &Samples, fp: &Samples) -> [f64; 2] {
    let backend = ReferenceBackend::new(network, KernelSet::Both);
    let session = backend.prepare(Pairs::cross(f.clone(), fp.clone()), &Control::new()).expect("prepared");
    let Kernels { nngp, ntk } = session.tile(0..1, 0..1, &Control::new()).expect("computed");
    [nngp[[0, 0]], ntk.expect("asked for")[[0, 0]]]
}
