//! Zarr stores: shards of several processes, killed and started again, and what `status` says of
//! them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::support::Playground;

const GRAM: &str = "gram --arch net.toml --x1 data.npz:x --backend cpu --threads 1 --chunk 2 --quiet";

/// Every file of a store and its bytes, apart from files in the making.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.file_name().unwrap().to_str().unwrap().starts_with(".ekernel-") {
                found.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(path).unwrap());
            }
        }
    }
    found
}

#[test]
fn shards_in_any_order_and_twice_have_the_bytes_of_one_process() {
    let here = Playground::new();
    here.succeed(&format!("{GRAM} --out whole.zarr"));
    let whole = files(&here.path("whole.zarr"));
    // 21 blocks of two kernels, and three descriptions.
    assert_eq!(whole.len(), 2 * 21 + 3);
    for shard in ["3/4", "1/4", "3/4", "4/4", "2/4"] {
        here.succeed(&format!("{GRAM} --out K.zarr --shard {shard}"));
    }
    assert_eq!(files(&here.path("K.zarr")), whole);
    // The tasks of a job array that counts from 0.
    for task in 0..3 {
        let variables = [("ID", task), ("COUNT", 3), ("MIN", 0), ("MAX", 2), ("STEP", 1)];
        let variables =
            variables.map(|(name, value)| (format!("SLURM_ARRAY_TASK_{name}"), value.to_string()));
        let words = format!("{GRAM} --out slurm.zarr --shard auto");
        assert!(here.ekernel(&words).envs(variables).output().unwrap().status.success());
    }
    assert_eq!(files(&here.path("slurm.zarr")), whole);
}

#[test]
fn status_names_the_shards_to_run() {
    let here = Playground::new();
    for shard in ["1/4", "3/4"] {
        here.succeed(&format!("{GRAM} --out K.zarr --shard {shard}"));
    }
    let status = |words: &str| {
        let output = here.ekernel(&format!("status K.zarr {words}")).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, text) = status("--shards 4");
    assert_eq!(code, Some(1));
    assert!(text.contains("shards to run: 2,4 of 4 (--shard 2/4"), "{text}");
    let (_, text) = status("--shards 4 --json");
    let found: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found["shards_to_run"], serde_json::json!([2, 4]));
    assert_eq!((&found["blocks"], &found["complete"]), (&21.into(), &false.into()));
    assert!(found["notes"]["architecture"].as_str().unwrap().contains("global_avg_pool"));

    here.succeed(&format!("{GRAM} --out K.zarr"));
    let (code, text) = status("--verify");
    assert_eq!(code, Some(0), "{text}");
    assert!(text.ends_with("complete\n"), "{text}");
    let chunk = here.path("K.zarr/ntk/c/5/4");
    let mut bytes = fs::read(&chunk).unwrap();
    bytes[3] ^= 1;
    fs::write(&chunk, bytes).unwrap();
    assert_eq!(status("").0, Some(0));
    let (code, text) = status("--verify");
    assert!(code == Some(1) && text.contains("1 block is damaged"), "{text}");
    here.refuse("status data.npz", &["data.npz"]);
    here.refuse("status nothing.zarr", &["nothing.zarr", "no zarr.json", "ekernel gram"]);
}

#[test]
fn another_computation_is_refused_and_the_difference_is_named() {
    let here = Playground::new();
    here.succeed(&format!("{GRAM} --out K.zarr --shard 1/2"));
    let gram = |words: &str| format!("gram --arch {words} --out K.zarr --shard 2/2 --quiet");
    let cpu = "--backend cpu --threads 1";
    let net = fs::read_to_string(here.path("net.toml")).unwrap();
    here.text("other.toml", &net.replace("relu", "erf"));
    here.refuse(
        &gram(&format!("other.toml --x1 data.npz:x {cpu}")),
        &["K.zarr", "line", "plan of the network"],
    );
    here.refuse(&gram(&format!("net.toml --x1 data.npz:x[1:] {cpu}")), &["the first set", "11 samples"]);
    here.refuse(&gram(&format!("net.toml --x1 data.npz:x --x2 data.npz:x {cpu}")), &["the second set"]);
    here.refuse(&gram(&format!("net.toml --x1 data.npz:x {cpu} --precision f64")), &["f64", "float32"]);
    here.refuse(&gram("net.toml --x1 data.npz:x --backend reference"), &["the backend"]);
    here.refuse(&gram(&format!("net.toml --x1 data.npz:x {cpu} --chunk 3")), &["2 × 2, here 3 × 3"]);
}

