//! sum: ΣK_i, ΣΘ_i, a dispatch per branch; the first one writes, the others add.

use super::params::Params;

pub(super) fn params(params: Params, branch: usize) -> Params {
    Params { accumulate: (branch > 0).into(), ..params }
}
