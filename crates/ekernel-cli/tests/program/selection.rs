//! Parts of data and of kernels: rows of arrays, stored kernels, larger pools, training times, several labels.

use ndarray::{Array1, Array2};

use crate::support::{Playground, images, read};

const WORDS: &str = "predict --arch net.toml --backend reference --quiet";

#[test]
fn stored_kernels_predict_as_computed_ones() {
    let here = Playground::new();
    let gram = "gram net.toml --backend reference --quiet";
    here.succeed(&format!("{gram} --x1 data.npz:x --out all.npz"));
    here.succeed(&format!("{gram} --x1 data.npz:x[0:8] --out train.npz"));
    here.succeed(&format!("{gram} --x1 data.npz:x[8:] --x2 data.npz:x[0:8] --out cross.npz"));
    here.succeed(&format!("{gram} --x1 data.npz:x[8:] --out test.npz"));
    let sets = "--train data.npz:x[0:8],v --test data.npz:x[8:12],v";
    for kind in ["ntk", "nngp"] {
        let words = format!("{WORDS} {sets} --kind {kind} --cov");
        here.succeed(&format!("{words} --out p.npz"));
        for files in ["all.npz", "train.npz,cross.npz,test.npz"] {
            here.succeed(&format!("{words} --gram {files} --out q.npz"));
            for key in ["mean", "cov"] {
                let [a, b] = ["p.npz", "q.npz"].map(|file| read(&here.path(file), key));
                assert!((&a - &b).iter().all(|x| x.abs() < 1e-12), "{kind} {files} {key}");
            }
        }
    }
    here.succeed(&format!("{WORDS} {sets} --gram train.npz,cross.npz"));
    here.refuse(&format!("{WORDS} {sets} --cov --gram train.npz,cross.npz"), &["--cov", "third"]);
    here.refuse(&format!("{WORDS} {sets} --gram cross.npz,train.npz"), &["cross.npz", "[4, 8]", "[8, 8]"]);
    let other = std::fs::read_to_string(here.path("net.toml")).unwrap().replace("relu", "erf");
    here.text("other.toml", &other);
    let words = WORDS.replace("net.toml", "other.toml");
    here.refuse(&format!("{words} {sets} --gram all.npz"), &["another architecture", "other.toml"]);
    // A learning curve takes its draws from the stored matrix.
    let curve = "--n 4,6 --seeds 2";
    let computed = here.json(&format!("{WORDS} {sets} {curve}"));
    let stored = here.json(&format!("{WORDS} {sets} {curve} --gram all.npz"));
    let scores = |found: &serde_json::Value| found["networks"][0]["curve"][1]["mean"].as_f64().unwrap();
    assert!((scores(&computed) - scores(&stored)).abs() < 1e-12);
}

#[test]
fn samples_keep_their_names_and_rows() {
    let here = Playground::new();
    here.succeed(
        "gram net.toml --x1 data.npz:x[2:5] --x2 data.npz:x --backend reference --quiet --out k.npz",
    );
    let names = |key: &str| {
        let array = ekernel_data::NpzFile::open(&here.path("k.npz")).unwrap().read(key).unwrap();
        let ekernel_data::NpyArray::Texts(texts) = array else { panic!("{key} holds no texts") };
        texts.iter().cloned().collect::<Vec<String>>()
    };
    assert_eq!(names("names1"), ["2", "3", "4"]);
    assert_eq!(names("names2").len(), 12);
    let found = here.json("gram net.toml --x1 data.npz:x[2:5] --backend reference --quiet --out k.npz");
    assert_eq!(found["names2"], serde_json::json!(["2", "3", "4"]));
    for key in ["x[3:3]", "x[5:13]", "x[12:]"] {
        here.refuse(&format!("gram net.toml --x1 data.npz:{key} --out j.npz"), &["data.npz:x", "12"]);
    }
    let found = here.json(&format!("{WORDS} --train data.npz:x,v --test data.npz:x[3:9],v --max-train 7"));
    assert_eq!(found["train"]["samples"], 7);
    assert_eq!(found["names"], serde_json::json!(["3", "4", "5", "6", "7", "8"]));
    assert_eq!(found["ridge"], serde_json::json!({ "choice": "given", "value": 1e-4, "unit": "relative" }));
    assert_eq!(found["time"], "inf");
}

