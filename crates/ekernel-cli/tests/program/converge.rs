//! `ekernel converge`: sampled kernels against the exact ones.

use std::fs;

use ndarray::Array3;

use crate::support::{ARCH, MOLECULE_ARCH, Playground, SPHERE_ARCH};

const SMALL: &str = "converge net.toml --x data.npz:x[0:3] --widths 8,2 --networks 30 --quiet";

fn cube(here: &Playground, file: &str, key: &str) -> Array3<f64> {
    let array = ekernel_data::NpzFile::open(&here.path(file)).unwrap().read(key).unwrap();
    let ekernel_data::NpyArray::Floats(values) = array else { panic!("{key} holds no floats") };
    values.into_dimensionality().unwrap()
}

#[test]
fn wider_networks_have_kernels_nearer_to_the_exact_one() {
    let here = Playground::new();
    let words =
        "converge net.toml --x data.npz:x[0:4] --widths 1,4,64 --networks 400 --plot f.svg --out f.npz";
    let found = here.json(words);
    for kind in ["nngp", "ntk"] {
        let widths = found[kind]["widths"].as_array().unwrap();
        assert_eq!(widths.len(), 3);
        let errors: Vec<f64> = widths.iter().map(|width| width["error"].as_f64().unwrap()).collect();
        // Chance alone gives 0.05 at width 1 and falls like the root of the width.
        assert!(errors[2] < 0.5 * errors[0] && errors[2] < 0.02, "{kind}: {errors:?}");
        assert!(widths.iter().all(|width| width["standard_error"].as_f64().unwrap() > 0.0));
        assert!(found[kind]["fit"]["slope"].as_f64().unwrap() < -0.2, "{}", found[kind]);
        let [mean, error, exact] =
            ["", "_error", "_exact"].map(|of| cube(&here, "f.npz", &format!("{kind}{of}")));
        assert_eq!([mean.dim(), error.dim()], [(3, 4, 4), (3, 4, 4)]);
        let relative = ((&mean - &exact) / &exact).mapv(f64::abs).mean_axis(ndarray::Axis(2)).unwrap();
        let relative = relative.mean_axis(ndarray::Axis(1)).unwrap();
        assert!(relative.iter().zip(&errors).all(|(a, b)| (a - b).abs() < 1e-12), "{relative} {errors:?}");
    }
    assert!(fs::read_to_string(here.path("f.svg")).unwrap().contains("slope"));
    // Neither threads nor the order of widths change a byte.
    let whole = fs::read(here.path("f.npz")).unwrap();
    let again = words.replace("1,4,64", "64,4,1,4");
    here.succeed(&format!("{again} --threads 1 --quiet"));
    assert!(fs::read(here.path("f.npz")).unwrap() == whole);
    let table = here.succeed(SMALL);
    assert!(
        table.contains("by chance") && table.contains("slope of ln error over ln width: NNGP"),
        "{table}"
    );
}

#[test]
fn every_kind_of_input_converges() {
    let here = Playground::new();
    here.text("sphere.toml", SPHERE_ARCH);
    here.text("molecule.toml", MOLECULE_ARCH);
    here.text("vector.toml", "[input]\nspace = \"vector\"\nshape = [3]\n[[layers]]\nop = \"dense\"\n");
    let standard =
        ARCH.replace("filter = [3, 3]", "filter = [3, 3]\nparameterization = \"standard\"\nwidth = 4");
    here.text(
        "standard.toml",
        &standard.replace("op = \"dense\"", "op = \"dense\"\nparameterization = \"standard\"\nwidth = 1"),
    );
    for (arch, bound) in [("sphere", 0.5), ("molecule", 0.5), ("vector", 0.5), ("standard", 0.5)] {
        let found = here.json(&format!("converge {arch}.toml --widths 3,24 --networks 60"));
        for kind in ["nngp", "ntk"] {
            let error = found[kind]["widths"][1]["error"].as_f64().unwrap();
            assert!(error < bound, "{arch} {kind}: {error}");
        }
    }
    let nngp = here.json("converge net.toml --widths 3 --networks 5 --kind NNGP");
    assert!(nngp.get("ntk").is_none() && nngp["nngp"]["fit"].is_null(), "{nngp}");
}

