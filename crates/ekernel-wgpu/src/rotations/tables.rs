//! Tables that are the same for all pairs: Wigner functions ring by ring, cosines and sines, the numbers of the ops.

use std::f64::consts::{PI, SQRT_2, TAU};

use ekernel_core::{
    BackendError,
    plan::{Pointwise, RotationStage, SphereOp},
};
use ekernel_harmonic::{HarmonicError, RotationGrid, WignerTable};
use ekernel_signals::refused;

use super::passes::Passes;
use crate::{Device, layered::dual::family, resident::PAGE_BYTES};

/// The tables of a stage on a device.
pub(super) struct Tables {
    /// Rings of a page.
    pub(super) per_page: usize,
    /// `[field][page]`.
    pub(super) wigner: Vec<Vec<wgpu::Buffer>>,
    /// `[angle][order]`, then four numbers of each op behind four that are not numbers.
    pub(super) circle: wgpu::Buffer,
    /// What each point of a ring counts in a mean over the group.
    pub(super) weights: Vec<f64>,
}

impl Tables {
    pub(super) fn new(
        device: &Device,
        stage: &RotationStage,
        passes: &Passes,
    ) -> Result<Tables, BackendError> {
        let grid = RotationGrid::gauss_legendre(stage.nodes).map_err(refused("wgpu"))?;
        let largest = passes.fields.iter().map(|field| field.bandlimit).max().unwrap_or(1);
        let bytes = PAGE_BYTES.min(device.largest_binding());
        let per_page = (bytes / (4 * ring_words(largest) as u64)).clamp(1, stage.nodes as u64) as usize;
        let storage = wgpu::BufferUsages::STORAGE;
        let mut wigner = Vec::new();
        for field in &passes.fields {
            let mut pages = Vec::new();
            for first in (0..stage.nodes).step_by(per_page) {
                let mut words = Vec::new();
                for j in first..(first + per_page).min(stage.nodes) {
                    ring(field.bandlimit, &grid, j, &mut words).map_err(refused("wgpu"))?;
                }
                pages.push(device.upload("ekernel.wigner", bytemuck::cast_slice(&words), storage)?);
            }
            wigner.push(pages);
        }
        let mut circle = angles(2 * stage.nodes, passes.line());
        circle.extend([f32::NAN; 4]);
        circle.extend(stage.ops.iter().flat_map(|op| numbers(&op.op)));
        Ok(Tables {
            per_page,
            wigner,
            circle: device.upload("ekernel.circle", bytemuck::cast_slice(&circle), storage)?,
            weights: (0..stage.nodes).map(|j| grid.volume(j) / (8.0 * PI * PI)).collect(),
        })
    }

    /// Bytes on the device.
    pub(super) fn bytes(&self) -> u64 {
        self.wigner.iter().flatten().chain([&self.circle]).map(wgpu::Buffer::size).sum()
    }
}

/// Words of a ring, as in `rotations/grid.wgsl`.
fn ring_words(bandlimit: usize) -> usize {
    bandlimit * (bandlimit + 1) * (2 * bandlimit + 1) / 3 + 1
}

/// `[l][m][n]` for m, n ≥ 0: d^l_mn ± (−1)^n d^l_m,−n; √2 d^l_mn and 0 where one of m and n is 0, d^l_00 and 0 where both are.
/// Then the weight.
fn ring(bandlimit: usize, grid: &RotationGrid, j: usize, words: &mut Vec<f32>) -> Result<(), HarmonicError> {
    let table = WignerTable::<f64>::new(bandlimit, &[grid.polar().angles()[j]])?;
    for l in 0..bandlimit {
        for m in 0..=l as isize {
            for n in 0..=l as isize {
                let d = table.get(0, l, m, n);
                let turned = if n % 2 == 0 { 1.0 } else { -1.0 } * table.get(0, l, m, -n);
                let pair = match (m, n) {
                    (0, 0) => [d, 0.0],
                    (0, _) | (_, 0) => [SQRT_2 * d, 0.0],
                    _ => [d + turned, d - turned],
                };
                words.extend(pair.map(|x| x as f32));
            }
        }
    }
    words.push((grid.volume(j) / (8.0 * PI * PI)) as f32);
    Ok(())
}

/// 1, cos x, sin x, cos 2x, sin 2x, … at equidistant angles.
fn angles(points: usize, line: usize) -> Vec<f32> {
    let number = |at: usize| {
        let (point, order) = (at / line, at % line);
        let (sin, cos) = (TAU * (point * order.div_ceil(2) % points) as f64 / points as f64).sin_cos();
        (if order > 0 && order.is_multiple_of(2) { sin } else { cos }) as f32
    };
    (0..points * line).map(number).collect()
}

fn numbers(op: &SphereOp) -> [f32; 4] {
    let numbers = match op {
        SphereOp::Pointwise(Pointwise::Affine(affine)) => {
            [affine.w2, affine.b2, affine.ntk_scale, affine.ntk_shift]
        }
        SphereOp::Pointwise(Pointwise::Dual(activation)) => family(*activation).1,
        _ => [0.0; 4],
    };
    numbers.map(|x| x as f32)
}
