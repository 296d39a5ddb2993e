//! Sampled networks of finite width approach the kernels: the mean over draws tends to them, the scatter falls like
//! 1/√width.

mod finite;

use ekernel_core::{Activation, Backend, Control, Group, KernelSet, Network, Pairs, Samples};
use ekernel_reference::ReferenceBackend;
use finite::{Hidden, Normals, Shape};
use ndarray::{Array2, Array4, Axis};

/// Mean and mean square of an estimate minus the kernel, relative to the kernel of the first sample with itself.
#[derive(Clone, Copy, Default)]
struct Scatter {
    mean: f64,
    square: f64,
}

/// Of K and Θ, of the first sample with itself and with the second.
fn scatter(
    shape: &Shape,
    pair: [&Array2<f64>; 2],
    kernels: [[f64; 2]; 2],
    width: usize,
    draws: usize,
) -> [[Scatter; 2]; 2] {
    let mut normals = Normals(width as u64);
    let mut scatter = [[Scatter::default(); 2]; 2];
    for _ in 0..draws {
        let found = finite::kernels(shape, pair, width, &mut normals);
        for (j, which) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let error = (found[j][which] - kernels[j][which]) / kernels[0][which];
            scatter[j][which].mean += error / draws as f64;
            scatter[j][which].square += error * error / draws as f64;
        }
    }
    scatter
}

/// Draws networks of the widths and compares with the reference.
///
/// With n draws the mean's standard error is √(square/n): 4 of them are allowed, and a bias of 1/width. The mean squares of
/// two widths are as 1 to the ratio of the widths, within a factor 1.6: with 200 draws they scatter by 15 %. The draws are
/// seeded; measured: means within 2.3 standard errors, factors from 0.69 to 1.33.
fn check(name: &str, network: &str, shape: &Shape, widths: [usize; 2], draws: usize) {
    let network: Network = network.parse().unwrap_or_else(|e| panic!("{name}: {e}"));
    let shape_of_input = network.input().shape();
    let entries: Vec<f64> = Normals(17).take(2 * shape_of_input.iter().product::<usize>());
    let (samples, positions) = match shape_of_input[..] {
        [features] => {
            let x = Array2::from_shape_vec((2, features), entries).expect("as many entries");
            (Samples::Vectors(x.clone()), x.insert_axis(Axis(1)))
        }
        _ => {
            let [h, w, c] = [0, 1, 2].map(|axis| shape_of_input[axis]);
            let x = Array4::from_shape_vec((2, h, w, c), entries).expect("as many entries");
            let flat = x.to_shape((2, h * w, c)).expect("contiguous").to_owned();
            (Samples::Images(x), flat)
        }
    };
    let backend = ReferenceBackend::new(&network, KernelSet::Both);
    let session = backend.prepare(Pairs::within(samples.clone()), &Control::new()).expect("prepared");
    let kernels = session.tile(0..1, 0..2, &Control::new()).expect("computed");
    let ntk = kernels.ntk.expect("asked for");
    let [first, second] = [0, 1].map(|i| positions.index_axis(Axis(0), i).to_owned());
    let expected = [0, 1].map(|j| [kernels.nngp[[0, j]], ntk[[0, j]]]);
    let found = widths.map(|width| scatter(shape, [&first, &second], expected, width, draws));
    for (j, which) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let label = format!("{name} {} (0, {j})", ["NNGP", "NTK"][which]);
        for (width, found) in widths.into_iter().zip(&found) {
            let Scatter { mean, square } = found[j][which];
            let error = (square / draws as f64).sqrt();
            let spread = (square * width as f64).sqrt();
            eprintln!("{label} width {width}: mean {mean:+.4} ± {error:.4}, scatter·√width {spread:.2}");
            assert!(mean.abs() < 4.0 * error + 1.0 / width as f64, "{label} {width}: {mean} ± {error}");
        }
        let [narrow, wide] = [0, 1].map(|i| found[i][j][which].square * widths[i] as f64);
        assert!((1.0 / 1.6..1.6).contains(&(narrow / wide)), "{label}: {:.2}", narrow / wide);
    }
}

