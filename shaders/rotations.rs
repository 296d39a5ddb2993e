//! Networks on SO(3): the dispatches before and after the points, and the module that evaluates points, which is made from a plan.

use std::{
    collections::BTreeSet,
    fmt::Write,
    hash::{DefaultHasher, Hash, Hasher},
};

use crate::dual::Dual;

/// One dispatch on coefficients or lines; its file is `rotations/` and its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rotation {
    /// Signals to the coefficients of their cross-correlation.
    Contract,
    /// Coefficients to orders on each ring.
    Orders,
    /// Orders to lines of constant α.
    Lines,
    /// Values at the points of a ring to lines.
    Fold,
    /// Lines to orders.
    Gather,
    /// Orders to coefficients.
    Degrees,
}

impl Rotation {
    /// Every dispatch.
    pub const ALL: [Rotation; 6] = [
        Rotation::Contract,
        Rotation::Orders,
        Rotation::Lines,
        Rotation::Fold,
        Rotation::Gather,
        Rotation::Degrees,
    ];

    /// Its name in traces and errors.
    pub fn label(self) -> &'static str {
        match self {
            Rotation::Contract => "ekernel.contract",
            Rotation::Orders => "ekernel.orders",
            Rotation::Lines => "ekernel.lines",
            Rotation::Fold => "ekernel.fold",
            Rotation::Gather => "ekernel.gather",
            Rotation::Degrees => "ekernel.degrees",
        }
    }

    /// The whole module, with the entry point `main`.
    pub fn source(self) -> String {
        let entry = match self {
            Rotation::Contract => include_str!("rotations/contract.wgsl"),
            Rotation::Orders => include_str!("rotations/orders.wgsl"),
            Rotation::Lines => include_str!("rotations/lines.wgsl"),
            Rotation::Fold => include_str!("rotations/fold.wgsl"),
            Rotation::Gather => include_str!("rotations/gather.wgsl"),
            Rotation::Degrees => include_str!("rotations/degrees.wgsl"),
        };
        [include_str!("rotations/grid.wgsl"), entry].concat()
    }
}

/// One op at a point.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PointStep {
    /// The cross-correlation of the signals.
    Lifted {
        /// Its number among the fields on lines.
        field: usize,
        /// L.
        bandlimit: usize,
        /// Where the means of cos θ and of 1 − cos θ lie in a lane's coefficients.
        means: [usize; 2],
    },
    /// The low degrees of an op's values.
    Truncated {
        /// The op.
        input: usize,
        /// The number of its defects among the fields on lines; its Θ is the next one.
        field: usize,
        /// L.
        bandlimit: usize,
        /// Where the mean of the defects lies in a lane's coefficients.
        mean: usize,
        /// Whether it has Θ.
        ntk: bool,
        /// Whether it was kept as [`RotationPoint::odd`].
        odd: bool,
    },
    /// Weights and biases.
    Affine {
        /// The op it reads.
        input: usize,
    },
    /// An activation.
    Dual {
        /// The op it reads.
        input: usize,
        /// Its family.
        dual: Dual,
    },
    /// Division by standard deviations.
    Normalize {
        /// The op it reads.
        input: usize,
    },
    /// Dropout: larger variances, the same K, as it is not at equal positions.
    Dropout {
        /// The op it reads.
        input: usize,
    },
    /// The sum of branches.
    Sum {
        /// The ops it reads.
        inputs: Vec<usize>,
    },
}

impl PointStep {
    fn inputs(&self) -> &[usize] {
        use std::slice::from_ref;
        match self {
            PointStep::Lifted { .. } => &[],
            PointStep::Truncated { input, .. }
            | PointStep::Affine { input }
            | PointStep::Dual { input, .. }
            | PointStep::Normalize { input }
            | PointStep::Dropout { input } => from_ref(input),
            PointStep::Sum { inputs } => inputs,
        }
    }
}

/// What happens to the last op's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PointSink {
    /// Adds them up over each ring.
    Mean,
    /// Keeps them for a truncation.
    Values,
}

/// The dispatch that evaluates ops at points.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RotationPoint {
    /// The ops in order, each with its number in the stage; the value is the last one's.
    pub steps: Vec<(usize, PointStep)>,
    /// What happens to that value.
    pub sink: PointSink,
    /// Where the mean of cos θ of a lift lies in a lane's coefficients. It identifies pairs that are far apart.
    pub nearness: usize,
    /// Whether the values of such pairs are kept as −K, which is smaller than the defect: K is an odd function of cos θ.
    pub odd: bool,
}

impl RotationPoint {
    /// Its name in traces and errors: the sink and a hash of the steps, which differs between modules.
    pub fn label(&self) -> String {
        let sink = match self.sink {
            PointSink::Mean => "mean",
            PointSink::Values => "values",
        };
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        format!("ekernel.{sink}.{:016x}", hasher.finish())
    }

    /// The whole module, with the entry point `main`.
    pub fn source(&self) -> String {
        let families: BTreeSet<&str> = self.families().map(Dual::name).collect();
        let duals = Dual::ALL.into_iter().filter(|dual| families.contains(dual.name()));
        let own = duals.map(|dual| dual.own().replace("fn dual(", &format!("fn dual_{}(", dual.name())));
        let entry = match self.sink {
            PointSink::Mean => include_str!("rotations/mean.wgsl"),
            PointSink::Values => include_str!("rotations/values.wgsl"),
        };
        let mut parts = vec![include_str!("rotations/grid.wgsl").to_owned(), Dual::shared()];
        parts.extend(own);
        parts.push(include_str!("rotations/point.wgsl").to_owned());
        parts.push(self.calls());
        parts.push(entry.to_owned());
        parts.concat()
    }

