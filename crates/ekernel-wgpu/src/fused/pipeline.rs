//! The pipeline of one chain on one device, and what it binds.

use std::ops::Range;

use bytemuck::{Pod, Zeroable};
use ekernel_core::Padding;

use super::{
    chain::{Action, Chain, Layer, Scale},
    planner::Layout,
};
use crate::{
    Device, GpuError,
    bindings::{READ, UNIFORM, WRITE, group, layout as layout_of},
    strategy::Lanes,
};

/// `Level` of `shaders/fused/chain.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
struct Level {
    window: [i32; 2],
    before: [i32; 2],
    extent: [i32; 2],
    map: u32,
    exponent: i32,
    numbers: [f32; 4],
    more: [f32; 4],
}

/// A compiled chain.
pub(super) struct Pipeline {
    device: Device,
    label: String,
    pipeline: wgpu::ComputePipeline,
    /// Lanes and both pages; levels, runs, results and the job.
    layouts: [wgpu::BindGroupLayout; 2],
    levels: wgpu::Buffer,
    runs: wgpu::Buffer,
}

impl Pipeline {
    pub(super) fn new(device: &Device, chain: &Chain, layout: &Layout) -> Result<Pipeline, GpuError> {
        let shader = layout.shader(chain);
        let layouts = [
            layout_of(device, "ekernel.chain", &[READ; 3])?,
            layout_of(device, "ekernel.chain", &[READ, READ, WRITE, UNIFORM])?,
        ];
        let constants = constants(chain, layout);
        let [first, second] = &layouts;
        let pipeline = device.pipeline(&shader.label(), || shader.source(), &constants, &[first, second])?;
        let storage = wgpu::BufferUsages::STORAGE;
        let levels: Vec<Level> = (0..=chain.layers.len()).map(|level| numbers(chain, level)).collect();
        let runs = [layout.axes[0].runs.as_slice(), layout.axes[1].runs.as_slice()].concat();
        Ok(Pipeline {
            levels: device.upload("ekernel.levels", bytemuck::cast_slice(&levels), storage)?,
            runs: device.upload("ekernel.runs", bytemuck::cast_slice(&runs), storage)?,
            device: device.clone(),
            label: shader.label(),
            pipeline,
            layouts,
        })
    }

    pub(super) fn label(&self) -> &str {
        &self.label
    }

    pub(super) fn get(&self) -> &wgpu::ComputePipeline {
        &self.pipeline
    }

    /// Binds lanes and both pages.
    pub(super) fn lanes(&self, lanes: &Lanes<'_>) -> Result<wgpu::BindGroup, GpuError> {
        let buffers = [lanes.lanes, lanes.first, lanes.second];
        group(&self.device, &self.label, &self.layouts[0], &buffers)
    }

    /// Binds what is done with some of all parts of all lanes.
    pub(super) fn job(&self, lanes: &Lanes<'_>, parts: Range<u64>) -> Result<wgpu::BindGroup, GpuError> {
        let job = [parts.start as u32, parts.end as u32, 0, 0];
        let job =
            self.device.upload("ekernel.job", bytemuck::cast_slice(&job), wgpu::BufferUsages::UNIFORM)?;
        let buffers = [&self.levels, &self.runs, lanes.results, &job];
        group(&self.device, &self.label, &self.layouts[1], &buffers)
    }
}

/// A level's numbers.
fn numbers(chain: &Chain, level: usize) -> Level {
    let layer = level.checked_sub(1).map(|layer| chain.layers[layer]);
    let pair = |values: [usize; 2]| values.map(|value| value as i32);
    let single = |numbers: [f64; 4]| numbers.map(|x| x as f32);
    let (exponent, numbers, more) = match layer.map(|layer| layer.action) {
        None => (0, [0.0; 4], [0.0; 4]),
        Some(Action::Kinked { bias, jump }) => {
            let (mantissa, exponent) = bias.map_or((0.0, 0), |bias| (bias.mantissa, bias.exponent));
            let low = mantissa - f64::from(mantissa as f32);
            (exponent, single([mantissa, low, jump, 0.0]), [0.0; 4])
        }
        Some(Action::Smooth { weights, dual, .. }) => {
            (f32::NAN.to_bits() as i32, single(weights), single(dual))
        }
    };
    Level {
        window: pair(layer.map_or([1; 2], |layer| layer.window)),
        before: pair(layer.map_or([0; 2], |layer| layer.before)),
        extent: pair(chain.extent(level)),
        map: chain.map(level) as u32,
        exponent,
        numbers,
        more,
    }
}

/// The `override` constants of `shaders/fused/chain.wgsl`.
pub(super) fn constants(chain: &Chain, layout: &Layout) -> Vec<(&'static str, f64)> {
    let [rows, cols] = &layout.axes;
    let flag = |set: bool| f64::from(u8::from(set));
    let mut constants = vec![
        ("ROWS", rows.cells() as f64),
        ("COLS", cols.cells() as f64),
        ("ACROSS", layout.across() as f64),
        ("PACK", layout.pack as f64),
        ("ITEMS", layout.items as f64),
        ("STRIPS", layout.strips as f64),
        ("BLOCKS", layout.blocks as f64),
        ("MARGIN_ROWS", rows.margin as f64),
        ("MARGIN_COLS", cols.margin as f64),
        ("GAP_COLS", cols.gap as f64),
        ("LAST_ROW", (rows.margin + rows.data) as f64),
        ("HELD", layout.held as f64),
        ("MASKED", flag(chain.padding == Padding::Same)),
        ("WRAP_ROWS", flag(rows.wraps)),
        ("WRAP_COLS", flag(cols.wraps)),
        ("CIRCULAR", flag(chain.padding == Padding::Circular)),
        ("ROW_RUNS", rows.runs.len() as f64),
        ("COL_RUNS", cols.runs.len() as f64),
        ("LAYERS", chain.layers.len() as f64),
        ("CHANNELS", chain.shape[2] as f64),
        ("COPY_ENTRIES", chain.copy_entries() as f64),
        ("NTK", flag(chain.has_ntk)),
    ];
    if chain.is_kinked() {
        let any = |is: &dyn Fn(Option<Scale>, f64) -> bool| {
            let of = |layer: &Layer| matches!(layer.action, Action::Kinked { bias, jump } if is(bias, jump));
            flag(chain.layers.iter().any(of))
        };
        constants.push(("NEGATIVE", any(&|_, jump| jump < 1.0)));
        constants.push(("RELU", 1.0 - any(&|_, jump| jump as f32 != 1.0)));
        constants.push(("BIASED", any(&|bias, _| bias.is_some())));
    }
    constants
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_lies_as_the_shader_reads_it() {
        crate::wgsl_layout::same_layout!(
            Level,
            "Level" of ekernel_shaders::Fused { dual: ekernel_shaders::Dual::Kinked, window: None, ntk: true, rows: 1 }.source(),
            window, before, extent, map, exponent, numbers, more,
        );
    }
}
