//! From a checked network to the steps of a finite one.

use ekernel_core::{
    AtomPairing, Domain, Input, Layer, Network, Node, NormAxes, Parameterization, PerAtom, PoolKind, Source,
};
use ekernel_harmonic::rotation_len;

use crate::{
    error::FiniteError,
    program::{Kind, Parameter, Part, Program, Step, Weights},
    rotations::Rotations,
    scalar::Scalar,
    taps::Taps,
    widths::{self, Widths},
};

/// Compiles a network for `places` atoms at most (read by networks of their own for each place).
pub(crate) fn compile<T: Scalar>(
    network: &Network,
    widths: Widths,
    places: usize,
) -> Result<Program<T>, FiniteError> {
    let input = network.input();
    let labels = match input {
        Input::Molecule { atoms: AtomPairing::Indexed, .. } => places,
        Input::Molecule { atoms: AtomPairing::Elements, potential, .. } => potential.centers.len(),
        _ => 1,
    };
    let mut compiler = Compiler {
        network,
        features: widths::features(network, widths)?,
        rotations: rotations(network)?,
        values: vec![Value { index: 0, fan: input.channels() as f64 }],
        program: Program {
            steps: Vec::new(),
            parameters: Vec::new(),
            input: [positions(input.domain(), None), input.channels()],
            labels,
            fan: 1.0,
            nodes: Vec::new(),
        },
    };
    for (i, node) in network.nodes().iter().enumerate() {
        let value = compiler.node(i, node)?;
        compiler.values.push(value);
    }
    let mut program = compiler.program;
    program.nodes = compiler.values[1..].iter().map(|value| value.index).collect();
    program.fan = compiler.values[network.nodes().len()].fan;
    Ok(program)
}

/// Degrees that a convolution on SO(3) without a bandlimit keeps: twice those of the domain, at least 4. What a kink makes
/// beyond them falls like 1/l⁴ per degree.
fn cut(bandlimit: Option<usize>, domain: usize) -> usize {
    bandlimit.unwrap_or((2 * domain).max(4))
}

/// The grid on SO(3), if the network has values there.
fn rotations(network: &Network) -> Result<Option<Rotations>, FiniteError> {
    let mut most = None;
    for node in network.nodes() {
        let (Domain::Rotations { bandlimit } | Domain::Atoms(PerAtom::Rotations { bandlimit })) = node.domain
        else {
            continue;
        };
        let degrees = match &node.layer {
            Layer::So3Conv(conv) => cut(conv.bandlimit, bandlimit),
            _ => bandlimit,
        };
        most = most.max(Some(degrees));
    }
    Ok(most.map(|degrees| Rotations::new((2 * degrees).max(8), degrees)).transpose()?)
}

fn positions(domain: Domain, rotations: Option<&Rotations>) -> usize {
    match (domain, rotations) {
        (Domain::Rotations { .. } | Domain::Atoms(PerAtom::Rotations { .. }), Some(grid)) => grid.points(),
        _ => domain.positions(),
    }
}

/// The output of a node.
#[derive(Clone, Copy)]
struct Value {
    /// Of the program.
    index: usize,
    /// What a sum over its features is divided by to be their mean.
    fan: f64,
}

struct Compiler<'a, T> {
    network: &'a Network,
    features: Vec<usize>,
    rotations: Option<Rotations>,
    /// Of the input and of each node.
    values: Vec<Value>,
    program: Program<T>,
}

