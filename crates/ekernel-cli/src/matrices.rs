//! The kernels that `ekernel gram` stores: in memory, or read from their tiles while they are
//! written.

use std::io;

use ekernel_core::{Control, KernelSet, Kernels};
use ekernel_data::{Output, Rows};
use ekernel_experiment::Kind;
use ekernel_gram::Stored;
use ndarray::ArrayView2;

/// Where the kernels are.
pub(crate) enum Matrices {
    Held(Kernels),
    Stored(Stored),
}

/// One of the kernels of a store.
#[derive(Debug)]
pub(crate) struct StoredRows<'a> {
    stored: &'a Stored,
    kind: Kind,
    control: &'a Control,
}

impl Matrices {
    /// The kernels of a store as they are written; none of those in memory.
    pub(crate) fn rows<'a>(&'a self, control: &'a Control) -> Vec<StoredRows<'a>> {
        match self {
            Matrices::Held(_) => Vec::new(),
            Matrices::Stored(stored) => {
                let both = stored.kinds() == KernelSet::Both;
                let kinds = if both { &[Kind::Nngp, Kind::Ntk][..] } else { &[Kind::Nngp] };
                kinds.iter().map(|&kind| StoredRows { stored, kind, control }).collect()
            }
        }
    }

    /// The arrays of those of `kinds` that are there, by name.
    pub(crate) fn arrays<'a>(
        &'a self,
        rows: &'a [StoredRows<'a>],
        kinds: &[Kind],
    ) -> Vec<(&'static str, Output<'a>)> {
        let all: Vec<(Kind, Output<'a>)> = match self {
            Matrices::Held(Kernels { nngp, ntk }) => {
                let ntk = ntk.iter().map(|ntk| (Kind::Ntk, ntk.into()));
                [(Kind::Nngp, nngp.into())].into_iter().chain(ntk).collect()
            }
            Matrices::Stored(_) => rows.iter().map(|rows| (rows.kind, Output::Rows(rows))).collect(),
        };
        let wanted = all.into_iter().filter(|(kind, _)| kinds.contains(kind));
        wanted.map(|(kind, array)| (kind.name(), array)).collect()
    }
}

impl Rows for StoredRows<'_> {
    fn shape(&self) -> [usize; 2] {
        self.stored.shape()
    }

    fn read(&self, take: &mut dyn FnMut(ArrayView2<'_, f64>) -> io::Result<()>) -> io::Result<()> {
        for band in self.stored.bands() {
            self.control.check().map_err(io::Error::other)?;
            let kernels = band.map_err(io::Error::other)?.kernels;
            let matrix = match self.kind {
                Kind::Nngp => kernels.nngp,
                Kind::Ntk => kernels.ntk.expect("a store of both kernels has the NTK"),
            };
            take(matrix.view())?;
        }
        Ok(())
    }
}
