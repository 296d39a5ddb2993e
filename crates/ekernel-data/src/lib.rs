//! Reads what kernels are computed on, and writes what comes out.
//!
//! [`Source`] reads the words that name data on a command line, [`read_dataset`] the [`Samples`] and [`Targets`]
//! behind them: .npz and .npy arrays, tables (CSV), folders of images, MNIST idx and CIFAR files. [`Normalization`] prepares
//! them with parameters of the training samples. [`read_molecules`] reads [`Molecules`], [`on_the_sphere`] says that
//! arrays are signals on the sphere. [`write_npz`] stores results, complete or not at all.
//!
//! ```
//! use ekernel_data::{Normalization, ReadOptions, Source, read_dataset, write_npz};
//! use ndarray::array;
//!
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("data.npz");
//! write_npz(&file, &[("x", (&array![[0.0, 2.0], [4.0, 2.0]]).into()), ("y", (&array![1i64, 0]).into())])?;
//!
//! let data = read_dataset(&Source::parse(&format!("{}:x,y", file.display()))?, &ReadOptions::default())?;
//! assert_eq!(data.samples.len(), 2);
//! let normalizer = Normalization::Standardize.fit(&data.samples)?;
//! assert_eq!(normalizer.to_string(), "standardize mean=[2,2] std=[2,1]");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Everything that can be wrong is a [`DataError`], which says what, where, and what would do. No file, however
//! damaged, makes a reader panic.
//!
//! [`Samples`]: ekernel_core::Samples

mod cifar;
mod class_keys;
mod dataset;
mod error;
mod features;
mod idx;
mod image_folder;
mod memory;
mod mnist_files;
mod normalize;
mod npy;
mod npz;
mod number;
mod number_tiff;
mod place;
mod ranges;
mod read;
mod rows;
mod samples;
mod slice;
mod source;
mod spheres;
mod stl10;
mod table;
mod target_kind;
mod targets;
mod whitening;
mod write;

pub mod molecules;

pub use dataset::{Color, Dataset, ReadOptions};
pub use ekernel_system::atomic::destination;
pub use error::DataError;
pub use molecules::{Molecules, read_molecules};
pub use normalize::{Normalization, Normalizer};
pub use npy::NpyArray;
pub use npz::NpzFile;
pub use place::Place;
pub use ranges::scale_mismatch;
pub use read::{read_dataset, read_labels, read_samples};
pub use samples::channels_first_hint;
pub use source::{Source, TargetSource};
pub use spheres::{from_even_rings, on_the_sphere};
pub use target_kind::TargetKind;
pub use targets::Targets;
pub use write::{Output, Rows, write_atomically, write_npy, write_npz};
