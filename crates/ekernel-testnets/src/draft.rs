//! A network under construction that knows what may come next.

use ekernel_core::{
    Activation, Conv, Dense, Domain, Dropout, GlobalPool, Group, GroupConv, Input, Layer, LayerNorm, Lift,
    Network, NetworkBuilder, Padding, Parameterization, PerAtom, Pool, PoolKind, S2Conv, So3Conv, Weights,
    Window,
};

/// A stream of choices, cyclic; all zeros give the plainest network, to which failures shrink.
pub(crate) struct Choices {
    bytes: Vec<u8>,
    next: usize,
}

impl Choices {
    pub(crate) fn new(bytes: Vec<u8>) -> Choices {
        Choices { bytes, next: 0 }
    }

    /// One of `options`.
    pub(crate) fn pick<T: Copy>(&mut self, options: &[T]) -> T {
        let byte = self.bytes.get(self.next % self.bytes.len().max(1)).copied().unwrap_or(0);
        self.next += 1;
        options[usize::from(byte) % options.len()]
    }
}

pub(crate) struct Draft {
    pub(crate) choices: Choices,
    builder: NetworkBuilder,
    layers: usize,
    domain: Domain,
    group: Option<Group>,
    gaussian: bool,
    /// About how large variances are for inputs of variance 2.
    scale: f64,
    /// Whether weighted layers may be in the standard parameterisation; then all have a width.
    standard: bool,
    /// Whether all windows are circular with stride 1, even ones too: then a network on a group grid does not notice that
    /// turned images are shifted.
    wraps: bool,
}

/// Output features of a layer where the parameterisation asks for them; branches of different ones are refused.
const WIDTHS: [usize; 6] = [4, 4, 4, 4, 4, 6];

impl Draft {
    pub(crate) fn new(input: Input, standard: bool, mut choices: Choices) -> Draft {
        let wraps = choices.pick(&[false, false, false, true]);
        Draft {
            wraps,
            choices,
            domain: input.domain(),
            builder: Network::builder(input),
            layers: 0,
            group: None,
            gaussian: false,
            scale: 2.0,
            standard,
        }
    }

    pub(crate) fn finish(self) -> Result<Network, ekernel_core::ArchError> {
        self.builder.build()
    }

    /// Appends a layer that reads the last one; every layer is named l1, l2, …
    fn push(&mut self, layer: impl Into<Layer>) {
        let last = self.name();
        self.push_reading(layer, &[&last]);
    }

    fn push_reading(&mut self, layer: impl Into<Layer>, reads: &[&str]) {
        self.layers += 1;
        let builder = std::mem::replace(&mut self.builder, Network::builder(Input::Vector { features: 1 }));
        let name = format!("l{}", self.layers);
        self.builder = builder.layer(layer).named(&name).reads(reads.iter().copied());
    }

    fn name(&self) -> String {
        if self.layers == 0 { "input".to_owned() } else { format!("l{}", self.layers) }
    }

    /// Weights that keep variances of order 1.
    fn weights(&mut self) -> Weights {
        let tame = (3.0 / self.scale).sqrt().min(1.0);
        let w_std = tame * self.choices.pick(&[1.0, 1.3, 0.8]);
        let b_std = self.choices.pick(&[None, Some(0.3), Some(0.05)]);
        self.scale = w_std * w_std * self.scale + b_std.map_or(0.0, |b| b * b);
        self.gaussian = true;
        let standard = self.standard && self.choices.pick(&[true, true, false]);
        let width = self.standard.then(|| self.choices.pick(&WIDTHS));
        Weights {
            w_std,
            b_std,
            parameterization: if standard { Parameterization::Standard } else { Parameterization::Ntk },
            width,
            width_scale: if standard { self.choices.pick(&[1.0, 2.0]) } else { 1.0 },
        }
    }

    /// Height and width of the domain.
    fn extent(&self) -> [usize; 2] {
        self.domain.extent().expect("windows slide over pixels")
    }