#[test]
fn more_networks_continue_from_those_that_are_kept() {
    let here = Playground::new();
    here.succeed(&format!("{SMALL} --out whole.npz"));
    let whole = fs::read(here.path("whole.npz")).unwrap();
    here.succeed(&format!("{} --resume kept", SMALL.replace("30", "10")));
    let kept = fs::read(here.path("kept/ntk-8.npz")).unwrap();
    here.succeed(&format!("{SMALL} --resume kept --out f.npz"));
    assert!(fs::read(here.path("f.npz")).unwrap() == whole);
    assert!(fs::read(here.path("kept/ntk-8.npz")).unwrap() != kept);
    // Fewer are those of a run of fewer, and the others stay.
    let kept = fs::read(here.path("kept/ntk-8.npz")).unwrap();
    let fewer = SMALL.replace("30", "15");
    here.succeed(&format!("{fewer} --resume kept --out f.npz"));
    here.succeed(&format!("{fewer} --out g.npz"));
    assert!(fs::read(here.path("f.npz")).unwrap() == fs::read(here.path("g.npz")).unwrap());
    assert!(fs::read(here.path("kept/ntk-8.npz")).unwrap() == kept);

    let other = |words: &str, parts: &[&str]| here.refuse(&format!("{words} --resume kept"), parts);
    other(&format!("{SMALL} --seed 1"), &["there seed 0, here seed 1", "another folder"]);
    other(&SMALL.replace("[0:3]", "[0:2]"), &["--resume", "there 3 samples", "here 2 samples"]);
    fs::write(here.path("kept/ntk-8.npz"), "no zip").unwrap();
    other(SMALL, &["ntk-8.npz"]);
}

#[test]
fn error_bars_do_not_depend_on_where_earlier_runs_ended() {
    let here = Playground::new();
    let words = |networks: usize| SMALL.replace("--networks 30", &format!("--networks {networks}"));
    let whole = here.json(&words(63));
    for networks in [7, 25, 48, 63] {
        here.json(&format!("{} --resume kept", words(networks)));
    }
    assert_eq!(here.json(&format!("{} --resume kept", words(63))), whole);
    assert_eq!(here.json(&format!("{} --resume kept", words(25))), here.json(&words(25)));
    // One network has neither a bar nor chance.
    let one = here.succeed(&words(1));
    assert!(!one.contains("NaN"), "{one}");
}

#[cfg(unix)]
#[test]
fn stopped_and_killed_runs_keep_their_networks() {
    use std::{process::Command, thread, time::Duration};
    let here = Playground::new();
    let words = "converge net.toml --x data.npz:x --widths 40 --networks 4000 --kind ntk --threads 1 --quiet --out f.npz";
    here.succeed(words);
    let whole = fs::read(here.path("f.npz")).unwrap();
    fs::remove_file(here.path("f.npz")).unwrap();
    // An interrupt keeps all finished pieces; a kill those that were written before. A machine may be quick or busy, so that a
    // signal which came after the end or before the first piece is sent again at another time.
    // Not -INT, which stays ignored where the tests run in the background of a shell.
    for signal in ["-KILL", "-TERM"] {
        let mut after = Duration::from_millis(150);
        let stopped = (0..30).any(|_| {
            let mut child = Command::new(assert_cmd::cargo::cargo_bin!("ekernel"))
                .current_dir(here.path("."))
                .args(words.split_whitespace().chain(["--resume", "kept"]))
                .spawn()
                .unwrap();
            thread::sleep(after);
            assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
            let code = child.wait().unwrap().code();
            if code == Some(0) {
                after /= 2;
                fs::remove_dir_all(here.path("kept")).unwrap();
                fs::remove_file(here.path("f.npz")).unwrap();
                return false;
            }
            if signal == "-KILL" {
                return true;
            }
            assert_eq!(code, Some(130));
            after = after * 5 / 4;
            here.path("kept/ntk-40.npz").exists()
        });
        assert!(stopped, "no {signal} came while networks were sampled");
    }
    here.succeed(&format!("{words} --resume kept"));
    assert!(fs::read(here.path("f.npz")).unwrap() == whole);
}

#[test]
fn mistakes_are_named() {
    let here = Playground::new();
    here.refuse("converge net.toml --widths 0", &["--widths", "at least 1"]);
    here.refuse("converge net.toml --networks 0", &["--networks", "at least 1"]);
    here.refuse("converge net.toml --widths 99999999999", &["net.toml", "width"]);
    here.refuse("converge net.toml --x data.npz:x,y", &["--x data.npz:x,y", "without targets", "data.npz:x"]);
    here.refuse("converge net.toml --x data.npz:y", &["data.npz:y"]);
    here.refuse("converge net.toml --out f.txt", &["--out f.txt", "f.npz"]);
    here.refuse("converge net.toml --plot f.pdf", &["--plot f.pdf", ".svg"]);
    here.refuse("converge net.toml --out data.npz --x data.npz:x", &["overwrite an input"]);
    here.text("pool.toml", &ARCH.replace("op = \"global_avg_pool\"", "op = \"max_pool\"\nwindow = [5, 5]"));
    here.refuse("converge pool.toml", &["pool.toml", "max_pool"]);
}
