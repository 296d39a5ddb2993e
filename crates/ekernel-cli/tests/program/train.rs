//! `ekernel train`: ensembles of networks of finite width.

use std::fs;

use crate::support::{ARCH, MOLECULE_ARCH, Playground, read};

const SMALL: &str = "train --arch net.toml --width 4 --train data.npz:x,y --test data.npz:x[0:5],y[0:5] --ood noise \
                     --members 4 --epochs 3 --batch 4 --rate 0.01";

/// The network of the playground with the symmetry of quarter turns.
fn equivariant() -> String {
    ARCH.replace("op = \"conv\"", "op = \"lift\"\ngroup = \"C4\"").replace("global_avg_pool", "group_pool")
}

#[test]
fn ensembles_are_trained_compared_and_stored() {
    let here = Playground::new();
    here.text("c4.toml", &equivariant());
    let words = format!("{SMALL} --arch c4.toml --augment C4,none,D4:random --plot f.svg --out f.npz");
    let found = here.json(&words);
    let names: Vec<&str> =
        found["ensembles"].as_array().unwrap().iter().map(|e| e["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["net+C4", "net", "net+D4-random", "c4", "c4+D4-random"]);
    for ensemble in found["ensembles"].as_array().unwrap() {
        let losses = ensemble["losses"].as_array().unwrap();
        assert_eq!((losses.len(), losses[0].as_array().unwrap().len()), (4, 3));
        assert!((0.0..=1.0).contains(&ensemble["accuracy"]["of_mean"].as_f64().unwrap()));
    }
    // Sizes 1, 3 and 4; 15 pairs; before training and after each of three epochs; two sets.
    assert_eq!(found["distances"].as_array().unwrap().len(), 3 * 15 * 4 * 2);
    assert_eq!(read(&here.path("f.npz"), "net_losses").dim(), (4, 3));
    assert!(fs::read_to_string(here.path("f.svg")).unwrap().contains("net+C4, by chance"));

    let whole = fs::read(here.path("f.npz")).unwrap();
    here.succeed(&format!("{words} --threads 1 --quiet"));
    assert!(fs::read(here.path("f.npz")).unwrap() == whole, "threads change no byte");
    let table = here.succeed(&format!("{SMALL} --augment C4 --quiet"));
    assert!(table.contains("itself (chance)") && table.contains("accuracy of the mean"), "{table}");
    // An ensemble is the same whatever stands beside it.
    let alone = here.json(&format!("{SMALL} --augment none"));
    assert_eq!(alone["ensembles"][0]["losses"], found["ensembles"][1]["losses"]);
    assert_ne!(found["ensembles"][0]["losses"], found["ensembles"][1]["losses"]);
}

#[test]
fn networks_that_are_not_invariant_learn_copies() {
    let here = Playground::new();
    here.text("flat.toml", &equivariant().replace("group_pool", "flatten"));
    here.text("c4.toml", &equivariant());
    let words = SMALL.replace("net.toml", "flat.toml") + " --arch c4.toml --augment C4,C4:random,none";
    let found = here.json(&words);
    let ensembles = found["ensembles"].as_array().unwrap();
    let names: Vec<&str> = ensembles.iter().map(|ensemble| ensemble["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["flat+C4", "flat+C4-random", "flat", "c4"]);
}

#[test]
fn values_and_molecules_are_learned() {
    let here = Playground::new();
    let values = "train --arch net.toml --width 8 --train data.npz:x,v --test data.npz:x,v --members 3 --epochs 40 --rate 0.02";
    let found = here.json(values);
    let ensemble = &found["ensembles"][0];
    let losses = ensemble["losses"][0].as_array().unwrap();
    assert!(losses[39].as_f64().unwrap() < losses[0].as_f64().unwrap(), "{losses:?}");
    let [one, mean] = ["of_one", "of_mean"].map(|of| ensemble["RMSE"][of].as_f64().unwrap());
    assert!(mean <= one && one < 5.0, "{one} {mean}");

    let molecule = |atoms: usize| {
        let lines: Vec<String> = (0..atoms)
            .map(|i| format!("{} {:.3} {:.3} 0.1", ["C", "H", "O"][i % 3], 1.2 * i as f64, 0.3 * i as f64))
            .collect();
        format!("{atoms}\nenergy={}\n{}\n", -1.5 * atoms as f64, lines.join("\n"))
    };
    here.text("few.xyz", &format!("{}{}", molecule(2), molecule(3)));
    here.text("more.xyz", &format!("{}{}", molecule(3), molecule(5)));
    for atoms in ["shared", "elements", "indexed"] {
        here.text("m.toml", &MOLECULE_ARCH.replace("shared", atoms));
        let words = "train --arch m.toml --width 4 --train few.xyz:all,energy --test more.xyz:all,energy --members 2 \
                     --epochs 2";
        let found = here.json(words);
        assert!(found["ensembles"][0]["RMSE"]["of_mean"].as_f64().unwrap().is_finite(), "{atoms}");
    }
    here.refuse(
        "train --arch m.toml --width 4 --train few.xyz:all,energy --test more.xyz:all,energy --ood noise",
        &["--ood noise", "molecules"],
    );
}

#[test]
fn checkpoints_continue_and_longer_runs_build_on_them() {
    let here = Playground::new();
    here.succeed(&format!("{SMALL} --quiet --out whole.npz"));
    let whole = fs::read(here.path("whole.npz")).unwrap();
    let fewer = SMALL.replace("--members 4 --epochs 3", "--members 2 --epochs 2");
    here.succeed(&format!("{fewer} --quiet --checkpoint kept"));
    assert_eq!(fs::read_dir(here.path("kept")).unwrap().count(), 2);
    here.succeed(&format!("{SMALL} --quiet --checkpoint kept --out f.npz"));
    assert!(fs::read(here.path("f.npz")).unwrap() == whole);
    // Fewer epochs are cut from what is there.
    here.succeed(&format!("{fewer} --quiet --checkpoint kept --out f.npz"));
    here.succeed(&format!("{fewer} --quiet --out g.npz"));
    assert!(fs::read(here.path("f.npz")).unwrap() == fs::read(here.path("g.npz")).unwrap());

    let other =
        |words: &str, parts: &[&str]| here.refuse(&format!("{words} --checkpoint kept --quiet"), parts);
    other(&SMALL.replace("0.01", "0.02"), &["--checkpoint", "rate: 0.01", "rate: 0.02", "another folder"]);
    other(&SMALL.replace("[0:5]", "[0:6]"), &["--checkpoint", "there test 5 samples", "here test 6 samples"]);
    fs::write(here.path("kept/net-1.npz"), "no zip").unwrap();
    other(SMALL, &["net-1.npz", "delete it", "trained anew"]);
}

#[cfg(unix)]
#[test]
fn stopped_and_killed_runs_lose_no_finished_epoch() {
    use std::{process::Command, thread, time::Duration};
    let here = Playground::new();
    let words = "train --arch net.toml --width 16 --train data.npz:x,y --test data.npz:x,y --members 3 --epochs 150 --batch 1 \
                 --threads 2 --quiet --out f.npz";
    here.succeed(words);
    let whole = fs::read(here.path("f.npz")).unwrap();
    fs::remove_file(here.path("f.npz")).unwrap();
    for (signal, after) in [("-KILL", 100), ("-KILL", 130), ("-TERM", 150)] {
        let mut child = Command::new(assert_cmd::cargo::cargo_bin!("ekernel"))
            .current_dir(here.path("."))
            .args(words.split_whitespace().chain(["--checkpoint", "kept"]))
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(after));
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let code = child.wait().unwrap().code();
        assert!(signal == "-KILL" || [Some(130), Some(0)].contains(&code), "{code:?}");
    }
    assert!(here.path("kept/net-0.npz").exists());
    here.succeed(&format!("{words} --checkpoint kept"));
    assert!(fs::read(here.path("f.npz")).unwrap() == whole);
}

#[test]
fn mistakes_are_named() {
    let here = Playground::new();
    let with = |words: &str| format!("{SMALL} {words}");
    here.refuse(
        &SMALL.replace("--rate 0.01", "--rate 1e30 --optimizer sgd --quiet"),
        &["net: network ", "the loss in epoch 1 at rate 1e30 is", "a smaller rate"],
    );
    // The last step of an epoch diverges: nothing of it is kept.
    fs::create_dir(here.path("last")).unwrap();
    for (rate, what) in [("1e30", "an output after epoch 1"), ("1e300", "a parameter after epoch 1")] {
        let words = SMALL.replace("--epochs 3 --batch 4 --rate 0.01", "--epochs 1 --checkpoint last --quiet");
        let what = format!("{what} at rate {rate} is");
        let parts = ["net: network ", &what, "a smaller rate"];
        here.refuse(&format!("{words} --optimizer sgd --rate {rate}"), &parts);
        assert_eq!(fs::read_dir(here.path("last")).unwrap().count(), 0);
    }
    here.refuse(&SMALL.replace("--width 4", ""), &["net.toml", "no width", "one width for all layers"]);
    here.refuse(&SMALL.replace("--width 4", "--width 0"), &["--width"]);
    here.refuse(&SMALL.replace("--rate 0.01", "--optimizer sgd"), &["--optimizer sgd", "--rate"]);
    here.refuse(&with("--augment C3"), &["--augment", "C4"]);
    here.refuse(&SMALL.replace("--ood noise", "--ood data.npz:y"), &["--ood", "data.npz:y"]);
    here.refuse(&SMALL.replace("--train data.npz:x,y", "--train data.npz:x"), &["--train data.npz:x"]);
    here.refuse(&with("--checkpoint net.toml"), &["--checkpoint net.toml", "not a folder"]);
    here.refuse(&with("--plot f.pdf"), &["--plot f.pdf"]);
    here.refuse(
        &format!("{} --quiet", SMALL.replace("--members 4", "--members 1000000000")),
        &["memory", "are free", "--members"],
    );
    here.text("vector.toml", "[input]\nspace = \"vector\"\nshape = [3]\n[[layers]]\nop = \"dense\"\n");
    let rows = ndarray::Array2::from_shape_fn((6, 3), |(i, j)| (i * j) as f64 + 0.1 * i as f64);
    let wide = ndarray::Array4::from_shape_fn((4, 5, 7, 1), |(i, y, x, _)| (i + y * x) as f64 * 0.1);
    let (few, many) =
        (ndarray::Array1::from(vec![0_i64, 1, 0, 1]), ndarray::Array1::from(vec![0_i64, 1, 0, 1, 0, 1]));
    here.arrays(
        "other.npz",
        &[("r", (&rows).into()), ("w", (&wide).into()), ("few", (&few).into()), ("many", (&many).into())],
    );
    here.refuse(
        "train --arch vector.toml --train other.npz:r,many --test other.npz:r --augment C4 --quiet",
        &["vector.toml", "C4", "images"],
    );
    here.text("wide.toml", &ARCH.replace("[5, 5, 1]", "[5, 7, 1]"));
    here.refuse(
        "train --arch wide.toml --width 2 --train other.npz:w,few --test other.npz:w --augment C4 --quiet",
        &["wide.toml", "5 × 7", "D2"],
    );
}
