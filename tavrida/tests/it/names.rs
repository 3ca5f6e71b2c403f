//! A name of a type means one thing within its crate: a search for it finds one definition.

use std::collections::BTreeMap;
use std::fs;

use crate::tidy::{files, workspace};

const CRATES: [&str; 10] = [
    "tavrida",
    "tavrida/macros",
    "tavrida-amqp",
    "tavrida-memory",
    "tavrida-memory/behaviour",
    "tavrida-memory/routing",
    "tavrida-testkit",
    "tavrida-testkit/conformance",
    "tavrida-testkit/rabbitmq",
    "tavrida-testkit/macros",
];

/// Rust's usual names for what a type holds behind an `Arc` or a lock, next to that type.
const IDIOMS: [&str; 2] = ["Inner", "State"];

/// Returns the name of the type that a line of a file, not of a module within it, defines.
fn defined(line: &str) -> Option<&str> {
    let words =
        line.split_once(' ').map_or("", |(word, rest)| if word.starts_with("pub") { rest } else { line });
    let rest =
        ["struct ", "enum ", "trait ", "type "].iter().find_map(|keyword| words.strip_prefix(keyword))?;
    let end = rest.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(rest.len());
    Some(&rest[..end])
}

#[test]
fn a_name_of_a_type_means_one_thing_in_its_crate() {
    for name in CRATES {
        let source = workspace().join(name).join("src");
        let mut definitions: BTreeMap<String, Vec<(String, bool)>> = BTreeMap::new();
        for file in files(&source, &["rs"]) {
            let at = file.strip_prefix(&source).expect("a file of the crate").display().to_string();
            // Tests tell stories of their own, each with its types.
            if at.ends_with("tests.rs") {
                continue;
            }
            let text = fs::read_to_string(&file).expect("a file that can be read");
            for (line, name) in text.lines().filter_map(|line| Some((line, defined(line)?))) {
                definitions.entry(name.to_owned()).or_default().push((at.clone(), line.starts_with("pub ")));
            }
        }
        assert!(!definitions.is_empty(), "{name} was not found");
        // Users tell public types apart by their modules: `explore::Report`, `exhaustive::Report`.
        let is_clear = |at: &[(String, bool)]| at.len() == 1 || at.iter().all(|(_, is_public)| *is_public);
        definitions.retain(|name, at| !is_clear(at) && !IDIOMS.contains(&name.as_str()));
        assert!(definitions.is_empty(), "{name}: {definitions:#?}");
    }
}

#[test]
fn a_definition_is_found_whatever_its_visibility_and_parameters() {
    let lines = [
        "pub(crate) struct Link<T> {",
        "enum Kind {",
        "pub type Table = X;",
        "pub trait Clock: Send {",
        "struct Unit;",
    ];
    assert!(lines.into_iter().map(defined).eq([
        Some("Link"),
        Some("Kind"),
        Some("Table"),
        Some("Clock"),
        Some("Unit")
    ]));
    let others = ["    struct Local;", "impl Link {", "pub use link::Link;", "pub fn struct_of() {", ""];
    assert!(others.into_iter().all(|line| defined(line).is_none()));
}