    /// A window that fits the domain and commutes with the group, 1×1 at the worst.
    fn window(&mut self, sizes: &[usize], strides: &[usize], group: Option<Group>) -> Window {
        let extent = self.extent();
        if self.wraps {
            let mut size = [self.choices.pick(sizes), self.choices.pick(sizes)];
            if group.is_some_and(Group::swaps_axes) {
                size[1] = size[0];
            }
            return Self::around(size);
        }
        for _ in 0..4 {
            let mut size = [self.choices.pick(sizes), self.choices.pick(sizes)];
            let mut step = [self.choices.pick(strides), self.choices.pick(strides)];
            if group.is_some_and(Group::swaps_axes) {
                (size[1], step[1]) = (size[0], step[0]);
            }
            let window = Window { size, strides: step, padding: self.choices.pick(&Padding::ALL) };
            let fits = window.padding != Padding::Valid || (0..2).all(|a| size[a] <= extent[a]);
            let reversed = group.map_or([false; 2], Group::reversed_axes);
            if fits && (0..2).all(|a| !reversed[a] || window.commutes_with_reversal(extent, a)) {
                return window;
            }
        }
        Window { size: [1, 1], strides: [1, 1], padding: Padding::Valid }
    }

    /// A circular window of stride 1.
    fn around(size: [usize; 2]) -> Window {
        Window { size, strides: [1, 1], padding: Padding::Circular }
    }

    /// dense, conv, group_conv, s2_conv or so3_conv, whatever the domain takes.
    pub(crate) fn weighted(&mut self) {
        match self.domain {
            Domain::Sphere { bandlimit } => {
                self.s2_conv(bandlimit, |bandlimit| Domain::Rotations { bandlimit })
            }
            Domain::Atoms(PerAtom::Sphere { bandlimit }) => {
                self.s2_conv(bandlimit, |bandlimit| Domain::Atoms(PerAtom::Rotations { bandlimit }));
            }
            Domain::Rotations { bandlimit } => {
                self.so3_conv(bandlimit, |bandlimit| Domain::Rotations { bandlimit });
            }
            Domain::Atoms(PerAtom::Rotations { bandlimit }) => {
                self.so3_conv(bandlimit, |bandlimit| Domain::Atoms(PerAtom::Rotations { bandlimit }));
            }
            Domain::Vector | Domain::Atoms(PerAtom::Vector) => {
                let weights = self.weights();
                self.push(Dense { weights });
            }
            Domain::Grid { .. } => {
                let window = self.window(&[3, 2, 1, 5], &[1, 1, 1, 2], None);
                self.conv(window);
            }
            Domain::GroupGrid { .. } => {
                let window = self.window(&[3, 1, 2, 5], &[1, 1, 1, 2], self.group);
                self.conv(window);
            }
        }
    }

    /// The bandlimit of the input, or one below.
    fn s2_conv(&mut self, found: usize, domain: impl Fn(usize) -> Domain) {
        let weights = self.weights();
        let bandlimit =
            self.choices.pick(&[None, Some(1), Some(0)]).map(|less| (found - less.min(found - 1)).max(1));
        self.push(S2Conv { bandlimit, weights });
        self.domain = domain(bandlimit.unwrap_or(found));
    }

    /// Without a bandlimit, or with one up to the present one.
    fn so3_conv(&mut self, found: usize, domain: impl Fn(usize) -> Domain) {
        let weights = self.weights();
        let bandlimit =
            self.choices.pick(&[None, Some(0), Some(1)]).map(|less| (found - less.min(found - 1)).max(1));
        self.push(So3Conv { bandlimit, weights });
        self.domain = domain(bandlimit.unwrap_or(found));
    }

    fn conv(&mut self, window: Window) {
        let weights = self.weights();
        match self.domain {
            Domain::GroupGrid { .. } => self.push(GroupConv { window, weights }),
            _ => self.push(Conv { window, weights }),
        }
        self.domain = self.domain.resized(window.output(self.extent()));
    }

