//! `--backend finite`: sampled networks behind `gram`, `check` and `predict`.

use crate::support::{ARCH, Playground, SPHERE_ARCH, read};

#[test]
fn sampled_kernels_are_stored_with_their_standard_errors() {
    let here = Playground::new();
    let gram = "gram net.toml --x1 data.npz:x[0:4] --quiet";
    here.succeed(&format!("{gram} --precision f64 --backend cpu --out exact.npz"));
    let sampled = format!("{gram} --backend finite --width 64");
    here.succeed(&format!("{sampled} --networks 400 --out k.npz"));
    for kind in ["nngp", "ntk"] {
        let exact = read(&here.path("exact.npz"), kind);
        let [mean, error] = ["", "_error"].map(|of| read(&here.path("k.npz"), &format!("{kind}{of}")));
        let worst = ((&mean - &exact) / &error).iter().fold(0.0_f64, |worst, z| worst.max(z.abs()));
        assert!(worst < 5.0 && error.iter().all(|error| *error > 0.0), "{kind}: {worst} standard errors");
    }
    // The same networks on other samples: a block is a block of the whole.
    here.succeed(&format!("{sampled} --networks 30 --out whole.npz"));
    let cross = "gram net.toml --x1 data.npz:x[0:1] --x2 data.npz:x[1:4] --quiet --backend finite --width 64 --networks 30";
    here.succeed(&format!("{cross} --out cross.npz --threads 1"));
    let [whole, cross] = ["whole.npz", "cross.npz"].map(|file| read(&here.path(file), "ntk"));
    for j in 0..3 {
        assert!((whole[[0, j + 1]] - cross[[0, j]]).abs() < 1e-5 * whole[[0, 0]].abs(), "{whole} {cross}");
    }
    here.succeed(&format!("{sampled} --networks 30 --network-seed 1 --out other.npz"));
    assert_ne!(read(&here.path("other.npz"), "ntk"), whole);
    // A layer without a kernel has a sampled one.
    here.text(
        "pool.toml",
        &ARCH.replace(
            "op = \"global_avg_pool\"",
            "op = \"max_pool\"\nwindow = [3, 3]\n[[layers]]\nop = \"global_avg_pool\"",
        ),
    );
    let pool = "gram pool.toml --x1 data.npz:x[0:2] --quiet --kind nngp --out p.npz";
    here.refuse(pool, &["max_pool"]);
    here.succeed(&format!("{pool} --backend finite --width 8 --networks 5"));
    assert!(ekernel_data::NpzFile::open(&here.path("p.npz")).unwrap().contains("nngp_error"));
}

#[test]
fn check_says_how_many_standard_errors_apart() {
    let here = Playground::new();
    here.text("sphere.toml", SPHERE_ARCH);
    for arch in ["net", "sphere"] {
        let found = here.json(&format!("check {arch}.toml --backend finite --width 16 --networks 100"));
        assert_eq!((&found["ok"], &found["width"]), (&true.into(), &16.into()));
        for entry in found["agreement"].as_array().unwrap() {
            assert!(entry["rms"].as_f64().unwrap() < 3.0, "{entry}");
        }
    }
    let table = here.succeed("check net.toml --backend finite --width 16 --networks 50 --quiet");
    assert!(
        table.contains("NTK") && table.contains("ok") && table.contains("50 sampled networks"),
        "{table}"
    );
}

#[test]
fn sampled_kernels_predict() {
    let here = Playground::new();
    let predict = "predict --arch net.toml --train data.npz:x,y --test data.npz:x,y --backend finite --width 32 --networks 60";
    let found = here.json(predict);
    assert!(found["networks"][0]["accuracy"].as_f64().unwrap() > 0.9, "{found}");
}

#[test]
fn mistakes_are_named() {
    let here = Playground::new();
    let gram = "gram net.toml --x1 data.npz:x --out k.npz --quiet";
    here.refuse(&format!("{gram} --width 8"), &["--width", "--backend finite"]);
    here.refuse(&format!("{gram} --backend cpu --networks 8"), &["--networks", "--backend finite"]);
    here.refuse(&format!("{gram} --backend finite"), &["net.toml", "no width", "one width"]);
    here.refuse(&format!("{gram} --backend finite --width 0"), &["--width", "at least 1"]);
    here.refuse(&format!("{gram} --backend finite --width 8 --blocks all"), &["--blocks", "leave it out"]);
    here.refuse(&format!("{gram} --backend finite --width 8 --adapter 0"), &["--adapter"]);
    here.refuse(&format!("{gram} --backend finite --width 8 --resume tiles"), &["--resume", "converge"]);
    here.refuse(&format!("{gram} --backend finite --width 1000000000"), &["memory"]);
    here.refuse("check net.toml --width 8", &["--width", "--backend finite"]);
    here.refuse("check net.toml --backend finite", &["net.toml", "--width"]);
    here.refuse("check net.toml --backend finite --width 8 --adapter 0", &["--adapter"]);
    let predict = "predict --arch net.toml --train data.npz:x,y --test data.npz:x,y --quiet";
    here.refuse(&format!("{predict} --backend finite"), &["no width"]);
    here.refuse(&format!("{predict} --width 4"), &["--width", "--backend finite"]);
}
