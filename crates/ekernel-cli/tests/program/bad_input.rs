//! Everything a user can get wrong ends with exit code 2, one clear line, and nothing written.

use std::process::Stdio;

use crate::support::Playground;
use ndarray::{Array1, Array2, Array4};

#[test]
fn pixels_that_are_no_numbers() {
    let here = Playground::new();
    here.refuse(
        "gram --arch net.toml --x1 data.npz:nan --out k.npz",
        &["data.npz:nan", "sample 7", "[2, 3, 0]", "NaN"],
    );
    here.refuse(
        "gram --arch net.toml --x1 data.npz:x --x2 data.npz:infinite --out k.npz",
        &["infinite", "sample 4", "inf"],
    );
    here.refuse(
        "predict --arch net.toml --train data.npz:nan,y --test data.npz:x,y",
        &["data.npz:nan", "sample 7"],
    );
}

#[test]
fn wrong_names_of_arrays_and_files() {
    let here = Playground::new();
    here.refuse("gram --arch net.toml --x1 data.npz:xx --out k.npz", &["no array 'xx'", "it holds", "x"]);
    here.refuse(
        "gram --arch net.toml --x1 data.npz --out k.npz",
        &["data.npz", "say which", "data.npz:NAME"],
    );
    here.refuse(
        "gram --arch net.toml --x1 dat.npz:x --out k.npz",
        &["dat.npz", "does not exist", "'data.npz'"],
    );
    here.refuse("gram --arch nat.toml --x1 data.npz:x --out k.npz", &["nat.toml", "cannot read"]);
    here.refuse("predict --arch net.toml --train data.npz:x --test data.npz:x", &["--train", "targets"]);
    here.refuse(
        "predict --arch net.toml --train data.npz:x,y --test data.npz:x,v",
        &["test targets", "regression"],
    );
    here.refuse("predict --arch net.toml --train data.npz:x,few --test data.npz:x", &["12 samples", "5"]);
}

#[test]
fn empty_sets_and_wrong_shapes() {
    let here = Playground::new();
    let (none, flat) = (Array4::<f64>::zeros((0, 5, 5, 1)), Array2::<f64>::zeros((3, 25)));
    let (wide, first) = (Array4::<f64>::zeros((3, 5, 6, 1)), Array4::<f64>::zeros((3, 1, 5, 5)));
    let labels = Array1::<i64>::zeros(0);
    let five = ndarray::ArrayD::<f64>::zeros(vec![1, 5, 5, 1, 1]);
    here.arrays(
        "odd.npz",
        &[
            ("none", (&none).into()),
            ("flat", (&flat).into()),
            ("wide", (&wide).into()),
            ("first", (&first).into()),
            ("labels", (&labels).into()),
            ("five", (&five).into()),
        ],
    );
    let gram = |key: &str| format!("gram --arch net.toml --x1 odd.npz:{key} --out k.npz");
    here.refuse(&gram("none"), &["odd.npz:none", "empty"]);
    here.refuse(&gram("flat"), &["net.toml", "odd.npz:flat", "vectors"]);
    here.refuse(&gram("wide"), &["[5, 5, 1]", "[5, 6, 1]"]);
    let line = here.refuse(&gram("first"), &["(3, 1, 5, 5)", "x.transpose(0, 2, 3, 1)"]);
    assert!(!line.contains("NCHW") && line.matches("channels first").count() == 1, "{line}");
    here.refuse(&gram("five"), &["odd.npz:five", "shape"]);
    here.refuse("predict --arch net.toml --train odd.npz:none,labels --test data.npz:x", &["empty"]);
    here.refuse(
        "predict --arch net.toml --train data.npz:x,y --test odd.npz:wide",
        &["[5, 5, 1]", "[5, 6, 1]"],
    );
}

