//! Which modules are compiled, and what is counted of them.

use ekernel_core::{KernelSet, Network, Plan};
use ekernel_shaders::{Fused, Stage};
use ekernel_wgpu::{FusedShader, Tuning, fused_shader, wgpu::Limits};

use crate::{
    count::{self, Count},
    radv::{Compiled, Radv},
};

/// Layers of a chain as it is compiled, so that the compiler does not write the loop over them out.
const LAYERS: f64 = 21.0;

/// One module on one GPU.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) module: String,
    /// The network whose chain it is; empty for a layered module.
    pub(crate) network: String,
    /// "nngp" or "both".
    pub(crate) kernels: &'static str,
    /// Of a chain: what one more row costs an invocation, which is one position and one layer. Of a layered module: all.
    pub(crate) count: Count,
    /// Issue slots of a layer beside its rows.
    pub(crate) slots_per_layer: f64,
    /// Rows that an invocation computes between two barriers.
    pub(crate) rows: usize,
    pub(crate) vector_registers: u64,
    pub(crate) scalar_registers: u64,
    pub(crate) spills: u64,
    /// Subgroups that a SIMD unit holds, by registers and by workgroup memory.
    pub(crate) occupancy: u64,
    pub(crate) workgroup_bytes: u64,
    pub(crate) code_bytes: u64,
}

impl Row {
    fn new(compiled: &Compiled, simd_units: u64, threads: u64) -> Row {
        let of = |name: &str| compiled.statistics.get(name).copied().unwrap_or(0);
        let bytes = of("LDS size");
        // A compute unit has 64 KiB of workgroup memory.
        let by_memory = match 65_536u64.checked_div(bytes) {
            Some(workgroups) => workgroups * threads.div_ceil(u64::from(compiled.subgroup)) / simd_units,
            None => u64::MAX,
        };
        Row {
            module: String::new(),
            network: String::new(),
            kernels: "both",
            count: Count::default(),
            slots_per_layer: 0.0,
            rows: 1,
            vector_registers: of("VGPRs"),
            scalar_registers: of("SGPRs"),
            spills: of("Spilled VGPRs") + of("Spilled SGPRs"),
            occupancy: of("Subgroups per SIMD").min(by_memory),
            workgroup_bytes: bytes,
            code_bytes: of("Code size"),
        }
    }
}

/// Networks of one chain each, with a name.
fn networks() -> Vec<(String, String)> {
    let chain = |layers: usize, padding: &str, windows: &[usize], activation: &str| {
        let mut text = "[input]\nspace = 'image'\nshape = [32, 32, 3]\n".to_owned();
        for layer in 0..layers {
            let q = windows[layer % windows.len()];
            text += &format!(
                "[[layers]]\nop = 'conv'\nfilter = [{q}, {q}]\npadding = '{padding}'\n[[layers]]\nop = '{activation}'\n"
            );
        }
        text + "[[layers]]\nop = 'global_avg_pool'\n"
    };
    let mut all = vec![
        ("relu 3×3 valid, 5 layers".to_owned(), chain(5, "valid", &[3], "relu")),
        ("relu 3×3 circular, 21 layers".to_owned(), chain(21, "circular", &[3], "relu")),
        ("relu 5×5 same, 10 layers".to_owned(), chain(10, "same", &[5], "relu")),
        ("relu 3×3 and 1×1 same, 10 layers".to_owned(), chain(10, "same", &[3, 1], "relu")),
    ];
    for activation in ["relu", "leaky_relu", "abs", "erf", "gelu", "sin", "rbf", "exp", "gaussian"] {
        let name = format!("{activation} 3×3 same, 21 layers");
        let keys = match activation {
            "leaky_relu" => "leaky_relu'\nalpha = 0.2\n#",
            "rbf" => "rbf'\ngamma = 0.6\n#",
            "exp" => "exp'\nb = 0.4\n#",
            "gaussian" => "gaussian'\nb = -0.7\n#",
            other => other,
        };
        all.push((name, chain(21, "same", &[3], keys)));
    }
    all
}

/// Every chain and every layered module.
///
/// # Errors
///
/// What the planner, naga or the driver refuses.
pub(crate) fn all(radv: &Radv, gpu: &str) -> Result<Vec<Row>, String> {
    // A compute unit of the generation before RDNA has four SIMD units.
    let simd_units = if gpu.starts_with("vega") { 4 } else { 2 };
    let mut rows = Vec::new();
    for (name, text) in networks() {
        for (kinds, kernels) in [(KernelSet::Both, "both"), (KernelSet::Nngp, "nngp")] {
            let network: Network = text.parse().map_err(|e| format!("{name}: {e}"))?;
            let plan = Plan::new(&network, kinds).map_err(|e| format!("{name}: {e}"))?;
            let row = chain(radv, &plan, simd_units).map_err(|e| format!("{name}: {e}"))?;
            rows.push(Row { network: name.clone(), kernels, ..row });
        }
    }
    for stage in Stage::all() {
        let compiled = radv.compile(&stage.source(), &[])?;
        let count = count::all(&compiled.assembly);
        rows.push(Row { module: stage.label(), count, ..Row::new(&compiled, simd_units, 64) });
    }
    Ok(rows)
}

/// The chain of a plan's first stage, laid out as the planner does on the GPU.
fn chain(radv: &Radv, plan: &Plan, simd_units: u64) -> Result<Row, String> {
    let [bytes, threads] = radv.limits;
    let limits = Limits {
        max_compute_workgroup_storage_size: bytes,
        max_compute_invocations_per_workgroup: threads,
        max_compute_workgroup_size_x: threads,
        max_compute_workgroup_size_y: threads,
        ..Limits::default()
    };
    let FusedShader { shader, mut constants, .. } = fused_shader(plan, 0, &limits, Tuning::default())?;
    let value =
        |name: &str| constants.iter().find(|(known, _)| *known == name).map_or(1.0, |(_, value)| *value);
    let threads = value("ACROSS") * value("PACK") * value("STRIPS");
    for (name, value) in &mut constants {
        if *name == "LAYERS" {
            *value = LAYERS;
        }
    }
    let of = |rows: usize| {
        let compiled = radv.compile(&Fused { rows, ..shader }.source(), &constants)?;
        let count = count::layer(&compiled.assembly).ok_or("the code has no loop over layers")?;
        Ok::<_, String>((compiled, count))
    };
    // Two rows fewer, so that the difference is what rows alone cost.
    let other = if shader.rows > 3 { shader.rows - 2 } else { shader.rows + 2 };
    let (compiled, count) = of(shader.rows)?;
    let difference = shader.rows as f64 - other as f64;
    let per_row = count.with(&of(other)?.1, |a, b| (a - b) / difference);
    Ok(Row {
        module: shader.label(),
        count: per_row,
        slots_per_layer: count.slots() - shader.rows as f64 * per_row.slots(),
        rows: shader.rows,
        ..Row::new(&compiled, simd_units, threads as u64)
    })
}
