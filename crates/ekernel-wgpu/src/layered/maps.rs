//! The maps that the ops read, of one copy.

use ekernel_core::plan::{Form, Plan, PlaneNode, PlaneOp, Pointwise, inverse_std, pool_loss};

use ekernel_cpu::float64::Image;

/// What one op needs of a copy, by position. Maps that the op has no use for are empty.
#[derive(Clone, Debug, Default)]
pub(super) struct OpMaps {
    /// s = √v of the op's output.
    pub(super) std: Vec<f64>,
    /// 1/s, 0 where s = 0.
    pub(super) inverse: Vec<f64>,
    /// v.
    pub(super) variance: Vec<f64>,
    /// normalize: 1/√(v + ε). pooled, where defects are pooled: m, the window mean of s before the pool.
    pub(super) special: Vec<f64>,
    /// pooled: α = (m² − v)/m².
    pub(super) loss: Vec<f64>,
    /// correlate: the features `[channel][position]`, divided by s where the op carries the defect.
    pub(super) features: Vec<f64>,
}

/// The maps of every op of the stages whose variances are known.
#[derive(Clone, Debug)]
pub(super) struct Maps(pub(super) Vec<Vec<OpMaps>>);

impl Maps {
    pub(super) fn new(plan: &Plan, image: &Image) -> Maps {
        let of_stage = |stage: usize| {
            let ops = &plan.stages[stage].ops;
            (0..ops.len()).map(|i| op_maps(plan, image, stage, i)).collect()
        };
        Maps((0..image.variances.len()).map(of_stage).collect())
    }
}

fn op_maps(plan: &Plan, image: &Image, stage: usize, index: usize) -> OpMaps {
    let op: &PlaneNode = &plan.stages[stage].ops[index];
    let v = &image.variances[stage][index];
    let mut maps = OpMaps {
        std: v.iter().map(|v| v.sqrt()).collect(),
        inverse: v.iter().map(|v| inverse_std(*v)).collect(),
        variance: v.clone(),
        ..OpMaps::default()
    };
    match op.op {
        PlaneOp::Pointwise(Pointwise::Normalize(over)) => {
            maps.special = over.factors(&image.variances[stage][op.inputs[0]])
        }
        PlaneOp::Pooled(source) if plan.stages[source].pools_defects() => {
            maps.special = plan.pool_means(source, &image.variances);
            maps.loss = maps.special.iter().zip(v).map(|(m, v)| pool_loss(*m, *v)).collect();
        }
        PlaneOp::Correlate => {
            let (positions, channels) = (v.len(), plan.input.channels());
            maps.features = vec![0.0; positions * channels];
            for t in 0..positions {
                let scale = if op.at.form == Form::Defect { maps.inverse[t] } else { 1.0 };
                for c in 0..channels {
                    maps.features[c * positions + t] = image.features[t * channels + c] * scale;
                }
            }
        }
        _ => {}
    }
    maps
}
