//! The recursions as they are written, unfolded, in f64, plane by plane: K, Θ from the pair, v, v' from each image
//! with itself. Nothing is shared with the crate.
#![allow(dead_code, reason = "each test file uses a part")]

use std::f64::consts::PI;

use ekernel_core::Activation;
use ekernel_cpu::chain::{ConvLayer, Padding};

/// A map of f64 on rows × columns.
#[derive(Clone)]
pub(crate) struct Map {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) values: Vec<f64>,
}

impl Map {
    fn at(&self, row: isize, column: isize) -> f64 {
        if row < 0 || column < 0 || row >= self.rows as isize || column >= self.columns as isize {
            return 0.0;
        }
        self.values[row as usize * self.columns + column as usize]
    }
}

/// K(t, t + d) and Θ(t, t + d) for all t of the image; zero where t + d lies outside.
pub(crate) struct Plane {
    pub(crate) nngp: Map,
    pub(crate) ntk: Map,
}

pub(crate) struct Literal<'a> {
    pub(crate) shape: [usize; 3],
    pub(crate) padding: Padding,
    pub(crate) layers: &'a [ConvLayer],
}

impl Literal<'_> {
    fn second(&self, t: [isize; 2], d: [isize; 2], n: [usize; 2]) -> Option<[usize; 2]> {
        let mut second = [0; 2];
        for axis in 0..2 {
            let (at, n) = (t[axis] + d[axis], n[axis] as isize);
            let at = if self.padding == Padding::Circular { at.rem_euclid(n) } else { at };
            if at < 0 || at >= n {
                return None;
            }
            second[axis] = at as usize;
        }
        Some(second)
    }

    fn input(&self, x: &[f64], y: &[f64], d: [isize; 2]) -> Map {
        let [rows, columns, channels] = self.shape;
        let mut values = vec![0.0; rows * columns];
        for row in 0..rows {
            for column in 0..columns {
                if let Some([r, c]) = self.second([row as isize, column as isize], d, [rows, columns]) {
                    let a = &x[(row * columns + column) * channels..][..channels];
                    let b = &y[(r * columns + c) * channels..][..channels];
                    values[row * columns + column] =
                        a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / channels as f64;
                }
            }
        }
        Map { rows, columns, values }
    }

    /// A K of one layer.
    fn mean(&self, k: &Map, window: [usize; 2]) -> Map {
        let (rows, columns, before) = match self.padding {
            Padding::Valid => (k.rows + 1 - window[0], k.columns + 1 - window[1], [0, 0]),
            _ => (k.rows, k.columns, [(window[0] - 1) / 2, (window[1] - 1) / 2]),
        };
        let mut values = vec![];
        for row in 0..rows {
            for column in 0..columns {
                let mut sum = 0.0;
                for y in 0..window[0] {
                    for x in 0..window[1] {
                        let mut r = (row + y) as isize - before[0] as isize;
                        let mut c = (column + x) as isize - before[1] as isize;
                        if self.padding == Padding::Circular {
                            r = r.rem_euclid(k.rows as isize);
                            c = c.rem_euclid(k.columns as isize);
                        }
                        sum += k.at(r, c);
                    }
                }
                values.push(sum / (window[0] * window[1]) as f64);
            }
        }
        Map { rows, columns, values }
    }

    /// v behind each convolution.
    fn variances(&self, x: &[f64]) -> Vec<Map> {
        let mut v = self.input(x, x, [0, 0]);
        let mut all = vec![];
        for layer in self.layers {
            v = self.mean(&v, layer.window);
            v.values.iter_mut().for_each(|v| *v = layer.w_std.powi(2) * *v + layer.b_std.powi(2));
            all.push(v.clone());
            v.values.iter_mut().for_each(|v| *v = layer.activation.variance(*v));
        }
        all
    }

    pub(crate) fn plane(&self, x: &[f64], y: &[f64], d: [isize; 2]) -> Plane {
        let (vx, vy) = (self.variances(x), self.variances(y));
        let mut k = self.input(x, y, d);
        let mut theta = Map { values: vec![0.0; k.values.len()], ..k.clone() };
        for (index, layer) in self.layers.iter().enumerate() {
            let (w2, b2) = (layer.w_std.powi(2), layer.b_std.powi(2));
            k = self.mean(&k, layer.window);
            theta = self.mean(&theta, layer.window);
            for row in 0..k.rows {
                for column in 0..k.columns {
                    let at = row * k.columns + column;
                    let t = [row as isize, column as isize];
                    let Some([r, c]) = self.second(t, d, [k.rows, k.columns]) else {
                        (k.values[at], theta.values[at]) = (0.0, 0.0);
                        continue;
                    };
                    let cov = w2 * k.values[at] + b2;
                    let ntk = cov + w2 * theta.values[at];
                    let v = [vx[index].values[at], vy[index].values[r * k.columns + c]];
                    let [next, slope] = dual(layer.activation, v, cov);
                    k.values[at] = next;
                    theta.values[at] = slope * ntk;
                }
            }
        }
        Plane { nngp: k, ntk: theta }
    }

    /// Σ over positions and offsets.
    pub(crate) fn sums(&self, x: &[f64], y: &[f64], offsets: impl Iterator<Item = [isize; 2]>) -> (f64, f64) {
        let mut sums = (0.0, 0.0);
        for d in offsets {
            let plane = self.plane(x, y, d);
            sums.0 += plane.nngp.values.iter().sum::<f64>();
            sums.1 += plane.ntk.values.iter().sum::<f64>();
        }
        sums
    }
}

/// K_σ and K̇. Those of a kink are written out here.
fn dual(activation: Activation, [v, vp]: [f64; 2], k: f64) -> [f64; 2] {
    let [a, b] = match activation {
        Activation::Relu => [0.0, 1.0],
        Activation::LeakyRelu { alpha } => [alpha, 1.0],
        Activation::Abs => [-1.0, 1.0],
        smooth => {
            let dual = smooth.dual(v, vp, k);
            return [dual.cov, dual.dot];
        }
    };
    let p = v * vp;
    let s = (p - k * k).max(0.0).sqrt();
    let angle = if p == 0.0 { PI / 2.0 } else { s.atan2(k) };
    let jump = (a - b).powi(2) / (2.0 * PI);
    let kdot = 0.5 * (a * a + b * b) - jump * angle;
    [jump * s + kdot * k, kdot]
}

/// The piecewise linear activations.
pub(crate) const KINKED: [Activation; 5] = [
    Activation::Relu,
    Activation::LeakyRelu { alpha: 0.2 },
    Activation::LeakyRelu { alpha: -0.5 },
    Activation::LeakyRelu { alpha: 1.5 },
    Activation::Abs,
];

/// The smooth ones.
pub(crate) const SMOOTH: [Activation; 8] = [
    Activation::Erf { a: 1.2, b: 0.8, c: 0.0 },
    Activation::Erf { a: 0.9, b: 1.5, c: 0.3 },
    Activation::Gelu,
    Activation::Sin { a: 1.1, b: 0.7, c: 0.4 },
    Activation::Cos { a: 0.9, b: 0.8, c: -0.2 },
    Activation::Rbf { gamma: 0.3 },
    Activation::Exp { a: 0.6, b: 0.4 },
    Activation::Gaussian { a: 1.3, b: -0.4 },
];

/// Uniform numbers in [0, 1), by a linear congruential generator.
pub(crate) fn noise(seed: u64, len: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def1;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64 / (1u64 << 24) as f64
        })
        .collect()
}
