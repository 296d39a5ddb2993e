//! The program on a GPU, on the adapter of [`ekernel_testnets::gpu`].

use ekernel_testnets::gpu::adapter;

use crate::support::{Playground, read};

#[test]
fn a_gram_matrix_is_the_cpu_s() {
    let Some(adapter) = adapter() else { return };
    let here = Playground::new();
    let gram = "gram --arch net.toml --x1 data.npz:x --quiet";
    here.succeed(&format!("{gram} --backend cpu --precision f64 --out c.npz"));
    let shown = here.json(&format!("{gram} --backend wgpu --adapter {adapter} --out g.npz"));
    assert!(shown["backend"].as_str().unwrap().contains("wgpu f32"), "{shown}");
    for kernel in ["nngp", "ntk"] {
        let (cpu, gpu) = (read(&here.path("c.npz"), kernel), read(&here.path("g.npz"), kernel));
        let largest = cpu.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
        let worst = (&cpu - &gpu).iter().fold(0.0, |a: f64, b| a.max(b.abs())) / largest;
        assert!(worst < 1e-6, "{kernel}: {worst:e}");
    }
}

#[test]
fn predictions_are_the_cpu_s() {
    let Some(adapter) = adapter() else { return };
    let here = Playground::new();
    let predict = "predict --arch net.toml --train data.npz:x,v --test data.npz:x --ridge 1e-2 --quiet";
    here.succeed(&format!("{predict} --backend cpu --precision f64 --out c.npz"));
    here.succeed(&format!("{predict} --backend wgpu --adapter {adapter} --out g.npz"));
    let (cpu, gpu) = (read(&here.path("c.npz"), "mean"), read(&here.path("g.npz"), "mean"));
    let worst = (&cpu - &gpu).iter().fold(0.0, |a: f64, b| a.max(b.abs()));
    assert!(worst < 1e-4, "{worst:e}");
}

#[test]
fn a_check_covers_the_adapter() {
    let Some(adapter) = adapter() else { return };
    let here = Playground::new();
    let found = here.json(&format!("check net.toml --quiet --adapter {adapter}"));
    assert_eq!(found["ok"], true, "{found}");
    let rows = found["worst"].as_array().unwrap();
    assert_eq!(rows.iter().filter(|row| row["backend"] == "wgpu f32").count(), 6);
}

#[test]
fn devices_and_how_they_compute_a_plan() {
    let Some(adapter) = adapter() else { return };
    let here = Playground::new();
    let found = here.json("devices");
    let adapters = found["adapters"].as_array().unwrap();
    assert!(adapters.iter().any(|adapter| adapter["usable"] == true), "{found}");
    let name = adapters[0]["name"].as_str().unwrap();
    assert!(here.succeed("devices").contains(name));
    let plan = here.succeed(&format!("plan net.toml --backend wgpu --adapter {adapter}"));
    assert!(plan.contains("stage 0 fused") || plan.contains("stage 0 layered"), "{plan}");
}

#[test]
fn adapters_that_are_not_there() {
    if adapter().is_none() {
        return;
    }
    let here = Playground::new();
    let gram = "gram --arch net.toml --x1 data.npz:x --out k.npz";
    here.refuse(&format!("{gram} --backend wgpu --adapter abacus"), &["abacus", "the adapters are"]);
    here.refuse(&format!("{gram} --adapter 99"), &["99", "the adapters are"]);
}
