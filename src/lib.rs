//! Exact infinite-width kernels of neural networks: the NNGP and the neural tangent kernel (NTK), of group-equivariant
//! networks first.
//!
//! This crate is the front door: it re-exports the workspace's libraries, each behind a feature of its name (all but
//! `reference` on by default).
//!
//! | module | what it does |
//! | --- | --- |
//! | [`mod@core`] | architectures as a DAG, their reduction to a plan, the [`Backend`](core::Backend) seam |
//! | `cpu` | the fast backend for processors |
//! | `gram` | Gram matrices tile by tile, with progress, cancelling, resuming |
//! | `predict` | regression and classification with kernels |
//! | `data` | npz, npy, image folders, MNIST and CIFAR files |
//! | `experiment` | draws, learning curves, ridge choice, scores, reports |
//! | `finite` | networks of finite width: sampled kernels, training |
//! | `wgpu` | the backend for GPUs |
//! | `reference` | the literal recursions in float64, for checking |
//! | [`ndarray`] | the arrays of all of them |
//!
//! ```
//! # #[cfg(all(feature = "cpu", feature = "gram", feature = "predict"))] {
//! use ekernel::prelude::*;
//! use ndarray::{Array4, array, s};
//!
//! // A C4-equivariant network: every kernel value is exact at infinite width.
//! let network = Network::builder(Input::Image { height: 8, width: 8, channels: 1 })
//!     .layer(Lift::new(Group::C4, [3, 3]))
//!     .layer(Activation::Relu)
//!     .layer(GroupConv::new([3, 3]))
//!     .layer(Activation::Relu)
//!     .layer(Layer::GroupPool)
//!     .layer(Dense::new())
//!     .build()?;
//!
//! // Four images: two patterns, each upright and turned by 90°.
//! let bar = Array4::from_shape_fn((1, 8, 8, 1), |(_, _, col, _)| f64::from(u8::from(col == 2)));
//! let box_ = Array4::from_shape_fn((1, 8, 8, 1), |(_, row, col, _)| f64::from(u8::from(row < 4 && col < 4)));
//! let turned = |image: &Array4<f64>| image.clone().permuted_axes([0, 2, 1, 3]);
//! let images = ndarray::concatenate![ndarray::Axis(0), bar, box_, turned(&bar), turned(&box_)];
//!
//! let backend = CpuBackend::new(&network, KernelSet::Both, CpuOptions::default())?;
//! let samples = Samples::Images(images);
//! let kernels = gram(&backend, Pairs::within(samples.clone()), &GramOptions::new(KernelSet::Both), &Control::new())?;
//! let ntk = kernels.ntk.expect("asked for");
//!
//! // Trained on the upright ones, the machine knows the turned ones.
//! let machine = KernelMachine::new(ntk.slice(s![..2, ..2]), Ridge::Relative(1e-6), TrainingTime::INFINITE, Par::Seq)?;
//! let fit = machine.fit(array![[-0.5], [0.5]].view())?;
//! let means = fit.mean(ntk.slice(s![2.., ..2]))?;
//! assert!((means[[0, 0]] + 0.5).abs() < 1e-3 && (means[[1, 0]] - 0.5).abs() < 1e-3);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[doc(inline)]
pub use ekernel_core as core;
#[cfg(feature = "cpu")]
#[doc(inline)]
pub use ekernel_cpu as cpu;
#[cfg(feature = "data")]
#[doc(inline)]
pub use ekernel_data as data;
#[cfg(feature = "experiment")]
#[doc(inline)]
pub use ekernel_experiment as experiment;
#[cfg(feature = "finite")]
#[doc(inline)]
pub use ekernel_finite as finite;
#[cfg(feature = "gram")]
#[doc(inline)]
pub use ekernel_gram as gram;
#[cfg(feature = "predict")]
#[doc(inline)]
pub use ekernel_predict as predict;
#[cfg(feature = "reference")]
#[doc(inline)]
pub use ekernel_reference as reference;
#[cfg(feature = "wgpu")]
#[doc(inline)]
pub use ekernel_wgpu as wgpu;

pub use ndarray;

/// The README, whose examples are compiled and run with the tests.
#[cfg(all(doctest, feature = "cpu", feature = "gram", feature = "predict", feature = "wgpu"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// What most programs need.
pub mod prelude {
    pub use ekernel_core::{
        Activation, AtomDescriptor, AtomPairing, Backend, CancelToken, Control, Conv, Dense, Dropout,
        GlobalPool, Group, GroupConv, Input, KernelSet, Kernels, Layer, LayerNorm, Lift, MaxPool, Molecule,
        Network, Padding, Pairs, Plan, Pool, ProgressSink, Quadrature, S2Conv, Samples, So3Conv,
    };
    #[cfg(feature = "cpu")]
    pub use ekernel_cpu::{CpuBackend, CpuOptions, Precision};
    #[cfg(feature = "gram")]
    pub use ekernel_gram::{Options as GramOptions, gram};
    #[cfg(feature = "predict")]
    pub use ekernel_predict::{KernelMachine, Par, Ridge, TrainingTime, argmax, one_hot_centered};
    #[cfg(feature = "wgpu")]
    pub use ekernel_wgpu::{AdapterChoice, Device, WgpuBackend, WgpuOptions};
}
