//! What one file says: the modules it declares, the names it imports, the paths it uses.

use std::collections::{BTreeMap, BTreeSet};

/// The parts of a path, as `["crate", "plan", "Plan"]`.
pub(crate) type Segments = Vec<String>;

#[derive(Default)]
pub(crate) struct Module {
    /// Names of `mod x;`.
    pub(crate) children: BTreeSet<String>,
    /// Names that this file defines.
    pub(crate) defined: BTreeSet<String>,
    /// What a name brought in by `use` stands for.
    pub(crate) imports: BTreeMap<String, Segments>,
    /// Paths of `use x::*`.
    pub(crate) globs: Vec<Segments>,
    /// Paths of the private `use` lines and of all other code.
    pub(crate) used: BTreeSet<Segments>,
}

impl Module {
    pub(crate) fn parse(tokens: &[String]) -> Self {
        let mut module = Self::default();
        let mut body = Vec::new();
        let mut i = 0;
        while i < tokens.len() {
            let next = tokens.get(i + 1).map_or("", String::as_str);
            match tokens[i].as_str() {
                "mod" if tokens.get(i + 2).is_some_and(|token| token == ";") => {
                    module.children.insert(next.to_owned());
                    i += 3;
                }
                "use" if body.last().is_none_or(|token: &String| token != "<" && token != "+") => {
                    // A name that a file hands on is a use of it only where the file's own code takes it.
                    let private = body.last().is_none_or(|token: &String| token != "pub" && token != ")");
                    let end = (i..tokens.len()).find(|&end| tokens[end] == ";").unwrap_or(tokens.len());
                    module.read_use(&tokens[i + 1..end], &[], private);
                    i = end + 1;
                }
                "struct" | "enum" | "fn" | "trait" | "type" | "const" | "static" | "union" => {
                    module.defined.insert(next.to_owned());
                    body.push(tokens[i].clone());
                    i += 1;
                }
                "macro_rules" => {
                    module.defined.insert(tokens.get(i + 2).cloned().unwrap_or_default());
                    i += 3;
                }
                _ => {
                    body.push(tokens[i].clone());
                    i += 1;
                }
            }
        }
        module.read_paths(&body);
        module
    }

    /// Reads `a::b::{c, d as e, f::*}` behind the path `before`.
    fn read_use(&mut self, tree: &[String], before: &[String], private: bool) {
        let mut path = before.to_vec();
        let mut i = 0;
        while i < tree.len() {
            match tree[i].as_str() {
                "::" => {}
                "*" => {
                    self.globs.push(path);
                    return;
                }
                "{" => {
                    for part in parts(&tree[i + 1..tree.len() - 1]) {
                        self.read_use(part, &path, private);
                    }
                    return;
                }
                "as" => {
                    self.import(tree[i + 1].clone(), path, private);
                    return;
                }
                "self" if !path.is_empty() => {}
                word => path.push(word.to_owned()),
            }
            i += 1;
        }
        if let Some(name) = path.last().cloned() {
            self.import(name, path, private);
        }
    }

    fn import(&mut self, name: String, path: Segments, private: bool) {
        if private {
            self.used.insert(path.clone());
        }
        self.imports.insert(name, path);
    }

    /// Every path of the code, also of one name.
    fn read_paths(&mut self, body: &[String]) {
        let is_word = |token: &String| token.chars().all(|c| c.is_alphanumeric() || c == '_');
        let mut i = 0;
        while i < body.len() {
            let mut path = Vec::new();
            while i < body.len() && is_word(&body[i]) {
                path.push(body[i].clone());
                let goes_on = body.get(i + 1).is_some_and(|token| token == "::")
                    && body.get(i + 2).is_some_and(is_word);
                i += if goes_on { 2 } else { 1 };
                if !goes_on {
                    break;
                }
            }
            if path.is_empty() {
                i += 1;
            } else {
                self.used.insert(path);
            }
        }
    }
}

/// The parts between the commas outside braces.
fn parts(list: &[String]) -> Vec<&[String]> {
    let mut depth = 0;
    list.split(|token| {
        depth += i32::from(token == "{") - i32::from(token == "}");
        depth == 0 && token == ","
    })
    .filter(|part| !part.is_empty())
    .collect()
}
