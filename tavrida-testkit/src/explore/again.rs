//! How a failed run is made again: the names of its test and scenario, and the command.

use std::any::type_name;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

/// What a failure knows of the test that found it.
#[derive(Debug, Clone, Default)]
pub(crate) struct TestNames {
    /// The path of the test, if known.
    pub(crate) test: Option<String>,
    /// The path of the scenario, if another function of the crate can call it.
    pub(crate) scenario: Option<String>,
    /// The file of regressions of the test, if it has one.
    pub(crate) regressions: Option<PathBuf>,
    /// Whether the source has an exploration to which a replay can be added; a macro has none.
    pub(crate) takes_replay: bool,
}

impl TestNames {
    /// Returns the names of a scenario of this type, and of the test that runs on this thread: Rust's own harness names threads so.
    pub(crate) fn of<F>() -> Self {
        let test = thread::current().name().filter(|name| *name != "main").map(str::to_owned);
        let program = Program::this();
        let scenario = callable(type_name::<F>(), &program.crate_name, test.as_deref().unwrap_or("main"));
        Self { test, scenario, regressions: None, takes_replay: true }
    }

    /// Returns the name of the test, for people.
    pub(crate) fn test(&self) -> &str {
        self.test.as_deref().unwrap_or("scenario")
    }

    /// Returns the command that runs the test, behind variables of the environment. `None` if the test has no name.
    pub(crate) fn command(&self) -> Option<String> {
        Some(Program::this().command(self.test.as_deref()?))
    }
}

/// Returns the path by which a function of the crate is called. `None` for closures, generics, and functions inside of the test.
fn callable(type_name: &str, crate_name: &str, test: &str) -> Option<String> {
    let path = type_name.trim_start_matches('&');
    let (first, rest) = path.split_once("::")?;
    let is_word = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
    let is_inside = rest.strip_prefix(test).is_some_and(|rest| rest.starts_with("::"));
    if is_inside || !path.split("::").all(is_word) {
        return None;
    }
    Some(if first == crate_name { format!("crate::{rest}") } else { path.to_owned() })
}

/// This program, as cargo knows it.
struct Program {
    crate_name: String,
    /// Cargo tells it to the programs that it runs.
    package: Option<String>,
    folder: Option<PathBuf>,
    /// Whether the test runs only because ignored tests do.
    ignored: bool,
}

impl Program {
    fn this() -> Self {
        let program = env::current_exe().unwrap_or_default();
        let ignored = |argument| argument == "--ignored" || argument == "--include-ignored";
        Self {
            crate_name: crate_of(&program.file_stem().unwrap_or_default().to_string_lossy()),
            package: env::var("CARGO_PKG_NAME").ok(),
            folder: env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from),
            ignored: env::args().any(ignored),
        }
    }

    fn command(&self, test: &str) -> String {
        let package = self.package.as_ref().map(|package| format!(" -p {package}")).unwrap_or_default();
        let target = self.target().map(|target| format!(" {target}")).unwrap_or_default();
        let ignored = if self.ignored { " --include-ignored" } else { "" };
        format!("cargo test{package}{target} -- --exact {test}{ignored}")
    }

    /// Returns the option that selects this program. `None` if it is not known: then cargo runs all tests of that name.
    fn target(&self) -> Option<String> {
        let folder = self.folder.as_deref()?;
        if let Some(test) = tests_in(&folder.join("tests")).into_iter().find(|test| self.is(test)) {
            return Some(format!("--test {test}"));
        }
        let is_library = self.is(self.package.as_deref()?)
            && folder.join("src/lib.rs").exists()
            && !folder.join("src/main.rs").exists();
        is_library.then(|| "--lib".to_owned())
    }

    fn is(&self, target: &str) -> bool {
        target.replace('-', "_") == self.crate_name
    }
}

/// Returns the name of the crate of a program that cargo built: without the hash.
fn crate_of(program: &str) -> String {
    let is_hash = |hash: &str| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = program.rsplit_once('-').filter(|(_, hash)| is_hash(hash)).map_or(program, |(name, _)| name);
    name.replace('-', "_")
}

/// Returns the names of the tests in a folder, as cargo finds them.
fn tests_in(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_test =
        |path: &PathBuf| path.extension().is_some_and(|of| of == "rs") || path.join("main.rs").is_file();
    let name = |path: PathBuf| Some(path.file_stem()?.to_string_lossy().into_owned());
    files.filter(is_test).filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(crate_name: &str, package: &str, ignored: bool) -> Program {
        let folder = Some(PathBuf::from(env!("CARGO_MANIFEST_DIR")));
        Program { crate_name: crate_name.to_owned(), package: Some(package.to_owned()), folder, ignored }
    }

    #[test]
    fn a_command_names_package_target_and_test() {
        let of = |crate_name, ignored| program(crate_name, "tavrida-testkit", ignored).command("a::b");
        assert_eq!(of("planted", false), "cargo test -p tavrida-testkit --test planted -- --exact a::b");
        assert_eq!(
            of("hostile", true),
            "cargo test -p tavrida-testkit --test hostile -- --exact a::b --include-ignored"
        );
        assert_eq!(of("tavrida_testkit", false), "cargo test -p tavrida-testkit --lib -- --exact a::b");
        assert_eq!(of("a_binary", false), "cargo test -p tavrida-testkit -- --exact a::b");
    }

    #[test]
    fn a_program_is_named_after_its_crate_and_a_hash() {
        assert_eq!(crate_of("my-test-0123456789abcdef"), "my_test");
        assert_eq!(crate_of("double-charge"), "double_charge");
    }

    #[test]
    fn a_scenario_is_called_by_its_path_if_it_has_one() {
        let path = |name| callable(name, "shop", "story::it_holds");
        assert_eq!(path("shop::scenario::first_try"), Some("crate::scenario::first_try".to_owned()));
        assert_eq!(path("&shop::it"), Some("crate::it".to_owned()));
        assert_eq!(path("kit::scenario::first_try"), Some("kit::scenario::first_try".to_owned()));
        assert_eq!(path("shop::story::it_holds::scenario"), None, "it is inside of the test");
        assert_eq!(path("shop::story::it_holds::{{closure}}"), None);
        assert_eq!(path("shop::requests<2>"), None);
        assert_eq!(path("fn(shop::Sim) -> shop::Done"), None);
    }
}
