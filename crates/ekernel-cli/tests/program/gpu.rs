//! The program on a GPU, on the adapter of [`ekernel_testnets::gpu`].

use ekernel_testnets::gpu::adapter;

use crate::support::{ARCH, Playground, SPHERE_ARCH, read};

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
    // Before the reference takes its time, which is announced.
    let conv = "[[layers]]\nop = \"conv\"\nfilter = [3, 3]\n\n[[layers]]\nop = \"relu\"\n\n[[layers]]\nop = \"global_avg_pool\"";
    let deep = ARCH.replace("[5, 5, 1]", "[28, 28, 1]").replace("[[layers]]\nop = \"global_avg_pool\"", conv);
    here.text("deep.toml", &deep);
    here.refuse("check deep.toml --adapter abacus", &["abacus", "the adapters are"]);
    let output = here.ekernel("devices").env("WGPU_BACKEND", "abacus").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("asked as WGPU_BACKEND=abacus says: none"), "{said}");
}

/// The main job of the README, on fewer digits: a CNN and a C4 network, trained on upright digits and tested on turned ones.
#[test]
fn the_main_job_is_the_cpu_s() {
    let Some(adapter) = adapter() else { return };
    let here = Playground::new();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let data = format!("{root}/data/mnist_1k.npz");
    for network in ["mnist_cnn", "mnist_c4"] {
        let predict = format!(
            "predict --arch {root}/examples/architectures/{network}.toml --train {data}:x_train,y_train \
             --test {data}:x_test_rotated,y_test --n 10 --seeds 1 --max-test 20 --quiet"
        );
        here.succeed(&format!("{predict} --backend cpu --precision f64 --out c.npz"));
        here.succeed(&format!("{predict} --backend wgpu --adapter {adapter} --out g.npz"));
        let (cpu, gpu) = (read(&here.path("c.npz"), "mean"), read(&here.path("g.npz"), "mean"));
        let worst = (&cpu - &gpu).iter().fold(0.0, |a: f64, b| a.max(b.abs()));
        println!("{network}: {worst:.1e}");
        assert!(cpu.dim() == (20, 10) && worst < 1e-5, "{network}: {worst:e}");
    }
}

/// A strategy that is named is taken, gives the same numbers, and is refused where it cannot be, with what would do.
#[test]
fn strategies_can_be_forced() {
    let Some(adapter) = adapter() else { return };
    let here = Playground::new();
    let gpu = format!("--backend wgpu --adapter {adapter}");
    for strategy in ["fused", "layered"] {
        let plan = here.succeed(&format!("plan net.toml {gpu} --strategy {strategy}"));
        assert!(plan.contains(&format!("stage 0 {strategy}")), "{plan}");
        let gram = format!("gram --arch net.toml --x1 data.npz:x --quiet --out {strategy}.npz");
        let shown = here.json(&format!("{gram} {gpu} --strategy {strategy}"));
        assert!(shown["backend"].as_str().unwrap().contains(strategy), "{shown}");
    }
    let [fused, layered] = ["fused", "layered"].map(|name| read(&here.path(&format!("{name}.npz")), "ntk"));
    let worst = (&fused - &layered).iter().fold(0.0, |a: f64, b| a.max(b.abs()));
    assert!(worst < 1e-6 * fused[[0, 0]].abs(), "{worst:e}");
    here.text("strided.toml", &ARCH.replace("filter = [3, 3]", "filter = [3, 3]\nstrides = [2, 2]"));
    for command in ["plan strided.toml", "gram --arch strided.toml --x1 data.npz:x --out k.npz"] {
        here.refuse(&format!("{command} {gpu} --strategy fused"), &["--strategy fused", "stride", "layered"]);
    }
    here.refuse("plan net.toml --strategy fused", &["--strategy", "--backend wgpu"]);
    here.refuse(
        "gram --arch net.toml --x1 data.npz:x --out k.npz --backend cpu --strategy fused",
        &["--strategy", "leave"],
    );
}

