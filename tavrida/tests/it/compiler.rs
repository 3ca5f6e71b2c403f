//! Runs the compiler on wrong programs. Shared by the tests of the crates that have macros.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A folder of wrong uses.
pub(crate) struct WrongUses<'a> {
    pub(crate) folder: PathBuf,
    /// The crates that they use, by name.
    pub(crate) crates: &'a [&'a str],
    /// A correct program, to find builds of the crates that fit together.
    pub(crate) right_use: &'a str,
}

/// Compiles a folder of wrong uses, and checks that each has the expected errors. Returns how many there are.
pub(crate) fn said_as_expected(uses: &WrongUses<'_>) -> usize {
    let files = wrong_uses(&uses.folder);
    let modules: String = files
        .iter()
        .map(|(name, path)| format!("#[path = {:?}] mod {name};\n", path.display().to_string()))
        .collect();
    let said = Compiler::find(uses).said_of(&format!("{modules}fn main() {{}}"));
    let mut wrong = Vec::new();
    for (name, path) in &files {
        let expected = expected_lines(path);
        let errors: Vec<&Said> = said.iter().filter(|error| error.is_about(path)).collect();
        let surplus = errors.iter().any(|error| !expected.iter().any(|line| error.text.contains(line)));
        let missing: Vec<_> =
            expected.iter().filter(|line| !errors.iter().any(|error| error.text.contains(*line))).collect();
        if expected.is_empty() || surplus || !missing.is_empty() {
            let all: Vec<_> = errors.iter().map(|error| error.text.as_str()).collect();
            wrong.push(format!("== {name}: not said: {missing:#?}\n== said:\n{}", all.join("\n--\n")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    files.len()
}

fn wrong_uses(folder: &Path) -> BTreeMap<String, PathBuf> {
    let files =
        fs::read_dir(folder).expect("a folder of wrong uses").map(|entry| entry.expect("a file").path());
    files.map(|path| (path.file_stem().expect("a name").to_string_lossy().into_owned(), path)).collect()
}

fn expected_lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).expect("a file that can be read");
    text.lines().filter_map(|line| Some(line.split_once("//~ ")?.1.trim().to_owned())).collect()
}

/// One error.
struct Said {
    /// Its message, labels, notes and helps, one line each.
    text: String,
    files: Vec<String>,
}

impl Said {
    fn read(diagnostic: &Value) -> Option<Self> {
        if diagnostic["level"] != "error" || diagnostic["spans"].as_array().is_none_or(Vec::is_empty) {
            return None;
        }
        let (mut lines, mut files) = (Vec::new(), Vec::new());
        let children = diagnostic["children"].as_array().into_iter().flatten();
        for part in std::iter::once(diagnostic).chain(children) {
            lines.extend(part["message"].as_str().map(str::to_owned));
        }
        for span in diagnostic["spans"].as_array().into_iter().flatten() {
            lines.extend(span["label"].as_str().map(str::to_owned));
            files.extend(span["file_name"].as_str().map(str::to_owned));
        }
        Some(Self { text: lines.join("\n"), files })
    }

    fn is_about(&self, path: &Path) -> bool {
        self.files.iter().any(|file| Path::new(file) == path)
    }
}

/// The compiler, with the libraries that this test was built with.
pub(crate) struct Compiler {
    program: PathBuf,
    libraries: PathBuf,
    externs: Vec<String>,
}

impl Compiler {
    /// Finds the newest builds of the crates that work together: a workspace's folder has several.
    pub(crate) fn find(uses: &WrongUses<'_>) -> Self {
        let test = std::env::current_exe().expect("the path of this test");
        let libraries = test.parent().expect("its folder").to_owned();
        let beside_cargo = std::env::var("CARGO").ok().map(|cargo| Path::new(&cargo).with_file_name("rustc"));
        let program =
            std::env::var("RUSTC").ok().map(PathBuf::from).or(beside_cargo).unwrap_or_else(|| "rustc".into());
        let mut builds = vec![Vec::new()];
        for name in uses.crates {
            let of_it = newest(&libraries, &format!("lib{name}-"));
            let named = of_it.iter().map(|path| format!("{name}={}", path.display()));
            let named: Vec<String> = named.collect();
            let with = |build: Vec<String>| {
                named.iter().map(move |one| [&build[..], std::slice::from_ref(one)].concat())
            };
            builds = builds.into_iter().flat_map(with).collect();
        }
        for externs in builds {
            let found = Self { program: program.clone(), libraries: libraries.clone(), externs };
            if found.said_of(uses.right_use).is_empty() {
                return found;
            }
        }
        panic!("no builds of {:?} in {} can be used", uses.crates, libraries.display());
    }

    /// Returns a command that compiles a file into a folder.
    pub(crate) fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--edition=2024").arg("--out-dir").arg(folder);
        command.arg("-L").arg(format!("dependency={}", self.libraries.display()));
        for library in &self.externs {
            command.args(["--extern", library]);
        }
        command
    }

    fn said_of(&self, program: &str) -> Vec<Said> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("main.rs");
        fs::write(&file, program).expect("a file can be written");
        let mut command = self.command(folder.path());
        command.args(["--emit=metadata", "--error-format=json", "--cap-lints=allow"]);
        let output = command.arg(file).output().expect("the compiler runs");
        let lines = String::from_utf8_lossy(&output.stderr).into_owned();
        let said: Vec<Said> = lines
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .filter_map(|line: Value| Said::read(&line))
            .collect();
        assert!(
            output.status.success() || !said.is_empty(),
            "the compiler fails for another reason: {lines}"
        );
        said
    }
}

/// Returns the builds of a library, newest first.
fn newest(folder: &Path, beginning: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).expect("the folder of this test").filter_map(|entry| entry.ok());
    let named = files.filter(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.starts_with(beginning) && name.ends_with(".rlib")
    });
    let mut builds: Vec<_> =
        named.filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()))).collect();
    builds.sort();
    builds.into_iter().rev().map(|(_, path)| path).collect()
}
