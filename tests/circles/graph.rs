//! Which file of a crate uses which, names that are handed on followed to the file that defines them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::module::{Module, Segments};
use crate::tokens::tokens;

/// The files of one crate, by module path.
struct Tree {
    modules: BTreeMap<Segments, (PathBuf, Module)>,
}

/// What a path stands for.
enum Target {
    Module(Segments),
    /// Something that the file of this module defines.
    Item(Segments),
}

/// The edges "this file uses that one", by names relative to `workspace`.
pub(crate) fn uses(workspace: &Path, root: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut tree = Tree { modules: BTreeMap::new() };
    tree.load(Vec::new(), root);
    let name = |at: &Segments| {
        tree.modules[at].0.strip_prefix(workspace).expect("inside").to_string_lossy().replace('\\', "/")
    };
    let mut edges = BTreeMap::new();
    for (at, (_, module)) in &tree.modules {
        let targets = module.used.iter().filter_map(|path| tree.resolve(at, path, 0));
        let files = targets.filter_map(|target| match target {
            Target::Item(file) if file != *at => Some(name(&file)),
            _ => None,
        });
        edges.insert(name(at), files.collect());
    }
    edges
}

impl Tree {
    fn load(&mut self, at: Segments, file: &Path) {
        let source = fs::read_to_string(file).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()));
        let module = Module::parse(&tokens(&source));
        let folder = file.parent().expect("a folder");
        let own = match file.file_stem().and_then(|stem| stem.to_str()) {
            Some("mod" | "lib" | "main") => folder.to_owned(),
            Some(stem) => folder.join(stem),
            None => panic!("{}: no name", file.display()),
        };
        let children: Vec<String> = module.children.iter().cloned().collect();
        self.modules.insert(at.clone(), (file.to_owned(), module));
        for child in children {
            let flat = own.join(format!("{child}.rs"));
            let path = if flat.exists() { flat } else { own.join(&child).join("mod.rs") };
            let below = at.iter().cloned().chain([child]).collect();
            self.load(below, &path);
        }
    }

    /// Follows a path that stands in the file of `at`; none for other crates and local names.
    fn resolve(&self, at: &Segments, path: &[String], steps: usize) -> Option<Target> {
        // Names handed on in a circle lead nowhere.
        let (first, rest) = path.split_first().filter(|_| steps < 20)?;
        match first.as_str() {
            "crate" => self.walk(&Vec::new(), rest, steps),
            "self" => self.walk(at, rest, steps),
            "super" => self.walk(&at[..at.len().checked_sub(1)?].to_vec(), rest, steps),
            name => {
                let (_, module) = &self.modules[at];
                let known = module.children.contains(name) || module.imports.contains_key(name);
                if known { self.walk(at, path, steps) } else { self.glob(at, path, steps) }
            }
        }
    }

    fn walk(&self, at: &Segments, rest: &[String], steps: usize) -> Option<Target> {
        let Some((name, further)) = rest.split_first() else { return Some(Target::Module(at.clone())) };
        let (_, module) = &self.modules[at];
        if name == "super" {
            return self.walk(&at[..at.len().checked_sub(1)?].to_vec(), further, steps);
        }
        if module.children.contains(name) {
            let below = at.iter().cloned().chain([name.clone()]).collect();
            return self.walk(&below, further, steps);
        }
        if let Some(path) = module.imports.get(name) {
            let own = path.len() == 1 && path[0] == *name;
            return match self.resolve(at, path, steps + 1).filter(|_| !own)? {
                Target::Module(module) => self.walk(&module, further, steps + 1),
                item => Some(item),
            };
        }
        self.glob(at, rest, steps).or_else(|| module.defined.contains(name).then(|| Target::Item(at.clone())))
    }

    /// A name that `use x::*` may bring in.
    fn glob(&self, at: &Segments, path: &[String], steps: usize) -> Option<Target> {
        let (_, module) = &self.modules[at];
        if module.defined.contains(&path[0]) {
            return None;
        }
        module.globs.iter().find_map(|glob| match self.resolve(at, glob, steps + 1)? {
            Target::Module(from) if from != *at => self.walk(&from, path, steps + 1),
            _ => None,
        })
    }
}

/// Groups of at least two files each of which uses, by way of others, each.
pub(crate) fn circles(edges: &BTreeMap<String, BTreeSet<String>>) -> Vec<BTreeSet<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> =
        edges.keys().map(|file| (file, reachable(edges, file))).collect();
    let mut groups: Vec<BTreeSet<String>> = Vec::new();
    for (file, onward) in &reached {
        if onward.contains(file) && !groups.iter().any(|group| group.contains(*file)) {
            let back = onward.iter().filter(|other| reached[**other].contains(file));
            groups.push(back.map(|other| (*other).clone()).collect());
        }
    }
    groups
}

fn reachable<'a>(edges: &'a BTreeMap<String, BTreeSet<String>>, from: &String) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&String> = edges[from].iter().collect();
    while let Some(file) = open.pop() {
        if reached.insert(file) {
            open.extend(&edges[file]);
        }
    }
    reached
}
