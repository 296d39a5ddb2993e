//! Finite networks in plain loops: convolutions given by which positions each output position reads, a mean over the
//! positions, one linear output; gradients by backpropagation.

use std::f64::consts::TAU;

use ekernel_core::Activation;
use ndarray::Array2;

/// z(p, o) = w/√(|S|·N) Σ_{s, i} W(s, i, o)·a(taps\[p\]\[s\], i) + b·β(o), then a(p, o) = σ(z(p, o)).
pub(crate) struct Hidden {
    pub(crate) taps: Vec<Vec<Option<usize>>>,
    pub(crate) w_std: f64,
    pub(crate) b_std: f64,
    pub(crate) activation: Activation,
}

/// Hidden layers of one width, the mean over positions, then w/√N·Σ_i v(i)·ā(i).
pub(crate) struct Shape {
    pub(crate) hidden: Vec<Hidden>,
    pub(crate) w_std: f64,
}

/// Normal numbers from splitmix64 and Box-Muller.
pub(crate) struct Normals(pub(crate) u64);

impl Normals {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn take(&mut self, n: usize) -> Vec<f64> {
        let mut out = Vec::with_capacity(n + 1);
        while out.len() < n {
            let (radius, angle) = ((-2.0 * (1.0 - self.uniform()).ln()).sqrt(), TAU * self.uniform());
            out.extend([radius * angle.cos(), radius * angle.sin()]);
        }
        out.truncate(n);
        out
    }
}

/// Weights of one draw: per hidden layer W (s, i, o) and β, at the end v.
struct Draw {
    weights: Vec<Vec<f64>>,
    biases: Vec<Vec<f64>>,
    output: Vec<f64>,
}

/// One sample's way through a draw.
struct Trace {
    pooled: Vec<f64>,
    /// The gradient of the output by every parameter.
    gradient: Vec<f64>,
}

/// K and Θ of one draw of width `width`, of x with itself and of x with x': K̂ = w²·mean over features of ā·ā', the covariance of the output given the
/// hidden weights, and Θ̂ = Σ over parameters of ∂f·∂f'.
pub(crate) fn kernels(
    shape: &Shape,
    [x, xp]: [&Array2<f64>; 2],
    width: usize,
    normals: &mut Normals,
) -> [[f64; 2]; 2] {
    let mut inputs = x.ncols();
    let mut draw = Draw { weights: Vec::new(), biases: Vec::new(), output: Vec::new() };
    for layer in &shape.hidden {
        draw.weights.push(normals.take(layer.taps[0].len() * inputs * width));
        draw.biases.push(normals.take(width));
        inputs = width;
    }
    draw.output = normals.take(width);
    let [a, b] = [x, xp].map(|x| trace(shape, &draw, x, width));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let w2 = shape.w_std * shape.w_std;
    [&a, &b].map(|b| [w2 * dot(&a.pooled, &b.pooled) / width as f64, dot(&a.gradient, &b.gradient)])
}

fn scale(layer: &Hidden, inputs: usize) -> f64 {
    layer.w_std / ((layer.taps[0].len() * inputs) as f64).sqrt()
}

fn trace(shape: &Shape, draw: &Draw, x: &Array2<f64>, width: usize) -> Trace {
    let mut activations = vec![x.clone()];
    let mut slopes = Vec::new();
    for (l, layer) in shape.hidden.iter().enumerate() {
        let before = &activations[l];
        let (inputs, scale) = (before.ncols(), scale(layer, before.ncols()));
        let mut z = Array2::<f64>::zeros((layer.taps.len(), width));
        for (mut z, taps) in z.rows_mut().into_iter().zip(&layer.taps) {
            let z = z.as_slice_mut().expect("rows are contiguous");
            for (z, beta) in z.iter_mut().zip(&draw.biases[l]) {
                *z = layer.b_std * beta;
            }
            for (s, tap) in taps.iter().enumerate() {
                let Some(tap) = *tap else { continue };
                for i in 0..inputs {
                    let a = scale * before[[tap, i]];
                    let row = &draw.weights[l][(s * inputs + i) * width..][..width];
                    z.iter_mut().zip(row).for_each(|(z, w)| *z += w * a);
                }
            }
        }
        slopes.push(z.mapv(|z| layer.activation.derivative(z)));
        activations.push(z.mapv(|z| layer.activation.value(z)));
    }
    let last = &activations[shape.hidden.len()];
    let positions = last.nrows() as f64;
    let pooled: Vec<f64> = last.columns().into_iter().map(|column| column.sum() / positions).collect();
    let out = shape.w_std / (width as f64).sqrt();
    let mut gradient: Vec<f64> = pooled.iter().map(|a| out * a).collect();
    let mut back = Array2::from_shape_fn(last.dim(), |(_, o)| out * draw.output[o] / positions);
    for (l, layer) in shape.hidden.iter().enumerate().rev() {
        back *= &slopes[l];
        let before = &activations[l];
        let (inputs, scale) = (before.ncols(), scale(layer, before.ncols()));
        let mut by_weights = vec![0.0; draw.weights[l].len()];
        let mut by_before = Array2::<f64>::zeros(before.dim());
        for (delta, taps) in back.rows().into_iter().zip(&layer.taps) {
            let delta = delta.to_slice().expect("rows are contiguous");
            for (s, tap) in taps.iter().enumerate() {
                let Some(tap) = *tap else { continue };
                for i in 0..inputs {
                    let (at, a) = ((s * inputs + i) * width, scale * before[[tap, i]]);
                    let mut sum = 0.0;
                    let pairs = by_weights[at..at + width].iter_mut().zip(&draw.weights[l][at..at + width]);
                    for ((gradient, w), delta) in pairs.zip(delta) {
                        *gradient += a * delta;
                        sum += w * delta;
                    }
                    by_before[[tap, i]] += scale * sum;
                }
            }
        }
        gradient.extend(by_weights);
        gradient.extend(back.columns().into_iter().map(|column| layer.b_std * column.sum()));
        back = by_before;
    }
    Trace { pooled, gradient }
}
