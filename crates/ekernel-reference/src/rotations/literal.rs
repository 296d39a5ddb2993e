//! Kernels with both their arguments, K(R, R'), each layer by the integral that defines it.
//!
//! Nothing here knows that K depends on R R'⁻¹ alone, that so3_conv changes nothing, or that a kernel has coefficients. A
//! value asks for those it is an integral of, so the time grows by the number of points with every so3_conv.

use std::f64::consts::PI;

use ekernel_core::{BackendError, Domain, Layer, Network, Samples, Source};
use ekernel_harmonic::{Euler, RotationGrid, SphereGrid, sphere_len, spherical_harmonics};
use ekernel_signals::{Coefficients as Signal, Signals};

use super::{
    field::Field,
    pass::rotations,
    signals::{failed, value},
};

/// K(R, R') and Θ(R, R') of two signals on the sphere after node `node`, which is one on rotations: of sample i of the first set
/// and j of the second, as two different samples also where they are equal.
///
/// so3_conv is a mean over S ∈ SO(3) by a Gauss-Legendre rule of `nodes` nodes; with a bandlimit L it is
/// (1/8π²) ∬ K(RS, R'S') P_L(S, S') dS dS', P_L(S, S') = Σ_{l<L} (2l+1)/8π² χ_l(S⁻¹S') the projection on the degrees l < L.
///
/// # Errors
/// Those of checking the samples; [`BackendError::Device`] if the node is not on rotations or depends on dropout, which
/// distinguishes one rotation from its neighbours.
pub fn rotation_kernel(
    network: &Network,
    (first, i): (&Samples, usize),
    (second, j): (&Samples, usize),
    node: usize,
    [r, rp]: [Euler; 2],
    nodes: usize,
) -> Result<[f64; 2], BackendError> {
    for (set, samples) in [("the first samples", first), ("the second samples", second)] {
        samples.validate().map_err(|source| BackendError::Samples { set, source })?;
        network.input().check(samples)?;
    }
    let signals = Signals::new(network.input()).map_err(failed)?;
    let signal = |samples, i| signals.one(samples, i, 0).map_err(failed);
    let literal = Literal::new(network, nodes)?;
    literal.at(node, [&signal(first, i)?, &signal(second, j)?], [r, rp])
}

struct Literal<'a> {
    network: &'a Network,
    /// Directions y with their shares of the sphere.
    sphere: Vec<([f64; 3], f64)>,
    /// Rotations S with their shares of the group.
    group: Vec<(Euler, f64)>,
}

