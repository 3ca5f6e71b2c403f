//! The settings of a TOML text.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ini::{self, IniLine};
use super::keys::{CONNECTION, SECTIONS, SERVER, TLS, gone, known};
use super::setting::{Raw, Setting, SettingSource};
use crate::config::ConfigError;

/// A text that is being read, with its name and its folder.
pub(super) struct Text<'a> {
    pub(super) file: &'a str,
    pub(super) folder: &'a Path,
    pub(super) text: &'a str,
}

/// A section: its settings, in the order of their names.
pub(super) struct Section {
    pub(super) name: &'static str,
    pub(super) settings: Vec<Setting>,
}

impl Text<'_> {
    pub(super) fn sections(&self) -> Result<Vec<Section>, ConfigError> {
        let table = DeTable::parse(self.text).map_err(|error| {
            // The parser's own error shows the line, which may contain a password.
            let line = self.line(error.span().map_or(0, |span| span.start));
            if let Some(IniLine { line, key, problem }) = ini::flaw(self.text, line) {
                return ConfigError::new(key, problem).at(self.place(line));
            }
            ConfigError::new("", error.message()).at(self.place(line))
        })?;
        let mut sections = Vec::new();
        for (key, value) in table.get_ref() {
            match key.get_ref().as_ref() {
                CONNECTION => self.section(CONNECTION, value, &mut sections)?,
                SERVER => self.section(SERVER, value, &mut sections)?,
                other => {
                    let problem = gone("", other).map_or_else(
                        || format!("not a section that is known; known: {SECTIONS}"),
                        Into::into,
                    );
                    let line = self.line(key.span().start);
                    return Err(ConfigError::new(other, problem).at(self.place(line)));
                }
            }
        }
        Ok(sections)
    }

    fn section(
        &self,
        name: &'static str,
        value: &Spanned<DeValue<'_>>,
        sections: &mut Vec<Section>,
    ) -> Result<(), ConfigError> {
        let DeValue::Table(table) = value.get_ref() else {
            let problem = format!("a section [{name}] is expected, not a single value");
            return Err(ConfigError::new(name, problem).at(self.place(self.line(value.span().start))));
        };
        let mut settings = Vec::new();
        for (key, value) in table {
            if name == CONNECTION && key.get_ref() == "tls" {
                self.section(TLS, value, sections)?;
                continue;
            }
            let setting = Setting {
                name: key.get_ref().to_string(),
                key: format!("{name}.{}", key.get_ref()),
                place: self.place(self.line(key.span().start)),
                raw: raw(value.get_ref()),
            };
            settings.push(must_be_known(name, setting)?);
        }
        sections.push(Section { name, settings });
        Ok(())
    }

    fn place(&self, line: usize) -> SettingSource {
        SettingSource::File { file: self.file.to_owned(), line, folder: self.folder.to_owned() }
    }

    fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }
}

/// Rejects an unknown key: most are misspelt, or from the original.
pub(super) fn must_be_known(section: &str, setting: Setting) -> Result<Setting, ConfigError> {
    if known(section).contains(&setting.name.as_str()) {
        return Ok(setting);
    }
    Err(setting.wrong(match gone(section, &setting.name) {
        Some(why) => why.to_owned(),
        None => format!("not a key that is known here; known: {}", known(section).join(", ")),
    }))
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Raw::Whole(number.as_str().to_owned()),
        DeValue::Integer(_) => Raw::Other("a number that is not decimal"),
        DeValue::Float(number) => Raw::Real(number.as_str().to_owned()),
        DeValue::Boolean(_) => Raw::Other("true or false"),
        DeValue::Datetime(_) => Raw::Other("a date"),
        DeValue::Table(_) => Raw::Other("a section"),
        DeValue::Array(values) => {
            let texts: Option<Vec<_>> =
                values.iter().map(|value| value.get_ref().as_str().map(Into::into)).collect();
            texts.map_or(Raw::Other("a list of other things"), Raw::List)
        }
    }
}
