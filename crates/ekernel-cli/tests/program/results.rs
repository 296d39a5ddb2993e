//! What comes out when everything is right.

use crate::support::{ARCH, Playground, images, read};
use ndarray::{Array1, Array4};

#[test]
fn a_gram_matrix_is_stored_with_what_made_it() {
    let here = Playground::new();
    let shown = here.json("gram --arch net.toml --x1 data.npz:x --backend reference --quiet --out k.npz");
    assert_eq!(shown["shape"], serde_json::json!([12, 12]));
    assert_eq!(shown["pairs"], 78);
    let (nngp, ntk) = (read(&here.path("k.npz"), "nngp"), read(&here.path("k.npz"), "ntk"));
    assert_eq!(nngp, nngp.t());
    assert!(ntk.iter().zip(&nngp).all(|(theta, k)| theta > k));
    let metadata = ekernel_data::NpzFile::open(&here.path("k.npz")).unwrap().read("metadata").unwrap();
    let ekernel_data::NpyArray::Texts(metadata) = metadata else { panic!("no text") };
    let metadata: serde_json::Value = serde_json::from_str(metadata.first().unwrap()).unwrap();
    assert_eq!(metadata["x1"], "data.npz:x");
    assert_eq!(metadata["precision"], "f64");
    assert!(metadata["architecture"].as_str().unwrap().contains("global_avg_pool"));
    here.succeed(
        "gram --arch net.toml --x1 data.npz:x --x2 data.npz:x --kind nngp --backend reference --out two.npz",
    );
    // Of two sets the reference computes (i, j) and (j, i) each by itself: 1.4e-17 apart at most here.
    let two = read(&here.path("two.npz"), "nngp");
    assert!((&two - &nngp).iter().all(|difference| difference.abs() < 1e-15));
    assert!(!ekernel_data::NpzFile::open(&here.path("two.npz")).unwrap().contains("ntk"));
}

#[test]
fn the_cpu_agrees_with_the_reference() {
    let here = Playground::new();
    here.succeed("gram --arch net.toml --x1 data.npz:x --backend reference --out r.npz");
    here.succeed("gram --arch net.toml --x1 data.npz:x --backend cpu --precision f64 --out c.npz");
    let (reference, cpu) = (read(&here.path("r.npz"), "ntk"), read(&here.path("c.npz"), "ntk"));
    let largest = reference.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
    let worst = (&reference - &cpu).iter().fold(0.0, |a: f64, b| a.max(b.abs())) / largest;
    // The diagonal holds repeated samples, on which the reference has half its digits.
    assert!(worst < 2e-8, "{worst:e}");
}

#[test]
fn all_blocks_of_a_group_are_one_orbit() {
    let here = Playground::new();
    let pooled = "[[layers]]\nop = \"relu\"\n[[layers]]\nop = \"group_pool\"\n";
    here.text(
        "c4.toml",
        &format!(
            "[input]\nspace = \"image\"\nshape = [5, 5, 1]\n[[layers]]\nop = \"lift\"\ngroup = \"C4\"\nfilter = [3, 3]\n{pooled}"
        ),
    );
    let gram = "gram --arch c4.toml --x1 data.npz:x --precision f64 --quiet";
    let orbit = here.json(&format!("{gram} --out orbit.npz"));
    let all = here.json(&format!("{gram} --blocks all --out all.npz"));
    assert!(!orbit["backend"].as_str().unwrap().contains("all blocks"));
    assert!(all["backend"].as_str().unwrap().contains("all blocks"));
    let (orbit, all) = (read(&here.path("orbit.npz"), "ntk"), read(&here.path("all.npz"), "ntk"));
    // Measured 2e-16: the same mean, added up in another order.
    assert!(orbit.iter().zip(&all).all(|(a, b)| (a / b - 1.0).abs() < 1e-14));
}

#[test]
fn a_resumed_gram_matrix_has_the_same_bytes() {
    let here = Playground::new();
    let gram = "gram --arch net.toml --x1 data.npz:x --backend reference --quiet --resume tiles --out";
    here.succeed(&format!("{gram} first.npz"));
    let again = here.json(&format!("{gram} second.npz"));
    assert_eq!(again["pairs"], 0);
    let bytes = |name| std::fs::read(here.path(name)).unwrap();
    assert_eq!(bytes("first.npz"), bytes("second.npz"));
    here.text("other.toml", &ARCH.replace("relu", "erf"));
    let line = here.refuse(
        "gram --arch other.toml --x1 data.npz:x --backend reference --quiet --resume tiles --out third.npz",
        &["tiles", "another computation", "the network"],
    );
    assert!(line.contains("erf"), "{line}");
}

