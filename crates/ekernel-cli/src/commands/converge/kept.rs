//! Sampled networks in a folder: a file for each kernel and width.

use std::path::{Path, PathBuf};

use ekernel_data::{NpyArray, NpzFile, write_npz};
use ekernel_experiment::Kind;
use ndarray::{Array1, Array2, Array3, Axis, Ix3, stack};

use super::pieces::Piece;
use crate::failure::mistake;

/// The folder of `--resume`, if there is one.
pub(super) struct Kept<'a> {
    pub(super) folder: Option<&'a Path>,
    /// What the networks and their kernels depend on, beside kernel and width.
    pub(super) identity: String,
}

impl Kept<'_> {
    fn file(&self, kind: Kind, width: usize) -> Option<PathBuf> {
        self.folder.map(|folder| folder.join(format!("{}-{width}.npz", kind.name())))
    }

    /// The pieces of a kernel and width that are finished.
    pub(super) fn read(&self, kind: Kind, width: usize) -> anyhow::Result<Vec<Piece>> {
        let Some(path) = self.file(kind, width).filter(|path| path.exists()) else { return Ok(Vec::new()) };
        let damaged = || {
            mistake(format!("--resume: {} is damaged; delete it, and it is computed anew", path.display()))
        };
        let mut file = NpzFile::open(&path).map_err(|_| damaged())?;
        let NpyArray::Texts(texts) = file.read("identity").map_err(|_| damaged())? else {
            return Err(damaged());
        };
        let found = texts.iter().next().cloned().unwrap_or_default();
        if found != self.identity {
            let both = found.lines().zip(self.identity.lines()).find(|(there, here)| there != here);
            let (there, here) = both.unwrap_or(("another network", "this one"));
            return Err(mistake(format!(
                "--resume: {} is of another computation: there {there}, here {here}; name another folder",
                path.display()
            )));
        }
        let mut numbers = |name: &str| match file.read(name).map_err(|_| damaged())? {
            NpyArray::Floats(array) => Ok(array),
            _ => Err(damaged()),
        };
        let networks = numbers("networks")?;
        let mut stacked = |name: &str| numbers(name)?.into_dimensionality::<Ix3>().map_err(|_| damaged());
        let (means, errors) = (stacked("mean")?, stacked("error")?);
        if [means.len_of(Axis(0)), errors.len_of(Axis(0))] != [networks.len(); 2] {
            return Err(damaged());
        }
        let pieces = networks.iter().zip(means.outer_iter().zip(errors.outer_iter()));
        let piece = |(networks, (mean, error)): (&f64, _)| {
            let [mean, error]: [ndarray::ArrayView2<'_, f64>; 2] = [mean, error];
            Piece { networks: *networks as usize, mean: mean.to_owned(), error: error.to_owned() }
        };
        Ok(pieces.map(piece).collect())
    }

    /// Keeps the pieces of a kernel and width, all or none of them.
    pub(super) fn write(&self, kind: Kind, width: usize, pieces: &[Piece]) -> anyhow::Result<()> {
        let Some(path) = self.file(kind, width) else { return Ok(()) };
        let networks: Array1<f64> = pieces.iter().map(|piece| piece.networks as f64).collect();
        let (mean, error) = (stacked(pieces, |piece| &piece.mean), stacked(pieces, |piece| &piece.error));
        let arrays = [
            ("identity", std::slice::from_ref(&self.identity).into()),
            ("networks", (&networks).into()),
            ("mean", (&mean).into()),
            ("error", (&error).into()),
        ];
        Ok(write_npz(&path, &arrays)?)
    }
}

fn stacked(pieces: &[Piece], of: impl Fn(&Piece) -> &Array2<f64>) -> Array3<f64> {
    let views: Vec<_> = pieces.iter().map(|piece| of(piece).view()).collect();
    stack(Axis(0), &views).unwrap_or_else(|_| Array3::zeros((0, 0, 0)))
}
