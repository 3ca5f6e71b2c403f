//! The house rules that a machine can check, for all crates of the workspace.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The crates whose modules are in reading order: each uses only modules above it.
const CRATES: [&str; 7] = [
    "tavrida",
    "tavrida-amqp",
    "tavrida-memory",
    "tavrida-memory/routing",
    "tavrida-testkit/conformance",
    "tavrida-testkit/rabbitmq",
    "tavrida-testkit",
];

pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a crate of the workspace lies in it").to_owned()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    files(folder, &["rs"])
}

/// The files below a folder with one of these extensions, sorted.
pub(crate) fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.expect("a folder that can be listed").path();
            match path.file_name().and_then(|name| name.to_str()) {
                Some(name) if name.starts_with('.') || name == "target" => {}
                _ if path.is_dir() => folders.push(path),
                Some(name) if extensions.iter().any(|extension| name.ends_with(&format!(".{extension}"))) => {
                    files.push(path);
                }
                _ => {}
            }
        }
    }
    files.sort();
    files
}

#[test]
fn every_file_opens_by_saying_what_it_is_for() {
    let files = rust_files(&workspace());
    // Wrong programs, whose errors are compared line by line, are excluded.
    let silent: Vec<_> = files
        .iter()
        .filter(|file| !file.components().any(|part| part.as_os_str() == "fail"))
        .filter(|file| !fs::read_to_string(file).expect("a file that can be read").starts_with("//!"))
        .collect();
    assert!(files.len() > 100, "the workspace was not found");
    assert_eq!(silent, Vec::<&PathBuf>::new(), "these do not begin with `//!`");
}

/// Returns the top-level modules of a crate, in the order of `lib.rs`.
fn rooms(source: &Path) -> Vec<String> {
    let lib = fs::read_to_string(source.join("lib.rs")).expect("a crate has a lib.rs");
    let declared = lib.lines().filter_map(|line| {
        let line = line.trim_start_matches("pub ").trim_start_matches("pub(crate) ");
        line.strip_prefix("mod ")?.strip_suffix(';').map(str::to_owned)
    });
    declared.collect()
}

/// Returns what the names at the root of a crate stand for: `pub use client::Client;` makes `Client` a name of `client`.
fn re_exports(source: &Path) -> BTreeMap<String, String> {
    let lib = fs::read_to_string(source.join("lib.rs")).expect("a crate has a lib.rs");
    let mut names = BTreeMap::new();
    for line in lib.lines() {
        let Some(path) = line.strip_prefix("pub use ").and_then(|rest| rest.strip_suffix(';')) else {
            continue;
        };
        let Some((room, rest)) = path.split_once("::") else { continue };
        for name in rest.trim_matches(['{', '}']).split(", ") {
            names.insert(name.to_owned(), room.to_owned());
        }
    }
    names
}

/// Returns the modules that the code of a file names as `crate::room`; comments do not count.
fn uses(file: &Path, exported: &BTreeMap<String, String>) -> Vec<String> {
    let text = fs::read_to_string(file).expect("a file that can be read");
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut used = Vec::new();
    for line in code {
        for (at, _) in line.match_indices("crate::") {
            // Excluded: `$crate::`, which stands in what others expand, and crate names that end in `crate`.
            if line[..at].ends_with(|c: char| c.is_alphanumeric() || "_$".contains(c)) {
                continue;
            }
            let name: String =
                line[at + 7..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            used.push(exported.get(&name).cloned().unwrap_or(name));
        }
    }
    used
}

#[test]
fn rooms_use_only_rooms_above_them() {
    let mut wrong = Vec::new();
    for name in CRATES {
        let source = workspace().join(name).join("src");
        let rooms = rooms(&source);
        let exported = re_exports(&source);
        for (place, room) in rooms.iter().enumerate() {
            let mut files = rust_files(&source.join(room));
            files.push(source.join(format!("{room}.rs")));
            for file in files.iter().filter(|file| file.exists()) {
                for used in uses(file, &exported) {
                    if rooms.iter().position(|room| *room == used).is_some_and(|at| at > place) {
                        wrong.push(format!(
                            "{}: uses crate::{used}, which comes after {room}",
                            file.display()
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_that_ship_stay_short_enough_to_read() {
    let long: Vec<_> = rust_files(&workspace())
        .into_iter()
        .filter(|file| file.components().any(|part| part.as_os_str() == "src"))
        .filter_map(|file| {
            let lines = fs::read_to_string(&file).expect("a file that can be read").lines().count();
            (lines > 400).then(|| format!("{} ({lines})", file.display()))
        })
        .collect();
    assert_eq!(long, Vec::<String>::new(), "these have over 400 lines");
}
