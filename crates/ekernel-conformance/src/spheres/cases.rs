//! Networks on the sphere, signals and molecules.

use ekernel_core::{Input, Molecule, Network, Samples};
use ndarray::{Array2, Array4, array};

/// Networks that read their kernels in different ways.
pub const NETWORKS: [(&str, usize, &str); 8] = [
    ("two relus", 6, "s2_conv w_std=1.4|relu|so3_conv w_std=1.4|relu|so3_pool|dense"),
    (
        "biases",
        4,
        "s2_conv w_std=1.2 b_std=0.3|relu|so3_conv w_std=1.2 b_std=0.5|relu|so3_pool|dense b_std=0.1",
    ),
    ("erf", 4, "s2_conv|erf|so3_conv|erf|so3_pool|dense"),
    (
        "five layers",
        3,
        "s2_conv|leaky_relu|so3_conv|abs|so3_conv|layer_norm|erf|so3_conv|gelu|so3_conv|relu|so3_pool",
    ),
    ("truncated", 6, "s2_conv bandlimit=4|relu|so3_conv bandlimit=2 w_std=1.2 b_std=0.1|relu|so3_pool|dense"),
    ("truncated twice", 4, "s2_conv|relu|so3_conv bandlimit=3|erf|so3_conv bandlimit=2|relu|so3_pool"),
    ("no series", 3, "s2_conv|sign|so3_conv|relu|so3_pool"),
    ("relu in the head", 4, "s2_conv|relu|so3_pool|dense w_std=1.4|relu|dense"),
];

/// A network of these layers, `op key=value|op`, on signals or, of any other input, on molecules.
///
/// # Panics
/// If it is none.
pub fn network(input: &Input, layers: &str) -> Network {
    let mut text = match input {
        Input::Sphere { bandlimit, channels } => {
            format!("[input]\nspace = 'sphere'\nbandlimit = {bandlimit}\nchannels = {channels}\n")
        }
        _ => {
            "[input]\nspace = 'molecule'\nbandlimit = 4\nelements = [1, 6, 8]\natoms = 'shared'\n".to_owned()
        }
    };
    for layer in layers.split('|') {
        let mut words = layer.split(' ');
        let op = words.next().expect("a layer");
        text += &format!("[[layers]]\nop = '{op}'\n");
        words.for_each(|word| text += &format!("{}\n", word.replace('=', " = ")));
    }
    text.parse().unwrap_or_else(|e| panic!("{text}{e}"))
}

/// Signals that kernels of noise say nothing about, six of each kind.
pub fn awkward_signals(bandlimit: usize, channels: usize) -> Vec<(&'static str, Samples)> {
    let wave = |n: usize, t: usize, p: usize, c: usize| {
        let [n, t, p, c] = [n, t, p, c].map(|x| x as f64);
        ((1.0 + 0.3 * n) * t + 0.4 * c).sin() + ((0.7 + 0.2 * n) * p - n).cos()
    };
    let spot = |n: usize, t: usize, p: usize| if t == 1 && p == 0 { n as f64 } else { 0.0 };
    let signals = |value: &dyn Fn(usize, usize, usize, usize) -> f64| {
        let shape = (6, 2 * bandlimit, 2 * bandlimit - 1, channels);
        Samples::Spheres(Array4::from_shape_fn(shape, |(n, t, p, c)| value(n, t, p, c)))
    };
    vec![
        ("noise", signals(&wave)),
        ("repeated", signals(&|n, t, p, c| wave(n % 2, t, p, c))),
        ("nearly repeated", signals(&|n, t, p, c| wave(n % 2, t, p, c) + 1e-4 * spot(n, t, p))),
        ("collinear", signals(&|n, t, p, c| (n + 1) as f64 * wave(0, t, p, c))),
        ("opposite", signals(&|n, t, p, c| if n % 2 == 0 { 1.0 } else { -1.0 } * wave(n / 2, t, p, c))),
        ("constant", signals(&|n, _, _, c| 0.5 + 0.3 * (n * (c + 1)) as f64)),
        ("nearly constant", signals(&|n, t, p, c| 1.0 + 1e-3 * wave(n, t, p, c))),
        ("dark", signals(&|n, t, p, c| if n < 3 { 0.0 } else { wave(n, t, p, c) })),
        ("one point", signals(&|n, t, p, _| spot(n, t, p))),
    ]
}

/// A few molecules, two of them nearly one.
pub fn molecules() -> Samples {
    let water = array![[0.0, 0.0, 0.12], [0.0, 0.76, -0.47], [0.0, -0.76, -0.47]];
    let bent = array![[0.0, 0.0, 0.12], [0.0, 0.76, -0.47], [0.1, -0.76, -0.47001]];
    let ethyne = array![[0.0, 0.0, 0.6], [0.0, 0.0, -0.6], [0.0, 0.0, 1.66], [0.0, 0.0, -1.66]];
    let molecule = |charges: &[u8], positions: &Array2<f64>| Molecule {
        charges: charges.to_vec(),
        positions: positions.clone(),
    };
    Samples::Molecules(vec![
        molecule(&[8, 1, 1], &water),
        molecule(&[8, 1, 1], &bent),
        molecule(&[6, 6, 1, 1], &ethyne),
        molecule(&[8, 1, 1], &water),
    ])
}
