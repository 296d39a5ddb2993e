//! Members in a folder: a file each, written after every epoch.

use std::path::{Path, PathBuf};

use ekernel_data::{NpyArray, NpzFile, write_npz};
use ndarray::{Array1, Array2, Array3, Axis, Ix3, stack};

use crate::failure::mistake;

/// What a member has done so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct History {
    /// [`ekernel_finite::Trainer::state`].
    pub(super) state: Vec<f64>,
    /// The loss of each epoch.
    pub(super) losses: Vec<f64>,
    /// Outputs before training and after each epoch, of each set.
    pub(super) outputs: [Vec<Array2<f64>>; 2],
}

/// The sets that members are observed on.
pub(super) const SETS: [&str; 2] = ["test", "ood"];

/// The file of a member.
pub(super) fn file(folder: &Path, ensemble: &str, member: u64) -> PathBuf {
    folder.join(format!("{ensemble}-{member}.npz"))
}

/// Reads a member; `None` if there is none.
pub(super) fn read(path: &Path, identity: &str) -> anyhow::Result<Option<History>> {
    if !path.exists() {
        return Ok(None);
    }
    let damaged =
        || mistake(format!("--checkpoint: {} is damaged; delete it, and it is trained anew", path.display()));
    let mut file = NpzFile::open(path).map_err(|_| damaged())?;
    let NpyArray::Texts(texts) = file.read("identity").map_err(|_| damaged())? else {
        return Err(damaged());
    };
    let found = texts.iter().next().cloned().unwrap_or_default();
    if found != identity {
        let both = found.lines().zip(identity.lines()).find(|(there, here)| there != here);
        let (there, here) = both.unwrap_or(("another network", "this one"));
        return Err(mistake(format!(
            "--checkpoint: {} is of another training: there {there}, here {here}; name another folder",
            path.display()
        )));
    }
    let mut numbers = |name: &str| match file.read(name).map_err(|_| damaged())? {
        NpyArray::Floats(array) => Ok(array),
        _ => Err(damaged()),
    };
    let mut history = History {
        state: numbers("state")?.into_iter().collect(),
        losses: numbers("losses")?.into_iter().collect(),
        ..History::default()
    };
    for (set, name) in history.outputs.iter_mut().zip(SETS) {
        let array = numbers(name)?.into_dimensionality::<Ix3>().map_err(|_| damaged())?;
        set.extend(array.outer_iter().map(|outputs| outputs.to_owned()));
    }
    Ok(Some(history))
}

/// Writes a member, whole or not at all.
pub(super) fn write(path: &Path, identity: &str, history: &History) -> anyhow::Result<()> {
    let (state, losses) = (Array1::from(history.state.clone()), Array1::from(history.losses.clone()));
    let [test, ood] = [0, 1].map(|set| stacked(&history.outputs[set]));
    let identity = [identity.to_owned()];
    let arrays = [
        ("identity", identity.as_slice().into()),
        ("state", (&state).into()),
        ("losses", (&losses).into()),
        (SETS[0], (&test).into()),
        (SETS[1], (&ood).into()),
    ];
    Ok(write_npz(path, &arrays)?)
}

/// `[epoch][sample][output]`.
pub(super) fn stacked(all: &[Array2<f64>]) -> Array3<f64> {
    let views: Vec<_> = all.iter().map(|outputs| outputs.view()).collect();
    stack(Axis(0), &views).unwrap_or_else(|_| Array3::zeros((0, 0, 0)))
}
