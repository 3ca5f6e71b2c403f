//! Files that use each other, directly or through others, form a circle: nobody can read one of them alone. Circles must not grow.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::tidy::{files, workspace};

/// The crates of the workspace, and the number of files in the largest circle of each, or of one of its modules. Lower a number when a
/// circle shrinks.
const LARGEST: [(&str, &str, usize); 11] = [
    // A table holds values, and a value may be a table.
    ("tavrida", "", 2),
    ("tavrida/macros", "", 7),
    ("tavrida-amqp", "", 3),
    ("tavrida-memory", "", 13),
    ("tavrida-memory", "core", 1),
    ("tavrida-memory/behaviour", "", 1),
    ("tavrida-memory/routing", "", 1),
    ("tavrida-testkit", "", 5),
    ("tavrida-testkit/conformance", "", 1),
    ("tavrida-testkit/rabbitmq", "", 1),
    ("tavrida-testkit/macros", "", 1),
];

/// A module as the names from the root of its crate.
type Module = Vec<String>;

/// The modules of a crate, with what their files name.
struct Crate {
    /// The paths that a file names, from the root of the crate.
    paths: BTreeMap<Module, Vec<Module>>,
    /// The names that modules re-export, with what they stand for.
    re_exports: BTreeMap<Module, Module>,
}

impl Crate {
    fn read(source: &Path) -> Self {
        let mut read = Self { paths: BTreeMap::new(), re_exports: BTreeMap::new() };
        let texts: Vec<(Module, String)> = files(source, &["rs"])
            .iter()
            .map(|file| {
                (module(source, file), code(&fs::read_to_string(file).expect("a file that can be read")))
            })
            .collect();
        let modules: BTreeSet<Module> = texts.iter().map(|(module, _)| module.clone()).collect();
        for (module, text) in texts {
            let mut named = Vec::new();
            for (public, path) in imports(&text) {
                let Some(path) = absolute(&module, &path, &modules) else { continue };
                match path.last() {
                    Some(name) if public => {
                        let name = module.iter().chain([name]).cloned().collect();
                        read.re_exports.insert(name, path);
                    }
                    _ => named.push(path),
                }
            }
            read.paths.insert(module, named);
        }
        read
    }

    /// Returns the module whose file defines what a path names; a re-export is followed.
    fn resolve(&self, path: &[String]) -> Option<Module> {
        let mut path = path.to_vec();
        for _ in 0..8 {
            let followed = (1..=path.len()).rev().find_map(|length| {
                let target = self.re_exports.get(&path[..length])?;
                Some(target.iter().chain(&path[length..]).cloned().collect::<Module>())
            });
            match followed {
                Some(next) if next != path => path = next,
                _ => break,
            }
        }
        (0..=path.len())
            .rev()
            .map(|length| &path[..length])
            .find(|start| self.paths.contains_key(*start))
            .map(<[String]>::to_vec)
    }

    /// Returns the largest circle with a file of a top-level module, or of any if the name is empty. Empty if there is none.
    fn largest_circle(&self, within: &str) -> Vec<Module> {
        let used = |module: &Module| -> BTreeSet<Module> {
            let named = self.paths[module].iter().filter_map(|path| self.resolve(path));
            named.filter(|other| other != module).collect()
        };
        let uses: BTreeMap<&Module, BTreeSet<Module>> =
            self.paths.keys().map(|module| (module, used(module))).collect();
        let reached = |from: &Module| -> BTreeSet<Module> {
            let mut reached = BTreeSet::new();
            let mut todo = vec![from.clone()];
            while let Some(next) = todo.pop() {
                todo.extend(uses[&next].iter().filter(|other| reached.insert((*other).clone())).cloned());
            }
            reached
        };
        let reached: BTreeMap<&Module, BTreeSet<Module>> =
            uses.keys().map(|module| (*module, reached(module))).collect();
        let circle = |module: &&Module| -> Vec<Module> {
            let back = reached[module].iter().filter(|other| reached[other].contains(*module));
            back.cloned().collect()
        };
        let modules = reached
            .keys()
            .filter(|module| within.is_empty() || module.first().is_some_and(|top| top == within));
        modules.map(circle).max_by_key(Vec::len).unwrap_or_default()
    }
}

/// Returns the module of a file.
fn module(source: &Path, file: &Path) -> Module {
    let path = file.strip_prefix(source).expect("a file of the folder").with_extension("");
    let mut names: Module = path.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    names.pop_if(|last| matches!(last.as_str(), "mod" | "lib"));
    names
}

/// Returns the code of a file without comments, and without its tests at the end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Returns the paths of the `use` items of a file, and whether each is a re-export.
fn imports(code: &str) -> Vec<(bool, String)> {
    let mut imports = Vec::new();
    for item in code.split(';') {
        let start = item.lines().position(|line| line.trim_start().contains("use "));
        let item = item.lines().skip(start.unwrap_or(usize::MAX)).collect::<Vec<_>>().join(" ");
        let Some((before, tree)) = item.split_once("use ") else { continue };
        let before = before.trim();
        if before.is_empty() || before.starts_with("pub") {
            imports.extend(leaves(tree.trim()).into_iter().map(|path| (!before.is_empty(), path)));
        }
    }
    imports
}

/// Returns the paths of a use tree: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn leaves(tree: &str) -> Vec<String> {
    let Some((start, rest)) = tree.split_once('{') else {
        return vec![tree.split(" as ").next().unwrap_or(tree).trim().to_owned()];
    };
    let inner = rest.strip_suffix('}').unwrap_or(rest);
    let mut depth = 0;
    let parts = inner.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    let parts = parts.map(str::trim).filter(|part| !part.is_empty());
    parts.flat_map(|part| leaves(&format!("{start}{part}"))).collect()
}

/// Returns a path from the root of the crate. `None` if it leads out of it.
fn absolute(module: &Module, path: &str, modules: &BTreeSet<Module>) -> Option<Module> {
    let mut names = path.split("::").map(str::to_owned).peekable();
    let mut base = match names.peek()?.as_str() {
        "crate" => {
            names.next();
            Module::new()
        }
        "self" => {
            names.next();
            module.clone()
        }
        "super" => module.clone(),
        child => {
            let child: Module = module.iter().cloned().chain([child.to_owned()]).collect();
            modules.contains(&child).then(|| module.clone())?
        }
    };
    while names.next_if(|name| name == "super").is_some() {
        base.pop();
    }
    Some(base.into_iter().chain(names).collect())
}

#[test]
fn circles_of_files_do_not_grow() {
    for (name, within, allowed) in LARGEST {
        let circle = Crate::read(&workspace().join(name).join("src")).largest_circle(within);
        let files: Vec<String> = circle.iter().map(|module| module.join("::")).collect();
        let largest = files.len().max(1);
        assert!(largest <= allowed, "{name} {within}: a circle of {largest}, {allowed} allowed: {files:?}");
    }
}

#[test]
fn a_circle_is_found_through_a_re_export_and_a_chain_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    write("lib.rs", "mod a;\nmod b;\nmod c;\nmod d;\npub use c::{C, Other};\n");
    write("a.rs", "use crate::b::B;\n");
    write("b.rs", "use super::{\n    C, d::D,\n};\n");
    write("c.rs", "// use crate::d::D;\nuse crate::a::A;\n");
    write("d.rs", "#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}\n");
    let circle = Crate::read(folder.path()).largest_circle("");
    assert_eq!(circle, ["a", "b", "c"].map(|name| vec![name.to_owned()]));
    assert_eq!(Crate::read(folder.path()).largest_circle("d"), Vec::<Module>::new());
}
