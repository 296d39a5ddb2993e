//! sum of independent branches.

use crate::field::Field;

/// K = Σ K_i, Θ = Σ Θ_i.
pub(super) fn sum(fields: &[&Field]) -> Field {
    let mut total = fields[0].clone();
    for field in &fields[1..] {
        total.nngp += &field.nngp;
        total.ntk += &field.ntk;
    }
    total
}
