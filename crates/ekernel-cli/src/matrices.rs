//! The kernels that `ekernel gram` stores: in memory, or read from their tiles while they are
//! written.

use std::io;

use ekernel_core::{Control, KernelSet, Kernels};
use ekernel_data::{Output, Rows};
use ekernel_experiment::Kind;
use ekernel_finite::Estimate;
use ekernel_gram::Stored;
use ndarray::ArrayView2;

/// Where the kernels are.
pub(crate) enum Matrices {
    Held(Kernels),
    Stored(Stored),
    Sampled(Estimate),
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
            Matrices::Held(_) | Matrices::Sampled(_) => Vec::new(),
            Matrices::Stored(stored) => {
                let both = stored.kinds() == KernelSet::Both;
                let kinds = if both { &[Kind::Nngp, Kind::Ntk][..] } else { &[Kind::Nngp] };
                kinds.iter().map(|&kind| StoredRows { stored, kind, control }).collect()
            }
        }
    }

    /// The arrays of those of `kinds` that are there, by name; of sampled ones their standard errors too.
    pub(crate) fn arrays<'a>(
        &'a self,
        rows: &'a [StoredRows<'a>],
        kinds: &[Kind],
    ) -> Vec<(&'static str, Output<'a>)> {
        let all: Vec<(Kind, &'static str, Output<'a>)> = match self {
            Matrices::Held(Kernels { nngp, ntk }) => {
                let ntk = ntk.iter().map(|ntk| (Kind::Ntk, Kind::Ntk.name(), ntk.into()));
                [(Kind::Nngp, Kind::Nngp.name(), nngp.into())].into_iter().chain(ntk).collect()
            }
            Matrices::Stored(_) => {
                rows.iter().map(|rows| (rows.kind, rows.kind.name(), Output::Rows(rows))).collect()
            }
            Matrices::Sampled(Estimate { nngp: [nngp, nngp_error], ntk, .. }) => {
                let ntk = ntk.iter().flat_map(|[ntk, error]| {
                    [(Kind::Ntk, Kind::Ntk.name(), ntk.into()), (Kind::Ntk, "ntk_error", error.into())]
                });
                let nngp = [
                    (Kind::Nngp, Kind::Nngp.name(), nngp.into()),
                    (Kind::Nngp, "nngp_error", nngp_error.into()),
                ];
                nngp.into_iter().chain(ntk).collect()
            }
        };
        let wanted = all.into_iter().filter(|(kind, ..)| kinds.contains(kind));
        wanted.map(|(_, name, array)| (name, array)).collect()
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
