//! Folders of finished tiles: what real kills and real starts at the same time leave behind.

use std::{
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
    time::Duration,
};

use crate::support::Playground;

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
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(".ekernel") || name.ends_with(".tmp")).collect()
}

/// Kills spread over the whole life of a run. The fault of version 0.1.0 (a probe file that made the folder a foreign one)
/// was met by one kill in thirty.
#[test]
fn whenever_a_run_is_killed_the_folder_serves_the_next() {
    let here = Playground::new();
    here.succeed(&format!("{GRAM} --out whole.npz"));
    let whole = std::fs::read(here.path("whole.npz")).unwrap();
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
        assert_eq!(std::fs::read(here.path(&format!("k{round}.npz"))).unwrap(), whole, "round {round}");
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
