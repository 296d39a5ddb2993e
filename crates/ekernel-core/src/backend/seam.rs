use std::ops::Range;

use ndarray::Array2;

use super::{BackendError, Control, Numerics, Pairs};
use crate::Plan;

/// Something that computes kernels of one network: a CPU, a GPU, the literal reference.
pub trait Backend: Send + Sync {
    /// The plan that it executes; `None` if it reads the network itself.
    fn plan(&self) -> Option<&Plan>;

    /// All that can change a bit of a result beside plan and samples.
    fn numerics(&self) -> Numerics;

    /// What computes, in words for people.
    fn describe(&self) -> String;

    /// Does the work per sample once: checks the samples against the network's input, uploads, variance maps, each
    /// sample's value with itself where the head needs it.
    ///
    /// What it returns owns everything it needs and may outlive the backend.
    ///
    /// # Errors
    /// Samples that do not fit the network; too little memory; a device that fails; [`BackendError::Cancelled`].
    fn prepare(&self, pairs: Pairs, control: &Control) -> Result<Box<dyn Prepared>, BackendError>;
}

/// Prepared samples, ready for tiles.
pub trait Prepared: Send + Sync {
    /// Computes the kernel of samples `rows` of x1 against samples `cols` of x2.
    ///
    /// Every entry is bit for bit the same in whatever tile it is computed, and whatever other samples there are. In a
    /// symmetric session entry (j, i) is entry (i, j).
    ///
    /// # Errors
    /// [`BackendError::NotFinite`] of an entry; a device that fails; [`BackendError::Cancelled`].
    fn tile(
        &self,
        rows: Range<usize>,
        cols: Range<usize>,
        control: &Control,
    ) -> Result<Kernels, BackendError>;

    /// Rows and columns of a tile that keeps the device busy without holding up progress and cancelling.
    fn tile_shape(&self) -> [usize; 2];

    /// How many tiles may usefully be computed at the same time; the caller makes that many threads.
    fn concurrency(&self) -> usize;

    /// Bytes of memory the session holds, and bytes each tile computed at the same time adds.
    fn memory(&self) -> [u64; 2];
}

/// Kernel values of a block of pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct Kernels {
    /// The NNGP, shape (rows, cols).
    pub nngp: Array2<f64>,
    /// The NTK, shape (rows, cols), if it was asked for.
    pub ntk: Option<Array2<f64>>,
}
