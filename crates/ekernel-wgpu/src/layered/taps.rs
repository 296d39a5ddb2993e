//! Taps of one element in one dispatch: some drivers end an invocation silently after 65535 iterations of a loop, and the sums
//! would be wrong.

use ekernel_core::{
    Input, Plan, Window,
    plan::{Op, Sink},
};

/// Taps of an invocation at most.
const TAPS: usize = 30_000;

/// Whether no element of the readout `stage`, and of the stages it reads, has too many taps.
///
/// Errors: what has too many.
pub(super) fn check(plan: &Plan, stage: usize) -> Result<(), String> {
    let read = |op: &Op| if let Op::Pooled(source) = op { Some(*source) } else { None };
    let ops = || plan.stages[stage].ops.iter().map(|op| &op.op);
    for op in ops() {
        match op {
            Op::BoxMean(window) if window.area() > TAPS => return Err(too_many(window)),
            Op::Correlate => channels(plan)?,
            _ => {}
        }
    }
    for source in ops().filter_map(read) {
        if let Sink::LocalPool { window, .. } = &plan.stages[source].sink
            && window.size[1].saturating_mul(window.size[1]) > TAPS
        {
            return Err(too_many(window));
        }
        check(plan, source)?;
    }
    Ok(())
}

fn channels(plan: &Plan) -> Result<(), String> {
    match plan.input {
        Input::Image { channels, .. } if channels > TAPS => {
            Err(format!("{channels} channels are too many for one dispatch"))
        }
        _ => Ok(()),
    }
}

fn too_many(window: &Window) -> String {
    format!("a window of {}x{} has too many taps for one dispatch", window.size[0], window.size[1])
}

#[cfg(test)]
mod tests {
    use ekernel_core::{Kinds, Network};

    use super::*;

    fn checked(shape: [usize; 3], layers: &str) -> Result<(), String> {
        let text = format!(
            "[input]\nspace = 'image'\nshape = {shape:?}\n{layers}\n[[layers]]\nop = 'relu'\n[[layers]]\nop = 'global_avg_pool'\n"
        );
        let network: Network = text.parse().expect("a network");
        let plan = Plan::new(&network, Kinds::Both).expect("a plan");
        let last = plan.stages.len() - 1;
        check(&plan, last)
    }

    fn conv(side: usize) -> String {
        format!("[[layers]]\nop = 'conv'\nfilter = [{side}, {side}]\npadding = 'valid'")
    }

    #[test]
    fn too_many_taps_are_refused() {
        assert_eq!(checked([180, 180, 1], &conv(173)), Ok(()));
        let refused = Err("a window of 174x174 has too many taps for one dispatch".to_owned());
        assert_eq!(checked([180, 180, 1], &conv(174)), refused);
        assert_eq!(checked([4, 4, 30_000], &conv(3)), Ok(()));
        let refused = Err("30001 channels are too many for one dispatch".to_owned());
        assert_eq!(checked([4, 4, 30_001], &conv(3)), refused);
    }

    #[test]
    fn too_wide_local_pools_are_refused() {
        let pool = |side: usize| {
            let conv = conv(1);
            format!(
                "{conv}\n[[layers]]\nop = 'relu'\n[[layers]]\nop = 'avg_pool'\nwindow = [1, {side}]\n{conv}"
            )
        };
        assert_eq!(checked([1, 346, 1], &pool(173)), Ok(()));
        let refused = Err("a window of 1x174 has too many taps for one dispatch".to_owned());
        assert_eq!(checked([1, 348, 1], &pool(174)), refused);
    }
}
