//! Writes the words of a line.

use std::fmt::{Display, Write};

use tavrida::field::Table;

use super::value;

/// A line that grows word by word.
#[derive(Debug, Default)]
pub(super) struct Words(pub(super) String);

impl Words {
    pub(super) fn word(&mut self, word: &str) {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        self.0.push_str(word);
    }

    /// Writes a word if it holds.
    pub(super) fn flag(&mut self, name: &str, holds: bool) {
        if holds {
            self.word(name);
        }
    }

    /// Writes a text if it is not empty.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.option(name, (!text.is_empty()).then_some(text));
    }

    /// Writes a text if there is one.
    pub(super) fn option(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.word(name);
            self.0.push('=');
            value::write_text(text, &mut self.0);
        }
    }

    /// Writes a number if there is one.
    pub(super) fn number(&mut self, name: &str, number: Option<impl Display>) {
        if let Some(number) = number {
            self.word(name);
            let _ = write!(self.0, "={number}");
        }
    }

    /// Writes a table if there is one.
    pub(super) fn table(&mut self, name: &str, table: Option<&Table>) {
        if let Some(table) = table {
            self.word(name);
            self.0.push('=');
            value::write_table(table, &mut self.0);
        }
    }
}
