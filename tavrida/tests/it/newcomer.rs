//! What the chapters promise a newcomer: a service in a few lines, in a new crate, with only the documentation.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TUTORIAL: &str = include_str!("../../src/docs/tutorial.md");
const MIGRATION: &str = include_str!("../../src/docs/migration.md");

/// Returns the blocks of Rust code of a chapter, without the hidden lines.
fn blocks(chapter: &str) -> Vec<Vec<&str>> {
    let mut blocks = Vec::new();
    let mut block: Option<(bool, Vec<&str>)> = None;
    for line in chapter.lines() {
        match (&mut block, line.strip_prefix("```")) {
            (None, Some(language)) => block = Some((language.is_empty(), Vec::new())),
            (Some(_), Some(_)) => {
                let (is_rust, lines) = block.take().expect("a block was begun");
                blocks.extend(is_rust.then_some(lines));
            }
            (Some((_, lines)), None) if !line.starts_with("# ") => lines.push(line),
            _ => {}
        }
    }
    blocks
}

fn count(lines: &[&str]) -> usize {
    lines.iter().filter(|line| !line.trim().is_empty()).count()
}

#[test]
fn the_pairs_of_the_tutorial_are_as_long_as_the_migration_chapter_says() {
    let blocks = blocks(MIGRATION);
    let lengths: Vec<usize> = blocks.iter().map(Vec::len).collect();
    let said: Vec<usize> = MIGRATION
        .lines()
        .filter(|line| line.contains("nd here") && line.ends_with(':'))
        .filter_map(|line| line.split(|c: char| !c.is_ascii_digit()).rfind(|word| !word.is_empty()))
        .filter_map(|number| number.parse().ok())
        .collect();
    assert_eq!(lengths, said, "of Hello and of World");
}

#[test]
fn the_hello_service_with_its_test_fits_18_lines_of_a_crate_outside_of_the_workspace() {
    let block = blocks(TUTORIAL).remove(0);
    assert!(count(&block) <= 18, "{} lines", count(&block));

    let core = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = core.parent().expect("the crate lies in its workspace");
    let home = tempfile::tempdir().expect("a folder outside of the workspace");
    fs::create_dir(home.path().join("src")).expect("a folder for the code");
    fs::write(home.path().join("src/lib.rs"), block.join("\n")).expect("the code can be written");
    fs::write(home.path().join("Cargo.toml"), manifest(core, workspace))
        .expect("the manifest can be written");
    // The versions that the workspace was built with are already on this machine.
    fs::copy(workspace.join("Cargo.lock"), home.path().join("Cargo.lock")).expect("the lock can be copied");

    let output = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
        .args(["test", "--offline", "--quiet"])
        .current_dir(home.path())
        .env("CARGO_TARGET_DIR", target().join("newcomer"))
        .output()
        .expect("cargo runs");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// Returns the manifest that the chapter shows, with the crates of this workspace.
fn manifest(core: &Path, workspace: &Path) -> String {
    let (_, shown) = TUTORIAL.split_once("```toml\n").expect("the chapter shows the manifest");
    let (shown, _) = shown.split_once("```").expect("the manifest ends");
    let path = |folder: PathBuf| format!("{{ path = {:?} }}", folder.display().to_string());
    let own = shown
        .replace(
            "tavrida-memory = \"0.1\"",
            &format!("tavrida-memory = {}", path(workspace.join("tavrida-memory"))),
        )
        .replace("tavrida = \"0.1\"", &format!("tavrida = {}", path(core.to_owned())));
    format!("[package]\nname = \"newcomer\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n{own}\n[workspace]\n")
}

/// Returns the folder where this test was built.
fn target() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    test.ancestors().nth(3).expect("it lies in a profile's folder of the target folder").to_owned()
}
