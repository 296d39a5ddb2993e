//! Finds the variances of copies of images, stage by stage.

use ekernel_core::{
    BackendError,
    plan::{Plan, PlaneOp, Sink},
};
use ekernel_pairs::Watch;

use crate::{
    image::Image,
    planes::{Beat, Lanes, Pack, pooled_self},
    simd::Isa,
};

impl Image {
    /// The copies with these pixels, their variances found stage by stage.
    ///
    /// # Errors
    /// [`BackendError::Cancelled`].
    pub fn all(
        plan: &Plan,
        isa: Isa,
        pixels: Vec<Vec<f64>>,
        watch: Watch<'_>,
    ) -> Result<Vec<Image>, BackendError> {
        let new = |features| Image { features, variances: Vec::new() };
        let mut images: Vec<Image> = pixels.into_iter().map(new).collect();
        for stage in 0..plan.stages.len() {
            // Pooled variances come from whole planes of the earlier stage, of all images at once.
            let pooled: Vec<Option<Vec<Vec<f64>>>> = plan.stages[stage]
                .ops
                .iter()
                .map(|op| match op.op {
                    PlaneOp::Pooled(source) => pooled_variances(plan, isa, source, &images, watch).map(Some),
                    _ => Ok(None),
                })
                .collect::<Result<_, BackendError>>()?;
            for (lane, image) in images.iter_mut().enumerate() {
                watch.check()?;
                let mut maps: Vec<Vec<f64>> = Vec::new();
                for (i, pooled) in pooled.iter().enumerate() {
                    let pixels = (&image.features[..], plan.input.channels());
                    maps.push(match pooled {
                        Some(pooled) => pooled[lane].clone(),
                        None => plan.stages[stage].variances(i, pixels, &maps),
                    });
                }
                image.variances.push(maps);
            }
        }
        Ok(images)
    }
}

/// K(T, T) of each image's own pooled kernel.
fn pooled_variances(
    plan: &Plan,
    isa: Isa,
    source: usize,
    images: &[Image],
    watch: Watch<'_>,
) -> Result<Vec<Vec<f64>>, BackendError> {
    let stage = &plan.stages[source];
    let positions = stage.output[0] * stage.output[1];
    if let Sink::Rewrap = stage.sink {
        let last = |image: &Image| image.variances[source].last().cloned();
        return Ok(images.iter().map(|image| last(image).expect("a stage has at least one op")).collect());
    }
    let (lanes, beat) = (isa.lanes::<f64>(), Beat::silent(watch));
    let mut out = Vec::new();
    for chunk in images.chunks(lanes) {
        let refs: Vec<&Image> = chunk.iter().collect();
        let pack = Pack::<f64>::until(plan, source + 1, &refs, lanes);
        let ones = vec![1.0; lanes];
        let job = Lanes {
            plan,
            isa,
            lanes,
            first: &pack,
            second: &pack,
            fused: &[],
            images: Vec::new(),
            identical: ones.clone(),
            same: ones,
            beat: &beat,
        };
        let plane = pooled_self(&job, source);
        watch.check()?;
        for (lane, image) in chunk.iter().enumerate() {
            let pooled = (0..positions).map(|t| plane[t * lanes + lane]);
            out.push(plan.pooled_variances(source, &image.variances, pooled));
        }
    }
    Ok(out)
}
