//! What a terminal shows.
#![cfg(unix)]

use std::{
    fs::File,
    io::Read,
    os::fd::{FromRawFd, OwnedFd},
    process::{Command, Stdio},
};

use ndarray::Array4;

use crate::support::{ARCH, Playground};

/// Both ends of a terminal: what a program writes to the second is read from the first.
fn terminal() -> (File, OwnedFd) {
    let (mut reader, mut writer) = (0, 0);
    let none = std::ptr::null_mut();
    // SAFETY: both descriptors are places for one number each, and nothing else is asked for.
    let opened = unsafe { libc::openpty(&mut reader, &mut writer, none, none.cast(), none.cast()) };
    assert_eq!(opened, 0, "no terminal: {}", std::io::Error::last_os_error());
    // SAFETY: openpty has just opened both (asserted above), and nobody else holds them.
    unsafe { (File::from_raw_fd(reader), OwnedFd::from_raw_fd(writer)) }
}

/// A line about the work stands in a line of its own, with the bar taken away before it.
#[test]
fn lines_stand_above_the_bar() {
    let here = Playground::new();
    here.text("net.toml", &ARCH.replace("[5, 5, 1]", "[16, 16, 1]"));
    let pixels = Array4::from_shape_fn((260, 16, 16, 1), |(i, y, x, _)| ((i + y * x) as f64).sin());
    here.arrays("d.npz", &[("x", (&pixels).into())]);
    let (mut reader, writer) = terminal();
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("ekernel"))
        .current_dir(here.path("."))
        .args(["gram", "net.toml", "--x1", "d.npz:x", "--out", "k.npz"])
        .stdout(Stdio::null())
        .stderr(writer)
        .spawn()
        .unwrap();
    let mut shown = Vec::new();
    // Linux reports an error in place of the end.
    let _end = reader.read_to_end(&mut shown);
    assert!(child.wait().unwrap().success());
    let shown = String::from_utf8_lossy(&shown).into_owned();
    assert!(shown.contains('['), "no bar: {shown:?}");
    let (before, _) = shown.split_once("net: 260 × 260").unwrap_or_else(|| panic!("no line: {shown:?}"));
    let clear = before.is_empty() || ["\r", "\n", "\x1b[2K"].iter().any(|end| before.ends_with(end));
    assert!(clear, "{before:?}");
}
