//! Parses the words of a line.

use tavrida::field::{ShortString, Table};

use super::value;

/// A line that is read from left to right.
pub(super) struct Line<'a> {
    pub(super) rest: &'a str,
}

/// The form of a word: `name`, `name=text` or `name={...}`.
enum Said {
    Flag,
    Text(String),
    Table(Table),
}

/// The words of a line, by name; each can be taken once.
pub(super) struct Named(Vec<(String, Said)>);

impl<'a> Line<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// Returns the next word up to a blank.
    pub(super) fn word(&mut self) -> Option<String> {
        let text = self.rest.trim_start();
        let (word, rest) = text.split_at(text.find(' ').unwrap_or(text.len()));
        self.rest = rest;
        (!word.is_empty()).then(|| word.to_owned())
    }

    /// Returns all other words.
    pub(super) fn words(mut self) -> Result<Named, String> {
        let mut words = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.is_empty() {
                return Ok(Named(words));
            }
            let end = self.rest.find(['=', ' ']).unwrap_or(self.rest.len());
            let name = self.rest[..end].to_owned();
            self.rest = &self.rest[end..];
            let said = match self.eat("=") {
                false => Said::Flag,
                true if self.rest.starts_with('{') => Said::Table(value::read_table(&mut self)?),
                true => Said::Text(value::read_text(&mut self)?),
            };
            words.push((name, said));
        }
    }

    /// Returns whether this text comes next, and consumes it.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    pub(super) fn expect(&mut self, text: &str) -> Result<(), String> {
        if self.eat(text) { Ok(()) } else { Err(format!("{text:?} expected before {:?}", self.rest)) }
    }
}

impl Named {
    fn take(&mut self, name: &str) -> Option<Said> {
        let place = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(place).1)
    }

    pub(super) fn flag(&mut self, name: &str) -> bool {
        matches!(self.take(name), Some(Said::Flag))
    }

    pub(super) fn option(&mut self, name: &str) -> Option<ShortString> {
        match self.take(name) {
            Some(Said::Text(text)) => Some(crate::names::short(&text)),
            _ => None,
        }
    }

    pub(super) fn text(&mut self, name: &str) -> ShortString {
        self.option(name).unwrap_or_default()
    }

    pub(super) fn long_text(&mut self, name: &str) -> String {
        match self.take(name) {
            Some(Said::Text(text)) => text,
            _ => String::new(),
        }
    }

    pub(super) fn number<N: std::str::FromStr>(&mut self, name: &str) -> Result<Option<N>, String> {
        let text = self.option(name);
        text.map(|text| text.parse().map_err(|_| format!("{name} is no such number: {text:?}"))).transpose()
    }

    pub(super) fn table(&mut self, name: &str) -> Option<Table> {
        match self.take(name) {
            Some(Said::Table(table)) => Some(table),
            _ => None,
        }
    }

    /// Checks that all words were used.
    pub(super) fn done(self) -> Result<(), String> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(format!("{name:?} means nothing here")),
        }
    }
}
