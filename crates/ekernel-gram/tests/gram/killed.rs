//! A process that dies in the middle: killed outright, nothing unwinds.

use std::{
    env, fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use ekernel_core::{Control, KernelSet, Pairs};
use ekernel_gram::{FolderStore, GramError, Job, gram};

use crate::{
    fake::{Fake, bits, expected, samples},
    folder::{options, tile_files},
};

/// Set in the child, which is this same test in this same program: the folder to write.
const CHILD: &str = "EKERNEL_GRAM_CHILD";
const NAME: &str = "killed::a_killed_run_goes_on_and_ends_with_the_same_bytes";
const PAUSE: Duration = Duration::from_millis(15);
const SAMPLES: usize = 40;

#[test]
fn a_killed_run_goes_on_and_ends_with_the_same_bytes() {
    let x = samples(SAMPLES);
    let pairs = Pairs::within(x.clone());
    let control = Control::new();
    if let Some(folder) = env::var_os(CHILD) {
        gram(&Fake::slow(KernelSet::Both, PAUSE), pairs.clone(), &options(Path::new(&folder)), &control)
            .unwrap();
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let (whole, broken) = (root.path().join("whole"), root.path().join("broken"));
    gram(&Fake::new(KernelSet::Both), pairs.clone(), &options(&whole), &control).unwrap();
    let of = tile_files(&whole).len();

    let mut kept = 0;
    for round in 1..=3 {
        let mut child = spawn(&broken);
        wait_for(&broken, kept + of / 5, &mut child);
        if round == 1 {
            let error = FolderStore::open(&broken).unwrap_err();
            assert!(matches!(error, GramError::Locked { .. }), "{error}");
        }
        child.kill().unwrap();
        let status = child.wait().unwrap();
        #[cfg(unix)]
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{status}");
        assert!(!status.success());
        kept = tile_files(&broken).len();
    }
    assert!(kept < of, "the runs were killed after {kept} of {of} tiles");

    // A tile that was being written when the power went: half of it, under its temporary name.
    fs::write(broken.join(".ekernel-a1B2c3.partial"), [7; 100]).unwrap();

    let fake = Fake::new(KernelSet::Both);
    let job = Job::prepare(&fake, pairs.clone(), &options(&broken), &control).unwrap();
    assert_eq!((job.summary().finished, job.summary().discarded), (kept, 0));
    let found = job.run(&control).unwrap();
    assert_eq!(fake.tiles_computed(), of - kept);
    assert_eq!(bits(&found), bits(&expected(&pairs, KernelSet::Both)));

    let listing = |folder: &Path| {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(listing(&whole), listing(&broken));
    for name in listing(&whole) {
        assert_eq!(fs::read(whole.join(&name)).unwrap(), fs::read(broken.join(&name)).unwrap(), "{name:?}");
    }
}

fn spawn(folder: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", NAME])
        .env(CHILD, folder)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn wait_for(folder: &Path, tiles: usize, child: &mut Child) {
    let begin = Instant::now();
    while !folder.exists() || tile_files(folder).len() < tiles {
        assert!(begin.elapsed() < Duration::from_secs(60), "no {tiles} tiles after a minute");
        assert_eq!(child.try_wait().unwrap(), None, "the child ended before it had {tiles} tiles");
        thread::sleep(Duration::from_millis(2));
    }
}
