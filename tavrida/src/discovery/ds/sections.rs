//! The sections of a `.ds` text, read as Python 2's `ConfigParser` does.
//!
//! The crate `configparser` splits the text; this module corrects its differences from Python: names of sections are case-sensitive while
//! keys are not, comments at the end of a line need a blank before them, and `[DEFAULT]` and `%(name)s` apply.

use std::collections::BTreeMap;

use configparser::ini::{Ini, IniDefault};

use super::interpolation;
use super::key_error::KeyError;

/// The section whose values apply to every section without them.
const DEFAULTS: &str = "DEFAULT";

/// The name for keys before the first section, which no line can contain.
const NOWHERE: &str = "\n";

/// The content of one section: values by lower-case key, before interpolation.
type Section = BTreeMap<String, String>;

pub(super) struct Sections {
    named: BTreeMap<String, Section>,
    defaults: Section,
}

impl Sections {
    pub(super) fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let raw = python_like().read(text.to_owned()).map_err(KeyError::of_file)?;
        let mut named = BTreeMap::<String, Section>::new();
        // In sorted order: of several errors the same one is always reported.
        for (header, keys) in raw.into_iter().collect::<BTreeMap<_, _>>() {
            if header == NOWHERE {
                let key = keys.into_keys().min().unwrap_or_default();
                return Err(KeyError::of_file(format!("'{key}' stands before the first section")));
            }
            // The crate reads up to a line's last bracket, which may be in a comment.
            let name = header.split(']').next().unwrap_or_default().trim_end();
            let section = named.entry(name.to_owned()).or_default();
            for (key, value) in keys.into_iter().collect::<BTreeMap<_, _>>() {
                add(section, name, key, value)?;
            }
        }
        let defaults = named.remove(DEFAULTS).unwrap_or_default();
        Ok(Self { named, defaults })
    }

    /// Returns the names, sorted.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(String::as_str)
    }

    pub(super) fn has(&self, section: &str) -> bool {
        self.named.contains_key(section)
    }

    /// Returns the value of a key of a section, or of [`DEFAULTS`], after interpolation.
    pub(super) fn value(&self, section: &str, key: &str) -> Result<Option<String>, KeyError> {
        let Some(text) = self.raw(section, key) else { return Ok(None) };
        let lookup = |name: &str| match name {
            "__name__" => Some(section.to_owned()),
            _ => self.raw(section, name).map(str::to_owned),
        };
        let value = interpolation::expand(text, lookup).map_err(|why| KeyError::of_key(section, key, why))?;
        Ok(Some(value))
    }

    /// Returns the keys of a section that are not `known` and that no value refers to.
    pub(super) fn surplus(&self, section: &str, known: &[&str]) -> Vec<&str> {
        let Some(own) = self.named.get(section) else { return Vec::new() };
        let used = |key: &str| {
            let reference = format!("%({key})s");
            own.values().chain(self.defaults.values()).any(|value| value.to_lowercase().contains(&reference))
        };
        own.keys().map(String::as_str).filter(|key| !known.contains(key) && !used(key)).collect()
    }

    fn raw(&self, section: &str, key: &str) -> Option<&str> {
        let own = self.named.get(section).and_then(|own| own.get(key));
        own.or_else(|| self.defaults.get(key)).map(String::as_str)
    }
}

fn python_like() -> Ini {
    let mut rules = IniDefault::default();
    rules.default_section = NOWHERE.to_owned();
    rules.case_sensitive = true;
    rules.multiline = true;
    rules.enable_inline_comments = false;
    Ini::new_from_defaults(rules)
}

fn add(section: &mut Section, name: &str, key: String, value: Option<String>) -> Result<(), KeyError> {
    let key = key.to_lowercase();
    let flaw = |why: &str| KeyError::of_key(name, &key, why);
    let value = value.ok_or_else(|| flaw("it has no value; a line is `key = value`"))?;
    let value = without_comment(&value).map_err(flaw)?.to_owned();
    match section.get(&key) {
        Some(other) if *other != value => {
            Err(flaw("it is written twice, in different case and with different values"))
        }
        _ => {
            section.insert(key, value);
            Ok(())
        }
    }
}

