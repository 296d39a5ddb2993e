//! The file that keeps how far a solution is.

use std::path::Path;

use anyhow::anyhow;
use ekernel_data::{NpyArray, NpzFile, Output, write_npz};
use ekernel_solve::State;
use ndarray::{Array1, Array2, Ix1, Ix2};
use serde::{Deserialize, Serialize};

use crate::failure::mistake;

/// What a solution belongs to, beside its targets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct System {
    /// The fingerprint of the computation of the store.
    pub(super) store: String,
    pub(super) kernel: String,
    pub(super) ridge: f64,
    pub(super) rank: usize,
    pub(super) seed: u64,
}

pub(super) fn write(
    file: &Path,
    system: &System,
    targets: &Array2<f64>,
    state: &State,
) -> anyhow::Result<()> {
    let metadata = serde_json::to_string(system)?;
    let history = Array1::from(state.history.clone());
    let arrays: [(&str, Output<'_>); 8] = [
        ("weights", (&state.weights).into()),
        ("best", (&state.best).into()),
        ("residual", (&state.residual).into()),
        ("direction", (&state.direction).into()),
        ("product", (&state.product).into()),
        ("history", (&history).into()),
        ("targets", targets.into()),
        ("metadata", metadata.as_str().into()),
    ];
    Ok(write_npz(file, &arrays)?)
}

/// Reads the state of this system.
pub(super) fn read(file: &Path, system: &System, targets: &Array2<f64>) -> anyhow::Result<State> {
    let shown = file.display();
    let mut arrays = NpzFile::open(file)?;
    let no_state =
        || mistake(format!("--resume {shown}: it holds no progress of `ekernel solve`; name another file"));
    let NpyArray::Texts(metadata) = arrays.read("metadata")? else { return Err(no_state()) };
    let text = metadata.first().ok_or_else(no_state)?;
    let found: System = serde_json::from_str(text).map_err(|_| no_state())?;
    let of = |name: &str, found: &dyn std::fmt::Debug, now: &dyn std::fmt::Debug| {
        mistake(format!(
            "--resume {shown}: it belongs to another system: {name} there is {found:?}, here {now:?}; name another file, or \
             delete this one"
        ))
    };
    if found.store != system.store {
        return Err(of("the store", &found.store, &system.store));
    }
    if found.kernel != system.kernel {
        return Err(of("the kernel", &found.kernel, &system.kernel));
    }
    if found.ridge != system.ridge {
        return Err(of("the ridge", &found.ridge, &system.ridge));
    }
    if (found.rank, found.seed) != (system.rank, system.seed) {
        let pair = |system: &System| format!("rank {} and seed {}", system.rank, system.seed);
        return Err(of("the preconditioner", &pair(&found), &pair(system)));
    }
    let mut floats = |name: &str| match arrays.read(name)? {
        NpyArray::Floats(values) => Ok(values),
        other => Err(anyhow!("{shown}: {name} is of {}", other.dtype())),
    };
    if floats("targets")?.into_dimensionality::<Ix2>().ok().as_ref() != Some(targets) {
        return Err(mistake(format!(
            "--resume {shown}: it belongs to other targets; name another file, or delete this one"
        )));
    }
    let mut matrix =
        |name: &str| -> anyhow::Result<Array2<f64>> { Ok(floats(name)?.into_dimensionality::<Ix2>()?) };
    let [weights, best, residual, direction] =
        [matrix("weights")?, matrix("best")?, matrix("residual")?, matrix("direction")?];
    let mut vector =
        |name: &str| -> anyhow::Result<Array1<f64>> { Ok(floats(name)?.into_dimensionality::<Ix1>()?) };
    let (product, history) = (vector("product")?, vector("history")?.to_vec());
    Ok(State { weights, best, residual, direction, product, history })
}