#[test]
fn classes_are_predicted() {
    let here = Playground::new();
    let predict =
        "predict --arch net.toml --train data.npz:x,y --test data.npz:x,y --backend reference --quiet";
    let found = here.json(&format!("{predict} --out p.npz --plot p.svg"));
    // A pooled network tells rows at the border from one in the middle, and with so small a ridge knows its training set.
    assert_eq!(found["networks"][0]["accuracy"], 1.0);
    assert_eq!(found["networks"][0]["confusion"], serde_json::json!([[4, 0, 0], [0, 4, 0], [0, 0, 4]]));
    assert_eq!(read(&here.path("p.npz"), "mean").dim(), (12, 3));
    assert!(std::fs::read_to_string(here.path("p.svg")).unwrap().contains("</svg>"));
    let text = here.succeed(predict);
    assert!(
        text.contains("accuracy 100.00 %") && text.contains("predicted") && text.contains("pairs/s"),
        "{text}"
    );
}

#[cfg(unix)]
#[test]
fn results_go_through_links() {
    let here = Playground::new();
    std::fs::create_dir(here.path("store")).unwrap();
    here.text("store/p.svg", "before");
    for name in ["p.npz", "p.svg"] {
        std::os::unix::fs::symlink(format!("store/{name}"), here.path(name)).unwrap();
    }
    here.succeed(
        "predict --arch net.toml --train data.npz:x,y --test data.npz:x,y --backend reference --quiet --out p.npz --plot p.svg",
    );
    assert!(here.path("p.npz").is_symlink() && here.path("p.svg").is_symlink());
    assert_eq!(read(&here.path("store/p.npz"), "mean").dim(), (12, 3));
    assert!(std::fs::read_to_string(here.path("store/p.svg")).unwrap().contains("</svg>"));
}

#[test]
fn one_is_said_as_one() {
    let here = Playground::new();
    let (one, value) = (images(1), Array1::from_elem(1, 3.0));
    here.arrays("one.npz", &[("x", (&one).into()), ("v", (&value).into())]);
    let text = here.succeed(
        "predict --arch net.toml --train one.npz:x,v --test one.npz:x,v --backend reference --quiet",
    );
    assert!(text.contains("1 test sample of") && text.contains("1 target\n"), "{text}");
    assert!(text.contains("; solved in ") && !text.contains(" 0 ms"), "{text}");
    let text = here.succeed("gram --arch net.toml --x1 one.npz:x --backend reference --quiet --out k.npz");
    assert!(text.contains("1 pair in"), "{text}");
}

#[test]
fn folders_of_images_bring_their_class_names() {
    let here = Playground::new();
    for (part, count) in [("train", 4), ("test", 2)] {
        for (class, row) in [("upper", 1), ("lower", 8)] {
            let folder = here.path(part).join(class);
            std::fs::create_dir_all(&folder).unwrap();
            for i in 0..count {
                let picture = image::GrayImage::from_fn(10, 10, |x, y| {
                    image::Luma([if y == row { 250 } else { 3 * (x + i) as u8 }])
                });
                picture.save(folder.join(format!("{i}.png"))).unwrap();
            }
        }
    }
    let words = "predict --arch flat.toml --train train --test test --backend reference --quiet --normalize standardize";
    here.text("flat.toml", &ARCH.replace("global_avg_pool", "flatten"));
    here.refuse(words, &["flat.toml", "[5, 5, 1]", "[10, 10, 1]"]);
    let found = here.json(&format!("{words} --resize 5x5 --out p.npz"));
    assert_eq!(found["classes"], serde_json::json!(["lower", "upper"]));
    assert_eq!(found["networks"][0]["accuracy"], 1.0);
    assert!(found["normalize"].as_str().unwrap().starts_with("standardize mean=["));
    assert!(here.succeed(&format!("{words} --resize 5x5")).contains("upper"));
}

#[test]
fn values_are_predicted_with_their_spread() {
    let here = Playground::new();
    for kind in ["ntk", "nngp"] {
        let found = here.json(&format!(
            "predict --arch net.toml --train data.npz:x,v --test data.npz:x,v --backend reference --quiet --kind {kind} \
             --ridge 1e-9 --cov --out p.npz"
        ));
        assert!(found["networks"][0]["rmse"].as_f64().unwrap() < 1e-2, "{found}");
        let covariance = read(&here.path("p.npz"), "cov");
        assert_eq!(covariance.dim(), (12, 12));
        assert!(covariance.diag().iter().all(|v| v.abs() < 1e-3), "{covariance}");
    }
}

