//! dropout.

use ekernel_core::Dropout;

use crate::field::Field;

/// Of a sample with itself, K and Θ at equal positions are divided by the keep rate; all else stays.
pub(super) fn dropout(dropout: &Dropout, field: &Field, same: bool) -> Field {
    field.map(field.domain, |tensor| {
        let mut tensor = tensor.clone();
        if same {
            tensor.diag_mut().mapv_inplace(|entry| entry / dropout.keep_rate);
        }
        tensor
    })
}
