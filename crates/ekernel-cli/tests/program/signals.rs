//! Signals that the program obeys, and those that its parent set to be ignored.
#![cfg(unix)]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use ndarray::{Array1, Array2, Array4};

use crate::support::{ARCH, Playground};

fn send(signal: &str, child: &Child) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// `nohup` and shells do so.
#[test]
fn signals_that_the_parent_ignores_stay_ignored() {
    let here = Playground::new();
    here.text("slow.toml", &ARCH.replace("[5, 5, 1]", "[20, 20, 1]"));
    let pixels = Array4::from_shape_fn((24, 20, 20, 1), |(i, y, x, _)| ((i + y * x) as f64).sin());
    here.arrays("slow.npz", &[("x", (&pixels).into())]);
    let words = "gram --arch slow.toml --x1 slow.npz:x --backend reference --resume tiles --out k.npz";
    let program = assert_cmd::cargo::cargo_bin!("ekernel").display().to_string();
    let mut child = Command::new("sh")
        .current_dir(here.path("."))
        .args(["-c", &format!("trap '' HUP INT; exec {program} {words}")])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !here.path("tiles").join("manifest.json").exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the work did not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
    for signal in ["-HUP", "-INT", "-HUP"] {
        send(signal, &child);
    }
    assert!(child.try_wait().unwrap().is_none(), "the signals came when the work was done");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(here.path("k.npz").exists());
}

/// A machine of this size is solved in tens of seconds.
#[test]
fn an_interrupt_ends_a_solve() {
    let here = Playground::new();
    here.text("vectors.toml", "[input]\nspace = \"vector\"\nshape = [3]\n[[layers]]\nop = \"dense\"\n");
    let x = Array2::from_shape_fn((2500, 3), |(i, j)| ((7 * i + 3 * j) as f64).sin());
    let v: Array1<f64> = x.rows().into_iter().map(|row| row.sum().sin()).collect();
    here.arrays(
        "many.npz",
        &[("x", (&x).into()), ("v", (&v).into()), ("t", (&x.slice(ndarray::s![..1, ..]).to_owned()).into())],
    );
    let words = "predict --arch vectors.toml --train many.npz:x,v --test many.npz:t --time 1 --backend cpu --threads 1 \
                 --resume tiles --out p.npz";
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("ekernel"))
        .current_dir(here.path("."))
        .args(words.split_whitespace())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    lines.find(|line| line.contains("test:")).unwrap();
    // The kernel of the one test sample is there in an instant.
    std::thread::sleep(Duration::from_millis(500));
    // Not -INT, which stays ignored where the tests run in the background of a shell.
    send("-TERM", &child);
    let said: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said:?}");
    let last = "ekernel: cancelled while a machine was trained; its kernels are kept in tiles";
    assert_eq!(said.last().map(String::as_str), Some(last), "{said:?}");
}
