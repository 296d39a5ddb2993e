//! Folders of finished tiles: what real kills, real starts at the same time and real file systems
//! leave behind.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
    time::Duration,
};

use crate::support::{ARCH, Playground};

const GRAM: &str = "gram --arch net.toml --x1 data.npz:x --backend reference --quiet";

fn start(here: &Playground, words: &str) -> Child {
    Command::new(assert_cmd::cargo::cargo_bin!("ekernel"))
        .current_dir(here.path("."))
        .args(words.split_whitespace())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Names of files that a run makes for itself and takes away.
fn temporary(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(".ekernel") || name.ends_with(".tmp")).collect()
}

/// Kills spread over the whole life of a run. The fault of version 0.1.0 (a probe file that made
/// the folder a foreign one) was met by one kill in thirty.
#[test]
fn whenever_a_run_is_killed_the_folder_serves_the_next() {
    let here = Playground::new();
    here.succeed(&format!("{GRAM} --out whole.npz"));
    let whole = fs::read(here.path("whole.npz")).unwrap();
    let mut refused = Vec::new();
    for round in 0..60 {
        let words = format!("{GRAM} --resume tiles{round} --out k{round}.npz");
        let mut child = start(&here, &words);
        thread::sleep(Duration::from_micros(1000 + 700 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let again = start(&here, &words).wait_with_output().unwrap();
        if !again.status.success() {
            refused.push(format!("round {round}: {}", said(&again)));
            continue;
        }
        assert!(fs::read(here.path(&format!("k{round}.npz"))).unwrap() == whole, "round {round}");
        let left = temporary(&here.path(&format!("tiles{round}")));
        assert!(left.is_empty(), "round {round} left {left:?}");
    }
    assert!(refused.is_empty(), "{refused:#?}");
    assert_eq!(temporary(&here.path(".")), [""; 0], "beside the results");
}

/// Of two runs that begin together one may be refused, and then for the true reason.
#[test]
fn of_runs_that_begin_together_one_says_that_another_is_writing() {
    let here = Playground::new();
    for round in 0..20 {
        let words = |run| format!("{GRAM} --resume both{round} --out k{run}.npz");
        let runs = [0, 1].map(|run| start(&here, &words(run)));
        let outputs = runs.map(|run| run.wait_with_output().unwrap());
        assert!(outputs.iter().any(|output| output.status.success()), "{outputs:?}");
        for output in outputs.iter().filter(|output| !output.status.success()) {
            let said = said(output);
            assert!(said.contains("another run is writing the resume folder"), "round {round}: {said}");
        }
    }
}

/// Runs the program, which must succeed, and gives what it says on standard error.
fn notes(here: &Playground, words: &str) -> String {
    let output = here.ekernel(words).output().unwrap();
    assert!(output.status.success(), "{words}: {}", said(&output));
    said(&output)
}

const KEPT: &str = "gram --x1 data.npz:x --backend cpu --resume tiles";

#[test]
fn a_renamed_file_resumes_and_another_computation_is_refused_and_named() {
    let here = Playground::new();
    let first = format!("{KEPT} --arch net.toml");
    notes(&here, &format!("{first} --out first.npz"));
    // The same network: its file renamed, its keys in another order, with comments.
    let reordered = ARCH
        .replace("space = \"image\"\nshape = [5, 5, 1]", "# pixels\nshape = [5, 5, 1]\nspace = \"image\"");
    assert_ne!(reordered, ARCH);
    here.text("renamed.toml", &reordered);
    let renamed = notes(&here, &format!("{KEPT} --arch renamed.toml --out second.npz"));
    assert!(renamed.contains("tiles found finished"), "{renamed}");
    let [one, other] = ["first.npz", "second.npz"].map(|name| fs::read(here.path(name)).unwrap());
    assert!(one == other);

    here.text("wider.toml", &ARCH.replace("filter = [3, 3]", "filter = [5, 5]"));
    here.refuse(
        &format!("{KEPT} --arch wider.toml --out k.npz"),
        &["line", "of the plan of the network there is"],
    );
    let precision = "the precision of the backend there is \"f32\", here \"f64\"";
    here.refuse(&format!("{first} --precision f64 --out k.npz"), &["resume folder tiles", precision]);
    let data = ["the first set there is 12 samples of shape [5, 5, 1]", "here 5 samples"];
    here.arrays("few.npz", &[("x", (&crate::support::images(5)).into())]);
    let words = "gram --x1 few.npz:x --backend cpu --resume tiles --arch net.toml --out k.npz";
    here.refuse(words, &data);
}

/// `predict` keeps the tiles of each network in a folder of its name; under a new name they are
/// found.
#[test]
fn the_tiles_of_a_renamed_network_serve_predictions() {
    let here = Playground::new();
    let predict = |arch: &str| {
        let words = "--train data.npz:x,y --test data.npz:x,y --backend cpu --resume tiles";
        notes(&here, &format!("predict --arch {arch} {words}"))
    };
    assert!(!predict("net.toml").contains("found finished"));
    fs::copy(here.path("net.toml"), here.path("new.toml")).unwrap();
    let found = predict("new.toml");
    assert_eq!(found.matches("1 of 1 tiles found finished").count(), 2, "{found}");
    assert_eq!(fs::read_dir(here.path("tiles")).unwrap().count(), 1);
}

#[test]
fn the_tiles_of_both_kernels_serve_each() {
    let here = Playground::new();
    let gram = |kind: &str, out: &str| format!("{KEPT} --arch net.toml --kind {kind} --out {out}");
    here.succeed("gram --x1 data.npz:x --backend cpu --arch net.toml --kind nngp --out alone.npz");
    here.succeed("gram --x1 data.npz:x --backend cpu --arch net.toml --out both.npz");
    let first = notes(&here, &gram("nngp", "k0.npz"));
    assert!(!first.contains("found finished"), "{first}");
    let upgraded = notes(&here, &gram("nngp,ntk", "k1.npz"));
    assert!(!upgraded.contains("found"), "{upgraded}");
    for (kind, out) in [("nngp", "k2.npz"), ("nngp,ntk", "k3.npz")] {
        let again = notes(&here, &gram(kind, out));
        assert!(again.contains("1 of 1 tiles found finished"), "{again}");
    }
    for (name, due) in [("k0", "alone"), ("k1", "both"), ("k2", "alone"), ("k3", "both")] {
        let read = |name: &str| fs::read(here.path(&format!("{name}.npz"))).unwrap();
        assert!(read(name) == read(due), "{name}");
    }
}

#[test]
fn damaged_tiles_are_mended_and_said() {
    let here = Playground::new();
    let words = format!("{KEPT} --arch net.toml --out k.npz");
    notes(&here, &words);
    let before = fs::read(here.path("k.npz")).unwrap();
    let tile = here.path("tiles").join("tile-000000.bin");
    let mut bytes = fs::read(&tile).unwrap();
    bytes[200] ^= 1;
    fs::write(&tile, bytes).unwrap();
    let mended = notes(&here, &words);
    assert!(mended.contains("1 tile found damaged, to be computed anew"), "{mended}");
    assert!(fs::read(here.path("k.npz")).unwrap() == before);
}

/// `...toml` is a file whose name without extension is the folder above.
#[test]
fn an_architecture_of_any_name_writes_in_the_folder() {
    let here = Playground::new();
    fs::create_dir(here.path("deep")).unwrap();
    for (name, op) in [("...toml", "relu"), ("..toml", "erf"), (".hidden.toml", "gelu")] {
        here.text(name, &ARCH.replace("relu", op));
        let words = format!(
            "predict --arch {name} --train data.npz:x,y --test data.npz:x,y --backend cpu --quiet --resume deep/tiles"
        );
        here.succeed(&words);
        let names: Vec<_> =
            fs::read_dir(here.path("deep")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["tiles"], "{name}");
    }
    assert_eq!(fs::read_dir(here.path("deep/tiles")).unwrap().count(), 3);
}

#[test]
fn a_result_that_no_disk_holds_is_refused_at_the_start() {
    let here = Playground::new();
    here.text("line.toml", "[input]\nspace = \"vector\"\nshape = [1]\n\n[[layers]]\nop = \"dense\"\n");
    let many = ndarray::Array2::from_shape_fn((3_000_000, 1), |(i, _)| i as f64);
    here.arrays("many.npz", &[("x", (&many).into())]);
    let words = "gram --arch line.toml --x1 many.npz:x --backend cpu --resume tiles --out k.npz";
    let output = here.ekernel(words).output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("--out k.npz: it takes 131.0 TiB") && said.contains("are free on its disk"),
        "{said}"
    );
}

/// What an array would take is known before it is read, and what limits it is named.
#[cfg(target_os = "linux")]
#[test]
fn data_beyond_a_limit_of_memory_are_refused_in_words() {
    let here = Playground::new();
    // A file of 16 GiB that takes no room: a header, and a hole.
    let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2147483648, 1), }";
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    fs::write(here.path("huge.npy"), &bytes).unwrap();
    let length = bytes.len() as u64 + (16 << 30);
    fs::File::options().write(true).open(here.path("huge.npy")).unwrap().set_len(length).unwrap();
    let program = assert_cmd::cargo::cargo_bin!("ekernel").display().to_string();
    let words = "gram --arch net.toml --x1 huge.npy --backend reference --out k.npz";
    let output = Command::new("sh")
        .current_dir(here.path("."))
        .args(["-c", &format!("ulimit -v 8000000 && exec {program} {words}")])
        .output()
        .unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("are left by the limit of its address space (ulimit -v)"), "{said}");
}

