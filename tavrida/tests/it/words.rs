//! Comments and documentation are in plain English: phrases that a reader has to read twice stay out.

use std::fs;
use std::path::Path;

use crate::tidy::{files, workspace};

/// Phrases that are out, in lower case, as sequences of words. Each has a plain counterpart: "is told" is "learns" or "returns",
/// "whoever" names a party, "so long" names a parameter.
const HOUSE_WORDS: [&str; 38] = [
    "is told",
    "are told",
    "was told",
    "be told",
    "told of",
    "told that",
    "told why",
    "so long",
    "so many",
    "so often",
    "at most so",
    "what is there",
    "who asked",
    "whoever",
    "whomever",
    "somebody",
    "everybody",
    "nobody hears",
    "hears",
    "heard",
    "wish",
    "wishes",
    "anew",
    "in vain",
    "befalls",
    "befell",
    "aside",
    "as it were",
    "for good",
    "lies in",
    "comes of",
    "came of",
    "made short",
    "in its turn",
    "all the same",
    "what becomes of",
    "put off",
    "is gone",
];

/// The lines of a file that people read: comments of code, or everything of a chapter outside of its code.
fn prose(path: &Path, text: &str) -> Vec<(usize, String)> {
    let chapter = path.extension().is_some_and(|extension| extension == "md");
    let mut code = false;
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        if chapter && trimmed.starts_with("```") {
            code = !code;
        }
        if (chapter && !code) || (!chapter && trimmed.starts_with("//") && !trimmed.starts_with("//~")) {
            lines.push((number + 1, words(trimmed)));
        }
    }
    lines
}

/// The words of a line in lower case, without what stands in `code`, one space before, between and after them.
fn words(line: &str) -> String {
    let spoken = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    let parts =
        spoken.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '\'').filter(|part| !part.is_empty());
    parts.fold(" ".to_owned(), |all, part| all + &part.to_lowercase() + " ")
}

fn found(path: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in prose(path, text) {
        for phrase in HOUSE_WORDS {
            if line.contains(&format!(" {phrase} ")) {
                found.push(format!("{}:{number}: \"{phrase}\"", path.display()));
            }
        }
    }
    found
}

#[test]
#[expect(clippy::print_stdout, reason = "the count is read in the test's output")]
fn comments_and_chapters_are_in_plain_english() {
    // This file lists the phrases; the book of RabbitMQ's rules quotes a specification.
    let exempt = ["words.rs", "broker-semantics.md"];
    let paths = files(&workspace(), &["rs", "md"]);
    let read = paths.iter().filter(|path| !exempt.iter().any(|name| path.ends_with(name)));
    let all: Vec<_> = read
        .flat_map(|path| found(path, &fs::read_to_string(path).expect("a file that can be read")))
        .collect();
    println!("house words: {}", all.len());
    assert_eq!(all, Vec::<String>::new(), "say it plainly: name the party, and what it does");
}

#[test]
fn a_planted_phrase_is_found_in_a_comment_and_in_a_chapter_but_not_in_code() {
    let comment = "    /// The caller is told why.\nlet told = is_told; // is told\n";
    assert_eq!(found(Path::new("a.rs"), comment), ["a.rs:1: \"is told\"", "a.rs:1: \"told why\""]);
    let chapter = "Somebody waits.\n```\nsomebody();\n```\nThe name `somebody` is code.\n";
    assert_eq!(found(Path::new("a.md"), chapter), ["a.md:1: \"somebody\""]);
}