impl Literal<'_> {
    fn new(network: &Network, nodes: usize) -> Result<Literal<'_>, BackendError> {
        let Domain::Sphere { bandlimit } = network.input().domain() else {
            return Err(unsupported("the input is not a sphere"));
        };
        // Exact for products of two signals.
        let grid = SphereGrid::gauss_legendre(bandlimit).map_err(failed)?;
        let [rings, points] = grid.shape();
        let mut sphere = Vec::new();
        for t in 0..rings {
            let (sin, cos) = grid.polar().angles()[t].sin_cos();
            for p in 0..points {
                let (s, c) = grid.phi(p).sin_cos();
                sphere.push(([sin * c, sin * s, cos], grid.area(t) / (4.0 * PI)));
            }
        }
        let grid = RotationGrid::gauss_legendre(nodes).map_err(failed)?;
        let [rings, circle, _] = grid.shape();
        let mut group = Vec::new();
        for b in 0..rings {
            let share = grid.volume(b) / (8.0 * PI * PI);
            for p in 0..circle {
                for r in 0..circle {
                    let euler = Euler::new(grid.alpha(p), grid.polar().angles()[b], grid.gamma(r));
                    group.push((euler, share));
                }
            }
        }
        Ok(Literal { network, sphere, group })
    }

    fn at(&self, node: usize, f: [&Signal; 2], at: [Euler; 2]) -> Result<[f64; 2], BackendError> {
        let Some(layer) = self.network.nodes().get(node) else {
            return Err(unsupported("there is no such node"));
        };
        let Some(bandlimit) = rotations(layer.domain) else {
            return Err(unsupported("the node is not on rotations"));
        };
        let read = |source: Source, f: [&Signal; 2], at: [Euler; 2]| match source {
            Source::Node(below) => self.at(below, f, at),
            Source::Input => Err(unsupported("rotations do not read the input but by s2_conv")),
        };
        let input = layer.inputs[0];
        let variances = || -> Result<[f64; 2], BackendError> {
            let [v, _] = read(input, [f[0]; 2], [at[0]; 2])?;
            let [vp, _] = read(input, [f[1]; 2], [at[1]; 2])?;
            Ok([v, vp])
        };
        let one = |[k, theta]: [f64; 2]| Field { nngp: vec![k], ntk: vec![theta] };
        let field = match &layer.layer {
            Layer::S2Conv(_) => Field::of(vec![self.lifted(bandlimit, f, at)?]).affine(layer),
            Layer::So3Conv(conv) => {
                let mut mean = [0.0; 2];
                match conv.bandlimit {
                    None => {
                        for (s, share) in &self.group {
                            let value = read(input, f, at.map(|r| r.after(s)))?;
                            mean = [mean[0] + share * value[0], mean[1] + share * value[1]];
                        }
                    }
                    Some(bandlimit) => {
                        for (s, share) in &self.group {
                            for (sp, share_p) in &self.group {
                                // P_L dS dS'/8π², with dS = 8π² times the share.
                                let weight = 8.0 * PI * PI * share * share_p * projection(bandlimit, s, sp);
                                let value = read(input, f, [at[0].after(s), at[1].after(sp)])?;
                                mean = [mean[0] + weight * value[0], mean[1] + weight * value[1]];
                            }
                        }
                    }
                }
                one(mean).affine(layer)
            }
            Layer::Activation(activation) => one(read(input, f, at)?).activation(activation, variances()?),
            Layer::LayerNorm(_) => one(read(input, f, at)?).layer_norm(variances()?),
            Layer::Sum => {
                let mut sum = Field::of(vec![0.0]);
                for source in &layer.inputs {
                    sum.add(&one(read(*source, f, at)?));
                }
                sum
            }
            Layer::Identity => one(read(input, f, at)?),
            _ => return Err(unsupported("the node depends on dropout")),
        };
        Ok([field.nngp[0], field.ntk[0]])
    }

    /// (1/4π) ∫ (1/C) Σ_c f_c(Ry) f'_c(R'y) dy, of the signals below the bandlimit.
    fn lifted(&self, bandlimit: usize, f: [&Signal; 2], at: [Euler; 2]) -> Result<f64, BackendError> {
        let mut sum = 0.0;
        let mut harmonics = vec![ekernel_harmonic::Complex64::default(); sphere_len(bandlimit)];
        for (y, share) in &self.sphere {
            let mut values = [vec![], vec![]];
            for (values, (f, r)) in values.iter_mut().zip(f.into_iter().zip(at)) {
                spherical_harmonics(bandlimit, r.apply(*y), &mut harmonics).map_err(failed)?;
                *values = value(bandlimit, f, &harmonics);
            }
            let product: f64 = values[0].iter().zip(&values[1]).map(|(a, b)| a * b).sum();
            sum += share * product / f[0].nrows() as f64;
        }
        Ok(sum)
    }
}

/// P_L(S, S') = Σ_{l<L} (2l+1)/8π² χ_l(S⁻¹S'), χ_l(ω) = 1 + 2 Σ_{m≤l} cos mω.
fn projection(bandlimit: usize, s: &Euler, sp: &Euler) -> f64 {
    let turn = s.inverse().after(sp).matrix();
    let cos = ((turn[0][0] + turn[1][1] + turn[2][2] - 1.0) / 2.0).clamp(-1.0, 1.0);
    let angle = cos.acos();
    let character = |l: usize| 1.0 + 2.0 * (1..=l).map(|m| (m as f64 * angle).cos()).sum::<f64>();
    (0..bandlimit).map(|l| (2 * l + 1) as f64 / (8.0 * PI * PI) * character(l)).sum()
}

fn unsupported(problem: &str) -> BackendError {
    BackendError::Device {
        device: "reference".to_owned(),
        problem: format!("kernels with both arguments: {problem}"),
        remedy: "ask for a node between s2_conv and so3_pool of a network on the sphere".to_owned(),
    }
}
