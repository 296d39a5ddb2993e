//! Every module, without a GPU: it parses, validates for WebGPU without any feature, its constants can be set, it translates to
//! SPIR-V, MSL and HLSL, and its workgroup memory fits the limit that every device has.

use std::error::Error;

use naga::{
    AddressSpace, Module, ShaderStage,
    back::{self, PipelineConstants, pipeline_constants::process_overrides},
    valid::{Capabilities, ModuleInfo, ValidationFlags, Validator},
};

/// Bytes of workgroup memory that every WebGPU device has.
const WORKGROUP_BYTES: u32 = 16_384;

/// A module with its constants at their defaults.
fn compiled(source: &str) -> Result<(Module, ModuleInfo), Box<dyn Error>> {
    let module = naga::front::wgsl::parse_str(source).map_err(|e| e.emit_to_string(source))?;
    let info = Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .map_err(|e| e.emit_to_string(source))?;
    let entry = Some((ShaderStage::Compute, "main"));
    let (module, info) = process_overrides(&module, &info, entry, &PipelineConstants::default())?;
    Ok((module.into_owned(), info.into_owned()))
}

fn workgroup_bytes(module: &Module) -> u32 {
    let own =
        module.global_variables.iter().filter(|(_, variable)| variable.space == AddressSpace::WorkGroup);
    own.map(|(_, variable)| module.types[variable.ty].inner.size(module.to_ctx())).sum()
}

fn translates(module: &Module, info: &ModuleInfo) -> Result<(), Box<dyn Error>> {
    let words = back::spv::write_vec(module, info, &back::spv::Options::default(), None)?;
    assert!(words.len() > 100);
    let options = back::msl::Options { fake_missing_bindings: true, ..Default::default() };
    let (msl, _) = back::msl::write_string(module, info, &options, &back::msl::PipelineOptions::default())?;
    assert!(msl.contains("kernel void"));
    let options = back::hlsl::Options { fake_missing_bindings: true, ..Default::default() };
    let mut hlsl = String::new();
    back::hlsl::Writer::new(&mut hlsl, &options, &back::hlsl::PipelineOptions::default())
        .write(module, info, None)?;
    assert!(hlsl.contains("numthreads"));
    Ok(())
}

#[test]
fn every_module_validates_and_translates() {
    let mut labels = Vec::new();
    for (label, source) in ekernel_shaders::all() {
        let (module, info) = compiled(&source).unwrap_or_else(|e| panic!("{label}: {e}"));
        translates(&module, &info).unwrap_or_else(|e| panic!("{label}: {e}"));
        let bytes = workgroup_bytes(&module);
        assert!(bytes <= WORKGROUP_BYTES, "{label}: {bytes} bytes of workgroup memory");
        assert!(!labels.contains(&label), "two modules are called {label}");
        labels.push(label);
    }
    assert!(labels.len() >= 32, "{labels:?}");
}

/// Functions whose error WGSL leaves at 4096 units in the last place.
#[test]
fn no_module_calls_an_inexact_function() {
    for (label, source) in ekernel_shaders::all() {
        let code: String = source.lines().map(|line| line.split("//").next().unwrap_or("")).collect();
        let squeezed: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        for name in ["acos", "asin", "atan", "atan2", "exp", "exp2", "log", "sin", "cos", "tan", "pow"] {
            let call = format!("{name}(");
            let used = squeezed.match_indices(&call).any(|(at, _)| {
                let before = squeezed[..at].chars().next_back().unwrap_or(' ');
                !before.is_alphanumeric() && before != '_'
            });
            assert!(!used, "{label} calls {name}");
        }
    }
}
