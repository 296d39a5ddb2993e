//! `ekernel solve`: the same predictions from conjugate gradients and from a factor, and what it
//! refuses.

use ekernel_data::{NpyArray, NpzFile};
use ndarray::{ArrayD, Axis};

use crate::support::Playground;

const STORES: &str = "gram --arch net.toml --backend cpu --chunk 5 --quiet --kind ntk";

/// With `K.zarr` of 12 samples, and `T.zarr` of 4 of them against all.
fn with_stores() -> Playground {
    let here = Playground::new();
    here.succeed(&format!("{STORES} --x1 data.npz:x --out K.zarr"));
    here.succeed(&format!("{STORES} --x1 data.npz:x[2:6] --x2 data.npz:x --out T.zarr"));
    here
}

fn floats(here: &Playground, file: &str, name: &str) -> ArrayD<f64> {
    match NpzFile::open(&here.path(file)).unwrap().read(name).unwrap() {
        NpyArray::Floats(values) => values,
        other => panic!("{name} is of {}", other.dtype()),
    }
}

#[test]
fn conjugate_gradients_predict_what_a_factor_predicts() {
    let here = with_stores();
    for (y, ridge) in [
        ("data.npz:y", "1e-3"),
        ("data.npz:v", "1e-2"),
        ("data.npz:x,v", "1e-3:absolute"),
        ("data.npz:v", "auto"),
    ] {
        let solve = format!("solve K.zarr --y {y} --ridge {ridge} --predict T.zarr --quiet");
        here.succeed(&format!("{solve} --method cholesky --out factor.npz"));
        let due = floats(&here, "factor.npz", "predictions");
        for words in ["", "--precondition none", "--precondition rpcholesky:3 --threads 1", "--seed 7"] {
            let found = here.json(&format!("{solve} {words} --out W.npz"));
            assert_eq!(found["converged"], true, "{found}");
            let predicted = floats(&here, "W.npz", "predictions");
            assert_eq!(predicted.len_of(Axis(0)), 4);
            let largest = due.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
            let distance = (&predicted - &due).iter().fold(0.0_f64, |most, value| most.max(value.abs()));
            assert!(distance < 1e-8 * largest, "{y}, {ridge}, {words}: {distance:e} of {largest:e}");
        }
    }
}

#[test]
fn it_goes_on_from_its_progress_file() {
    let here = with_stores();
    let solve = "solve K.zarr --y data.npz:v --ridge 1e-6 --precondition none --quiet";
    here.succeed(&format!("{solve} --out whole.npz"));
    let said = here.succeed(&format!("{solve} --steps 3 --resume state.npz --out part.npz"));
    assert!(said.contains("NOT CONVERGED"), "{said}");
    here.succeed(&format!("{solve} --resume state.npz --out rest.npz"));
    for name in ["weights", "residuals"] {
        assert_eq!(floats(&here, "rest.npz", name), floats(&here, "whole.npz", name), "{name}");
    }
    for (words, parts) in [
        ("solve K.zarr --y data.npz:v --ridge 1e-5 --precondition none", ["another system", "the ridge"]),
        (
            "solve K.zarr --y data.npz:v --ridge 1e-6 --precondition rpcholesky:3",
            ["another system", "rank 0"],
        ),
        ("solve K.zarr --y data.npz:y --ridge 1e-6 --precondition none", ["state.npz", "other targets"]),
    ] {
        here.refuse(&format!("{words} --resume state.npz --out W.npz --quiet"), &parts);
    }
    here.refuse(&format!("{solve} --resume data.npz --out W.npz"), &["data.npz"]);
}

#[test]
fn what_cannot_be_solved_is_refused() {
    let here = with_stores();
    let out = |words: &str| format!("solve {words} --out W.npz --quiet");
    here.refuse(&out("K.zarr --y data.npz:few"), &["data.npz:few", "5 targets", "12"]);
    here.refuse(&out("K.zarr --y data.npz:no"), &["no array 'no'"]);
    here.refuse(&out("T.zarr --y data.npz:v"), &["two sets"]);
    here.refuse(&out("data.npz --y data.npz:v"), &["data.npz"]);
    here.refuse(&out("K.zarr --y data.npz:v --kind nngp"), &["nngp", "no such array"]);
    here.refuse(&out("K.zarr --y data.npz:v --ridge=-1"), &["--ridge"]);
    here.refuse(&out("K.zarr --y data.npz:v --ridge 0"), &["ridge", "positive"]);
    here.refuse(&out("K.zarr --y data.npz:v --precondition jacobi"), &["rpcholesky:2000"]);
    here.refuse(&out("K.zarr --y data.npz:v --tolerance 0"), &["between 0 and 1"]);
    here.refuse(&out("K.zarr --y data.npz:v --method cholesky --resume s.npz"), &["--resume"]);
    here.refuse("solve K.zarr --y data.npz:v --out W.zarr --quiet", &["W.npz"]);
    here.succeed(&format!("{STORES} --x1 data.npz:x[2:6] --x2 data.npz:x[1:] --out U.zarr"));
    here.refuse(&out("K.zarr --y data.npz:v --predict U.zarr"), &["the first set", "11 samples"]);
    std::fs::remove_file(here.path("K.zarr/ntk/c/2/1")).unwrap();
    here.refuse(&out("K.zarr --y data.npz:v"), &["ntk/c/2/1", "has not been computed", "ekernel status"]);
}