fn hidden(taps: Vec<Vec<Option<usize>>>, activation: Activation) -> Hidden {
    Hidden { taps, w_std: 1.3, b_std: 0.4, activation }
}

const ERF: Activation = Activation::Erf { a: 1.0, b: 1.0, c: 0.0 };

/// 3×3 taps with zeros beyond the border, turned by each element of the group; on the image itself for a lift, else on
/// every slot of a group grid.
fn group_taps(group: Group, [height, width]: [usize; 2], lift: bool) -> Vec<Vec<Option<usize>>> {
    let elements = group.elements();
    let mut all = Vec::new();
    for r in &elements {
        for t in 0..height * width {
            let mut taps = Vec::new();
            for s in elements.iter().take(if lift { 1 } else { elements.len() }) {
                let slot = elements.iter().position(|e| *e == r.compose(*s)).expect("closed");
                for (dy, dx) in (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dy, dx))) {
                    let [dy, dx] = r.act([dy, dx]);
                    let (y, x) = ((t / width) as isize + dy, (t % width) as isize + dx);
                    let inside = (0..height as isize).contains(&y) && (0..width as isize).contains(&x);
                    let pixel = y * width as isize + x;
                    let slot = if lift { 0 } else { slot };
                    taps.push(inside.then_some(slot * height * width + pixel.max(0) as usize));
                }
            }
            all.push(taps);
        }
    }
    all
}

#[test]
fn dense_networks() {
    for (word, activation) in [("relu", Activation::Relu), ("erf", ERF)] {
        let layer =
            format!("[[layers]]\nop = 'dense'\nw_std = 1.3\nb_std = 0.4\n[[layers]]\nop = '{word}'\n");
        let network = format!(
            "[input]\nspace = 'vector'\nshape = [3]\n{layer}{layer}[[layers]]\nop = 'dense'\nw_std = 1.2\n"
        );
        let taps = || vec![vec![Some(0)]];
        let shape =
            Shape { hidden: vec![hidden(taps(), activation), hidden(taps(), activation)], w_std: 1.2 };
        check(word, &network, &shape, [32, 128], 400);
    }
}

#[test]
fn convolutional_networks() {
    for (word, activation) in [("relu", Activation::Relu), ("erf", ERF)] {
        let layer = format!(
            "[[layers]]\nop = 'conv'\nfilter = [3, 3]\npadding = 'same'\nw_std = 1.3\nb_std = 0.4\n[[layers]]\nop = '{word}'\n"
        );
        let network = format!(
            "[input]\nspace = 'image'\nshape = [3, 4, 2]\n{layer}{layer}[[layers]]\nop = 'global_avg_pool'\n[[layers]]\nop = 'dense'\nw_std = 1.2\n"
        );
        let taps = || group_taps(Group::C1, [3, 4], true);
        let shape =
            Shape { hidden: vec![hidden(taps(), activation), hidden(taps(), activation)], w_std: 1.2 };
        check(word, &network, &shape, [16, 64], 200);
    }
}

#[test]
fn equivariant_networks() {
    for (word, activation) in [("relu", Activation::Relu), ("erf", ERF)] {
        let keys = "filter = [3, 3]\npadding = 'same'\nw_std = 1.3\nb_std = 0.4";
        let network = format!(
            "[input]\nspace = 'image'\nshape = [3, 3, 2]\n\
             [[layers]]\nop = 'lift'\ngroup = 'C4'\n{keys}\n[[layers]]\nop = '{word}'\n\
             [[layers]]\nop = 'group_conv'\n{keys}\n[[layers]]\nop = '{word}'\n\
             [[layers]]\nop = 'group_pool'\n[[layers]]\nop = 'dense'\nw_std = 1.2\n"
        );
        let lift = hidden(group_taps(Group::C4, [3, 3], true), activation);
        let conv = hidden(group_taps(Group::C4, [3, 3], false), activation);
        check(word, &network, &Shape { hidden: vec![lift, conv], w_std: 1.2 }, [6, 24], 200);
    }
}
