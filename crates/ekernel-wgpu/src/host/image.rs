//! One copy of a sample and its variances along the plan, in float64.

use ekernel_core::{
    BackendError, Control, GroupElement, Samples,
    plan::{Op, Plan, Sink, Variances},
};

use super::{Maps, Pair};

/// A copy g·f of a sample.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    /// Pixels `[row][col][channel]`, divided by the sample's size.
    pub(crate) features: Vec<f64>,
    /// K_ff(t, t) behind every op of every stage, `[stage][op][position]`.
    pub(crate) variances: Variances,
}

impl Image {
    /// The copy g·f of a sample divided by `size`, with its variances.
    ///
    /// Errors: [`BackendError::Cancelled`].
    pub(crate) fn new(
        plan: &Plan,
        samples: &Samples,
        (index, element): (usize, GroupElement),
        size: f64,
        control: &Control,
    ) -> Result<Image, BackendError> {
        let mut image = Image { features: samples.copy(index, element, size), variances: Vec::new() };
        for stage in 0..plan.stages.len() {
            let mut maps: Vec<Vec<f64>> = Vec::new();
            for (i, op) in plan.stages[stage].ops.iter().enumerate() {
                let pixels = (&image.features[..], plan.input.channels());
                maps.push(match op.op {
                    Op::Pooled(source) => pooled(plan, source, &image, control)?,
                    _ => plan.stages[stage].variances(i, pixels, &maps),
                });
            }
            image.variances.push(maps);
        }
        Ok(image)
    }
}

/// K(T, T) of the copy's own pooled kernel.
fn pooled(plan: &Plan, source: usize, image: &Image, control: &Control) -> Result<Vec<f64>, BackendError> {
    let stage = &plan.stages[source];
    if stage.sink == Sink::Rewrap {
        return Ok(image.variances[source].last().cloned().unwrap_or_default());
    }
    let maps = Maps::new(plan, image);
    let plane = Pair::new(plan, [&maps, &maps], true, true, control).pooled(source, [0, 0])?;
    Ok(plan.pooled_variances(source, &image.variances, plane.cov))
}