#[test]
fn learning_curves_of_two_networks() {
    let here = Playground::new();
    here.text("erf.toml", &ARCH.replace("relu", "erf"));
    let words = "predict --arch net.toml --arch erf.toml --train data.npz:x,y --test data.npz:x,y --backend reference --quiet \
                 --n 3,6,12 --seeds 2 --ridge auto";
    let found = here.json(&format!("{words} --plot c.png --out c.npz"));
    for network in found["networks"].as_array().unwrap() {
        let draws: Vec<usize> = network["curve"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p["scores"].as_array().unwrap().len())
            .collect();
        assert_eq!(draws, [2, 2, 1]);
    }
    assert_eq!(found["networks"][1]["name"], "erf");
    assert!(std::fs::read(here.path("c.png")).unwrap().starts_with(b"\x89PNG\r\n"));
    let text = here.succeed(words);
    assert!(text.contains('±') && text.contains("net") && text.contains("erf"), "{text}");
    assert_eq!(here.json(words)["networks"][0]["curve"], found["networks"][0]["curve"]);
}

#[test]
fn single_pixels_black_images_and_one_sample() {
    let here = Playground::new();
    here.text(
        "pixel.toml",
        "[input]\nspace = 'image'\nshape = [1, 1, 1]\n[[layers]]\nop = 'conv'\nfilter = [1, 1]\n[[layers]]\nop = 'relu'\n\
         [[layers]]\nop = 'flatten'\n[[layers]]\nop = 'dense'\n",
    );
    let (pixel, black, one) =
        (Array4::from_elem((2, 1, 1, 1), 2.0), Array4::<f64>::zeros((2, 5, 5, 1)), images(1));
    let value = Array1::from_elem(1, 3.0);
    here.arrays(
        "few.npz",
        &[
            ("pixel", (&pixel).into()),
            ("black", (&black).into()),
            ("one", (&one).into()),
            ("v", (&value).into()),
        ],
    );
    for backend in ["reference", "cpu"] {
        here.succeed(&format!("gram --arch pixel.toml --x1 few.npz:pixel --backend {backend} --out k.npz"));
        // K = x²/2 behind one ReLU.
        assert!(read(&here.path("k.npz"), "nngp").iter().all(|k| (k - 2.0).abs() < 1e-6));
        here.succeed(&format!("gram --arch net.toml --x1 few.npz:black --backend {backend} --out k.npz"));
        assert!(read(&here.path("k.npz"), "ntk").iter().all(|&k| k == 0.0));
        let found = here.json(&format!(
            "predict --arch net.toml --train few.npz:one,v --test few.npz:one,v --backend {backend} --quiet"
        ));
        assert!(found["networks"][0]["mae"].as_f64().unwrap() < 1e-12, "{found}");
        here.refuse(
            &format!("predict --arch net.toml --train few.npz:one,v --test few.npz:one,v --backend {backend} --quiet --ridge auto"),
            &["folds"],
        );
    }
}

#[test]
fn a_plan_and_its_json() {
    let here = Playground::new();
    let text = here.succeed("plan net.toml");
    assert!(text.contains("stage 0") && text.contains("per pair"), "{text}");
    let plan = here.json("plan net.toml");
    assert_eq!(plan["input"]["shape"], serde_json::json!([5, 5, 1]));
    assert!(plan["per_pair"]["flops"].as_u64().unwrap() > 0);
    let text = here.succeed("plan --arch net.toml --samples 400");
    assert!(
        text.contains("samples  400: 80 200 pairs, about ") && text.contains("2.4 MiB for the result"),
        "{text}"
    );
    let plan = here.json("plan net.toml --samples 400 --kind nngp");
    assert_eq!((&plan["samples"]["pairs"], &plan["samples"]["bytes"]), (&80200.into(), &1_280_000.into()));
    assert!(plan["samples"]["seconds"].as_f64().unwrap() > 0.0, "{plan}");
}