    /// A weighted layer that keeps the domain.
    fn weighted_in_place(&mut self) {
        match self.domain {
            Domain::Vector | Domain::Atoms(PerAtom::Vector) => return self.weighted(),
            Domain::Rotations { .. } | Domain::Atoms(PerAtom::Rotations { .. }) => {
                let weights = self.weights();
                return self.push(So3Conv { bandlimit: None, weights });
            }
            Domain::Grid { .. } | Domain::GroupGrid { .. } | Domain::Sphere { .. } | Domain::Atoms(_) => {}
        }
        if self.wraps {
            let size = self.choices.pick(&[[1, 1], [3, 3], [2, 2], [4, 4]]);
            return self.conv(Self::around(size));
        }
        let size = self.choices.pick(&[[1, 1], [3, 3]]);
        self.conv(Window { size, strides: [1, 1], padding: Padding::Same });
    }

    pub(crate) fn lift(&mut self, group: Group) {
        if self.choices.pick(&[false, false, false, true]) {
            // Before the lift only pointwise layers leave the network equivariant.
            self.conv(Window { size: [1, 1], strides: [1, 1], padding: Padding::Valid });
            self.activation();
        }
        let window = self.window(&[3, 2, 1, 5], &[1, 1, 1, 2], Some(group));
        let weights = self.weights();
        self.push(Lift { group, window, weights });
        let [height, width] = window.output(self.extent());
        self.domain = Domain::GroupGrid { group, height, width };
        self.group = Some(group);
    }

    /// A nonlinearity, after a weighted layer if the input is not Gaussian.
    pub(crate) fn activation(&mut self) {
        self.need_gaussian();
        let activation = self.choices.pick(&[
            Activation::Relu,
            Activation::Relu,
            Activation::Relu,
            Activation::LeakyRelu { alpha: 0.2 },
            Activation::LeakyRelu { alpha: -0.5 },
            Activation::Abs,
            Activation::Erf { a: 1.2, b: 0.8, c: 0.3 },
            Activation::Gelu,
            Activation::Sin { a: 1.1, b: 0.7, c: 0.4 },
            Activation::Cos { a: 0.9, b: 0.8, c: -0.2 },
            Activation::Rbf { gamma: 0.3 },
            Activation::Exp { a: 0.6, b: 0.4 },
            Activation::Gaussian { a: 1.3, b: -0.4 },
            Activation::Sign,
        ]);
        self.scale = activation.variance(self.scale);
        self.gaussian = false;
        self.push(activation);
    }

    pub(crate) fn layer_norm(&mut self) {
        self.need_gaussian();
        let norm = self.choices.pick(&[LayerNorm::over_channels(), LayerNorm::over_all()]);
        self.scale = 1.0;
        self.push(norm);
    }

    pub(crate) fn dropout(&mut self) {
        if self.layers == 0 {
            self.weighted();
        }
        let rate = self.choices.pick(&[0.7, 0.5, 1.0]);
        self.scale /= rate;
        self.gaussian = false;
        self.push(Dropout::keep(rate));
    }

    /// avg_pool or sum_pool; on vectors nothing.
    pub(crate) fn pool(&mut self) {
        let Some(extent) = self.domain.extent() else { return };
        let kind = self.choices.pick(&[PoolKind::Mean, PoolKind::Mean, PoolKind::Sum]);
        let window = self.window(&[2, 3, 1], &[2, 1], self.group);
        if kind == PoolKind::Sum {
            self.scale *= window.area() as f64 * window.area() as f64;
        }
        self.push(Pool { kind, window });
        self.domain = self.domain.resized(window.output(extent));
    }

    /// A small pool, then a circular convolution that sees around the border of what was pooled.
    pub(crate) fn pool_around(&mut self) {
        if !matches!(self.domain, Domain::Grid { .. } | Domain::GroupGrid { .. }) {
            return;
        }
        self.pool();
        let size = if self.group.is_some() && !self.wraps { &[3, 1][..] } else { &[3, 2, 4] };
        let size = [self.choices.pick(size); 2];
        self.conv(Self::around(size));
    }