#[test]
fn what_leaves_nothing_behind_is_refused_before_the_work() {
    let here = Playground::new();
    let words = format!("{WORDS} --train data.npz:x,v --test data.npz:x");
    here.refuse(&words, &["without test targets", "--out P.npz"]);
    here.succeed(&format!("{words} --out p.npz"));
}

/// Tiles of a larger pool serve a smaller one, with the same draws and scores.
#[test]
fn a_smaller_curve_takes_the_kernels_of_a_larger_one() {
    let here = Playground::new();
    let words = format!("{WORDS} --train data.npz:x,y --test data.npz:x,y --seeds 3");
    here.json(&format!("{words} --n 4,10 --resume tiles"));
    let resumed = here.json(&format!("{words} --n 4,6 --resume tiles"));
    let fresh = here.json(&format!("{words} --n 4,6"));
    assert_eq!(resumed["networks"][0]["pairs"], 0);
    assert_eq!(resumed["networks"][0]["curve"], fresh["networks"][0]["curve"]);
    assert_eq!(resumed["pool"], fresh["pool"]);
    here.refuse(&format!("{words} --n 4,11 --resume tiles"), &["pool of 10", "11"]);
}

#[test]
fn a_curve_over_time_ends_where_training_does() {
    let here = Playground::new();
    let words = format!("{WORDS} --train data.npz:x,v --test data.npz:x[0:6],v");
    let curve = here.json(&format!("{words} --time 1,100,inf --out p.npz"));
    let times = curve["networks"][0]["times"].as_array().unwrap();
    assert_eq!(
        times.iter().map(|point| point["time"].clone()).collect::<Vec<_>>(),
        [1.0.into(), 100.0.into(), "inf".into()] as [serde_json::Value; 3]
    );
    for (time, point) in ["1", "100", "inf"].into_iter().zip(times) {
        let single = here.json(&format!("{words} --time {time}"));
        assert_eq!(single["networks"][0]["curve"][0]["mean"], point["mean"], "{time}");
    }
    assert!(here.succeed(&format!("{words} --time 1,100,inf")).contains("RMSE after each training time"));
    assert_eq!(read(&here.path("p.npz"), "time_scores"), ndarray::arr2(&[[0.0]; 3]) + column(times));
    here.refuse(&format!("{words} --time 1,10 --n 4,6"), &["--time and --n"]);
}

fn column(times: &[serde_json::Value]) -> Array2<f64> {
    Array2::from_shape_fn((times.len(), 1), |(i, _)| times[i]["mean"].as_f64().unwrap())
}

#[test]
fn several_labels_have_scores_of_their_own() {
    let here = Playground::new();
    let x = images(12);
    let labels = Array2::from_shape_fn((12, 3), |(i, k)| u8::from(i % 3 == k || i % 2 == k));
    let years: Array1<i64> = (0..12).map(|i| 1990 + i).collect();
    here.arrays("l.npz", &[("x", (&x).into()), ("y", (&labels).into()), ("years", (&years).into())]);
    here.refuse(&format!("{WORDS} --train l.npz:x,y --test l.npz:x,y"), &["--targets values"]);
    let words = format!("{WORDS} --train l.npz:x,y --test l.npz:x,y --targets values");
    let found = here.json(&words);
    assert_eq!(found["networks"][0]["labels"].as_array().unwrap().len(), 3);
    assert_eq!(found["networks"][0]["outputs"].as_array().unwrap().len(), 3);
    let text = here.succeed(&words);
    assert!(text.contains("AUC") && text.contains("positives"), "{text}");
}
