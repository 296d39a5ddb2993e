//! The parameters of a dispatch, `Op` in `shaders/layered/plane.wgsl`.

use bytemuck::{Pod, Zeroable};
use ekernel_core::plan::{Form, Plan, PlaneOp};

use super::{layout::Layout, rectangle::Rectangle};

/// Field by field as in WGSL.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Params {
    pub(super) lanes: u32,
    pub(super) rows: u32,
    pub(super) cols: u32,
    pub(super) copy_words: u32,
    pub(super) extent: [i32; 2],
    pub(super) input_extent: [i32; 2],
    pub(super) step: [i32; 2],
    pub(super) cyclic: u32,
    pub(super) has_ntk: u32,
    pub(super) defect: u32,
    pub(super) input_defect: u32,
    pub(super) dropped: u32,
    pub(super) accumulate: u32,
    pub(super) std_before: u32,
    pub(super) inverse_before: u32,
    pub(super) variance_before: u32,
    pub(super) std_after: u32,
    pub(super) inverse_after: u32,
    pub(super) special: u32,
    pub(super) second_special: u32,
    pub(super) channels: u32,
    pub(super) window: [i32; 2],
    pub(super) stride: [i32; 2],
    pub(super) low: [i32; 2],
    pub(super) circular: u32,
    pub(super) pooled: u32,
    pub(super) numbers: [f32; 4],
    pub(super) nan: f32,
    pub(super) zero: u32,
    pub(super) start: u32,
    pub(super) output_cyclic: u32,
    pub(super) fine: [u32; 2],
    pub(super) fine_low: [i32; 2],
    pub(super) fine_span: [u32; 2],
    pub(super) fine_cyclic: u32,
    pub(super) planes: u32,
    pub(super) base: [u32; 2],
    pub(super) all_cols: u32,
    pub(super) spare: u32,
    pub(super) tap_begin: [i32; 2],
    pub(super) tap_end: [i32; 2],
    pub(super) fine_begin: [i32; 2],
    pub(super) fine_end: [i32; 2],
}

impl Params {
    /// What every op needs: extents, forms, maps. `input` is the op that is read.
    pub(super) fn of_op(
        plan: &Plan,
        layout: &Layout,
        (stage, index): (usize, usize),
        input: Option<usize>,
    ) -> Params {
        let ops = &plan.stages[stage].ops;
        let op = &ops[index];
        let before = input.map_or(op, |input| &ops[input]);
        let words = layout.stages[stage][index];
        let words_before = input.map_or(words, |input| layout.stages[stage][input]);
        Params {
            copy_words: layout.words() as u32,
            extent: op.at.extent.map(|n| n as i32),
            input_extent: before.at.extent.map(|n| n as i32),
            step: op.at.step.map(|n| n as i32),
            cyclic: op.at.cyclic.into(),
            has_ntk: (plan.kinds == ekernel_core::KernelSet::Both).into(),
            defect: (op.at.form == Form::Defect).into(),
            input_defect: (before.at.form == Form::Defect).into(),
            dropped: plan.facts().of(stage)[index].behind_dropout.into(),
            std_before: words_before.std,
            inverse_before: words_before.inverse,
            variance_before: words_before.variance,
            std_after: words.std,
            inverse_after: words.inverse,
            special: words.special,
            second_special: words.loss,
            channels: if op.op == PlaneOp::Correlate { plan.input.channels() as u32 } else { 0 },
            nan: f32::NAN,
            ..Params::default()
        }
    }

    /// What of each element's sum is added, where an earlier dispatch may have written.
    pub(super) fn adding(self, part: Rectangle) -> Params {
        let numbers = |at: [usize; 2]| at.map(|n| n as i32);
        let accumulate = (part.begin != [0, 0]).into();
        Params { tap_begin: numbers(part.begin), tap_end: numbers(part.end), accumulate, ..self }
    }

    /// Elements of the output.
    pub(super) fn elements(&self) -> u64 {
        let positions = (self.extent[0] * self.extent[1]) as u64;
        u64::from(self.lanes) * u64::from(self.rows) * u64::from(self.cols) * positions
    }

    /// Bytes of the output.
    pub(super) fn bytes(&self) -> u64 {
        4 * self.elements() * u64::from(1 + self.has_ntk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_lie_as_the_shader_reads_them() {
        crate::wgsl_layout::same_layout!(
            Params,
            "Op" of ekernel_shaders::Stage::Affine.source(),
            lanes, rows, cols, copy_words, extent, input_extent, step, cyclic, has_ntk, defect, input_defect, dropped, accumulate, std_before, inverse_before, variance_before, std_after, inverse_after, special, second_special, channels, window, stride, low, circular, pooled, numbers, nan, zero, start, output_cyclic, fine, fine_low, fine_span, fine_cyclic, planes, base, all_cols, spare, tap_begin, tap_end, fine_begin, fine_end,
        );
    }
}