#[test]
fn long_work_says_how_long_before_it_begins() {
    let here = Playground::new();
    let x = crate::support::images(160);
    here.arrays("many.npz", &[("x", (&x).into())]);
    let gram = "gram net.toml --x1 many.npz:x --backend cpu --out k.npz";
    let said = String::from_utf8(here.ekernel(gram).output().unwrap().stderr).unwrap();
    assert!(said.contains("160 × 160, 12 880 pairs, about "), "{said}");
    let said = String::from_utf8(here.ekernel(&format!("{gram} --quiet")).output().unwrap().stderr).unwrap();
    assert_eq!(said, "");
}

#[test]
fn a_check_ends_with_a_verdict() {
    let here = Playground::new();
    let found = here.json("check net.toml --quiet");
    assert_eq!(found["ok"], true, "{found}");
    let of_cpu = |row: &&serde_json::Value| row["backend"].as_str().unwrap().starts_with("cpu");
    assert_eq!(found["worst"].as_array().unwrap().iter().filter(of_cpu).count(), 10);
    assert!(here.succeed("check net.toml --quiet").contains("worst error"));
}

#[test]
fn completions_for_every_shell() {
    let here = Playground::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(here.succeed(&format!("completions {shell}")).contains("predict"), "{shell}");
    }
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    use std::process::{Command, Stdio};
    let here = Playground::new();
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("ekernel"))
        .current_dir(here.path("."))
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_cleanly_and_keeps_tiles() {
    use std::{
        process::{Command, Stdio},
        time::{Duration, Instant},
    };
    let here = Playground::new();
    // Minutes of work for the reference.
    here.text("slow.toml", &ARCH.replace("[5, 5, 1]", "[20, 20, 1]"));
    let pixels = Array4::from_shape_fn((200, 20, 20, 1), |(i, y, x, _)| ((i + y * x) as f64).sin());
    here.arrays("slow.npz", &[("x", (&pixels).into())]);
    let words = "gram --arch slow.toml --x1 slow.npz:x --backend reference --resume tiles --out k.npz";
    let child = Command::new(assert_cmd::cargo::cargo_bin!("ekernel"))
        .current_dir(here.path("."))
        .args(words.split_whitespace())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !here.path("tiles").join("manifest.json").exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the work did not begin");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("cancelled") && said.contains("kept in") && said.contains("tiles"), "{said}");
    assert!(!here.path("k.npz").exists());
}

#[cfg(unix)]
#[test]
fn a_check_says_its_cost_and_promises_no_tiles() {
    use std::{
        io::{BufRead, BufReader},
        process::{Command, Stdio},
    };
    let here = Playground::new();
    let pool = "op = \"avg_pool\"\nwindow = [6, 6]\n\n[[layers]]\nop = \"global_avg_pool\"";
    let large = ARCH.replace("[5, 5, 1]", "[64, 64, 1]").replace("op = \"global_avg_pool\"", pool);
    here.text("large.toml", &large);
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("ekernel"))
        .current_dir(here.path("."))
        .args(["check", "large.toml"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let cost = lines.find(|line| line.contains("66 pairs of")).unwrap();
    assert!(cost.contains("million multiplications each, about "), "{cost}");
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let said: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said:?}");
    assert_eq!(said.last().map(String::as_str), Some("ekernel: cancelled; nothing is kept"), "{said:?}");
}

/// A point of a learning curve is what a machine trained on that draw alone gives.
#[test]
fn draws_of_a_curve_are_trained_on_their_own_samples() {
    let here = Playground::new();
    let words = "predict --arch net.toml --test data.npz:x,v --backend reference --quiet --ridge 1e-2";
    let whole = here.json(&format!("{words} --train data.npz:x,v"))["networks"][0]["rmse"].as_f64().unwrap();
    let curve = here.json(&format!("{words} --train data.npz:x,v --n 2,12 --seeds 4"));
    let points = &curve["networks"][0]["curve"];
    assert!((points[1]["mean"].as_f64().unwrap() - whole).abs() < 1e-12, "{points} {whole}");
    // Two samples predict themselves, with a ridge of next to nothing: of 12 squared errors two are zero in each draw.
    here.succeed(
        &format!("{words} --train data.npz:x,v --n 2 --seeds 4 --pool 12 --ridge 1e-9 --out d.npz")
            .replace("--ridge 1e-2", ""),
    );
    let mean = read(&here.path("d.npz"), "mean");
    let truth = Array1::from_iter((0..12).map(|i| (i as f64).sin()));
    let hits = mean.column(0).iter().zip(&truth).filter(|(a, b)| (*a - *b).abs() < 1e-5).count();
    assert_eq!(hits, 2, "{mean} {truth}");
}