    /// x + weighted(σ(x)).
    pub(crate) fn residual(&mut self) {
        self.need_gaussian();
        let (trunk, scale) = (self.name(), self.scale);
        self.activation();
        self.weighted_in_place();
        let branch = self.name();
        self.scale += scale;
        self.push_reading(Layer::Sum, &[&trunk, &branch]);
    }

    /// weighted(x) + weighted(x), two branches with weights of their own.
    pub(crate) fn fork(&mut self) {
        if let Domain::Sphere { .. } | Domain::Atoms(PerAtom::Sphere { .. }) = self.domain {
            self.weighted();
        }
        let (trunk, scale) = (self.name(), self.scale);
        self.weighted_in_place();
        let (first, first_scale) = (self.name(), self.scale);
        self.scale = scale;
        self.other_branch(&trunk);
        let second = self.name();
        self.scale += first_scale;
        self.push_reading(Layer::Sum, &[&first, &second]);
    }

    /// A weighted layer that keeps the domain and reads `trunk`.
    fn other_branch(&mut self, trunk: &str) {
        let weights = self.weights();
        let own = |size| Window { size, strides: [1, 1], padding: Padding::Same };
        let [window, square] = if self.wraps && self.domain.extent().is_some() {
            let size = [self.choices.pick(&[3, 2]); 2];
            [Self::around([3, 1]), Self::around(size)]
        } else {
            [own([3, 1]), own([3, 3])]
        };
        match self.domain {
            Domain::Vector | Domain::Atoms(PerAtom::Vector) => {
                self.push_reading(Dense { weights }, &[trunk]);
            }
            Domain::Rotations { .. } | Domain::Atoms(PerAtom::Rotations { .. }) => {
                self.push_reading(So3Conv { bandlimit: None, weights }, &[trunk]);
            }
            Domain::Sphere { .. } | Domain::Atoms(PerAtom::Sphere { .. }) => {
                self.push_reading(S2Conv { bandlimit: None, weights }, &[trunk]);
            }
            Domain::Grid { .. } => self.push_reading(Conv { window, weights }, &[trunk]),
            Domain::GroupGrid { .. } => self.push_reading(GroupConv { window: square, weights }, &[trunk]),
        }
    }

    pub(crate) fn identity(&mut self) {
        self.push(Layer::Identity);
    }

    /// From vectors of the atoms to one of the molecule; elsewhere nothing.
    pub(crate) fn atom_sum(&mut self) {
        if self.domain == Domain::Atoms(PerAtom::Vector) {
            // Variances of a few pairs of atoms add up.
            self.scale *= 9.0;
            self.push(Layer::AtomSum);
            self.domain = Domain::Vector;
        }
    }

    /// From a spatial domain to a vector.
    pub(crate) fn readout(&mut self) {
        let positions = self.domain.positions() as f64;
        let layer = match self.domain {
            Domain::Vector | Domain::Atoms(PerAtom::Vector) => return,
            Domain::Sphere { .. } | Domain::Atoms(PerAtom::Sphere { .. }) => Layer::Flatten,
            Domain::Rotations { .. } | Domain::Atoms(PerAtom::Rotations { .. }) => Layer::So3Pool,
            Domain::Grid { .. } => match self.choices.pick(&[0, 1, 2]) {
                0 => GlobalPool::mean().into(),
                1 => Layer::Flatten,
                _ => {
                    self.scale *= positions * positions;
                    GlobalPool::sum().into()
                }
            },
            Domain::GroupGrid { .. } => match self.choices.pick(&[0, 0, 1]) {
                0 => Layer::GroupPool,
                _ => Layer::Flatten,
            },
        };
        self.gaussian &= layer != Layer::Flatten;
        self.push(layer);
        self.domain = match self.domain {
            Domain::Atoms(_) => Domain::Atoms(PerAtom::Vector),
            _ => Domain::Vector,
        };
    }

    fn need_gaussian(&mut self) {
        if !self.gaussian {
            self.weighted();
        }
    }
}
