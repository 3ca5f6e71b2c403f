//! Configuration files of the Python original, which are INI files: what is wrong with them, key by key. As TOML they are only malformed.

use super::keys::gone;

/// What is wrong with a line.
pub(super) struct IniLine {
    /// From 1 on.
    pub(super) line: usize,
    pub(super) key: String,
    pub(super) problem: &'static str,
}

/// Looks for a key that was removed, or has another name now; and else for the first line that is INI and no TOML, if TOML ends at such a line.
///
/// No value is shown: it may be a password.
pub(super) fn flaw(text: &str, bad_line: usize) -> Option<IniLine> {
    let (mut section, mut foreign) = ("", Vec::new());
    for (line, content) in (1..).zip(text.lines().map(str::trim)) {
        if let Some(name) = content.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.trim();
            if let Some(problem) = gone("", section) {
                return Some(IniLine { line, key: section.to_owned(), problem });
            }
        } else if content.starts_with(';') {
            foreign.push(IniLine { line, key: String::new(), problem: "a comment begins with '#' in TOML" });
        } else if let Some(at) = content.find(['=', ':']) {
            let (key, value) = (content[..at].trim(), content[at + 1..].trim());
            let full = || if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
            if let Some(problem) = gone(section, key) {
                return Some(IniLine { line, key: full(), problem });
            }
            if content[at..].starts_with(':') || is_bare(value) {
                let problem =
                    "in TOML a text stands in quotes, behind '='; true and false are written in lower case";
                foreign.push(IniLine { line, key: full(), problem });
            }
        }
    }
    if foreign.iter().all(|flaw| flaw.line != bad_line) {
        return None;
    }
    foreign.into_iter().next()
}

/// Whether a value is a text without quotes.
fn is_bare(value: &str) -> bool {
    value.starts_with(|c: char| c.is_alphabetic() || c == '/')
        && !["true", "false", "inf", "nan"].contains(&value)
}
