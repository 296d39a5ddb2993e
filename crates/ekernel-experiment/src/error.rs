//! What keeps an experiment from being run.

use ekernel_core::BackendError;
use ekernel_data::DataError;
use ekernel_predict::PredictError;

/// Why an experiment was refused or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// A machine refused its kernels or targets.
    #[error("trained on {n} {}", if *n == 1 { "sample" } else { "samples" })]
    Training {
        /// Training samples of the draw.
        n: usize,
        /// What was refused.
        source: PredictError,
    },

    /// Predictions that cannot be compared with the truth.
    #[error(transparent)]
    Score(#[from] PredictError),

    /// No draw, so that there is nothing to train on.
    #[error("there is no number of training samples; give at least one")]
    NoDraws,

    /// Energies of isolated atoms are asked for, and the data have none for the property.
    #[error(
        "{data} holds no energies of isolated atoms for the property '{property}' (they are atomref_Z and atomref_U0, \
         for U0); fit them to the training molecules instead"
    )]
    NoReferences {
        /// The training data as named.
        data: String,
        /// The property.
        property: String,
    },

    /// An element without an energy of its isolated atom.
    #[error(
        "{data} holds no energy of the isolated atom {symbol} ({element}) of molecule {molecule}; add it to atomref_Z \
         and atomref_U0, or take the arrays out and fit the energies instead"
    )]
    NoReference {
        /// The training data as named.
        data: String,
        /// Atomic number.
        element: u8,
        /// Its symbol.
        symbol: &'static str,
        /// A molecule that holds it.
        molecule: String,
    },

    /// The results cannot be stored.
    #[error(transparent)]
    Data(#[from] DataError),

    /// The results cannot be put in words.
    #[error("cannot write the results as JSON: {0}")]
    Json(#[from] serde_json::Error),

    /// The work was cancelled.
    #[error(transparent)]
    Stopped(#[from] BackendError),
}
