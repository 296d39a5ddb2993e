//! The pipeline of one chain on one device, and what it binds.

use std::ops::Range;

use bytemuck::{Pod, Zeroable};
use ekernel_core::Padding;
use ekernel_shaders::Fused as Shader;

use super::{
    chain::{Action, Chain, Layer},
    planner::Layout,
};
use crate::{Device, GpuError, strategy::Lanes};

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
        let shader = Shader { dual: chain.dual, windows_3x3: chain.all_3x3() };
        let [read, write, uniform] = [
            wgpu::BufferBindingType::Storage { read_only: true },
            wgpu::BufferBindingType::Storage { read_only: false },
            wgpu::BufferBindingType::Uniform,
        ];
        let layouts = [
            bind_group_layout(device, &[read; 3])?,
            bind_group_layout(device, &[read, read, write, uniform])?,
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

    /// The bind groups for some of the lanes.
    pub(super) fn groups(
        &self,
        lanes: &Lanes<'_>,
        range: Range<u32>,
    ) -> Result<[wgpu::BindGroup; 2], GpuError> {
        let job = [range.start, range.end, 0, 0];
        let job =
            self.device.upload("ekernel.job", bytemuck::cast_slice(&job), wgpu::BufferUsages::UNIFORM)?;
        Ok([
            self.group(0, &[lanes.lanes, lanes.first, lanes.second])?,
            self.group(1, &[&self.levels, &self.runs, lanes.results, &job])?,
        ])
    }

    fn group(&self, index: usize, buffers: &[&wgpu::Buffer]) -> Result<wgpu::BindGroup, GpuError> {
        let bound = buffers.iter().map(|buffer| buffer.as_entire_binding());
        let entries: Vec<wgpu::BindGroupEntry<'_>> =
            (0..).zip(bound).map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource }).collect();
        let descriptor = wgpu::BindGroupDescriptor {
            label: Some(&self.label),
            layout: &self.layouts[index],
            entries: &entries,
        };
        self.device.checked(&self.label, 0, |device| device.create_bind_group(&descriptor))
    }
}

fn bind_group_layout(
    device: &Device,
    types: &[wgpu::BufferBindingType],
) -> Result<wgpu::BindGroupLayout, GpuError> {
    let entry = |(binding, ty): (u32, &wgpu::BufferBindingType)| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty: *ty, has_dynamic_offset: false, min_binding_size: None },
        count: None,
    };
    let entries: Vec<wgpu::BindGroupLayoutEntry> = (0..).zip(types).map(entry).collect();
    let descriptor = wgpu::BindGroupLayoutDescriptor { label: Some("ekernel.chain"), entries: &entries };
    device.checked("ekernel.chain", 0, |device| device.create_bind_group_layout(&descriptor))
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
fn constants(chain: &Chain, layout: &Layout) -> Vec<(&'static str, f64)> {
    let [rows, cols] = &layout.axes;
    let flag = |set: bool| f64::from(u8::from(set));
    let mut constants = vec![
        ("ROWS", rows.cells() as f64),
        ("COLS", cols.cells() as f64),
        ("ACROSS", layout.across() as f64),
        ("PACK", layout.pack as f64),
        ("ITEMS", layout.items as f64),
        ("STRIPS", layout.strips as f64),
        ("ROWS_PER_STRIP", layout.rows_per_strip as f64),
        ("MARGIN_ROWS", rows.margin as f64),
        ("MARGIN_COLS", cols.margin as f64),
        ("GAP_COLS", cols.gap as f64),
        ("LAST_ROW", (rows.margin + rows.data) as f64),
        ("WRAP_ROWS", flag(rows.wraps)),
        ("WRAP_COLS", flag(cols.wraps)),
        ("CIRCULAR", flag(chain.padding == Padding::Circular)),
        ("ROW_RUNS", rows.runs.len() as f64),
        ("COL_RUNS", cols.runs.len() as f64),
        ("LAYERS", chain.layers.len() as f64),
        ("CHANNELS", chain.shape[2] as f64),
        ("COPY_PAIRS", chain.copy_pairs() as f64),
        ("NTK", flag(chain.has_ntk)),
    ];
    if chain.is_kinked() {
        let negative = |layer: &Layer| matches!(layer.action, Action::Kinked { jump, .. } if jump < 1.0);
        constants.push(("NEGATIVE", flag(chain.layers.iter().any(negative))));
    }
    constants
}