/// File systems without locks (NFS without a lock daemon, Lustre, FUSE) and without fsync, as a
/// shim in front of the system's library makes them.
#[cfg(target_os = "linux")]
#[test]
fn a_file_system_without_locks_serves_with_a_note_and_one_without_fsync_says_so() {
    let here = Playground::new();
    let shim = |name: &str, text: &str| {
        here.text(&format!("{name}.c"), text);
        let [source, library] = ["c", "so"].map(|end| here.path(&format!("{name}.{end}")));
        // The linker that every Rust program of this system needs.
        let made = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status();
        assert!(made.unwrap().success());
        library
    };
    let start = "#include <errno.h>\n#include <stdlib.h>\n";
    let fails = "{ errno = atoi(getenv(\"SHIM_ERRNO\")); return -1; }\n";
    let locks = shim("locks", &format!("{start}int flock(int fd, int op) {fails}"));
    let syncs = shim("syncs", &format!("{start}int fsync(int fd) {fails}int fdatasync(int fd) {fails}"));
    let run = |library: &Path, code: &str| {
        let words =
            format!("gram --x1 data.npz:x --arch net.toml --backend cpu --out k.npz --resume tiles{code}");
        here.ekernel(&words).env("LD_PRELOAD", library).env("SHIM_ERRNO", code).output().unwrap()
    };
    for code in ["37", "38", "95"] {
        for _ in 0..2 {
            let output = run(&locks, code);
            let said = said(&output);
            assert!(output.status.success(), "{said}");
            assert!(
                said.contains("has no locks (") && said.contains(&format!("(os error {code})")),
                "{said}"
            );
        }
    }
    let output = run(&syncs, "22");
    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    let words = "takes no results (fsync fails: Invalid argument (os error 22)); choose another";
    assert!(said.contains(words), "{said}");
}
