//! Room for whole rings of values, where they are passed over more than once.

use ekernel_harmonic::{LaneBuffer, LaneTransform, LaneWorkspace};

use super::{
    fields::{Fields, Origin},
    pack::Number,
};

/// Rings of values.
pub(super) struct Rooms<T, const W: usize> {
    /// Per field, d and (behind a truncation or a sum) Θ.
    pub(super) fields: Vec<[LaneBuffer<T, W>; 2]>,
    /// Per truncation, the spectrum of its Θ.
    pub(super) spectra: Vec<Option<LaneWorkspace<T, W>>>,
    /// u and Θ of the op at hand.
    pub(super) out: [LaneBuffer<T, W>; 2],
}

impl<T: Number, const W: usize> Rooms<T, W> {
    /// How many rings there is room for.
    pub(super) fn rings(fields: &Fields) -> usize {
        2 * fields.fields.len() + 2
    }

    /// Room for rings of `ring` points.
    pub(super) fn new(
        fields: &Fields,
        transforms: &[Option<LaneTransform<T>>],
        ring: usize,
        ntk: bool,
    ) -> Rooms<T, W> {
        let zeros = |wanted: bool| LaneBuffer::zeros(if wanted { ring } else { 0 });
        let carries = |origin: &Origin| ntk && !matches!(origin, Origin::Lift(_));
        let fields = &fields.fields;
        let spectrum = |(at, origin): (usize, &Origin)| match origin {
            Origin::Truncate { .. } if ntk => transforms[at].as_ref().map(LaneTransform::workspace),
            _ => None,
        };
        Rooms {
            fields: fields.iter().map(|field| [zeros(true), zeros(carries(&field.origin))]).collect(),
            spectra: fields.iter().map(|field| &field.origin).enumerate().map(spectrum).collect(),
            out: [zeros(true), zeros(ntk)],
        }
    }
}
