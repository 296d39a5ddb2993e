//! Regression with uncertainty: likelihood, amplitude, noise, standardised targets, plots.

use ndarray::{Array1, Array2};

use crate::support::{Playground, read};

const ARCH: &str = "[input]\nspace = \"vector\"\nshape = [1]\n[[layers]]\nop = \"dense\"\nb_std = 1.0\n[[layers]]\nop = \"erf\"\nb = 2.0\n[[layers]]\nop = \"dense\"\n";
const WORDS: &str =
    "predict --arch one.toml --backend reference --quiet --train d.npz:x,y --test d.npz:t,u --kind nngp";

/// Training samples x, y, test samples t, u of a wave far from 0, and noise `s`.
fn playground() -> Playground {
    let here = Playground::new();
    here.text("one.toml", ARCH);
    let at = |n: usize, step: f64| Array2::from_shape_fn((n, 1), |(i, _)| -2.0 + step * i as f64);
    let (x, t) = (at(30, 0.13), at(11, 0.37));
    let wave = |x: &Array2<f64>, noise: f64| -> Array1<f64> {
        let value =
            |(i, x): (usize, &f64)| 300.0 + 40.0 * (2.0 * x).sin() + noise * ((i * 7919 % 13) as f64 - 6.0);
        x.iter().enumerate().map(value).collect()
    };
    let (y, u, s) = (wave(&x, 1.0), wave(&t, 0.0), Array1::from_elem(30, 0.3));
    let arrays =
        [("x", (&x).into()), ("y", (&y).into()), ("t", (&t).into()), ("u", (&u).into()), ("s", (&s).into())];
    here.arrays("d.npz", &arrays);
    here
}

fn network(found: &serde_json::Value, key: &str) -> f64 {
    found["networks"][0][key].as_f64().unwrap_or_else(|| panic!("{key}: {found}"))
}

#[test]
fn the_fitted_scale_has_the_largest_likelihood_and_changes_no_mean() {
    let here = playground();
    let fitted = here.json(&format!("{WORDS} --scale fit --cov --out fit.npz"));
    let (best, amplitude) = (network(&fitted, "log_marginal_likelihood"), network(&fitted, "amplitude"));
    let ridge = fitted["networks"][0]["curve"][0]["ridges"][0].as_f64().unwrap();
    for factor in [1.0, 0.5, 2.0] {
        let plain = here.json(&format!("{WORDS} --ridge {} --cov --out plain.npz", ridge * factor));
        assert!(network(&plain, "log_marginal_likelihood") < best);
        let scaled = here.json(&format!("{WORDS} --ridge {} --scale fit", ridge * factor));
        let likelihood = network(&scaled, "log_marginal_likelihood");
        assert!(likelihood <= best + 1e-9, "{factor}: {likelihood} {best}");
        if factor == 1.0 {
            assert_eq!(read(&here.path("plain.npz"), "mean"), read(&here.path("fit.npz"), "mean"));
            let [plain, fit] = ["plain.npz", "fit.npz"].map(|file| read(&here.path(file), "std"));
            for (plain, fit) in plain.iter().zip(&fit) {
                assert!(
                    (fit - amplitude.sqrt() * plain).abs() < 1e-9 * fit.abs(),
                    "{fit} {plain} {amplitude}"
                );
            }
        }
    }
    let [std, cov] = ["std", "cov"].map(|key| read(&here.path("fit.npz"), key));
    assert!(
        std.column(0)
            .iter()
            .zip(cov.diag())
            .all(|(std, variance)| std * std == *variance || (std * std / variance - 1.0).abs() < 1e-14)
    );
    // The wave has noise of a deviation of 3.7 on an amplitude of 40; the likelihood finds it within a factor.
    let noise = fitted["networks"][0]["noise_std"][0].as_f64().unwrap();
    assert!((2.5..5.5).contains(&noise), "{noise}");
    let text = here.succeed(&format!("{WORDS} --scale fit --cov"));
    assert!(
        text.contains("log marginal likelihood") && text.contains("standard deviation of the noise"),
        "{text}"
    );
    assert!(text.contains("standard deviation of a prediction") && text.contains("without noise"), "{text}");
}

/// A likelihood is a density of the targets as they are stored, so that options can be compared by it.
#[test]
fn standardised_targets_are_the_same_problem_in_other_units() {
    let here = playground();
    let plain = here.json(&format!("{WORDS} --ridge 1e-2 --scale fit --cov --out a.npz"));
    let scaled =
        here.json(&format!("{WORDS} --ridge 1e-2 --scale fit --cov --standardize-targets --out b.npz"));
    assert_eq!(scaled["standardize_targets"], true);
    let [a, b] = [&plain, &scaled].map(|found| network(found, "log_marginal_likelihood"));
    assert!((a - b).abs() < 1e-9 * a.abs(), "{a} {b}");
    for key in ["mean", "std", "cov"] {
        let [a, b] = ["a.npz", "b.npz"].map(|file| read(&here.path(file), key));
        let largest = a.iter().fold(0.0f64, |most, x| most.max(x.abs()));
        assert!((&a - &b).iter().all(|x| x.abs() < 1e-10 * largest), "{key}: {a} {b}");
    }
    // Deviations are of the size of the targets, which without either option they are not.
    here.succeed(&format!("{WORDS} --ridge 1e-2 --standardize-targets --cov --out c.npz"));
    here.succeed(&format!("{WORDS} --ridge 1e-2 --cov --out d_.npz"));
    let [units, raw] = ["c.npz", "d_.npz"].map(|file| read(&here.path(file), "std").mean().unwrap());
    assert!(units > 10.0 * raw, "{units} {raw}");
}