#[test]
fn damaged_files() {
    let here = Playground::new();
    let whole = std::fs::read(here.path("data.npz")).unwrap();
    std::fs::write(here.path("cut.npz"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(here.path("text.npz"), "hello").unwrap();
    std::fs::write(here.path("cut.npy"), b"\x93NUMPY\x01").unwrap();
    here.refuse(
        "gram --arch net.toml --x1 cut.npz:x --out k.npz",
        &["cut.npz", "truncated", "copy the file"],
    );
    let line = here.refuse("gram --arch net.toml --x1 text.npz:x --out k.npz", &["text.npz", "zip", "savez"]);
    assert!(!line.contains("EOCD"), "{line}");
    here.refuse("gram --arch net.toml --x1 cut.npy --out k.npz", &["cut.npy"]);
    here.text("broken.toml", "[input\n");
    here.refuse("plan broken.toml", &["broken.toml", "line 1"]);
    here.text("unknown.toml", &crate::support::ARCH.replace("relu", "rellu"));
    here.refuse("plan unknown.toml", &["unknown.toml", "rellu", "did you mean \"relu\""]);
}

#[test]
fn architectures_that_are_no_text() {
    let here = Playground::new();
    here.refuse("plan data.npz", &["data.npz", ".npz file", "TOML text file"]);
    std::fs::write(here.path("latin.toml"), b"# caf\xe9\n").unwrap();
    here.refuse("plan latin.toml", &["latin.toml", "UTF-8", "TOML text file"]);
    std::fs::write(here.path("wide.toml"), b"\xff\xfe[\0i\0").unwrap();
    here.refuse("plan wide.toml", &["wide.toml", "UTF-16"]);
    here.refuse("plan .", &["folder"]);
    if cfg!(unix) {
        here.refuse("plan /dev/zero", &["/dev/zero", "device"]);
        here.refuse("gram --arch /dev/zero --x1 data.npz:x --out k.npz", &["/dev/zero", "device"]);
    }
}

#[test]
fn words_that_would_be_ignored() {
    let here = Playground::new();
    let gram = "gram --arch net.toml --x1 data.npz:x --backend reference";
    here.refuse(&format!("{gram} --resize 5x5 --out k.npz"), &["resizing", "data.npz", "folders of images"]);
    here.refuse(&format!("{gram} --per-class 2 --out k.npz"), &["per class", "folders of images"]);
    here.refuse(&format!("{gram} --color grey --out k.npz"), &["color", "folders of images"]);
    here.refuse(
        "predict --arch net.toml --train data.npz:x,y --test data.npz:x,y --per-class 2",
        &["per class", "folders of images"],
    );
    here.refuse(
        "gram --arch net.toml --x1 data.npz:x,y --out k.npz",
        &["--x1 data.npz:x,y", "without targets", "write data.npz:x"],
    );
    here.refuse(&format!("{gram} --x2 data.npz:x,y --out k.npz"), &["--x2 data.npz:x,y"]);
    here.refuse(&format!("{gram} --out k.npy"), &["--out k.npy", ".npz", "k.npz"]);
    here.refuse(&format!("{gram} --out k"), &["k.npz"]);
    here.refuse(
        "predict --arch net.toml --train data.npz:x,y --test data.npz:x,y --out p.npy",
        &["--out p.npy", "p.npz"],
    );
}

#[test]
fn outputs_that_cannot_be_written() {
    let here = Playground::new();
    std::fs::create_dir(here.path("folder")).unwrap();
    let gram = |out: &str| format!("gram --arch net.toml --x1 data.npz:x --backend reference --out {out}");
    here.refuse(&gram("nowhere/k.npz"), &["--out nowhere/k.npz", "does not exist"]);
    here.refuse(&gram("folder"), &["--out folder", "is a folder"]);
    here.refuse(&gram("net.toml/k.npz"), &["net.toml", "is not a folder"]);
    here.refuse(&gram("data.npz"), &["overwrite an input"]);
    let predict = "predict --arch net.toml --train data.npz:x,y --test data.npz:x,y --backend reference";
    here.refuse(&format!("{predict} --plot p.pdf"), &["p.pdf", ".svg or .png"]);
    here.refuse(&format!("{predict} --plot nowhere/p.svg"), &["nowhere", "does not exist"]);
    here.refuse(&format!("{predict} --resume net.toml"), &["--resume net.toml", "not a folder"]);
}

#[cfg(target_os = "linux")]
#[test]
fn devices_and_full_disks() {
    let here = Playground::new();
    let gram = |out: &str| format!("gram --arch net.toml --x1 data.npz:x --backend reference --out {out}");
    here.refuse(&gram("/dev/full"), &["/dev/full", "device"]);
    here.refuse(&gram("/proc/k.npz"), &["--out /proc/k.npz", "the system's own", "name another file"]);
    assert!(!std::fs::metadata("/dev/full").unwrap().is_file());
    // As links in a folder where they could be replaced: /dev/stdout is one too.
    let predict = "predict --arch net.toml --train data.npz:x,y --test data.npz:x,y --backend reference";
    for (name, target) in [("o.npz", "/proc/self/fd/1"), ("f.npz", "/dev/full"), ("p.svg", "/dev/null")] {
        std::os::unix::fs::symlink(target, here.path(name)).unwrap();
        let words = if name == "p.svg" { format!("{predict} --plot {name}") } else { gram(name) };
        here.refuse(&words, &[name, "device"]);
        assert!(here.path(name).is_symlink());
    }
    here.refuse(&gram("/dev/stdout"), &["--out /dev/stdout", "device"]);
    for words in ["plan net.toml", "completions bash", "--help"] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("ekernel"));
        command
            .current_dir(here.path("."))
            .args(words.split_whitespace())
            .stdout(full)
            .stderr(Stdio::piped());
        let output = command.output().unwrap();
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{words}: {line}");
        assert!(line.contains("standard output") && line.lines().count() == 1, "{words}: {line}");
    }
}

