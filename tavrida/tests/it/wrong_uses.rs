//! Wrong uses, and what the compiler says of each: our own lines of it, since the rest is the compiler's and changes.
//!
//! Each file of `tests/wrong_uses` is one wrong program, a module of one crate for each folder, so that the compiler runs twice. What
//! follows `//~` in it must be said of it, and nothing must be said of it beside that.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

#[test]
fn what_macros_can_see_is_an_error_that_says_what_to_write() {
    assert!(check("macros") >= 30, "the wrong uses were not found");
}

#[test]
fn what_types_alone_tell_is_an_error_that_says_what_to_write() {
    assert!(check("types") >= 12, "the wrong uses were not found");
}

/// Compiles a folder of wrong uses, and looks whether each is told as it says. Gives how many there are.
fn check(folder: &str) -> usize {
    let files = wrong_uses(folder);
    let modules: String = files
        .iter()
        .map(|(name, path)| format!("#[path = {:?}] mod {name};\n", path.display().to_string()))
        .collect();
    let said = Compiler::find().said_of(&format!("{modules}fn main() {{}}"));
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

fn wrong_uses(folder: &str) -> BTreeMap<String, PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong_uses").join(folder);
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
    /// Its message, labels, notes and helps, a line each.
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

/// The compiler, with the libraries that this very test was built with.
struct Compiler {
    program: PathBuf,
    libraries: PathBuf,
    externs: Vec<String>,
}

impl Compiler {
    /// Looks for the newest build of the library that works with a build of serde: a folder of a workspace holds several.
    fn find() -> Self {
        let test = std::env::current_exe().expect("the path of this test");
        let libraries = test.parent().expect("its folder").to_owned();
        let beside_cargo = std::env::var("CARGO").ok().map(|cargo| Path::new(&cargo).with_file_name("rustc"));
        let program =
            std::env::var("RUSTC").ok().map(PathBuf::from).or(beside_cargo).unwrap_or_else(|| "rustc".into());
        for tavrida in newest(&libraries, "libtavrida-") {
            for serde in newest(&libraries, "libserde-") {
                let externs = [("tavrida", &tavrida), ("serde", &serde)]
                    .map(|(name, path)| format!("{name}={}", path.display()));
                let found =
                    Self { program: program.clone(), libraries: libraries.clone(), externs: externs.into() };
                if found.said_of(RIGHT_USE).is_empty() {
                    return found;
                }
            }
        }
        panic!("no library in {} can be used", libraries.display());
    }

    fn said_of(&self, program: &str) -> Vec<Said> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("main.rs");
        fs::write(&file, program).expect("a file can be written");
        let mut command = Command::new(&self.program);
        command.args([
            "--edition=2024",
            "--emit=metadata",
            "--error-format=json",
            "--cap-lints=allow",
            "--out-dir",
        ]);
        command.arg(folder.path()).arg("-L").arg(format!("dependency={}", self.libraries.display()));
        for library in &self.externs {
            command.args(["--extern", library]);
        }
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

/// The builds of a library, newest first.
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

const RIGHT_USE: &str = r#"
    use tavrida::prelude::*;

    #[derive(serde::Serialize, serde::Deserialize, tavrida::Rpc)]
    #[rpc("hello.say")]
    struct Say { what: String }

    struct Hello;

    #[tavrida::service("hello")]
    impl Hello {
        #[rpc(Say)]
        async fn say(&self, say: Say, proxy: Proxy) {}
    }

    fn main() {}
"#;