/// What --tune stores is what later commands use; a file that is not understood gets a note, and is never in the way.
#[test]
fn tuning_is_stored_and_used() {
    let Some(adapter) = adapter() else { return };
    let here = Playground::new();
    let gpu = format!("--backend wgpu --adapter {adapter} --tuning caches/tuning.json");
    let found = here.json(&format!("bench --tune=64x1 --seconds 0.05 --quiet {gpu}"));
    assert_eq!(found["tried"].as_array().unwrap().len(), 2, "{found}");
    let path = here.path("caches/tuning.json");
    let mut stored: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let chosen = found["adapter"]["tuning"].as_array().unwrap();
    let entry = &mut stored["adapters"][0];
    assert_eq!([&entry["invocations"], &entry["in_turn"]], [&chosen[0], &chosen[1]]);
    // Whichever was faster, the file is what counts.
    (entry["invocations"], entry["in_turn"]) = (64.into(), 2.into());
    std::fs::write(&path, stored.to_string()).unwrap();
    let gram = format!("gram --arch net.toml --x1 data.npz:x --quiet {gpu} --out g.npz");
    let shown = here.json(&gram);
    assert!(shown["backend"].as_str().unwrap().contains("tuned to 64x2"), "{shown}");
    // The user's caches, where nothing is named.
    let unnamed = gram.replace("--tuning caches/tuning.json", "");
    std::fs::create_dir_all(here.path("xdg/ekernel")).unwrap();
    std::fs::copy(&path, here.path("xdg/ekernel/tuning.json")).unwrap();
    let mut cached = here.ekernel(&unnamed);
    cached.env_remove("EKERNEL_TUNING").env("XDG_CACHE_HOME", here.path("xdg"));
    let output = cached.output().unwrap();
    assert!(cfg!(windows) || String::from_utf8(output.stdout).unwrap().contains("tuned to 64x2"));
    assert!(!here.succeed(&unnamed).contains("tuned"));
    std::fs::write(&path, "not what it was").unwrap();
    let output = here.ekernel(&gram.replace("--quiet", "")).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains("tuning.json is no JSON"), "{said}");
    assert!(!String::from_utf8(output.stdout).unwrap().contains("tuned"));
    let nowhere = format!("bench --tune --backend wgpu --adapter {adapter} --tuning none");
    here.refuse(&nowhere, &["--tune", "--tuning FILE"]);
    // Before anything is measured, which would take minutes and tell its progress.
    let long = format!("bench --tune=64x1 --seconds 60 --backend wgpu --adapter {adapter} --tuning");
    here.refuse(
        &format!("{long} data.npz/tuning.json"),
        &["cannot make the folder data.npz", "--tuning FILE"],
    );
    here.refuse(&format!("{long} caches"), &["caches", "that is a folder"]);
}

#[test]
fn a_bench_of_the_adapter() {
    let Some(adapter) = adapter() else { return };
    let here = Playground::new();
    let bench = format!("bench --backend wgpu --adapter {adapter} --tuning none --seconds 0.05 --quiet");
    let table = here.succeed(&format!("{bench} --networks cnn-valid,so3-relu-fast --json b.json"));
    assert!(table.contains("wgpu f32 fused") && table.contains("wgpu f32 rotations"), "{table}");
    let found: serde_json::Value =
        serde_json::from_slice(&std::fs::read(here.path("b.json")).unwrap()).unwrap();
    assert_eq!(found["format"], 1);
    assert!(found["adapter"]["name"].is_string() && found["machine"]["cores"].is_u64(), "{found}");
    let rows = found["measured"].as_array().unwrap();
    assert!(rows.len() == 2 && found["without"] == serde_json::json!([]), "{found}");
    for row in rows {
        for key in ["pairs_per_second", "gflops", "peak_fraction", "bytes_per_pair", "first_result_seconds"] {
            assert!(row[key].as_f64().unwrap() > 0.0, "{key}: {row}");
        }
        assert!(row["peak_fraction"].as_f64().unwrap() < 1.0, "{row}");
    }
    here.refuse(&format!("{bench} --json no/folder.json"), &["--json", "does not exist"]);
    // A network that a GPU refuses has no row, and alone is a mistake.
    here.refuse(&format!("{bench} --networks myrtle5 --strategy fused"), &["myrtle5", "cannot be fused"]);
}

/// Networks on the sphere are computed in one way, and no command ignores another that is named.
#[test]
fn spheres_have_no_strategy() {
    let Some(adapter) = adapter() else { return };
    let here = Playground::new();
    here.text("sphere.toml", SPHERE_ARCH);
    here.arrays("s.npz", &[("x", (&ndarray::Array4::<f64>::ones((2, 4, 3, 2))).into())]);
    let gpu = format!("--backend wgpu --adapter {adapter}");
    let plan = here.succeed(&format!("plan sphere.toml {gpu}"));
    assert!(plan.contains("stage 0 rotations"), "{plan}");
    for strategy in ["fused", "layered"] {
        let parts = [&format!("--strategy {strategy}"), "one way", "leave --strategy out"];
        for command in [
            "plan sphere.toml",
            "gram --arch sphere.toml --x1 s.npz:x --out k.npz",
            "bench --networks so3-relu-fast --quiet",
        ] {
            here.refuse(&format!("{command} {gpu} --strategy {strategy}"), &parts);
        }
        let check = format!("check sphere.toml --quiet --json --adapter {adapter} --strategy {strategy}");
        let output = here.ekernel(&check).output().unwrap();
        let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((output.status.code(), &found["without"][0]["verdict"]), (Some(1), &"refused".into()));
        assert!(found["without"][0]["reason"].as_str().unwrap().contains("one way"), "{found}");
    }
}

/// A network that the adapter refuses is a verdict like the others, and no good one for an adapter that was named.
#[test]
fn a_check_says_what_is_refused() {
    let Some(adapter) = adapter() else { return };
    let here = Playground::new();
    here.text("strided.toml", &ARCH.replace("filter = [3, 3]", "filter = [3, 3]\nstrides = [2, 2]"));
    let words = format!("check strided.toml --quiet --adapter {adapter} --strategy fused");
    let output = here.ekernel(&words).output().unwrap();
    let (said, table) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("wgpu f32 refused") && said.contains("stride"), "{said}");
    let verdicts = ["cpu f64", "cpu f32", "wgpu f32 refused", "refused\n"].map(|name| table.contains(name));
    assert_eq!(verdicts, [true; 4], "{table}");
    assert!(!table.contains("WRONG"), "{table}");
    let output = here.ekernel(&format!("{words} --json")).output().unwrap();
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(found["ok"] == false && found["without"][0]["verdict"] == "refused", "{found}");
}