#[test]
fn sizes_beyond_reason() {
    let here = Playground::new();
    let large = |side: usize| crate::support::ARCH.replace("[5, 5, 1]", &format!("[{side}, {side}, 1]"));
    here.text("large.toml", &large(300));
    let pixels = Array4::<f64>::zeros((2, 300, 300, 1));
    here.arrays("large.npz", &[("x", (&pixels).into())]);
    here.refuse(
        "gram --arch large.toml --x1 large.npz:x --backend reference --out k.npz",
        &["memory", "GiB"],
    );
    here.text("absurd.toml", &large(9_000_000_000));
    here.refuse("plan absurd.toml", &["absurd.toml", "9000000000", "at most"]);
    here.text("wide.toml", &large(9000));
    here.refuse("plan wide.toml", &["wide.toml", "9000 × 9000", "618 MiB", "at most 4096 × 4096", "128 MiB"]);
    let long = "# a comment\n".repeat(100_000);
    here.text("long.toml", &long);
    here.refuse("plan long.toml", &["long.toml", "larger than 1 MiB"]);
    here.refuse("predict --arch net.toml --train data.npz:x,y --test data.npz:x,y --n 13", &["--n 13", "12"]);
    here.refuse(
        "predict --arch net.toml --train data.npz:x,y --test data.npz:x,y --n 5 --pool 99",
        &["--pool 99", "12"],
    );
    here.refuse("gram --arch net.toml --x1 data.npz:x --out k.npz --threads 0", &["--threads", "1 to"]);
    here.refuse(
        "gram --arch net.toml --x1 data.npz:x --out k.npz --threads 99999999",
        &["--threads", "1 to"],
    );
}

#[test]
fn words_that_mean_nothing() {
    let here = Playground::new();
    here.refuse("", &["no command", "--help"]);
    here.refuse("grim", &["grim", "gram"]);
    here.refuse("gram --arch net.toml --out k.npz", &["--x1"]);
    here.refuse("gram --arch net.toml --x1 data.npz:x --kind ntq --out k.npz", &["ntq", "ntk"]);
    let predict = "predict --arch net.toml --train data.npz:x,y --test data.npz:x,y";
    here.refuse(&format!("{predict} --ridge -1"), &["--ridge"]);
    here.refuse(&format!("{predict} --ridge much"), &["much", "auto"]);
    here.refuse(&format!("{predict} --time never"), &["never", "inf"]);
    here.refuse(&format!("{predict} --n 0"), &["--n", "at least 1"]);
    here.refuse(&format!("{predict} --normalize mean"), &["mean", "standardize"]);
    here.refuse(&format!("{predict} --backend reference --precision f32"), &["reference", "f64"]);
    here.refuse(&format!("{predict} --backend wgpu --precision f64"), &["f32", "cpu"]);
    here.refuse(&format!("{predict} --backend cpu --adapter 0"), &["--adapter", "wgpu"]);
    here.refuse("plan net.toml --adapter 0", &["--adapter", "--backend wgpu"]);
    here.refuse(&format!("{predict} --arch net.toml"), &["net.toml", "twice"]);
    here.refuse(&format!("{predict} --cov --n 5"), &["--cov", "--n"]);
    here.refuse(
        "predict --arch net.toml --train data.npz:x,y --test data.npz:x --n 5",
        &["--test", "targets"],
    );
    here.refuse(
        "predict --arch net.toml --train data.npz:x,v --test data.npz:x --plot p.svg",
        &["plots, but for values over one feature, need the test targets"],
    );
    here.refuse(
        "predict --arch net.toml --train data.npz:x,v --test data.npz:x,v --gram k.npz --resume tiles",
        &["--gram", "--resume"],
    );
    here.refuse("demo", &["data/mnist_1k.npz", "--repository"]);
}
