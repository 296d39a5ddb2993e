//! Signals on the sphere.

use std::f64::consts::{FRAC_PI_8, TAU};

use crate::support::{Playground, SPHERE_ARCH, read};
use ndarray::{Array1, Array4, s};

/// With `sphere.toml`, and `s.npz`: signals `x` (8, 4, 3, 2) and classes `y`.
fn playground() -> Playground {
    let here = Playground::new();
    here.text("sphere.toml", SPHERE_ARCH);
    let x = Array4::from_shape_fn((8, 4, 3, 2), |(i, t, p, c)| {
        let (theta, phi) = ((2 * t + 1) as f64 * FRAC_PI_8, p as f64 * TAU / 3.0);
        (1 + i % 2) as f64 * theta.cos() + 0.3 * (i as f64 + c as f64).sin() * theta.sin() * phi.cos() + 0.1
    });
    // About the axis of the poles by one step of the grid.
    let mut turned = x.clone();
    turned.slice_mut(s![.., .., 1.., ..]).assign(&x.slice(s![.., .., ..2, ..]));
    turned.slice_mut(s![.., .., 0, ..]).assign(&x.slice(s![.., .., 2, ..]));
    let y: Array1<i64> = (0..8).map(|i| i % 2).collect();
    let (odd, wide, nan) = (
        Array4::<f64>::zeros((3, 5, 4, 2)),
        Array4::<f64>::zeros((3, 4, 4, 2)),
        Array4::from_elem((3, 4, 3, 2), f64::NAN),
    );
    let (large, grey) = (Array4::<f64>::zeros((3, 6, 5, 2)), Array4::<f64>::zeros((3, 4, 3, 1)));
    here.arrays(
        "s.npz",
        &[
            ("x", (&x).into()),
            ("turned", (&turned).into()),
            ("y", (&y).into()),
            ("odd", (&odd).into()),
            ("wide", (&wide).into()),
            ("nan", (&nan).into()),
            ("large", (&large).into()),
            ("grey", (&grey).into()),
        ],
    );
    here
}

#[test]
fn kernels_of_turned_signals_are_the_same() {
    let here = playground();
    let kernel = |x1: &str| {
        here.succeed(&format!(
            "gram --arch sphere.toml --x1 s.npz:{x1} --x2 s.npz:x --backend reference --quiet --out k.npz"
        ));
        read(&here.path("k.npz"), "ntk")
    };
    let (kept, turned) = (kernel("x"), kernel("turned"));
    let largest = kept.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
    // A sample with itself turned has the cone of a relu at another place of the grid: 1e-6, other pairs far less.
    let worst = (&kept - &turned).iter().fold(0.0, |a: f64, b| a.max(b.abs()));
    assert!(worst < 1e-5 * largest, "{worst:e} {largest}");
}

#[test]
fn signals_are_learned() {
    let here = playground();
    let found = here.json(
        "predict --arch sphere.toml --train s.npz:x,y --test s.npz:turned,y --backend reference --quiet",
    );
    assert_eq!(found["networks"][0]["accuracy"], 1.0);
    let plan = here.json("plan sphere.toml");
    assert_eq!(plan["input"]["shape"], serde_json::json!([4, 3, 2]));
    assert!(plan["rotations"][0]["points"].as_u64().unwrap() > 0);
    let check = here.json("check sphere.toml --quiet");
    assert_eq!(check["ok"], true, "{check}");
}

#[test]
fn arrays_that_are_no_signals() {
    let here = playground();
    let gram =
        |key: &str| format!("gram --arch sphere.toml --x1 s.npz:{key} --backend reference --out k.npz");
    here.refuse(&gram("odd"), &["s.npz:odd", "[5, 4, 2]", "5 rings, an odd number"]);
    here.refuse(&gram("nan"), &["s.npz:nan", "sample 0", "NaN"]);
    here.refuse(&gram("large"), &["sphere.toml", "bandlimit = 3", "channels = 2"]);
    here.refuse(&gram("grey"), &["sphere.toml", "channels = 1"]);
    here.refuse(&gram("y"), &["s.npz:y", "shape"]);
    here.text("zero.toml", &SPHERE_ARCH.replace("bandlimit = 2", "bandlimit = 0"));
    here.refuse("plan zero.toml", &["zero.toml", "bandlimit", "at least 1"]);
    here.text("conv.toml", &SPHERE_ARCH.replace("\"s2_conv\"", "\"s2_conv\"\nbandlimit = 3"));
    here.refuse("plan conv.toml", &["conv.toml", "bandlimit", "2"]);
}

/// Other programs keep 2L points on each ring.
#[test]
fn even_rings_are_interpolated_and_it_is_said() {
    let here = playground();
    let gram = "gram --arch sphere.toml --x1 s.npz:wide --backend reference --out k.npz";
    let said = String::from_utf8(here.ekernel(gram).output().unwrap().stderr).unwrap();
    assert!(said.contains("--x1: rings of 4 points are interpolated at 3 points"), "{said}");
    assert!(here.path("k.npz").exists());
}