    /// Modules with every family and every step, for tests.
    pub(crate) fn samples() -> Vec<RotationPoint> {
        let lifted = |field| PointStep::Lifted { field, bandlimit: 6, means: [0, 286] };
        let with = |dual: Dual, sink| RotationPoint {
            steps: vec![
                (0, lifted(0)),
                (1, PointStep::Affine { input: 0 }),
                (2, PointStep::Dual { input: 1, dual }),
            ],
            sink,
            nearness: 0,
            odd: true,
        };
        let mut samples: Vec<RotationPoint> =
            Dual::ALL.into_iter().map(|dual| with(dual, PointSink::Mean)).collect();
        let mut all = with(Dual::Kinked, PointSink::Values);
        all.steps.extend([
            (3, PointStep::Truncated { input: 2, field: 1, bandlimit: 4, mean: 287, ntk: true, odd: true }),
            (4, PointStep::Normalize { input: 3 }),
            (5, PointStep::Dropout { input: 4 }),
            (6, lifted(3)),
            (7, PointStep::Sum { inputs: vec![5, 6] }),
        ]);
        all.steps.extend(
            Dual::ALL.into_iter().zip(8..).map(|(dual, op)| (op, PointStep::Dual { input: op - 1, dual })),
        );
        samples.push(RotationPoint { sink: PointSink::Mean, ..all.clone() });
        samples.push(all);
        samples
    }

    fn families(&self) -> impl Iterator<Item = Dual> {
        self.steps.iter().filter_map(|(_, step)| match step {
            PointStep::Dual { dual, .. } => Some(*dual),
            _ => None,
        })
    }

    /// The functions `load` (data of a lane), `sums` (of the lines of each field) and `value` (at a point).
    fn calls(&self) -> String {
        let mut maps = BTreeSet::new();
        let (mut variables, mut load, mut sums, mut value) =
            (String::new(), String::new(), String::new(), String::new());
        for (op, step) in &self.steps {
            maps.insert(*op);
            maps.extend(step.inputs());
            // Writing to a string cannot fail.
            let _ = writeln!(value, "    let v{op} = {};", call(*op, step));
            let mut field = |field: usize, bandlimit: usize| {
                let _ = writeln!(variables, "var<private> f{field}: vec4<f32>;");
                let _ = writeln!(sums, "    f{field} = parts_of({field}u, {bandlimit}u, line, gamma);");
            };
            let constants = match step {
                PointStep::Lifted { field: number, bandlimit, means: [first, second] } => {
                    field(*number, *bandlimit);
                    Some((first, second))
                }
                PointStep::Truncated { field: number, bandlimit, mean, ntk, .. } => {
                    field(*number, *bandlimit);
                    if *ntk {
                        field(*number + 1, *bandlimit);
                    }
                    Some((mean, mean))
                }
                PointStep::Affine { .. } | PointStep::Dual { .. } => {
                    let _ = writeln!(variables, "var<private> p{op}: vec4<f32>;");
                    let _ = writeln!(load, "    p{op} = numbers({}u);", op + 1);
                    None
                }
                _ => None,
            };
            if let Some((first, second)) = constants {
                let _ = writeln!(variables, "var<private> c{op}: vec2<f32>;");
                let _ = writeln!(load, "    c{op} = constants(lane, {first}u, {second}u);");
            }
        }
        for op in maps {
            let _ = writeln!(variables, "var<private> m{op}: Maps;");
            let _ = writeln!(load, "    m{op} = maps(lane, {op}u);");
        }
        let last = self.steps.last().map_or(0, |(op, _)| *op);
        format!(
            "{variables}fn load(lane: u32) {{\n    begin(lane, {}u, {});\n{load}}}\n\
             fn sums(line: u32, gamma: u32) {{\n{sums}}}\n\
             fn value(at: vec4<f32>) -> Value {{\n{value}    return v{last};\n}}\n",
            self.nearness, self.odd
        )
    }
}

/// The call that computes an op's value.
fn call(op: usize, step: &PointStep) -> String {
    match step {
        PointStep::Lifted { field, .. } => format!("lifted(dot(f{field}, at), c{op}, m{op})"),
        PointStep::Truncated { input, field, ntk, odd, .. } => {
            let ntk = if *ntk { format!("dot(f{}, at)", field + 1) } else { "0.0".to_owned() };
            format!("truncated(dot(f{field}, at), c{op}.x, {ntk}, {odd}, m{input}, m{op})")
        }
        PointStep::Affine { input } => format!("affine(v{input}, m{input}, m{op}, p{op})"),
        PointStep::Dual { input, dual } => {
            format!(
                "behind(v{input}, dual_{}(dual_input(v{input}, m{input}, m{op}), p{op}, nan))",
                dual.name()
            )
        }
        PointStep::Normalize { input } => format!("normalize_by(v{input}, m{op})"),
        PointStep::Dropout { input } => format!("dropout(v{input}, m{input}, m{op})"),
        PointStep::Sum { inputs } => {
            let branches = inputs.iter().map(|input| format!("branch(v{input}, m{input}, m{op})"));
            branches.reduce(|sum, branch| format!("add({sum}, {branch})")).unwrap_or_default()
        }
    }
}
