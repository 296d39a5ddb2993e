//! Sampled kernels of growing width against the exact ones: mean relative error over all entries, and the slope of its fall.
//!
//! ```sh
//! cargo run --release -p ekernel-finite --example converge -- examples/architectures/converge_c4_relu.toml 1,2,3,7,12 200
//! ```

use std::{error::Error, time::Instant};

use ekernel_core::{Backend, Control, Input, KernelSet, Molecule, Network, Pairs, Samples};
use ekernel_cpu::{CpuBackend, CpuOptions, Precision};
use ekernel_finite::{Options, Widths, sample};
use ndarray::{Array2, Array4, array};

/// Samples of the network's kind: noise, or two small molecules.
fn samples(input: &Input) -> Samples {
    let mut state = 17_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        2.0 * (state >> 11) as f64 / (1_u64 << 53) as f64 - 1.0
    };
    let mut grid =
        |shape: &[usize]| Array4::from_shape_simple_fn((3, shape[0], shape[1], shape[2]), &mut noise);
    match input {
        Input::Vector { features } => Samples::Vectors(Array2::from_shape_simple_fn((3, *features), noise)),
        Input::Image { .. } => Samples::Images(grid(&input.shape())),
        Input::Sphere { .. } => Samples::Spheres(grid(&input.shape())),
        Input::Molecule { .. } => {
            let positions = array![[0.0, 0.0, 0.0], [1.1, 0.1, 0.0], [-0.3, 1.0, 0.2], [0.2, -0.4, 1.2]];
            let molecule = |charges: &[u8]| Molecule {
                charges: charges.to_vec(),
                positions: positions.slice(ndarray::s![..charges.len(), ..]).to_owned(),
            };
            Samples::Molecules(vec![molecule(&[6, 1, 1, 6]), molecule(&[6, 1, 1])])
        }
    }
}

/// Means over entries of |K̂ − K|/|K| and of the standard error over |K|.
fn distance(exact: &Array2<f64>, [mean, error]: &[Array2<f64>; 2]) -> [f64; 2] {
    let sums = exact.indexed_iter().fold([0.0, 0.0], |[distance, chance], (at, k)| {
        [distance + (mean[at] - k).abs() / k.abs(), chance + error[at] / k.abs()]
    });
    sums.map(|sum| sum / exact.len() as f64)
}

/// The slope of ln error against ln width, by least squares.
fn slope(points: &[(usize, f64)]) -> f64 {
    let logs: Vec<[f64; 2]> = points.iter().map(|(w, e)| [(*w as f64).ln(), e.ln()]).collect();
    let [x, y] = [0, 1].map(|axis| logs.iter().map(|log| log[axis]).sum::<f64>() / logs.len() as f64);
    let products: f64 = logs.iter().map(|log| (log[0] - x) * (log[1] - y)).sum();
    products / logs.iter().map(|log| (log[0] - x).powi(2)).sum::<f64>()
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [file, widths, networks] = &words[..] else {
        return Err("give an architecture file, widths such as 1,2,4 and a number of networks".into());
    };
    let network: Network = std::fs::read_to_string(file)?.parse()?;
    let widths = widths.split(',').map(str::parse).collect::<Result<Vec<usize>, _>>()?;
    let pairs = Pairs::within(samples(network.input()));
    let (n, control) = (pairs.first().len(), Control::new());
    let options = CpuOptions { precision: Precision::F64, ..CpuOptions::default() };
    let backend = CpuBackend::new(&network, KernelSet::Both, options)?;
    let exact = backend.prepare(pairs.clone(), &control)?.tile(0..n, 0..n, &control)?;
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    println!("width  NNGP  by chance  NTK  by chance  seconds");
    let mut errors = [Vec::new(), Vec::new()];
    for width in widths {
        let started = Instant::now();
        let network = network.with_width(width)?;
        // A hundred outputs cost the NNGP little, and the NTK a pass back for each.
        let sampled = |outputs, kinds| {
            let widths = Widths { hidden: Some(width), outputs: Some(outputs) };
            let options = Options { threads, ..Options::new(widths, networks.parse::<usize>()?) };
            Ok::<_, Box<dyn Error>>(sample(&network, &pairs, kinds, &options, &control)?)
        };
        let [many, one] = [sampled(100, KernelSet::Nngp)?, sampled(1, KernelSet::Both)?];
        let both = [(Some(&exact.nngp), Some(&many.nngp)), (exact.ntk.as_ref(), one.ntk.as_ref())];
        let mut line = format!("{width:5}");
        for ((exact, found), errors) in both.into_iter().zip(&mut errors) {
            let [error, chance] = distance(exact.ok_or("no kernel")?, found.ok_or("no kernel")?);
            errors.push((width, error));
            line += &format!("  {error:.4}  {chance:.4}");
        }
        println!("{line}  {:.1}", started.elapsed().as_secs_f64());
    }
    println!("slopes: NNGP {:.2}, NTK {:.2}", slope(&errors[0]), slope(&errors[1]));
    Ok(())
}