#[test]
fn noise_of_each_target_is_added_to_the_diagonal() {
    let here = playground();
    let words = WORDS.replace("x,y", "x,y,s");
    here.succeed(&format!("{words} --ridge 0 --cov --out noise.npz"));
    let text = here.succeed(&format!("{words} --ridge 0:absolute"));
    assert!(
        text.contains("nngp, ridge 0 absolute beside the squares of the noise s (0.3000), time"),
        "{text}"
    );
    let text = here.succeed(&format!("{WORDS} --ridge 0.0025000000000000005"));
    assert!(text.contains("nngp, ridge 0.0025 of the mean diagonal, time"), "{text}");
    here.succeed(&format!("{WORDS} --ridge 0.09:absolute --cov --out ridge.npz"));
    for key in ["mean", "cov"] {
        let [a, b] = ["noise.npz", "ridge.npz"].map(|file| read(&here.path(file), key));
        assert!((&a - &b).iter().all(|x| x.abs() < 1e-9 * 300.0), "{key}");
    }
    here.refuse(&format!("{words} --scale fit"), &["--scale fit", "noise"]);
    here.refuse(&WORDS.replace("x,y", "x,y,x"), &["noise", "at least 0"]);
    here.refuse(&WORDS.replace("t,u", "t,u,s"), &["--test", "leave s out"]);
    here.refuse(&WORDS.replace("x,y", "x,y,u"), &["d.npz:u", "30 samples", "11"]);
}

#[test]
fn what_is_no_likelihood_is_refused() {
    let here = playground();
    let words = WORDS.replace(" --kind nngp", "");
    here.refuse(&format!("{words} --scale fit"), &["--scale fit", "--kind nngp"]);
    here.refuse(&format!("{words} --ridge likelihood --kind NTK"), &["--ridge likelihood", "--kind nngp"]);
    here.refuse(&format!("{WORDS} --scale fit --time 3"), &["--time inf"]);
    here.text("same.csv", "a,y\n1,5\n2,5\n3,5\n");
    let same = "predict --arch one.toml --backend reference --quiet --kind nngp --targets values";
    here.refuse(
        &format!("{same} --train same.csv:all,y --test same.csv:all,y --scale fit"),
        &["no noise is likelier", "give a ridge"],
    );
    here.succeed(&format!("{same} --train same.csv:all,y --test same.csv:all,y --scale fit --ridge 1e-3"));
    let classes = "predict --arch net.toml --backend reference --quiet --train data.npz:x,y --test data.npz:x,y --kind nngp";
    for option in ["--scale fit", "--ridge likelihood", "--standardize-targets"] {
        here.refuse(&format!("{classes} {option}"), &[option, "classes"]);
    }
}

#[test]
fn values_are_plotted() {
    let here = playground();
    for name in ["fit.svg", "fit.png"] {
        here.succeed(&format!("{WORDS} --cov --scale fit --plot {name}"));
    }
    let svg = std::fs::read_to_string(here.path("fit.svg")).unwrap();
    assert!(svg.contains("polygon") && svg.contains("mean ± 2 standard deviations, without noise"), "{svg}");
    for part in ["training data", "test data"] {
        assert_eq!(svg.matches(part).count(), 1, "{svg}");
    }
    // 30 training samples, 11 test samples, and one of each in the legend.
    assert_eq!(svg.matches("<circle").count(), 30 + 11 + 2, "{svg}");
    let images =
        "predict --arch net.toml --backend reference --quiet --train data.npz:x,v --test data.npz:x,v";
    here.succeed(&format!("{images} --plot against.svg"));
    let svg = std::fs::read_to_string(here.path("against.svg")).unwrap();
    assert!(svg.contains("true value") && svg.contains("predicted value"), "{svg}");
    here.succeed(&format!("{images} --time 1,10,inf --plot times.svg"));
    let svg = std::fs::read_to_string(here.path("times.svg")).unwrap();
    assert!(svg.contains("training time") && svg.contains("inf"), "{svg}");
}

/// A line over one feature needs no true values; without `--scale fit` the report says what its deviations are worth.
#[test]
fn a_line_is_drawn_without_test_targets() {
    let here = playground();
    let line = WORDS.replace("d.npz:t,u", "d.npz:t");
    assert_ne!(line, WORDS);
    let printed = here.succeed(&format!("{line} --cov --plot line.svg"));
    assert!(printed.contains("in units of the kernel"), "{printed}");
    let svg = std::fs::read_to_string(here.path("line.svg")).unwrap();
    assert!(svg.contains("polygon") && svg.contains("training data") && !svg.contains("test data"), "{svg}");
    assert!(!svg.contains("NaN"), "{svg}");
    let scaled = here.succeed(&format!("{line} --cov --scale fit --plot line.svg"));
    assert!(!scaled.contains("in units of the kernel"), "{scaled}");
}
