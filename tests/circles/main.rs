//! No crate has a circle of files, where file A uses file B and B, by way of others, uses A.
//!
//! `allowed.txt` names the groups of files that may: two types that are one idea, and circles that wait to be opened. A
//! file that is in no circle any more must leave the list, so that the list can only shrink.

mod graph;
mod module;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Lists the circles that stay.
const ALLOWED: &str = "tests/circles/allowed.txt";

type Edges = BTreeMap<String, BTreeSet<String>>;

#[test]
fn no_crate_has_a_circle_of_files() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"));
    let allowed = allowed();
    let mut in_circles = BTreeSet::new();
    let mut faults = Vec::new();
    for root in roots(workspace) {
        let edges = graph::uses(workspace, &root);
        for circle in graph::circles(&edges) {
            if !allowed.iter().any(|group| circle.is_subset(group)) {
                faults.push(format!("a new circle of files:\n{}", arrows(&edges, &circle)));
            }
            in_circles.extend(circle);
        }
    }
    for file in allowed.iter().flatten().filter(|file| !in_circles.contains(*file)) {
        faults.push(format!("{file} is in no circle any more: remove it from {ALLOWED}"));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn a_circle_is_found_through_names_handed_on_and_not_in_comments() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/circles/fixture");
    let edges = graph::uses(&folder, &folder.join("lib.rs"));
    let names = |of: &str| edges[of].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(names("till.rs"), ["shop/goods.rs", "shop/shelf.rs"]);
    assert_eq!(names("shop/shelf.rs"), ["shop/goods.rs"]);
    assert_eq!(names("shop/goods.rs"), ["till.rs"]);
    assert!(names("lib.rs").is_empty() && names("shop/mod.rs").is_empty() && names("quiet.rs").is_empty());
    let circle = ["shop/goods.rs", "shop/shelf.rs", "till.rs"].map(str::to_owned);
    assert_eq!(graph::circles(&edges), [BTreeSet::from(circle)]);
}

/// The groups of files that may form a circle: paragraphs of names, with the reason behind `#`.
fn allowed() -> Vec<BTreeSet<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(ALLOWED);
    let text = fs::read_to_string(path).expect("readable");
    let paragraphs = text.split("\n\n").map(|paragraph| {
        let lines = paragraph.lines().map(str::trim).filter(|line| !line.is_empty());
        let (reason, files): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.starts_with('#'));
        assert!(files.is_empty() || !reason.is_empty(), "{ALLOWED}: {files:?} has no reason");
        files.into_iter().map(str::to_owned).collect()
    });
    paragraphs.collect()
}

/// The first file of every crate.
fn roots(workspace: &Path) -> Vec<PathBuf> {
    let folders =
        fs::read_dir(workspace.join("crates")).expect("a folder").map(|entry| entry.expect("one").path());
    let candidates = folders.flat_map(|folder| [folder.join("src/lib.rs"), folder.join("src/main.rs")]);
    let mut roots: Vec<PathBuf> = candidates.filter(|path| path.exists()).collect();
    roots.extend([workspace.join("src/lib.rs"), workspace.join("shaders/lib.rs")]);
    roots
}

/// Who uses whom in a circle.
fn arrows(edges: &Edges, circle: &BTreeSet<String>) -> String {
    let line = |file: &String| {
        let used: Vec<&str> = edges[file].intersection(circle).map(String::as_str).collect();
        format!("  {file} uses {}", used.join(", "))
    };
    circle.iter().map(line).collect::<Vec<_>>().join("\n")
}