#[test]
fn what_cannot_be_is_refused() {
    let here = Playground::new();
    let out = |words: &str| format!("{GRAM} --out {words}");
    let plain = "gram --arch net.toml --x1 data.npz:x --quiet --out";
    here.refuse(&format!("{plain} K.npz --shard 1/2"), &["--shard", "K.npz", "K.zarr"]);
    here.refuse(&format!("{plain} K.npz --chunk 8"), &["--chunk", "K.zarr"]);
    here.refuse(&format!("{plain} K.npy"), &["K.npy", "one array", "--kind"]);
    here.refuse(&out("K.zarr --resume tiles"), &["--resume", "leave --resume out"]);
    here.refuse(&out("no/K.zarr"), &["no/K.zarr", "create it first"]);
    here.refuse(&out("K.zarr --shard 5/4"), &["5/4", "3/16"]);
    here.refuse(&out("K.zarr --shard auto"), &["SLURM_ARRAY_TASK_ID is not set"]);
    here.refuse(&format!("{plain} K.zarr --chunk 0"), &["--chunk", "at least 1"]);
    here.text("file.zarr", "");
    here.refuse(&out("file.zarr"), &["file.zarr", "no folder"]);
    std::fs::create_dir(here.path("thesis.zarr")).unwrap();
    here.text("thesis.zarr/chapter.tex", "");
    here.refuse(&out("thesis.zarr"), &["holds \"chapter.tex\""]);
    let note = here.ekernel(&format!("{} --shard 900/1000", out("K.zarr").replace("--quiet", "")));
    let note = { note }.output().unwrap();
    assert!(note.status.success());
    let note = String::from_utf8(note.stderr).unwrap();
    assert!(note.contains("shard 900/1000 has nothing to do") && note.contains("--chunk"), "{note}");
}

#[test]
fn one_kernel_as_npy_has_the_numbers_of_npz() {
    let here = Playground::new();
    let gram =
        "gram --arch net.toml --x1 data.npz:x --x2 data.npz:x[2:7] --backend cpu --quiet --kind ntk --out";
    here.succeed(&format!("{gram} K.npz"));
    here.succeed(&format!("{gram} K.npy"));
    here.succeed(&format!("{gram} streamed.npy --resume tiles"));
    let npy = fs::read(here.path("K.npy")).unwrap();
    assert_eq!(npy, fs::read(here.path("streamed.npy")).unwrap());
    let npz = fs::read(here.path("K.npz")).unwrap();
    assert!(npz.windows(npy.len()).any(|part| part == npy), "an .npz holds .npy files as they are");
}

/// A disk that is full ends the shard with the system's words; what was finished stays.
#[cfg(unix)]
#[test]
fn a_full_disk_loses_nothing() {
    let here = Playground::new();
    let run = |limit: &str| {
        let program = assert_cmd::cargo::cargo_bin!("ekernel").display().to_string();
        // Files of more than a kibibyte are refused, as on a disk that is full.
        let script =
            format!("trap '' XFSZ; ulimit -f {limit}; exec {program} {GRAM} --chunk 12 --out K.zarr");
        let script = script.replacen("--chunk 2 ", "", 1);
        Command::new("sh").args(["-c", &script]).current_dir(here.path(".")).output().unwrap()
    };
    // The description of the store is longer than a kibibyte, the block of 12 × 12 shorter.
    let output = run("0");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("K.zarr") && said.contains("File too large"), "{said}");
    let left: Vec<PathBuf> = if here.path("K.zarr").exists() {
        files(&here.path("K.zarr")).into_keys().collect()
    } else {
        Vec::new()
    };
    assert!(left.is_empty(), "{left:?}");
    assert!(run("unlimited").status.success());
}

/// Real processes of all shards, killed over their whole life.
#[test]
fn kills_lose_no_block_and_change_no_byte() {
    let here = Playground::new();
    here.succeed(&format!("{GRAM} --out whole.zarr"));
    let whole = files(&here.path("whole.zarr"));
    let store = here.path("K.zarr");
    let mut before = BTreeMap::new();
    for round in 0..50_u64 {
        let words = format!("{GRAM} --out K.zarr --shard {}/7", round % 7 + 1);
        let mut child = Command::new(assert_cmd::cargo::cargo_bin!("ekernel"))
            .current_dir(here.path("."))
            .args(words.split_whitespace())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // From nothing to a shard's whole time, in an order that looks random.
        thread::sleep(Duration::from_micros(round * 7919 % 30_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let now = if store.exists() { files(&store) } else { BTreeMap::new() };
        assert!(now.iter().all(|(name, bytes)| whole.get(name) == Some(bytes)), "round {round}");
        assert!(before.keys().all(|name| now.contains_key(name)), "round {round} lost a block");
        before = now;
    }
    here.succeed(&format!("{GRAM} --out K.zarr"));
    assert_eq!(files(&store), whole);
}
