//! pooled: the planes of an earlier stage, in the form of the op that reads them.

use ekernel_core::plan::{Form, Stage};

use super::params::Params;
use crate::host::pools_defects;

pub(super) fn params(params: Params, source: &Stage) -> Params {
    let carried = source.ops.last().map_or(Form::Cov, |last| last.form);
    Params { pooled: pools_defects(source).into(), input_defect: (carried == Form::Defect).into(), ..params }
}
