//! A folder with a tiny network and tiny data, and ways to run the program in it.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use ekernel_data::{Output, write_npz};
use ndarray::{Array1, Array2, Array4};

/// A convolutional network of 5×5×1 images.
pub(crate) const ARCH: &str = r#"
[input]
space = "image"
shape = [5, 5, 1]

[[layers]]
op = "conv"
filter = [3, 3]

[[layers]]
op = "relu"

[[layers]]
op = "global_avg_pool"

[[layers]]
op = "dense"
"#;

/// A folder of its own for each test.
pub(crate) struct Playground {
    folder: tempfile::TempDir,
}

impl Playground {
    /// With `net.toml` and `data.npz`: images `x` (12, 5, 5, 1), classes `y`, values `v`, and a few arrays that are wrong.
    pub(crate) fn new() -> Playground {
        let playground = Playground { folder: tempfile::tempdir().unwrap() };
        playground.text("net.toml", ARCH);
        let x = images(12);
        let y: Array1<i64> = (0..12).map(|i| i % 3).collect();
        let v: Array1<f64> = (0..12).map(|i| (i as f64).sin()).collect();
        let few: Array1<i64> = (0..5).collect();
        let mut nan = images(12);
        nan[[7, 2, 3, 0]] = f64::NAN;
        let mut infinite = images(12);
        infinite[[4, 0, 0, 0]] = f64::INFINITY;
        let arrays: Vec<(&str, Output<'_>)> = vec![
            ("x", (&x).into()),
            ("y", (&y).into()),
            ("v", (&v).into()),
            ("few", (&few).into()),
            ("nan", (&nan).into()),
            ("infinite", (&infinite).into()),
        ];
        write_npz(&playground.path("data.npz"), &arrays).unwrap();
        playground
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn text(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn arrays(&self, name: &str, arrays: &[(&str, Output<'_>)]) {
        write_npz(&self.path(name), arrays).unwrap();
    }

    /// The program in this folder.
    pub(crate) fn ekernel(&self, words: &str) -> Command {
        let mut command = assert_cmd::cargo::cargo_bin_cmd!("ekernel");
        // What the user's own GPU was tuned to is none of the tests'.
        command.current_dir(self.folder.path()).env("EKERNEL_TUNING", "none").args(words.split_whitespace());
        command
    }

    /// Runs the program, which must succeed, and gives its standard output.
    pub(crate) fn succeed(&self, words: &str) -> String {
        let output = self.ekernel(words).output().unwrap();
        let problem = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{words}: {problem}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs the program with --json, which must succeed.
    pub(crate) fn json(&self, words: &str) -> serde_json::Value {
        serde_json::from_str(&self.succeed(&format!("{words} --json"))).unwrap()
    }

    /// Runs the program, which must refuse with exit code 2 and one line that holds all of `parts`, and leave no new file behind.
    pub(crate) fn refuse(&self, words: &str, parts: &[&str]) -> String {
        let before = self.files();
        let output = self.ekernel(words).output().unwrap();
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{words}: {line}");
        assert_eq!(line.trim_end().lines().count(), 1, "{words}: {line}");
        assert!(line.starts_with("ekernel: "), "{words}: {line}");
        for part in parts {
            assert!(line.contains(part), "{words}: '{part}' is not in: {line}");
        }
        assert!(output.stdout.is_empty(), "{words}");
        assert_eq!(self.files(), before, "{words}");
        line
    }

    /// The names of everything in the folder.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// Images whose class i mod 3 shows in a bright row.
pub(crate) fn images(n: usize) -> Array4<f64> {
    Array4::from_shape_fn((n, 5, 5, 1), |(i, y, x, _)| {
        let bright = if y == i % 3 { 1.0 } else { 0.1 };
        bright + 0.05 * ((3 * i + 5 * y + 7 * x) as f64).sin()
    })
}

/// A matrix of an .npz file; of an array with an entry for each network that of the only one.
pub(crate) fn read(path: &Path, key: &str) -> Array2<f64> {
    let array = ekernel_data::NpzFile::open(path).unwrap().read(key).unwrap();
    let ekernel_data::NpyArray::Floats(mut values) = array else { panic!("{key} holds no floats") };
    if values.ndim() == 3 && values.shape()[0] == 1 {
        values.index_axis_inplace(ndarray::Axis(0), 0);
    }
    values.into_dimensionality().unwrap()
}

/// An SO(3) network of molecules of H, C and O, one network for all atoms.
pub(crate) const MOLECULE_ARCH: &str = r#"
[input]
space = "molecule"
bandlimit = 2
elements = [1, 6, 8]
powers = [2]
atoms = "shared"

[[layers]]
op = "s2_conv"

[[layers]]
op = "relu"

[[layers]]
op = "so3_pool"

[[layers]]
op = "atom_sum"

[[layers]]
op = "dense"
"#;

/// An SO(3) network of signals on the sphere, of bandlimit 2 and 2 channels.
pub(crate) const SPHERE_ARCH: &str = r#"
[input]
space = "sphere"
bandlimit = 2
channels = 2

[[layers]]
op = "s2_conv"

[[layers]]
op = "relu"

[[layers]]
op = "so3_pool"

[[layers]]
op = "dense"
"#;