/// Removes a comment from a value: from the first `;` with a blank before it.
///
/// Python makes other blanks followed by a comment sign part of the value, which is never intended: services that read the name differently
/// could not communicate.
fn without_comment(value: &str) -> Result<&str, &'static str> {
    // Checked before anything is cut: a comment ends with its own line.
    if value.contains('\n') {
        return Err("it goes on in the next line; a name is written in one, and keys are indented alike");
    }
    let comment = value.find(';').filter(|&at| value[..at].ends_with(char::is_whitespace));
    let value = comment.map_or(value, |at| &value[..at]).trim_end();
    let mut words = value.split_whitespace();
    if words.any(|word| word.starts_with([';', '#'])) {
        return Err("it holds what looks like a comment and is none; give the comment a line of its own");
    }
    Ok(if value == "\"\"" { "" } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<String> {
        Sections::parse(text).unwrap().value("a", "exchange").unwrap()
    }

    fn refusal(text: &str) -> String {
        match Sections::parse(text) {
            Ok(sections) => sections.value("a", "exchange").expect_err("refused").to_string(),
            Err(flaw) => flaw.to_string(),
        }
    }

    #[test]
    fn equals_sign_and_colon_part_key_and_value_with_blanks_or_without() {
        for text in
            ["[a]\nexchange=x", "[a]\nexchange: x", "[a]\r\nexchange \t= \t x \r\n", "[ a ]\n  exchange = x"]
        {
            assert_eq!(value(text).as_deref(), Some("x"), "{text:?}");
        }
        assert_eq!(value("[a]\nexchange = amqp://x=y").as_deref(), Some("amqp://x=y"));
    }

    #[test]
    fn keys_have_no_case_and_sections_have() {
        assert_eq!(value("[A]\nexchange=upper\n[a]\nEXCHANGE=lower").as_deref(), Some("lower"));
        assert!(!Sections::parse("[A]\nexchange=upper").unwrap().has("a"));
    }

    #[test]
    fn a_line_that_begins_with_a_comment_sign_is_a_comment() {
        assert_eq!(value("# x\n; y\n[a] ; see [b]\n  # z\nexchange=x\n;exchange=y").as_deref(), Some("x"));
    }

    #[test]
    fn a_comment_behind_a_value_is_a_semicolon_after_a_blank() {
        assert_eq!(value("[a]\nexchange=x ; y").as_deref(), Some("x"));
        assert_eq!(value("[a]\nexchange=x;y#z").as_deref(), Some("x;y#z"));
    }

    #[test]
    fn what_the_original_takes_for_a_part_of_the_name_is_refused() {
        for text in ["[a]\nexchange=x # y", "[a]\nexchange=; y", "[a]\nexchange=x;y ;z"] {
            assert!(
                refusal(text).contains("section [a], key 'exchange': it holds what looks like a comment"),
                "{text}"
            );
        }
    }

    #[test]
    fn repeated_sections_are_one_and_the_later_value_holds() {
        assert_eq!(value("[a]\nexchange=x\n[b]\nexchange=z\n[a]\nexchange=y").as_deref(), Some("y"));
        assert!(refusal("[a]\nexchange=x\nExchange=y").contains("written twice, in different case"));
    }

    #[test]
    fn defaults_hold_where_a_section_is_silent() {
        let text = "[DEFAULT]\nexchange = %(prefix)s_%(__name__)s\nprefix = of\n[a]\n[b]\nexchange = b";
        let sections = Sections::parse(text).unwrap();
        assert_eq!(sections.value("a", "exchange").unwrap().as_deref(), Some("of_a"));
        assert_eq!(sections.value("b", "exchange").unwrap().as_deref(), Some("b"));
        assert_eq!(sections.names().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_bad_reference_names_section_and_key() {
        assert!(
            refusal("[a]\nexchange=%(nope)s").starts_with("section [a], key 'exchange': it refers to 'nope'")
        );
    }

    #[test]
    fn surplus_keys_are_those_that_nobody_asks_for() {
        let defaults = "[DEFAULT]\nx=1\nexchange=%(by_default)s";
        let text = format!("{defaults}\n[a]\nBy_default=d\nnotifications=%(Own)s\nown=o\nnotification=n");
        let sections = Sections::parse(&text).unwrap();
        assert_eq!(sections.surplus("a", &["exchange", "notifications"]), ["notification"]);
    }

    #[test]
    fn a_text_that_is_no_ini_says_where() {
        assert!(refusal("exchange=x\n[a]").contains("'exchange' stands before the first section"));
        assert!(refusal("[b]\n[a\nexchange=x").contains("line 2"));
        assert!(refusal("[a]\n=x").contains("line 2"));
        assert!(refusal("[a]\nexchange").contains("section [a], key 'exchange': it has no value"));
        assert!(
            refusal("[a]\nexchange=x\n  y")
                .contains("section [a], key 'exchange': it goes on in the next line")
        );
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_section() {
        assert_eq!(value("\u{feff}[a]\nexchange=x").as_deref(), Some("x"));
    }

    #[test]
    fn an_empty_value_and_a_pair_of_quotes_are_empty() {
        assert_eq!(value("[a]\nexchange=").as_deref(), Some(""));
        assert_eq!(value("[a]\nexchange=\"\"").as_deref(), Some(""));
    }
}
