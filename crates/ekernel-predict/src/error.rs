//! What can be wrong with the arrays a kernel machine is given.

use crate::Ridge;

/// Why a prediction was refused. Indices count from zero.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PredictError {
    /// An array without entries.
    #[error("the {what} is empty; at least one sample is needed")]
    Empty {
        /// Which array.
        what: &'static str,
    },

    /// A kernel of a set with itself that is not square.
    #[error("the {what} is {rows} × {columns} but must be square, one row and one column per sample")]
    NotSquare {
        /// Which array.
        what: &'static str,
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
    },

    /// An array that does not fit the others.
    #[error("the {what} has {found} {axis} but {needed} are needed, as many as {like}")]
    Mismatch {
        /// Which array.
        what: &'static str,
        /// Which of its axes.
        axis: &'static str,
        /// Its length there.
        found: usize,
        /// The length that fits.
        needed: usize,
        /// What sets that length.
        like: &'static str,
    },

    /// NaN or infinity in an input.
    #[error("the {what} holds {value} at row {row}, column {column}; every entry must be finite")]
    NonFinite {
        /// Which array.
        what: &'static str,
        /// Row of the first such entry.
        row: usize,
        /// Its column.
        column: usize,
        /// NaN or an infinity.
        value: f64,
    },

    /// Finite inputs whose result is not representable.
    #[error("computing the {what} overflowed; scale the kernel or the targets down")]
    Overflow {
        /// What was being computed.
        what: &'static str,
    },

    /// A kernel of a set with itself that differs from its transpose by more than 1e-6 of its largest entry.
    #[error(
        "the {what} is not symmetric: {value} at row {row}, column {column} but {mirrored} at row {column}, column \
         {row}; a kernel of a set with itself is"
    )]
    Asymmetric {
        /// Which array.
        what: &'static str,
        /// Row of the worst entry.
        row: usize,
        /// Its column.
        column: usize,
        /// The entry.
        value: f64,
        /// The entry on the other side of the diagonal.
        mirrored: f64,
    },

    /// A ridge that is negative, infinite or NaN.
    #[error("a ridge of {ridge} is not possible; give a finite number that is zero or positive")]
    InvalidRidge {
        /// The ridge as given.
        ridge: Ridge,
    },

    /// A relative ridge on a kernel without scale.
    #[error(
        "a ridge relative to the mean diagonal needs a positive one, but the training kernel's is {mean_diagonal}; are \
         all inputs zero? An absolute ridge would do"
    )]
    NoScale {
        /// tr Θ/n.
        mean_diagonal: f64,
    },

    /// A training time that is negative or NaN.
    #[error("a training time of {eta_t} is not possible; give zero, a positive number or inf")]
    InvalidTime {
        /// ηt as given.
        eta_t: f64,
    },

    /// The Cholesky factorisation met a pivot that is not positive beyond rounding (n·ε times the diagonal entry).
    #[error(
        "the training kernel is not positive definite with a ridge of {ridge}: pivot {pivot} of {n} is {value:e} (two \
         equal or nearly equal inputs do that, and so does a kernel in f32); its smallest eigenvalue without a ridge \
         is {smallest:e}, and a ridge of {enough} would do"
    )]
    NotPositiveDefinite {
        /// Index of the sample at which the factorisation failed.
        pivot: usize,
        /// The pivot: what is left of that sample's diagonal entry once the samples before it are accounted for.
        value: f64,
        /// Training samples.
        n: usize,
        /// The ridge as given.
        ridge: Ridge,
        /// Smallest eigenvalue of the kernel without a ridge.
        smallest: f64,
        /// A ridge (in all, not in addition) with which the factorisation succeeds.
        enough: Ridge,
    },

    /// The spectrum of the training kernel has a negative eigenvalue beyond rounding (n·ε times the largest), or one within
    /// rounding of zero where the training time is long enough for that to matter, see
    /// [`Spectrum::machine`](crate::Spectrum::machine).
    #[error(
        "the training kernel with a ridge of {ridge} has {smallest:e} as its smallest eigenvalue, the largest being \
         {largest:e}, too little for training time {eta_t}; a ridge of {enough} would do"
    )]
    Indefinite {
        /// Smallest eigenvalue, ridge included.
        smallest: f64,
        /// Largest eigenvalue, ridge included.
        largest: f64,
        /// Training time ηt.
        eta_t: f64,
        /// The ridge as given.
        ridge: Ridge,
        /// A ridge (in all, not in addition) that would do.
        enough: Ridge,
    },

    /// The eigendecomposition did not converge.
    #[error(
        "the eigendecomposition of the {n} × {n} training kernel did not converge; infinite time needs none, and a \
         larger ridge does not help here"
    )]
    NoConvergence {
        /// Training samples.
        n: usize,
    },

    /// Fewer than two classes.
    #[error("{classes} classes leave nothing to classify; at least 2 are needed")]
    TooFewClasses {
        /// Number of classes.
        classes: usize,
    },

    /// A label outside 0..classes.
    #[error("label {label} of sample {sample} is not below the number of classes, {classes}")]
    LabelOutOfRange {
        /// Index of the sample.
        sample: usize,
        /// Its label.
        label: usize,
        /// Number of classes.
        classes: usize,
    },

    /// A number of folds that leaves one of them, or its training part, without samples.
    #[error(
        "{folds} folds of {samples} samples are not possible; give 2 to {samples} folds and at least 2 samples"
    )]
    InvalidFolds {
        /// Folds asked for.
        folds: usize,
        /// Samples to divide.
        samples: usize,
    },

    /// An order of the samples that repeats or misses one.
    #[error("entry {index} of the order of {samples} samples is {value}, which repeats or is out of range")]
    NotPermutation {
        /// Position of the entry.
        index: usize,
        /// The entry.
        value: usize,
        /// Number of samples.
        samples: usize,
    },

    /// The token of the [`Workers`](crate::Workers) was cancelled.
    #[error("the work was cancelled")]
    Cancelled,

    /// No ridges to choose from.
    #[error("no ridges to choose from; give at least one")]
    NoRidges,

    /// Targets of which no noise is likelier than another.
    #[error(
        "the training targets are all 0 once their mean is taken off, so that no noise is likelier than another; give a \
         ridge, or targets that vary"
    )]
    NoSignal,
}
