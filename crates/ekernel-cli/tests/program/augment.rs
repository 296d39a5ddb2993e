//! Whitening, and kernels averaged over training images and their mirror images.

use ndarray::{Array1, Array4, Axis, concatenate, s};

use crate::support::{Playground, read};

const WORDS: &str = "predict --arch net.toml --backend reference --quiet";

/// With `two.npz`: images x, values v and y, the same with their mirror images (xx, vv, yy), test images t, values u.
fn playground() -> Playground {
    let here = Playground::new();
    let images = |n: usize, seed: usize| {
        Array4::from_shape_fn((n, 5, 5, 1), |(i, y, x, _)| {
            let place = (i + seed) as f64 * 1.7 + 0.9 * y as f64;
            0.5 + 0.5 * (place + 0.6 * x as f64 * (1.0 + (i % 4) as f64)).sin()
        })
    };
    let mirrored = |x: &Array4<f64>| x.slice(s![.., .., ..;-1, ..]).to_owned();
    let both = |x: &Array4<f64>| concatenate(Axis(0), &[x.view(), mirrored(x).view()]).unwrap();
    let (x, t) = (images(9, 0), images(4, 20));
    let (xx, v): (_, Array1<f64>) = (both(&x), (0..9).map(|i| 3.0 + (2.1 * i as f64).sin()).collect());
    let vv = concatenate(Axis(0), &[v.view(), v.view()]).unwrap();
    let (xm, tm) = (mirrored(&x), mirrored(&t));
    here.arrays(
        "two.npz",
        &[
            ("x", (&x).into()),
            ("v", (&v).into()),
            ("xx", (&xx).into()),
            ("vv", (&vv).into()),
            ("t", (&t).into()),
            ("xm", (&xm).into()),
            ("tm", (&tm).into()),
        ],
    );
    here
}

/// Training on images and mirror images with twice the ridge predicts the same.
#[test]
fn an_average_over_mirror_images_is_training_on_both() {
    let here = playground();
    for (options, tolerance) in
        [("", 1e-9), (" --normalize zca", 1e-7), (" --normalize zca:0.01 --kind nngp --cov", 1e-7)]
    {
        let words = format!("{WORDS} --test two.npz:t --train two.npz:");
        here.succeed(&format!("{words}x,v --augment flip --ridge 0.001:absolute --out a.npz{options}"));
        here.succeed(&format!("{words}xx,vv --ridge 0.002:absolute --out b.npz{options}"));
        here.succeed(&format!("{words}x,v --ridge 0.001:absolute --out plain.npz{options}"));
        let [one, other, plain] = ["a.npz", "b.npz", "plain.npz"].map(|file| read(&here.path(file), "mean"));
        let apart = |a: &ndarray::Array2<f64>, b: &ndarray::Array2<f64>| (a - b).mapv(f64::abs).sum();
        assert!(apart(&one, &other) < tolerance * 12.0, "{options}: {one} {other}");
        assert!(apart(&one, &plain) > 1e-3, "{options}: {one} {plain}");
        // The mirror image of a test image has its prediction.
        here.succeed(&format!(
            "{WORDS} --train two.npz:x,v --test two.npz:tm --augment flip --ridge 0.001:absolute --out m.npz{options}"
        ));
        assert!(apart(&one, &read(&here.path("m.npz"), "mean")) < tolerance * 12.0, "{options}");
    }
    let found = here.json(&format!("{WORDS} --train two.npz:x,v --test two.npz:x,v --augment flip"));
    assert_eq!(found["augment"], "flip");
    let text = here.succeed(&format!("{WORDS} --train two.npz:x,v --test two.npz:x,v --augment flip"));
    assert!(text.contains("ntk averaged over training images and their mirror images, ridge"), "{text}");
}

#[test]
fn a_stored_kernel_is_the_mean_of_two() {
    let here = playground();
    let gram = |words: &str, out: &str| {
        here.succeed(&format!("gram net.toml --backend reference --quiet {words} --out {out}"));
        ["nngp", "ntk"].map(|key| read(&here.path(out), key))
    };
    for (first, second) in [("x", "x"), ("t", "x")] {
        let sets = if first == second {
            "--x1 two.npz:x".to_owned()
        } else {
            format!("--x1 two.npz:{first} --x2 two.npz:{second}")
        };
        let plain = gram(&format!("--x1 two.npz:{first} --x2 two.npz:{second}"), "p.npz");
        let other = gram(&format!("--x1 two.npz:{first} --x2 two.npz:xm"), "o.npz");
        let mean = gram(&format!("{sets} --augment flip"), "m.npz");
        for ((plain, other), mean) in plain.into_iter().zip(other).zip(mean) {
            assert!((&mean - 0.5 * (plain + other)).iter().all(|x| x.abs() < 1e-13));
            assert!(first != second || mean == mean.t());
        }
    }
}

#[test]
fn what_has_no_mirror_image_is_refused() {
    let here = playground();
    here.text(
        "even.toml",
        &crate::support::ARCH.replace("filter = [3, 3]", "filter = [2, 2]\npadding = \"same\""),
    );
    here.text("flat.toml", "[input]\nspace = \"vector\"\nshape = [2]\n[[layers]]\nop = \"dense\"\n");
    let data = "--train two.npz:x,v --test two.npz:x,v --backend reference --augment flip";
    here.refuse(&format!("predict --arch even.toml {data}"), &["even.toml", "does not commute with D1"]);
    here.refuse(
        &format!("predict --arch flat.toml {data}"),
        &["flat.toml", "reads no images", "leave it out"],
    );
    here.refuse(
        "gram flat.toml --x1 two.npz:x --augment flip --out k.npz",
        &["flat.toml", "reads no images"],
    );
    here.refuse(
        "gram net.toml --x1 two.npz:x --backend finite --augment flip --out k.npz",
        &["--augment", "--backend finite"],
    );
    here.refuse(
        "gram net.toml --x1 two.npz:x --augment flip --resume tiles --out k.npz",
        &["--augment", "--resume"],
    );
}

#[test]
fn whitening_is_fitted_to_the_training_samples_and_named() {
    let here = playground();
    let words = format!("{WORDS} --train two.npz:x,v --test two.npz:t --normalize zca --out");
    let found = here.json(&format!("{words} p.npz"));
    assert_eq!(found["normalize"], "zca bias=0.0001");
    // Of each test sample alone the prediction is the same.
    here.succeed(&format!("{words} one.npz --max-test 1"));
    let (all, one) = (read(&here.path("p.npz"), "mean"), read(&here.path("one.npz"), "mean"));
    assert!(all.iter().any(|mean| (mean - one[(0, 0)]).abs() < 1e-12), "{all} {one}");
    here.refuse(&words.replace("zca", "zca:0"), &["'zca:0'", "above 0"]);
    here.refuse(&words.replace("zca", "zka"), &["known are", "zca"]);
}