impl<T: Scalar> Compiler<'_, T> {
    fn value(&self, source: Source) -> Value {
        match source {
            Source::Input => self.values[0],
            Source::Node(i) => self.values[i + 1],
        }
    }

    /// Appends a step; returns its value.
    fn push(
        &mut self,
        kind: Kind<T>,
        inputs: Vec<usize>,
        [positions, channels]: [usize; 2],
        per_atom: bool,
    ) -> usize {
        self.program.steps.push(Step { kind, inputs, positions, channels, per_atom });
        self.program.steps.len()
    }

    fn parameter(&mut self, size: usize, deviation: f64, per_atom: bool) -> usize {
        let labels = if per_atom { self.program.labels } else { 1 };
        self.program.parameters.push(Parameter { labels, size, deviation });
        self.program.parameters.len() - 1
    }

    fn node(&mut self, i: usize, node: &Node) -> Result<Value, FiniteError> {
        let from = self.network.domain(node.inputs[0]);
        let below = self.value(node.inputs[0]);
        let [read, channels] = self.program.shape(below.index);
        let positions = positions(node.domain, self.rotations.as_ref());
        let per_atom = node.domain.per_atom().is_some();
        let one = |kind| (kind, vec![below.index], [positions, channels]);
        let (kind, inputs, shape) = match &node.layer {
            Layer::Identity => return Ok(below),
            Layer::Dense(_) => return Ok(self.weighted(i, node, below, Taps::identity(1))),
            Layer::Conv(conv) => return Ok(self.weighted(i, node, below, Taps::conv(&conv.window, from))),
            Layer::Lift(lift) => {
                return Ok(self.weighted(i, node, below, Taps::lift(lift.group, &lift.window, from)));
            }
            Layer::GroupConv(conv) => {
                return Ok(self.weighted(i, node, below, Taps::group_conv(&conv.window, from)));
            }
            Layer::S2Conv(_) | Layer::So3Conv(_) => return Ok(self.spectral(i, node, below)),
            Layer::MaxPool(pool) => one(Kind::Max(Taps::pool(&pool.window, from))),
            Layer::Pool(pool) => {
                let scale = match pool.kind {
                    PoolKind::Mean => 1.0 / pool.window.area() as f64,
                    PoolKind::Sum => 1.0,
                };
                one(Kind::Gather { taps: Taps::pool(&pool.window, from), scale: T::of(scale) })
            }
            Layer::GlobalPool(pool) => {
                let scale = match pool.kind {
                    PoolKind::Mean => 1.0 / read as f64,
                    PoolKind::Sum => 1.0,
                };
                one(Kind::Gather { taps: Taps::all(read), scale: T::of(scale) })
            }
            Layer::GroupPool => one(Kind::Gather { taps: Taps::all(read), scale: T::of(1.0 / read as f64) }),
            Layer::So3Pool => one(Kind::Map(self.grid().mass.iter().map(|m| T::of(*m)).collect())),
            Layer::Flatten => {
                // Coefficients on the sphere come divided by √(4πC), so that their products are the mean of K⁰.
                let sphere = matches!(from, Domain::Sphere { .. } | Domain::Atoms(PerAtom::Sphere { .. }));
                let features = (read * channels) as f64;
                let scale = if sphere { features.sqrt() } else { 1.0 };
                let kind = Kind::Flatten { scale: T::of(scale) };
                let index = self.push(kind, vec![below.index], [1, read * channels], per_atom);
                let fan = if sphere { features } else { below.fan * read as f64 };
                return Ok(Value { index, fan });
            }
            Layer::LayerNorm(norm) => {
                let mass = (norm.over == NormAxes::All).then(|| match (&self.rotations, from) {
                    (Some(grid), Domain::Rotations { .. } | Domain::Atoms(PerAtom::Rotations { .. })) => {
                        grid.mass.iter().map(|m| T::of(*m)).collect()
                    }
                    _ => vec![T::of(1.0 / read as f64); read],
                });
                one(Kind::Normalize { mass })
            }
            Layer::Dropout(_)
                if matches!(from, Domain::Rotations { .. } | Domain::Atoms(PerAtom::Rotations { .. })) =>
            {
                return Err(FiniteError::NoForm {
                    place: node.place.clone(),
                    why: "masks that differ from rotation to rotation average out under every filter; put dropout behind so3_pool",
                });
            }
            Layer::Dropout(dropout) => one(Kind::Dropout { keep: dropout.keep_rate }),
            Layer::Activation(activation) => one(Kind::Activation(*activation)),
            Layer::Sum => {
                let inputs: Vec<usize> = node.inputs.iter().map(|source| self.value(*source).index).collect();
                for other in &inputs[1..] {
                    let second = self.program.shape(*other)[1];
                    if second != channels {
                        let (place, first) = (node.place.clone(), channels);
                        return Err(FiniteError::Branches { place, first, second });
                    }
                }
                (Kind::Sum, inputs, [positions, channels])
            }
            Layer::AtomSum => (Kind::AtomSum, vec![below.index], [1, self.program.labels * channels]),
        };
        let index = self.push(kind, inputs, shape, per_atom);
        Ok(Value { index, ..below })
    }

    fn grid(&self) -> &Rotations {
        self.rotations.as_ref().expect("a network with values on SO(3) has a grid")
    }

    /// dense, conv, lift and group_conv.
    fn weighted(&mut self, i: usize, node: &Node, below: Value, taps: Taps) -> Value {
        let weights = *node.layer.weights().expect("a weighted layer");
        let [_, inputs] = self.program.shape(below.index);
        let (outputs, positions) = (self.features[i], taps.positions());
        let fan_in = below.fan * taps.per as f64;
        let (deviation, gain) = match weights.parameterization {
            Parameterization::Ntk => (1.0, weights.w_std / fan_in.sqrt()),
            Parameterization::Standard => {
                (weights.w_std * (weights.width_scale / fan_in).sqrt(), weights.width_scale.sqrt().recip())
            }
        };
        let per_atom = node.domain.per_atom().is_some();
        let parameter = self.parameter(taps.per * inputs * outputs, deviation, per_atom);
        let part = Part { taps, multiplicity: 1, start: 0, offset: 0, gain: T::of(gain) };
        let kind = Kind::Weights(Weights { parameter, parts: vec![part] });
        let index = self.push(kind, vec![below.index], [positions, outputs], per_atom);
        self.bias(node, Value { index, fan: outputs as f64 })
    }

    fn bias(&mut self, node: &Node, value: Value) -> Value {
        let weights = *node.layer.weights().expect("a weighted layer");
        let Some(b_std) = weights.b_std else { return value };
        let (deviation, gain) = match weights.parameterization {
            Parameterization::Ntk => (1.0, b_std),
            Parameterization::Standard => (b_std, 1.0),
        };
        let per_atom = node.domain.per_atom().is_some();
        let shape = self.program.shape(value.index);
        let parameter = self.parameter(shape[1], deviation, per_atom);
        let index =
            self.push(Kind::Bias { parameter, gain: T::of(gain) }, vec![value.index], shape, per_atom);
        Value { index, ..value }
    }

    /// s2_conv and so3_conv: products of harmonic coefficients, degree by degree, then the values on the grid.
    ///
    /// With white filters of mean square 1 per harmonic, N(R) = w/√(4πC) Σ_c ∫ f_c(Ry) ψ_c(y) dy is w Σ_lm x_lm ψ_ln D^l_mn(R)
    /// of the coefficients x = f/√(4πC) that the input holds, and N(R) = w/√(8π²C) Σ_c ∫ h_c(RS) ψ_c(S) dS is
    /// w/√C Σ ĥ_mn ψ_kn D^l_mk(R), ĥ the coefficients that [`Rotations::analyse`] gives: the kernels of math.md, term by term.
    fn spectral(&mut self, i: usize, node: &Node, below: Value) -> Value {
        let weights = *node.layer.weights().expect("a weighted layer");
        let (Domain::Rotations { bandlimit } | Domain::Atoms(PerAtom::Rotations { bandlimit })) = node.domain
        else {
            unreachable!("convolutions on the sphere end on SO(3)")
        };
        let per_atom = node.domain.per_atom().is_some();
        let outputs = self.features[i];
        let [_, channels] = self.program.shape(below.index);
        let (degrees, lift, source, gain) = match &node.layer {
            Layer::So3Conv(conv) => {
                let degrees = cut(conv.bandlimit, bandlimit);
                let matrix = self.grid().analyse(degrees).into_iter().map(T::of).collect();
                let len = rotation_len(degrees);
                let source = self.push(Kind::Map(matrix), vec![below.index], [len, channels], per_atom);
                (degrees, false, source, weights.w_std / below.fan.sqrt())
            }
            _ => (bandlimit, true, below.index, weights.w_std),
        };
        let (mut parts, mut offset) = (Vec::new(), 0);
        for l in 0..degrees {
            let side = 2 * l + 1;
            let taps = match lift {
                true => Taps::rows(l * l, side, 1),
                false => Taps::rows(rotation_len(l), side, side),
            };
            let size = taps.per * channels * side * outputs;
            parts.push(Part { taps, multiplicity: side, start: rotation_len(l), offset, gain: T::of(gain) });
            offset += size;
        }
        let parameter = self.parameter(offset, 1.0, per_atom);
        let kind = Kind::Weights(Weights { parameter, parts });
        let products = self.push(kind, vec![source], [rotation_len(degrees), outputs], per_atom);
        let matrix = self.grid().evaluate(degrees).into_iter().map(T::of).collect();
        let points = self.grid().points();
        let index = self.push(Kind::Map(matrix), vec![products], [points, outputs], per_atom);
        self.bias(node, Value { index, fan: outputs as f64 })
    }
}
